package parquet

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/parquet-go/bitpack"

	"github.com/tarnlake/tarn/internal/vec"
)

var (
	errLevels = errors.New("page levels are malformed")
	errRuns   = errors.New("run-length encoded values are malformed")
)

func bitWidthOf(maxLevel int) uint { return uint(bits.Len(uint(maxLevel))) }

// hybrid reads Parquet's RLE/bit-packed hybrid encoding of integers of up to 32 bits. data must
// have slack readable bytes behind its length.
type hybrid struct {
	data  []byte
	at    int
	width uint
	// The current run: of the value repeated, or packed at data[packed:] from bit group*8 on.
	left     int
	repeated bool
	value    int32
	packed   int // byte offset of the run's first value
	done     int // values of the packed run already taken
}

func (h *hybrid) reset(data []byte, width uint) {
	*h = hybrid{data: data, width: width}
}

// run starts the next run.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.data[h.at:])
	if n <= 0 || head > 1<<33 {
		return errRuns
	}
	h.at += n
	if head&1 == 0 {
		size := int(h.width+7) / 8
		if len(h.data)-h.at < size {
			return errRuns
		}
		var v uint32
		for i := range size {
			v |= uint32(h.data[h.at+i]) << (8 * i)
		}
		if uint64(v) >= 1<<h.width {
			return errRuns
		}
		h.at += size
		h.left, h.repeated, h.value = int(head>>1), true, int32(v)
		return nil
	}
	groups := int(head >> 1)
	size := groups * int(h.width)
	h.left, h.repeated, h.packed, h.done = groups*8, false, h.at, 0
	if size > len(h.data)-h.at {
		// The last run may be cut short after the last needed value.
		size = len(h.data) - h.at
		if h.width > 0 {
			h.left = size * 8 / int(h.width)
		}
		if h.left == 0 {
			return errRuns
		}
	}
	h.at += size
	return nil
}

// fill decodes the next len(dst) values.
func (h *hybrid) fill(dst []int32) error {
	for len(dst) > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return err
			}
		}
		n := min(h.left, len(dst))
		if h.repeated {
			fillValue(dst[:n], h.value)
		} else {
			h.unpack(dst[:n])
		}
		h.left -= n
		dst = dst[n:]
	}
	return nil
}

func fillValue(dst []int32, v int32) {
	for i := range dst {
		dst[i] = v
	}
}

// unpack takes len(dst) values of the packed run.
func (h *hybrid) unpack(dst []int32) {
	if h.width == 0 {
		clear(dst)
		return
	}
	padded := h.data[:len(h.data)+slack]
	if odd := h.done & 7; odd != 0 {
		var group [8]int32
		bitpack.Unpack(group[:], padded[h.packed+(h.done>>3)*int(h.width):], h.width)
		n := copy(dst, group[odd:])
		h.done += n
		dst = dst[n:]
	}
	if len(dst) > 0 {
		bitpack.Unpack(dst, padded[h.packed+(h.done>>3)*int(h.width):], h.width)
		h.done += len(dst)
	}
}

// skip passes over n values.
func (h *hybrid) skip(n int) error {
	for n > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return err
			}
		}
		m := min(h.left, n)
		h.left -= m
		h.done += m
		n -= m
	}
	return nil
}

// bitmap decodes n values of width 1 into dst, which it clears first, and counts the ones.
func (h *hybrid) bitmap(dst vec.Bitmap, n int) (ones int, err error) {
	clear(dst[:vec.BitmapWords(n)])
	for at := 0; at < n; {
		if err := h.run(); err != nil {
			return 0, err
		}
		m := min(h.left, n-at)
		switch {
		case !h.repeated:
			copyBits(dst, at, h.data[h.packed:len(h.data)+slack], m)
		case h.value == 1:
			setBits(dst, at, m)
		case h.value != 0:
			return 0, errLevels
		}
		h.left = 0
		at += m
	}
	return dst.CountSet(n), nil
}

// setBits sets n bits from at on.
func setBits(dst vec.Bitmap, at, n int) {
	for n > 0 {
		shift := uint(at) & 63
		m := min(64-int(shift), n)
		dst[at>>6] |= (^uint64(0) >> uint(64-m)) << shift
		at += m
		n -= m
	}
}

// copyBits ORs the first n bits of src into dst from at on; src has 8 readable bytes behind them.
func copyBits(dst vec.Bitmap, at int, src []byte, n int) {
	for n > 0 {
		m := min(64, n)
		orBits(dst, at, binary.LittleEndian.Uint64(src), m)
		at += m
		n -= m
		if n > 0 {
			src = src[8:]
		}
	}
}

// orBits ORs the low n ≤ 64 bits of word into dst from at on.
func orBits(dst vec.Bitmap, at int, word uint64, n int) {
	word &= ^uint64(0) >> uint(64-n)
	shift := uint(at) & 63
	dst[at>>6] |= word << shift
	if int(shift)+n > 64 {
		dst[at>>6+1] |= word >> (64 - shift)
	}
}

// bitsAt gives 64 bits of b from bit at on; bits beyond b's end are 0.
func bitsAt(b vec.Bitmap, at int) uint64 {
	word, shift := at>>6, uint(at)&63
	v := b[word] >> shift
	if shift != 0 && word+1 < len(b) {
		v |= b[word+1] << (64 - shift)
	}
	return v
}

// copyBitmap ORs n bits of src from srcAt on into dst from at on.
func copyBitmap(dst vec.Bitmap, at int, src vec.Bitmap, srcAt, n int) {
	for n > 0 {
		m := min(64, n)
		orBits(dst, at, bitsAt(src, srcAt), m)
		at, srcAt, n = at+m, srcAt+m, n-m
	}
}

// countBits counts the set bits among n from at on.
func countBits(b vec.Bitmap, at, n int) int {
	count := 0
	for n > 0 {
		m := min(64, n)
		count += bits.OnesCount64(bitsAt(b, at) & (^uint64(0) >> uint(64-m)))
		at, n = at+m, n-m
	}
	return count
}

// unpackLegacyLevels rewrites levels of the deprecated BIT_PACKED encoding (most significant bit
// first) as one packed run of the hybrid encoding.
func unpackLegacyLevels(data []byte, values int, width uint) []byte {
	groups := (values + 7) / 8
	out := binary.AppendUvarint(nil, uint64(groups)<<1|1)
	start := len(out)
	out = append(out, make([]byte, groups*int(width)+slack)...)
	for i := range values {
		for bit := range int(width) {
			from := i*int(width) + bit
			if data[from>>3]>>(7-from&7)&1 != 0 {
				to := i*int(width) + int(width) - 1 - bit
				out[start+to>>3] |= 1 << (to & 7)
			}
		}
	}
	return out[:len(out)-slack]
}
