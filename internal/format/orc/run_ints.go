package orc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// maxRun is the most values of a run.
	maxRun = 512
	// runBytes is more than any run's bytes.
	runBytes = maxRun*8 + 512
)

var (
	errRun   = errors.New("run of integers is malformed")
	errRange = errors.New("integer is out of the column's range")
)

// intReader decodes run-length encoded integers of version 1 or 2.
type intReader struct {
	in     input
	v2     bool
	signed bool
	lag    int // values to pass over before the next ones
	at     int // run[at:have] are decoded and not given yet
	have   int
	same   int // then, before the next run, as many times value
	value  int64
	run    [maxRun]int64
}

func (r *intReader) open(reader *Reader, s *streamInfo, encoding encodingKind, signed bool) {
	r.in.open(reader, s)
	r.v2, r.signed = encoding >= encodeDirectV2, signed
	r.at, r.have, r.same, r.lag = 0, 0, 0, 0
}

func (r *intReader) seek(p *positions) {
	r.in.seek(p)
	r.at, r.have, r.same, r.lag = 0, 0, 0, p.count(1<<20)
}

func (r *intReader) settle() error {
	lag := r.lag
	r.lag = 0
	return r.skip(lag)
}

// read gives the next len(dst) values.
func (r *intReader) read(dst []int64) error {
	if r.lag > 0 {
		if err := r.settle(); err != nil {
			return err
		}
	}
	for len(dst) > 0 {
		switch {
		case r.at < r.have:
			n := copy(dst, r.run[r.at:r.have])
			r.at += n
			dst = dst[n:]
		case r.same > 0:
			n := min(r.same, len(dst))
			repeat(dst[:n], r.value)
			r.same -= n
			dst = dst[n:]
		case len(dst) >= maxRun:
			n, err := r.decode(dst[:maxRun])
			if err != nil {
				return err
			}
			dst = dst[n:]
		default:
			n, err := r.decode(r.run[:])
			if err != nil {
				return err
			}
			r.at, r.have = 0, n
		}
	}
	return nil
}

func repeat[T any](dst []T, value T) {
	for i := range dst {
		dst[i] = value
	}
}

// passEqual passes over the next values as long as they equal want, at most n, and counts them.
func (r *intReader) passEqual(n int, want int64) (passed int, err error) {
	if r.lag > 0 {
		if err := r.settle(); err != nil {
			return 0, err
		}
	}
	for passed < n {
		switch {
		case r.at < r.have:
			if r.run[r.at] != want {
				return passed, nil
			}
			r.at++
			passed++
		case r.same > 0:
			if r.value != want {
				return passed, nil
			}
			m := min(r.same, n-passed)
			r.same -= m
			passed += m
		default:
			have, err := r.decode(r.run[:])
			if err != nil {
				return passed, err
			}
			r.at, r.have = 0, have
		}
	}
	return passed, nil
}

// readNarrow is read for narrower values; one that does not fit is an error.
func readNarrow[T int8 | int16 | int32](r *intReader, dst []T) error {
	if r.lag > 0 {
		if err := r.settle(); err != nil {
			return err
		}
	}
	var lost int64
	for len(dst) > 0 {
		if r.at == r.have && r.same > 0 {
			n := min(r.same, len(dst))
			repeat(dst[:n], T(r.value))
			lost |= r.value ^ int64(T(r.value))
			r.same -= n
			dst = dst[n:]
			continue
		}
		if r.at == r.have {
			n, err := r.decode(r.run[:])
			if err != nil {
				return err
			}
			r.at, r.have = 0, n
		}
		src := r.run[r.at:r.have]
		if len(src) > len(dst) {
			src = src[:len(dst)]
		}
		out := dst[:len(src)]
		for i, v := range src {
			out[i] = T(v)
			lost |= v ^ int64(T(v))
		}
		r.at += len(src)
		dst = dst[len(src):]
	}
	if lost != 0 {
		return errRange
	}
	return nil
}

func (r *intReader) skip(n int) error {
	if r.lag > 0 {
		n += r.lag
		r.lag = 0
	}
	for n > 0 {
		if r.at == r.have && r.same > 0 {
			m := min(n, r.same)
			r.same -= m
			n -= m
			continue
		}
		if r.at == r.have {
			passed, err := r.passRun(n)
			if err != nil {
				return err
			}
			if passed > 0 {
				n -= passed
				continue
			}
			if r.have, err = r.decode(r.run[:]); err != nil {
				return err
			}
			r.at = 0
		}
		m := min(n, r.have-r.at)
		r.at += m
		n -= m
	}
	return nil
}

// passRun passes over the next run without decoding it, when it has at most n values and its size
// is plain to see; it gives the number of values, else 0.
func (r *intReader) passRun(n int) (int, error) {
	if !r.v2 {
		return 0, nil
	}
	if err := r.in.fill(2); err != nil {
		return 0, err
	}
	b := r.in.buffer[r.in.at:]
	length := runLength(b)
	switch b[0] >> 6 {
	case runShortRepeat:
		if length = int(b[0]&7) + 3; length <= n {
			return length, r.in.skip(int64(b[0]>>3&7) + 2)
		}
	case runDirect:
		if length <= n {
			return length, r.in.skip(2 + int64(packedBytes(length, bitWidth(b[0]>>1&31))))
		}
	}
	return 0, nil
}

// Kinds of runs of version 2.
const (
	runShortRepeat = iota
	runDirect
	runPatched
	runDelta
)

func runLength(b []byte) int { return (int(b[0]&1)<<8 | int(b[1])) + 1 }

func packedBytes(values int, width uint) int { return (values*int(width) + 7) / 8 }

// decode decodes the next run into dst, which has room for maxRun values, and gives its length: 0
// when the run repeats one value, which same and value tell instead.
func (r *intReader) decode(dst []int64) (int, error) {
	if !r.v2 {
		return r.decodeV1(dst)
	}
	if err := r.in.fill(2); err != nil {
		return 0, err
	}
	b := r.in.buffer[r.in.at:]
	switch b[0] >> 6 {
	case runShortRepeat:
		return 0, r.shortRepeat(b[0])
	case runDirect:
		n, width := runLength(b), bitWidth(b[0]>>1&31)
		size := packedBytes(n, width)
		if err := r.in.fill(2 + size); err != nil {
			return 0, err
		}
		unpack(dst[:n], r.in.buffer[r.in.at+2:], width, r.signed)
		r.in.at += 2 + size
		return n, nil
	case runPatched:
		return r.patched(dst, runLength(b), bitWidth(b[0]>>1&31))
	}
	n, code := runLength(b), b[0]>>1&31
	width := uint(0)
	if code != 0 {
		width = bitWidth(code)
	}
	r.in.at += 2
	return r.delta(dst[:n], width)
}

func (r *intReader) shortRepeat(head byte) error {
	n, size := int(head&7)+3, int(head>>3&7)+1
	if err := r.in.fill(1 + size); err != nil {
		return err
	}
	v := int64(bigEndian(r.in.buffer[r.in.at+1:][:size]))
	if r.signed {
		v = unzigzag(uint64(v))
	}
	r.same, r.value = n, v
	r.in.at += 1 + size
	return nil
}

func bigEndian(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func (r *intReader) patched(dst []int64, n int, width uint) (int, error) {
	if err := r.in.fill(4); err != nil {
		return 0, err
	}
	b := r.in.buffer[r.in.at:]
	baseBytes, patchWidth := int(b[2]>>5)+1, bitWidth(b[2]&31)
	gapWidth, patches := uint(b[3]>>5)+1, int(b[3]&31)
	if patchWidth+gapWidth > 64 {
		return 0, errRun
	}
	entryWidth := closestWidth(patchWidth + gapWidth)
	size, patchSize := packedBytes(n, width), packedBytes(patches, entryWidth)
	if err := r.in.fill(4 + baseBytes + size + patchSize); err != nil {
		return 0, err
	}
	b = r.in.buffer[r.in.at+4:]
	base := int64(bigEndian(b[:baseBytes]))
	if sign := int64(1) << (8*baseBytes - 1); base&sign != 0 {
		base = -(base &^ sign)
	}
	unpack(dst[:n], b[baseBytes:], width, false)
	var list [32]int64
	unpack(list[:patches], b[baseBytes+size:], entryWidth, false)
	at := 0
	for _, entry := range list[:patches] {
		if at += int(uint64(entry) >> patchWidth); at >= n {
			return 0, errRun
		}
		dst[at] |= (entry & (1<<patchWidth - 1)) << width
	}
	for i := range dst[:n] {
		dst[i] += base
	}
	r.in.at += 4 + baseBytes + size + patchSize
	return n, nil
}

func (r *intReader) delta(dst []int64, width uint) (int, error) {
	first, err := r.varint()
	if err != nil {
		return 0, err
	}
	value := int64(first)
	if r.signed {
		value = unzigzag(first)
	}
	raw, err := r.varint()
	if err != nil {
		return 0, err
	}
	step := unzigzag(raw)
	if width == 0 && step == 0 {
		r.same, r.value = len(dst), value
		return 0, nil
	}
	dst[0] = value
	if width == 0 {
		for i := range dst[1:] {
			value += step
			dst[1+i] = value
		}
		return len(dst), nil
	}
	if len(dst) < 2 {
		return len(dst), nil
	}
	value += step
	dst[1] = value
	rest := dst[2:]
	size := packedBytes(len(rest), width)
	if err := r.in.fill(size); err != nil {
		return 0, err
	}
	unpack(rest, r.in.buffer[r.in.at:], width, false)
	r.in.at += size
	if step < 0 {
		for i, d := range rest {
			value -= d
			rest[i] = value
		}
		return len(dst), nil
	}
	for i, d := range rest {
		value += d
		rest[i] = value
	}
	return len(dst), nil
}

// varint reads an unsigned number of seven bits a byte.
func (r *intReader) varint() (uint64, error) {
	for {
		v, n := binary.Uvarint(r.in.buffer[r.in.at:])
		if n > 0 {
			r.in.at += n
			return v, nil
		}
		if n < 0 || len(r.in.buffer)-r.in.at >= binary.MaxVarintLen64 {
			return 0, errRun
		}
		if err := r.in.more(); err != nil {
			return 0, err
		}
	}
}

// decodeV1 decodes a run of version 1: equal steps, or literals.
func (r *intReader) decodeV1(dst []int64) (int, error) {
	if err := r.in.fill(2); err != nil {
		return 0, err
	}
	head := r.in.buffer[r.in.at]
	if head >= 128 {
		n := 256 - int(head)
		r.in.at++
		for i := range dst[:n] {
			v, err := r.varint()
			if err != nil {
				return 0, err
			}
			dst[i] = int64(v)
			if r.signed {
				dst[i] = unzigzag(v)
			}
		}
		return n, nil
	}
	n, step := int(head)+3, int64(int8(r.in.buffer[r.in.at+1]))
	r.in.at += 2
	first, err := r.varint()
	if err != nil {
		return 0, err
	}
	value := int64(first)
	if r.signed {
		value = unzigzag(first)
	}
	for i := range dst[:n] {
		dst[i] = value
		value += step
	}
	return n, nil
}

// checkLengths makes sure that lengths are not negative and gives their sum.
func checkLengths(lengths []int64) (sum int64, err error) {
	for _, n := range lengths {
		if n < 0 || n > 1<<31-1 {
			return 0, fmt.Errorf("length of %d", n)
		}
		sum += n
	}
	return sum, nil
}
