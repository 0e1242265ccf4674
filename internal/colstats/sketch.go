package colstats

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
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
	const most = mostRank
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

// Pack gives the sketches' bytes.
func (s Sketches) Pack() []byte {
	ids := make([]int32, 0, len(s))
	for id, sketch := range s {
		if sketch.ranks != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	out := []byte{formatVersion}
	for _, id := range ids {
		out = binary.AppendVarint(out, int64(id))
		out = s[id].pack(out)
	}
	return out
}

// The forms of a packed sketch: the ranks that are not 0 with the gaps before them, or half a byte
// a rank, above a base, with those that are larger behind.
const (
	packedSparse = 1
	packedDense  = 2
	// beyond marks, in a half byte, a rank of which the list of large ones tells.
	beyond = 15
)

func (s *Sketch) pack(out []byte) []byte {
	sparse := []byte{packedSparse}
	used, last := 0, -1
	for i, rank := range s.ranks {
		if rank > 0 {
			used++
			sparse = binary.AppendUvarint(sparse, uint64(i-last))
			sparse = append(sparse, rank)
			last = i
		}
	}
	sparse = append(sparse, 0)
	if used < registers/4 {
		return append(out, sparse...)
	}
	base := slices.Min(s.ranks)
	out = append(out, packedDense, base)
	var large []byte
	for i := 0; i < registers; i += 2 {
		var halves [2]byte
		for j := range halves {
			if halves[j] = s.ranks[i+j] - base; halves[j] >= beyond {
				large = binary.AppendUvarint(large, uint64(i+j))
				large = append(large, s.ranks[i+j])
				halves[j] = beyond
			}
		}
		out = append(out, halves[0]|halves[1]<<4)
	}
	return append(out, large...)
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
	r := reader{rest: packed[1:]}
	for len(r.rest) > 0 {
		id := int32(r.varint())
		ranks := make([]uint8, registers)
		switch r.byte() {
		case packedSparse:
			r.sparse(ranks)
		case packedDense:
			r.dense(ranks)
		default:
			r.failed = true
		}
		if r.failed {
			return nil, corrupt("the sketch of column %d is malformed", id)
		}
		out[id] = &Sketch{ranks}
	}
	return out, nil
}

// mostRank is the greatest rank that a hash can have.
const mostRank = 64 - precision + 1

func (r *reader) sparse(ranks []uint8) {
	for at := int64(-1); !r.failed; {
		gap := r.uvarint()
		if gap == 0 {
			return
		}
		if at += int64(min(gap, registers+1)); at >= registers {
			r.failed = true
			return
		}
		ranks[at] = min(r.byte(), mostRank)
	}
}

func (r *reader) dense(ranks []uint8) {
	base := r.byte()
	large := 0
	for i, halves := range r.bytes(registers / 2) {
		for j, half := range [2]uint8{halves & 15, halves >> 4} {
			ranks[2*i+j] = min(base+half, mostRank)
			if half == beyond {
				large++
			}
		}
	}
	for range large {
		at := r.uvarint()
		if at >= registers {
			r.failed = true
			return
		}
		ranks[at] = min(r.byte(), mostRank)
	}
}
