package objtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Run tests an empty store, which it leaves empty.
func Run(t *testing.T, store objstore.Store) {
	t.Run("ReadRanges", func(t *testing.T) { readRanges(t, store) })
	t.Run("Versions", func(t *testing.T) { versions(t, store) })
	t.Run("Missing", func(t *testing.T) { missing(t, store) })
	t.Run("Conditions", func(t *testing.T) { conditions(t, store) })
	t.Run("Race", func(t *testing.T) { race(t, store) })
	t.Run("List", func(t *testing.T) { list(t, store) })
	t.Run("OddNames", func(t *testing.T) { oddNames(t, store) })
	t.Run("Writer", func(t *testing.T) { writer(t, store) })
	t.Run("Abort", func(t *testing.T) { abort(t, store) })
	t.Run("Cancel", func(t *testing.T) { cancel(t, store) })
	t.Run("Glob", func(t *testing.T) { glob(t, store) })
	if left := keys(t, store, ""); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func put(t *testing.T, store objstore.Store, key string, data []byte) objstore.Object {
	t.Helper()
	return must[objstore.Object](t)(store.Put(t.Context(), key, data))
}

func remove(t *testing.T, store objstore.Store, keys ...string) {
	t.Helper()
	if err := store.DeleteMany(t.Context(), "", keys); err != nil {
		t.Fatal(err)
	}
}

func read(ctx context.Context, store objstore.Store, key, etag string, ranges ...objstore.Range) ([][]byte, error) {
	buffers := make([][]byte, len(ranges))
	for i, r := range ranges {
		buffers[i] = make([]byte, r.Length)
	}
	return buffers, store.ReadRanges(ctx, key, etag, ranges, buffers)
}

func keys(t *testing.T, store objstore.Store, prefix string) (out []string) {
	t.Helper()
	err := objstore.Walk(t.Context(), store, prefix, func(o objstore.Object) error {
		out = append(out, o.Path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// content is bytes that do not repeat.
func content(n int) []byte {
	source := rand.NewChaCha8([32]byte{1})
	data := make([]byte, n)
	_, _ = source.Read(data)
	return data
}

func readRanges(t *testing.T, store objstore.Store) {
	data := content(20 << 20)
	o := put(t, store, "ranges/a.bin", data)
	defer remove(t, store, "ranges/a.bin")
	random := rand.New(rand.NewPCG(1, 2))
	sets := [][]objstore.Range{
		{{Offset: 0, Length: int64(len(data))}},
		{{Offset: int64(len(data)) - 1, Length: 1}},
		{{Offset: 10, Length: 5}, {Offset: 15, Length: 5}, {Offset: 3 << 20, Length: 100}, {Offset: 2 << 20, Length: 100}},
		{{Offset: 100, Length: 50}, {Offset: 120, Length: 50}, {Offset: 100, Length: 0}}, // overlapping and empty
		{{Offset: 0, Length: 9 << 20}, {Offset: 19 << 20, Length: 1 << 20}},
	}
	for range 20 {
		var set []objstore.Range
		for range 1 + random.IntN(10) {
			offset := random.Int64N(int64(len(data)))
			set = append(set, objstore.Range{Offset: offset, Length: random.Int64N(min(1<<20, int64(len(data))-offset) + 1)})
		}
		sets = append(sets, set)
	}
	for _, set := range sets {
		buffers, err := read(t.Context(), store, "ranges/a.bin", o.ETag, set...)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range set {
			if !bytes.Equal(buffers[i], data[r.Offset:r.Offset+r.Length]) {
				t.Fatalf("range %v of %v has other bytes", r, set)
			}
		}
	}
	for _, r := range []objstore.Range{{Offset: int64(len(data)) - 5, Length: 6}, {Offset: int64(len(data)) + 5, Length: 6}} {
		if _, err := read(t.Context(), store, "ranges/a.bin", o.ETag, r); sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Errorf("range %v beyond the end: %v", r, err)
		}
	}
}

func versions(t *testing.T, store objstore.Store) {
	old := put(t, store, "v/a", []byte("old content"))
	defer remove(t, store, "v/a")
	stat := must[objstore.Object](t)(store.Stat(t.Context(), "v/a"))
	if stat.ETag != old.ETag || stat.Size != 11 || stat.Path != "v/a" || stat.Modified.IsZero() {
		t.Errorf("stat %+v after put %+v", stat, old)
	}
	page := must[objstore.Page](t)(store.ListPage(t.Context(), objstore.ListRequest{Prefix: "v/"}))
	if len(page.Objects) != 1 || page.Objects[0].ETag != old.ETag || page.Objects[0].Size != 11 {
		t.Errorf("listed %+v after put %+v", page.Objects, old)
	}
	now := put(t, store, "v/a", []byte("new content!"))
	if now.ETag == old.ETag {
		t.Error("the etag stays the same")
	}
	_, err := read(t.Context(), store, "v/a", old.ETag, objstore.Range{Length: 3})
	if !errors.Is(err, objstore.ErrPrecondition) || sqlerr.CodeOf(err) != sqlerr.ObjectNotInPrerequisiteState {
		t.Errorf("reading a replaced version: %v", err)
	}
	got := must[[][]byte](t)(read(t.Context(), store, "v/a", "", objstore.Range{Length: 3}))
	if string(got[0]) != "new" {
		t.Errorf("read %q", got[0])
	}
}

func missing(t *testing.T, store objstore.Store) {
	if _, err := store.Stat(t.Context(), "m/none"); sqlerr.CodeOf(err) != sqlerr.UndefinedFile {
		t.Errorf("stat: %v", err)
	}
	if _, err := read(t.Context(), store, "m/none", "", objstore.Range{Length: 1}); sqlerr.CodeOf(err) != sqlerr.UndefinedFile {
		t.Errorf("read: %v", err)
	}
	if err := store.DeleteMany(t.Context(), "", []string{"m/none", "m/never"}); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := store.DeleteMany(t.Context(), "", nil); err != nil {
		t.Errorf("delete nothing: %v", err)
	}
	page, err := store.ListPage(t.Context(), objstore.ListRequest{Prefix: "m/"})
	if err != nil || len(page.Objects)+len(page.Prefixes) > 0 || page.Next != "" {
		t.Errorf("list: %v %v", page, err)
	}
	for _, key := range []string{"", "x/"} {
		if _, err := store.Put(t.Context(), key, nil); err == nil {
			t.Errorf("put %q succeeded", key)
		}
	}
}

func conditions(t *testing.T, store objstore.Store) {
	first := must[objstore.Object](t)(store.PutIfAbsent(t.Context(), "c/a", []byte("1")))
	defer remove(t, store, "c/a")
	if _, err := store.PutIfAbsent(t.Context(), "c/a", []byte("2")); !errors.Is(err, objstore.ErrPrecondition) || sqlerr.CodeOf(err) != sqlerr.DuplicateFile {
		t.Errorf("second put if absent: %v", err)
	}
	second := must[objstore.Object](t)(store.PutIfMatch(t.Context(), "c/a", []byte("22"), first.ETag))
	if _, err := store.PutIfMatch(t.Context(), "c/a", []byte("333"), first.ETag); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("put if the old version: %v", err)
	}
	if _, err := store.PutIfMatch(t.Context(), "c/none", []byte("4"), first.ETag); !errors.Is(err, objstore.ErrPrecondition) {
		t.Errorf("put if a missing object matches: %v", err)
	}
	got := must[[][]byte](t)(read(t.Context(), store, "c/a", second.ETag, objstore.Range{Length: 2}))
	if string(got[0]) != "22" {
		t.Errorf("read %q", got[0])
	}
}

func race(t *testing.T, store objstore.Store) {
	defer remove(t, store, "r/once")
	var wait sync.WaitGroup
	var mu sync.Mutex
	winners := 0
	for i := range 16 {
		wait.Go(func() {
			_, err := store.PutIfAbsent(t.Context(), "r/once", fmt.Appendf(nil, "writer %d", i))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				winners++
			case !errors.Is(err, objstore.ErrPrecondition):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if winners != 1 {
		t.Errorf("%d writers won", winners)
	}
}

func list(t *testing.T, store objstore.Store) {
	var all []string
	for _, day := range []string{"2020-01-01", "2020-01-02", "2020-01-03"} {
		for n := range 7 {
			all = append(all, fmt.Sprintf("l/ds=%s/part-%d", day, n))
		}
	}
	all = append(all, "l/plain", "l/zz/deep/er/x", "l-other")
	for _, key := range all {
		put(t, store, key, []byte("x"))
	}
	defer remove(t, store, all...)
	below := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return !strings.HasPrefix(k, "l/") })
	slices.Sort(below)
	for _, limit := range []int{0, 1, 2, 3, 100} {
		var got []string
		request := objstore.ListRequest{Prefix: "l/", Limit: limit}
		for pages := 0; pages < 100; pages++ {
			page := must[objstore.Page](t)(store.ListPage(t.Context(), request))
			for _, o := range page.Objects {
				got = append(got, o.Path)
			}
			if request.StartAfter = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, below) {
			t.Errorf("limit %d: listed %q", limit, got)
		}
		got = nil
		request = objstore.ListRequest{Prefix: "l/", Delimiter: "/", Limit: limit}
		for pages := 0; pages < 100; pages++ {
			page := must[objstore.Page](t)(store.ListPage(t.Context(), request))
			for _, o := range page.Objects {
				got = append(got, o.Path)
			}
			got = append(got, page.Prefixes...)
			if request.StartAfter = page.Next; page.Next == "" {
				break
			}
		}
		slices.Sort(got)
		want := []string{"l/ds=2020-01-01/", "l/ds=2020-01-02/", "l/ds=2020-01-03/", "l/plain", "l/zz/"}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: listed prefixes %q", limit, got)
		}
	}
	after := must[objstore.Page](t)(store.ListPage(t.Context(), objstore.ListRequest{Prefix: "l/ds=", StartAfter: "l/ds=2020-01-02/part-5"}))
	if len(after.Objects) != 8 || after.Objects[0].Path != "l/ds=2020-01-02/part-6" {
		t.Errorf("start after: %v", after)
	}
	part := must[objstore.Page](t)(store.ListPage(t.Context(), objstore.ListRequest{Prefix: "l/ds=2020-01-0", Delimiter: "/", StartAfter: "l/ds=2020-01-02/"}))
	if len(part.Objects) != 0 || !slices.Equal(part.Prefixes, []string{"l/ds=2020-01-03/"}) {
		t.Errorf("start after a prefix: %v", part)
	}
}

func oddNames(t *testing.T, store objstore.Store) {
	odd := []string{"o/with space", "o/plus+plus", "o/pct%20pct", "o/ünï/çødé", "o/a&b=c?d#e", "o/quote'\"", "o/ds=2020-01-01 00%3A00%3A00/x", "o/tab\tx", "o/日本"}
	for _, key := range odd {
		put(t, store, key, []byte(key))
	}
	defer remove(t, store, odd...)
	want := slices.Sorted(slices.Values(odd))
	if got := keys(t, store, "o/"); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	for _, key := range odd {
		got, err := read(t.Context(), store, key, "", objstore.Range{Length: int64(len(key))})
		if err != nil || string(got[0]) != key {
			t.Errorf("read %q: %q %v", key, got, err)
		}
	}
}

func writer(t *testing.T, store objstore.Store) {
	for _, size := range []int{0, 1, 100_000, 8 << 20, 8<<20 + 1, 20 << 20} {
		data := content(size)
		w := must[objstore.Writer](t)(store.Create(t.Context(), "w/out.bin"))
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 777_777)
			if m, err := w.Write(rest[:n]); err != nil || m != n {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if got := keys(t, store, "w/"); len(got) > 0 {
			t.Errorf("visible before commit: %q", got)
		}
		o := must[objstore.Object](t)(w.Commit(t.Context()))
		stat := must[objstore.Object](t)(store.Stat(t.Context(), "w/out.bin"))
		if o.Size != int64(size) || stat.Size != o.Size || stat.ETag != o.ETag || o.Path != "w/out.bin" {
			t.Errorf("%d bytes: committed %+v, found %+v", size, o, stat)
		}
		if size > 0 {
			got := must[[][]byte](t)(read(t.Context(), store, "w/out.bin", o.ETag, objstore.Range{Length: int64(size)}))
			if !bytes.Equal(got[0], data) {
				t.Errorf("%d bytes come back changed", size)
			}
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
		remove(t, store, "w/out.bin")
	}
}

func abort(t *testing.T, store objstore.Store) {
	for _, size := range []int{0, 10, 9 << 20, 30 << 20} {
		w := must[objstore.Writer](t)(store.Create(t.Context(), "a/out.bin"))
		if _, err := w.Write(content(size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
	}
	old := put(t, store, "a/out.bin", []byte("old"))
	defer remove(t, store, "a/out.bin")
	w := must[objstore.Writer](t)(store.Create(t.Context(), "a/out.bin"))
	_, _ = w.Write(content(9 << 20))
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if stat := must[objstore.Object](t)(store.Stat(t.Context(), "a/out.bin")); stat.ETag != old.ETag {
		t.Error("an aborted write replaced the object")
	}
}

func cancel(t *testing.T, store objstore.Store) {
	put(t, store, "x/a", []byte("abc"))
	defer remove(t, store, "x/a")
	ctx, stop := context.WithCancel(t.Context())
	w := must[objstore.Writer](t)(store.Create(ctx, "x/b"))
	_, _ = w.Write(content(9 << 20))
	stop()
	if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, err := store.Stat(ctx, "x/a"); !errors.Is(err, context.Canceled) {
		t.Errorf("stat: %v", err)
	}
	if _, err := read(ctx, store, "x/a", "", objstore.Range{Length: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if got := keys(t, store, "x/"); !slices.Equal(got, []string{"x/a"}) {
		t.Errorf("left: %q", got)
	}
}

func glob(t *testing.T, store objstore.Store) {
	all := []string{"g/a.csv", "g/b.csv", "g/b.parquet", "g/sub/c.csv", "g/sub/deep/d.csv", "g/ds=1/e.csv", "g/ds=2/f.csv"}
	for _, key := range all {
		put(t, store, key, []byte("x"))
	}
	defer remove(t, store, all...)
	for pattern, want := range map[string]string{
		"g/*.csv": "g/a.csv g/b.csv", "g/?.csv": "g/a.csv g/b.csv", "g/b.{csv,parquet}": "g/b.csv g/b.parquet", "g/ds=*/*.csv": "g/ds=1/e.csv g/ds=2/f.csv",
		"g/**/*.csv": "g/a.csv g/b.csv g/ds=1/e.csv g/ds=2/f.csv g/sub/c.csv g/sub/deep/d.csv", "g/a.csv": "g/a.csv", "g/none": "", "g/x*": "",
	} {
		var got []string
		for _, o := range must[[]objstore.Object](t)(objstore.Glob(t.Context(), store, pattern)) {
			got = append(got, o.Path)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}
