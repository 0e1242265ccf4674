package orc

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// readerOf gives a reader of integers over bytes.
func readerOf(data []byte, signed bool) *intReader {
	r := &intReader{v2: true, signed: signed}
	r.in.buffer = append(make([]byte, 0, len(data)+slack), data...)
	return r
}

// TestNarrowValuesTakeFewBytes holds that values far from zero but near each other are stored by what they
// differ from the least, and wide ones in as many bits as they have.
func TestNarrowValuesTakeFewBytes(t *testing.T) {
	codec, _ := newCompressor(Uncompressed, 0)
	for _, c := range []struct {
		least, spread int64
		most          int // bytes for 512 values
	}{{9190, 31, 512 + 10}, {-9190, 200, 512 + 10}, {1 << 40, 200, 512 + 14}, {0, 1 << 20, 512*21/8 + 8}} {
		w := &intWriter{signed: true}
		w.out.compressor = codec
		random := rand.New(rand.NewPCG(1, 2))
		var want []int64
		for range 512 {
			want = append(want, c.least+random.Int64N(c.spread))
			w.add(want[len(want)-1])
		}
		data, err := w.finish()
		if err != nil || len(data) > c.most {
			t.Errorf("%d values of %d from %d on take %d bytes, %v", len(want), c.spread, c.least, len(data), err)
		}
		got := make([]int64, len(want))
		if err := readerOf(data, true).read(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d from %d on: other values, %v", c.spread, c.least, err)
		}
	}
}

func TestRunsOfIntegers(t *testing.T) {
	codec, _ := newCompressor(Uncompressed, 0)
	kinds := [4]int{}
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := newPattern(random)
		w := &intWriter{signed: seed%2 == 0}
		w.out.compressor = codec
		var want []int64
		for range 1 + random.IntN(1200) {
			v := p.number()
			if p.shape == 2 && random.IntN(20) == 0 {
				for range random.IntN(30) {
					want = append(want, v)
				}
			}
			if !w.signed && v < 0 {
				v = -(v + 1)
			}
			want = append(want, v)
		}
		if !w.signed {
			for i, v := range want {
				want[i] = max(v, -(v + 1))
			}
		}
		for _, v := range want {
			w.add(v)
		}
		data, err := w.finish()
		if err != nil {
			t.Fatal(err)
		}
		r := readerOf(data, w.signed)
		got := make([]int64, len(want))
		for at := 0; at < len(got); {
			n := min(len(got)-at, 1+random.IntN(700))
			if err := r.read(got[at : at+n]); err != nil {
				t.Fatalf("seed %d, shape %d: %v at %d of %d", seed, p.shape, err, at, len(got))
			}
			at += n
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, shape %d: other values", seed, p.shape)
		}
		if r.in.at != len(data) {
			t.Fatalf("seed %d: %d bytes of %d used", seed, r.in.at, len(data))
		}
		skipping := readerOf(data, w.signed)
		for at := 0; at < len(want); {
			n := min(len(want)-at, random.IntN(900))
			if err := skipping.skip(n); err != nil {
				t.Fatal(err)
			}
			if at += n; at < len(want) {
				var one [1]int64
				if err := skipping.read(one[:]); err != nil || one[0] != want[at] {
					t.Fatalf("seed %d: value %d after skipping is %d, want %d (%v)", seed, at, one[0], want[at], err)
				}
				at++
			}
		}
		for r := readerOf(data, w.signed); len(r.in.buffer)-r.in.at >= 2; {
			kinds[r.in.buffer[r.in.at]>>6]++
			if _, err := r.decode(r.run[:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for kind, n := range kinds {
		if n < 20 {
			t.Errorf("kind %d was chosen %d times", kind, n)
		}
	}
}

// TestSpecifiedRuns decodes the examples of the format's specification.
func TestSpecifiedRuns(t *testing.T) {
	patched := []int64{2030, 2000, 2020, 1000000}
	for v := int64(2040); v <= 2190; v += 10 {
		patched = append(patched, v)
	}
	for _, c := range []struct {
		data []byte
		want []int64
	}{
		{[]byte{0x0a, 0x27, 0x10}, []int64{10000, 10000, 10000, 10000, 10000}},
		{[]byte{0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef}, []int64{23713, 43806, 57005, 48879}},
		{[]byte{0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c,
			0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8}, patched},
		{[]byte{0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46}, []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}},
	} {
		got := make([]int64, len(c.want))
		if err := readerOf(c.data, false).read(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%x: %v, want %v (%v)", c.data, got, c.want, err)
		}
	}
	for _, c := range []struct {
		data []byte
		want []int64
	}{
		{[]byte{0x61, 0x00, 0x07}, slices.Repeat([]int64{7}, 100)},
		{[]byte{0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b}, []int64{2, 3, 6, 7, 11}},
	} {
		r := readerOf(c.data, false)
		r.v2 = false
		got := make([]int64, len(c.want))
		if err := r.read(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%x: %v, want %v (%v)", c.data, got, c.want, err)
		}
	}
}

func TestHybridCalendar(t *testing.T) {
	for _, c := range [][2]int64{{-141427, -141427}, {-141428, -141438}, {0, 0}, {-719164, -719162}, {-719530 + 400, -719528 + 400}} {
		if got := prolepticDay(c[0]); got != c[1] {
			t.Errorf("day %d becomes %d, want %d", c[0], got, c[1])
		}
	}
}
