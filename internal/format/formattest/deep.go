package formattest

import (
	"fmt"
	"math/rand/v2"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// DeepRows makes rows of row(a int, pad text, inner row(x bigint, pad text, list text[])), every level
// NULL at times.
func DeepRows(rows int) (types.Schema, *vec.Batch, []types.Datum) {
	text := types.Of(types.Text)
	inner := types.RowOf(types.Field{Name: "x", Type: types.Of(types.Int64)}, types.Field{Name: "pad", Type: text}, types.Field{Name: "list", Type: types.ArrayOf(text)})
	typ := types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int32)}, types.Field{Name: "pad", Type: text}, types.Field{Name: "inner", Type: inner})
	schema := types.Schema{{Name: "r", Type: typ, Nullable: true}}
	random := rand.New(rand.NewPCG(4, 4))
	pad := func() types.Datum {
		return types.StringDatum(fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64()))
	}
	maybe := func(d types.Datum) types.Datum {
		if random.IntN(5) == 0 {
			return types.NullDatum()
		}
		return d
	}
	b := vec.NewBatch(schema.Types(), rows)
	values := make([]types.Datum, rows)
	for i := range values {
		list := types.Datum{Items: []types.Datum{}}
		for range random.IntN(3) {
			list.Items = append(list.Items, maybe(pad()))
		}
		in := types.Datum{Items: []types.Datum{maybe(types.IntDatum(int64(i) * 3)), maybe(pad()), maybe(list)}}
		values[i] = maybe(types.Datum{Items: []types.Datum{maybe(types.IntDatum(int64(i))), maybe(pad()), maybe(in)}})
		b.Cols[0].SetDatum(i, values[i])
	}
	return schema, b, values
}

// Only gives a row value with all fields NULL but those at paths.
func Only(d types.Datum, t types.Type, paths [][]int) types.Datum {
	if d.Null || paths == nil || t.Kind != types.Row {
		return d
	}
	out := types.Datum{Items: make([]types.Datum, len(d.Items))}
	for i := range out.Items {
		out.Items[i] = types.NullDatum()
		var below [][]int
		for _, p := range paths {
			switch {
			case p[0] == i && len(p) == 1:
				out.Items[i] = d.Items[i]
			case p[0] == i:
				below = append(below, p[1:])
			}
		}
		if below != nil {
			out.Items[i] = Only(d.Items[i], t.Fields[i].Type, below)
		}
	}
	return out
}
