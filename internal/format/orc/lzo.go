package orc

import "errors"

var errLZO = errors.New("LZO data is malformed")

// lzoReader is the state of decompressLZO.
type lzoReader struct {
	src, dst []byte
	in, out  int
}

// decompressLZO expands a block of LZO1X data into dst and gives its length. An instruction copies
// from what was written, and up to three literals follow it; the number of those decides what the
// smallest opcodes mean next.
func decompressLZO(dst, src []byte) (int, error) {
	r := &lzoReader{src: src, dst: dst}
	state := 0 // literals after the last instruction; 4: a run of literals
	if len(src) > 0 && src[0] > 17 {
		n := int(src[0]) - 17
		r.in++
		if !r.literals(n) {
			return 0, errLZO
		}
		state = min(n, 4)
	}
	for {
		op, ok := r.next()
		if !ok {
			return 0, errLZO
		}
		var length, distance int
		switch {
		case op >= 64: // the short distances
			low, ok := r.next()
			if !ok {
				return 0, errLZO
			}
			length, distance = op>>5+1, low<<3+op>>2&7+1
			state = op & 3
		case op >= 32:
			length, ok = r.long(op&31, 31)
			if !ok {
				return 0, errLZO
			}
			d, trailing, ok := r.distance()
			if !ok {
				return 0, errLZO
			}
			length, distance, state = length+2, d+1, trailing
		case op >= 16:
			length, ok = r.long(op&7, 7)
			if !ok {
				return 0, errLZO
			}
			d, trailing, ok := r.distance()
			if !ok {
				return 0, errLZO
			}
			if d += op & 8 << 11; d == 0 { // the end
				return r.out, nil
			}
			length, distance, state = length+2, d+16384, trailing
		case state == 0:
			n, ok := r.long(op, 15)
			if !ok || !r.literals(n+3) {
				return 0, errLZO
			}
			state = 4
			continue
		default:
			low, ok := r.next()
			if !ok {
				return 0, errLZO
			}
			length, distance = 2, low<<2+op>>2+1
			if state == 4 {
				length, distance = 3, distance+2048
			}
			state = op & 3
		}
		if !r.copy(length, distance) || !r.literals(state) {
			return 0, errLZO
		}
	}
}

func (r *lzoReader) next() (int, bool) {
	if r.in >= len(r.src) {
		return 0, false
	}
	r.in++
	return int(r.src[r.in-1]), true
}

// long gives a length that is continued by further bytes when it is zero.
func (r *lzoReader) long(length, base int) (int, bool) {
	if length != 0 {
		return length, true
	}
	for {
		b, ok := r.next()
		if !ok || length > len(r.dst) {
			return 0, false
		}
		if b != 0 {
			return length + base + b, true
		}
		length += 255
	}
}

func (r *lzoReader) distance() (distance, trailing int, ok bool) {
	if len(r.src)-r.in < 2 {
		return 0, 0, false
	}
	v := int(r.src[r.in]) | int(r.src[r.in+1])<<8
	r.in += 2
	return v >> 2, v & 3, true
}

func (r *lzoReader) literals(n int) bool {
	if n > len(r.src)-r.in || n > len(r.dst)-r.out {
		return false
	}
	copy(r.dst[r.out:], r.src[r.in:r.in+n])
	r.in += n
	r.out += n
	return true
}

func (r *lzoReader) copy(length, distance int) bool {
	from := r.out - distance
	if from < 0 || length > len(r.dst)-r.out {
		return false
	}
	for i := range length { // may overlap
		r.dst[r.out+i] = r.dst[from+i]
	}
	r.out += length
	return true
}
