package metadata

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

func key(path string) Key { return Key{Path: path, ETag: "1"} }

func TestLoadsAreJoined(t *testing.T) { synctest.Test(t, testJoined) }

func testJoined(t *testing.T) {
	c := New(1 << 20)
	var loads atomic.Int64
	slow := func() (int, int64, error) {
		time.Sleep(time.Second) // passes when all others wait
		return int(loads.Add(1)), 100, nil
	}
	var counters objstore.Counters
	ctx := objstore.WithCounters(t.Context(), &counters)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if v, err := Load(ctx, c, key("a"), slow); v != 1 || err != nil {
				t.Error(v, err)
			}
		})
	}
	wait.Wait()
	if v, _ := Load(ctx, c, key("a"), slow); v != 1 {
		t.Errorf("a later load gives %d", v)
	}
	if s := c.Stats(); s.Misses != 1 || s.Hits != 10 || s.Entries != 1 || s.Bytes != 100+entryOverhead {
		t.Errorf("%+v", s)
	}
	if u := counters.Usage(); u.MetadataHits != 10 || u.MetadataMisses != 1 {
		t.Errorf("%+v", u)
	}
	changed := Key{Path: "a", ETag: "2"}
	if v, _ := Load(ctx, c, changed, slow); v != 2 {
		t.Errorf("another version gives %d", v)
	}
	if v, _ := Load(ctx, c, Key{Path: "a"}, slow); v != 3 {
		t.Errorf("an unknown version gives %d", v)
	}
}

// TestOthersFailures: a load that is cancelled or panics does not fail those who wait for it; an error does.
func TestOthersFailures(t *testing.T) {
	c := New(1 << 20)
	for name, end := range map[string]func() (int, int64, error){
		"cancel": func() (int, int64, error) { return 0, 0, context.Canceled },
		"panic":  func() (int, int64, error) { panic("damaged") },
	} {
		started, release := make(chan struct{}), make(chan struct{})
		go func() {
			defer func() { _ = recover() }()
			_, _ = Load(t.Context(), c, key(name), func() (int, int64, error) {
				close(started)
				<-release
				return end()
			})
		}()
		<-started
		time.AfterFunc(10*time.Millisecond, func() { close(release) })
		if v, err := Load(t.Context(), c, key(name), func() (int, int64, error) { return 7, 1, nil }); v != 7 || err != nil {
			t.Error(name, v, err)
		}
	}
	broken := errors.New("broken")
	if _, err := Load(t.Context(), c, key("e"), func() (int, int64, error) { return 0, 0, broken }); err != broken {
		t.Error(err)
	}
	if v, err := Load(t.Context(), c, key("e"), func() (int, int64, error) { return 9, 1, nil }); v != 9 || err != nil {
		t.Error("an error was kept:", v, err)
	}

	stopped, stop := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = Load(t.Context(), c, key("s"), func() (int, int64, error) {
			close(started)
			<-release
			return 9, 1, nil
		})
	}()
	<-started
	stop()
	if _, err := Load(stopped, c, key("s"), func() (int, int64, error) { return 1, 1, nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
}

func TestLoadAll(t *testing.T) {
	c := New(1 << 20)
	keys := []Key{key("a"), key("b"), key("c")}
	load := func(missing []int) (values []string, sizes []int64, err error) {
		for _, at := range missing {
			values, sizes = append(values, keys[at].Path), append(sizes, 1)
		}
		return values, sizes, nil
	}
	if _, err := Load(t.Context(), c, keys[1], func() (string, int64, error) { return "kept", 1, nil }); err != nil {
		t.Fatal(err)
	}
	got, err := LoadAll(t.Context(), c, keys, load)
	if err != nil || !slices.Equal(got, []string{"a", "kept", "c"}) {
		t.Error(got, err)
	}
	got, err = LoadAll(t.Context(), nil, keys, load)
	if err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Error(got, err)
	}
}

func TestBound(t *testing.T) {
	c := New(100_000)
	for i := range 1000 {
		_, _ = Load(t.Context(), c, key(fmt.Sprint(i)), func() (int, int64, error) { return i, 1000, nil })
	}
	if s := c.Stats(); s.Bytes > s.Limit || s.Entries < 50 || s.Evictions != 1000-s.Entries || int(s.Entries) != len(c.values) {
		t.Errorf("%+v, %d values", s, len(c.values))
	}
	if _, err := Load(t.Context(), c, key("large"), func() (int, int64, error) { return 1, 90_000, nil }); err != nil || c.Has(key("large")) {
		t.Error("an entry is kept that takes most of the cache", err)
	}
}
