package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/vec"
)

// dictBuilder numbers the distinct values of a column chunk in order of appearance.
type dictBuilder struct {
	plain   []byte   // the values so far, as a dictionary page holds them
	count   int      // of values
	hashes  []uint64 // of each value
	slots   []int32  // open addressing; code+1, 0 is free
	words   []uint64 // fixed width: the values
	offsets []uint32 // strings: where each value's bytes start in plain; they end 4 before the next
}

func (d *dictBuilder) reset() {
	d.plain, d.count, d.hashes, d.words, d.offsets = d.plain[:0], 0, d.hashes[:0], d.words[:0], d.offsets[:0]
	if d.slots == nil {
		d.slots = make([]int32, 256)
	}
	clear(d.slots)
}

func (d *dictBuilder) memory() int64 {
	return int64(cap(d.plain) + 4*cap(d.slots) + 8*cap(d.hashes) + 8*cap(d.words) + 4*cap(d.offsets))
}

func (d *dictBuilder) grow() {
	d.slots = make([]int32, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for code, h := range d.hashes {
		at := h & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = int32(code + 1)
	}
}

// word gives the code of a fixed-width value; append adds its plain form when it is new.
func (d *dictBuilder) word(v uint64, width int) int32 {
	h := hashWord(v)
	mask := uint64(len(d.slots) - 1)
	at := h & mask
	for d.slots[at] != 0 {
		if code := d.slots[at] - 1; d.words[code] == v {
			return code
		}
		at = (at + 1) & mask
	}
	d.words = append(d.words, v)
	for range width {
		d.plain = append(d.plain, byte(v))
		v >>= 8
	}
	return d.add(at, h)
}

func (d *dictBuilder) add(at, h uint64) int32 {
	code := int32(d.count)
	d.slots[at] = code + 1
	d.hashes = append(d.hashes, h)
	d.count++
	if d.count*2 > len(d.slots) {
		d.grow()
	}
	return code
}

// bytes gives the code of a string.
func (d *dictBuilder) bytes(b []byte) int32 {
	h := xxh3.Hash(b)
	mask := uint64(len(d.slots) - 1)
	at := h & mask
	for d.slots[at] != 0 {
		if code := d.slots[at] - 1; d.hashes[code] == h && string(d.value(code)) == string(b) {
			return code
		}
		at = (at + 1) & mask
	}
	d.plain = appendPlainBytes(d.plain, b)
	d.offsets = append(d.offsets, uint32(len(d.plain)-len(b)))
	return d.add(at, h)
}

// value gives the bytes of a string's code.
func (d *dictBuilder) value(code int32) []byte {
	end := len(d.plain)
	if int(code)+1 < d.count {
		end = int(d.offsets[code+1]) - 4
	}
	return d.plain[d.offsets[code]:end]
}

func appendPlainBytes(dst, b []byte) []byte {
	n := len(b)
	dst = append(dst, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	return append(dst, b...)
}

// appendCodes encodes dictionary codes: one byte of bit width, then runs.
func appendCodes(dst []byte, codes []int32, entries int) []byte {
	width := uint(bits.Len(uint(max(entries-1, 0))))
	dst = append(dst, byte(width))
	return appendHybrid(dst, codes, width)
}

// minimumRun is the length from which on equal values are stored as a run.
const minimumRun = 24

// appendHybrid encodes values of width bits in the RLE/bit-packed hybrid encoding.
func appendHybrid(dst []byte, values []int32, width uint) []byte {
	packedFrom := 0
	for at := 0; at < len(values); {
		run := 1
		for at+run < len(values) && values[at+run] == values[at] {
			run++
		}
		if run < minimumRun {
			at += run
			continue
		}
		// A packed run before holds whole groups of eight: it borrows from this run.
		borrowed := (8 - (at-packedFrom)&7) & 7
		dst = appendPacked(dst, values[packedFrom:at+borrowed], width)
		dst = appendUvarint(dst, uint64(run-borrowed)<<1)
		v := uint32(values[at])
		for range (width + 7) / 8 {
			dst = append(dst, byte(v))
			v >>= 8
		}
		at += run
		packedFrom = at
	}
	return appendPacked(dst, values[packedFrom:], width)
}

func appendUvarint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// appendPacked appends one bit-packed run, padded with zeros to a multiple of eight values.
func appendPacked(dst []byte, values []int32, width uint) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = appendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*int(width)
	var word uint64
	var have uint
	for _, v := range values {
		word |= uint64(uint32(v)) << have
		if have += width; have >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, word)
			have -= 64
			word = uint64(uint32(v)) >> (width - have)
		}
	}
	for ; len(dst) < end; word >>= 8 {
		dst = append(dst, byte(word))
	}
	return dst
}

// appendValidity encodes n definition levels of 0 or 1, given as bits.
func appendValidity(dst []byte, valid vec.Bitmap, n, nulls int) []byte {
	switch nulls {
	case 0:
		return append(appendUvarint(dst, uint64(n)<<1), 1)
	case n:
		return append(appendUvarint(dst, uint64(n)<<1), 0)
	}
	groups := (n + 7) / 8
	dst = appendUvarint(dst, uint64(groups)<<1|1)
	for i := range groups {
		dst = append(dst, byte(valid[i>>3]>>(8*(i&7))))
	}
	return dst
}
