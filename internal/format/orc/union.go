package orc

import (
	"fmt"
	"strings"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// unionType is how the values of a union appear: the number of the kind that a value has, and a field
// for each kind, NULL but for that one.
func unionType(kinds []*node) types.Type {
	fields := []types.Field{{Name: "tag", Type: types.Of(types.Int16), Nullable: true}}
	for i, c := range kinds {
		fields = append(fields, types.Field{Name: fmt.Sprintf("field%d", i), Type: c.typ, Nullable: true})
	}
	return types.RowOf(fields...)
}

// unionValues reads unions: a tag for each value, and the values of each kind in a column of their own.
type unionValues struct {
	members // one for each kind in the file, nil where it is not wanted
	typ     types.Type
	fields  []int // by field of typ: the kind, unionTag or unionMissing
	tags    byteReader
	tag     []byte
	ranks   []int32 // by value: its number among those of its kind
	counts  []int
	parts   []vec.Vector
	index   []int32
	gather  []int32
}

const (
	unionTag     = -1
	unionMissing = -2
)

func (v *unionValues) open(s *openStripe, n *node) error {
	tags, err := s.need(n, streamData)
	if err != nil {
		return err
	}
	v.tags.open(s.reader, tags)
	return v.members.open(s)
}
func (v *unionValues) inputs(to []*input) []*input {
	return v.members.inputs(append(to, &v.tags.in))
}
func (v *unionValues) seek(s *openStripe, group int, p *positions) error {
	v.tags.seek(p)
	return v.members.seek(s, group)
}

// take reads the next n tags, numbers the values of each kind and counts them.
func (v *unionValues) take(n int) ([]byte, error) {
	tags := resize(&v.tag, n)[:n]
	if err := v.tags.read(tags); err != nil {
		return nil, err
	}
	ranks := resize(&v.ranks, n)
	clear(v.counts)
	for i, tag := range tags {
		if int(tag) >= len(v.counts) {
			return nil, fmt.Errorf("union tag %d of %d kinds", tag, len(v.counts))
		}
		ranks[i] = int32(v.counts[tag])
		v.counts[tag]++
	}
	return tags, nil
}

func (v *unionValues) skip(n int) error {
	for n > 0 {
		m := min(n, vec.BatchSize)
		if _, err := v.take(m); err != nil {
			return err
		}
		for kind, c := range v.columns {
			if c != nil {
				if err := c.pass(v.counts[kind]); err != nil {
					return err
				}
			}
		}
		n -= m
	}
	return nil
}

func (v *unionValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	tags, err := v.take(r.count)
	if err != nil {
		return err
	}
	if v.parts == nil {
		v.parts = make([]vec.Vector, len(v.columns))
	}
	for kind, c := range v.columns {
		if c == nil {
			continue
		}
		if err := c.readOwn(&v.parts[kind], v.counts[kind]); err != nil {
			return err
		}
	}
	index := indexOf(&v.index, r)
	for i, kind := range v.fields {
		child, typ := &dst.Children[i], v.typ.Fields[i].Type
		switch {
		case kind == unionTag:
			child.Resize(typ, len(index))
			out := vec.Values[int16](child)
			for row, at := range index {
				out[row] = 0
				if r.count > 0 {
					out[row] = int16(tags[at])
				}
			}
			v.invalidate(child, r, nil, tags, 0)
		case kind == unionMissing || v.counts[kind] == 0:
			*child = *nullVector(typ, len(index))
		default:
			gather := resize(&v.gather, len(index))[:len(index)]
			for row, at := range index {
				gather[row] = 0
				if tags[at] == byte(kind) {
					gather[row] = v.ranks[at]
				}
			}
			*child = vec.Vector{}
			vec.Gather(child, &v.parts[kind], gather)
			v.invalidate(child, r, index, tags, byte(kind))
		}
	}
	return nil
}

// invalidate makes a field NULL where the union is NULL and, with an index, where the value is of another kind.
func (v *unionValues) invalidate(child *vec.Vector, r *rowSet, index []int32, tags []byte, kind byte) {
	if r.valid == nil && index == nil {
		child.Valid = nil
		return
	}
	valid := make(vec.Bitmap, vec.BitmapWords(max(child.Len, 1)))
	for row := range child.Len {
		at := row
		if r.pick != nil {
			at = int(r.pick[row])
		}
		if (r.valid == nil || r.valid.Get(at)) && (index == nil || tags[index[row]] == kind) && child.Valid.Get(row) {
			valid.Set(row)
		}
	}
	child.Valid = valid
}

// newUnion matches the fields of the wanted row type with the kinds of a union.
func (r *Reader) newUnion(n *node, target types.Type, path string, subfields [][]int) (values, error) {
	v := &unionValues{typ: target, counts: make([]int, len(n.children)), members: members{columns: make([]*storedColumn, len(n.children))}}
	for i, f := range target.Fields {
		below, wanted := scan.Below(subfields, i)
		from := unionMissing
		for kind, known := range n.typ.Fields {
			if wanted && strings.EqualFold(known.Name, f.Name) {
				from = kind - 1
			}
		}
		switch {
		case from == unionTag && f.Type.Kind != types.Int16:
			return nil, r.file.mismatch(path+"."+f.Name, types.Of(types.Int16), f.Type)
		case from >= 0 && v.columns[from] == nil:
			c, err := r.newStored(n.children[from], f.Type, path+"."+f.Name, below, true)
			if err != nil {
				return nil, err
			}
			v.columns[from] = c
		}
		v.fields = append(v.fields, from)
	}
	return v, nil
}
