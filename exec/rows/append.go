package rows

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/vec"
)

// Append adds the listed rows of cols, which hold one vector a layout column, and puts their numbers
// into numbers (nil: not wanted). After an error the store is only good to be freed.
func (w *Writer) Append(cols []*vec.Vector, list []int32, numbers []uint32) error {
	if numbers == nil {
		if cap(w.numbers) < len(list) {
			w.numbers = make([]uint32, len(list))
		}
		numbers = w.numbers
	}
	numbers = numbers[:len(list)]
	for done := 0; done < len(list); {
		first, got, err := w.Allocate(len(list) - done)
		if err != nil {
			return err
		}
		for i := range numbers[done : done+got] {
			numbers[done+i] = first + uint32(i)
		}
		done += got
	}
	return w.fill(cols, list, numbers)
}

// Put writes the listed rows of cols into rows that Allocate gave, row list[i] into numbers[i].
func (w *Writer) Put(cols []*vec.Vector, list []int32, numbers []uint32) error {
	err := w.fill(cols, list, numbers)
	w.Publish()
	return err
}

// fill writes the listed rows of all columns into the numbered rows.
func (w *Writer) fill(cols []*vec.Vector, list []int32, numbers []uint32) error {
	s := w.store
	for at := s.Layout.nullAt; at < s.Layout.Width; at++ {
		f := field{unsafe.Add(s.base, at), uintptr(s.Layout.Width)}
		for _, n := range numbers {
			*(*uint8)(f.at(n)) = 0
		}
	}
	for c, v := range cols {
		if err := w.column(c, v, list, numbers); err != nil {
			return err
		}
		if v.MayHaveNulls() {
			w.markNulls(c, v, list, numbers)
		}
	}
	return nil
}

// column writes one column's values; those of NULLs are zeroed afterwards by markNulls.
func (w *Writer) column(c int, v *vec.Vector, list []int32, numbers []uint32) error {
	to := field{unsafe.Add(w.store.base, w.store.Layout.Offsets[c]), uintptr(w.store.Layout.Width)}
	kind := w.store.Layout.kinds[c]
	switch kind {
	case slotNone:
		return nil
	case slotString:
		return w.strings(c, v, list, numbers, to)
	case slotNested:
		return w.nested(v, list, numbers, to)
	}
	flat, index, constant := v.Base()
	switch {
	case constant:
		list = w.zeros(len(list))
	case index != nil:
		list = w.through(index, list)
	}
	switch kind {
	case slot1:
		scatter(to, numbers, vec.Values[uint8](flat), list)
	case slot2:
		scatter(to, numbers, vec.Values[int16](flat), list)
	case slot4:
		scatter(to, numbers, vec.Values[int32](flat), list)
	case slot8:
		scatter(to, numbers, vec.Values[uint64](flat), list)
	case slot16:
		scatter(to, numbers, vec.Values[vec.View](flat), list)
	}
	return nil
}

// zeros gives n zero indices.
func (w *Writer) zeros(n int) []int32 {
	if cap(w.index) < n {
		w.index = make([]int32, n)
	}
	w.index = w.index[:n]
	clear(w.index)
	return w.index
}

// through gives index[list[i]] for each i.
func (w *Writer) through(index, list []int32) []int32 {
	if cap(w.index) < len(list) {
		w.index = make([]int32, len(list))
	}
	w.index = w.index[:len(list)]
	for i, r := range list {
		w.index[i] = index[r]
	}
	return w.index
}

func scatter[T vec.Fixed](to field, numbers []uint32, values []T, list []int32) {
	numbers = numbers[:len(list)]
	for i, r := range list {
		*(*T)(to.at(numbers[i])) = values[r]
	}
}

// markNulls sets the null bit of NULL rows and zeroes their values, so that equal keys are equal bytes.
func (w *Writer) markNulls(c int, v *vec.Vector, list []int32, numbers []uint32) {
	l := w.store.Layout
	bit, at := byte(1)<<(c&7), l.nullAt+c>>3
	offset, width := int(l.Offsets[c]), l.kinds[c].width()
	some := false
	for i, r := range list {
		if v.IsNull(int(r)) {
			row := w.store.Row(numbers[i])
			*(*byte)(unsafe.Add(row, at)) |= bit
			clear(unsafe.Slice((*byte)(unsafe.Add(row, offset)), width))
			some = true
		}
	}
	w.nulls[c] = w.nulls[c] || some
}

func (w *Writer) strings(c int, v *vec.Vector, list []int32, numbers []uint32, to field) error {
	flat, index, constant := v.Base()
	views := vec.Values[vec.View](flat)
	switch {
	case constant:
		var view vec.View
		if !v.IsNull(0) {
			var err error
			if view, err = w.intern(views[0].Bytes(flat.Buffers)); err != nil {
				return err
			}
		}
		for i := range list {
			*(*vec.View)(to.at(numbers[i])) = view
		}
		return nil
	case index != nil:
		return w.codes(c, v, list, numbers, to)
	}
	for i, r := range list {
		view := views[r]
		if !view.Inline() && v.Valid.Get(int(r)) {
			var err error
			if view, err = w.intern(view.Bytes(flat.Buffers)); err != nil {
				return err
			}
		}
		*(*vec.View)(to.at(numbers[i])) = view
	}
	return nil
}

// codes stores dictionary strings, each long entry once per dictionary.
func (w *Writer) codes(c int, v *vec.Vector, list []int32, numbers []uint32, to field) error {
	flat, index, _ := v.Base()
	cache := &w.cache[c]
	if cache.dictionary != flat {
		cache.dictionary = flat
		cache.views = append(cache.views[:0], vec.Values[vec.View](flat)[:flat.Len]...)
		cache.known = append(cache.known[:0], make(vec.Bitmap, vec.BitmapWords(flat.Len))...)
	}
	for i, r := range list {
		code := index[r]
		view := cache.views[code]
		if !view.Inline() && !cache.known.Get(int(code)) && v.Valid.Get(int(r)) {
			var err error
			if view, err = w.intern(view.Bytes(flat.Buffers)); err != nil {
				return err
			}
			cache.views[code] = view
			cache.known.Set(int(code))
		}
		*(*vec.View)(to.at(numbers[i])) = view
	}
	return nil
}

func (w *Writer) nested(v *vec.Vector, list []int32, numbers []uint32, to field) error {
	var encoded []byte
	for i, r := range list {
		var view vec.View
		if !v.IsNull(int(r)) {
			encoded = AppendValue(encoded[:0], v, int(r))
			var err error
			if view, err = w.intern(encoded); err != nil {
				return err
			}
		}
		*(*vec.View)(to.at(numbers[i])) = view
	}
	return nil
}
