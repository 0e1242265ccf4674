package parquet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// oneObject is a store that holds one object in memory.
type oneObject struct {
	objstore.Store
	data []byte
}

func (o oneObject) object() objstore.Object {
	return objstore.Object{Path: "fuzzed.parquet", Size: int64(len(o.data))}
}

func (o oneObject) ReadRanges(_ context.Context, _, _ string, ranges []objstore.Range, buffers [][]byte) error {
	for i, r := range ranges {
		if r.Offset < 0 || r.Offset+r.Length > int64(len(o.data)) {
			return errors.New("read outside the file")
		}
		copy(buffers[i][:r.Length], o.data[r.Offset:])
	}
	return nil
}

// readEverything opens and reads data, touching every value. What comes back is nil or the error.
func readEverything(data []byte, pool *memory.Pool) (*File, error) {
	store := oneObject{data: data}
	f, err := OpenObject(context.Background(), store, store.object(), nil)
	if err != nil {
		return nil, err
	}
	for field := range f.Schema() {
		f.Stats(field)
		f.FieldID(field)
		columns := []ColumnRequest{{Field: field, Type: f.Schema()[field].Type}}
		if columns[0].Type.Kind == types.Unknown {
			continue
		}
		if err := touch(f, ReadOptions{Columns: columns, Pool: pool}); err != nil {
			return f, err
		}
	}
	columns := readable(f)
	if err := touch(f, ReadOptions{Columns: columns, Pool: pool, Filter: everyThird{}}); err != nil {
		return f, err
	}
	if err := touchIndexes(f); err != nil {
		return f, err
	}
	value := types.Datum{I64: 7, F64: 7, Str: "7", I128: types.Int128FromInt64(7)}
	return f, touch(f, ReadOptions{Columns: columns, Pool: pool, Domains: func() (domains []Domain) {
		for c := range columns {
			domains = append(domains, Domain{Column: c, Minimum: &value, Nulls: c%2 == 0})
		}
		return domains
	}})
}

// touchIndexes decodes the page indexes, which small files are not worth reading.
func touchIndexes(f *File) error {
	value := types.Datum{I64: 7, F64: 7, Str: "7", I128: types.Int128FromInt64(7)}
	for field, n := range f.fields {
		if !n.flat() || n.leaf.unsupported != "" {
			continue
		}
		r, err := f.Reader(ReadOptions{Columns: []ColumnRequest{{Field: field, Type: n.typ}}})
		if err != nil {
			return err
		}
		for g := range f.meta.groups {
			chunk := &f.meta.groups[g].chunks[n.leaf.column]
			if chunk.columnIndexLength <= 0 || chunk.offsetIndexLength <= 0 {
				continue
			}
			index, err := r.readIndex(context.Background(), g, n.leaf.column, chunk)
			if err != nil {
				return f.corruptAt(g, n.name, "page index: %v", err)
			}
			r.matchingPages(&Domain{Minimum: &value}, n.leaf, index, int(f.meta.groups[g].rows))
		}
	}
	return nil
}

func readable(f *File) (out []ColumnRequest) {
	for _, c := range allColumns(f) {
		if c.Type.Kind != types.Unknown {
			out = append(out, c)
		}
	}
	return out
}

func touch(f *File, options ReadOptions) error {
	r, err := f.Reader(options)
	if err != nil {
		return err
	}
	defer r.Close()
	whole := options.Filter == nil && options.Domains == nil
	for rows := 0; ; {
		b, err := r.Next(context.Background())
		if err != nil {
			return err
		}
		if b == nil {
			if whole && int64(rows) != f.Rows() {
				return fmt.Errorf("%d of %d rows without an error", rows, f.Rows())
			}
			return nil
		}
		for i := range b.Rows() {
			at := i
			if b.Sel != nil {
				at = int(b.Sel[i])
			}
			for c := range b.Cols {
				b.Cols[c].Datum(at)
			}
		}
		if rows += b.Len; rows > 1_000_000 {
			return nil // long runs are cheap to declare
		}
	}
}

// everyThird keeps each third row by position.
type everyThird struct{}

func (everyThird) Stages() int       { return 1 }
func (everyThird) Columns(int) []int { return nil }
func (everyThird) Apply(_ int, b *vec.Batch) error {
	b.Sel = []int32{}
	for i := 0; i < b.Len; i += 3 {
		b.Sel = append(b.Sel, int32(i))
	}
	return nil
}

// checkDamage fails the test when reading data panicked, took much memory, or gave an error that is
// not worded for the user; it gives the error.
func checkDamage(t *testing.T, data []byte) error {
	t.Helper()
	pool := memory.NewRoot("fuzz", 1<<30)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readEverything(data, pool)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<30 {
		t.Fatalf("%d bytes allocated for a file of %d", grown, len(data))
	}
	if pool.Used() != 0 {
		t.Fatalf("%d bytes still reserved", pool.Used())
	}
	if err == nil {
		return nil
	}
	switch code := sqlerr.CodeOf(err); code {
	case sqlerr.DataCorrupted, sqlerr.FeatureNotSupported, sqlerr.OutOfMemory:
		if !strings.Contains(err.Error(), "fuzzed.parquet") && code == sqlerr.DataCorrupted {
			t.Fatal("the error does not name the file:", err)
		}
	case sqlerr.CharacterNotInRepertoire, sqlerr.NumericValueOutOfRange:
		if where := sqlerr.From(err).Where; !strings.Contains(where, `Parquet file "fuzzed.parquet", row group `) || !strings.Contains(where, ", column ") {
			t.Fatalf("the error does not say where: %v, in %q", err, where)
		}
	default:
		t.Fatal(code, err)
	}
	if e := sqlerr.From(err); strings.Contains(e.Detail, "goroutine") {
		t.Fatalf("a panic came through: %v\n%s", err, e.Detail)
	}
	return err
}

func fixtureFiles(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name := range fixtures {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = data
	}
	r := rand.New(rand.NewPCG(13, 14))
	for i, depth := range []int{0, 0, 2} {
		schema, data := randomTable(r, 5, 200, depth)
		dir := t.TempDir()
		writeFile(t, dir, "w.parquet", schema, WriterOptions{Compression: Compression(i), RowGroupRows: 90, Bloom: []int{0, 1, 2, 3, 4}}, tableBatch(r, schema, data, 0, 200))
		written, err := os.ReadFile(filepath.Join(dir, "w.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("written_%d", i)] = written
	}
	return out
}

func FuzzParquet(f *testing.F) {
	for _, data := range fixtureFiles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { _ = checkDamage(t, data) })
}

// damage spoils a copy of data; other is a file to take parts from.
func damage(r *rand.Rand, data, other []byte) []byte {
	out := append([]byte(nil), data...)
	switch r.IntN(8) {
	case 0:
		return out[:r.IntN(len(out))]
	case 1: // in the footer, whose length stands before the last magic
		from := max(len(data)-8-int(data[len(data)-8])-int(data[len(data)-7])<<8, 0)
		out[from+r.IntN(len(data)-from)] ^= byte(1 << r.IntN(8))
	case 2: // a section of another file
		from := r.IntN(len(other))
		copy(out[r.IntN(len(out)):], other[from:min(len(other), from+r.IntN(4000))])
	case 3: // bytes are missing
		at := r.IntN(len(out))
		out = append(out[:at], out[min(at+r.IntN(9), len(out)):]...)
	case 4:
		at := r.IntN(len(out))
		clear(out[at:min(len(out), at+r.IntN(600))])
	case 5:
		out[r.IntN(len(out))] ^= byte(1 << r.IntN(8))
	default:
		for range 1 + r.IntN(4) {
			out[r.IntN(len(out))] = byte(r.Uint32())
		}
	}
	return out
}

// TestDamagedFilesGiveErrors: no panic, no hang, no large allocation, and no fewer rows than the footer
// promises. TARN_TEST_DAMAGED says how many files are damaged.
func TestDamagedFilesGiveErrors(t *testing.T) {
	count := 1000
	if text := os.Getenv("TARN_TEST_DAMAGED"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(11, 12))
	files := fixtureFiles(t)
	names := slices.Sorted(maps.Keys(files))
	refused, slowest := 0, time.Duration(0)
	for i := range count {
		name := names[i%len(names)]
		damaged := damage(r, files[name], files[names[r.IntN(len(names))]])
		started := time.Now()
		t.Run(name, func(t *testing.T) {
			if checkDamage(t, damaged) != nil {
				refused++
			}
		})
		slowest = max(slowest, time.Since(started))
	}
	t.Logf("%d damaged files: %d refused, the others read in full; %s at most", count, refused, slowest)
}

func TestErrorsNameRowGroupAndColumn(t *testing.T) {
	data := fixtureFiles(t)["pyarrow_v2_zstd.parquet"]
	store := oneObject{data: data}
	f, err := OpenObject(context.Background(), store, store.object(), nil)
	if err != nil {
		t.Fatal(err)
	}
	column := f.Lookup("D15")
	chunk := f.meta.groups[0].chunks[f.fields[column].leaf.column]
	damaged := append([]byte(nil), data...)
	damaged[chunk.end()-1] ^= 0x55 // the file has checksums
	_, err = readEverything(damaged, nil)
	if err == nil || !strings.Contains(err.Error(), `"fuzzed.parquet" is damaged in row group 0, column "d15": page checksum is`) {
		t.Fatal(err)
	}
	if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
		t.Fatal(sqlerr.CodeOf(err))
	}
}

// FuzzWriter writes tables of random types and values with random options: what is read must be what
// was written, and the statistics true.
func FuzzWriter(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(seed*40), uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, shape uint8) {
		r := rand.New(rand.NewPCG(seed, 17))
		n := int(rows % 1000)
		schema, data := randomTable(r, 1+int(shape%7), n, int(shape/7)%3)
		options := WriterOptions{Compression: Compression(r.IntN(3)), RowGroupRows: 1 + r.IntN(400)}
		for c := range schema {
			if r.IntN(2) == 0 {
				options.Bloom = append(options.Bloom, c)
			}
		}
		roundTrip(t, r, openStore(t, t.TempDir()), schema, data, n, options)
	})
}
