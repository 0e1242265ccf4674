package rpc

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

func TestPagesArriveAsTheyWereAndErrorsWithAllTheirFields(t *testing.T) {
	pages := [][]byte{[]byte("short"), bytes.Repeat([]byte("0123456789abcdef"), 2000), {}, []byte(strings.Repeat("x", 4097))}
	mux := NewMux("s", nil)
	HandlePages(mux, func(_ context.Context, in PageRequest) (Pages, error) {
		if in.Reader > 0 {
			return Pages{}, sqlerr.New(sqlerr.DiskFull, "no room %d", in.Reader).WithHint("h").WithDetail("d").At(7).In("w")
		}
		var out Pages
		for _, p := range pages {
			out.Pages = append(out.Pages, page.Of(p))
		}
		out.End = in.Sequence == 3
		return out, nil
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client := NewClient("s", nil)
	defer client.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	for _, in := range []PageRequest{{}, {Compress: true, Sequence: 3}} {
		got, err := client.Pages(t.Context(), address, in)
		if err != nil || len(got.Pages) != len(pages) || got.End != (in.Sequence == 3) {
			t.Fatal(got.End, err)
		}
		for i := range pages {
			if !bytes.Equal(got.Pages[i].Bytes, pages[i]) {
				t.Fatalf("page %d differs", i)
			}
		}
	}
	_, err := client.Pages(t.Context(), address, PageRequest{Reader: 5})
	want := sqlerr.Error{Code: sqlerr.DiskFull, Message: "no room 5", Hint: "h", Detail: "d", Position: 7, Where: "w"}
	if e := sqlerr.From(err); *e != want {
		t.Fatalf("%+v", e)
	}
	server.Close()
	if _, err = client.Pages(t.Context(), address, PageRequest{}); !IsUnreachable(err) {
		t.Fatal(err)
	}
}

// FuzzPages reads replies that may be anything.
func FuzzPages(f *testing.F) {
	for _, compress := range []bool{false, true} {
		answer := httptest.NewRecorder()
		writePages(answer, Pages{Pages: []page.Page{page.Of([]byte("abc")), page.Of(bytes.Repeat([]byte("xyz "), 3000))}}, compress, nil)
		f.Add(answer.Body.Bytes())
	}
	var buffers page.Buffers
	f.Fuzz(func(t *testing.T, body []byte) {
		pages, err := readPages(bytes.NewReader(body), int64(len(body)), &buffers)
		if err != nil && sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Fatal(err)
		}
		if err == nil && len(body) > 0 && len(pages) == 0 {
			t.Fatal("nothing read")
		}
		Pages{Pages: pages}.release()
	})
}
