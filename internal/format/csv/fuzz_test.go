package csv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
)

// oneObject is a store that holds one object in memory.
type oneObject struct {
	objstore.Store
	data []byte
}

func (o oneObject) ReadRanges(_ context.Context, _, _ string, ranges []objstore.Range, buffers [][]byte) error {
	for i, r := range ranges {
		copy(buffers[i][:r.Length], o.data[r.Offset:r.Offset+r.Length])
	}
	return nil
}

// FuzzCSV reads any bytes whole, in splits and as a stream: the same rows come out, or an error.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"1,a\n2,b\n", "\"a\"\"b\",\"c\nd\"\r\n,\n", "\xef\xbb\xbfa,b\n", "a,\"b", "\"a\"x,b\n", "\n\n\r\n", "a\\,b,c\n\"\\\"\",\n", ",,,\n,,\n"} {
		f.Add([]byte(seed), byte('"'), byte('"'), uint8(3), uint8(5))
	}
	f.Add([]byte("'a\\'b','c'\n"), byte('\''), byte('\\'), uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, quote, escape byte, target, batch uint8) {
		format := DefaultFormat()
		format.Quote, format.Escape = quote, escape
		format.IgnoreErrors = true
		format.Null = nil
		if format.check() != nil || format.Escape == format.Newline || format.Escape == format.Delimiter {
			return
		}
		store := oneObject{data: data}
		object := objstore.Object{Path: "f", Size: int64(len(data))}
		Sniff(context.Background(), store, object, format, Known{})
		columns := []ColumnRequest{{Field: 0, Type: types.Of(types.Text)}, {Field: 1, Type: types.Of(types.Text)}}
		var rejected atomic.Int64
		read := func(split Split) [][]string {
			r, err := NewReader(store, object, format, ReadOptions{Columns: columns, Fields: 2, Split: split, BatchSize: int(batch), Counters: Counters{Rejected: &rejected}})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := drain(r, columns)
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		whole := read(Split{})
		reader, err := newStreamReader(bytes.NewReader(data), format, ReadOptions{Columns: columns, Fields: 2})
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := drain(reader, columns); err != nil || !reflect.DeepEqual(rows, whole) {
			t.Fatal(rows, whole, err)
		}
		guessed, err := NewSplitter(store, object, format, int64(target)+1)
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := readSplits(store, object, format, guessed, columns, 2); err == nil && !reflect.DeepEqual(rows, whole) {
			t.Fatalf("guessed splits give %q, the whole file %q", rows, whole)
		}
		format.Multiline = true
		splitter, err := NewSplitter(store, object, format, int64(target)+1)
		if err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		var parts [][]string
		for {
			split, more, err := splitter.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if split.Offset != next || split.Length <= 0 {
				t.Fatal(split, next)
			}
			next += split.Length
			parts = append(parts, read(split)...)
		}
		if rejected.Load() == 0 && !reflect.DeepEqual(parts, whole) {
			t.Fatalf("splits give %q, the whole file %q", parts, whole)
		}
		if next != object.Size {
			t.Fatalf("splits end at %d of %d", next, object.Size)
		}
	})
}

// newStreamReader reads bytes that are no stored object.
func newStreamReader(from io.Reader, format Format, options ReadOptions) (*Reader, error) {
	options.Split = Split{Line: 1}
	r, err := newReader("stream", format, options)
	if err != nil {
		return nil, err
	}
	r.wholeFile = true
	r.in = inUTF8(&streamInput{from}, "stream", r.format.Encoding)
	return r, nil
}

// streamInput reads from a stream that somebody else owns.
type streamInput struct{ r io.Reader }

func (s *streamInput) Read(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

func (s *streamInput) Close() {}
