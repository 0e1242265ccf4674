package vec

import "unsafe"

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

// List is a value of a PhysList vector: where its elements lie in the child.
type List struct{ Offset, Length int32 }
