package page

import (
	"encoding/binary"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Rows gives the number of rows of a page that Decode accepts, 0 of one that is too short.
func Rows(page []byte) int {
	if len(page) < headerBytes {
		return 0
	}
	return int(binary.LittleEndian.Uint32(page[4:]))
}

// Lasting tells whether parts of a decoded batch may be kept by reference: string buffers, dictionaries,
// constants and the elements of nested columns. Then the page's memory must stay as it is.
func Lasting(b *vec.Batch) bool {
	for c := range b.Cols {
		if v := &b.Cols[c]; v.Enc != vec.Flat || len(v.Buffers) > 0 || len(v.Children) > 0 {
			return true
		}
	}
	return false
}

// Decode makes dst the rows of a page whose columns have the given types. dst refers to the page's
// memory, which must not change any more. A page that is damaged, or of other columns, is an error.
func Decode(page []byte, columns []types.Type, dst *vec.Batch) error {
	if len(page) < headerBytes || binary.LittleEndian.Uint32(page) != magic {
		return damaged("it does not begin as one")
	}
	if uintptr(unsafe.Pointer(unsafe.SliceData(page)))&7 != 0 {
		aligned := vec.AlignedBytes(len(page))
		copy(aligned, page)
		page = aligned
	}
	if binary.LittleEndian.Uint64(page[8:]) != checksum(page) {
		return damaged("its checksum is wrong")
	}
	rows := Rows(page)
	if rows == 0 || rows > mostRows {
		return damaged("its number of rows is impossible")
	}
	d := decoder{in: page[headerBytes:]}
	dst.Len, dst.Sel = rows, nil
	if cap(dst.Cols) < len(columns) {
		dst.Cols = make([]vec.Vector, len(columns))
	}
	dst.Cols = dst.Cols[:len(columns)]
	for c, t := range columns {
		if !d.column(&dst.Cols[c], t, rows, top) {
			return damaged("a column is of another shape")
		}
	}
	if len(d.in) != 0 {
		return damaged("it is longer than its columns")
	}
	return nil
}

func damaged(why string) error {
	return sqlerr.New(sqlerr.DataCorrupted, "a page of rows from another task is damaged: %s", why)
}

type decoder struct{ in []byte }

// place says which encodings a column may have.
type place uint8

const (
	top        place = iota // any
	dictionary              // flat, without nulls
	nested                  // flat
)

// take gives the next n bytes, which end on a boundary.
func (d *decoder) take(n int) ([]byte, bool) {
	if n < 0 || n > len(d.in) {
		return nil, false
	}
	padded := (n + 7) &^ 7
	if padded > len(d.in) {
		return nil, false
	}
	b := d.in[:n:n]
	d.in = d.in[padded:]
	return b, true
}

// column reads a column of n rows; of a dictionary and of elements, n negative, as many as there are.
func (d *decoder) column(v *vec.Vector, t types.Type, n int, where place) bool {
	head, ok := d.take(columnBytes)
	if !ok {
		return false
	}
	encoding, flags, count := vec.Encoding(head[0]), head[1], int(binary.LittleEndian.Uint32(head[4:]))
	p := t.Physical()
	if flags&^flagNulls != 0 || head[2] != byte(p) || head[3] != 0 || count > mostRows*16 {
		return false
	}
	*v = vec.Vector{Type: t, Enc: encoding, Len: count}
	switch {
	case encoding == vec.Const && where == top && count == 1:
		v.Len = n
	case encoding == vec.Flat && (n < 0 || count == n):
	case encoding == vec.Dict && where == top && count == n:
	default:
		return false
	}
	if flags&flagNulls != 0 {
		if where == dictionary {
			return false
		}
		words, ok := d.take(8 * vec.BitmapWords(count))
		if !ok {
			return false
		}
		v.Valid = valuesOf[uint64](words)
		if v.Valid == nil {
			v.Valid = vec.Bitmap{}
		}
	}
	if encoding == vec.Dict {
		return d.codes(v, t, count)
	}
	return d.values(v, t, p, count)
}

func valuesOf[T vec.Fixed](b []byte) []T {
	var zero T
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

func (d *decoder) codes(v *vec.Vector, t types.Type, n int) bool {
	data, ok := d.take(4 * n)
	if !ok {
		return false
	}
	v.Data, v.Dict = data, &vec.Vector{}
	if !d.column(v.Dict, t, -1, dictionary) || v.Dict.Len == 0 {
		return false
	}
	entries, wrong := uint32(v.Dict.Len), false
	for _, code := range valuesOf[int32](data) {
		wrong = wrong || uint32(code) >= entries
	}
	return !wrong
}

func (d *decoder) values(v *vec.Vector, t types.Type, p types.Physical, n int) bool {
	switch p {
	case types.PhysString:
		return d.strings(v, n)
	case types.PhysList:
		return d.lists(v, t, n)
	case types.PhysRow:
		v.Children = make([]vec.Vector, len(t.Fields))
		for f := range t.Fields {
			if !d.column(&v.Children[f], t.Fields[f].Type, n, nested) {
				return false
			}
		}
		return true
	}
	data, ok := d.take(n * p.Width())
	v.Data = data
	return ok && (p != types.PhysBool || areBooleans(data))
}

// areBooleans tells whether all bytes are 0 or 1.
func areBooleans(data []byte) bool {
	var seen uint64
	words := valuesOf[uint64](data[:len(data)&^7])
	for _, w := range words {
		seen |= w
	}
	for _, b := range data[len(data)&^7:] {
		seen |= uint64(b)
	}
	return seen&^0x0101010101010101 == 0
}

func (d *decoder) strings(v *vec.Vector, n int) bool {
	size, ok := d.take(8)
	if !ok {
		return false
	}
	length := binary.LittleEndian.Uint64(size)
	data, ok := d.take(16 * n)
	if !ok || length > uint64(len(d.in)) {
		return false
	}
	heap, ok := d.take(int(length))
	if !ok {
		return false
	}
	v.Data = data
	if len(heap) > 0 {
		v.Buffers = [][]byte{heap}
	}
	for _, view := range valuesOf[vec.View](data) {
		if !sound(view, heap) {
			return false
		}
	}
	return true
}

// sound tells whether a view stays within its bytes and is written as views are.
func sound(view vec.View, heap []byte) bool {
	n := view.Len()
	switch {
	case n <= 4:
		return view.Tail == 0 && view.Head>>(32+8*n) == 0
	case n <= vec.InlineLength:
		return view.Tail>>(8*(n-4)) == 0
	}
	at := view.Offset()
	if view.Buffer() != 0 || at > len(heap) || n > len(heap)-at {
		return false
	}
	return uint32(view.Head>>32) == binary.LittleEndian.Uint32(heap[at:])
}

func (d *decoder) lists(v *vec.Vector, t types.Type, n int) bool {
	data, ok := d.take(8 * n)
	if !ok {
		return false
	}
	v.Data = data
	elements := []types.Type{*t.Elem}
	if t.Key != nil {
		elements = []types.Type{*t.Key, *t.Elem}
	}
	v.Children = make([]vec.Vector, len(elements))
	count := -1
	for c, element := range elements {
		if !d.column(&v.Children[c], element, count, nested) {
			return false
		}
		count = v.Children[c].Len
	}
	for _, l := range valuesOf[vec.List](data) {
		if l.Offset < 0 || l.Length < 0 || int(l.Offset)+int(l.Length) > count {
			return false
		}
	}
	return true
}
