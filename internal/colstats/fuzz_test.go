package colstats

import (
	"math"
	"reflect"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// FuzzUnpack reads any bytes as packed statistics and sketches: an error of damage, or a summary
// that packs and unpacks to itself, of which Lookup sees the same columns.
func FuzzUnpack(f *testing.F) {
	low, high := types.StringDatum("a"), types.StringDatum("zz")
	number, wide := types.IntDatum(-5), types.Datum{I128: types.Int128FromInt64(-7)}
	f.Add((&Summary{Rows: 10, Columns: []Column{
		{ID: 1, Physical: types.PhysString, Nulls: 2, Bytes: 9, Minimum: &low, Maximum: &high, Distinct: 3},
		{ID: -4, Physical: types.PhysInt64, Minimum: &number}, {ID: 9, Physical: types.PhysInt128, Maximum: &wide}}}).Pack())
	var sparse, dense Sketch
	for i := range uint64(3000) {
		dense.add(mix(i))
		if i < 5 {
			sparse.add(mix(i))
		}
	}
	f.Add(Sketches{1: &sparse, 2: &dense}.Pack())
	f.Add([]byte{formatVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 5})
	f.Fuzz(func(t *testing.T, packed []byte) {
		checkSummary(t, packed)
		sketches, err := UnpackSketches(packed)
		if err != nil {
			if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
				t.Fatal(err)
			}
			return
		}
		again, err := UnpackSketches(sketches.Pack())
		if err != nil {
			t.Fatal(err)
		}
		for id, s := range sketches {
			estimate := s.Estimate()
			if math.IsNaN(estimate) || estimate < 0 {
				t.Fatalf("estimate %v", estimate)
			}
			if back := again[id]; back == nil || !reflect.DeepEqual(back.ranks, s.ranks) {
				t.Fatalf("the sketch of column %d changed", id)
			}
		}
		sketches.Merge(again)
	})
}

func checkSummary(t *testing.T, packed []byte) {
	s, err := Unpack(packed)
	if err != nil {
		if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Fatal(err)
		}
		return
	}
	first := s.Pack()
	again, err := Unpack(first)
	if err != nil {
		t.Fatalf("%x packs as %x: %v", packed, first, err)
	}
	if second := again.Pack(); string(second) != string(first) {
		t.Fatalf("%x packs as %x and then %x", packed, first, second)
	}
	seen := map[int32]bool{}
	for i := range s.Columns {
		c := &s.Columns[i]
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		var b Bounds
		rows, found, err := Lookup(packed, c.ID, &b)
		if err != nil || !found || rows != s.Rows || b.Nulls != c.Nulls || b.Low != (c.Minimum != nil) || b.High != (c.Maximum != nil) || b.Physical != c.Physical {
			t.Fatalf("column %d: %+v (%v), want %+v", c.ID, b, err, c)
		}
		if b.Low && b.Minimum.Str != c.Minimum.Str || b.High && b.Maximum.I64 != c.Maximum.I64 {
			t.Fatalf("column %d: %+v, want %+v", c.ID, b, c)
		}
	}
}
