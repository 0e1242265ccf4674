package fifo

import (
	"math/rand/v2"
	"testing"
)

// TestScanResistance: what is used often survives a scan of ten times the capacity.
func TestScanResistance(t *testing.T) {
	q := New[int](1000)
	for range 3 {
		for key := range 50 {
			if !q.Use(key) {
				q.Add(key, 10)
			}
		}
	}
	for key := range 1000 {
		q.Add(1000+key, 10)
	}
	kept := 0
	for key := range 50 {
		if q.Use(key) {
			kept++
		}
	}
	if kept < 50 {
		t.Errorf("%d of 50 survive", kept)
	}
	if q.Bytes() > 1000 {
		t.Errorf("%d bytes", q.Bytes())
	}
}

// TestGhostsComeBack: an entry that is asked for again soon after it went stays longer.
func TestGhostsComeBack(t *testing.T) {
	q := New[int](100)
	for key := range 20 {
		q.Add(key, 10)
	}
	if q.Use(5) {
		t.Fatal("5 should have gone")
	}
	q.Add(5, 10)
	for key := range 30 {
		q.Add(100+key, 10)
	}
	if !q.Use(5) {
		t.Error("5 went again")
	}
}

// TestBound adds, uses and removes at random: the sum is that of the entries, and within the bound.
func TestBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	q := New[int](500)
	present := map[int]int64{}
	for range 100_000 {
		key := random.IntN(200)
		switch random.IntN(5) {
		case 0, 1:
			if _, known := present[key]; q.Use(key) != known {
				t.Fatal("Use")
			}
		case 2:
			q.Remove(key)
			delete(present, key)
		default:
			size := int64(random.IntN(600))
			_, known := present[key]
			evicted, ok := q.Add(key, size)
			if ok == (known || size > 500) {
				t.Fatal("Add", size, known, ok)
			}
			for _, gone := range evicted {
				if _, was := present[gone]; !was {
					t.Fatal("evicted what was not there")
				}
				delete(present, gone)
			}
			if ok {
				present[key] = size
			}
		}
		sum := int64(0)
		for _, size := range present {
			sum += size
		}
		if sum != q.Bytes() || sum > 500 || len(present) != q.Len() {
			t.Fatal(sum, q.Bytes(), len(present), q.Len())
		}
	}
	for _, gone := range q.Shrink(0) {
		delete(present, gone)
	}
	if len(present) != 0 && q.Len() != 0 || q.Bytes() != 0 {
		t.Error(len(present), q.Bytes())
	}
}
