package s3

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/objtest"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/test/s3test"
)

// TestStoreUnderFaults runs the conformance test with one request in six in trouble.
func TestStoreUnderFaults(t *testing.T) {
	server := s3test.Start(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(7, 7))
	faults := []s3test.Fault{s3test.Delay, s3test.Reset, s3test.LoseAnswer, s3test.CutBody, s3test.SlowDown, s3test.Broken}
	proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(6) > 0 {
			return s3test.Pass
		}
		return faults[random.IntN(len(faults))]
	})
	proxy.DelayBy = 100 * time.Millisecond
	o := options(proxy.URL)
	o.MaxAttempts = 20
	store := New(s3test.Bucket, o)
	store.budget.tokens = 1 << 30
	objtest.Run(t, store)
	all, faulty := proxy.Requests()
	usage := store.Usage()
	t.Logf("%d requests, %d faulty: %s", all, faulty, usage)
	if difference := usage.Total() - all; faulty == 0 || max(difference, -difference) > usage.Hedged { // hedged ones may end before they arrive
		t.Errorf("%d requests were counted, %d arrived", usage.Total(), all)
	}
	if store.limiter.active != 0 {
		t.Errorf("%d slots were not given back", store.limiter.active)
	}
	if left := s3test.Visible(server.Objects(t, s3test.Bucket)); len(left) > 0 {
		t.Errorf("left on the server: %q", left)
	}
}

// once gives a fault to the first request that matches, by method and part of the query.
func once(method, query string, fault s3test.Fault) func(*http.Request) s3test.Fault {
	var done atomic.Bool
	return func(r *http.Request) s3test.Fault {
		if r.Method == method && strings.Contains(r.URL.RawQuery, query) && done.CompareAndSwap(false, true) {
			return fault
		}
		return s3test.Pass
	}
}

func TestLostAnswersOfWrites(t *testing.T) {
	server := s3test.Start(t)
	ctx := t.Context()
	store := New(s3test.Bucket, options(s3test.StartProxy(t, server, once(http.MethodPut, "", s3test.LoseAnswer)).URL))
	o, err := store.PutIfAbsent(ctx, "a", []byte("mine"))
	if err != nil {
		t.Fatal("a put whose answer was lost must recognise its own object: ", err)
	}
	if stat, err := store.Stat(ctx, "a"); err != nil || stat.ETag != o.ETag {
		t.Fatal(stat, err)
	}
	if _, err := store.PutIfAbsent(ctx, "a", []byte("mine")); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("a second put of the same content: %v", err)
	}
	store = New(s3test.Bucket, options(s3test.StartProxy(t, server, once(http.MethodPut, "", s3test.LoseAnswer)).URL))
	if _, err := store.PutIfMatch(ctx, "a", []byte("next"), o.ETag); err != nil {
		t.Errorf("put if match: %v", err)
	}
	store = New(s3test.Bucket, options(s3test.StartProxy(t, server, once(http.MethodPost, "uploadId", s3test.LoseAnswer)).URL))
	w, err := store.Create(ctx, "big")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("0123456789"), 1<<20)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	done, err := w.Commit(ctx)
	if err != nil {
		t.Fatal("an upload whose end was lost: ", err)
	}
	got := make([]byte, len(data))
	if err := store.ReadRanges(ctx, "big", done.ETag, []objstore.Range{{Length: int64(len(data))}}, [][]byte{got}); err != nil || !bytes.Equal(got, data) {
		t.Error(err)
	}
}

// TestLostAnswersAndLostQuestions: after the answer of a conditional write, that of the question who
// wrote the object is lost too.
func TestLostAnswersAndLostQuestions(t *testing.T) {
	server := s3test.Start(t)
	for _, fault := range []s3test.Fault{s3test.Reset, s3test.LoseAnswer, s3test.SlowDown, s3test.Broken} {
		var puts, heads atomic.Int64
		store := New(s3test.Bucket, options(s3test.StartProxy(t, server, func(r *http.Request) s3test.Fault {
			switch {
			case r.Method == http.MethodPut && puts.Add(1)%2 == 1:
				return s3test.LoseAnswer
			case r.Method == http.MethodHead && heads.Add(1)%3 != 0:
				return fault
			}
			return s3test.Pass
		}).URL))
		key := fmt.Sprintf("fault-%d", fault)
		o, err := store.PutIfAbsent(t.Context(), key, []byte("mine"))
		if err != nil {
			t.Errorf("fault %d: put if absent: %v", fault, err)
			continue
		}
		if _, err := store.PutIfMatch(t.Context(), key, []byte("next"), o.ETag); err != nil {
			t.Errorf("fault %d: put if match: %v", fault, err)
		}
		if _, err := store.PutIfMatch(t.Context(), key, []byte("late"), o.ETag); !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("fault %d: a put of a version that is gone: %v", fault, err)
		}
	}
}

// TestCutRefusals: the answer that refuses a write breaks off, so that it is not known what it says.
func TestCutRefusals(t *testing.T) {
	server := s3test.Start(t)
	for _, fault := range []s3test.Fault{s3test.CutBody, s3test.LoseAnswer} {
		store := New(s3test.Bucket, options(s3test.StartProxy(t, server, once(http.MethodPut, "", fault)).URL))
		if _, err := store.PutIfMatch(t.Context(), "none", []byte("x"), "0123"); !errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("fault %d: put if a missing object matches: %v", fault, err)
		}
	}
}

func TestReadGoesOnAfterACut(t *testing.T) {
	server := s3test.Start(t)
	direct := New(s3test.Bucket, options(server.URL))
	data := bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz"), 200_000)
	o, err := direct.Put(t.Context(), "a", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []s3test.Fault{s3test.CutBody, s3test.StallBody} {
		var cuts atomic.Int64
		proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
			if cuts.Add(1) <= 8 {
				return fault
			}
			return s3test.Pass
		})
		proxy.DelayBy = time.Minute
		settings := options(proxy.URL)
		settings.IdleTimeout, settings.MaxAttempts = 200*time.Millisecond, 2
		store := New(s3test.Bucket, settings)
		got := make([]byte, len(data))
		if err := store.ReadRanges(t.Context(), "a", o.ETag, []objstore.Range{{Length: int64(len(data))}}, [][]byte{got}); err != nil || !bytes.Equal(got, data) {
			t.Errorf("fault %d: %v", fault, err)
		}
		if read := store.Usage().BytesRead; read > int64(len(data))*11/10 {
			t.Errorf("fault %d: %d bytes were read for %d", fault, read, len(data))
		}
	}
}

func TestReplacedWhileRead(t *testing.T) {
	server := s3test.Start(t)
	direct := New(s3test.Bucket, options(server.URL))
	if _, err := direct.Put(t.Context(), "a", bytes.Repeat([]byte("old"), 1<<20)); err != nil {
		t.Fatal(err)
	}
	var first atomic.Bool
	proxy := s3test.StartProxy(t, server, func(r *http.Request) s3test.Fault {
		if first.CompareAndSwap(false, true) {
			return s3test.CutBody
		}
		if _, err := direct.Put(r.Context(), "a", bytes.Repeat([]byte("new"), 1<<20)); err != nil {
			t.Error(err)
		}
		return s3test.Pass
	})
	store := New(s3test.Bucket, options(proxy.URL))
	err := store.ReadRanges(t.Context(), "a", "", []objstore.Range{{Length: 3 << 20}}, [][]byte{make([]byte, 3<<20)})
	if !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("a file replaced between two requests of one read: %v", err)
	}
}

func TestThrottling(t *testing.T) {
	server := s3test.Start(t)
	direct := New(s3test.Bucket, options(server.URL))
	if _, err := direct.Put(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	var slow atomic.Bool
	slow.Store(true)
	proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
		if slow.Load() {
			return s3test.SlowDown
		}
		return s3test.Pass
	})
	settings := options(proxy.URL)
	settings.MaxConnections = 32
	store := New(s3test.Bucket, settings)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			if err := store.ReadRanges(t.Context(), "a", "", []objstore.Range{{Length: 1}}, [][]byte{make([]byte, 1)}); err != nil {
				t.Error(err)
			}
		})
	}
	for end := time.Now().Add(20 * time.Second); store.limiter.present() > 8; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%d requests at once after %s of SlowDown", store.limiter.present(), 20*time.Second)
			break
		}
	}
	slow.Store(false)
	wait.Wait()
	for range 600 {
		if _, err := store.Stat(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	if limit := store.limiter.present(); limit < 30 {
		t.Errorf("only %d requests at once after recovery", limit)
	}
	if store.Usage().Throttled == 0 {
		t.Error("throttling was not counted")
	}
	slow.Store(true)
	settings.MaxAttempts = 3
	_, err := New(s3test.Bucket, settings).Stat(t.Context(), "a")
	if sqlerr.CodeOf(err) != sqlerr.InsufficientResources {
		t.Errorf("a server that keeps refusing: %v", err)
	}
}

func TestHedgedRead(t *testing.T) {
	server := s3test.Start(t)
	var late atomic.Bool
	proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
		if late.CompareAndSwap(true, false) {
			return s3test.Delay
		}
		return s3test.Pass
	})
	proxy.DelayBy = 15 * time.Second
	store := New(s3test.Bucket, options(proxy.URL))
	o, err := store.Put(t.Context(), "a", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	read := func() time.Duration {
		started := time.Now()
		if err := store.ReadRanges(t.Context(), "a", o.ETag, []objstore.Range{{Length: 1}}, [][]byte{make([]byte, 1)}); err != nil {
			t.Fatal(err)
		}
		return time.Since(started)
	}
	for range 64 {
		read()
	}
	late.Store(true)
	if took := read(); took > 8*time.Second {
		t.Errorf("a straggler took %s", took)
	}
	if store.Usage().Hedged == 0 {
		t.Error("hedging was not counted")
	}
	if store.limiter.active != 0 {
		t.Errorf("%d slots were not given back", store.limiter.active)
	}
}

func TestBudgetEndsRetries(t *testing.T) {
	b := newBudget()
	taken := 0
	for b.take(retryCost) {
		taken++
	}
	if taken != budgetCapacity/retryCost {
		t.Errorf("%d retries without a success", taken)
	}
	for range retryCost {
		b.succeeded()
	}
	if !b.take(retryCost) || b.take(retryCost) {
		t.Error("successes pay for retries one to one")
	}
}

func TestAbortedUploadsOfCrashedWriters(t *testing.T) {
	server := s3test.Start(t)
	store := New(s3test.Bucket, options(server.URL))
	w, err := store.Create(t.Context(), "t/part-x-1.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 20<<20)); err != nil {
		t.Fatal(err)
	}
	w.(*writer).sending.Wait() // and then the process dies
	if removed, err := store.RemoveTemporary(t.Context(), "t/", time.Hour); err != nil || removed != 0 {
		t.Errorf("%d young uploads removed: %v", removed, err)
	}
	if removed, err := store.RemoveTemporary(t.Context(), "other/", 0); err != nil || removed != 0 {
		t.Errorf("%d uploads elsewhere removed: %v", removed, err)
	}
	if removed, err := store.RemoveTemporary(t.Context(), "t/", 0); err != nil || removed != 1 {
		t.Errorf("%d uploads removed: %v", removed, err)
	}
	if left := server.Objects(t, s3test.Bucket); len(left) > 0 {
		t.Errorf("left on the server: %q", left)
	}
}
