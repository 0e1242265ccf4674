package cluster

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/rpc"
)

// Faults is a transport on which requests and replies suffer what they may on a network: each kind
// of fault befalls one request in Every.
type Faults struct {
	inner  *http.Transport
	late   sync.WaitGroup // requests that arrive again, later
	ending context.Context
	end    context.CancelFunc

	mu     sync.Mutex
	every  int // 0: none
	random *rand.Rand
	struck map[string]int // faults by path
}

// kind is what befalls a request.
type kind int

const (
	slow      kind = iota // it is held up, so that others overtake it
	lost                  // it never arrives
	twice                 // it arrives twice; the first reply is lost
	straggler             // it arrives again when the sender has gone on
	unheard               // the reply is lost
	slowReply             // the reply is held up
	cutReply              // the reply breaks off
	kinds
)

// NewFaults makes one whose choices follow from seed.
func NewFaults(seed uint64, every int) *Faults {
	f := &Faults{every: every, random: rand.New(rand.NewPCG(seed, 77)), inner: rpc.NewTransport(), struck: map[string]int{}}
	f.ending, f.end = context.WithCancel(context.Background())
	return f
}

// Every changes how often faults befall requests; 0: never.
func (f *Faults) Every(every int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.every = every
}

// Struck tells how many faults befell requests of each path so far.
func (f *Faults) Struck() (total int, paths map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	paths = map[string]int{}
	for path, n := range f.struck {
		paths[path] = n
		total += n
	}
	return total, paths
}

// fate chooses what befalls a request, and a number below 300 for how badly.
func (f *Faults) fate(path string) (befalls [kinds]bool, severity int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k := range befalls {
		if f.every > 0 && f.random.IntN(f.every) == 0 {
			befalls[k] = true
			f.struck[path]++
		}
	}
	return befalls, f.random.IntN(300)
}

var errFault = errors.New("connection reset by a test")

// RoundTrip sends a request, perhaps late, twice or in vain, and gives the reply, perhaps cut.
func (f *Faults) RoundTrip(r *http.Request) (*http.Response, error) {
	befalls, severity := f.fate(r.URL.Path)
	if befalls[slow] {
		pause(r.Context(), time.Duration(severity/10)*time.Millisecond)
	}
	if befalls[lost] {
		return nil, errFault
	}
	if befalls[twice] {
		if err := f.again(r.Context(), r); err != nil {
			return nil, err
		}
	}
	if befalls[straggler] {
		f.late.Go(func() {
			pause(f.ending, time.Duration(severity)*time.Millisecond)
			ctx, cancel := context.WithTimeout(f.ending, 5*time.Second)
			defer cancel()
			_ = f.again(ctx, r)
		})
	}
	response, err := f.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if befalls[slowReply] {
		pause(r.Context(), time.Duration(severity/10)*time.Millisecond)
	}
	if befalls[unheard] {
		_ = response.Body.Close()
		return nil, errFault
	}
	if befalls[cutReply] {
		response.Body = &cut{response.Body, int64(severity)}
	}
	return response, nil
}

// again sends a copy of a request; nobody hears the reply.
func (f *Faults) again(ctx context.Context, r *http.Request) error {
	body, err := r.GetBody()
	if err != nil {
		return err
	}
	again := r.Clone(ctx)
	again.Body = body
	if response, err := f.inner.RoundTrip(again); err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// CloseIdleConnections ends what is kept open and under way.
func (f *Faults) CloseIdleConnections() {
	f.end()
	f.late.Wait()
	f.inner.CloseIdleConnections()
}

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
