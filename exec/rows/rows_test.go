package rows

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var everyType = []types.Type{types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64),
	types.DecimalOf(30, 2), types.Of(types.Float32), types.Of(types.Float64), types.Of(types.Interval), types.Of(types.Text),
	types.ArrayOf(types.Of(types.Text)), types.RowOf(types.Field{Name: "a", Type: types.Of(types.Int32)}), types.Of(types.Unknown)}

// few draws from a small set of values, so that equal ones occur.
func few(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(6) == 0 {
		return types.NullDatum()
	}
	n := r.Int64N(4)
	switch t.Physical() {
	case types.PhysBool:
		return types.IntDatum(n & 1)
	case types.PhysInt128:
		return types.Datum{I128: types.Int128{Lo: uint64(n), Hi: n}}
	case types.PhysFloat32, types.PhysFloat64:
		return types.FloatDatum([]float64{0, math.Copysign(0, -1), math.NaN(), 1.5}[n])
	case types.PhysInterval:
		return types.Datum{Span: []types.IntervalValue{{Months: 1}, {Days: 30}, {Micros: 5}, {}}[n]}
	case types.PhysString:
		return types.StringDatum(strings.Repeat("word", int(n*2)))
	case types.PhysList:
		return types.Datum{Items: []types.Datum{types.StringDatum(strings.Repeat("x", int(n))), types.NullDatum()}}
	case types.PhysRow:
		return types.Datum{Items: []types.Datum{types.IntDatum(n)}}
	case types.PhysNone:
		return types.NullDatum()
	}
	return types.IntDatum(n)
}

func column(r *rand.Rand, t types.Type, n int) *vec.Vector {
	v := vec.NewFlat(t, 0)
	for range n {
		v.AppendDatum(few(r, t))
	}
	return v
}

// dictionaryOf makes a column of codes.
func dictionaryOf(r *rand.Rand, t types.Type, n int) *vec.Vector {
	entries := vec.NewFlat(t, 0)
	for entries.Len < 5 {
		if d := few(r, t); !d.Null {
			entries.AppendDatum(d)
		}
	}
	v := &vec.Vector{}
	v.ResizeDict(entries, 0, n)
	valid := v.MakeValid()
	for i := range v.Codes() {
		v.Codes()[i] = int32(r.IntN(5))
		valid.SetTo(i, r.IntN(6) > 0)
	}
	return v
}

func key(t types.Type, d types.Datum) string {
	switch {
	case d.Null:
		return "NULL"
	case t.Kind == types.Float32 || t.Kind == types.Float64:
		return fmt.Sprint(d.F64 + 0)
	case t.Kind == types.Interval:
		return fmt.Sprint(intervalKey(d.Span))
	}
	return fmt.Sprint(d)
}

func all(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

func TestAppendGatherHashEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pool := memory.NewRoot("test", memory.Unlimited)
	store, err := NewStore(NewLayout(everyType), pool, "Test")
	if err != nil {
		t.Fatal(err)
	}
	w := store.NewWriter()
	const n = 500
	var hasher Hasher
	var kept []*vec.Batch
	var numbers []uint32
	for round := range 5 {
		b := &vec.Batch{Len: n}
		cols := make([]*vec.Vector, len(everyType))
		for c, typ := range everyType {
			switch {
			case round%3 == 1 && typ.Kind != types.Unknown:
				cols[c] = dictionaryOf(r, typ, n)
			case round%3 == 2:
				cols[c] = vec.NewConst(typ, few(r, typ), n)
			default:
				cols[c] = column(r, typ, n)
			}
			b.Cols = append(b.Cols, *cols[c])
		}
		got := make([]uint32, n)
		if err := w.Append(cols, all(n), got); err != nil {
			t.Fatal(err)
		}
		kept, numbers = append(kept, b), append(numbers, got...)
	}
	w.Flush()
	if store.Rows() != 5*n {
		t.Fatal(store.Rows())
	}
	for c, typ := range everyType {
		var out vec.Vector
		store.Gather(c, numbers, &out)
		for i := range out.Len {
			want := kept[i/n].Cols[c].Datum(i % n)
			if got := out.Datum(i); !expr.SameDatum(got, want) && key(typ, got) != key(typ, want) {
				t.Fatalf("%s row %d: %v, want %v", typ, i, got, want)
			}
		}
		checkEqual(t, r, store, c, typ, kept, numbers, &hasher)
	}
	store.Free()
	if pool.Used() != 0 {
		t.Fatal("not released:", pool.Used())
	}
}

// checkEqual compares random pairs of stored and given rows with the values' own equality.
func checkEqual(t *testing.T, r *rand.Rand, store *Store, c int, typ types.Type, kept []*vec.Batch, numbers []uint32, hasher *Hasher) {
	for _, given := range kept {
		v := &given.Cols[c]
		list, against, active := make([]int32, 300), make([]uint32, 300), all(300)
		want := map[int32]bool{}
		hashes := make([]uint64, 300)
		for i := range list {
			list[i] = int32(r.IntN(v.Len))
		}
		hasher.Hash([]*vec.Vector{v}, list, hashes)
		for i := range list {
			at := r.IntN(len(numbers))
			against[i] = numbers[at]
			stored := &kept[at/v.Len].Cols[c]
			if key(typ, stored.Datum(at%v.Len)) == key(typ, v.Datum(int(list[i]))) {
				want[int32(i)] = true
				var other [1]uint64
				hasher.Hash([]*vec.Vector{stored}, []int32{int32(at % v.Len)}, other[:])
				if other[0] != hashes[i] {
					t.Fatalf("%s: equal values, different hashes", typ)
				}
			}
		}
		got := store.Equal(c, v, list, against, active, true)
		for j, i := range got {
			if !want[i] || j > 0 && got[j-1] >= i {
				t.Fatalf("%s: %v equal to stored row?", typ, v.Datum(int(list[i])))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d equal pairs, want %d", typ, len(got), len(want))
		}
	}
}

func TestRefusedMemoryNamesTheOperator(t *testing.T) {
	pool := memory.NewRoot("test", 64<<10)
	store, err := NewStore(NewLayout([]types.Type{types.Of(types.Text)}), pool, "Hash Join")
	if err != nil {
		t.Fatal(err)
	}
	w := store.NewWriter()
	v := vec.NewFlat(types.Of(types.Text), 3000)
	for i := range 3000 {
		v.SetString(i, fmt.Sprintf("a string of some length %d", i))
	}
	err = w.Append([]*vec.Vector{v}, all(3000), nil)
	if sqlerr.CodeOf(err) != sqlerr.OutOfMemory || !strings.Contains(err.Error(), "Hash Join") {
		t.Fatal(err)
	}
	store.Free()
	if pool.Used() != 0 {
		t.Fatal("not released:", pool.Used())
	}
}

// numbering is what Groups and IntGroups have in common.
type numbering interface {
	Find(keys []*vec.Vector, list []int32, groups []int32) error
	Count() int
	Keys(from, n int, out []*vec.Vector)
	Reset()
	Free()
}

func TestGroupsNumberDistinctKeys(t *testing.T) {
	pool := memory.NewRoot("test", memory.Unlimited)
	wide, text := types.Of(types.Int64), types.Of(types.Text)
	for _, keys := range [][]types.Type{{wide}, {wide, text}, {text, text}, everyType, {}, {types.Of(types.Int16)}, {types.Of(types.Bool)}} {
		groups, err := NewGroups(keys, 0, pool, "Test")
		if err != nil {
			t.Fatal(err)
		}
		checkGroups(t, keys, groups)
		groups.Reset()
		checkGroups(t, keys, groups)
		groups.Free()
		if len(keys) == 1 {
			narrow, err := NewIntGroups(keys[0], 8, pool, "Test")
			if err != nil {
				t.Fatal(err)
			}
			checkGroups(t, keys, narrow)
			narrow.Reset()
			checkGroups(t, keys, narrow)
			narrow.Free()
		}
	}
	if pool.Used() != 0 {
		t.Fatal("not released:", pool.Used())
	}
}

// keyColumn makes a key column in some encoding; wide integers have many values.
func keyColumn(r *rand.Rand, typ types.Type, round, n int, many bool) *vec.Vector {
	switch {
	case round%4 == 1 && typ.Kind != types.Unknown:
		return dictionaryOf(r, typ, n)
	case round%7 == 2:
		return vec.NewConst(typ, few(r, typ), n)
	}
	v := column(r, typ, n)
	if typ.Kind == types.Int64 && many {
		for i := range n {
			vec.Values[int64](v)[i] = r.Int64N(3000) >> r.IntN(3)
			if i > 0 && r.IntN(2) == 0 {
				vec.Values[int64](v)[i] = vec.Values[int64](v)[i-1]
			}
		}
	}
	return v
}

func checkGroups(t *testing.T, keys []types.Type, groups numbering) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	want := map[string]int32{}
	for round := range 16 {
		cols := make([]*vec.Vector, len(keys))
		for c, typ := range keys {
			cols[c] = keyColumn(r, typ, round, 1000, len(keys) < 3)
		}
		var list []int32
		for i := range 1000 {
			if round%2 == 0 || r.IntN(3) > 0 {
				list = append(list, int32(i))
			}
		}
		got := make([]int32, len(list))
		if err := groups.Find(cols, list, got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			text := ""
			for c, typ := range keys {
				text += key(typ, cols[c].Datum(int(list[i]))) + "\x00"
			}
			number, known := want[text]
			if !known {
				number = got[i]
				want[text] = number
			}
			if got[i] != number {
				t.Fatalf("%v: key %q: group %d, before %d", keys, text, got[i], number)
			}
		}
	}
	if groups.Count() != len(want) {
		t.Fatalf("%v: %d groups, want %d", keys, groups.Count(), len(want))
	}
	out := make([]*vec.Vector, len(keys))
	for c := range out {
		out[c] = &vec.Vector{}
	}
	groups.Keys(0, groups.Count(), out)
	for g := range groups.Count() {
		text := ""
		for c, typ := range keys {
			text += key(typ, out[c].Datum(g)) + "\x00"
		}
		if want[text] != int32(g) {
			t.Fatalf("%v: group %d has key %q", keys, g, text)
		}
	}
}
