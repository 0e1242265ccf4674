package s3test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// Fault is what happens to one request.
type Fault int

// The faults. The zero value lets the request through.
const (
	Pass       Fault = iota
	Delay            // the answer comes late by Proxy.DelayBy
	Reset            // the connection is reset before the server sees the request
	LoseAnswer       // the server does what it is asked, then the connection is reset
	CutBody          // the answer ends in the middle of its body
	StallBody        // the answer stops in the middle of its body for Proxy.DelayBy
	SlowDown         // 503 SlowDown
	Broken           // 500 InternalError
)

// Proxy stands in front of a server and makes trouble.
type Proxy struct {
	URL     string
	DelayBy time.Duration
	// Decide chooses the fault of a request; it is called by many goroutines.
	Decide func(*http.Request) Fault

	target   *url.URL
	client   *http.Transport
	requests atomic.Int64
	faults   atomic.Int64
}

// StartProxy starts a proxy for a test.
func StartProxy(t testing.TB, server *Server, decide func(*http.Request) Fault) *Proxy {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Decide: decide, DelayBy: time.Second, target: target, client: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	listener := httptest.NewServer(p)
	p.URL = listener.URL
	t.Cleanup(func() {
		listener.CloseClientConnections()
		listener.Close()
		p.client.CloseIdleConnections()
	})
	return p
}

// Requests gives how many requests came, and how many of them had a fault.
func (p *Proxy) Requests() (all, faulty int64) { return p.requests.Load(), p.faults.Load() }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	fault := p.Decide(r)
	if fault != Pass {
		p.faults.Add(1)
	}
	switch fault {
	case Delay:
		select {
		case <-time.After(p.DelayBy):
		case <-r.Context().Done():
			return
		}
	case Reset:
		reset(w)
		return
	case SlowDown:
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		return
	case Broken:
		refuse(w, r, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		return
	}
	answer, err := p.forward(r)
	if err != nil {
		reset(w)
		return
	}
	defer answer.Body.Close()
	if fault == LoseAnswer {
		_, _ = io.Copy(io.Discard, answer.Body)
		reset(w)
		return
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	p.body(w, r, answer, fault)
}

func (p *Proxy) forward(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = p.target.Scheme, p.target.Host, ""
	out.Host = r.Host // it is signed
	if r.ContentLength == 0 {
		out.Body = nil
	}
	return p.client.RoundTrip(out)
}

func (p *Proxy) body(w http.ResponseWriter, r *http.Request, answer *http.Response, fault Fault) {
	if length, _ := strconv.ParseInt(answer.Header.Get("Content-Length"), 10, 64); length > 1 && (fault == CutBody || fault == StallBody) {
		_, _ = io.CopyN(w, answer.Body, length/2)
		_ = http.NewResponseController(w).Flush()
		if fault == CutBody {
			reset(w)
			return
		}
		select {
		case <-time.After(p.DelayBy):
		case <-r.Context().Done():
			return
		}
	}
	_, _ = io.Copy(w, answer.Body)
}

// reset ends the connection as a crashed peer does.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>`+message+`</Message></Error>`)
}
