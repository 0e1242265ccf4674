package eval

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// dictionaryCache holds a function's results for all entries of one dictionary, so that rows only
// share codes. The results are computed once, as soon as the dictionary has served enough rows, and
// are immutable from then on. Where some entry raises an error, which may be an entry that no
// selected row refers to, the dictionary is left alone and rows are computed one by one.
type dictionaryCache struct {
	of     *vec.Vector
	seen   int
	failed bool
	result *vec.Vector // Flat, without NULLs
	valid  vec.Bitmap  // entries whose result is not NULL; nil: all
	out    vec.Vector
}

// eval gives nil when the general way is to be taken.
func (d *dictionaryCache) eval(n *callNode, f *frame, at int, rows []int32) (*vec.Vector, error) {
	codes := n.vectors[at]
	if d.of != codes.Dict {
		d.of, d.seen, d.failed, d.result, d.valid = codes.Dict, 0, false, nil, nil
	}
	if d.failed || !hasHarmlessZero(n.result) {
		return nil, nil
	}
	if d.result == nil {
		d.seen += kernel.Count(rows, f.n)
		if !worthwhile(d.of, d.seen) {
			return nil, nil
		}
		if err := d.fill(n, at); err != nil {
			d.failed = true
			return nil, nil
		}
	}
	d.out = vec.Vector{Type: n.result, Enc: vec.Dict, Len: f.n, Data: codes.Data, Dict: d.result, Valid: codes.Valid}
	if d.valid != nil {
		d.out.Valid = d.rowsValid(codes, rows, f.n)
	}
	return &d.out, nil
}

// hasHarmlessZero is false for types whose zeroed slots are no value.
func hasHarmlessZero(t types.Type) bool {
	switch t.Physical() {
	case types.PhysList, types.PhysRow, types.PhysNone:
		return false
	}
	return true
}

func (d *dictionaryCache) fill(n *callNode, at int) error {
	args := make([]*vec.Vector, len(n.vectors))
	for i, v := range n.vectors {
		if i == at {
			args[i] = d.of
			continue
		}
		c := &vec.Vector{}
		c.Alias(v)
		c.Len = d.of.Len
		args[i] = c
	}
	result := vec.NewFlat(n.result, d.of.Len)
	if err := n.kernel(args, d.of.Len, nil, result); err != nil {
		return err
	}
	if result.Valid != nil && result.Valid.CountSet(d.of.Len) < d.of.Len {
		d.valid = result.Valid
		width := n.result.Physical().Width()
		for i := range d.of.Len {
			if !d.valid.Get(i) {
				clear(result.Data[i*width : (i+1)*width])
			}
		}
	}
	result.Valid = nil
	d.result = result
	return nil
}

// rowsValid combines the rows' own validity with that of the entries they refer to.
func (d *dictionaryCache) rowsValid(codes *vec.Vector, rows []int32, n int) vec.Bitmap {
	out := make(vec.Bitmap, vec.BitmapWords(max(n, 1)))
	for k := range kernel.Count(rows, n) {
		r := rowAt(rows, k)
		if codes.Valid.Get(r) && d.valid.Get(int(codes.Codes()[r])) {
			out.Set(r)
		}
	}
	return out
}
