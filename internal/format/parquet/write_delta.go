package parquet

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Blocks of the delta encoding: 128 values in four parts of a bit width each.
const (
	deltaBlock = 128
	deltaPart  = 32
)

// appendDeltas encodes integers as DELTA_BINARY_PACKED; differences wrap around.
func appendDeltas[T int32 | int64](dst []byte, values []T) []byte {
	dst = append(dst, 0x80, 0x01, deltaBlock/deltaPart) // 128
	dst = appendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return append(dst, 0)
	}
	previous := values[0]
	dst = appendUvarint(dst, zigzag64(int64(previous)))
	var deltas [deltaBlock]T
	for rest := values[1:]; len(rest) > 0; {
		n := min(len(rest), deltaBlock)
		least := rest[0] - previous
		for i, v := range rest[:n] {
			d := v - previous
			deltas[i], previous = d, v
			least = min(least, d)
		}
		rest = rest[n:]
		dst = appendUvarint(dst, zigzag64(int64(least)))
		dst = appendDeltaBlock(dst, &deltas, n, least)
	}
	return dst
}

// appendDeltaBlock packs n differences, less the least of them, after the widths of the parts.
func appendDeltaBlock[T int32 | int64](dst []byte, deltas *[deltaBlock]T, n int, least T) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	mask := ^uint64(0) >> (64 - 8*unsafe.Sizeof(least)) // a difference in a 32-bit column has 32 bits
	var part [deltaPart]uint64
	for p := 0; p*deltaPart < n; p++ {
		some := deltas[p*deltaPart : min(n, (p+1)*deltaPart)]
		all := uint64(0)
		for i, d := range some {
			v := uint64(d-least) & mask
			part[i] = v
			all |= v
		}
		clear(part[len(some):])
		width := uint(bits.Len64(all))
		dst[at+p] = byte(width)
		dst = appendPart(dst, &part, width)
	}
	return dst
}

// appendPart packs values of a width, the first one lowest.
func appendPart(dst []byte, part *[deltaPart]uint64, width uint) []byte {
	var word uint64
	have := uint(0)
	for _, v := range part {
		word |= v << have
		if have += width; have >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, word)
			have -= 64
			word = v >> (width - have) // 0 when all of v was taken: width-have is 64 at most
		}
	}
	for ; have > 0; have -= 8 { // 32 values fill whole bytes
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst
}

func zigzag64(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }
