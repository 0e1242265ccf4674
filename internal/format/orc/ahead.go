package orc

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/codec"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
)

// mostEager is the size of a portion's streams up to which all are begun at once, although a filter may
// leave nothing for some columns to give.
const mostEager = 8 << 20

// beginPortion decides whether the columns' streams are begun together.
func (r *Reader) beginPortion() {
	if r.ahead == nil {
		return
	}
	for at := range r.columns {
		r.idle[at] = r.opened > 1 && r.options.Filter != nil && !r.touched[at]
		r.touched[at] = false
	}
	rows := int64(0)
	for _, part := range r.needed {
		rows += int64(part.to - part.from)
	}
	total := int64(0)
	for _, st := range r.dataStreams(r.stripe.footer) {
		total += st.end - st.start
	}
	r.eager = r.options.Filter == nil || int64(float64(total)*float64(rows)/float64(max(r.stripe.info.rows, 1))) <= mostEager
}

// eagerly gives the columns to prefetch when those given are wanted.
func (r *Reader) eagerly(columns []int) []int {
	if r.ahead == nil {
		return columns
	}
	for _, at := range columns {
		r.touched[at] = true
	}
	if !r.eager {
		return columns
	}
	r.eager = false
	var out []int
	for at := range r.columns {
		if !r.idle[at] || r.touched[at] {
			out = append(out, at)
		}
	}
	return out
}

// dataStreams gives the streams of a stripe that hold the values of the columns that are read.
func (r *Reader) dataStreams(footer *stripeFooter) (out []*streamInfo) {
	wanted := map[uint64]bool{}
	for at, c := range r.columns {
		if stored, ok := c.(*storedColumn); ok && !r.idle[at] {
			stored.each(func(c *storedColumn) { wanted[uint64(c.node.id)] = true })
		}
	}
	for i := range footer.streams {
		st := &footer.streams[i]
		if wanted[st.column] && st.end > st.start && (st.kind < streamRowIndex) {
			out = append(out, st)
		}
	}
	return out
}

// askNext asks for the next portion, if that is a whole stripe as this one is, once little is left of
// what was asked for and the stripe's footer is there.
func (r *Reader) askNext(ctx context.Context) {
	if r.asked || !r.ahead.Low() || len(r.portions) == 0 || r.stripe.partial {
		return
	}
	next := r.portions[0]
	info := &r.file.meta.stripes[next.stripe]
	if next.rows.from != 0 || next.rows.to != int(info.rows) {
		r.asked = true
		return
	}
	footer, kept := metadata.Peek[*stripeFooter](r.options.Metadata, metadata.Of(r.file.store, r.file.object, metadata.StripeFooter, next.stripe, 0))
	if !kept {
		r.warmFooter(ctx, next.stripe)
		return
	}
	r.asked = true
	var domains []Domain
	if r.options.Domains != nil {
		domains = r.options.Domains()
	}
	if r.file.stripeExcluded(next.stripe, r.options.Columns, domains) {
		return
	}
	var batch scan.Batch
	for _, st := range r.dataStreams(footer) {
		batch.Add(r.opened+1, objstore.Range{Offset: st.start, Length: min(windowSize, st.end-st.start)})
		if batch.Full() {
			r.ahead.Start(ctx, &batch)
			batch = scan.Batch{}
		}
	}
	r.ahead.Start(ctx, &batch)
}

// warmFooter begins to load the footer of a stripe, if it is not being loaded.
func (r *Reader) warmFooter(ctx context.Context, stripe int) {
	key := metadata.Of(r.file.store, r.file.object, metadata.StripeFooter, stripe, 0)
	if r.options.Metadata == nil || r.options.Metadata.Has(key) {
		return
	}
	r.ahead.Go(ctx, func(ctx context.Context) {
		defer func() { _ = recover() }() // it fails when the stripe is opened
		_, _ = r.stripeFooter(ctx, stripe)
	})
}

// adopt makes what was fetched ahead of the stream's first bytes the window; false when exactly that was
// not asked for.
func (in *input) adopt(ctx context.Context) (bool, error) {
	if in.reader.ahead == nil || !in.fresh || in.next >= in.end {
		return false, nil
	}
	data, held, ok, err := in.reader.ahead.Take(ctx, objstore.Range{Offset: in.next, Length: int64(in.ahead(0))})
	if !ok || err != nil {
		return false, err
	}
	if err := in.replace(data, held, in.next); err != nil {
		return true, err
	}
	in.askNext(ctx)
	return true, nil
}

// replace makes data, of which held bytes are reserved, the window.
func (in *input) replace(data []byte, held, start int64) error {
	in.reader.ahead.Recycle(in.raw)
	in.raw, in.rawStart, in.fresh = data, start, false
	in.held += held
	in.reader.memory.Adopt(held)
	return in.account()
}

// askNext asks for what follows the window in a stream that is longer and read to its end.
func (in *input) askNext(ctx context.Context) {
	from := in.rawStart + int64(len(in.raw))
	if in.reader.ahead == nil || in.until > 0 || len(in.raw) == 0 || from < in.start || from >= in.end {
		return
	}
	next := objstore.Range{Offset: from, Length: min(windowSize, in.end-from)}
	if in.reader.ahead.Has(next) {
		return
	}
	var batch scan.Batch
	batch.Add(in.reader.opened, next)
	in.reader.ahead.Start(ctx, &batch)
}

// join makes a window of the unread rest of the present one and of what was fetched behind it; false when
// that was not asked for or n bytes are more.
func (in *input) join(n int) (bool, error) {
	if in.reader.ahead == nil {
		return false, nil
	}
	end := in.rawStart + int64(len(in.raw))
	if in.next < in.rawStart || in.next > end {
		end = in.next
	}
	behind := objstore.Range{Offset: end, Length: min(windowSize, in.end-end)}
	if int64(n) > end-in.next+behind.Length || !in.reader.ahead.Has(behind) {
		return false, nil
	}
	data, held, _, err := in.reader.ahead.Take(in.reader.ctx, behind)
	if err != nil {
		return true, err
	}
	if rest := int(end - in.next); rest > 0 {
		joined := codec.Uncleared(rest + len(data) + slack)[:rest+len(data)]
		copy(joined, in.raw[len(in.raw)-rest:])
		copy(joined[rest:], data)
		in.reader.ahead.Recycle(data)
		data = joined
	}
	if err := in.replace(data, held, in.next); err != nil {
		return true, err
	}
	in.askNext(in.reader.ctx)
	return true, nil
}
