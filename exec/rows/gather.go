package rows

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Gather makes dst the column's values of the numbered rows, Flat. Long strings refer to the store's
// chunks.
func (s *Store) Gather(column int, numbers []uint32, dst *vec.Vector) {
	dst.Resize(s.Layout.Types[column], len(numbers))
	at := unsafe.Add(s.base, s.Layout.Offsets[column])
	stride := uintptr(s.Layout.Width)
	switch s.Layout.kinds[column] {
	case slot1:
		gather(vec.Values[uint8](dst), at, stride, numbers)
	case slot2:
		gather(vec.Values[int16](dst), at, stride, numbers)
	case slot4:
		gather(vec.Values[int32](dst), at, stride, numbers)
	case slot8:
		gather(vec.Values[uint64](dst), at, stride, numbers)
	case slot16:
		gather(vec.Values[vec.View](dst), at, stride, numbers)
	case slotString:
		gather(vec.Values[vec.View](dst), at, stride, numbers)
		dst.Buffers = s.heapBuffers()
	case slotNested:
		s.gatherNested(column, numbers, dst)
		return
	}
	if s.HasNulls(column) {
		s.gatherNulls(column, numbers, dst)
	}
}

// heapBuffers gives the string chunks as they are now.
func (s *Store) heapBuffers() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffers[:len(s.buffers):len(s.buffers)]
}

func gather[T vec.Fixed](dst []T, base unsafe.Pointer, stride uintptr, numbers []uint32) {
	dst = dst[:len(numbers)]
	for i, n := range numbers {
		dst[i] = *(*T)(unsafe.Add(base, uintptr(n)*stride))
	}
}

func (s *Store) gatherNulls(column int, numbers []uint32, dst *vec.Vector) {
	at := unsafe.Add(s.base, s.Layout.nullAt+column>>3)
	bit, stride := column&7, uintptr(s.Layout.Width)
	valid := dst.MakeValid()
	clear(valid)
	for i, n := range numbers {
		null := uint64(*(*byte)(unsafe.Add(at, uintptr(n)*stride))) >> bit & 1
		valid[i>>6] |= (null ^ 1) << (uint(i) & 63)
	}
}

func (s *Store) gatherNested(column int, numbers []uint32, dst *vec.Vector) {
	t := s.Layout.Types[column]
	buffers := s.heapBuffers()
	for i, n := range numbers {
		if s.IsNull(column, n) {
			dst.SetDatum(i, types.NullDatum())
			continue
		}
		view := (*vec.View)(unsafe.Add(s.Row(n), s.Layout.Offsets[column]))
		value, _ := ReadValue(view.Bytes(buffers), t)
		dst.SetDatum(i, value)
	}
}

// IsNull tells whether a row's column is NULL.
func (s *Store) IsNull(column int, number uint32) bool {
	b := *(*byte)(unsafe.Add(s.Row(number), s.Layout.nullAt+column>>3))
	return b>>(column&7)&1 != 0
}

// Field is the address of a row's value of a column.
func (s *Store) Field(column int, number uint32) unsafe.Pointer {
	return unsafe.Add(s.Row(number), s.Layout.Offsets[column])
}
