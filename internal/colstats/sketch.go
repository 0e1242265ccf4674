package colstats

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// precision is the number of hash bits that choose a register: 2,048 registers estimate distinct
// counts within 2.3 % (one standard error).
const (
	precision = 11
	registers = 1 << precision
)

// Sketch is a HyperLogLog sketch. The zero value is empty.
type Sketch struct{ ranks []uint8 }

// SketchOf makes a sketch of 2,048 ranks, which a writer collected from xxh3 hashes of strings and
// mixed words as Collector makes them. It keeps ranks.
func SketchOf(ranks []uint8) *Sketch {
	for _, rank := range ranks {
		if rank > 0 {
			return &Sketch{ranks}
		}
	}
	return &Sketch{}
}

// add counts a value by its 64-bit hash.
func (s *Sketch) add(hash uint64) {
	if s.ranks == nil {
		s.ranks = make([]uint8, registers)
	}
	at := hash >> (64 - precision)
	rank := uint8(bits.LeadingZeros64(hash<<precision|1<<(precision-1))) + 1
	if rank > s.ranks[at] {
		s.ranks[at] = rank
	}
}

// Merge adds the values of other.
func (s *Sketch) Merge(other *Sketch) {
	if other.ranks == nil {
		return
	}
	if s.ranks == nil {
		s.ranks = slices.Clone(other.ranks)
		return
	}
	for i, rank := range other.ranks {
		s.ranks[i] = max(s.ranks[i], rank)
	}
}

// Estimate gives the number of distinct values, by Ertl's improved estimator.
func (s *Sketch) Estimate() float64 {
	if s.ranks == nil {
		return 0
	}
	const most = 64 - precision + 1
	var counts [most + 1]float64
	for _, rank := range s.ranks {
		counts[rank]++
	}
	const m = float64(registers)
	z := m * tau(1-counts[most]/m)
	for k := most - 1; k >= 1; k-- {
		z = 0.5 * (z + counts[k])
	}
	z += m * sigma(counts[0]/m)
	return m * m / (2 * math.Ln2 * z)
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		last := z
		z += x * y
		y += y
		if z == last {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		last := z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
		if z == last {
			return z / 3
		}
	}
}

// Sketches holds one sketch a column.
type Sketches map[int32]*Sketch

// Merge adds the values of other.
func (s Sketches) Merge(other Sketches) {
	for id, sketch := range other {
		mine := s[id]
		if mine == nil {
			mine = &Sketch{}
			s[id] = mine
		}
		mine.Merge(sketch)
	}
}

// Pack gives the sketches' bytes, compressed.
func (s Sketches) Pack() []byte {
	ids := make([]int32, 0, len(s))
	for id, sketch := range s {
		if sketch.ranks != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	plain := make([]byte, 0, len(ids)*(registers+4))
	for _, id := range ids {
		plain = binary.AppendVarint(plain, int64(id))
		plain = append(plain, s[id].ranks...)
	}
	// The options are constant and valid: NewWriter cannot fail.
	encoder, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	return encoder.EncodeAll(plain, []byte{formatVersion})
}

// UnpackSketches reads what Pack wrote; nothing gives no sketches.
func UnpackSketches(packed []byte) (Sketches, error) {
	out := Sketches{}
	if len(packed) == 0 {
		return out, nil
	}
	if packed[0] != formatVersion {
		return nil, corrupt("sketches of version %d", packed[0])
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	plain, err := decoder.DecodeAll(packed[1:], nil)
	if err != nil {
		return nil, corrupt("sketches: %v", err)
	}
	r := reader{rest: plain}
	for len(r.rest) > 0 {
		id := int32(r.varint())
		ranks := slices.Clone(r.bytes(registers))
		if r.failed {
			return nil, corrupt("sketches are cut short")
		}
		for i := range ranks {
			ranks[i] = min(ranks[i], 64-precision+1)
		}
		out[id] = &Sketch{ranks}
	}
	return out, nil
}
