package lake

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// rowBuffer gathers rows of several batches. It keeps strings' dictionaries, so that those who
// encode the rows need not look strings up.
type rowBuffer struct {
	columns []bufferedColumn
	view    vec.Batch
	count   int
	bytes   int64
	// share says that long strings stay where they are; their buffers are kept alive.
	share bool
}

// bufferedColumn is a Flat vector or, for strings, a Dict vector that grows.
type bufferedColumn struct {
	v          vec.Vector
	dictionary mergedDictionary
	heap       []byte // where long strings are copied to: the rest of v.Buffers[heapAt]
	heapAt     int
	shared     [][]byte // the Buffers of the vector added last
	sharedAt   int      // the first of them in v.Buffers
}

// heapPiece is how much is allocated at once for long strings.
const heapPiece = 64 << 10

func (r *rowBuffer) rows() int { return r.count }

// reset empties the buffer; memory is reused when keep is set, dictionaries always.
func (r *rowBuffer) reset(keep bool) {
	r.count, r.bytes = 0, 0
	if !keep {
		r.columns, r.view.Cols = nil, nil
		return
	}
	for i := range r.columns {
		c := &r.columns[i]
		c.v.Enc, c.v.Len, c.v.Valid, c.v.Dict, c.v.DictID = vec.Flat, 0, nil, nil, 0
		c.v.Data, c.v.Buffers = c.v.Data[:0], nil
		c.heap, c.shared = nil, nil
		if isNested(c.v.Type) {
			c.v.Resize(c.v.Type, 0)
		}
	}
}

// batch gives the rows, valid until the buffer changes.
func (r *rowBuffer) batch() *vec.Batch {
	r.view.Cols, r.view.Len, r.view.Sel = r.view.Cols[:0], r.count, nil
	for i := range r.columns {
		r.view.Cols = append(r.view.Cols, r.columns[i].v)
	}
	return &r.view
}

// add copies the selected rows of b.
func (r *rowBuffer) add(schema types.Schema, b *vec.Batch) {
	if r.columns == nil {
		r.columns = make([]bufferedColumn, len(schema))
		for i := range schema {
			r.columns[i].v.Resize(schema[i].Type, 0)
		}
	}
	for i := range r.columns {
		r.bytes += r.columns[i].add(&b.Cols[i], b.Sel, r.share)
	}
	r.count += b.Rows()
}

func isNested(t types.Type) bool {
	p := t.Physical()
	return p == types.PhysList || p == types.PhysRow
}

// add copies rows (nil: all) of src to the end and gives the bytes taken.
func (c *bufferedColumn) add(src *vec.Vector, rows []int32, share bool) int64 {
	n := src.Len
	if rows != nil {
		n = len(rows)
	}
	if n == 0 {
		return 0
	}
	if isNested(c.v.Type) {
		return c.addNested(src, rows, n)
	}
	if c.v.Type.Physical() != types.PhysString {
		c.settle(c.addFixed(src, rows, n), src, rows, n)
		return int64(n * c.v.Type.Physical().Width())
	}
	if src.Type.Kind != types.Unknown && src.Enc == vec.Dict && (c.v.Len == 0 || c.v.Enc == vec.Dict) && c.dictionary.take(src) {
		c.addCodes(src, rows, n)
		return int64(4 * n)
	}
	taken := c.flatten(share)
	return taken + c.addStrings(src, rows, n, share)
}

// grow makes room for n more values of a width, and gives where they begin.
func (c *bufferedColumn) grow(n, width int) (from int) {
	from = c.v.Len
	if need := (from + n) * width; cap(c.v.Data) < need {
		data := vec.AlignedBytes(max(need, 2*cap(c.v.Data), 512))
		copy(data, c.v.Data)
		c.v.Data = data[:need]
	} else {
		c.v.Data = c.v.Data[:need]
	}
	return from
}

// settle counts n values that have been put behind the others, and notes which are NULL.
func (c *bufferedColumn) settle(from int, src *vec.Vector, rows []int32, n int) {
	c.v.Len = from + n
	nulls := src.MayHaveNulls()
	if !nulls && c.v.Valid == nil {
		return
	}
	if c.v.Valid == nil {
		c.v.Valid = make(vec.Bitmap, vec.BitmapWords(from), vec.BitmapWords(2*(from+n)))
		c.v.Valid.FillOnes(from)
	}
	for len(c.v.Valid) < vec.BitmapWords(from+n) {
		c.v.Valid = append(c.v.Valid, 0)
	}
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		c.v.Valid.SetTo(from+i, !nulls || !src.IsNull(row))
	}
}

// addFixed puts fixed-width values behind the others.
func (c *bufferedColumn) addFixed(src *vec.Vector, rows []int32, n int) (from int) {
	physical := c.v.Type.Physical()
	from = c.grow(n, physical.Width())
	if src.Type.Kind == types.Unknown {
		clear(c.v.Data[from*physical.Width():])
		return from
	}
	switch physical {
	case types.PhysBool:
		copyValues(vec.Values[uint8](&c.v)[from:], src, rows)
	case types.PhysInt16:
		copyValues(vec.Values[int16](&c.v)[from:], src, rows)
	case types.PhysInt32, types.PhysFloat32:
		copyValues(vec.Values[int32](&c.v)[from:], src, rows)
	case types.PhysInt64, types.PhysFloat64:
		copyValues(vec.Values[int64](&c.v)[from:], src, rows)
	case types.PhysInt128, types.PhysInterval:
		copyValues(vec.Values[types.Int128](&c.v)[from:], src, rows)
	}
	return from
}

// copyValues copies rows (nil: all) of src, under any encoding.
func copyValues[T vec.Fixed](dst []T, src *vec.Vector, rows []int32) {
	base, codes, constant := src.Base()
	values := vec.Values[T](base)
	switch {
	case constant:
		for i := range dst {
			dst[i] = values[0]
		}
	case codes != nil && rows != nil:
		for i, row := range rows {
			dst[i] = values[codes[row]]
		}
	case codes != nil:
		for i, code := range codes {
			dst[i] = values[code]
		}
	case rows != nil:
		for i, row := range rows {
			dst[i] = values[row]
		}
	default:
		copy(dst, values[:src.Len])
	}
}

// addCodes puts rows of a Dict vector behind the others, after the dictionary has taken its own.
func (c *bufferedColumn) addCodes(src *vec.Vector, rows []int32, n int) {
	c.v.Enc, c.v.Dict, c.v.DictID = vec.Dict, c.dictionary.values, c.dictionary.id
	from := c.grow(n, 4)
	dst, codes := vec.Values[int32](&c.v)[from:from+n], src.Codes()
	if rows != nil {
		for i, row := range rows {
			dst[i] = codes[row]
		}
	} else {
		copy(dst, codes)
	}
	if mapping := c.dictionary.mapping; mapping != nil {
		for i, code := range dst {
			dst[i] = mapping[code]
		}
	}
	c.settle(from, src, rows, n)
}

// flatten turns codes into strings.
func (c *bufferedColumn) flatten(share bool) (taken int64) {
	if c.v.Enc != vec.Dict {
		return 0
	}
	old := c.v
	c.v = vec.Vector{Type: old.Type}
	c.heap, c.shared = nil, nil
	taken = c.addStrings(&old, nil, old.Len, share)
	return taken - int64(4*old.Len)
}

// addStrings puts strings behind the others.
func (c *bufferedColumn) addStrings(src *vec.Vector, rows []int32, n int, share bool) (taken int64) {
	from := c.grow(n, types.PhysString.Width())
	dst := vec.Values[vec.View](&c.v)[from : from+n]
	taken = int64(16 * n)
	if src.Type.Kind == types.Unknown {
		clear(dst)
		c.settle(from, src, rows, n)
		return taken
	}
	copyValues(dst, src, rows)
	c.settle(from, src, rows, n)
	if c.v.Valid != nil && src.MayHaveNulls() {
		for i := range dst {
			if !c.v.Valid.Get(from + i) {
				dst[i] = vec.View{}
			}
		}
	}
	base, _, _ := src.Base()
	if len(base.Buffers) == 0 {
		return taken
	}
	if share {
		return taken + c.shareBuffers(dst, base.Buffers)
	}
	for i := range dst {
		if dst[i].Inline() {
			continue
		}
		b := dst[i].Bytes(base.Buffers)
		taken += int64(len(b))
		if len(b) > cap(c.heap)-len(c.heap) {
			c.heap, c.heapAt = make([]byte, 0, max(len(b), min(heapPiece, max(1024, len(c.v.Data))))), len(c.v.Buffers)
			c.v.Buffers = append(c.v.Buffers, c.heap[:cap(c.heap)])
		}
		at := len(c.heap)
		c.heap = append(c.heap, b...)
		dst[i] = vec.LongView(b, c.heapAt, at)
	}
	return taken
}

// shareBuffers makes the long ones of views refer to their buffers in c.v, and gives the bytes of buffers
// that came newly.
func (c *bufferedColumn) shareBuffers(views []vec.View, buffers [][]byte) (taken int64) {
	if !sameBuffers(buffers, c.shared) {
		c.shared, c.sharedAt = buffers, len(c.v.Buffers)
		c.v.Buffers = append(c.v.Buffers, buffers...)
		for _, b := range buffers {
			taken += int64(cap(b))
		}
	}
	if c.sharedAt == 0 {
		return taken
	}
	for i := range views {
		if !views[i].Inline() {
			views[i].Tail += uint64(c.sharedAt)
		}
	}
	return taken
}

// sameBuffers tells that all of a lie at the same places of b.
func sameBuffers(a, b [][]byte) bool {
	if len(a) > len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) == 0 || len(b[i]) < len(a[i]) || &a[i][0] != &b[i][0] {
			return false
		}
	}
	return true
}

// addNested puts nested values behind the others.
func (c *bufferedColumn) addNested(src *vec.Vector, rows []int32, n int) int64 {
	from := c.v.Len
	c.v.Extend(n)
	base, codes, constant := src.Base()
	for i := range n {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		if src.IsNull(row) {
			c.v.SetNull(from + i)
			continue
		}
		at := row
		if constant {
			at = 0
		} else if codes != nil {
			at = int(codes[row])
		}
		c.v.SetDatum(from+i, base.Datum(at))
	}
	return int64(n) * int64(64+c.v.Type.Physical().Width())
}

// mergedDictionary is the dictionary of a column whose vectors come with several. Codes that were given
// out stay valid, and a vector that was handed out as values does not change.
type mergedDictionary struct {
	values  *vec.Vector
	id      uint64
	index   map[string]int32 // of values; nil as long as they are those of the first dictionary
	from    uint64           // the dictionary whose codes mapping translates
	mapping []int32          // nil: codes are ours
}

// mostMerged is the most entries of a dictionary that is kept as one.
const mostMerged = 1 << 15

// take sees to it that codes of src can be translated; false when they are too many or of a dictionary
// that cannot be told from others.
func (d *mergedDictionary) take(src *vec.Vector) bool {
	switch {
	case src.DictID == 0 || src.Dict.Len > mostMerged:
		return false
	case d.values == nil:
		d.values, d.id = src.Dict, src.DictID
		return true
	case src.DictID == d.id:
		d.mapping = nil
		return true
	case d.mapping != nil && d.from == src.DictID && len(d.mapping) == src.Dict.Len:
		return true
	}
	if d.index == nil {
		d.index = make(map[string]int32, d.values.Len)
		for i := range d.values.Len {
			d.index[string(d.values.Bytes(i))] = int32(i)
		}
	}
	mapping, added := make([]int32, src.Dict.Len), []int32(nil)
	for i := range mapping {
		code, known := d.index[string(src.Dict.Bytes(i))]
		if !known {
			code = int32(d.values.Len + len(added))
			if code >= mostMerged {
				*d = mergedDictionary{}
				return false
			}
			d.index[string(src.Dict.Bytes(i))] = code
			added = append(added, int32(i))
		}
		mapping[i] = code
	}
	if len(added) > 0 {
		d.extend(src, added)
	}
	d.from, d.mapping = src.DictID, mapping
	return true
}

// extend makes a new vector of the values and the entries of src that are added.
func (d *mergedDictionary) extend(src *vec.Vector, added []int32) {
	values := bufferedColumn{}
	values.v.Resize(d.values.Type, 0)
	values.addStrings(d.values, nil, d.values.Len, false)
	values.addStrings(src.Dict, added, len(added), false)
	d.values = &values.v
	d.id = d.id*0x9e3779b97f4a7c15 + src.DictID | 1
}
