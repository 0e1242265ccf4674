package orc

import (
	"math"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/types"
)

// outStats gathers the statistics of a column in a row group, a stripe or the file.
type outStats struct {
	values    int64
	nulls     int64
	some      bool // bounds are known
	nan       bool
	lowInt    int64
	highInt   int64
	lowFloat  float64
	highFloat float64
	lowWide   types.Int128
	highWide  types.Int128
	lowBytes  []byte
	highBytes []byte
	sum       types.Int128 // of integers and decimals, of lengths, of true
	overflow  bool
	sumFloat  float64
}

// merge adds the statistics of a part.
func (s *outStats) merge(o *outStats) {
	s.values += o.values
	s.nulls += o.nulls
	s.nan = s.nan || o.nan
	s.sumFloat += o.sumFloat
	var ok bool
	s.sum, ok = s.sum.AddChecked(o.sum)
	s.overflow = s.overflow || o.overflow || !ok
	if !o.some {
		return
	}
	if !s.some {
		s.lowInt, s.highInt, s.lowFloat, s.highFloat, s.lowWide, s.highWide = o.lowInt, o.highInt, o.lowFloat, o.highFloat, o.lowWide, o.highWide
		s.lowBytes, s.highBytes = append(s.lowBytes[:0], o.lowBytes...), append(s.highBytes[:0], o.highBytes...)
		s.some = true
		return
	}
	s.lowInt, s.highInt = min(s.lowInt, o.lowInt), max(s.highInt, o.highInt)
	s.lowFloat, s.highFloat = min(s.lowFloat, o.lowFloat), max(s.highFloat, o.highFloat)
	if o.lowWide.Compare(s.lowWide) < 0 {
		s.lowWide = o.lowWide
	}
	if o.highWide.Compare(s.highWide) > 0 {
		s.highWide = o.highWide
	}
	if string(o.lowBytes) < string(s.lowBytes) {
		s.lowBytes = append(s.lowBytes[:0], o.lowBytes...)
	}
	if string(o.highBytes) > string(s.highBytes) {
		s.highBytes = append(s.highBytes[:0], o.highBytes...)
	}
}

func (s *outStats) reset() { *s = outStats{lowBytes: s.lowBytes[:0], highBytes: s.highBytes[:0]} }

func (s *outStats) addInt(v int64) {
	if !s.some {
		s.lowInt, s.highInt, s.some = v, v, true
	}
	s.lowInt, s.highInt = min(s.lowInt, v), max(s.highInt, v)
	lo := s.sum.Lo + uint64(v)
	hi := s.sum.Hi + v>>63
	if lo < s.sum.Lo {
		hi++
	}
	s.sum = types.Int128{Lo: lo, Hi: hi}
}

func (s *outStats) addWide(v types.Int128) {
	if !s.some {
		s.lowWide, s.highWide, s.some = v, v, true
	}
	if v.Compare(s.lowWide) < 0 {
		s.lowWide = v
	}
	if v.Compare(s.highWide) > 0 {
		s.highWide = v
	}
	var ok bool
	s.sum, ok = s.sum.AddChecked(v)
	s.overflow = s.overflow || !ok
}

func (s *outStats) addFloat(v float64) {
	if v != v {
		s.nan = true
		return
	}
	if !s.some {
		s.lowFloat, s.highFloat, s.some = v, v, true
	}
	s.lowFloat, s.highFloat = min(s.lowFloat, v), max(s.highFloat, v)
	s.sumFloat += v
}

func (s *outStats) addBytes(b []byte) {
	if !s.some {
		s.lowBytes, s.highBytes, s.some = append(s.lowBytes[:0], b...), append(s.highBytes[:0], b...), true
	}
	if string(b) < string(s.lowBytes) {
		s.lowBytes = append(s.lowBytes[:0], b...)
	} else if string(b) > string(s.highBytes) {
		s.highBytes = append(s.highBytes[:0], b...)
	}
}

// encode gives the ColumnStatistics message.
func (s *outStats) encode(c *outColumn) []byte {
	var w protoWriter
	w.uvarint(1, uint64(s.values))
	var m protoWriter
	field := statsField(c.kind)
	switch c.kind {
	case kindBoolean:
		field = 5
		m.packed(1, []uint64{s.sum.Lo})
	case kindByte, kindShort, kindInt, kindLong:
		if s.some {
			m.zigzag(1, s.lowInt)
			m.zigzag(2, s.highInt)
		}
		if v, fits := s.sum.Int64(); fits && !s.overflow {
			m.zigzag(3, v)
		}
	case kindFloat, kindDouble:
		if s.some && !s.nan {
			m.double(1, s.lowFloat)
			m.double(2, s.highFloat)
			m.double(3, s.sumFloat)
		}
	case kindString, kindVarchar, kindChar:
		field = 4
		s.encodeStrings(&m)
	case kindBinary:
		field = 8
		if v, fits := s.sum.Int64(); fits {
			m.zigzag(1, v)
		}
	case kindDecimal:
		if s.some {
			m.string(1, string(types.AppendDecimal(nil, s.lowWide, int(c.typ.Scale))))
			m.string(2, string(types.AppendDecimal(nil, s.highWide, int(c.typ.Scale))))
			if !s.overflow && s.sum.FitsPrecision(types.MaxDecimalPrecision) {
				m.string(3, string(types.AppendDecimal(nil, s.sum, int(c.typ.Scale))))
			}
		}
	case kindDate:
		if s.some {
			m.zigzag(1, s.lowInt)
			m.zigzag(2, s.highInt)
		}
	case kindTimestamp, kindInstant:
		if s.some {
			low, high := floorDiv(s.lowInt, 1000), floorDiv(s.highInt, 1000)
			for at, millis := range []int64{low, high, low, high} {
				m.zigzag(1+at, millis)
			}
		}
	}
	if field > 0 && len(m.data) > 0 {
		w.bytes(field, m.data)
	}
	w.uvarint(10, map[bool]uint64{true: 1}[s.nulls > 0])
	return w.data
}

// maxBoundBytes is the length up to which bounds of strings are kept whole.
const maxBoundBytes = 1024

func (s *outStats) encodeStrings(m *protoWriter) {
	if s.some {
		low, high := s.lowBytes, s.highBytes
		if len(low) <= maxBoundBytes {
			m.bytes(1, low)
		} else {
			m.bytes(4, low[:characterStart(low, maxBoundBytes)])
		}
		if len(high) <= maxBoundBytes {
			m.bytes(2, high)
		} else if bound := raised(high[:characterStart(high, maxBoundBytes)]); bound != nil {
			m.bytes(5, bound)
		}
	}
	if v, fits := s.sum.Int64(); fits {
		m.zigzag(3, v)
	}
}

// characterStart gives the greatest place of at most at where a character begins.
func characterStart(b []byte, at int) int {
	for back := range utf8.UTFMax {
		if at-back >= 0 && utf8.RuneStart(b[at-back]) {
			return at - back
		}
	}
	return at
}

// raised gives a string greater than all that begin with b; nil when there is no short one.
func raised(b []byte) []byte {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0x7f { // the last ASCII character that can be raised
			out := append([]byte{}, b[:i+1]...)
			out[i]++
			return out
		}
	}
	return nil
}

// datums gives the bounds as values of the column's type, nil when unknown.
func (s *outStats) datums(c *outColumn) (low, high *types.Datum) {
	if !s.some {
		return nil, nil
	}
	switch c.typ.Physical() {
	case types.PhysString:
		if c.kind == kindBinary || c.kind == kindChar || len(s.lowBytes) > maxBoundBytes || len(s.highBytes) > maxBoundBytes {
			return nil, nil
		}
		return &types.Datum{Str: string(s.lowBytes)}, &types.Datum{Str: string(s.highBytes)}
	case types.PhysFloat32, types.PhysFloat64:
		if s.nan {
			return nil, nil
		}
		return &types.Datum{F64: s.lowFloat}, &types.Datum{F64: s.highFloat}
	case types.PhysInt128:
		if c.kind != kindDecimal {
			return nil, nil
		}
		return &types.Datum{I128: s.lowWide}, &types.Datum{I128: s.highWide}
	case types.PhysBool:
		return nil, nil
	}
	if c.kind == kindDecimal {
		return &types.Datum{I64: int64(s.lowWide.Lo)}, &types.Datum{I64: int64(s.highWide.Lo)}
	}
	return &types.Datum{I64: s.lowInt}, &types.Datum{I64: s.highInt}
}

// bloomOf makes the filter of a row group, one false positive in a hundred.
func bloomOf(hashes []uint64) []byte {
	n := float64(max(len(hashes), 1))
	bits := int(-n * math.Log(0.01) / (math.Ln2 * math.Ln2))
	filter := bloomFilter{words: make([]uint64, bits/64+1)}
	filter.hashes = max(1, int(math.Round(float64(len(filter.words)*64)/n*math.Ln2)))
	for _, h := range hashes {
		for k := 1; k <= filter.hashes; k++ {
			at := bloomPosition(h, k, len(filter.words))
			filter.words[at>>6] |= 1 << (at & 63)
		}
	}
	var w protoWriter
	w.uvarint(1, uint64(filter.hashes))
	set := make([]byte, 0, 8*len(filter.words))
	for _, word := range filter.words {
		for range 8 {
			set = append(set, byte(word))
			word >>= 8
		}
	}
	w.bytes(3, set)
	return w.data
}
