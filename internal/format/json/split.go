package json

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Split is a part of a file: the records that begin in it. The zero value is the whole file. Layout
// is the file's where it was looked at.
type Split struct {
	Offset, Length int64
	Layout         Layout `json:",omitempty"`
}

// Splitter cuts a file into Splits.
type Splitter struct {
	store  objstore.Store
	object objstore.Object
	format Format
	parts  int64
	next   int64
	layout Layout
}

// NewSplitter cuts object into splits of about target bytes.
func NewSplitter(store objstore.Store, object objstore.Object, format Format, target int64) *Splitter {
	s := &Splitter{store: store, object: object, format: format, parts: 1, layout: format.Layout}
	const least = 16 // the byte order mark lies in the first split
	target = max(target, least)
	if format.Compression.Of(object.Path) == stream.None && object.Size > target+target/2 && (s.layout == Auto || s.layout == Lines) {
		s.parts = (object.Size + target - 1) / target
	}
	return s
}

// Next gives the next split, false at the end. To cut a large file its beginning is looked at.
func (s *Splitter) Next(ctx context.Context) (Split, bool, error) {
	if s.parts > 1 && s.layout == Auto {
		r := newRecords(s.store, s.object, &s.format, Split{}, scan.Counters{}, nil)
		r.in.Close()
		r.in = stream.OpenStart(s.store, s.object, stream.None, scan.Counters{})
		defer r.close()
		if err := r.start(ctx); err != nil {
			return Split{}, false, err
		}
		if s.layout = r.layout; s.layout != Lines {
			s.parts = 1
		}
	}
	if s.next == s.parts || s.object.Size == 0 {
		return Split{}, false, nil
	}
	from, to := s.boundary(s.next), s.boundary(s.next+1)
	s.next++
	return Split{Offset: from, Length: to - from, Layout: s.layout}, true, nil
}

func (s *Splitter) boundary(part int64) int64 {
	size := s.object.Size / s.parts
	return part*size + min(part, s.object.Size%s.parts)
}
