package orc

import (
	"context"
	"fmt"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
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

// stripeFooter reads the footer of a stripe, or gives the one that was read before.
func (f *File) stripeFooter(ctx context.Context, counters Counters, stripe int) (*stripeFooter, error) {
	if known := f.footers[stripe].Load(); known != nil {
		return known, nil
	}
	info := &f.meta.stripes[stripe]
	data := make([]byte, info.footerLength)
	at := info.offset + info.indexLength + info.dataLength
	if err := f.fetch(ctx, counters, []objstore.Range{{Offset: at, Length: info.footerLength}}, [][]byte{data}); err != nil {
		return nil, err
	}
	data, err := f.codecs.decompressAll(f.meta.compression, data, f.meta.blockSize, maxStripeFooter)
	if err != nil {
		return nil, f.corruptAt(stripe, "", "stripe footer cannot be decompressed: %v", err)
	}
	footer, err := decodeStripeFooter(data, info, len(f.meta.types))
	if err != nil {
		return nil, f.corruptAt(stripe, "", "%v", err)
	}
	if footer.encrypted {
		return nil, f.encrypted()
	}
	f.footers[stripe].Store(footer)
	return footer, nil
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

// loadIndex reads the row indexes of columns, and the Bloom filters of some.
func (s *openStripe) loadIndex(ctx context.Context, columns []int) error {
	s.index = map[int][]indexEntry{}
	if s.reader.file.meta.stride == 0 {
		return nil
	}
	var ranges []objstore.Range
	var buffers [][]byte
	var found []int
	for _, column := range columns {
		st := s.stream(column, streamRowIndex)
		if st == nil || st.end == st.start {
			continue
		}
		ranges = append(ranges, objstore.Range{Offset: st.start, Length: st.end - st.start})
		buffers = append(buffers, make([]byte, st.end-st.start))
		found = append(found, column)
	}
	if len(ranges) == 0 {
		return nil
	}
	if err := s.reader.fetch(ctx, ranges, buffers); err != nil {
		return err
	}
	f := s.reader.file
	for i, column := range found {
		data, err := f.codecs.decompressAll(f.meta.compression, buffers[i], f.meta.blockSize, maxStripeFooter)
		if err != nil {
			return fmt.Errorf("row index of column %d: %w", column, err)
		}
		entries, err := decodeRowIndex(data)
		if err != nil {
			return fmt.Errorf("row index of column %d: %w", column, err)
		}
		if len(entries) == s.groups { // else of no use
			s.index[column] = entries
		}
	}
	return nil
}

// canSeek tells whether the row index knows where a row group begins in all streams of a column and
// its members.
func (s *openStripe) canSeek(n *node, group int) bool {
	if s.noSeek || group >= s.groups {
		return false
	}
	known := true
	n.each(func(m *node) {
		entries := s.index[m.id]
		known = known && entries != nil && (len(entries[group].positions) > 0 || m.kind == kindStruct)
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
