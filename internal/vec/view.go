package vec

import (
	"math"
	"unsafe"
)

// View is a string of a PhysString vector. Head holds the length in its low 32 bits and the first
// four bytes above them; Tail holds bytes 4 to 11 of a string of at most InlineLength bytes, else
// the buffer number (low 32 bits) and the offset in it (high 32 bits). Unused inline bytes are 0,
// so two inline strings are equal exactly when their views are.
type View struct{ Head, Tail uint64 }

// InlineLength is the longest string that a View holds by itself.
const InlineLength = 12

// Len is the string's length in bytes.
func (v View) Len() int { return int(uint32(v.Head)) }

// Inline tells whether the view holds the whole string.
func (v View) Inline() bool { return uint32(v.Head) <= InlineLength }

// Buffer and Offset say where a string longer than InlineLength lies.
func (v View) Buffer() int { return int(uint32(v.Tail)) }

// Offset is the position of the first byte in the buffer.
func (v View) Offset() int { return int(v.Tail >> 32) }

// Bytes gives the string's bytes: v's own memory when inline, else a slice of its buffer. The
// result is valid as long as *v and the buffers are and must not be written.
func (v *View) Bytes(buffers [][]byte) []byte {
	n := int(uint32(v.Head))
	if n <= InlineLength {
		return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(v), 4)), n)
	}
	off := int(v.Tail >> 32)
	return buffers[uint32(v.Tail)][off : off+n : off+n]
}

// String gives the same without copying, under the same lifetime.
func (v *View) String(buffers [][]byte) string {
	b := v.Bytes(buffers)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// InlineView makes the view of b, which must be at most InlineLength bytes.
func InlineView(b []byte) View {
	var v View
	v.Head = uint64(len(b))
	copy(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&v), 4)), InlineLength), b)
	return v
}

// LongView makes the view of b, longer than InlineLength, that lies at offset in buffer.
func LongView(b []byte, buffer, offset int) View {
	head := uint64(uint32(len(b))) | uint64(b[0])<<32 | uint64(b[1])<<40 | uint64(b[2])<<48 | uint64(b[3])<<56
	return View{Head: head, Tail: uint64(uint32(buffer)) | uint64(offset)<<32}
}

// ViewAt makes the view of the n bytes at offset of data, which is or becomes buffer number buffer.
// At least InlineLength bytes from offset on must be readable, whatever they hold.
func ViewAt(data []byte, offset, n, buffer int) View {
	p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), offset)
	head := uint64(*(*uint32)(p))
	if n > InlineLength {
		return View{Head: uint64(uint32(n)) | head<<32, Tail: uint64(uint32(buffer)) | uint64(offset)<<32}
	}
	mask := &inlineMasks[n]
	return View{Head: uint64(n) | (head&mask.head)<<32, Tail: *(*uint64)(unsafe.Add(p, 4)) & mask.tail}
}

type inlineMask struct{ head, tail uint64 }

// inlineMasks keep the bytes of an inline string of each length.
var inlineMasks = func() (masks [InlineLength + 1]inlineMask) {
	for n := range masks {
		masks[n].head = 1<<(8*min(n, 4)) - 1
		if n == InlineLength {
			masks[n].tail = math.MaxUint64
		} else if n > 4 {
			masks[n].tail = 1<<(8*(n-4)) - 1
		}
	}
	return masks
}()

// IsASCII tells whether no byte has its high bit set, and so the bytes are valid UTF-8.
func IsASCII(b []byte) bool {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
	for len(words) >= 4 {
		if (words[0]|words[1]|words[2]|words[3])&0x8080808080808080 != 0 {
			return false
		}
		words = words[4:]
	}
	for _, w := range words {
		if w&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b[len(b)&^7:] {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// AllASCII tells whether no byte of the strings has its high bit set; it may also say false of strings that lie in
// several buffers, or scattered over one, or between other bytes. It is much faster than a look at each string.
func AllASCII(views []View, buffers [][]byte) bool {
	const high = 0x8080808080808080
	var heads, tails, buffer uint64
	first, end, total := uint64(math.MaxUint64), uint64(0), uint64(0)
	for i := range views {
		v := &views[i]
		n := uint64(uint32(v.Head))
		heads |= v.Head >> 32
		if n <= InlineLength {
			tails |= v.Tail
			continue
		}
		if total == 0 {
			buffer = v.Tail & math.MaxUint32
		}
		if v.Tail&math.MaxUint32 != buffer {
			return false
		}
		offset := v.Tail >> 32
		first, end, total = min(first, offset), max(end, offset+n), total+n
	}
	if (heads|tails)&high != 0 {
		return false
	}
	return total == 0 || end-first <= 2*total && IsASCII(buffers[buffer][first:end])
}

// List is a value of a PhysList vector: where its elements lie in the child.
type List struct{ Offset, Length int32 }
