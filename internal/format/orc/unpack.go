package orc

import (
	"math/bits"
	"unsafe"
)

// bitWidth gives the width that a code of five bits stands for.
func bitWidth(code byte) uint {
	if code < 24 {
		return uint(code) + 1
	}
	return uint(wideWidths[code-24])
}

// wideWidths are the widths above 24 bits.
const wideWidths = "\x1a\x1c\x1e\x20\x28\x30\x38\x40"

// closestWidth gives the least width that has a code and holds n bits.
func closestWidth(n uint) uint {
	if n <= 24 {
		return max(n, 1)
	}
	for i := range len(wideWidths) {
		if w := uint(wideWidths[i]); w >= n {
			return w
		}
	}
	return 64
}

// widthCode gives the code of a width that has one.
func widthCode(width uint) byte {
	if width <= 24 {
		return byte(width - 1)
	}
	for i := range len(wideWidths) {
		if uint(wideWidths[i]) == width {
			return byte(24 + i)
		}
	}
	return 31
}

// unpack reads len(dst) values of width bits, big-endian, from src, which has slack readable bytes
// behind the packed ones.
func unpack(dst []int64, src []byte, width uint, zigzag bool) {
	if len(dst) == 0 {
		return
	}
	p := unsafe.Pointer(unsafe.SliceData(src))
	switch {
	case width == 64:
		for i := range dst {
			dst[i] = int64(bits.ReverseBytes64(*(*uint64)(unsafe.Add(p, 8*i))))
		}
	case width == 8:
		for i, b := range src[:len(dst)] {
			dst[i] = int64(b)
		}
	case width == 16:
		for i := range dst {
			dst[i] = int64(bits.ReverseBytes16(*(*uint16)(unsafe.Add(p, 2*i))))
		}
	case width == 32:
		for i := range dst {
			dst[i] = int64(bits.ReverseBytes32(*(*uint32)(unsafe.Add(p, 4*i))))
		}
	default:
		unpackGroups(dst, p, width, zigzag)
		return
	}
	if zigzag {
		for i, v := range dst {
			dst[i] = unzigzag(uint64(v))
		}
	}
}

// unpackGroups unpacks eight values, which begin at a byte, at a time. No width above 56 comes here,
// so that a word holds each value.
func unpackGroups(dst []int64, p unsafe.Pointer, width uint, zigzag bool) {
	var offset [8]uintptr
	var shift [8]uint
	for k := range uint(8) {
		offset[k], shift[k] = uintptr(k*width>>3), 64-width-k*width&7
	}
	mask := uint64(1)<<width - 1
	for len(dst) >= 8 {
		d := dst[:8:8]
		for k := range d {
			v := bits.ReverseBytes64(*(*uint64)(unsafe.Add(p, offset[k]))) >> (shift[k] & 63) & mask
			d[k] = int64(v)
		}
		if zigzag {
			for k, v := range d {
				d[k] = unzigzag(uint64(v))
			}
		}
		p = unsafe.Add(p, width)
		dst = dst[8:]
	}
	for k := range dst {
		v := bits.ReverseBytes64(*(*uint64)(unsafe.Add(p, offset[k]))) >> (shift[k] & 63) & mask
		if zigzag {
			dst[k] = unzigzag(v)
		} else {
			dst[k] = int64(v)
		}
	}
}
