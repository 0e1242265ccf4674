package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// sendsParts answers a request for part of data as servers do that can.
func sendsParts(w http.ResponseWriter, r *http.Request, etag string, data []byte) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Accept-Ranges", "bytes")
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		return
	}
	var first, last int
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last)
	last = min(last, len(data)-1)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(data)))
	w.WriteHeader(http.StatusPartialContent)
	w.Write(data[first : last+1])
}

// A server that fails for a while and then sends no parts any more: what was asked for is read all the
// same, not left as it was.
func TestWholeFileAfterFailures(t *testing.T) {
	data := content(50_000)
	for failures := range int32(4) {
		var asked, whole atomic.Int32
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodHead:
				sendsParts(w, r, `"1"`, data)
			case asked.Add(1) <= failures:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				w.Header().Set("ETag", `"1"`)
				if r.Header.Get("Range") == "" {
					whole.Add(1)
				}
				w.Write(data)
			}
		})
		store, key := open(t, server, "/a.csv", Options{})
		object, err := store.Stat(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1000)
		if err := store.ReadRanges(t.Context(), key, object.ETag, []objstore.Range{{Offset: 40_000, Length: 1000}}, [][]byte{got}); err != nil {
			t.Errorf("%d failures: %v", failures, err)
		} else if !bytes.Equal(got, data[40_000:41_000]) {
			t.Errorf("%d failures: other bytes were read", failures)
		}
	}
}

// A copy of the whole file that is not of the version whose parts were read is a change of the file;
// and readers at once share one copy.
func TestCopyOfAnotherVersion(t *testing.T) {
	before, after := content(50_000), bytes.Repeat([]byte("x"), 50_000)
	var parts atomic.Bool
	var copies atomic.Int32
	parts.Store(true)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case parts.Load():
			sendsParts(w, r, `"1"`, before)
		case strings.HasPrefix(r.URL.Path, "/same"):
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("Range") == "" {
				copies.Add(1)
			}
			w.Write(before)
		default:
			w.Header().Set("ETag", `"2"`)
			w.Write(after)
		}
	})
	read := func(path string) error {
		parts.Store(true)
		store, key := open(t, server, path, Options{})
		object, err := store.Stat(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		parts.Store(false)
		var ranges []objstore.Range
		var buffers [][]byte
		for at := int64(0); at < 50_000; at += 5_000 {
			ranges, buffers = append(ranges, objstore.Range{Offset: at, Length: 5_000}), append(buffers, make([]byte, 5_000))
		}
		if err := store.ReadRanges(t.Context(), key, object.ETag, ranges, buffers); err != nil {
			return err
		}
		if !bytes.Equal(bytes.Join(buffers, nil), before) {
			t.Errorf("%s: other bytes were read", path)
		}
		return nil
	}
	if err := read("/same.csv"); err != nil || copies.Load() != 1 {
		t.Errorf("%d copies, %v", copies.Load(), err)
	}
	if err := read("/other.csv"); sqlerr.CodeOf(err) != sqlerr.ObjectNotInPrerequisiteState {
		t.Errorf("another version gives %v", err)
	}
}

func TestImpossibleRanges(t *testing.T) {
	for _, told := range []string{"bytes 0-0/-5", "bytes -1-0/5", "bytes 0-9/5", "bytes 5-0/5", "bytes 0-0/99999999999999999999"} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			w.Header().Set("Content-Range", told)
			w.WriteHeader(http.StatusPartialContent)
			w.Write([]byte("a"))
		})
		store, key := open(t, server, "/a.csv", Options{})
		if object, err := store.Stat(t.Context(), key); sqlerr.CodeOf(err) != sqlerr.IOError {
			t.Errorf("%s: %d bytes, %v", told, object.Size, err)
		}
	}
}
