package parquet

import (
	"math/bits"

	"github.com/zeebo/xxh3"
)

const (
	sketchBits      = 11
	sketchRegisters = 1 << sketchBits
)

// DistinctSketch is a HyperLogLog sketch of the values that a writer has seen, of 2048 registers, with
// the hashes that colstats.SketchOf wants. The zero value is empty.
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

// addBytes counts a string.
func (s *DistinctSketch) addBytes(b []byte) { s.addHash(xxh3.Hash(b)) }

// addWord counts an integer, or the bits of a double.
func (s *DistinctSketch) addWord(v uint64) { s.addHash(hashWord(v)) }

// Registers gives the sketch's 2048 ranks; a copy.
func (s *DistinctSketch) Registers() []uint8 { return append([]uint8(nil), s.registers[:]...) }
