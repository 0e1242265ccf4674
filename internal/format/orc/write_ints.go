package orc

import (
	"encoding/binary"
	"math/bits"
)

// appendByteRuns encodes bytes: runs of equal ones, and literals.
func appendByteRuns(dst, values []byte) []byte {
	for at := 0; at < len(values); {
		if n := equalBytes(values[at:], 130); n >= 3 {
			dst = append(dst, byte(n-3), values[at])
			at += n
			continue
		}
		end := at + 1
		for end < len(values) && end-at < 128 && equalBytes(values[end:], 3) < 3 {
			end++
		}
		dst = append(dst, byte(256-(end-at)))
		dst = append(dst, values[at:end]...)
		at = end
	}
	return dst
}

// equalBytes counts the leading bytes that are equal, up to most.
func equalBytes(values []byte, most int) int {
	n := 1
	for n < len(values) && n < most && values[n] == values[0] {
		n++
	}
	return n
}

// intWriter encodes integers into a stream of version 2 runs.
type intWriter struct {
	out    outStream
	signed bool
	have   int
	run    [maxRun]int64
	fixed  [maxRun]uint64
}

func (w *intWriter) add(v int64) {
	w.run[w.have] = v
	if w.have++; w.have == maxRun {
		w.flush()
	}
}

// position ends the open run and appends where the next one begins.
func (w *intWriter) position(to []uint64) []uint64 {
	w.flush()
	return append(w.out.position(to), 0)
}

func (w *intWriter) finish() ([]byte, error) {
	w.flush()
	return w.out.finish()
}

// flush encodes the open run: equal values apart where that saves bytes.
func (w *intWriter) flush() {
	values := w.run[:w.have]
	w.have = 0
	if len(values) == 0 {
		return
	}
	// Ending a run for equal values costs two headers.
	width := w.widthOf(values)
	worth := max(3, int(8*(6+width/8)/width))
	literals := 0
	for at := 0; at < len(values); {
		n := 1
		for at+n < len(values) && values[at+n] == values[at] {
			n++
		}
		if n < worth && (n < len(values) || n < 3) {
			at += n
			continue
		}
		w.literals(values[literals:at])
		w.repeat(values[at], n)
		at += n
		literals = at
	}
	w.literals(values[literals:])
	if len(w.out.raw) >= defaultBlockSize {
		w.out.seal()
	}
}

// stored gives a value as runs of literals hold it.
func (w *intWriter) stored(v int64) uint64 {
	if w.signed {
		return zigzag(v)
	}
	return uint64(v)
}

// widthOf gives the bits that hold each value.
func (w *intWriter) widthOf(values []int64) uint {
	all := uint64(0)
	for _, v := range values {
		all |= w.stored(v)
	}
	return alignedWidth(uint(bits.Len64(all)))
}

// alignedWidth gives the least width of those that readers unpack fast, and that compress well: the bytes of a
// narrow number are alike, those of a wide one are not.
func alignedWidth(n uint) uint {
	switch {
	case n <= 1:
		return 1
	case n <= 2:
		return 2
	case n <= 4:
		return 4
	}
	if n > 16 {
		return closestWidth(n)
	}
	return (n + 7) &^ 7
}

// repeat encodes n equal values.
func (w *intWriter) repeat(v int64, n int) {
	for n > 0 {
		stored := w.stored(v)
		if size := (bits.Len64(stored|1) + 7) / 8; n >= 3 && n <= 10 {
			w.out.raw = append(w.out.raw, byte((size-1)<<3|(n-3)))
			for i := size - 1; i >= 0; i-- {
				w.out.raw = append(w.out.raw, byte(stored>>(8*i)))
			}
			return
		}
		if n < 3 {
			w.direct([]int64{v, v}[:n])
			return
		}
		m := min(n, maxRun)
		w.head(runDelta, 0, m)
		w.out.raw = binary.AppendUvarint(w.out.raw, stored)
		w.out.raw = append(w.out.raw, 0)
		n -= m
	}
}

func (w *intWriter) head(kind int, code byte, n int) {
	w.out.raw = append(w.out.raw, byte(kind<<6)|code<<1|byte((n-1)>>8), byte(n-1))
}

// literals encodes values as the cheapest kind of run.
func (w *intWriter) literals(values []int64) {
	if len(values) == 0 {
		return
	}
	width := w.widthOf(values)
	cost := 2 + packedBytes(len(values), width)
	delta, deltaCost := deltaWidth(values, cost)
	patch := patchPlan{cost: cost}
	if width > 8 && len(values) >= 32 {
		patch = planPatches(values, min(cost, deltaCost))
	}
	switch {
	case deltaCost < cost && deltaCost <= patch.cost:
		w.delta(values, delta)
	case patch.cost < cost:
		w.patched(values, patch)
	default:
		w.direct(values)
	}
}

func (w *intWriter) direct(values []int64) {
	width := w.widthOf(values)
	w.head(runDirect, widthCode(width), len(values))
	for i, v := range values {
		w.fixed[i] = w.stored(v)
	}
	w.out.raw = pack(w.out.raw, w.fixed[:len(values)], width)
}

// pack appends values of width bits, big-endian.
func pack(dst []byte, values []uint64, width uint) []byte {
	if width%8 == 0 {
		size := int(width / 8)
		for _, v := range values {
			for i := size - 1; i >= 0; i-- {
				dst = append(dst, byte(v>>(8*i)))
			}
		}
		return dst
	}
	var word uint64
	have := uint(0)
	for _, v := range values {
		word = word<<width | v
		for have += width; have >= 8; {
			have -= 8
			dst = append(dst, byte(word>>have))
		}
	}
	if have > 0 {
		dst = append(dst, byte(word<<(8-have)))
	}
	return dst
}

// deltaWidth gives the width and the bytes of a run of differences; more than cost when the values
// do not all rise or all fall.
func deltaWidth(values []int64, cost int) (width uint, bytes int) {
	const never = 1 << 30
	if len(values) < 3 {
		return 0, never
	}
	step := values[1] - values[0]
	if step == 0 || (step > 0) != (values[1] > values[0]) {
		return 0, never
	}
	all, equal := uint64(0), true
	last := values[1]
	for _, v := range values[2:] {
		d := v - last
		if step < 0 {
			d = last - v
		}
		if d < 0 || step > 0 && v < last || step < 0 && v > last {
			return 0, never
		}
		all |= uint64(d)
		equal = equal && v-last == step
		last = v
	}
	head := 2 + varintBytes(zigzag(values[0])) + varintBytes(zigzag(step))
	if equal {
		return 0, head
	}
	width = max(alignedWidth(uint(bits.Len64(all))), 2) // a width of 1 would read as 0
	return width, head + packedBytes(len(values)-2, width)
}

func varintBytes(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func (w *intWriter) delta(values []int64, width uint) {
	code := byte(0)
	if width > 0 {
		code = widthCode(width)
	}
	w.head(runDelta, code, len(values))
	step := values[1] - values[0]
	w.out.raw = binary.AppendUvarint(w.out.raw, w.stored(values[0]))
	w.out.raw = binary.AppendUvarint(w.out.raw, zigzag(step))
	if width == 0 {
		return
	}
	deltas := w.fixed[:len(values)-2]
	for i := range deltas {
		d := values[i+2] - values[i+1]
		if step < 0 {
			d = -d
		}
		deltas[i] = uint64(d)
	}
	w.out.raw = pack(w.out.raw, deltas, width)
}

// patchPlan is how a run of few large values among small ones is stored.
type patchPlan struct {
	base                int64
	baseBytes           int
	width               uint // of all values
	patchWidth, gapBits uint
	cost                int
}

// maxPatches is the most entries of a patch list.
const maxPatches = 31

// planPatches finds the width that needs the fewest bytes, if fewer than cost.
func planPatches(values []int64, cost int) patchPlan {
	plan := patchPlan{cost: 1 << 30}
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	spread := uint64(high) - uint64(low)
	if low <= -1<<55 || low >= 1<<55 || spread >= 1<<62 {
		return plan
	}
	var counts [65]int // of values by width
	for _, v := range values {
		counts[bits.Len64(uint64(v)-uint64(low))]++
	}
	full := uint(bits.Len64(spread))
	magnitude := uint64(low)
	if low < 0 {
		magnitude = uint64(-low)
	}
	baseBytes := bits.Len64(magnitude)/8 + 1      // a bit for the sign
	if width := alignedWidth(full); width <= 32 { // no patch is needed, but readers want one
		plan = patchPlan{base: low, baseBytes: baseBytes, width: width, patchWidth: 1, gapBits: 8,
			cost: 4 + baseBytes + packedBytes(len(values), width) + packedBytes(1, closestWidth(1+8))}
	}
	above := 0
	for width := full; width > 1; {
		above += counts[width]
		if width--; above > maxPatches {
			break
		}
		if alignedWidth(width) != width {
			continue
		}
		patchWidth := closestWidth(full - width)
		gapBits := uint(8)
		if patchWidth+gapBits > 64 {
			continue
		}
		// Gaps of more than 255 take entries of their own.
		entries := above + len(values)/256
		if entries > maxPatches {
			continue
		}
		bytes := 4 + baseBytes + packedBytes(len(values), width) + packedBytes(entries, closestWidth(patchWidth+gapBits))
		if bytes < cost && bytes < plan.cost {
			plan = patchPlan{base: low, baseBytes: baseBytes, width: width, patchWidth: patchWidth, gapBits: gapBits, cost: bytes}
		}
	}
	return plan
}

func (w *intWriter) patched(values []int64, p patchPlan) {
	mask := uint64(1)<<p.width - 1
	var patches []uint64
	last := 0
	for i, v := range values {
		adjusted := uint64(v) - uint64(p.base)
		w.fixed[i] = adjusted & mask
		if high := adjusted >> p.width; high != 0 {
			gap := i - last
			for ; gap > 255; gap -= 255 {
				patches = append(patches, 255<<p.patchWidth)
			}
			patches = append(patches, uint64(gap)<<p.patchWidth|high)
			last = i
		}
	}
	if len(patches) == 0 {
		patches = append(patches, 0) // which changes nothing
	}
	w.head(runPatched, widthCode(p.width), len(values))
	w.out.raw = append(w.out.raw, byte(p.baseBytes-1)<<5|widthCode(p.patchWidth), byte(p.gapBits-1)<<5|byte(len(patches)))
	base := uint64(p.base)
	if p.base < 0 {
		base = uint64(-p.base) | 1<<(8*p.baseBytes-1)
	}
	for i := p.baseBytes - 1; i >= 0; i-- {
		w.out.raw = append(w.out.raw, byte(base>>(8*i)))
	}
	w.out.raw = pack(w.out.raw, w.fixed[:len(values)], p.width)
	w.out.raw = pack(w.out.raw, patches, closestWidth(p.patchWidth+p.gapBits))
}
