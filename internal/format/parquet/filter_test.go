package parquet

import (
	"context"
	"fmt"
	"strconv"

	"math/rand/v2"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// randomFilter keeps rows by a hash of their id (column 0) in the first stage and of a second column
// in the next; it remembers what it kept.
type randomFilter struct {
	columns [][]int
	keep    func(stage int, id int64) bool
}

func (f *randomFilter) Stages() int             { return len(f.columns) }
func (f *randomFilter) Columns(stage int) []int { return f.columns[stage] }
func (f *randomFilter) Apply(stage int, b *vec.Batch) error {
	ids := vec.Values[int64](&b.Cols[0])
	sel := make([]int32, 0, b.Len)
	if b.Sel == nil {
		for i := range b.Len {
			if f.keep(stage, ids[i]) {
				sel = append(sel, int32(i))
			}
		}
	} else {
		for _, i := range b.Sel {
			if f.keep(stage, ids[i]) {
				sel = append(sel, i)
			}
		}
	}
	b.Sel = sel
	return nil
}

func hashOf(id int64, seed uint64) uint64 {
	h := (uint64(id) + seed) * 0x9e3779b97f4a7c15
	return (h ^ h>>29) * 0xbf58476d1ce4e5b9 >> 33
}

func TestLateMaterializationEqualsFullDecoding(t *testing.T) {
	for _, name := range []string{"pyarrow_v1_snappy.parquet", "pyarrow_v2_zstd.parquet", "pyarrow_encodings.parquet", "pyarrow_codec_none.parquet", "pyarrow_nested.parquet"} {
		f := openFixture(t, name)
		columns := allColumns(f)
		all := readText(t, f, ReadOptions{Columns: columns})
		random := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			seed := random.Uint64()
			keepOf := []uint64{random.Uint64N(101), random.Uint64N(101)}
			runs := random.IntN(2) == 0
			keep := func(stage int, id int64) bool {
				if runs {
					id /= 30
				}
				return hashOf(id, seed+uint64(stage))%100 < keepOf[stage]
			}
			filter := &randomFilter{columns: [][]int{{0}, {0, 1 + random.IntN(len(columns)-1)}}, keep: keep}
			var want [][]any
			for id := range all {
				if keep(0, int64(id)) && keep(1, int64(id)) {
					want = append(want, all[id])
				}
			}
			got := readText(t, f, ReadOptions{Columns: columns, Filter: filter, BatchSize: []int{1, 5, 40, 2048}[random.IntN(4)]})
			names := make([]string, len(columns))
			compareRows(t, got, want, names)
			if t.Failed() {
				t.Fatal(name, keepOf, runs)
			}
		}
	}
}

func TestPositionsAndMissingColumns(t *testing.T) {
	f := openFixture(t, "pyarrow_v1_snappy.parquet")
	columns := []ColumnRequest{{Field: 0, Type: types.Of(types.Int64)}, {Field: PositionField, Type: types.Of(types.Int64)}, {Field: MissingField, Type: types.Of(types.Text)}}
	filter := &randomFilter{columns: [][]int{{0}}, keep: func(_ int, id int64) bool { return id%10 == 3 }}
	rows := readText(t, f, ReadOptions{Columns: columns, Filter: filter, RowGroups: []int{1}})
	if len(rows) != 4 {
		t.Fatal(rows)
	}
	for _, row := range rows {
		if row[0] != row[1] || row[2] != nil {
			t.Fatal(row)
		}
	}
}

func TestRowGroupsArePrunedByStatistics(t *testing.T) {
	f := openFixture(t, "pyarrow_v1_snappy.parquet") // ids 0..63 and 64..109
	bound := func(v int64) *types.Datum { d := types.IntDatum(v); return &d }
	for _, c := range []struct {
		domain Domain
		want   int
	}{
		{Domain{Minimum: bound(64)}, 46},
		{Domain{Minimum: bound(63)}, 110},
		{Domain{Minimum: bound(63), MinimumExclusive: true}, 46},
		{Domain{Maximum: bound(63)}, 64},
		{Domain{Maximum: bound(64), MaximumExclusive: true}, 64},
		{Domain{Minimum: bound(110)}, 0},
		{Domain{Values: []types.Datum{types.IntDatum(-1), types.IntDatum(70)}}, 46},
		{Domain{Values: []types.Datum{}}, 0},
		{Domain{Values: []types.Datum{}, Nulls: true}, 0},
		{Domain{}, 110},
	} {
		rows := readText(t, f, ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: types.Of(types.Int64)}}, Domains: func() []Domain { return []Domain{c.domain} }})
		if len(rows) != c.want {
			t.Errorf("%+v: %d rows, want %d", c.domain, len(rows), c.want)
		}
	}
}

func TestValuesThatDoNotFitNameTheirRow(t *testing.T) {
	f := openFixture(t, "pyarrow_v1_snappy.parquet")
	id := f.Lookup("i64")
	filter := &randomFilter{columns: [][]int{{0}}, keep: func(_ int, id int64) bool { return id%20 == 7 }}
	rows := readText(t, f, ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: types.Of(types.Int64)}, {Field: id, Type: types.Of(types.Int64)}}, Filter: filter, RowGroups: []int{1}})
	r, err := f.Reader(ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: types.Of(types.Int64)}, {Field: id, Type: types.Of(types.Int16)}}, Filter: filter, RowGroups: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Next(context.Background())
	if sqlerr.CodeOf(err) != sqlerr.NumericValueOutOfRange {
		t.Fatal(err)
	}
	first := ""
	for _, row := range rows {
		if v, ok := row[1].(string); ok && len(v) > 5 {
			first = row[0].(string)
			break
		}
	}
	at, _ := strconv.Atoi(first)
	if want := fmt.Sprintf(`Parquet file "pyarrow_v1_snappy.parquet", row group 1, column "i64", row %d`, at-64); sqlerr.From(err).Where != want {
		t.Fatalf("%s, want %s", sqlerr.From(err).Where, want)
	}
}
