package s3

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// lateParts is a server that stores parts after their upload was aborted, as S3 may.
type lateParts struct {
	mu    sync.Mutex
	left  int // parts that are still to arrive
	parts int
	saw   []string
}

func (l *lateParts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/xml")
	switch {
	case r.Method == http.MethodDelete && r.URL.Query().Get("uploadId") == "u":
		l.saw = append(l.saw, "abort")
		l.parts = min(l.left, 1)
		l.left -= l.parts
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && r.URL.Query().Get("uploadId") == "u":
		l.saw = append(l.saw, "list")
		if l.parts == 0 {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>NoSuchUpload</Code><Message>m</Message></Error>`)
			return
		}
		fmt.Fprint(w, `<?xml version="1.0"?><ListPartsResult><Part><PartNumber>1</PartNumber><Size>5</Size></Part></ListPartsResult>`)
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

func TestAbortIsRepeatedWhilePartsArrive(t *testing.T) {
	for _, c := range []struct {
		late int
		want []string
	}{
		{0, []string{"abort", "list"}},
		{2, []string{"abort", "list", "abort", "list", "abort", "list"}},
	} {
		late := &lateParts{left: c.late}
		server := httptest.NewServer(late)
		if err := New("b", options(server.URL)).abortUpload(t.Context(), "k", "u"); err != nil {
			t.Error(err)
		}
		server.Close()
		if !slices.Equal(late.saw, c.want) || late.parts != 0 {
			t.Errorf("%d late parts: %v, %d are left", c.late, late.saw, late.parts)
		}
	}
	endless := &lateParts{left: 1000}
	server := httptest.NewServer(endless)
	defer server.Close()
	if err := New("b", options(server.URL)).abortUpload(t.Context(), "k", "u"); err != nil || len(endless.saw) != 2*mostAborts {
		t.Error(len(endless.saw), err)
	}
}

func TestAbortWithoutTheRightToListParts(t *testing.T) {
	forbidden := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			forbidden++
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>m</Message></Error>`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer proxy.Close()
	if err := New("b", options(proxy.URL)).abortUpload(t.Context(), "k", "u"); err != nil || forbidden != 1 {
		t.Error(forbidden, err)
	}
}
