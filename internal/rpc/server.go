package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/tarnlake/tarn/internal/refusal"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// Mux serves requests of other nodes that know the secret.
type Mux struct {
	secrets [][]byte
	log     *slog.Logger
	refused *refusal.Log
	mux     *http.ServeMux
	buffers page.Buffers // of compressed pages
}

// NewMux makes an empty one. An empty secret lets every node of the same version in: only for
// addresses that no other machine reaches.
func NewMux(secret string, log *slog.Logger) *Mux {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &Mux{log: log, refused: refusal.New(log), mux: http.NewServeMux()}
	m.Accept(secret)
	return m
}

// Accept lets nodes in that know one of further secrets, while a new one takes the place of an old
// one. It comes before the first request.
func (m *Mux) Accept(secrets ...string) {
	for _, secret := range secrets {
		if secret != "" {
			m.secrets = append(m.secrets, keyOf(secret))
		}
	}
}

// ServeHTTP checks and answers a request. What is wrong with it ends in an error reply, and a log line.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := precheck(r, m.secrets); err != nil {
		w.Header().Set("Connection", "close") // else the server would read the body first
		m.refuse(w, r, err)
		return
	}
	body, err := m.body(w, r)
	if err != nil {
		fail(w, http.StatusBadRequest, sqlerr.Wrap(err, sqlerr.ProtocolViolation, "could not read a request"))
		return
	}
	if err := check(r, m.secrets, body); err != nil {
		m.refuse(w, r, err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	defer func() {
		if p := recover(); p != nil {
			m.log.Error("a request failed", "from", r.RemoteAddr, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			fail(w, http.StatusInternalServerError, sqlerr.Internal("internal error: %v", p))
		}
	}()
	m.mux.ServeHTTP(w, r)
}

// readWithin is how long the body of a request may take to arrive.
const readWithin = time.Minute

func (m *Mux) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(readWithin)) == nil { // not of tests' recorders
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, largestRequest))
}

func (m *Mux) refuse(w http.ResponseWriter, r *http.Request, err error) {
	m.refused.Warn(r.RemoteAddr, "refused a request", "node", claimed(r), "path", r.URL.Path, "error", err)
	fail(w, http.StatusForbidden, err)
}

// Handle answers requests of one path by f.
func Handle[In, Out any](m *Mux, path string, f func(ctx context.Context, in In) (Out, error)) {
	m.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := decode(r.Body, &in); err != nil {
			m.refused.Warn(r.RemoteAddr, "malformed request", "node", claimed(r), "path", path, "error", err)
			fail(w, http.StatusBadRequest, err)
			return
		}
		out, err := f(r.Context(), in)
		if err != nil {
			fail(w, http.StatusInternalServerError, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // whoever asked has gone
	})
}

// HandlePages answers requests for pages by f.
func HandlePages(m *Mux, f func(ctx context.Context, in PageRequest) (Pages, error)) {
	m.mux.HandleFunc("POST "+PagesPath, func(w http.ResponseWriter, r *http.Request) {
		var in PageRequest
		if err := decode(r.Body, &in); err != nil {
			m.refused.Warn(r.RemoteAddr, "malformed request", "node", claimed(r), "path", PagesPath, "error", err)
			fail(w, http.StatusBadRequest, err)
			return
		}
		pages, err := f(r.Context(), in)
		if err != nil {
			fail(w, http.StatusInternalServerError, err)
			return
		}
		writePages(w, pages, in.Compress, &m.buffers)
	})
}

// decode reads exactly one JSON value without unknown fields.
func decode(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return sqlerr.New(sqlerr.ProtocolViolation, "malformed message of another node: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return sqlerr.New(sqlerr.ProtocolViolation, "malformed message of another node: text after its end")
	}
	return nil
}

// fail replies with an error.
func fail(w http.ResponseWriter, status int, err error) {
	body, marshalling := json.Marshal(ToError(err))
	if marshalling != nil {
		body = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
