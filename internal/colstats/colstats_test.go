package colstats

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func TestSketchEstimates(t *testing.T) {
	for _, n := range []int{0, 1, 10, 500, 5_000, 100_000, 1_000_000} {
		var s, other Sketch
		for i := range n {
			if i%2 == 0 {
				s.add(mix(uint64(i)))
			} else {
				other.add(mix(uint64(i)))
			}
			s.add(mix(uint64(i / 2 * 2))) // repeats change nothing
		}
		s.Merge(&other)
		if e := s.Estimate(); math.Abs(e-float64(n)) > 0.07*float64(n)+0.5 {
			t.Errorf("%d distinct values: estimate %.1f", n, e)
		}
		packed := Sketches{7: &s, 9: &other}.Pack()
		back, err := UnpackSketches(packed)
		if err != nil {
			t.Fatal(err)
		}
		if n > 10_000 && len(packed) > 2*1100 {
			t.Errorf("%d: %d bytes for two sketches", n, len(packed))
		}
		if other.ranks != nil && !slices.Equal(back[9].ranks, other.ranks) || s.ranks != nil && !slices.Equal(back[7].ranks, s.ranks) {
			t.Errorf("%d: a sketch changed on the way", n)
		}
		for cut := 2; cut < len(packed); cut += 1 + cut/50 {
			if _, err := UnpackSketches(packed[:cut]); err == nil && n > 10_000 && cut < len(packed)/3 {
				t.Errorf("%d: cut at %d of %d goes unnoticed", n, cut, len(packed))
			}
		}
		if n > 0 && back[7].Estimate() != s.Estimate() {
			t.Errorf("%d: unpacked estimate %.1f, want %.1f", n, back[7].Estimate(), s.Estimate())
		}
	}
}

// slow computes the same from datums, one by one.
func slow(kind types.Type, values []types.Datum) (nulls int64, low, high *types.Datum, distinct int) {
	seen := map[string]bool{}
	for _, d := range values {
		if d.Null {
			nulls++
			continue
		}
		if kind.Kind == types.Char {
			d.Str = strings.TrimRight(d.Str, " ")
		}
		seen[fmt.Sprintf("%+v", d)] = true
		if low == nil || types.CompareDatums(kind, d, *low) < 0 {
			low = &d
		}
		if high == nil || types.CompareDatums(kind, d, *high) > 0 {
			high = &d
		}
	}
	return nulls, low, high, len(seen)
}

func TestCollectorAgreesWithSlow(t *testing.T) {
	kinds := []types.Type{
		types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Date), types.Of(types.Int64), types.Of(types.Float32),
		types.Of(types.Float64), types.DecimalOf(38, 4), types.Of(types.Text), {Kind: types.Char, Length: 4}, types.Of(types.Interval),
	}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "type")
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) types.Datum { return draw(t, kind) }), 0, 40).Draw(t, "values")
		flat := vec.NewFlat(kind, len(values))
		for i, d := range values {
			flat.SetDatum(i, d)
		}
		c := Collector{ID: 3, Type: kind}
		switch rapid.IntRange(0, 2).Draw(t, "shape") {
		case 0:
			c.Add(flat, nil)
		case 1: // a selection, in two steps
			var even, odd []int32
			for i := range values {
				if i%2 == 0 {
					even = append(even, int32(i))
				} else {
					odd = append(odd, int32(i))
				}
			}
			c.Add(flat, append([]int32{}, even...))
			c.Add(flat, append([]int32{}, odd...))
		case 2:
			c.Add(dictionary(kind, values), nil)
		}
		check(t, kind, values, &c)
	})
}

// dictionary gives the values as codes into a dictionary that also has an entry nobody refers to.
func dictionary(kind types.Type, values []types.Datum) *vec.Vector {
	dict := vec.NewFlat(kind, len(values)+1)
	for i, d := range values {
		if !d.Null {
			dict.SetDatum(i, d)
		}
	}
	out := &vec.Vector{}
	out.ResizeDict(dict, 0, len(values))
	for i, d := range values {
		vec.Values[int32](out)[i] = int32(i)
		if d.Null {
			out.SetNull(i)
		}
	}
	return out
}

func check(t *rapid.T, kind types.Type, values []types.Datum, c *Collector) {
	nulls, low, high, distinct := slow(kind, values)
	got := c.Column()
	if got.Nulls != nulls || c.Rows() != int64(len(values)) {
		t.Fatalf("%d nulls of %d, want %d of %d", got.Nulls, c.Rows(), nulls, len(values))
	}
	if (low == nil) != (got.Minimum == nil) || low != nil && types.CompareDatums(kind, *got.Minimum, *low) > 0 {
		t.Fatalf("minimum %+v, want %+v", got.Minimum, low)
	}
	if got.Maximum != nil && types.CompareDatums(kind, *got.Maximum, *high) < 0 {
		t.Fatalf("maximum %+v below %+v", got.Maximum, high)
	}
	if math.Abs(got.Distinct-float64(distinct)) > 2+0.1*float64(distinct) {
		t.Fatalf("%.1f distinct, want %d", got.Distinct, distinct)
	}
	packed := (&Summary{Rows: c.Rows(), Columns: []Column{got}}).Pack()
	back, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	got.Distinct = math.Round(got.Distinct)
	if !reflect.DeepEqual(back.Columns[0], got) && got.Minimum != nil && got.Minimum.F64 == got.Minimum.F64 && got.Maximum != nil && got.Maximum.F64 == got.Maximum.F64 {
		t.Fatalf("unpacked %+v, want %+v", back.Columns[0], got)
	}
	var bounds Bounds
	rows, found, err := Lookup(packed, c.ID, &bounds)
	if err != nil || !found || rows != c.Rows() || bounds.Nulls != got.Nulls || bounds.Low != (got.Minimum != nil) || bounds.High != (got.Maximum != nil) ||
		bounds.Low && types.CompareDatums(kind, bounds.Minimum, *got.Minimum) != 0 || bounds.High && types.CompareDatums(kind, bounds.Maximum, *got.Maximum) != 0 {
		t.Fatalf("looked up %+v, %v; want %+v", bounds, err, got)
	}
	other := append([]Column{{ID: -1, Physical: got.Physical, Minimum: got.Minimum, Maximum: got.Maximum, Distinct: 3}}, got)
	if _, found, err := Lookup((&Summary{Rows: 5, Columns: other}).Pack(), c.ID+1, &bounds); found || err != nil {
		t.Fatalf("found a column that is not there, %v", err)
	}
	for cut := range packed {
		if _, err := Unpack(packed[:cut]); sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

func draw(t *rapid.T, kind types.Type) types.Datum {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return types.NullDatum()
	}
	switch kind.Physical() {
	case types.PhysBool:
		return types.BoolDatum(rapid.Bool().Draw(t, "v"))
	case types.PhysFloat32:
		return types.FloatDatum(float64(rapid.Float32().Draw(t, "v")))
	case types.PhysFloat64:
		return types.FloatDatum(rapid.Float64().Draw(t, "v"))
	case types.PhysInt128:
		return types.Datum{I128: types.MulInt64(rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b"))}
	case types.PhysInterval:
		return types.Datum{Span: types.IntervalValue{Micros: rapid.Int64Range(-9, 9).Draw(t, "v"), Days: rapid.Int32Range(-40, 40).Draw(t, "d")}}
	case types.PhysString:
		if kind.Kind == types.Char {
			return types.StringDatum(rapid.StringMatching(`[a-b\x01]{0,2} {0,2}`).Draw(t, "v"))
		}
		return types.StringDatum(strings.Repeat(rapid.StringMatching(`[aé\x{10ffff}]{0,3}`).Draw(t, "v"), rapid.IntRange(0, 30).Draw(t, "n")))
	}
	return types.IntDatum(rapid.Int64Range(-100, 100).Draw(t, "v"))
}

func TestMergeKeepsWhatBothKnow(t *testing.T) {
	kind := types.Of(types.Int64)
	typeOf := func(int32) (types.Type, bool) { return kind, true }
	make := func(id int32, values ...int64) *Summary {
		c := Collector{ID: id, Type: kind}
		v := vec.NewFlat(kind, len(values))
		copy(vec.Values[int64](v), values)
		c.Add(v, nil)
		return &Summary{Rows: c.Rows(), Columns: []Column{c.Column()}}
	}
	s := &Summary{}
	s.Merge(make(1, 5, 7), typeOf)
	s.Merge(make(1, -2), typeOf)
	if c := s.Column(1); s.Rows != 3 || c.Minimum.I64 != -2 || c.Maximum.I64 != 7 {
		t.Errorf("merged to %+v", s)
	}
	s.Merge(make(2, 1), typeOf)
	if s.Rows != 4 || len(s.Columns) != 0 {
		t.Errorf("a column that half of the rows lack must become unknown: %+v", s)
	}
}
