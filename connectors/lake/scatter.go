package lake

import (
	"slices"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// scatter brings rows into the order of their partitions, column by column: it reads a column from
// front to back and writes as many streams as there are partitions, so that those who encode a
// partition find its rows side by side. Its memory is reused.
type scatter struct {
	batch   vec.Batch
	starts  []int32 // where each partition's rows begin; one more than there are partitions
	places  []int32 // where each row goes
	text    [][]byte
	next    []int
	inOrder []int32 // rows by their new places, for nested columns
	all     []int32 // 0, 1, 2, …
}

// order puts b's rows, all selected, into the order of their numbers, which are less than count; equal ones
// stay as they came. What part gives is valid until the next call.
func (s *scatter) order(b *vec.Batch, numbers []int32, count int) {
	s.starts = slices.Grow(s.starts[:0], count+2)[:count+2]
	clear(s.starts)
	for _, number := range numbers {
		s.starts[number+2]++
	}
	for i := 2; i < len(s.starts); i++ {
		s.starts[i] += s.starts[i-1]
	}
	s.places = slices.Grow(s.places[:0], len(numbers))[:len(numbers)]
	for row, number := range numbers {
		s.places[row] = s.starts[number+1]
		s.starts[number+1]++
	}
	for len(s.all) < b.Len {
		s.all = append(s.all, int32(len(s.all)))
	}
	if s.batch.Cols == nil {
		s.batch.Cols, s.text = make([]vec.Vector, len(b.Cols)), make([][]byte, len(b.Cols))
	}
	s.batch.Len = b.Len
	s.inOrder = s.inOrder[:0]
	for i := range b.Cols {
		s.column(i, &b.Cols[i], numbers, count)
	}
}

// part gives the rows of a number.
func (s *scatter) part(number int) *vec.Batch {
	s.batch.Sel = s.all[s.starts[number]:s.starts[number+1]]
	return &s.batch
}

func (s *scatter) column(i int, src *vec.Vector, numbers []int32, count int) {
	dst := &s.batch.Cols[i]
	if isNested(src.Type) {
		if len(s.inOrder) == 0 {
			s.inOrder = slices.Grow(s.inOrder, len(s.places))[:len(s.places)]
			for row, place := range s.places {
				s.inOrder[place] = int32(row)
			}
		}
		vec.Gather(dst, src, s.inOrder)
		return
	}
	if src.Enc == vec.Dict {
		dst.ResizeDict(src.Dict, src.DictID, src.Len)
		scatterValues(vec.Values[int32](dst), vec.Values[int32](src), s.places)
	} else {
		dst.Resize(src.Type, src.Len)
		switch src.Type.Physical() {
		case types.PhysBool:
			scatterValues(vec.Values[uint8](dst), vec.Values[uint8](src), s.places)
		case types.PhysInt16:
			scatterValues(vec.Values[int16](dst), vec.Values[int16](src), s.places)
		case types.PhysInt32, types.PhysFloat32:
			scatterValues(vec.Values[int32](dst), vec.Values[int32](src), s.places)
		case types.PhysInt64, types.PhysFloat64:
			scatterValues(vec.Values[int64](dst), vec.Values[int64](src), s.places)
		case types.PhysInt128, types.PhysInterval:
			scatterValues(vec.Values[types.Int128](dst), vec.Values[types.Int128](src), s.places)
		case types.PhysString:
			s.strings(i, src, numbers, count)
		}
	}
	if src.Valid == nil {
		return
	}
	dst.Valid = make(vec.Bitmap, vec.BitmapWords(src.Len))
	for row, place := range s.places {
		if src.Valid.Get(row) {
			dst.Valid.Set(int(place))
		}
	}
}

func scatterValues[T vec.Fixed](dst, src []T, places []int32) {
	src = src[:len(places)]
	for row, place := range places {
		dst[place] = src[row]
	}
}

// strings scatters the strings of column i and copies the long ones, each partition's side by side.
func (s *scatter) strings(i int, src *vec.Vector, numbers []int32, count int) {
	dst := &s.batch.Cols[i]
	from, to := vec.Values[vec.View](src)[:src.Len], vec.Values[vec.View](dst)
	s.next = slices.Grow(s.next[:0], count+1)[:count+1]
	clear(s.next)
	for row := range from {
		if !from[row].Inline() {
			s.next[numbers[row]+1] += from[row].Len()
		}
	}
	for n := range count {
		s.next[n+1] += s.next[n]
	}
	total := s.next[count]
	if total == 0 {
		scatterValues(to, from, s.places)
		return
	}
	if cap(s.text[i]) < total {
		s.text[i] = make([]byte, total+total/8)
	}
	text := s.text[i][:cap(s.text[i])]
	dst.Buffers = [][]byte{text}
	for row := range from {
		v := from[row]
		if !v.Inline() {
			number := numbers[row]
			at := s.next[number]
			b := v.Bytes(src.Buffers)
			s.next[number] = at + copy(text[at:], b)
			v.Tail = uint64(at) << 32
		}
		to[s.places[row]] = v
	}
}

// bytes is the memory that is kept.
func (s *scatter) bytes() (n int64) {
	for i := range s.batch.Cols {
		n += int64(cap(s.batch.Cols[i].Data)) + int64(cap(s.text[i]))
	}
	return n + int64(4*(cap(s.places)+cap(s.all)+cap(s.inOrder)))
}
