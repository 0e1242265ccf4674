package orc

import (
	"context"
	"fmt"
	"time"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
)

// maxStripeFooter bounds what one stripe footer or row index may decompress to.
const maxStripeFooter = 256 << 20

// openStripe is a stripe while it is read.
type openStripe struct {
	reader  *Reader
	number  int
	info    *stripeInfo
	footer  *stripeFooter
	index   map[int][]indexEntry // by column, of those that were asked for
	groups  int
	partial bool // some row groups are not wanted
	noSeek  bool // the row index is of no use
}

// stripeFooter gives the footer of a stripe, which is kept.
func (r *Reader) stripeFooter(ctx context.Context, stripe int) (*stripeFooter, error) {
	key := metadata.Of(r.file.store, r.file.object, metadata.StripeFooter, stripe, 0)
	return metadata.Load(ctx, r.options.Metadata, key, func() (*stripeFooter, int64, error) { return r.fetchFooter(ctx, stripe) })
}

func (r *Reader) fetchFooter(ctx context.Context, stripe int) (*stripeFooter, int64, error) {
	f := r.file
	info := &f.meta.stripes[stripe]
	budget, release := scan.PoolBudget(ctx, r.options.Pool, "ORC stripe footer")
	defer release()
	if err := budget.Take(info.footerLength); err != nil {
		return nil, 0, err
	}
	data := make([]byte, info.footerLength)
	at := info.offset + info.indexLength + info.dataLength
	if err := r.fetch(ctx, []objstore.Range{{Offset: at, Length: info.footerLength}}, [][]byte{data}); err != nil {
		return nil, 0, err
	}
	data, err := f.codecs.decompressAll(f.meta.compression, data, f.meta.blockSize, maxStripeFooter, budget)
	if short := budget.Err(); short != nil {
		return nil, 0, short
	}
	if err != nil {
		return nil, 0, f.corruptAt(stripe, "", "stripe footer cannot be decompressed: %v", err)
	}
	footer, err := decodeStripeFooter(data, info, len(f.meta.types), budget)
	if short := budget.Err(); short != nil {
		return nil, 0, short
	}
	if err != nil {
		return nil, 0, f.corruptAt(stripe, "", "%v", err)
	}
	if footer.encrypted {
		return nil, 0, f.encrypted()
	}
	return footer, 64 * int64(len(footer.streams)+len(footer.encodings)), nil
}

// stream finds a stream of a column, nil when there is none.
func (s *openStripe) stream(column int, kind streamKind) *streamInfo {
	for i := range s.footer.streams {
		if st := &s.footer.streams[i]; st.kind == kind && st.column == uint64(column) {
			return st
		}
	}
	return nil
}

// need is stream for one that must be there; an empty one stands for it where there is nothing to read.
func (s *openStripe) need(n *node, kind streamKind) (*streamInfo, error) {
	if st := s.stream(n.id, kind); st != nil {
		return st, nil
	}
	if s.stream(n.id, streamPresent) != nil || s.info.rows == 0 || s.emptyAllowed(n) {
		return &streamInfo{kind: kind, column: uint64(n.id), start: s.info.offset, end: s.info.offset}, nil
	}
	return nil, fmt.Errorf("stream %d is missing", kind)
}

// emptyAllowed tells whether a column may have no streams since nothing is in it: it is a member of
// another that may be empty or NULL.
func (s *openStripe) emptyAllowed(n *node) bool {
	for _, field := range s.reader.file.fields {
		if field.id == n.id {
			return false
		}
	}
	return true
}

// openInts starts a stream of integers in the column's encoding.
func (s *openStripe) openInts(r *intReader, n *node, kind streamKind, signed bool) error {
	st, err := s.need(n, kind)
	if err == nil {
		r.open(s.reader, st, s.footer.encodings[n.id].kind, signed)
	}
	return err
}

// location gives the writer's time zone.
func (s *openStripe) location() (*time.Location, error) {
	if s.footer.zone == "" {
		return time.UTC, nil
	}
	location, err := time.LoadLocation(s.footer.zone)
	if err != nil || s.footer.zone == "Local" {
		return nil, fmt.Errorf("writer's time zone %q is unknown", s.footer.zone)
	}
	return location, nil
}

// loadIndex gets the row indexes of columns, which are kept.
func (s *openStripe) loadIndex(ctx context.Context, columns []int) error {
	s.index = map[int][]indexEntry{}
	if s.reader.file.meta.stride == 0 {
		return nil
	}
	var streams []*streamInfo
	var keys []metadata.Key
	for _, column := range columns {
		if st := s.stream(column, streamRowIndex); st != nil && st.end > st.start {
			streams = append(streams, st)
			keys = append(keys, metadata.Of(s.reader.file.store, s.reader.file.object, metadata.RowIndex, s.number, column))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	indexes, err := metadata.LoadAll(ctx, s.reader.options.Metadata, keys, func(missing []int) ([][]indexEntry, []int64, error) {
		return s.fetchIndexes(ctx, streams, missing)
	})
	if err != nil {
		return err
	}
	for i, entries := range indexes {
		if len(entries) == s.groups { // else of no use
			s.index[int(keys[i].Column)] = entries
		}
	}
	return nil
}

// fetchIndexes reads some of the streams, which are row indexes, together.
func (s *openStripe) fetchIndexes(ctx context.Context, streams []*streamInfo, which []int) (out [][]indexEntry, sizes []int64, err error) {
	var ranges []objstore.Range
	var buffers [][]byte
	budget, release := scan.PoolBudget(ctx, s.reader.options.Pool, "ORC row index")
	defer release()
	for _, at := range which {
		st := streams[at]
		if err := budget.Take(st.end - st.start); err != nil {
			return nil, nil, err
		}
		ranges = append(ranges, objstore.Range{Offset: st.start, Length: st.end - st.start})
		buffers = append(buffers, make([]byte, st.end-st.start))
	}
	if err := s.reader.fetch(ctx, ranges, buffers); err != nil {
		return nil, nil, err
	}
	f := s.reader.file
	for i, at := range which {
		data, err := f.codecs.decompressAll(f.meta.compression, buffers[i], f.meta.blockSize, maxStripeFooter, budget)
		if short := budget.Err(); short != nil {
			return nil, nil, short
		}
		if err != nil {
			return nil, nil, fmt.Errorf("row index of column %d: %w", streams[at].column, err)
		}
		entries, err := decodeRowIndex(data, budget)
		if short := budget.Err(); short != nil {
			return nil, nil, short
		}
		if err != nil {
			return nil, nil, fmt.Errorf("row index of column %d: %w", streams[at].column, err)
		}
		size := int64(len(data))
		for _, e := range entries {
			size += 48 + 8*int64(cap(e.positions))
		}
		out, sizes = append(out, entries), append(sizes, size)
	}
	return out, sizes, nil
}

// canSeek tells whether the row index knows where a row group begins in all streams of a column and
// the members of it that are read.
func (s *openStripe) canSeek(c *storedColumn, group int) bool {
	if s.noSeek || group >= s.groups {
		return false
	}
	known := true
	c.each(func(m *storedColumn) {
		entries := s.index[m.node.id]
		known = known && entries != nil && (len(entries[group].positions) > 0 || m.node.kind == kindStruct)
	})
	return known
}

// positions gives where a row group begins, and where the one with number end does.
func (s *openStripe) positions(column, group, end int) *positions {
	entries := s.index[column]
	p := &positions{from: entries[group].positions}
	if end < len(entries) {
		p.until, p.bounded = entries[end].positions, true
	}
	return p
}
