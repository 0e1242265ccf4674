package orc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/format/scan"
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

func (o oneObject) ReadRanges(_ context.Context, _, _ string, ranges []objstore.Range, buffers [][]byte) error {
	for i, r := range ranges {
		if r.Offset < 0 || r.Length < 0 || r.Offset+r.Length > int64(len(o.data)) {
			return errors.New("read outside the file")
		}
		copy(buffers[i][:r.Length], o.data[r.Offset:])
	}
	return nil
}

func openBytes(data []byte) (*File, error) {
	store := oneObject{data: data}
	return OpenObject(context.Background(), store, objstore.Object{Path: "fuzzed.orc", Size: int64(len(data))}, nil)
}

// readEverything opens and reads data, touching every value. What comes back is nil or the error.
func readEverything(data []byte, pool *memory.Pool) error {
	f, err := openBytes(data)
	if err != nil {
		return err
	}
	for field := range f.Schema() {
		f.Stats(field)
		for stripe := range f.Stripes() {
			f.StripeStats(stripe, field)
		}
		columns := []ColumnRequest{{Field: field, Type: f.Schema()[field].Type}}
		if columns[0].Type.Kind == types.Unknown {
			continue
		}
		if err := touch(f, ReadOptions{Columns: columns, Pool: pool}); err != nil {
			return err
		}
	}
	columns := append(readable(f), ColumnRequest{Field: PositionField, Type: types.Of(types.Int64)})
	filter := &hashFilter{seed: 1, block: 120, at: len(columns) - 1, keep: [2]uint64{500, 500}, columns: [][]int{{len(columns) - 1}, {0}}}
	if err := touch(f, ReadOptions{Columns: columns, Pool: pool, Filter: filter}); err != nil {
		return err
	}
	value := types.Datum{I64: 7, F64: 7, Str: "7", I128: types.Int128FromInt64(7)}
	return touch(f, ReadOptions{Columns: columns, Pool: pool, Share: scan.Share{Part: 1, Parts: 3}, Domains: func() (domains []Domain) {
		for c := range columns {
			domains = append(domains, Domain{Column: c, Minimum: &value, Nulls: c%2 == 0}, Domain{Column: c, Values: []types.Datum{value}, Nulls: true})
		}
		return domains
	}})
}

func touch(f *File, options ReadOptions) error {
	r, err := f.Reader(options)
	if err != nil {
		return err
	}
	defer r.Close()
	whole := options.Filter == nil && options.Domains == nil && options.Share.Parts == 0
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
		if rows += b.Len; rows > 100_000 {
			return nil // long runs are cheap to declare
		}
	}
}

// checkRefusal fails unless an error says what is wrong with the file.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var known *sqlerr.Error
	if err == nil {
		return
	}
	if !errors.As(err, &known) {
		t.Fatalf("an error without a code: %v", err)
	}
	switch known.Code {
	case sqlerr.DataCorrupted:
		if strings.Contains(known.Detail, "goroutine") {
			t.Fatalf("a check is missing: %v\n%s", err, known.Detail)
		}
		if !strings.Contains(known.Message, `"fuzzed.orc"`) {
			t.Fatalf("the error does not name the file: %v", err)
		}
	case sqlerr.CharacterNotInRepertoire, sqlerr.NumericValueOutOfRange, sqlerr.StringDataRightTruncation, sqlerr.InvalidTextRepresentation:
		if !strings.Contains(known.Where, `ORC file "fuzzed.orc", stripe `) || !strings.Contains(known.Where, ", column ") {
			t.Fatalf("the error does not say where: %v, in %q", err, known.Where)
		}
	case sqlerr.FeatureNotSupported, sqlerr.OutOfMemory, sqlerr.DatatypeMismatch:
	default:
		t.Fatalf("%s: %v", known.Code, err)
	}
}

// seeds are real files, small enough to be read often.
func seeds(t testing.TB) (out [][]byte) {
	t.Helper()
	for _, name := range fixtures {
		data, err := os.ReadFile(filepath.Join("testdata", name+".orc"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

func FuzzReader(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkRefusal(t, readEverything(data, memory.NewRoot("fuzz", 512<<20)))
	})
}

// mutate damages a copy of data in a few places; other is a file to take parts from.
func mutate(random *rand.Rand, data, other []byte) []byte {
	out := append([]byte(nil), data...)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(out))
		switch random.IntN(24) {
		default:
			out[at] ^= 1 << random.IntN(8)
		case 3, 4, 5:
			out[at] = byte(random.Uint32())
		case 6, 7:
			out[at] = []byte{0, 1, 0x7f, 0x80, 0xff}[random.IntN(5)]
		case 8: // the footer and the indexes are near the end
			out[len(out)-1-random.IntN(min(len(out), 900))] = byte(random.Uint32())
		case 9, 10:
			n := min(random.IntN(16), len(out)-at)
			copy(out[at:at+n], out[random.IntN(len(out)-n+1):])
		case 11, 12:
			n := random.IntN(8)
			out = append(out[:at], out[min(at+n, len(out)):]...)
		case 13, 14, 15: // a section of another file
			from := random.IntN(len(other))
			copy(out[at:], other[from:min(len(other), from+random.IntN(4000))])
		case 16: // the end of another file
			out = append(out[:at], other[random.IntN(len(other)):]...)
		case 17, 18:
			clear(out[at:min(len(out), at+random.IntN(600))])
		}
		if len(out) == 0 {
			return out
		}
	}
	return out
}

// damagedFiles is how many files are damaged; TARN_TEST_DAMAGED says otherwise.
func damagedFiles(t *testing.T, usual int) int {
	text := os.Getenv("TARN_TEST_DAMAGED")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ownFiles are files of our writer, a codec each.
func ownFiles(t testing.TB) (out [][]byte) {
	t.Helper()
	schema := everyType()
	for codec := range Compression(5) {
		random := rand.New(rand.NewPCG(uint64(codec), 1))
		batches, _ := randomRows(random, schema, 300)
		path := filepath.Join(t.TempDir(), "own.orc")
		writeFile(t, path, schema, batches, WriterOptions{Compression: codec, StripeBytes: 1, Bloom: []int{2, 3, 9}})
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// TestDamagedFilesAreRefusedOrRead: no panic, no hang, no large allocation, and no fewer rows than the
// footer promises.
func TestDamagedFilesAreRefusedOrRead(t *testing.T) {
	files := append(seeds(t), ownFiles(t)...)
	if folder := examplesFolder(t); folder != "" {
		names, _ := filepath.Glob(filepath.Join(folder, "*.orc"))
		for _, name := range names {
			if data, err := os.ReadFile(name); err == nil && len(data) > 0 && len(data) < 40_000 {
				files = append(files, data)
			}
		}
	}
	random := rand.New(rand.NewPCG(11, 12))
	pool := memory.NewRoot("damaged", 512<<20)
	var before, after runtime.MemStats
	refused, slowest := 0, time.Duration(0)
	count := damagedFiles(t, 600)
	for i := range count {
		data := mutate(random, files[i%len(files)], files[random.IntN(len(files))])
		runtime.ReadMemStats(&before)
		started := time.Now()
		err := readEverything(data, pool)
		slowest = max(slowest, time.Since(started))
		runtime.ReadMemStats(&after)
		checkRefusal(t, err)
		if err != nil {
			refused++
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
			t.Errorf("damaged file %d of %d bytes took %d bytes of memory: %v", i, len(data), used, err)
		}
	}
	if pool.Used() != 0 {
		t.Errorf("%d bytes are still reserved", pool.Used())
	}
	t.Logf("%d damaged files: %d refused, the others read in full; %s at most", count, refused, slowest)
}

func TestCutFilesAreRefused(t *testing.T) {
	data := seeds(t)[1]
	for n := 0; n < len(data); n += 1 + n/40 {
		if _, err := openBytes(data[:n]); err == nil && n > 0 {
			t.Errorf("the first %d of %d bytes are taken for a file", n, len(data))
		} else {
			checkRefusal(t, err)
		}
	}
}

func TestHugeRowCountsTakeNoTime(t *testing.T) {
	for _, rows := range []uint64{1 << 31, 1<<31 + 1, 1 << 60} {
		var footer, stripe, root, member, ps protoWriter
		for field, v := range []uint64{3, 0, 0, 0, rows} {
			stripe.uvarint(1+field, v)
		}
		root.uvarint(1, uint64(kindStruct))
		root.packed(2, []uint64{1})
		root.string(3, "a")
		member.uvarint(1, uint64(kindInt))
		footer.bytes(3, stripe.data)
		footer.bytes(4, root.data)
		footer.bytes(4, member.data)
		footer.uvarint(6, rows)
		footer.uvarint(8, 1) // rows of a row group
		ps.uvarint(1, uint64(len(footer.data)))
		ps.string(8000, magic)
		data := append(append([]byte(magic), footer.data...), ps.data...)
		err := readEverything(append(data, byte(len(ps.data))), memory.NewRoot("huge", 64<<20))
		if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
}

func TestErrorsNameStripeColumnAndByte(t *testing.T) {
	data := append([]byte(nil), seeds(t)[0]...) // without compression
	f, err := openBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Reader(ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	footer, err := r.stripeFooter(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	few := f.fields[f.Lookup("few")]
	stripe := &openStripe{reader: r, info: &f.meta.stripes[0], footer: footer}
	lengths := stripe.stream(few.id, streamLength)
	for i := lengths.start; i < lengths.end; i++ {
		data[i] = 0xff
	}
	err = readEverything(data, nil)
	if sqlerr.CodeOf(err) != sqlerr.DataCorrupted || !strings.HasPrefix(err.Error(), `ORC file "fuzzed.orc" is damaged in stripe 0, column "few": before byte `) {
		t.Fatal(err)
	}
}

var _ vec.Source = (*Reader)(nil)
