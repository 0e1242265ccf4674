package spill

import (
	"encoding/binary"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// A column is: a flag byte (bit 0: has nulls; bit 1: constant), the validity words if any, and then
// by layout: values as they are; strings and lists as 32-bit lengths followed by the bytes or by the
// elements' columns; rows as their fields' columns. A constant is one value.
const (
	flagNulls    = 1
	flagConstant = 2
)

func encodeBatch(out []byte, b *vec.Batch) []byte {
	var gathered, flat vec.Vector
	for c := range b.Cols {
		v := &b.Cols[c]
		if v.Enc != vec.Const {
			if b.Sel != nil {
				vec.Gather(&gathered, v, b.Sel)
				v = &gathered
			}
			if v.Enc == vec.Dict {
				vec.Flatten(&flat, v)
				v = &flat
			}
		}
		out = encodeColumn(out, v, b.Rows())
	}
	return out
}

// encodeColumn writes n rows of a Flat or Const vector.
func encodeColumn(out []byte, v *vec.Vector, n int) []byte {
	flag := byte(0)
	if v.Enc == vec.Const {
		flag, n = flagConstant, min(n, 1)
	}
	if v.Valid != nil {
		flag |= flagNulls
	}
	out = append(out, flag)
	if v.Valid != nil {
		for _, w := range v.Valid[:vec.BitmapWords(n)] {
			out = binary.LittleEndian.AppendUint64(out, w)
		}
	}
	switch p := v.Type.Physical(); p {
	case types.PhysString:
		return encodeStrings(out, v, n)
	case types.PhysList:
		return encodeLists(out, v, n)
	case types.PhysRow:
		for f := range v.Children {
			out = encodeChild(out, &v.Children[f], firstRows(n))
		}
		return out
	default:
		return append(out, v.Data[:n*p.Width()]...)
	}
}

func firstRows(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

// encodeChild writes the listed rows of a nested column, whatever its encoding.
func encodeChild(out []byte, v *vec.Vector, list []int32) []byte {
	var gathered, flat vec.Vector
	vec.Gather(&gathered, v, list)
	vec.Flatten(&flat, &gathered)
	return encodeColumn(out, &flat, len(list))
}

func encodeStrings(out []byte, v *vec.Vector, n int) []byte {
	views := vec.Values[vec.View](v)[:n]
	for i := range views {
		length := views[i].Len()
		if !v.Valid.Get(i) {
			length = 0
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(length))
	}
	for i := range views {
		if v.Valid.Get(i) {
			out = append(out, views[i].Bytes(v.Buffers)...)
		}
	}
	return out
}

func encodeLists(out []byte, v *vec.Vector, n int) []byte {
	var elements []int32
	for i, l := range vec.Values[vec.List](v)[:n] {
		length := l.Length
		if !v.Valid.Get(i) {
			length = 0
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(length))
		for e := range length {
			elements = append(elements, l.Offset+e)
		}
	}
	for c := range v.Children {
		out = encodeChild(out, &v.Children[c], elements)
	}
	return out
}

type decoder struct {
	in      []byte
	damaged bool
}

// take gives the next n bytes, nil when there are less.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.in) {
		d.damaged = true
		return nil
	}
	b := d.in[:n:n]
	d.in = d.in[n:]
	return b
}

func decodeBatch(raw []byte, rows int, columns []types.Type, dst *vec.Batch) error {
	d := &decoder{in: raw}
	dst.Len, dst.Sel = rows, nil
	if cap(dst.Cols) < len(columns) {
		dst.Cols = make([]vec.Vector, len(columns))
	}
	dst.Cols = dst.Cols[:len(columns)]
	for c, t := range columns {
		d.column(&dst.Cols[c], t, rows)
		if d.damaged {
			break
		}
	}
	if d.damaged || len(d.in) != 0 {
		return sqlerr.New(sqlerr.DataCorrupted, "spill file holds another shape of rows")
	}
	return nil
}

func (d *decoder) column(v *vec.Vector, t types.Type, n int) {
	head := d.take(1)
	if d.damaged {
		return
	}
	stored := n
	if head[0]&flagConstant != 0 {
		stored = min(n, 1)
		v.ResizeConst(t, n)
		if n == 0 {
			v.Data = v.Data[:0]
		}
	} else {
		v.Resize(t, n)
	}
	var valid vec.Bitmap
	if head[0]&flagNulls != 0 {
		words := d.take(8 * vec.BitmapWords(stored))
		valid = make(vec.Bitmap, len(words)/8)
		for i := range valid {
			valid[i] = binary.LittleEndian.Uint64(words[8*i:])
		}
	}
	if d.damaged {
		return
	}
	v.Valid = valid
	switch p := t.Physical(); p {
	case types.PhysString:
		d.strings(v, stored)
	case types.PhysList:
		d.lists(v, t, stored)
	case types.PhysRow:
		for f := range t.Fields {
			d.column(&v.Children[f], t.Fields[f].Type, stored)
		}
	default:
		copy(v.Data, d.take(stored*p.Width()))
	}
}

// strings makes views into the block's own bytes.
func (d *decoder) strings(v *vec.Vector, n int) {
	lengths := d.take(4 * n)
	bytes := d.in
	views := unsafe.Slice((*vec.View)(unsafe.Pointer(unsafe.SliceData(v.Data))), len(v.Data)/16)
	v.Buffers = [][]byte{bytes}
	at := 0
	for i := range n {
		if d.damaged {
			return
		}
		length := int(binary.LittleEndian.Uint32(lengths[4*i:]))
		b := d.take(length)
		if d.damaged {
			return
		}
		if length <= vec.InlineLength {
			views[i] = vec.InlineView(b)
		} else {
			views[i] = vec.LongView(b, 0, at)
		}
		at += length
	}
}

func (d *decoder) lists(v *vec.Vector, t types.Type, n int) {
	lengths := d.take(4 * n)
	if d.damaged {
		return
	}
	lists := vec.Values[vec.List](v)
	at := 0
	for i := range n {
		length := int(binary.LittleEndian.Uint32(lengths[4*i:]))
		if at+length > len(d.in) { // an element takes a byte at least
			d.damaged = true
			return
		}
		lists[i] = vec.List{Offset: int32(at), Length: int32(length)}
		at += length
	}
	child := 0
	if t.Key != nil {
		d.column(&v.Children[0], *t.Key, at)
		child = 1
	}
	d.column(&v.Children[child], *t.Elem, at)
}
