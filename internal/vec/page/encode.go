package page

import (
	"encoding/binary"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	magic        = 0x31475054 // "TPG1"
	headerBytes  = 16
	columnBytes  = 8
	flagNulls    = 1
	largestPage  = 1 << 30
	mostRows     = 1 << 24
	dictionaryOf = 2 // a dictionary travels when there are so many rows for each entry
)

// Encode gives the selected rows of b as a page; b has at least one row.
func Encode(b *vec.Batch, buffers *Buffers) (Page, error) {
	rows := b.Rows()
	memory := buffers.Take(frameBytes + headerBytes + size(b, rows))
	e := encoder{out: memory.bytes[frameBytes : frameBytes+headerBytes]}
	for c := range b.Cols {
		e.column(&b.Cols[c], b.Sel, rows)
	}
	if len(e.out) > largestPage || rows > mostRows {
		memory.Release()
		return Page{}, sqlerr.New(sqlerr.ProgramLimitExceeded, "rows are too large to send: %d bytes in %d rows", len(e.out), rows)
	}
	binary.LittleEndian.PutUint32(e.out, magic)
	binary.LittleEndian.PutUint32(e.out[4:], uint32(rows))
	binary.LittleEndian.PutUint64(e.out[8:], checksum(e.out))
	if unsafe.SliceData(e.out) != &memory.bytes[frameBytes] { // nested columns took more than was counted
		memory.Release()
		return Of(e.out), nil
	}
	page := memory.Page(e.out[:len(e.out):len(e.out)])
	page.setFrame()
	return page, nil
}

func checksum(page []byte) uint64 {
	return xxh3.HashSeed(page[headerBytes:], uint64(binary.LittleEndian.Uint32(page[4:])))
}

// size is what the columns take: exactly, but for nested ones, whose elements are not counted. Buffers
// of strings may be shared by many batches, so only the listed rows tell.
func size(b *vec.Batch, rows int) int {
	n := 0
	for c := range b.Cols {
		n += columnSize(&b.Cols[c], b.Sel, rows)
	}
	return n
}

func columnSize(v *vec.Vector, list []int32, rows int) int {
	n := columnBytes
	flat, index := v, []int32(nil)
	switch {
	case v.Enc == vec.Const:
		list, rows = nil, 1
	case v.Enc == vec.Dict && v.Dict.Len*dictionaryOf <= rows:
		n += (4*rows + 7) &^ 7
		if v.Valid != nil {
			n += 8 * vec.BitmapWords(rows)
		}
		return n + columnSize(v.Dict, nil, v.Dict.Len)
	case v.Enc == vec.Dict:
		flat, index = v.Dict, v.Codes()
	}
	if v.Valid != nil {
		n += 8 * vec.BitmapWords(rows)
	}
	p := v.Type.Physical()
	n += (rows*p.Width() + 7) &^ 7
	if p != types.PhysString {
		return n
	}
	views, long := vec.Values[vec.View](flat), 0
	for i := range rows {
		r := rowOf(list, i)
		if !v.Valid.Get(r) { // its view may be anything
			continue
		}
		if index != nil {
			r = int(index[r])
		}
		if !views[r].Inline() {
			long += views[r].Len()
		}
	}
	return n + 8 + (long+7)&^7
}

type encoder struct{ out []byte }

// reserve appends n bytes, up to the next boundary, and gives them. What they hold is undefined.
func (e *encoder) reserve(n int) []byte {
	at := len(e.out)
	end := at + (n+7)&^7
	if end > cap(e.out) {
		grown := vec.AlignedBytes(max(end, 2*cap(e.out)))[:at]
		copy(grown, e.out)
		e.out = grown
	}
	e.out = e.out[:end]
	clear(e.out[at+n : end])
	return e.out[at : at+n : at+n]
}

func (e *encoder) head(encoding vec.Encoding, nulls bool, p types.Physical, count int) {
	h := e.reserve(columnBytes)
	h[0], h[1], h[2], h[3] = byte(encoding), 0, byte(p), 0
	if nulls {
		h[1] = flagNulls
	}
	binary.LittleEndian.PutUint32(h[4:], uint32(count))
}

// column writes the rows of v listed in list (nil: all n).
func (e *encoder) column(v *vec.Vector, list []int32, n int) {
	switch v.Enc {
	case vec.Const:
		flat := *v
		flat.Enc, flat.Len = vec.Flat, 1
		e.head(vec.Const, flat.Valid != nil, v.Type.Physical(), 1)
		e.values(&flat, nil, 1)
	case vec.Dict:
		if v.Dict.Len*dictionaryOf <= n {
			e.head(vec.Dict, v.Valid != nil, v.Type.Physical(), n)
			e.valid(v.Valid, list, n)
			put(e.reserve(4*n), vec.Values[int32](v), list)
			dictionary := *v.Dict
			e.column(&dictionary, nil, dictionary.Len)
			return
		}
		var listed, flat vec.Vector
		if list == nil {
			listed.Alias(v)
		} else {
			vec.Gather(&listed, v, list)
		}
		vec.Flatten(&flat, &listed)
		e.column(&flat, nil, n)
	default:
		e.head(vec.Flat, v.Valid != nil, v.Type.Physical(), n)
		e.values(v, list, n)
	}
}

// values writes validity, data and children of a flat vector.
func (e *encoder) values(v *vec.Vector, list []int32, n int) {
	e.valid(v.Valid, list, n)
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		e.booleans(vec.Values[uint8](v), list, n)
	case types.PhysInt16:
		put(e.reserve(2*n), vec.Values[int16](v), list)
	case types.PhysInt32, types.PhysFloat32:
		put(e.reserve(4*n), vec.Values[int32](v), list)
	case types.PhysInt64, types.PhysFloat64:
		put(e.reserve(8*n), vec.Values[int64](v), list)
	case types.PhysInt128, types.PhysInterval:
		put(e.reserve(16*n), vec.Values[vec.View](v), list)
	case types.PhysString:
		e.strings(v, list, n)
	case types.PhysList:
		e.lists(v, list, n)
	case types.PhysRow:
		if list == nil {
			list = firstRows(n)
		}
		for f := range v.Children {
			e.child(&v.Children[f], list)
		}
	}
}

// put copies the listed values, whose types hold no pointers, into bytes on an 8-byte boundary.
func put[T vec.Fixed](to []byte, values []T, list []int32) {
	if len(to) == 0 {
		return
	}
	var zero T
	out := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(to))), len(to)/int(unsafe.Sizeof(zero)))
	if list == nil {
		copy(out, values)
		return
	}
	for i, r := range list {
		out[i] = values[r]
	}
}

// booleans writes 0 or 1 for every row: a NULL's byte may be anything in memory.
func (e *encoder) booleans(values []uint8, list []int32, n int) {
	to := e.reserve(n)
	put(to, values, list)
	for i := range to {
		to[i] &= 1
	}
}

func (e *encoder) valid(valid vec.Bitmap, list []int32, n int) {
	if valid == nil {
		return
	}
	words := vec.BitmapWords(n)
	to := e.reserve(8 * words)
	if list == nil {
		put(to, valid[:words], nil)
		return
	}
	out := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(to))), words)
	clear(out)
	for i, r := range list {
		out[i>>6] |= (valid[r>>6] >> (uint(r) & 63) & 1) << (uint(i) & 63)
	}
}

// strings writes the number of bytes of long strings, the views, and those bytes. The views of NULLs
// are empty.
func (e *encoder) strings(v *vec.Vector, list []int32, n int) {
	e.reserve(8)
	sizeAt := len(e.out) - 8
	to := e.reserve(16 * n)
	views := unsafe.Slice((*vec.View)(unsafe.Pointer(unsafe.SliceData(to))), n)
	put(to, vec.Values[vec.View](v), list)
	heap := 0
	for i := range views {
		if r := rowOf(list, i); v.Valid != nil && !v.Valid.Get(r) {
			views[i] = vec.View{}
		} else if !views[i].Inline() {
			heap += views[i].Len()
		}
	}
	if heap == 0 {
		binary.LittleEndian.PutUint64(e.out[sizeAt:], 0)
		return
	}
	viewsAt := len(e.out) - (16 * n)
	bytes := e.reserve(heap)
	binary.LittleEndian.PutUint64(e.out[sizeAt:], uint64(heap))
	views = unsafe.Slice((*vec.View)(unsafe.Pointer(&e.out[viewsAt])), n)
	at := 0
	for i := range views {
		if !views[i].Inline() {
			s := views[i].Bytes(v.Buffers)
			copy(bytes[at:], s)
			views[i] = vec.LongView(s, 0, at)
			at += len(s)
		}
	}
}

func rowOf(list []int32, i int) int {
	if list == nil {
		return i
	}
	return int(list[i])
}

// lists writes where each list lies among the elements, and the elements.
func (e *encoder) lists(v *vec.Vector, list []int32, n int) {
	from := vec.Values[vec.List](v)
	lists := make([]vec.List, n)
	var elements []int32
	for i := range lists {
		r := rowOf(list, i)
		if v.Valid != nil && !v.Valid.Get(r) {
			continue
		}
		lists[i] = vec.List{Offset: int32(len(elements)), Length: from[r].Length}
		for k := range from[r].Length {
			elements = append(elements, from[r].Offset+k)
		}
	}
	put(e.reserve(8*n), lists, nil)
	for c := range v.Children {
		e.child(&v.Children[c], elements)
	}
}

// child writes the listed rows of a nested column as a flat one.
func (e *encoder) child(v *vec.Vector, list []int32) {
	var gathered, flat vec.Vector
	vec.Gather(&gathered, v, list)
	vec.Flatten(&flat, &gathered)
	e.head(vec.Flat, flat.Valid != nil, v.Type.Physical(), len(list))
	e.values(&flat, nil, len(list))
}

func firstRows(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}
