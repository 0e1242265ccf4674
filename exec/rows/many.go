package rows

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Reference names a row of one of several stores: the store's index above 32 bits, the row below.
type Reference uint64

// Refer makes a reference.
func Refer(store int, number uint32) Reference { return Reference(store)<<32 | Reference(number) }

// Many gathers from several stores of one layout.
type Many struct {
	Stores []*Store
	fields []field
}

// Gather makes dst the column's values of the rows referred to, Flat.
func (m *Many) Gather(column int, refs []Reference, dst *vec.Vector) {
	layout := m.Stores[0].Layout
	dst.Resize(layout.Types[column], len(refs))
	m.fields = m.fields[:0]
	nulls := false
	for _, s := range m.Stores {
		m.fields = append(m.fields, field{unsafe.Add(s.base, layout.Offsets[column]), uintptr(layout.Width)})
		nulls = nulls || s.HasNulls(column)
	}
	switch layout.kinds[column] {
	case slot1:
		loadMany(m.fields, vec.Values[uint8](dst), refs)
	case slot2:
		loadMany(m.fields, vec.Values[int16](dst), refs)
	case slot4:
		loadMany(m.fields, vec.Values[int32](dst), refs)
	case slot8:
		loadMany(m.fields, vec.Values[uint64](dst), refs)
	case slot16:
		loadMany(m.fields, vec.Values[vec.View](dst), refs)
	case slotString:
		m.strings(refs, dst)
	case slotNested:
		m.nested(column, refs, dst)
		return
	}
	if !nulls {
		return
	}
	valid := dst.MakeValid()
	for i, r := range refs {
		if m.Stores[r>>32].IsNull(column, uint32(r)) {
			valid.Clear(i)
		}
	}
}

func loadMany[T vec.Fixed](fields []field, dst []T, refs []Reference) {
	dst = dst[:len(refs)]
	for i, r := range refs {
		f := &fields[r>>32]
		dst[i] = *(*T)(unsafe.Add(f.base, uintptr(uint32(r))*f.stride))
	}
}

// strings gives the views buffer numbers in one list of all stores' buffers.
func (m *Many) strings(refs []Reference, dst *vec.Vector) {
	views := vec.Values[vec.View](dst)
	loadMany(m.fields, views, refs)
	if len(m.Stores) == 1 {
		dst.Buffers = m.Stores[0].Buffers()
		return
	}
	bases := make([]uint64, len(m.Stores))
	for i, s := range m.Stores {
		bases[i] = uint64(len(dst.Buffers))
		dst.Buffers = append(dst.Buffers, s.Buffers()...)
	}
	for i, r := range refs {
		if !views[i].Inline() {
			views[i].Tail += bases[r>>32]
		}
	}
}

func (m *Many) nested(column int, refs []Reference, dst *vec.Vector) {
	t := m.Stores[0].Layout.Types[column]
	for i, r := range refs {
		s := m.Stores[r>>32]
		if s.IsNull(column, uint32(r)) {
			dst.SetDatum(i, types.NullDatum())
			continue
		}
		value, _ := ReadValue((*vec.View)(s.Field(column, uint32(r))).Bytes(s.Buffers()), t)
		dst.SetDatum(i, value)
	}
}
