package orc

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// everyType is a schema with each type that can be written.
func everyType() types.Schema {
	list := []types.Type{types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64), types.Of(types.Float32),
		types.Of(types.Float64), types.DecimalOf(9, 2), types.DecimalOf(18, 6), types.DecimalOf(38, 10), types.Of(types.Text), types.VarcharOf(20),
		{Kind: types.Char, Length: 7}, types.Of(types.Bytea), types.Of(types.Date), types.Of(types.Timestamp), types.Of(types.TimestampTZ),
		types.Of(types.Time), types.Of(types.UUID), types.Of(types.JSON), types.ArrayOf(types.Of(types.Int64)), types.ArrayOf(types.ArrayOf(types.Of(types.Text))),
		types.MapOf(types.Of(types.Text), types.DecimalOf(20, 3)), types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int32)},
			types.Field{Name: "b", Type: types.ArrayOf(types.RowOf(types.Field{Name: "c", Type: types.Of(types.Bool)}))})}
	var out types.Schema
	for i, t := range list {
		out = append(out, types.Field{Name: fmt.Sprintf("c%d_%s", i, t.Kind), Type: t, Nullable: true})
	}
	return out
}

// pattern makes the values of one column: how they run and how often they are NULL.
type pattern struct {
	random   *rand.Rand
	shape    int
	nulls    float64
	previous int64
	row      int64
	moments  int64 // timestamps lie within as many microseconds of 1970
}

// anyMoment is as far as the tests' timestamps go.
const anyMoment = 60_000_000_000_000_000

func newPattern(random *rand.Rand) *pattern {
	p := &pattern{random: random, shape: random.IntN(6), moments: anyMoment}
	p.nulls = []float64{0, 0, 0.02, 0.5, 1}[random.IntN(5)]
	return p
}

// number gives integers as columns hold them: constant, rising, small, with outliers, of any size.
func (p *pattern) number() int64 {
	p.row++
	switch p.shape {
	case 0:
		return 7
	case 1:
		p.previous += p.random.Int64N(3)
	case 2:
		p.previous = p.random.Int64N(50) - 25
	case 3:
		if p.previous = p.random.Int64N(200); p.random.IntN(40) == 0 {
			p.previous = p.random.Int64N(1<<40) - 1<<39
		}
	case 4:
		if p.random.IntN(9) == 0 {
			p.previous = int64(p.random.Uint64())
		}
	default:
		p.previous = int64(p.random.Uint64() >> p.random.IntN(64))
		if p.random.IntN(2) == 0 {
			p.previous = -p.previous
		}
	}
	return p.previous
}

func (p *pattern) text(length int) string {
	words := []string{"", "a", "blanks inside", "żółw", "a string longer than twelve bytes", "日本語"}
	s := words[uint64(p.number())%uint64(len(words))]
	if p.shape > 2 {
		s += fmt.Sprint(p.previous % 100_000)
	}
	for length > 0 && types.CountCharacters(s) > length {
		s = s[:types.CharacterOffset(s, types.CountCharacters(s)-1)]
	}
	return s
}

func (p *pattern) value(t types.Type) types.Datum {
	if p.random.Float64() < p.nulls {
		return types.NullDatum()
	}
	v := p.number()
	switch t.Kind {
	case types.Bool:
		return types.BoolDatum(v&1 == 0)
	case types.Int16:
		return types.IntDatum(int64(int16(v)))
	case types.Int32:
		return types.IntDatum(int64(int32(v)))
	case types.Float32:
		return types.FloatDatum(float64(float32(v) / 8))
	case types.Float64:
		return types.FloatDatum([]float64{float64(v), float64(v) / 7, math.Inf(1), math.NaN()}[p.random.IntN(4)])
	case types.Decimal:
		if t.Physical() == types.PhysInt128 {
			wide, _ := types.Int128FromInt64(v).MulChecked(types.Int128FromInt64(p.random.Int64N(1 << 50)))
			_, wide = wide.DivMod(types.Pow10(int(t.Precision)))
			return types.Datum{I128: wide}
		}
		_, short := types.Int128FromInt64(v).DivMod(types.Pow10(int(t.Precision)))
		return types.IntDatum(int64(short.Lo))
	case types.Text, types.JSON:
		return types.StringDatum(p.text(int(t.Length)))
	case types.Char:
		return types.StringDatum(string(bytes.TrimRight([]byte(p.text(int(t.Length))), " ")))
	case types.Bytea:
		return types.StringDatum(string(bytes.Repeat([]byte{byte(v), 0xff, 0}, int(uint64(v)%7))))
	case types.Date:
		return types.IntDatum(v % 800_000)
	case types.Timestamp, types.TimestampTZ:
		if v %= p.moments; v < 0 && v > -1_000_000 {
			v = -v
		}
		return types.IntDatum(v)
	case types.Time:
		return types.IntDatum(int64(uint64(v) % 86_400_000_000))
	case types.UUID:
		return types.Datum{I128: types.Int128{Lo: uint64(v) * 77, Hi: v}}
	case types.Array, types.Map:
		out := types.Datum{Items: []types.Datum{}}
		for range uint64(v) % 4 {
			if t.Kind == types.Map {
				key := p.value(*t.Key)
				if key.Null {
					key = types.StringDatum("none")
				}
				out.Items = append(out.Items, key)
			}
			out.Items = append(out.Items, p.value(*t.Elem))
		}
		return out
	case types.Row:
		out := types.Datum{}
		for _, f := range t.Fields {
			out.Items = append(out.Items, p.value(f.Type))
		}
		return out
	}
	return types.IntDatum(v)
}

// randomRows makes rows and the batches that hold them.
func randomRows(random *rand.Rand, schema types.Schema, rows int) (batches []*vec.Batch, want [][]types.Datum) {
	return randomRowsWithin(random, schema, rows, anyMoment)
}

// randomRowsWithin is randomRows with timestamps not as far from 1970.
func randomRowsWithin(random *rand.Rand, schema types.Schema, rows int, moments int64) (batches []*vec.Batch, want [][]types.Datum) {
	patterns := make([]*pattern, len(schema))
	for i := range patterns {
		patterns[i] = newPattern(random)
		patterns[i].moments = moments
	}
	for rows > 0 {
		n := min(rows, 1+random.IntN(3000))
		rows -= n
		b := vec.NewBatch(schema.Types(), n)
		dropped := random.IntN(3) == 0
		for row := range n {
			values := make([]types.Datum, len(schema))
			for c := range schema {
				values[c] = patterns[c].value(schema[c].Type)
				b.Cols[c].SetDatum(row, values[c])
			}
			if !dropped || random.IntN(3) > 0 {
				want = append(want, values)
				if dropped {
					b.Sel = append(b.Sel, int32(row))
				}
			}
		}
		if dropped && b.Sel == nil {
			b.Sel = []int32{}
		}
		batches = append(batches, b)
	}
	return batches, want
}

func writeFile(t testing.TB, path string, schema types.Schema, batches []*vec.Batch, options WriterOptions) Summary {
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
	summary, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if summary.Bytes != int64(out.Len()) {
		t.Fatalf("summary says %d bytes of %d", summary.Bytes, out.Len())
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return summary
}

func sameDatum(a, b types.Datum, t types.Type) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if len(a.Items) != len(b.Items) {
		return false
	}
	switch t.Kind {
	case types.Float32, types.Float64:
		return math.Float64bits(a.F64) == math.Float64bits(b.F64) || a.F64 != a.F64 && b.F64 != b.F64
	case types.Array:
		for i := range a.Items {
			if !sameDatum(a.Items[i], b.Items[i], *t.Elem) {
				return false
			}
		}
		return true
	case types.Map:
		for i := range a.Items {
			if !sameDatum(a.Items[i], b.Items[i], []types.Type{*t.Key, *t.Elem}[i%2]) {
				return false
			}
		}
		return true
	case types.Row:
		for i := range a.Items {
			if !sameDatum(a.Items[i], b.Items[i], t.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func compareRows(t *testing.T, f *File, options ReadOptions, want [][]types.Datum) {
	t.Helper()
	at, wrong := 0, 0
	err := eachRow(t, f, options, func(row []types.Datum) {
		if at < len(want) {
			for c := range row {
				if typ := options.Columns[c].Type; !sameDatum(row[c], want[at][c], typ) {
					if wrong++; wrong < 5 {
						t.Errorf("row %d, column %d (%s): %v, want %v", at, c, typ, row[c], want[at][c])
					}
				}
			}
		}
		at++
	})
	if err != nil {
		t.Fatalf("%s: %+v", f.object.Path, err)
	}
	if at != len(want) {
		t.Fatalf("%d rows, want %d", at, len(want))
	}
}

func TestWrittenRowsAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	store := openStore(t, dir)
	schema := everyType()
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 7))
		rows := []int{0, 1, 100, 9_999, 10_000, 10_001, 21_500}[[]int{6, 0, 2, 5, 1, 4}[seed]]
		batches, want := randomRows(random, schema, rows)
		options := WriterOptions{Compression: Compression(seed % 5), StripeBytes: []int64{0, 1, 100_000}[random.IntN(3)], Bloom: []int{2, 3, 9}}
		name := fmt.Sprintf("%d.orc", seed)
		summary := writeFile(t, filepath.Join(dir, name), schema, batches, options)
		f, err := Open(context.Background(), store, name)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Schema()[3].Type.Equal(schema[3].Type) || f.Rows() != int64(len(want)) || summary.Stripes != f.Stripes() {
			t.Fatalf("%s: %d rows in %d stripes, want %d in %d", name, f.Rows(), f.Stripes(), len(want), summary.Stripes)
		}
		var columns []ColumnRequest
		for i, field := range schema {
			columns = append(columns, ColumnRequest{Field: i, Type: field.Type})
		}
		for _, batchSize := range []int{2048, 777} {
			compareRows(t, f, ReadOptions{Columns: columns, BatchSize: batchSize}, want)
		}
		checkLateMaterialization(t, f, columns, want, random)
		checkParts(t, f, columns, want)
		checkStats(t, f, summary, schema, want)
		far, err := Open(context.Background(), &formattest.Distant{Store: store}, name)
		if err != nil {
			t.Fatal(err)
		}
		compareRows(t, far, ReadOptions{Columns: columns, Metadata: metadata.New(1 << 20)}, want)
		checkLateMaterialization(t, far, columns, want, random)
		checkParts(t, far, columns, want)
		if t.Failed() {
			t.Fatal("seed", seed)
		}
	}
}

// hashFilter keeps rows by a hash of their position, in two stages.
type hashFilter struct {
	seed    uint64
	keep    [2]uint64 // of a thousand
	block   int64     // rows kept or dropped together
	columns [][]int
	at      int // the column that numbers rows
}

func (f *hashFilter) wants(stage int, row int64) bool {
	h := (uint64(row/f.block) + f.seed + uint64(stage)) * 0x9e3779b97f4a7c15
	return (h^h>>29)*0xbf58476d1ce4e5b9>>33%1000 < f.keep[stage]
}
func (f *hashFilter) Stages() int             { return len(f.columns) }
func (f *hashFilter) Columns(stage int) []int { return f.columns[stage] }
func (f *hashFilter) Apply(stage int, b *vec.Batch) error {
	rows := vec.Values[int64](&b.Cols[f.at])
	sel := make([]int32, 0, b.Len)
	for i := range b.Rows() {
		at := int32(i)
		if b.Sel != nil {
			at = b.Sel[i]
		}
		if f.wants(stage, rows[at]) {
			sel = append(sel, at)
		}
	}
	b.Sel = sel
	return nil
}

func checkLateMaterialization(t *testing.T, f *File, columns []ColumnRequest, want [][]types.Datum, random *rand.Rand) {
	t.Helper()
	with := append(append([]ColumnRequest{}, columns...), ColumnRequest{Field: PositionField, Type: types.Of(types.Int64)})
	at := len(columns)
	for range 3 {
		filter := &hashFilter{seed: random.Uint64(), block: []int64{1, 30, 9000, 21_000}[random.IntN(4)], at: at,
			keep: [2]uint64{random.Uint64N(1001), random.Uint64N(1001)}, columns: [][]int{{at}, {random.IntN(at), random.IntN(at)}}}
		var kept [][]types.Datum
		for row, values := range want {
			if filter.wants(0, int64(row)) && filter.wants(1, int64(row)) {
				kept = append(kept, append(append([]types.Datum{}, values...), types.IntDatum(int64(row))))
			}
		}
		compareRows(t, f, ReadOptions{Columns: with, Filter: filter, BatchSize: []int{64, 500, 2048}[random.IntN(3)]}, kept)
	}
}

func checkParts(t *testing.T, f *File, columns []ColumnRequest, want [][]types.Datum) {
	t.Helper()
	total := 0
	for part := range 3 {
		err := eachRow(t, f, ReadOptions{Columns: columns[:4], Share: scan.Share{Part: part, Parts: 3}}, func(row []types.Datum) {
			if total < len(want) && !sameDatum(row[3], want[total][3], columns[3].Type) {
				t.Errorf("row %d of part %d: %v, want %v", total, part, row[3], want[total][3])
			}
			total++
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total != len(want) {
		t.Fatalf("parts hold %d rows, want %d", total, len(want))
	}
}

// checkStats compares statistics with the values, and prunes by them.
func checkStats(t *testing.T, f *File, summary Summary, schema types.Schema, want [][]types.Datum) {
	t.Helper()
	for c, field := range schema {
		stats, written := f.Stats(c), summary.Columns[c]
		nulls := int64(0)
		for _, row := range want {
			if row[c].Null {
				nulls++
				continue
			}
			for _, s := range [][2]*types.Datum{{stats.Minimum, stats.Maximum}, {written.Minimum, written.Maximum}} {
				if s[0] != nil && scan.Compare(row[c], *s[0], field.Type.Physical()) < 0 || s[1] != nil && scan.Compare(row[c], *s[1], field.Type.Physical()) > 0 {
					t.Fatalf("column %s: %v lies outside its bounds", field.Name, row[c])
				}
			}
		}
		if len(want) > 0 && (stats.Nulls != nulls || written.Nulls != nulls) {
			t.Fatalf("column %s: %d and %d nulls, want %d", field.Name, stats.Nulls, written.Nulls, nulls)
		}
		if scan.Prunable(field.Type) && field.Type.Kind != types.Bool && field.Type.Kind != types.Bytea && field.Type.Kind != types.Float64 &&
			nulls < int64(len(want)) && written.Minimum == nil {
			t.Fatalf("column %s has no bounds", field.Name)
		}
		if len(want) > 0 && scan.Prunable(field.Type) {
			checkPruning(t, f, c, field.Type, want)
		}
	}
}

func checkPruning(t *testing.T, f *File, c int, typ types.Type, want [][]types.Datum) {
	t.Helper()
	probe := want[len(want)*2/3][c]
	if probe.Null {
		return
	}
	count := func(domain Domain) (n int) {
		options := ReadOptions{Columns: []ColumnRequest{{Field: c, Type: typ}}, Domains: func() []Domain { return []Domain{domain} }}
		if err := eachRow(t, f, options, func(row []types.Datum) {
			if sameDatum(row[0], probe, typ) {
				n++
			}
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	expected := 0
	for _, row := range want {
		if sameDatum(row[c], probe, typ) {
			expected++
		}
	}
	for _, domain := range []Domain{{Minimum: &probe, Maximum: &probe}, {Values: []types.Datum{probe}}, {Minimum: &probe}, {Maximum: &probe}} {
		if got := count(domain); got != expected {
			t.Fatalf("column of %s: pruning keeps %d of %d rows with %v", typ, got, expected, probe)
		}
	}
}

// A string that fills varchar(n) may be followed by blanks in the file, which reading cuts.
func TestStringsWithBlanksBeyondTheirLengthAreNotPruned(t *testing.T) {
	dir := t.TempDir()
	schema := types.Schema{{Name: "s", Type: types.Of(types.Text)}}
	b := vec.NewBatch(schema.Types(), 2)
	b.Cols[0].SetString(0, "abc  ")
	b.Cols[0].SetString(1, "x")
	writeFile(t, filepath.Join(dir, "blanks.orc"), schema, []*vec.Batch{b}, WriterOptions{Bloom: []int{0}})
	f, err := Open(context.Background(), openStore(t, dir), "blanks.orc")
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]int{"abc": 2, "x": 2, "y": 0} {
		domains := []Domain{{Values: []types.Datum{types.StringDatum(value)}}}
		rows := 0
		options := ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: types.VarcharOf(3)}}, Domains: func() []Domain { return domains }}
		if err := eachRow(t, f, options, func([]types.Datum) { rows++ }); err != nil {
			t.Fatal(err)
		}
		if rows != want {
			t.Errorf("%q: %d rows", value, rows)
		}
	}
}

func TestMomentsAtTheEndsOfTheirRange(t *testing.T) {
	dir := t.TempDir()
	schema := types.Schema{{Name: "t", Type: types.Of(types.Timestamp)}, {Name: "z", Type: types.Of(types.TimestampTZ)}}
	moments := []int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, math.MaxInt64 - 775_807, math.MinInt64 + 775_808, 1 << 62, -1 << 62, 0}
	b := vec.NewBatch(schema.Types(), len(moments))
	for c := range schema {
		copy(vec.Values[int64](&b.Cols[c]), moments)
	}
	writeFile(t, filepath.Join(dir, "moments.orc"), schema, []*vec.Batch{b}, WriterOptions{Bloom: []int{0, 1}})
	f, err := Open(context.Background(), openStore(t, dir), "moments.orc")
	if err != nil {
		t.Fatal(err)
	}
	for c, field := range schema {
		for _, only := range append([]int64{7}, moments...) {
			options := ReadOptions{Columns: []ColumnRequest{{Field: c, Type: field.Type}}}
			if at := types.IntDatum(only); only != 7 {
				options.Domains = func() []Domain { return []Domain{{Values: []types.Datum{at}, Minimum: &at, Maximum: &at}} }
			}
			var got []int64
			if err := eachRow(t, f, options, func(row []types.Datum) { got = append(got, row[0].I64) }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, moments) {
				t.Errorf("%s: %d", field.Name, got)
			}
		}
	}
}
