package op

import (
	"math/rand/v2"
	"testing"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// learn makes the filter of some integers.
func learn(pool *memory.Pool, bloom bool, values []int64) *Learnt {
	v := vec.NewFlat(types.Of(types.Int64), 0)
	list := make([]int32, len(values))
	least, most := values[0], values[0]
	for i, x := range values {
		v.AppendDatum(types.IntDatum(x))
		list[i], least, most = int32(i), min(least, x), max(most, x)
	}
	low, high := types.IntDatum(least), types.IntDatum(most)
	l := &Learnt{Minimum: &low, Maximum: &high}
	if l.Members = NewBitmap(least, uint64(most)-uint64(least)+1, pool, "test"); bloom {
		l.Members.Free()
		l.Members = NewBloom(len(values), pool, "test")
	}
	var hasher rows.Hasher
	l.Members.Add(v, list, &hasher, make([]uint64, len(list)))
	return l
}

func TestMergedFiltersLetAllValuesThroughAfterTheirJourney(t *testing.T) {
	pool := memory.NewRoot("test", memory.Unlimited)
	r := rand.New(rand.NewPCG(5, 6))
	long := types.Of(types.Int64)
	for round := range 60 {
		bloom := round%2 == 0
		var parts []*Learnt
		var all []int64
		for range 1 + r.IntN(4) {
			var values []int64
			for range 1 + r.IntN(400) {
				values = append(values, int64(r.IntN(20_000)-7000))
			}
			all = append(all, values...)
			encoded, err := learn(pool, bloom, values).Encode()
			if err != nil {
				t.Fatal(err)
			}
			part, err := DecodeLearnt(encoded)
			if err != nil || part.Members == nil {
				t.Fatal(part, err)
			}
			parts = append(parts, part, &Learnt{None: true})
		}
		merged := MergeLearnt(long, parts)
		v := vec.NewFlat(long, 0)
		for x := int64(-8000); x < 14_000; x++ {
			v.AppendDatum(types.IntDatum(x))
		}
		list := make([]int32, v.Len)
		for i := range list {
			list[i] = int32(i)
		}
		test := &memberTest{}
		passed := map[int64]bool{}
		for _, row := range test.test(merged, v, list, make([]int32, len(list))) {
			passed[int64(row)-8000] = true
		}
		members := map[int64]bool{}
		for _, x := range all {
			members[x] = true
			if !passed[x] {
				t.Fatalf("round %d: %d was held back", round, x)
			}
		}
		if !bloom && len(passed) != len(members) || bloom && len(passed) > len(members)+8000 {
			t.Fatalf("round %d: %d passed of %d members", round, len(passed), len(members))
		}
	}
	if merged := MergeLearnt(long, []*Learnt{{None: true}, {None: true}}); !merged.None {
		t.Fatal("nothing and nothing is something")
	}
	for _, damaged := range []string{"", "{", `{"Span":"70","Bits":"AAAAAAAA"}`, `{"Bits":"AAAAAAAAAAAAAAAAAAAAAAAA"}`, `{"Span":"99999999999","Bits":"AAAAAAAA"}`,
		`{"Span":"70","Gaps":"AA=="}`, `{"Span":"70","Gaps":"Rwk="}`, `{"Span":"70","Gaps":"gA=="}`, `{"Span":"70","Gaps":"A"}`,
		`{"Gaps":"AQ=="}`, `{"Span":"99999999999","Gaps":"AQ=="}`, `{"Span":"70","Gaps":"AQ==","Bits":"AAAAAAAAAAAAAAAA"}`} {
		if _, err := DecodeLearnt([]byte(damaged)); err == nil {
			t.Errorf("%q was accepted", damaged)
		}
	}
}

// TestBitmapsTooLargeToSend still hold nearly all other values back: they travel as Bloom filters, and
// meet bitmaps of other tasks.
func TestBitmapsTooLargeToSend(t *testing.T) {
	pool := memory.NewRoot("test", memory.Unlimited)
	r := rand.New(rand.NewPCG(7, 8))
	long := types.Of(types.Int64)
	for _, spans := range [][]int64{{100_000_000}, {100_000_000, 90_000_000}, {100_000_000, 5000}, {12_000_000, 12_000_000}} {
		var parts []*Learnt
		members := map[int64]bool{}
		for i, span := range spans {
			values := []int64{int64(i) * 8_000_000, int64(i)*8_000_000 + span}
			for range 5000 {
				values = append(values, int64(i)*8_000_000+r.Int64N(span))
			}
			for _, x := range values {
				members[x] = true
			}
			learnt := learn(pool, false, values)
			if own := learnt.Own(); own.Members == nil || own.Members == learnt.Members {
				t.Fatal("a copy lacks its set")
			}
			encoded, err := learnt.Encode()
			if err != nil {
				t.Fatal(err)
			}
			part, err := DecodeLearnt(encoded)
			if err != nil || part.Members == nil {
				t.Fatal(part, err)
			}
			parts = append(parts, part)
		}
		merged := MergeLearnt(long, parts)
		v := vec.NewFlat(long, 0)
		for x := range members {
			v.AppendDatum(types.IntDatum(x))
		}
		others := 0
		for ; others < 50_000; others++ {
			x := r.Int64N(110_000_000)
			for members[x] {
				x++
			}
			v.AppendDatum(types.IntDatum(x))
		}
		list := sequence(nil, v.Len)
		passed := (&memberTest{}).test(merged, v, list[:v.Len], make([]int32, v.Len))
		for row := range len(members) {
			if row >= len(passed) || passed[row] != int32(row) {
				t.Fatalf("spans %v: member in row %d was held back", spans, row)
			}
		}
		if wrong := len(passed) - len(members); wrong > others/50 {
			t.Errorf("spans %v: %d of %d others pass", spans, wrong, others)
		}
	}
}
