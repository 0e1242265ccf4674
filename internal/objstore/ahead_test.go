package objstore

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// slowStore answers late and counts what is under way.
type slowStore struct {
	Store
	active, most atomic.Int64
	fail         int64 // reads at or behind this offset fail
}

var errSlow = errors.New("no more")

func (s *slowStore) ReadRanges(ctx context.Context, path, etag string, ranges []Range, buffers [][]byte) error {
	if now := s.active.Add(1); now > s.most.Load() {
		s.most.Store(now)
	}
	defer s.active.Add(-1)
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fail > 0 && ranges[0].Offset >= s.fail {
		return errSlow
	}
	return s.Store.ReadRanges(ctx, path, etag, ranges, buffers)
}

func TestAhead(t *testing.T) {
	local := openTemp(t, Options{})
	data := make([]byte, 100_003)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	o, err := local.Put(t.Context(), "a", data)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for _, span := range [][2]int64{{0, 100_003}, {17, 50_000}, {99_000, 100_003}, {5, 5}} {
		slow := &slowStore{Store: local}
		a := NewAhead(slow, o, span[0], span[1], 4096, 2)
		var got []byte
		for {
			p := make([]byte, 1+random.IntN(10_000))
			n, err := a.Read(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p[:n]...)
			if n < len(p) {
				break
			}
		}
		if !bytes.Equal(got, data[span[0]:span[1]]) {
			t.Errorf("span %v: other bytes", span)
		}
		if slow.most.Load() > 3 {
			t.Errorf("%d reads at once", slow.most.Load())
		}
		a.Close()
	}
	slow := &slowStore{Store: local, fail: 8192}
	a := NewAhead(slow, o, 0, o.Size, 4096, 2)
	p := make([]byte, 20_000)
	for range 2 {
		if n, err := a.Read(t.Context(), p); !errors.Is(err, errSlow) || n > 8192 {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	a.Close()
	ctx, cancel := context.WithCancel(t.Context())
	a = NewAhead(&slowStore{Store: local}, o, 0, o.Size, 4096, 2)
	if _, err := a.Read(ctx, p[:10]); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := a.Read(ctx, p); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	a.Close()
}
