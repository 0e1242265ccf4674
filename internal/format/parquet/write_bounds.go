package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/types"
)

// valueBounds is the least and the greatest of the values added; which pair is used follows from
// the column's layout.
type valueBounds struct {
	some               bool
	nan                bool // a NaN was among them: there are no bounds
	minInt, maxInt     int64
	minFloat, maxFloat float64
	minWide, maxWide   types.Int128
	minBytes, maxBytes []byte
}

func (b *valueBounds) addInt(v int64) {
	if !b.some {
		b.some, b.minInt, b.maxInt = true, v, v
		return
	}
	b.minInt, b.maxInt = min(b.minInt, v), max(b.maxInt, v)
}

func (b *valueBounds) addInts(words []uint64) {
	if len(words) == 0 {
		return
	}
	b.addInt(int64(words[0]))
	low, high := b.minInt, b.maxInt
	for _, w := range words {
		low, high = min(low, int64(w)), max(high, int64(w))
	}
	b.minInt, b.maxInt = low, high
}

func (b *valueBounds) addFloat(v float64) {
	switch {
	case v != v:
		b.nan = true
	case !b.some:
		b.some, b.minFloat, b.maxFloat = true, v, v
	case v < b.minFloat:
		b.minFloat = v
	case v > b.maxFloat:
		b.maxFloat = v
	}
}

func (b *valueBounds) addWide(v types.Int128) {
	if !b.some {
		b.some, b.minWide, b.maxWide = true, v, v
		return
	}
	if v.Compare(b.minWide) < 0 {
		b.minWide = v
	}
	if v.Compare(b.maxWide) > 0 {
		b.maxWide = v
	}
}

func (b *valueBounds) addBytes(v []byte) {
	if !b.some {
		b.some = true
		b.minBytes, b.maxBytes = bytes.Clone(v), bytes.Clone(v)
		return
	}
	if bytes.Compare(v, b.minBytes) < 0 {
		b.minBytes = append(b.minBytes[:0:0], v...)
	}
	if bytes.Compare(v, b.maxBytes) > 0 {
		b.maxBytes = append(b.maxBytes[:0:0], v...)
	}
}

func (b *valueBounds) merge(o *valueBounds) {
	b.nan = b.nan || o.nan
	if !o.some {
		return
	}
	if !b.some {
		nan := b.nan
		*b = *o
		b.nan = nan
		return
	}
	b.minInt, b.maxInt = min(b.minInt, o.minInt), max(b.maxInt, o.maxInt)
	b.minFloat, b.maxFloat = math.Min(b.minFloat, o.minFloat), math.Max(b.maxFloat, o.maxFloat)
	if o.minWide.Compare(b.minWide) < 0 {
		b.minWide = o.minWide
	}
	if o.maxWide.Compare(b.maxWide) > 0 {
		b.maxWide = o.maxWide
	}
	if bytes.Compare(o.minBytes, b.minBytes) < 0 {
		b.minBytes = o.minBytes
	}
	if bytes.Compare(o.maxBytes, b.maxBytes) > 0 {
		b.maxBytes = o.maxBytes
	}
}

// maxBoundBytes is the longest string kept as a bound; a longer minimum is cut, a longer maximum is
// cut and its last character raised.
const maxBoundBytes = 64

// ordered tells whether bounds are meaningful for the column's values.
func (l *leafWriter) ordered() bool {
	switch l.physical {
	case types.PhysInterval, types.PhysNone:
		return false
	}
	return l.typ.Kind != types.UUID
}

// encoded gives the bounds as statistics hold them; nil when unknown. exact is whether a bound is a
// value of the column.
func (l *leafWriter) encoded(b *valueBounds) (minimum, maximum []byte, minExact, maxExact bool) {
	if !b.some || b.nan || !l.ordered() {
		return nil, nil, false, false
	}
	switch l.physical {
	case types.PhysString:
		minimum, minExact = cutMinimum(b.minBytes)
		maximum, maxExact = cutMaximum(b.maxBytes)
		return minimum, maximum, minExact, maxExact
	case types.PhysFloat32:
		low, high := zeroSigns(b.minFloat, b.maxFloat)
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(low))),
			binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(high))), true, true
	case types.PhysFloat64:
		low, high := zeroSigns(b.minFloat, b.maxFloat)
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(low)),
			binary.LittleEndian.AppendUint64(nil, math.Float64bits(high)), true, true
	case types.PhysInt128:
		return appendWide(nil, b.minWide), appendWide(nil, b.maxWide), true, true
	case types.PhysBool:
		return []byte{byte(b.minInt)}, []byte{byte(b.maxInt)}, true, true
	}
	if l.element.physical == physInt32 {
		return binary.LittleEndian.AppendUint32(nil, uint32(b.minInt)), binary.LittleEndian.AppendUint32(nil, uint32(b.maxInt)), true, true
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(b.minInt)), binary.LittleEndian.AppendUint64(nil, uint64(b.maxInt)), true, true
}

// zeroSigns makes the bounds cover both zeros.
func zeroSigns(low, high float64) (float64, float64) {
	if low == 0 {
		low = math.Copysign(0, -1)
	}
	if high == 0 {
		high = 0
	}
	return low, math.Abs(high) * sign(high)
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}

func appendWide(dst []byte, v types.Int128) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(v.Hi)), v.Lo)
}

func cutMinimum(b []byte) ([]byte, bool) {
	if len(b) <= maxBoundBytes {
		return append([]byte{}, b...), true
	}
	return append([]byte{}, b[:characterStart(b, maxBoundBytes)]...), false
}

// characterStart is the start of the character that holds byte at.
func characterStart(b []byte, at int) int {
	for back := range utf8.UTFMax {
		if at-back >= 0 && utf8.RuneStart(b[at-back]) {
			return at - back
		}
	}
	return at
}

// cutMaximum gives nil when no short upper bound exists.
func cutMaximum(b []byte) ([]byte, bool) {
	if len(b) <= maxBoundBytes {
		return append([]byte{}, b...), true
	}
	cut := b[:characterStart(b, maxBoundBytes)]
	for i := len(cut) - 1; i >= 0; i-- {
		if cut[i] < 0x7f { // raise the last ASCII character that can be raised
			out := append([]byte{}, cut[:i+1]...)
			out[i]++
			return out, false
		}
	}
	return nil, false
}

// datums gives the bounds as values of the column's type; nil when unknown.
func (l *leafWriter) datums(b *valueBounds) (minimum, maximum *types.Datum) {
	low, high, _, _ := l.encoded(b)
	value := func(cut []byte, i int64, f float64, w types.Int128) *types.Datum {
		if cut == nil {
			return nil
		}
		switch l.physical {
		case types.PhysString:
			return &types.Datum{Str: string(cut)}
		case types.PhysFloat32, types.PhysFloat64:
			return &types.Datum{F64: f}
		case types.PhysInt128:
			return &types.Datum{I128: w}
		}
		return &types.Datum{I64: i}
	}
	return value(low, b.minInt, b.minFloat, b.minWide), value(high, b.maxInt, b.maxFloat, b.maxWide)
}
