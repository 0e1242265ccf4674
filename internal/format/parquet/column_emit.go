package parquet

import (
	"unicode/utf8"
	"unsafe"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// emit writes rows output rows from the page's next values values; index, unless nil, gives each
// row's value (a null row's may be one past the last).
func (c *flatColumn) emit(rows, values int, index []int32) error {
	switch c.form {
	case formCodes:
		return c.emitCodes(rows, values, index)
	case formArray:
		c.begin(false)
		c.emitArray(rows, index)
		return nil
	}
	c.begin(false)
	o := &c.out
	buffer := len(o.dst.Buffers) - 1
	if buffer < 0 || unsafe.SliceData(o.dst.Buffers[buffer]) != unsafe.SliceData(c.text) {
		o.dst.Buffers = append(o.dst.Buffers, c.text)
		buffer++
	}
	out := vec.Values[vec.View](o.dst)[o.at : o.at+rows]
	if err := c.emitViews(out, values, index, buffer); err != nil {
		return err
	}
	if c.ascii || !c.loader.leaf.typ.IsString() && c.loader.leaf.typ.Kind != types.JSON {
		return nil
	}
	if at, err := checkUTF8(out, o.dst.Buffers); err != nil {
		return &scan.ValueError{At: o.at + at, Cause: err}
	}
	return nil
}

// emitViews fills out from the page's next values strings, which lie in buffer number buffer.
func (c *flatColumn) emitViews(out []vec.View, values int, index []int32, buffer int) error {
	if c.form == formViews {
		views := c.views[c.taken:]
		if index == nil {
			copy(out, views[:values])
		} else {
			gather(out, views, index)
		}
		if buffer != 0 {
			shiftBuffers(out, buffer)
		}
		return nil
	}
	var err error
	switch {
	case index == nil:
		c.cursor, err = plainViews(out, c.text, c.cursor, buffer)
	case values >= 4*len(index):
		c.cursor, err = pickPlain(out, c.text, c.cursor, buffer, index, values)
	default:
		views := resize(&c.viewBuffer, values)
		c.viewBuffer[values] = vec.View{}
		if c.cursor, err = plainViews(views, c.text, c.cursor, buffer); err == nil {
			gather(out, c.viewBuffer, index)
		}
	}
	return err
}

// pickPlain makes views of the strings listed in index, among the next n length-prefixed ones.
func pickPlain(out []vec.View, text []byte, at, buffer int, index []int32, n int) (int, error) {
	done := 0
	var err error
	for i, want := range index {
		if int(want) == n { // a null behind the last value
			out[i] = vec.View{}
			continue
		}
		if at, err = skipPlain(text, at, int(want)-done); err != nil {
			return 0, err
		}
		done = int(want)
		if _, err = plainViews(out[i:i+1], text, at, buffer); err != nil {
			return 0, err
		}
	}
	return skipPlain(text, at, n-done)
}

func shiftBuffers(views []vec.View, by int) {
	for i := range views {
		if !views[i].Inline() {
			views[i].Tail += uint64(by)
		}
	}
}

func gather[T any](dst, src []T, index []int32) {
	dst = dst[:len(index)]
	for i, at := range index {
		dst[i] = src[at]
	}
}

// checkUTF8 gives the first string that is not valid UTF-8, as an error.
func checkUTF8(views []vec.View, buffers [][]byte) (at int, err *sqlerr.Error) {
	for i := range views {
		if b := views[i].Bytes(buffers); !utf8.Valid(b) {
			return i, sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"").
				WithDetail("The value is %q.", b[:min(len(b), 100)])
		}
	}
	return 0, nil
}

// begin sizes dst at the first portion, and turns codes into values when encodings are mixed.
func (c *flatColumn) begin(codes bool) {
	o := &c.out
	switch {
	case o.begun && o.dst.Enc == vec.Dict && !codes:
		c.flattenOutput()
	case o.begun:
	case codes:
		o.dst.ResizeDict(c.dict, c.dictID, o.count)
	default:
		o.dst.Resize(c.loader.leaf.typ, o.count)
		if c.loader.storage == storeViews {
			o.dst.Buffers = make([][]byte, 0, 2)
		}
	}
	o.begun = true
}

func (c *flatColumn) flattenOutput() {
	o := &c.out
	codes := append([]int32(nil), o.dst.Codes()[:o.at]...)
	o.dst.Resize(c.loader.leaf.typ, o.count)
	o.dst.Buffers = append(make([][]byte, 0, len(c.dict.Buffers)+2), c.dict.Buffers...)
	gather(vec.Values[vec.View](o.dst), vec.Values[vec.View](c.dict), codes)
}

func (c *flatColumn) emitCodes(rows, values int, index []int32) error {
	if c.dict == nil {
		return errNoDictionary
	}
	o := &c.out
	asCodes := c.keepDict && (!o.begun || o.dst.Enc == vec.Dict)
	c.begin(asCodes)
	codes := resize(&c.codeBuffer, values)
	if asCodes && index == nil { // straight into the vector
		codes = o.dst.Codes()[o.at : o.at+rows]
	}
	if err := c.codes.fill(codes); err != nil {
		return err
	}
	if c.codes.width >= 32 || c.dict.Len < 1<<c.codes.width {
		if !codesBelow(codes, c.dict.Len) {
			return errCodes
		}
	}
	if asCodes {
		if index != nil {
			c.codeBuffer[values] = 0
			gather(o.dst.Codes()[o.at:o.at+rows], c.codeBuffer, index)
		}
		return nil
	}
	if index != nil {
		c.codeBuffer[values] = 0
		picked := resize(&c.pickBuffer, rows)
		gather(picked, c.codeBuffer, index)
		codes = picked
	}
	c.emitDecoded(codes)
	return nil
}

// codesBelow tells whether all codes are in [0, limit).
func codesBelow(codes []int32, limit int) bool {
	var a, b, c, d uint32
	for len(codes) >= 4 { // four chains, so that none waits for another
		part := codes[:4:4]
		a, b, c, d = max(a, uint32(part[0])), max(b, uint32(part[1])), max(c, uint32(part[2])), max(d, uint32(part[3]))
		codes = codes[4:]
	}
	for _, code := range codes {
		a = max(a, uint32(code))
	}
	return int64(max(a, b, c, d)) < int64(limit)
}

// emitDecoded writes the dictionary's values for codes.
func (c *flatColumn) emitDecoded(codes []int32) {
	o := &c.out
	switch c.dict.Type.Physical() {
	case types.PhysBool:
		gather(vec.Values[uint8](o.dst)[o.at:], vec.Values[uint8](c.dict), codes)
	case types.PhysInt16:
		gather(vec.Values[int16](o.dst)[o.at:], vec.Values[int16](c.dict), codes)
	case types.PhysInt32, types.PhysFloat32:
		gather(vec.Values[int32](o.dst)[o.at:], vec.Values[int32](c.dict), codes)
	case types.PhysInt64, types.PhysFloat64:
		gather(vec.Values[int64](o.dst)[o.at:], vec.Values[int64](c.dict), codes)
	case types.PhysInt128, types.PhysInterval:
		gather(vec.Values[types.Int128](o.dst)[o.at:], vec.Values[types.Int128](c.dict), codes)
	case types.PhysString:
		out := vec.Values[vec.View](o.dst)[o.at : o.at+len(codes)]
		gather(out, vec.Values[vec.View](c.dict), codes)
		if len(c.dict.Buffers) > 0 {
			if by := len(o.dst.Buffers); by > 0 {
				shiftBuffers(out, by)
			}
			o.dst.Buffers = append(o.dst.Buffers, c.dict.Buffers...)
		}
	}
}

// emitArray writes rows of a fixed-width page.
func (c *flatColumn) emitArray(rows int, index []int32) {
	o := &c.out
	l := &c.loader
	src := c.array[c.taken*l.width : len(c.array)+slack]
	if l.storage == storeInt32 {
		switch l.physical {
		case types.PhysInt16:
			spread(vec.Values[int16](o.dst)[o.at:o.at+rows], as[int32](src), index)
		case types.PhysInt64:
			spread(vec.Values[int64](o.dst)[o.at:o.at+rows], as[int32](src), index)
		}
		return
	}
	if index == nil {
		copy(o.dst.Data[o.at*l.width:(o.at+rows)*l.width], src)
		return
	}
	dst := o.dst.Data[o.at*l.width : (o.at+rows)*l.width]
	switch l.width {
	case 1:
		gather(dst, src, index)
	case 4:
		gather(as[int32](dst), as[int32](src), index)
	case 8:
		gather(as[int64](dst), as[int64](src), index)
	case 16:
		gather(as[types.Int128](dst), as[types.Int128](src), index)
	}
}

// spread converts rows of another width.
func spread[D, S int16 | int32 | int64](dst []D, src []S, index []int32) {
	if index == nil {
		src = src[:len(dst)]
		for i, v := range src {
			dst[i] = D(v)
		}
		return
	}
	dst = dst[:len(index)]
	for i, at := range index {
		dst[i] = D(src[at])
	}
}
