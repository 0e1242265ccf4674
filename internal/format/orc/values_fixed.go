package orc

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// as gives bytes as values of another width; data is aligned to it.
func as[T any](data []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/int(unsafe.Sizeof(zero)))
}

// longValues reads 64-bit integers.
type longValues struct {
	typ     types.Type
	ints    intReader
	scratch []int64
}

func (v *longValues) open(s *openStripe, n *node) error {
	return s.openInts(&v.ints, n, streamData, true)
}
func (v *longValues) inputs(to []*input) []*input { return append(to, &v.ints.in) }
func (v *longValues) seek(_ *openStripe, _ int, p *positions) error {
	v.ints.seek(p)
	return nil
}
func (v *longValues) skip(n int) error { return v.ints.skip(n) }
func (v *longValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	out := vec.Values[int64](dst)
	if r.dense() {
		return v.ints.read(out[:r.n])
	}
	values := resize(&v.scratch, r.count)
	if err := v.ints.read(values[:r.count]); err != nil {
		return err
	}
	place(out, values, r)
	return nil
}

// narrowValues reads integers of 16 or 32 bits, and dates.
type narrowValues[T int16 | int32] struct {
	typ     types.Type
	ints    intReader
	hybrid  bool // dates of the hybrid calendar
	reader  *Reader
	scratch []T
}

func (v *narrowValues[T]) open(s *openStripe, n *node) error {
	v.hybrid = n.kind == kindDate && v.reader.file.hybridCalendar()
	return s.openInts(&v.ints, n, streamData, true)
}
func (v *narrowValues[T]) inputs(to []*input) []*input { return append(to, &v.ints.in) }
func (v *narrowValues[T]) seek(_ *openStripe, _ int, p *positions) error {
	v.ints.seek(p)
	return nil
}
func (v *narrowValues[T]) skip(n int) error { return v.ints.skip(n) }
func (v *narrowValues[T]) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	out := as[T](dst.Data)
	values := out[:r.rows()]
	if !r.dense() {
		values = resize(&v.scratch, r.count)[:r.count]
	}
	if err := readNarrow(&v.ints, values); err != nil {
		return err
	}
	if v.hybrid {
		for i, day := range values {
			values[i] = T(prolepticDay(int64(day)))
		}
	}
	if !r.dense() {
		place(out, v.scratch, r)
	}
	return nil
}

// byteValues reads tinyint.
type byteValues struct {
	reader  *Reader
	bytes   byteReader
	scratch []byte
	wide    []int16
}

func (v *byteValues) open(s *openStripe, n *node) error {
	data, err := s.need(n, streamData)
	if err == nil {
		v.bytes.open(v.reader, data)
	}
	return err
}
func (v *byteValues) inputs(to []*input) []*input { return append(to, &v.bytes.in) }
func (v *byteValues) seek(_ *openStripe, _ int, p *positions) error {
	v.bytes.seek(p)
	return nil
}
func (v *byteValues) skip(n int) error {
	if err := v.bytes.settle(); err != nil {
		return err
	}
	return v.bytes.skip(n)
}
func (v *byteValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(types.Of(types.Int16), r.rows())
	narrow := resize(&v.scratch, r.count)[:r.count]
	if err := v.bytes.read(narrow); err != nil {
		return err
	}
	wide := resize(&v.wide, r.count)
	for i, b := range narrow {
		wide[i] = int16(int8(b))
	}
	place(vec.Values[int16](dst), wide, r)
	return nil
}

// boolValues reads booleans.
type boolValues struct {
	reader *Reader
	bits   bitReader
	words  vec.Bitmap
	bytes  []uint8
}

func (v *boolValues) open(s *openStripe, n *node) error {
	data, err := s.need(n, streamData)
	if err == nil {
		v.bits.open(v.reader, data)
	}
	return err
}
func (v *boolValues) inputs(to []*input) []*input { return append(to, &v.bits.bytes.in) }
func (v *boolValues) seek(_ *openStripe, _ int, p *positions) error {
	v.bits.seek(p)
	return nil
}
func (v *boolValues) skip(n int) error { return v.bits.skip(n) }
func (v *boolValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(types.Of(types.Bool), r.rows())
	if words := vec.BitmapWords(r.count); cap(v.words) < words+1 {
		v.words = make(vec.Bitmap, 2*words+1)
	}
	if err := v.bits.read(v.words[:cap(v.words)], r.count); err != nil {
		return err
	}
	wide := resize(&v.bytes, r.count)
	words := v.words[:cap(v.words)]
	for i := range wide[:r.count] {
		wide[i] = uint8(words[i>>6] >> (uint(i) & 63) & 1)
	}
	place(vec.Values[uint8](dst), wide, r)
	return nil
}

// floatValues reads numbers that are stored as they are in memory.
type floatValues struct {
	reader  *Reader
	typ     types.Type
	width   int
	in      input
	scratch []byte
}

func (v *floatValues) open(s *openStripe, n *node) error {
	data, err := s.need(n, streamData)
	if err == nil {
		v.in.open(v.reader, data)
	}
	return err
}
func (v *floatValues) inputs(to []*input) []*input { return append(to, &v.in) }
func (v *floatValues) seek(_ *openStripe, _ int, p *positions) error {
	v.in.seek(p)
	return nil
}
func (v *floatValues) skip(n int) error { return v.in.skip(int64(n) * int64(v.width)) }
func (v *floatValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	if r.dense() {
		return v.in.read(dst.Data)
	}
	size := r.count * v.width
	if cap(v.scratch) < size+v.width {
		v.scratch = vec.AlignedBytes(2*size + 64)
	}
	v.scratch = v.scratch[:size+v.width]
	clear(v.scratch[size:])
	if err := v.in.read(v.scratch[:size]); err != nil {
		return err
	}
	if v.width == 4 {
		place(as[uint32](dst.Data), as[uint32](v.scratch), r)
	} else {
		place(as[uint64](dst.Data), as[uint64](v.scratch), r)
	}
	return nil
}
