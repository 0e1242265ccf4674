package rpc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// FuzzStrangers sends anything to a node with a secret, well signed but by another one: nothing of it
// reaches a handler, and each gets an error to read.
func FuzzStrangers(f *testing.F) {
	reached := false
	mux := NewMux("hush", nil)
	Handle(mux, echoPath, func(context.Context, Empty) (Empty, error) {
		reached = true
		return Empty{}, nil
	})
	now := strconv.FormatInt(time.Now().Unix(), 10)
	for _, secret := range []string{"", "loud", "hus", "hush\x00"} {
		f.Add("POST", echoPath, secret, now, "{}", "node")
	}
	f.Add("GET", "/", "x", "-9223372036854775808", "", strings.Repeat("n", 1000))
	f.Add("POST", "//v1/../v1/test/echo", "x", "99999999999999999999", "[", "\x00")
	f.Fuzz(func(t *testing.T, method, path, secret, at, body, node string) {
		target, err := url.ParseRequestURI(path)
		if err != nil || secret == "hush" {
			return
		}
		r := &http.Request{Method: method, URL: target, Header: http.Header{}, Body: http.NoBody, RemoteAddr: "127.0.0.1:1", Host: "x"}
		r.Body = http.MaxBytesReader(nil, httptest.NewRequest("POST", "/", strings.NewReader(body)).Body, 1<<20)
		r.Header.Set(versionHeader, strconv.Itoa(Version))
		r.Header.Set(timeHeader, at)
		r.Header.Set(nodeHeader, node)
		r.Header.Set(digestHeader, digest(keyOf(secret), method, target.RequestURI(), strconv.Itoa(Version), at, []byte(body)))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		var answer Error
		if err := decode(w.Body, &answer); err != nil || w.Code != http.StatusForbidden || answer.Code != sqlerr.InvalidAuthorizationSpecification {
			t.Fatalf("%d %+v %v", w.Code, answer, err)
		}
		if reached {
			t.Fatal("a stranger was let in")
		}
	})
}
