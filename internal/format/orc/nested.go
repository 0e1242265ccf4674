package orc

import (
	"fmt"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// members reads the columns below a list, map or struct. Their vectors are made anew for each read:
// batches that were compacted refer to them.
type members struct {
	columns []*storedColumn // nil: the file does not have the field
}

func (m *members) stored() []*storedColumn { return m.columns }

func (m *members) open(s *openStripe) error {
	for _, c := range m.columns {
		if c != nil {
			if err := c.open(s); err != nil {
				return err
			}
			c.unplaced = false // moved by the column above
		}
	}
	return nil
}

func (m *members) inputs(to []*input) []*input {
	for _, c := range m.columns {
		if c != nil {
			if c.hasPresent {
				to = append(to, &c.present.bytes.in)
			}
			to = c.values.inputs(to)
		}
	}
	return to
}

func (m *members) seek(s *openStripe, group int) error {
	for _, c := range m.columns {
		if c != nil {
			if err := c.seek(s, group); err != nil {
				return err
			}
			c.unplaced = false
		}
	}
	return nil
}

func (m *members) skip(n int) error {
	for _, c := range m.columns {
		if c != nil {
			if err := c.pass(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// read makes a vector of n rows of each member.
func (m *members) read(dst []vec.Vector, wanted []types.Type, n int) error {
	for i, c := range m.columns {
		if c == nil {
			dst[i] = *nullVector(wanted[i], n)
			continue
		}
		if err := c.readOwn(&dst[i], n); err != nil {
			return err
		}
	}
	return nil
}

// structValues reads structs: the fields of the wanted row type, found by name.
type structValues struct {
	members
	typ   types.Type
	kinds []types.Type
	index []int32
	whole []vec.Vector
}

func (v *structValues) open(s *openStripe, _ *node) error { return v.members.open(s) }
func (v *structValues) seek(s *openStripe, group int, _ *positions) error {
	return v.members.seek(s, group)
}
func (v *structValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	if r.dense() {
		return v.members.read(dst.Children, v.kinds, r.count)
	}
	v.whole = make([]vec.Vector, len(v.kinds))
	if err := v.members.read(v.whole, v.kinds, r.count); err != nil {
		return err
	}
	index := indexOf(&v.index, r)
	for i := range v.whole {
		gatherOrEmpty(&dst.Children[i], &v.whole[i], v.kinds[i], index, r)
	}
	return nil
}

// indexOf gives for each wanted row the number of its value; of a NULL, some value's.
func indexOf(buffer *[]int32, r *rowSet) []int32 {
	index := resize(buffer, r.rows())[:r.rows()]
	last := int32(max(r.count-1, 0))
	var rank rankCursor
	for i := range index {
		at := i
		if r.pick != nil {
			at = int(r.pick[i])
		}
		if r.valid != nil {
			at = rank.at(r.valid, at)
		}
		index[i] = min(int32(at), last)
	}
	return index
}

// gatherOrEmpty takes rows of src; where a row above is NULL, so is the member.
func gatherOrEmpty(dst, src *vec.Vector, typ types.Type, index []int32, r *rowSet) {
	if r.count == 0 {
		*dst = *nullVector(typ, len(index))
		return
	}
	*dst = vec.Vector{}
	vec.Gather(dst, src, index)
	if r.valid == nil {
		return
	}
	if dst.Valid == nil {
		dst.MakeValid()
	}
	valid := dst.Valid
	for i := range index {
		at := i
		if r.pick != nil {
			at = int(r.pick[i])
		}
		if !r.valid.Get(at) {
			valid.Clear(i)
		}
	}
}

// listValues reads lists and maps.
type listValues struct {
	members
	typ     types.Type
	kinds   []types.Type
	lengths intReader
	sizes   []int64
	lists   []vec.List
}

func (v *listValues) open(s *openStripe, n *node) error {
	if err := s.openInts(&v.lengths, n, streamLength, false); err != nil {
		return err
	}
	return v.members.open(s)
}
func (v *listValues) inputs(to []*input) []*input {
	return v.members.inputs(append(to, &v.lengths.in))
}
func (v *listValues) seek(s *openStripe, group int, p *positions) error {
	v.lengths.seek(p)
	return v.members.seek(s, group)
}

func (v *listValues) skip(n int) error {
	for n > 0 {
		sizes := resize(&v.sizes, min(n, vec.BatchSize))
		sizes = sizes[:len(sizes)-1]
		if err := v.lengths.read(sizes); err != nil {
			return err
		}
		sum, err := checkLengths(sizes)
		if err != nil {
			return err
		}
		for left := sum; left > 0; left -= 1 << 20 {
			if err := v.members.skip(int(min(left, 1<<20))); err != nil {
				return err
			}
		}
		n -= len(sizes)
	}
	return nil
}

func (v *listValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	sizes := resize(&v.sizes, r.count)[:r.count]
	if err := v.lengths.read(sizes); err != nil {
		return err
	}
	sum, err := checkLengths(sizes)
	if err != nil {
		return err
	}
	if sum > maxMembers {
		return fmt.Errorf("%d members of lists in %d rows", sum, r.n)
	}
	lists := resize(&v.lists, r.count)
	offset := int32(0)
	for i, n := range sizes {
		lists[i] = vec.List{Offset: offset, Length: int32(n)}
		offset += int32(n)
	}
	place(vec.Values[vec.List](dst), lists, r)
	if r.valid != nil { // NULLs are empty
		out := vec.Values[vec.List](dst)
		for i := range r.rows() {
			at := i
			if r.pick != nil {
				at = int(r.pick[i])
			}
			if !r.valid.Get(at) {
				out[i] = vec.List{}
			}
		}
	}
	return v.members.read(dst.Children, v.kinds, int(sum))
}

// fieldNamed finds a struct's field, the at-th of all that are wanted; nil for none.
func (n *node) fieldNamed(name string, at, all int) *node {
	if found := scan.MemberNamed(n.children, (*node).called, name, at, all); found >= 0 {
		return n.children[found]
	}
	return nil
}

func (n *node) called() string { return n.name }

// readOwn makes dst the next n rows, in memory of their own.
func (c *storedColumn) readOwn(dst *vec.Vector, n int) error {
	var fresh, own vec.Vector
	if err := c.read(&fresh, n, nil); err != nil {
		return err
	}
	vec.Flatten(&own, &fresh)
	if own.Valid != nil {
		own.Valid = append(vec.Bitmap(nil), own.Valid...)
	}
	*dst = own
	return nil
}

// nullVector gives n rows that are NULL.
func nullVector(t types.Type, n int) *vec.Vector {
	v := vec.NewFlat(t, n)
	nullAll(v)
	return v
}

func nullAll(v *vec.Vector) {
	v.Valid = make(vec.Bitmap, vec.BitmapWords(max(v.Len, 1)))
	if v.Type.Kind == types.Row {
		for i := range v.Children {
			nullAll(&v.Children[i])
		}
	}
}
