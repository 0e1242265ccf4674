package join

import (
	"math/bits"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// noCode marks a row whose key cannot match: NULL, or outside the ranges seen while building.
const noCode = ^uint64(0)

// keyRange is what building learnt of one integer key column.
type keyRange struct {
	minimum, maximum int64 // minimum > maximum: no value seen
	nulls            bool
}

func emptyRange() keyRange { return keyRange{minimum: 1<<63 - 1, maximum: -1 << 63} }

func (r *keyRange) join(o keyRange) {
	r.minimum, r.maximum = min(r.minimum, o.minimum), max(r.maximum, o.maximum)
	r.nulls = r.nulls || o.nulls
}

// isInteger tells whether keys of the type can be packed by their range.
func isInteger(t types.Type) bool {
	switch t.Physical() {
	case types.PhysBool, types.PhysInt16, types.PhysInt32, types.PhysInt64:
		return true
	}
	return false
}

// observe widens the range by the listed rows of v.
func (r *keyRange) observe(v *vec.Vector, list []int32) {
	flat, index, constant := v.Base()
	if v.MayHaveNulls() {
		valid := make([]int32, 0, len(list))
		for _, i := range list {
			if v.IsNull(int(i)) {
				r.nulls = true
			} else {
				valid = append(valid, i)
			}
		}
		list = valid
	}
	if len(list) == 0 {
		return
	}
	if constant {
		index, list = nil, []int32{0}
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		observe(r, vec.Values[uint8](flat), index, list)
	case types.PhysInt16:
		observe(r, vec.Values[int16](flat), index, list)
	case types.PhysInt32:
		observe(r, vec.Values[int32](flat), index, list)
	case types.PhysInt64:
		observe(r, vec.Values[int64](flat), index, list)
	}
}

func observe[T uint8 | int16 | int32 | int64](r *keyRange, values []T, index, list []int32) {
	var least, most T
	if index == nil {
		least = values[list[0]]
		most = least
		for _, i := range list {
			x := values[i]
			least, most = min(least, x), max(most, x)
		}
	} else {
		least = values[index[list[0]]]
		most = least
		for _, i := range list {
			x := values[index[i]]
			least, most = min(least, x), max(most, x)
		}
	}
	r.minimum, r.maximum = min(r.minimum, int64(least)), max(r.maximum, int64(most))
}

// coder turns key columns into codes. It is immutable; codes of equal keys are equal, and for packed
// keys only they are.
type coder struct {
	packed    []packedKey // nil: codes are hashes
	domain    uint64      // packed codes are below
	nullEqual []bool
}

// packedKey places one key column in the code: (value − minimum) · factor.
type packedKey struct {
	minimum int64
	span    uint64 // values − minimum are below
	factor  uint64
	null    uint64 // the place of NULL where it matches; noCode where it does not
}

// newCoder packs integer keys if all ranges together fit in 63 bits, else it hashes.
func newCoder(keys []types.Type, ranges []keyRange, nullEqual []bool) *coder {
	hashed := &coder{nullEqual: nullEqual}
	c := &coder{nullEqual: nullEqual}
	domain := uint64(1)
	for k, t := range keys {
		if !isInteger(t) {
			return hashed
		}
		r := ranges[k]
		key := packedKey{minimum: r.minimum, null: noCode, factor: domain}
		if r.minimum <= r.maximum {
			key.span = uint64(r.maximum) - uint64(r.minimum) + 1
			if key.span == 0 {
				return hashed
			}
		}
		places := key.span
		if nullEqual[k] && r.nulls {
			key.null = key.span * domain
			places++
		}
		high, low := bits.Mul64(domain, max(places, 1))
		if high != 0 || low>>63 != 0 {
			return hashed
		}
		domain = low
		c.packed = append(c.packed, key)
	}
	c.domain = domain
	return c
}

// exact tells whether equal codes mean equal keys.
func (c *coder) exact() bool { return c.packed != nil }

// codes puts the code of each listed row into out.
func (c *coder) codes(hasher *rows.Hasher, keys []*vec.Vector, list []int32, out []uint64) {
	if c.packed == nil {
		hasher.Hash(keys, list, out)
		for i, h := range out[:len(list)] {
			if h == noCode {
				out[i] = noCode - 1
			}
		}
		return
	}
	for k := range c.packed {
		c.packed[k].column(keys[k], list, out[:len(list)], k == 0)
	}
}

// column adds one key column to the codes.
func (p *packedKey) column(v *vec.Vector, list []int32, out []uint64, first bool) {
	flat, index, constant := v.Base()
	if constant || index != nil || v.MayHaveNulls() {
		p.general(v, list, out, first)
		return
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		pack(p, vec.Values[uint8](flat), list, out, first)
	case types.PhysInt16:
		pack(p, vec.Values[int16](flat), list, out, first)
	case types.PhysInt32:
		pack(p, vec.Values[int32](flat), list, out, first)
	case types.PhysInt64:
		pack(p, vec.Values[int64](flat), list, out, first)
	}
}

func pack[T uint8 | int16 | int32 | int64](p *packedKey, values []T, list []int32, out []uint64, first bool) {
	minimum, span, factor := uint64(p.minimum), p.span, p.factor
	if first {
		for i, r := range list {
			code := uint64(int64(values[r])) - minimum
			if code >= span {
				code = noCode
			}
			out[i] = code
		}
		return
	}
	for i, r := range list {
		code := uint64(int64(values[r])) - minimum
		sum := out[i] + code*factor
		if code >= span || out[i] == noCode {
			sum = noCode
		}
		out[i] = sum
	}
}

// general is pack for any encoding and for NULLs.
func (p *packedKey) general(v *vec.Vector, list []int32, out []uint64, first bool) {
	for i, r := range list {
		code := noCode
		if v.IsNull(int(r)) {
			code = p.null
		} else if x := uint64(integerAt(v, int(r))) - uint64(p.minimum); x < p.span {
			code = x * p.factor
		}
		switch {
		case first:
			out[i] = code
		case code == noCode || out[i] == noCode:
			out[i] = noCode
		default:
			out[i] += code
		}
	}
}

// integerAt gives row i of an integer vector under any encoding.
func integerAt(v *vec.Vector, i int) int64 {
	switch v.Enc {
	case vec.Const:
		i = 0
	case vec.Dict:
		v, i = v.Dict, int(vec.Values[int32](v)[i])
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		return int64(vec.Values[uint8](v)[i])
	case types.PhysInt16:
		return int64(vec.Values[int16](v)[i])
	case types.PhysInt32:
		return int64(vec.Values[int32](v)[i])
	}
	return vec.Values[int64](v)[i]
}
