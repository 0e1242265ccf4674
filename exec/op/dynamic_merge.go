package op

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

const (
	// mostSent bounds, in words, the sets that travel between tasks. A larger bitmap travels as a list of
	// its members, or else as a Bloom filter; where that is too large as well, the bounds must do.
	mostSent = 1 << 18
	// sentRowBits is the size of such a Bloom filter for each value, as far as there is room: those of all
	// tasks are laid over each other. With less than leastRowBits it would tell too little.
	sentRowBits, leastRowBits = 64, 6
	// mostMergedValues bounds the list of values of several tasks.
	mostMergedValues = 1024
)

// portable is what is learnt in the form in which it travels.
type portable struct {
	None             bool
	Minimum, Maximum *types.Datum
	Listed           bool // Values is all there is
	Values           []types.Datum
	Base             int64  // of a bitmap
	Span             uint64 // of a bitmap, 0 of a Bloom filter
	Bits             string // little-endian words; "": no set, or Gaps
	Gaps             string // of a bitmap: base64 of its members' distances as varints, from the one before Base
}

// Own gives a copy whose memory does not belong to whoever published it; large sets are left out.
func (l *Learnt) Own() *Learnt {
	out := *l
	if m := l.Members; m != nil {
		out.Members = nil
		if m.span > 0 || len(m.bits) <= mostSent {
			out.Members = &Members{minimum: m.minimum, span: m.span, shift: m.shift, bits: slices.Clone(m.bits)}
		}
	}
	return &out
}

// pack puts a set into the form in which it travels, or leaves it out when it is too large.
func (m *Members) pack(p *portable) {
	if m == nil {
		return
	}
	if m.span > 0 {
		if gaps, ok := m.gaps(8 * min(len(m.bits), mostSent)); ok {
			p.Base, p.Span, p.Gaps = m.minimum, m.span, base64.StdEncoding.EncodeToString(gaps)
			return
		}
	}
	if len(m.bits) > mostSent {
		m = m.bloom()
	}
	if m == nil || len(m.bits) == 0 || len(m.bits) > mostSent {
		return
	}
	p.Base, p.Span = m.minimum, m.span
	p.Bits = unsafe.String((*byte)(unsafe.Pointer(unsafe.SliceData(m.bits))), 8*len(m.bits))
}

// gaps lists a bitmap's members by their distances; false when that takes most bytes or more.
func (m *Members) gaps(most int) ([]byte, bool) {
	out, before := []byte(nil), -1
	for i, w := range m.bits {
		for ; w != 0; w &= w - 1 {
			at := i*64 + bits.TrailingZeros64(w)
			out = binary.AppendUvarint(out, uint64(at-before))
			before = at
		}
		if len(out) >= most {
			return nil, false
		}
	}
	return out, len(out) > 0
}

// unpack gives the set of a filter that has travelled, nil when there is none.
func (p *portable) unpack() (*Members, error) {
	damaged := sqlerr.New(sqlerr.DataCorrupted, "a dynamic filter of another task is damaged")
	words := len(p.Bits) / 8
	switch {
	case p.Span > mostBitmapBits:
		return nil, damaged
	case p.Gaps != "":
		if p.Span == 0 || p.Bits != "" || len(p.Gaps) > 8*8*mostSent {
			return nil, damaged
		}
		gaps, err := base64.StdEncoding.DecodeString(p.Gaps)
		m := &Members{minimum: p.Base, span: p.Span, bits: make([]uint64, (p.Span+63)/64)}
		if err != nil || !m.addGaps(gaps) {
			return nil, damaged
		}
		return m, nil
	case p.Bits == "":
		return nil, nil
	case words*8 != len(p.Bits) || words > mostSent:
		return nil, damaged
	case p.Span > 0 && uint64(words) != (p.Span+63)/64:
		return nil, damaged
	case p.Span == 0 && (words&(words-1) != 0 || words < 8):
		return nil, damaged
	}
	m := &Members{minimum: p.Base, span: p.Span, bits: make([]uint64, words)}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m.bits))), 8*words), p.Bits)
	if p.Span == 0 {
		m.shift = uint(64 - bits.TrailingZeros(uint(words)))
	}
	return m, nil
}

// addGaps adds what gaps listed; false when it is no such list.
func (m *Members) addGaps(gaps []byte) bool {
	for next := uint64(0); len(gaps) > 0; {
		gap, n := binary.Uvarint(gaps)
		if n <= 0 || gap == 0 || gap > m.span-next {
			return false
		}
		next += gap
		m.bits[(next-1)>>6] |= 1 << ((next - 1) & 63)
		gaps = gaps[n:]
	}
	return true
}

// bloom gives a Bloom filter of a bitmap's members, with memory of its own, or m if it is one already;
// nil when it would have to be too large.
func (m *Members) bloom() *Members {
	if m.span == 0 {
		return m
	}
	count := 0
	for _, w := range m.bits {
		count += bits.OnesCount64(w)
	}
	words, shift := 8, uint(61)
	for words*64 < count*sentRowBits && words < mostSent {
		words, shift = words*2, shift-1
	}
	if words*64 < count*leastRowBits {
		return nil
	}
	out := &Members{shift: shift, bits: make([]uint64, words)}
	for i, w := range m.bits {
		for ; w != 0; w &= w - 1 {
			h := rows.Mix(uint64(m.minimum) + uint64(i*64+bits.TrailingZeros64(w))) // as rows.Hasher does with one integer
			out.bits[h>>shift] |= bloomMask(h)
		}
	}
	return out
}

// Encode gives the form in which a filter travels.
func (l *Learnt) Encode() ([]byte, error) {
	p := &portable{None: l.None, Minimum: l.Minimum, Maximum: l.Maximum, Listed: l.Values != nil, Values: l.Values}
	l.Members.pack(p)
	return plan.EncodeValue(p)
}

// DecodeLearnt reads what Encode wrote. The filter's memory is its own.
func DecodeLearnt(data []byte) (*Learnt, error) {
	var p portable
	if err := plan.DecodeValue(data, &p); err != nil {
		return nil, err
	}
	l := &Learnt{None: p.None, Minimum: p.Minimum, Maximum: p.Maximum}
	if p.Listed {
		l.Values = append([]types.Datum{}, p.Values...)
	}
	var err error
	l.Members, err = p.unpack()
	return l, err
}

// MergeLearnt gives what holds for the values, of type t, of all parts together.
func MergeLearnt(t types.Type, parts []*Learnt) *Learnt {
	parts = slices.DeleteFunc(slices.Clone(parts), func(l *Learnt) bool { return l.None })
	if len(parts) == 0 {
		return &Learnt{None: true}
	}
	out := *parts[0]
	for _, l := range parts[1:] {
		out.Minimum = outer(t, out.Minimum, l.Minimum, -1)
		out.Maximum = outer(t, out.Maximum, l.Maximum, 1)
		if out.Values != nil && l.Values != nil && len(out.Values)+len(l.Values) <= mostMergedValues {
			out.Values = append(slices.Clone(out.Values), l.Values...)
		} else {
			out.Values = nil
		}
		out.Members = mergeMembers(out.Members, l.Members)
	}
	compare := func(a, b types.Datum) int { return types.CompareDatums(t, a, b) }
	if out.Values != nil {
		out.Values = slices.Clone(out.Values)
		slices.SortFunc(out.Values, compare)
		out.Values = slices.CompactFunc(out.Values, func(a, b types.Datum) bool { return compare(a, b) == 0 })
	}
	return &out
}

// outer gives the bound, of the given side, that lies further out; nil is unbounded.
func outer(t types.Type, a, b *types.Datum, side int) *types.Datum {
	if a == nil || b == nil {
		return nil
	}
	if types.CompareDatums(t, *b, *a)*side > 0 {
		return b
	}
	return a
}

// mergeMembers gives a set of its own memory that has all members of both; nil when there is none
// that is worth its size.
func mergeMembers(a, b *Members) *Members {
	if a == nil || b == nil {
		return nil
	}
	if a.span > 0 && b.span > 0 {
		if out := mergeBitmaps(a, b); out != nil {
			return out
		}
	}
	if a, b = a.bloom(), b.bloom(); a == nil || b == nil {
		return nil
	}
	return mergeBlooms(a, b)
}

// mergeBitmaps gives nil when the range of both is too large.
func mergeBitmaps(a, b *Members) *Members {
	least := min(a.minimum, b.minimum)
	end := max(uint64(a.minimum)-uint64(least)+a.span, uint64(b.minimum)-uint64(least)+b.span)
	if end > mostBitmapBits {
		return nil
	}
	out := &Members{minimum: least, span: end, bits: make([]uint64, (end+63)/64)}
	for _, m := range []*Members{a, b} {
		at := uint64(m.minimum) - uint64(least)
		word, bit := at>>6, at&63
		for i, w := range m.bits {
			out.bits[word+uint64(i)] |= w << bit
			if high := w >> (64 - bit); high != 0 {
				out.bits[word+uint64(i)+1] |= high
			}
		}
	}
	return out
}

// mergeBlooms widens the smaller filter: a word of it stands for several of the larger one.
func mergeBlooms(a, b *Members) *Members {
	if len(a.bits) < len(b.bits) {
		a, b = b, a
	}
	out := &Members{shift: a.shift, bits: slices.Clone(a.bits)}
	wider := b.shift - a.shift
	for i := range out.bits {
		out.bits[i] |= b.bits[i>>wider]
	}
	return out
}
