package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	errValues    = errors.New("page is too short for its values")
	errRange     = errors.New("decimal value is out of range")
	errTimeRange = errors.New("timestamp is out of range")
)

// storage says how a page's plain values lie in memory once loaded.
type storage uint8

const (
	storeFixed storage = iota // an array of the natural type's layout
	storeInt32                // an array of int32 whose natural layout is wider or narrower
	storeViews                // string views
)

// loader turns the plain values of a leaf into an array that vectors can be filled from. What is not
// an array of the natural layout already is converted for the whole page.
type loader struct {
	leaf     *leaf
	physical types.Physical
	storage  storage
	width    int // bytes a value of the array
	convert  func(l *loader, dst, src []byte, n int) error
	source   int // bytes a value in the file, 0 for byte arrays and booleans
}

func newLoader(l *leaf) loader {
	p := l.typ.Physical()
	out := loader{leaf: l, physical: p, width: p.Width()}
	element := l.element
	switch element.physical {
	case physBoolean:
		out.convert = nil
	case physInt32:
		out.source = 4
		switch {
		case element.logical.kind == logicalTime && element.logical.unit == unitMillis:
			out.convert = convertMillis32
		case element.logical.kind == logicalInteger && element.logical.bitWidth == 32 && !element.logical.signed && p == types.PhysInt64:
			out.convert = convertUnsigned32
		case p == types.PhysInt16, p == types.PhysInt64:
			out.storage, out.width = storeInt32, 4
		case p == types.PhysInt128:
			out.convert = convertWiden32
		}
	case physInt64:
		out.source = 8
		switch {
		case p == types.PhysInt128 && l.typ.Kind == types.Decimal && element.logical.kind == logicalInteger:
			out.convert = convertUnsigned64
		case p == types.PhysInt128:
			out.convert = convertWiden64
		case element.logical.kind == logicalTimestamp || element.logical.kind == logicalTime:
			switch element.logical.unit {
			case unitMillis:
				out.convert = convertMillis64
			case unitNanos:
				out.convert = convertNanos64
			}
		}
	case physInt96:
		out.source, out.convert = 12, convertInt96
	case physFloat:
		out.source = 4
	case physDouble:
		out.source = 8
	case physFixed:
		out.source = int(element.typeLength)
		switch {
		case l.typ.Kind == types.Decimal:
			out.convert = convertFixedDecimal
		case l.typ.Kind == types.UUID:
			out.convert = convertUUID
		case l.typ.Kind == types.Float32:
			out.convert = convertFloat16
		case l.typ.Kind == types.Interval:
			out.convert = convertInterval
		default:
			out.storage = storeViews
		}
	case physByteArray:
		if p == types.PhysString {
			out.storage = storeViews
		}
	}
	return out
}

// array gives n plain fixed-width values of data as an array with slack behind it: data itself
// or, when they need conversion, buffer's memory.
func (l *loader) array(data, buffer []byte, n int) (array, newBuffer []byte, err error) {
	if l.leaf.element.physical == physBoolean {
		if len(data) < (n+7)/8 {
			return nil, buffer, errValues
		}
		buffer = paddedBuffer(buffer, n)
		expandBits(buffer, data)
		return buffer, buffer, nil
	}
	if n > len(data)/l.source {
		return nil, buffer, errValues
	}
	if l.convert == nil {
		return data[:n*l.source], buffer, nil
	}
	buffer = paddedBuffer(buffer, n*l.width)
	return buffer, buffer, l.convert(l, buffer, data, n)
}

func expandBits(dst, src []byte) {
	for i := range dst {
		dst[i] = src[i>>3] >> (i & 7) & 1
	}
}

// as gives b as values of T; T holds no pointers, so b need not be aligned.
func as[T any](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

func convertEach[D, S any](dst, src []byte, n int, f func(S) D) {
	to, from := as[D](dst)[:n], as[S](src[:n*int(unsafe.Sizeof(*new(S)))])
	for i, v := range from {
		to[i] = f(v)
	}
}

func convertMillis32(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(v int32) int64 { return int64(v) * 1000 })
	return nil
}

func convertUnsigned32(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(v uint32) int64 { return int64(v) })
	return nil
}

func convertWiden32(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(v int32) types.Int128 { return types.Int128FromInt64(int64(v)) })
	return nil
}

func convertWiden64(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, types.Int128FromInt64)
	return nil
}

func convertUnsigned64(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(v uint64) types.Int128 { return types.Int128{Lo: v} })
	return nil
}

func convertMillis64(_ *loader, dst, src []byte, n int) error {
	overflow := false
	convertEach(dst, src, n, func(v int64) int64 {
		if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
			overflow = true
		}
		return v * 1000
	})
	if overflow {
		return errTimeRange
	}
	return nil
}

func convertNanos64(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(v int64) int64 {
		q := v / 1000
		if v%1000 < 0 {
			q--
		}
		return q
	})
	return nil
}

const julianEpoch = 2440588 // 1970-01-01

func convertInt96(_ *loader, dst, src []byte, n int) error {
	out := as[int64](dst)[:n]
	for i := range out {
		nanos := int64(binary.LittleEndian.Uint64(src[i*12:]))
		days := int64(binary.LittleEndian.Uint32(src[i*12+8:])) - julianEpoch
		micros := nanos / 1000
		if nanos%1000 < 0 {
			micros--
		}
		if days > 106_000_000 || nanos < -1<<62 || nanos > 1<<62 {
			return errTimeRange
		}
		out[i] = days*86_400_000_000 + micros
	}
	return nil
}

// bigEndian reads a two's-complement big-endian integer of any length; ok is whether 128 bits hold it.
func bigEndian(b []byte) (v types.Int128, ok bool) {
	sign := byte(0)
	if len(b) > 0 && b[0]&0x80 != 0 {
		sign = 0xff
	}
	for len(b) > 16 {
		if b[0] != sign {
			return v, false
		}
		b = b[1:]
	}
	if len(b) > 0 && (b[0]^sign)&0x80 != 0 {
		return v, false
	}
	fill := uint64(int8(sign))
	v = types.Int128{Lo: fill, Hi: int64(fill)}
	for _, c := range b {
		v = types.Int128{Lo: v.Lo<<8 | uint64(c), Hi: v.Hi<<8 | int64(v.Lo>>56)}
	}
	return v, true
}

func convertFixedDecimal(l *loader, dst, src []byte, n int) error {
	w := l.source
	if l.physical == types.PhysInt64 && w <= 8 {
		out := as[int64](dst)[:n]
		shift := uint(64 - 8*w)
		if w == 8 {
			for i := range out {
				out[i] = int64(binary.BigEndian.Uint64(src[i*8:]))
			}
			return nil
		}
		for i := range out { // loads up to 7 bytes of slack
			out[i] = int64(binary.BigEndian.Uint64(src[i*w:i*w+8:i*w+8])) >> shift
		}
		return nil
	}
	for i := range n {
		v, ok := bigEndian(src[i*w : i*w+w])
		if !ok {
			return errRange
		}
		if err := l.putDecimal(dst, i, v); err != nil {
			return err
		}
	}
	return nil
}

// putDecimal stores v at i in the natural layout of a decimal.
func (l *loader) putDecimal(dst []byte, i int, v types.Int128) error {
	if l.physical == types.PhysInt128 {
		as[types.Int128](dst)[i] = v
		return nil
	}
	short, ok := v.Int64()
	if !ok {
		return errRange
	}
	as[int64](dst)[i] = short
	return nil
}

func convertUUID(_ *loader, dst, src []byte, n int) error {
	out := as[types.Int128](dst)[:n]
	for i := range out {
		out[i] = types.Int128{Hi: int64(binary.BigEndian.Uint64(src[i*16:])), Lo: binary.BigEndian.Uint64(src[i*16+8:])}
	}
	return nil
}

func convertFloat16(_ *loader, dst, src []byte, n int) error {
	convertEach(dst, src, n, func(h uint16) float32 {
		sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
		switch {
		case exponent == 31:
			return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
		case exponent != 0:
			return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
		case fraction == 0:
			return math.Float32frombits(sign)
		}
		up := uint32(bits.LeadingZeros32(fraction)) - 21
		return math.Float32frombits(sign | (113-up)<<23 | (fraction<<up&1023)<<13)
	})
	return nil
}

func convertInterval(_ *loader, dst, src []byte, n int) error {
	out := as[types.IntervalValue](dst)[:n]
	for i := range out {
		b := src[i*12:]
		months, days, millis := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		out[i] = types.IntervalValue{Months: int32(months), Days: int32(days), Micros: int64(millis) * 1000}
	}
	return nil
}

// viewsOfFixed makes views of n strings of equal width that lie one after the other in data.
func viewsOfFixed(dst []vec.View, data []byte, width, buffer int) {
	for i := range dst {
		dst[i] = vec.ViewAt(data, i*width, width, buffer)
	}
}

// plainViews makes views of the n length-prefixed strings at the start of data and gives the number
// of bytes that they take. data has slack readable bytes behind it.
func plainViews(dst []vec.View, data []byte, base, buffer int) (int, error) {
	at, end := base, len(data)
	p := unsafe.Pointer(unsafe.SliceData(data))
	for i := range dst {
		if at > end-4 {
			return 0, errValues
		}
		n := int(*(*uint32)(unsafe.Add(p, at)))
		at += 4
		if n > end-at {
			return 0, errValues
		}
		dst[i] = vec.ViewAt(data, at, n, buffer)
		at += n
	}
	return at, nil
}

// skipPlain passes over n length-prefixed strings.
func skipPlain(data []byte, at, n int) (int, error) {
	for range n {
		if at > len(data)-4 {
			return 0, errValues
		}
		size := int(binary.LittleEndian.Uint32(data[at:]))
		at += 4
		if size > len(data)-at {
			return 0, errValues
		}
		at += size
	}
	return at, nil
}

// decimalsOfViews converts byte-array decimals to the natural layout.
func (l *loader) decimalsOfViews(dst []byte, views []vec.View, buffers [][]byte) error {
	for i := range views {
		v, ok := bigEndian(views[i].Bytes(buffers))
		if !ok {
			return errRange
		}
		if err := l.putDecimal(dst, i, v); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) unsupported() error {
	if l.leaf.unsupported != "" {
		return fmt.Errorf("%s", l.leaf.unsupported)
	}
	return nil
}
