package rows

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Gather makes dst the column's values of the numbered rows, Flat. Long strings refer to the store's
// chunks.
func (s *Store) Gather(column int, numbers []uint32, dst *vec.Vector) {
	s.gather(column, numbers, nil, len(numbers), dst)
}

// GatherAt makes dst a Flat vector of n rows of which row positions[i] has the value of stored row
// numbers[i]; the others are garbage, and valid.
func (s *Store) GatherAt(column int, numbers []uint32, positions []int32, n int, dst *vec.Vector) {
	s.gather(column, numbers, positions, n, dst)
}

func (s *Store) gather(column int, numbers []uint32, positions []int32, n int, dst *vec.Vector) {
	dst.Resize(s.Layout.Types[column], n)
	f := field{base: unsafe.Add(s.base, s.Layout.Offsets[column]), stride: uintptr(s.Layout.Width)}
	switch s.Layout.kinds[column] {
	case slot1:
		load(f, vec.Values[uint8](dst), numbers, positions)
	case slot2:
		load(f, vec.Values[int16](dst), numbers, positions)
	case slot4:
		load(f, vec.Values[int32](dst), numbers, positions)
	case slot8:
		load(f, vec.Values[uint64](dst), numbers, positions)
	case slot16:
		load(f, vec.Values[vec.View](dst), numbers, positions)
	case slotString:
		if positions != nil {
			clear(dst.Data) // garbage views must not point anywhere
		}
		load(f, vec.Values[vec.View](dst), numbers, positions)
		dst.Buffers = s.Buffers()
	case slotNested:
		s.gatherNested(column, numbers, positions, dst)
		return
	}
	if s.HasNulls(column) {
		s.gatherNulls(column, numbers, positions, dst)
	}
}

// Buffers gives the string chunks as they are now: what the views of stored rows refer to.
func (s *Store) Buffers() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffers[:len(s.buffers):len(s.buffers)]
}

// field is where a column's values lie: row number × stride from base.
type field struct {
	base   unsafe.Pointer
	stride uintptr
}

// at is the address of a row's value.
func (f field) at(number uint32) unsafe.Pointer { return unsafe.Add(f.base, uintptr(number)*f.stride) }

func load[T vec.Fixed](f field, dst []T, numbers []uint32, positions []int32) {
	if positions == nil {
		dst = dst[:len(numbers)]
		for i, n := range numbers {
			dst[i] = *(*T)(f.at(n))
		}
		return
	}
	positions = positions[:len(numbers)]
	for i, n := range numbers {
		dst[positions[i]] = *(*T)(f.at(n))
	}
}

func (s *Store) gatherNulls(column int, numbers []uint32, positions []int32, dst *vec.Vector) {
	at := unsafe.Add(s.base, s.Layout.nullAt+column>>3)
	bit, stride := column&7, uintptr(s.Layout.Width)
	valid := dst.MakeValid()
	for i, n := range numbers {
		null := uint64(*(*byte)(unsafe.Add(at, uintptr(n)*stride))) >> bit & 1
		if positions != nil {
			i = int(positions[i])
		}
		valid[i>>6] &^= null << (uint(i) & 63)
	}
}

func (s *Store) gatherNested(column int, numbers []uint32, positions []int32, dst *vec.Vector) {
	t := s.Layout.Types[column]
	for i := range dst.Len {
		dst.SetDatum(i, types.NullDatum())
	}
	buffers := s.Buffers()
	for i, n := range numbers {
		if s.IsNull(column, n) {
			continue
		}
		if positions != nil {
			i = int(positions[i])
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
