package parquet

import (
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

const (
	sketchBits      = 11
	sketchRegisters = 1 << sketchBits
)

// DistinctSketch estimates the number of distinct values that it has seen (HyperLogLog with 2048
// registers: 2.3 % standard error). Sketches of parts merge into the sketch of the whole. The zero
// value is empty.
type DistinctSketch struct {
	registers [sketchRegisters]uint8
}

// addHash counts a value by its 64-bit hash.
func (s *DistinctSketch) addHash(h uint64) {
	slot := h >> (64 - sketchBits)
	rank := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	if s.registers[slot] < rank {
		s.registers[slot] = rank
	}
}

// hashWord mixes a fixed-width value; equal values of different widths hash alike.
func hashWord(v uint64) uint64 {
	v ^= v >> 32
	v *= 0xd6e8feb86659fd93
	v ^= v >> 32
	v *= 0xd6e8feb86659fd93
	return v ^ v>>32
}

// AddBytes counts a string.
func (s *DistinctSketch) AddBytes(b []byte) { s.addHash(xxh3.Hash(b)) }

// AddWord counts an integer, or the bits of a double.
func (s *DistinctSketch) AddWord(v uint64) { s.addHash(hashWord(v)) }

// Merge adds what o has seen.
func (s *DistinctSketch) Merge(o *DistinctSketch) {
	for i, r := range o.registers {
		s.registers[i] = max(s.registers[i], r)
	}
}

// Registers gives the sketch's 2048 ranks; a copy.
func (s *DistinctSketch) Registers() []uint8 { return append([]uint8(nil), s.registers[:]...) }

// Estimate gives the number of distinct values.
func (s *DistinctSketch) Estimate() float64 {
	sum, zeros := 0.0, 0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = float64(sketchRegisters)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		return m * math.Log(m/float64(zeros))
	}
	return estimate
}

// MarshalBinary packs the sketch: the registers that are set as (gap, rank) when few, else all.
func (s *DistinctSketch) MarshalBinary() ([]byte, error) {
	out := []byte{1}
	gap := 0
	for _, r := range s.registers {
		if r == 0 {
			gap++
			continue
		}
		for ; gap > 254; gap -= 254 {
			out = append(out, 255)
		}
		out = append(out, byte(gap), r)
		gap = 0
	}
	if len(out) > sketchRegisters {
		return append([]byte{2}, s.registers[:]...), nil
	}
	return out, nil
}

// UnmarshalBinary reads what MarshalBinary gave.
func (s *DistinctSketch) UnmarshalBinary(data []byte) error {
	*s = DistinctSketch{}
	bad := sqlerr.New(sqlerr.DataCorrupted, "distinct-value sketch is malformed")
	if len(data) == 0 {
		return bad
	}
	switch kind, data := data[0], data[1:]; {
	case kind == 2 && len(data) == sketchRegisters:
		copy(s.registers[:], data)
		return nil
	case kind == 1:
		slot := 0
		for len(data) > 0 {
			if data[0] == 255 {
				slot, data = slot+254, data[1:]
				continue
			}
			slot += int(data[0])
			if len(data) < 2 || slot >= sketchRegisters {
				return bad
			}
			s.registers[slot] = data[1]
			slot, data = slot+1, data[2:]
		}
		return nil
	}
	return bad
}
