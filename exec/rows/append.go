package rows

import (
	"unsafe"

	"github.com/tarnlake/tarn/internal/vec"
)

// Append adds the listed rows of cols, which hold one vector a layout column, and puts their numbers
// into numbers (nil: not wanted). After an error the store is only good to be freed.
func (w *Writer) Append(cols []*vec.Vector, list []int32, numbers []uint32) error {
	for done := 0; done < len(list); {
		first, got, err := w.Allocate(len(list) - done)
		if err != nil {
			return err
		}
		if err := w.fill(cols, list[done:done+got], first); err != nil {
			return err
		}
		if numbers != nil {
			for i := range got {
				numbers[done+i] = first + uint32(i)
			}
		}
		done += got
	}
	return nil
}

// fill writes the listed rows of all columns into the rows from first on.
func (w *Writer) fill(cols []*vec.Vector, list []int32, first uint32) error {
	l := w.store.Layout
	row := w.store.Row(first)
	for at := l.nullAt; at < l.Width; at++ {
		scatterZero(unsafe.Add(row, at), l.Width, len(list))
	}
	for c, v := range cols {
		if err := w.column(c, v, list, unsafe.Add(row, l.Offsets[c])); err != nil {
			return err
		}
		if v.MayHaveNulls() {
			w.markNulls(c, v, list, row)
		}
	}
	return nil
}

// column writes one column's values; those of NULLs are zeroed afterwards by markNulls.
func (w *Writer) column(c int, v *vec.Vector, list []int32, to unsafe.Pointer) error {
	kind, stride := w.store.Layout.kinds[c], w.store.Layout.Width
	switch kind {
	case slotNone:
		return nil
	case slotString:
		return w.strings(c, v, list, to)
	case slotNested:
		return w.nested(v, list, to)
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
		scatter(to, stride, vec.Values[uint8](flat), list)
	case slot2:
		scatter(to, stride, vec.Values[int16](flat), list)
	case slot4:
		scatter(to, stride, vec.Values[int32](flat), list)
	case slot8:
		scatter(to, stride, vec.Values[uint64](flat), list)
	case slot16:
		scatter(to, stride, vec.Values[vec.View](flat), list)
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

func scatter[T vec.Fixed](to unsafe.Pointer, stride int, values []T, list []int32) {
	for _, r := range list {
		*(*T)(to) = values[r]
		to = unsafe.Add(to, stride)
	}
}

func scatterZero(to unsafe.Pointer, stride, n int) {
	for range n {
		*(*uint8)(to) = 0
		to = unsafe.Add(to, stride)
	}
}

// markNulls sets the null bit of NULL rows and zeroes their values, so that equal keys are equal bytes.
func (w *Writer) markNulls(c int, v *vec.Vector, list []int32, row unsafe.Pointer) {
	l := w.store.Layout
	bit, at := byte(1)<<(c&7), l.nullAt+c>>3
	offset, width := int(l.Offsets[c]), l.kinds[c].width()
	some := false
	for _, r := range list {
		if v.IsNull(int(r)) {
			*(*byte)(unsafe.Add(row, at)) |= bit
			clear(unsafe.Slice((*byte)(unsafe.Add(row, offset)), width))
			some = true
		}
		row = unsafe.Add(row, l.Width)
	}
	w.nulls[c] = w.nulls[c] || some
}

func (w *Writer) strings(c int, v *vec.Vector, list []int32, to unsafe.Pointer) error {
	stride := w.store.Layout.Width
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
		for range list {
			*(*vec.View)(to) = view
			to = unsafe.Add(to, stride)
		}
		return nil
	case index != nil:
		return w.codes(c, flat, v, index, list, to)
	}
	for _, r := range list {
		view := views[r]
		if !view.Inline() && v.Valid.Get(int(r)) {
			var err error
			if view, err = w.intern(view.Bytes(flat.Buffers)); err != nil {
				return err
			}
		}
		*(*vec.View)(to) = view
		to = unsafe.Add(to, stride)
	}
	return nil
}

// codes stores dictionary strings, each long entry once per dictionary.
func (w *Writer) codes(c int, flat, v *vec.Vector, index, list []int32, to unsafe.Pointer) error {
	stride := w.store.Layout.Width
	views := vec.Values[vec.View](flat)
	cache := &w.cache[c]
	if cache.dictionary != flat {
		cache.dictionary = flat
		cache.views = append(cache.views[:0], views[:flat.Len]...)
		cache.known = append(cache.known[:0], make(vec.Bitmap, vec.BitmapWords(flat.Len))...)
	}
	for _, r := range list {
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
		*(*vec.View)(to) = view
		to = unsafe.Add(to, stride)
	}
	return nil
}

func (w *Writer) nested(v *vec.Vector, list []int32, to unsafe.Pointer) error {
	stride := w.store.Layout.Width
	var encoded []byte
	for _, r := range list {
		var view vec.View
		if !v.IsNull(int(r)) {
			encoded = AppendValue(encoded[:0], v, int(r))
			var err error
			if view, err = w.intern(encoded); err != nil {
				return err
			}
		}
		*(*vec.View)(to) = view
		to = unsafe.Add(to, stride)
	}
	return nil
}
