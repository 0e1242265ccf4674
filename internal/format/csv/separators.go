package csv

import "unsafe"

// separatorsByWords does what separators does, eight bytes at a time.
func separatorsByWords(out *uint64, data *byte, words int, delimiter, newline uint64) {
	for i := range words {
		var mask uint64
		for k := range 8 {
			w := *(*uint64)(unsafe.Add(unsafe.Pointer(data), i*64+k*8))
			mask |= (equalBytes(w, delimiter) | equalBytes(w, newline)) << (8 * k)
		}
		*(*uint64)(unsafe.Add(unsafe.Pointer(out), i*8)) = mask
	}
}

// equalBytes gives a bit for each byte in which a and b agree.
func equalBytes(a, b uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	x := a ^ b
	high := ^((x&low + low) | x | low) >> 7 // 1 in the bytes that are 0
	return high * 0x0102040810204080 >> 56
}

// index finds the delimiters and line breaks of the block. A bit at its end ends every scan.
func (t *tokenizer) index() {
	words := t.end/64 + 1
	if cap(t.masks) < words {
		t.masks = make([]uint64, max(words, len(t.data)/64+1))
	}
	t.masks = t.masks[:words]
	full := t.end / 64
	if full > 0 {
		separators(&t.masks[0], &t.data[0], full, t.delimiter, t.newline)
	}
	var last [64]byte
	copy(last[:], t.data[full*64:t.end])
	separators(&t.masks[full], &last[0], 1, t.delimiter, t.newline)
	end := uint64(1) << (t.end & 63)
	t.masks[full] = t.masks[full]&(end-1) | end
}
