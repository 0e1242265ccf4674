package lake

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// columnOf draws a vector of n rows under any encoding.
func columnOf(t *rapid.T, kind types.Type, n int, ids *uint64) *vec.Vector {
	value := func(i int) types.Datum {
		switch kind.Physical() {
		case types.PhysString:
			return types.StringDatum(rapid.SampledFrom([]string{"", "a", "just twelve!", "longer than twelve", "another that is long", "ünïcödé"}).Draw(t, "string") + fmt.Sprint(i%3))
		case types.PhysList:
			return types.Datum{Items: []types.Datum{types.IntDatum(int64(i)), types.IntDatum(rapid.Int64().Draw(t, "element"))}}
		case types.PhysBool:
			return types.IntDatum(int64(i & 1))
		case types.PhysInt16:
			return types.IntDatum(int64(i) - 3)
		case types.PhysInt128:
			return types.Datum{I128: types.Int128FromInt64(rapid.Int64().Draw(t, "wide"))}
		}
		return types.IntDatum(int64(rapid.Int32().Draw(t, "integer")))
	}
	v := &vec.Vector{}
	switch shape := rapid.IntRange(0, 4).Draw(t, "shape"); {
	case shape == 0:
		v = vec.NewConst(kind, value(0), n)
	case shape <= 2 && kind.Physical() == types.PhysString:
		entries := rapid.IntRange(1, 5).Draw(t, "entries")
		dict := vec.NewFlat(kind, entries)
		for i := range entries {
			dict.SetDatum(i, value(i))
		}
		*ids++
		v.ResizeDict(dict, *ids*uint64(shape-1), n) // 0: unknown
		for i := range n {
			vec.Values[int32](v)[i] = int32(rapid.IntRange(0, entries-1).Draw(t, "code"))
		}
	default:
		v = vec.NewFlat(kind, n)
		for i := range n {
			v.SetDatum(i, value(i))
		}
	}
	if v.Enc != vec.Const && rapid.Bool().Draw(t, "nulls") {
		v.MakeValid()
		for i := range n {
			v.Valid.SetTo(i, rapid.Bool().Draw(t, "valid"))
		}
	}
	return v
}

func rowsOf(b *vec.Batch) (out []string) {
	for i := range b.Rows() {
		out = append(out, rowText(b, rowAt(b, i)))
	}
	return out
}

// TestStagedRowsComeInOrder holds the buffer, the router and the scatter against rows kept as text.
func TestStagedRowsComeInOrder(t *testing.T) {
	kinds := []types.Type{types.Of(types.Date), types.Of(types.Text), types.Of(types.Int64), types.Of(types.Bool), types.Of(types.Int16),
		types.DecimalOf(30, 2), types.ArrayOf(types.Of(types.Int64))}
	schema := make(types.Schema, len(kinds))
	for i, kind := range kinds {
		schema[i] = types.Field{Type: kind, Nullable: true}
	}
	rapid.Check(t, func(t *rapid.T) {
		ids := uint64(0)
		partitioned := rapid.SampledFrom([][]int{{}, {0}, {1}, {2}, {4}, {0, 1}}).Draw(t, "partition columns")
		r := router{numbers: map[string]int{}, ordinal: partitioned}
		if len(partitioned) == 0 {
			r.values = append(r.values, nil)
		}
		stage, order := rowBuffer{share: rapid.Bool().Draw(t, "share")}, scatter{}
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			var numbers []int32
			wanted := map[string][]string{}
			for range rapid.IntRange(1, 4).Draw(t, "batches") {
				n := rapid.IntRange(1, 12).Draw(t, "rows")
				b := &vec.Batch{Cols: make([]vec.Vector, len(kinds)), Len: n}
				for i, kind := range kinds {
					b.Cols[i] = *columnOf(t, kind, n, &ids)
				}
				if rapid.Bool().Draw(t, "selected") {
					b.Sel = []int32{}
					for i := range n {
						if rapid.Bool().Draw(t, "select") {
							b.Sel = append(b.Sel, int32(i))
						}
					}
				}
				if b.Rows() == 0 {
					continue
				}
				for i, text := range rowsOf(b) {
					key := ""
					for _, ordinal := range partitioned {
						key += fmt.Sprintf("%+v|", b.Cols[ordinal].Datum(rowAt(b, i)))
					}
					wanted[key] = append(wanted[key], text)
				}
				numbers = r.route(numbers, b)
				stage.add(schema, b)
			}
			if stage.rows() != len(numbers) {
				t.Fatalf("%d rows of %d", stage.rows(), len(numbers))
			}
			if len(numbers) == 0 {
				continue
			}
			order.order(stage.batch(), numbers, r.known())
			for number := range r.known() {
				key := ""
				for _, value := range r.values[number] {
					key += fmt.Sprintf("%+v|", value)
				}
				if got := rowsOf(order.part(number)); !slices.Equal(got, wanted[key]) {
					t.Fatalf("partition %s holds %v, want %v", key, got, wanted[key])
				}
				delete(wanted, key)
			}
			if len(wanted) > 0 {
				t.Fatalf("rows got lost: %v", wanted)
			}
			stage.reset(true)
		}
	})
}
