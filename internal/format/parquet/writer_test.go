package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// randomType gives any type that a file can hold.
func randomType(r *rand.Rand, depth int) types.Type {
	leaves := []types.Type{types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64), types.Of(types.Float32),
		types.Of(types.Float64), types.DecimalOf(5, 2), types.DecimalOf(18, 4), types.DecimalOf(38, 10), types.Of(types.Text), types.Of(types.Bytea),
		types.Of(types.Date), types.Of(types.Time), types.Of(types.Timestamp), types.Of(types.TimestampTZ), types.Of(types.UUID), types.Of(types.JSON)}
	if depth > 0 {
		switch r.IntN(6) {
		case 0:
			return types.ArrayOf(randomType(r, depth-1))
		case 1:
			return types.MapOf(types.Of(types.Text), randomType(r, depth-1))
		case 2:
			var fields []types.Field
			for i := range 1 + r.IntN(3) {
				fields = append(fields, types.Field{Name: fmt.Sprintf("f%d", i), Type: randomType(r, depth-1), Nullable: true})
			}
			return types.RowOf(fields...)
		}
	}
	return leaves[r.IntN(len(leaves))]
}

// randomDatum gives a value of t, from few or many distinct ones.
func randomDatum(r *rand.Rand, t types.Type, nulls float64, few bool) types.Datum {
	if r.Float64() < nulls {
		return types.NullDatum()
	}
	spread := int64(math.MaxInt64)
	if few {
		spread = 5
	}
	v := r.Int64N(spread)
	if r.IntN(2) == 0 {
		v = -v
	}
	switch t.Kind {
	case types.Bool:
		return types.IntDatum(v & 1)
	case types.Int16:
		return types.IntDatum(int64(int16(v)))
	case types.Int32:
		return types.IntDatum(int64(int32(v)))
	case types.Date:
		return types.IntDatum(v % 1_000_000)
	case types.Time:
		return types.IntDatum(max(v, -v) % 86_400_000_000)
	case types.Timestamp, types.TimestampTZ:
		return types.IntDatum(v % 100_000_000_000_000_000)
	case types.Float32:
		return types.FloatDatum(float64(float32(v)))
	case types.Float64:
		return types.FloatDatum(float64(v) / 3)
	case types.Decimal:
		if t.Physical() == types.PhysInt128 {
			w, _ := types.Int128FromInt64(v).MulChecked(types.Int128FromInt64(1_000_000_007))
			return types.Datum{I128: w}
		}
		top, _ := types.Pow10(int(t.Precision)).Int64()
		return types.IntDatum(v % top)
	case types.UUID:
		return types.Datum{I128: types.Int128{Lo: uint64(v) * 3, Hi: v}}
	case types.Text, types.JSON, types.Bytea, types.Char:
		s := fmt.Sprintf("%d", v)
		if t.Kind == types.JSON {
			s = fmt.Sprintf("[%d]", v)
		} else if r.IntN(3) == 0 {
			s += " größer, longer than twelve bytes"
		}
		return types.StringDatum(s)
	case types.Array:
		d := types.Datum{Items: []types.Datum{}}
		for range r.IntN(4) {
			d.Items = append(d.Items, randomDatum(r, *t.Elem, nulls, few))
		}
		return d
	case types.Map:
		d := types.Datum{Items: []types.Datum{}}
		for i := range r.IntN(3) {
			d.Items = append(d.Items, types.StringDatum(fmt.Sprint("key", i)), randomDatum(r, *t.Elem, nulls, few))
		}
		return d
	case types.Row:
		var d types.Datum
		for _, f := range t.Fields {
			d.Items = append(d.Items, randomDatum(r, f.Type, nulls, few))
		}
		return d
	}
	return types.IntDatum(v)
}

// randomTable gives a schema and its rows.
func randomTable(r *rand.Rand, columns, rows, depth int) (types.Schema, [][]types.Datum) {
	var schema types.Schema
	data := make([][]types.Datum, columns)
	for c := range columns {
		f := types.Field{Name: fmt.Sprintf("c%d", c), Type: randomType(r, depth), Nullable: r.IntN(4) > 0}
		nulls := []float64{0, 0.1, 0.9, 1}[r.IntN(4)]
		few := r.IntN(2) == 0
		schema = append(schema, f)
		for range rows {
			d := randomDatum(r, f.Type, nulls, few)
			for d.Null && !f.Nullable {
				d = randomDatum(r, f.Type, 0, few)
			}
			data[c] = append(data[c], d)
		}
	}
	return schema, data
}

// tableBatch makes a batch of rows [from, to), under a random encoding of each column.
func tableBatch(r *rand.Rand, schema types.Schema, data [][]types.Datum, from, to int) *vec.Batch {
	b := &vec.Batch{Cols: make([]vec.Vector, len(schema)), Len: to - from}
	for c, f := range schema {
		v := vec.NewFlat(f.Type, 0)
		for _, d := range data[c][from:to] {
			v.AppendDatum(d)
		}
		if f.Type.Physical() == types.PhysString && r.IntN(2) == 0 {
			v = asDictionary(v)
		}
		b.Cols[c] = *v
	}
	return b
}

func asDictionary(v *vec.Vector) *vec.Vector {
	dict := vec.NewFlat(v.Type, 0)
	codes := map[string]int32{}
	out := &vec.Vector{}
	dict.AppendDatum(types.StringDatum("unused"))
	list := make([]int32, v.Len)
	for i := range v.Len {
		if v.IsNull(i) {
			continue
		}
		code, ok := codes[v.Str(i)]
		if !ok {
			code = int32(dict.Len)
			codes[string(v.Bytes(i))] = code
			dict.AppendDatum(v.Datum(i))
		}
		list[i] = code
	}
	out.ResizeDict(dict, rand.Uint64()|1, v.Len)
	copy(out.Codes(), list)
	out.Valid = v.Valid
	return out
}

func writeFile(t testing.TB, dir, name string, schema types.Schema, options WriterOptions, batches ...*vec.Batch) Summary {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if s.Bytes != int64(out.Len()) {
		t.Fatalf("summary says %d bytes, file has %d", s.Bytes, out.Len())
	}
	if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWrittenFilesReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	store := openStore(t, dir)
	for round := range 60 {
		rows := []int{0, 1, 7, 300, 3000}[r.IntN(5)]
		schema, data := randomTable(r, 1+r.IntN(8), rows, round%4)
		roundTrip(t, r, store, schema, data, rows, WriterOptions{Compression: Compression(round % 5), RowGroupRows: []int{0, 100, 1001}[r.IntN(3)]})
	}
}

func roundTrip(t *testing.T, r *rand.Rand, store *objstore.Local, schema types.Schema, data [][]types.Datum, rows int, options WriterOptions) {
	t.Helper()
	var batches []*vec.Batch
	for from := 0; from < rows; {
		to := min(rows, from+1+r.IntN(700))
		batches = append(batches, tableBatch(r, schema, data, from, to))
		from = to
	}
	s := writeFile(t, store.Root(), "f.parquet", schema, options, batches...)
	f, err := Open(context.Background(), store, "f.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != int64(rows) || s.Rows != int64(rows) {
		t.Fatal(f.Rows(), s.Rows, rows)
	}
	want := make([][]any, rows)
	names := make([]string, len(schema))
	var columns []ColumnRequest
	for c, field := range schema {
		if !f.Schema()[c].Type.Equal(field.Type) {
			t.Fatalf("wrote %s, read %s", field.Type, f.Schema()[c].Type)
		}
		names[c] = field.Type.String()
		columns = append(columns, ColumnRequest{Field: c, Type: field.Type})
		for i := range want {
			want[i] = append(want[i], datumText(data[c][i], field.Type))
		}
		checkStats(t, f, &s, c, field, data[c])
	}
	compareRows(t, readText(t, f, ReadOptions{Columns: columns}), want, names)
	far, err := Open(context.Background(), &formattest.Distant{Store: store}, "f.parquet")
	if err != nil {
		t.Fatal(err)
	}
	compareRows(t, readText(t, far, ReadOptions{Columns: columns}), want, names)
	if t.Failed() {
		t.FailNow()
	}
}

// checkStats compares what writer and footer tell of a column with the truth.
func checkStats(t *testing.T, f *File, s *Summary, c int, field types.Field, values []types.Datum) {
	t.Helper()
	var low, high *types.Datum
	nulls := int64(0)
	distinct := map[any]bool{}
	physical := field.Type.Physical()
	if physical == types.PhysList || physical == types.PhysRow {
		return
	}
	for i := range values {
		if values[i].Null {
			nulls++
			continue
		}
		distinct[datumText(values[i], field.Type)] = true
		if low == nil || scan.Compare(values[i], *low, physical) < 0 {
			low = &values[i]
		}
		if high == nil || scan.Compare(values[i], *high, physical) > 0 {
			high = &values[i]
		}
	}
	written, read := s.Columns[c], f.Stats(c)
	if written.Nulls != nulls || f.RowGroups() > 0 && read.Nulls != nulls {
		t.Fatalf("%s: %d and %d nulls, want %d", field.Type, written.Nulls, read.Nulls, nulls)
	}
	estimate := colstats.SketchOf(written.Distinct.Registers()).Estimate()
	if math.Abs(estimate-float64(len(distinct))) > 2+0.15*float64(len(distinct)) {
		t.Fatalf("%s: %.0f distinct values, want %d", field.Type, estimate, len(distinct))
	}
	collector := colstats.Collector{Type: field.Type}
	v := vec.NewFlat(field.Type, 0)
	for _, d := range values {
		v.AppendDatum(d)
	}
	collector.Add(v, nil)
	if estimate != collector.Sketch.Estimate() {
		t.Fatalf("%s: the sketch differs from that of colstats: %f, %f", field.Type, estimate, collector.Sketch.Estimate())
	}
	if low == nil || field.Type.Kind == types.UUID {
		return
	}
	if scan.Compare(*written.Minimum, *low, physical) != 0 || scan.Compare(*written.Maximum, *high, physical) != 0 {
		t.Fatalf("%s: bounds %v %v, want %v %v", field.Type, written.Minimum, written.Maximum, low, high)
	}
	if f.RowGroups() == 1 && (scan.Compare(*read.Minimum, *low, physical) != 0 || scan.Compare(*read.Maximum, *high, physical) != 0) {
		t.Fatalf("%s: bounds in the file %v %v, want %v %v", field.Type, read.Minimum, read.Maximum, low, high)
	}
}

func TestCharactersLoseTheirBlanks(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	store := openStore(t, t.TempDir())
	char := types.Type{Kind: types.Char, Length: 12}
	v := vec.NewFlat(char, 0)
	values := make([]types.Datum, 200)
	for i := range values {
		values[i] = types.StringDatum(fmt.Sprintf("%-12d", r.IntN(30)))
		v.AppendDatum(values[i])
	}
	schema := types.Schema{{Name: "c", Type: char}}
	s := writeFile(t, store.Root(), "c.parquet", schema, WriterOptions{}, &vec.Batch{Cols: []vec.Vector{*v}, Len: len(values)})
	f, err := Open(context.Background(), store, "c.parquet")
	if err != nil {
		t.Fatal(err)
	}
	checkStats(t, f, &s, 0, schema[0], values)
	for i, row := range readText(t, f, ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: char}}}) {
		if want := strings.TrimRight(values[i].Str, " "); row[0] != want {
			t.Fatalf("%q, want %q", row[0], want)
		}
	}
}

func TestPagesArePrunedByTheirIndex(t *testing.T) {
	store := openStore(t, t.TempDir())
	const rows = 200_000
	schema := types.Schema{{Name: "id", Type: types.Of(types.Int64)}, {Name: "noise", Type: types.Of(types.Int64), Nullable: true}, {Name: "s", Type: types.Of(types.Text)}}
	b := vec.NewBatch(schema.Types(), rows)
	for i := range rows {
		vec.Values[int64](&b.Cols[0])[i] = int64(i / 2)
		vec.Values[int64](&b.Cols[1])[i] = int64(hashOf(int64(i), 1))
		b.Cols[2].SetString(i, fmt.Sprintf("key %08d", i))
	}
	for i := 50_000; i < 90_000; i++ {
		b.Cols[1].SetNull(i)
	}
	writeFile(t, store.Root(), "p.parquet", schema, WriterOptions{Compression: Snappy, SortedBy: []SortColumn{{Column: 0}}}, b)
	f, err := Open(context.Background(), store, "p.parquet")
	if err != nil {
		t.Fatal(err)
	}
	var columns []ColumnRequest
	for i, field := range schema {
		columns = append(columns, ColumnRequest{Field: i, Type: field.Type})
	}
	low, high, key := types.IntDatum(40_000), types.IntDatum(40_010), types.StringDatum("key 00150000")
	for _, c := range []struct {
		domains     []Domain
		from, least int
		most        int
	}{
		{[]Domain{{Column: 0, Minimum: &low, Maximum: &high}}, 80_000, 22, pageRows},
		{[]Domain{{Column: 0, Minimum: &low}, {Column: 2, Maximum: &key}}, 80_000, 70_001, 70_000 + 2*pageRows},
		{[]Domain{{Column: 2, Minimum: &key, Maximum: &key}}, 150_000, 1, pageRows},
		{[]Domain{{Column: 1, Values: []types.Datum{}, Nulls: true}}, 50_000, 40_000, 40_000 + 2*pageRows},
		{[]Domain{{Column: 0, Values: []types.Datum{low}}, {Column: 2, Minimum: &key}}, 0, 0, 0},
	} {
		var read atomic.Int64
		got := map[int]bool{}
		for _, row := range readText(t, f, ReadOptions{Columns: append(columns, ColumnRequest{Field: PositionField, Type: types.Of(types.Int64)}),
			Domains: func() []Domain { return c.domains }, Counters: Counters{RowsRead: &read}}) {
			at, _ := strconv.Atoi(row[3].(string))
			got[at] = true
			if row[2] != fmt.Sprintf("key %08d", at) || row[0] != fmt.Sprint(at/2) {
				t.Fatal(row)
			}
		}
		if read.Load() > int64(c.most) {
			t.Errorf("%+v: read %d rows, want at most %d", c.domains, read.Load(), c.most)
		}
		for at := c.from; at < c.from+c.least; at++ {
			if !got[at] {
				t.Fatalf("%+v: row %d is missing", c.domains, at)
			}
		}
	}
}

func TestBloomFiltersPruneRowGroups(t *testing.T) {
	store := openStore(t, t.TempDir())
	const rows = 30_000
	schema := types.Schema{{Name: "id", Type: types.Of(types.Int64)}, {Name: "few", Type: types.Of(types.Int32)}, {Name: "s", Type: types.Of(types.Text), Nullable: true},
		{Name: "u", Type: types.Of(types.UUID)}, {Name: "d", Type: types.DecimalOf(7, 2)}}
	b := vec.NewBatch(schema.Types(), rows)
	word := func(i int) string { return fmt.Sprintf("word number %d", hashOf(int64(i), 5)) }
	for i := range rows {
		vec.Values[int64](&b.Cols[0])[i] = int64(hashOf(int64(i), 1))
		vec.Values[int32](&b.Cols[1])[i] = int32(i%50) * 3
		b.Cols[2].SetString(i, word(i))
		vec.Values[types.Int128](&b.Cols[3])[i] = types.Int128{Hi: int64(i), Lo: hashOf(int64(i), 9)}
		vec.Values[int64](&b.Cols[4])[i] = int64(i%400) * 7
	}
	b.Cols[2].SetNull(7)
	writeFile(t, store.Root(), "b.parquet", schema, WriterOptions{RowGroupRows: 10_000, Bloom: []int{0, 1, 2, 3, 4}}, b)
	f, err := Open(context.Background(), store, "b.parquet")
	if err != nil {
		t.Fatal(err)
	}
	var columns []ColumnRequest
	for i, field := range schema {
		columns = append(columns, ColumnRequest{Field: i, Type: field.Type})
	}
	columns[1].Type = types.Of(types.Int64) // read wider than stored
	for _, c := range []struct {
		column int
		value  types.Datum
		pruned int64
	}{
		{0, types.IntDatum(int64(hashOf(15_000, 1))), 2},
		{0, types.IntDatum(int64(hashOf(1<<40, 1))), 3},
		{1, types.IntDatum(147), 0},
		{1, types.IntDatum(100), 3},
		{2, types.StringDatum(word(25_000)), 2},
		{2, types.StringDatum("no such word"), 3},
		{3, types.Datum{I128: types.Int128{Hi: 5, Lo: hashOf(5, 9)}}, 2},
		{4, types.IntDatum(14), 0},
		{4, types.IntDatum(15), 3},
	} {
		var pruned atomic.Int64
		rows := readText(t, f, ReadOptions{Columns: columns, Domains: func() []Domain { return []Domain{{Column: c.column, Values: []types.Datum{c.value}}} },
			Counters: Counters{RowGroupsPruned: &pruned}})
		if pruned.Load() != c.pruned || len(rows) != int(3-c.pruned)*10_000 {
			t.Errorf("column %d, %v: %d row groups pruned, want %d", c.column, c.value, pruned.Load(), c.pruned)
		}
	}
}

// A string that fills varchar(n) may be followed by blanks in other writers' files, which reading cuts.
func TestStringsWithBlanksBeyondTheirLengthAreNotPruned(t *testing.T) {
	store := openStore(t, t.TempDir())
	schema := types.Schema{{Name: "s", Type: types.Of(types.Text)}}
	b := vec.NewBatch(schema.Types(), 2)
	b.Cols[0].SetString(0, "abc  ")
	b.Cols[0].SetString(1, "x")
	writeFile(t, store.Root(), "blanks.parquet", schema, WriterOptions{Bloom: []int{0}}, b)
	path := filepath.Join(store.Root(), "blanks.parquet")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(createdByPrefix), []byte("else "), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(context.Background(), store, "blanks.parquet")
	if err != nil || !strings.HasPrefix(f.CreatedBy(), "else ") {
		t.Fatal(f.CreatedBy(), err)
	}
	for value, rows := range map[string]int{"abc": 2, "x": 2, "y": 0} {
		domains := []Domain{{Values: []types.Datum{types.StringDatum(value)}}}
		options := ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: types.VarcharOf(3)}}, Domains: func() []Domain { return domains }}
		if got := readText(t, f, options); len(got) != rows {
			t.Errorf("%q: %d rows", value, len(got))
		}
	}
}
