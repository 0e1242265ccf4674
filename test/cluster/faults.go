package cluster

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/rpc"
)

// Faults is a transport on which requests and replies suffer what they may on a network: each kind
// of fault befalls one request in Every.
type Faults struct {
	Every int // 0: none

	mu     sync.Mutex
	random *rand.Rand
	inner  *http.Transport
	Count  atomic.Int64 // faults so far
}

// NewFaults makes one whose choices follow from seed.
func NewFaults(seed uint64, every int) *Faults {
	return &Faults{Every: every, random: rand.New(rand.NewPCG(seed, 77)), inner: rpc.NewTransport()}
}

func (f *Faults) choose(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(n)
}

func (f *Faults) happens() bool {
	f.mu.Lock()
	every := f.Every
	f.mu.Unlock()
	if every == 0 || f.choose(every) > 0 {
		return false
	}
	f.Count.Add(1)
	return true
}

var errFault = errors.New("connection reset by a test")

// RoundTrip sends a request, perhaps late, twice or in vain, and gives the reply, perhaps cut.
func (f *Faults) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.happens() {
		time.Sleep(time.Duration(f.choose(20)) * time.Millisecond)
	}
	if f.happens() {
		return nil, errFault // it never arrived
	}
	if f.happens() { // it arrives twice; the first reply is lost
		again := r.Clone(r.Context())
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
		if response, err := f.inner.RoundTrip(again); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}
	response, err := f.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if f.happens() { // the reply is lost
		_ = response.Body.Close()
		return nil, errFault
	}
	if f.happens() {
		response.Body = &cut{response.Body, int64(f.choose(300))}
	}
	return response, nil
}

// CloseIdleConnections ends what is kept open.
func (f *Faults) CloseIdleConnections() { f.inner.CloseIdleConnections() }

// cut is a body that breaks off.
type cut struct {
	io.ReadCloser
	left int64
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
