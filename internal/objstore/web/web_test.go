package web

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func content(n int) []byte {
	out := make([]byte, n)
	rand.New(rand.NewSource(1)).Read(out)
	return out
}

// open gives the store of a server for tests and the key of a path there.
func open(t *testing.T, server *httptest.Server, path string, options Options) (objstore.Store, string) {
	t.Helper()
	options.AllowPrivate = true
	store, key, err := NewServers(options).Locate(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	return store, key
}

func serve(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

// check stats and reads all of it in pieces.
func check(store objstore.Store, key string, want []byte) error {
	ctx := context.Background()
	object, err := store.Stat(ctx, key)
	if err != nil {
		return err
	}
	if object.Size != int64(len(want)) {
		return fmt.Errorf("size %d, want %d", object.Size, len(want))
	}
	var ranges []objstore.Range
	var buffers [][]byte
	for at := 0; at < len(want); at += 7000 {
		n := min(7000, len(want)-at)
		ranges, buffers = append(ranges, objstore.Range{Offset: int64(at), Length: int64(n)}), append(buffers, make([]byte, n))
	}
	if err := store.ReadRanges(ctx, key, object.ETag, ranges, buffers); err != nil {
		return err
	}
	if got := bytes.Join(buffers, nil); !bytes.Equal(got, want) {
		return fmt.Errorf("other bytes were read")
	}
	return nil
}

func TestRangesAndWholeFiles(t *testing.T) {
	data := content(100_000)
	changed := time.Unix(1e9, 0)
	for name, handle := range map[string]http.HandlerFunc{
		"ranges": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			http.ServeContent(w, r, "", changed, bytes.NewReader(data))
		},
		"no ETag": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", changed, bytes.NewReader(data))
		},
		"no HEAD": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			http.ServeContent(w, r, "", changed, bytes.NewReader(data))
		},
		"no ranges":         func(w http.ResponseWriter, r *http.Request) { w.Write(data) },
		"no ranges, chunks": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.Write(data) },
		"ranges promised only": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Accept-Ranges", "bytes")
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data)
		},
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/other") {
				http.Redirect(w, r, "/other/x", http.StatusFound)
				return
			}
			http.ServeContent(w, r, "", changed, bytes.NewReader(data))
		},
		"overloaded at times": func() http.HandlerFunc {
			var asked sync.Map // whoever asks again gets an answer, in whatever order requests come
			return func(w http.ResponseWriter, r *http.Request) {
				if _, again := asked.LoadOrStore(r.Header.Get("Range"), true); r.Method == http.MethodGet && !again {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				http.ServeContent(w, r, "", changed, bytes.NewReader(data))
			}
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, handle)
			store, key := open(t, server, "/dir/f.csv?sig=a%2Fb", Options{})
			if key != "dir/f.csv?sig=a%2Fb" {
				t.Fatal(key)
			}
			if err := check(store, key, data); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestEmptyFile(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(nil))
	})
	store, key := open(t, server, "/f", Options{})
	if err := check(store, key, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAnswersThatBreakOffAreContinued(t *testing.T) {
	data := content(50_000)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
			return
		}
		var from, to int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(data)))
		w.Header().Set("Last-Modified", time.Unix(1e9, 0).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Length", fmt.Sprint(to+1-from))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[from:min(to+1, from+3000)]) // less than was promised
	})
	store, key := open(t, server, "/f", Options{})
	if err := check(store, key, data); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfServers(t *testing.T) {
	version := atomic.Int64{}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/secret":
			w.WriteHeader(http.StatusForbidden)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/large":
			w.Write(content(5000))
		case "/moving":
			w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, version.Add(1)))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content(9000)))
		case "/silent":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	})
	for path, want := range map[string]string{
		"/none":   "58P01 could not open file \"" + server.URL + "/none\": No such file or directory",
		"/secret": "42501 could not open file \"" + server.URL + "/secret\": the server answered 403 Forbidden",
		"/broken": "58030 could not read file \"" + server.URL + "/broken\": the server answered 500 Internal Server Error",
		"/loop":   "58030 could not read file \"" + server.URL + "/loop\": more than 5 redirections",
		"/large":  "54000 file \"" + server.URL + "/large\" is larger than",
		"/moving": "55000 file \"" + server.URL + "/moving\" has changed",
		"/silent": "58030 could not read file \"" + server.URL + "/silent\": ",
	} {
		options := Options{MaxDownload: 4000}
		if path == "/silent" {
			options.Timeout = 200 * time.Millisecond
		}
		store, key := open(t, server, path, options)
		err := check(store, key, content(9000))
		if got := string(sqlerr.CodeOf(err)) + " " + fmt.Sprint(err); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestWhoMayBeAsked(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
	})
	ctx := t.Context()
	for _, c := range []struct {
		options Options
		url     string
		message string
	}{
		{Options{Disabled: true}, "https://example.org/f", "files of web servers may not be read"},
		{Options{AllowedHosts: []string{"a.org", "*.b.org"}}, "https://b.org/f", `files of web server "b.org" may not be read`},
		{Options{}, "https://me:secret@example.org/f", `URL of web server "example.org" holds a user name or password`},
		{Options{}, "https:///f", `"https:///f" is not a URL of a file`},
		{Options{}, server.URL + "/f", "is not allowed"},
		{Options{AllowPrivate: true}, server.URL + "/f", "address 169.254.169.254:80 is not allowed"},
		{Options{AllowPrivate: true}, "http://[fe80::1]/f", "address [fe80::1]:80 is not allowed"},
		{Options{AllowPrivate: true, AllowedHosts: []string{"127.0.0.1"}}, server.URL + "/f", `files of web server "169.254.169.254" may not be read`},
	} {
		store, key, err := NewServers(c.options).Locate(c.url)
		if err == nil {
			_, err = store.Stat(ctx, key)
		}
		if err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: %v", c.url, err)
		}
	}
	options := Options{AllowedHosts: []string{"a.org", "*.b.org"}}
	for host, want := range map[string]bool{"a.org": true, "A.org.": true, "x.b.org": true, "xb.org": false, "a.org.evil": false} {
		if options.allowsHost(host) != want {
			t.Errorf("host %s", host)
		}
	}
	public, private, all := Options{}, Options{AllowPrivate: true}, Options{AllowPrivate: true, AllowLinkLocal: true}
	for text, level := range map[string]int{"93.184.216.34": 0, "2606:2800:220:1::1": 0, "127.0.0.1": 1, "10.1.2.3": 1, "192.168.0.1": 1, "172.16.5.4": 1, "100.64.0.1": 1, "::1": 1,
		"fd12::1": 1, "::ffff:127.0.0.1": 1, "64:ff9b::7f00:1": 1, "2002:7f00:1::": 1, "0.1.2.3": 1, "169.254.169.254": 2, "fe80::1": 2, "::ffff:169.254.169.254": 2,
		"fd00:ec2::254": 2, "100.100.100.200": 2, "0.0.0.0": 3, "::": 3, "224.0.0.1": 3, "ff02::1": 3} {
		address := netip.MustParseAddr(text)
		for i, o := range []*Options{&public, &private, &all} {
			if allowed, hint := o.allowsAddress(address); allowed != (i >= level) || (hint == "") != (allowed || level == 3) {
				t.Errorf("%s at level %d", text, i)
			}
		}
	}
}

func TestNothingIsListedOrWritten(t *testing.T) {
	store, key := open(t, serve(t, http.NotFound), "/f", Options{})
	_, listed := store.ListPage(t.Context(), objstore.ListRequest{})
	_, put := store.Put(t.Context(), key, nil)
	_, created := store.Create(t.Context(), key)
	for _, err := range []error{listed, put, created, store.DeleteMany(t.Context(), "", []string{key})} {
		if sqlerr.CodeOf(err) != sqlerr.FeatureNotSupported {
			t.Error(err)
		}
	}
}
