package parquet

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
)

// mostEager is the size of a row group's wanted chunks up to which the first row group's are all
// fetched at once, although a filter may leave nothing for some columns to give.
const mostEager = 8 << 20

// readAhead asks for the row group that has just been opened, and for further ones as far as the
// budget goes, so that they come while rows are decoded.
func (r *Reader) readAhead(ctx context.Context) {
	if r.ahead == nil {
		return
	}
	if r.planned < 0 { // not asked for before
		r.planned = 0
		if partly := r.needed != nil && (len(r.needed) != 1 || r.needed[0].from > 0); !partly {
			var own scan.Batch
			r.addGroup(&own, r.opened, r.group)
			if r.options.Filter == nil || own.Bytes() <= mostEager || r.opened > 1 {
				r.ahead.Start(ctx, &own)
			}
		}
	}
	for r.ahead.Low() && r.planned < len(r.groups) && r.needed == nil {
		var next scan.Batch
		var domains []Domain
		if r.options.Domains != nil {
			domains = r.options.Domains()
		}
		for r.planned < len(r.groups) && !next.Full() {
			g := r.groups[r.planned]
			r.planned++
			if r.file.meta.groups[g].rows > 0 && !r.prune(g, domains) {
				r.addGroup(&next, r.opened+r.planned, g)
			}
		}
		if next.Bytes() > 0 && !r.ahead.Start(ctx, &next) {
			return
		}
	}
}

// addGroup adds the first windows of the chunks that a row group is likely to need: not those of columns
// whose chunks of the last row group were not touched.
func (r *Reader) addGroup(b *scan.Batch, unit, group int) {
	for _, c := range r.columns {
		for _, s := range c.streams() {
			if !s.idle {
				chunk := &r.file.meta.groups[group].chunks[s.column]
				b.Add(unit, objstore.Range{Offset: chunk.start(), Length: min(chunk.compressed, windowSize)})
			}
		}
	}
}

// noteIdle notes which columns' chunks were not touched in the row group that ends.
func (r *Reader) noteIdle() {
	if r.ahead == nil || r.opened == 0 || r.options.Filter == nil {
		return
	}
	for _, c := range r.columns {
		for _, s := range c.streams() {
			s.idle = s.fresh && s.end > s.at
		}
	}
}

// adopt makes what was fetched ahead of the chunk's first bytes the window; false when that was not asked for.
func (s *chunkStream) adopt(ctx context.Context, size int64) (bool, error) {
	data, held, ok, err := s.reader.ahead.Take(ctx, objstore.Range{Offset: s.at, Length: size})
	if !ok || err != nil {
		return ok, err
	}
	if err := s.replace(data, held); err != nil {
		return true, err
	}
	s.windowStart = s.at
	s.askNext(ctx)
	return true, nil
}

// replace makes data, of which held bytes are reserved, the window.
func (s *chunkStream) replace(data []byte, held int64) error {
	if s.memory != nil {
		s.drop()
	} else if !s.lent {
		s.reader.ahead.Recycle(s.window)
	}
	err := s.reader.memory.Resize(&s.windowHeld, 0)
	s.window, s.memory, s.lent = data, nil, false
	s.windowHeld = held
	s.reader.memory.Adopt(held)
	return err
}

// askNext asks for what follows the window in a chunk that is longer.
func (s *chunkStream) askNext(ctx context.Context) {
	from := s.windowStart + int64(len(s.window))
	if s.reader.ahead == nil || from >= s.end {
		return
	}
	var next scan.Batch
	next.Add(s.reader.opened, objstore.Range{Offset: from, Length: min(windowSize, s.end-from)})
	s.reader.ahead.Start(ctx, &next)
}

// join makes a window of the unread rest of the present one and of what was fetched behind it; false when
// that was not asked for or n bytes are more.
func (s *chunkStream) join(ctx context.Context, n int) (bool, error) {
	end := s.windowStart + int64(len(s.window))
	behind := objstore.Range{Offset: end, Length: min(windowSize, s.end-end)}
	if s.at < s.windowStart || s.at > end || int64(n) > end-s.at+behind.Length || !s.reader.ahead.Has(behind) {
		return false, nil
	}
	s.fresh = false
	data, held, _, err := s.reader.ahead.Take(ctx, behind)
	if err != nil {
		return true, err
	}
	rest := s.window[s.at-s.windowStart:]
	if len(rest) > 0 {
		joined := make([]byte, len(rest)+len(data), len(rest)+len(data)+slack)
		copy(joined[copy(joined, rest):], data)
		s.reader.ahead.Recycle(data)
		data = joined
	}
	if err := s.replace(data, held); err != nil {
		return true, err
	}
	s.windowStart = s.at
	s.askNext(ctx)
	return true, s.reader.memory.Resize(&s.windowHeld, int64(cap(s.window)))
}
