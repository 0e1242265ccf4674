package parquet

import (
	"context"
	"errors"
	"fmt"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var errNesting = errors.New("stored columns of a nested field disagree on its shape")

// nestedColumn reads a list, map or row: the levels and values of its stored columns for a range of
// rows, from which the vectors are assembled from the top down.
type nestedColumn struct {
	root    *assembly
	leaves  []*nestedLeaf
	pending int
	whole   vec.Vector // all rows of the range, when only some are wanted
	title   string
}

// assembly is a node of the wanted type over the file's node that fills it.
type assembly struct {
	node     *node       // nil: every value is NULL
	leaf     *nestedLeaf // its own, or the first below: its levels tell the node's shape
	typ      types.Type
	cast     scan.Cast // of a leaf whose values are of another type; nil for none
	casted   vec.Vector
	children []*assembly
}

// nestedLeaf gives a stored column's levels and non-null values row by row.
type nestedLeaf struct {
	flatColumn
	definitions, repetitions []int32 // of the loaded page
	levelAt                  int
	// What the last readRows gave.
	outDefinitions, outRepetitions []int32
	outValues                      vec.Vector
	part                           vec.Vector
}

func (r *Reader) newNestedColumn(n *node, target types.Type, subfields [][]int) (column, error) {
	c := &nestedColumn{title: n.name}
	var err error
	if c.root, err = c.plan(r, n, target, subfields); err != nil {
		return nil, err
	}
	return c, nil
}

// plan matches the wanted type with the file's; fields of rows by name, those not wanted left out.
func (c *nestedColumn) plan(r *Reader, n *node, target types.Type, subfields [][]int) (*assembly, error) {
	a := &assembly{node: n, typ: target}
	mismatch := r.file.mismatch(c.title, n.typ, target)
	var kind types.Kind
	switch n.kind {
	case nodeLeaf:
		adapted, cast, ok := adapt(*n.leaf, target)
		if !ok {
			return nil, mismatch
		}
		a.leaf, a.cast = c.add(r, &adapted, adapted.typ), cast
		return a, nil
	case nodeList:
		kind = types.Array
	case nodeMap:
		kind = types.Map
	default:
		kind = types.Row
	}
	if target.Kind != kind {
		return nil, mismatch
	}
	wanted := []types.Field{}
	switch kind {
	case types.Array:
		wanted = append(wanted, types.Field{Type: *target.Elem})
	case types.Map:
		wanted = append(wanted, types.Field{Type: *target.Key}, types.Field{Type: *target.Elem})
	default:
		wanted = target.Fields
	}
	for i, f := range wanted {
		source := n.fieldNamed(f.Name, i, len(wanted))
		if kind != types.Row {
			source = n.children[i]
		}
		child := &assembly{typ: f.Type}
		below, isWanted := scan.Below(subfields, i)
		if source != nil && (isWanted || kind != types.Row) {
			var err error
			if child, err = c.plan(r, source, f.Type, below); err != nil {
				return nil, err
			}
			if a.leaf == nil {
				a.leaf = child.leaf
			}
		}
		a.children = append(a.children, child)
	}
	if a.leaf == nil { // no field in common: any one tells the row's own NULLs
		below := n.leaves(nil)
		if len(below) == 0 {
			return nil, mismatch
		}
		a.leaf = c.add(r, below[0], below[0].typ)
	}
	return a, nil
}

// add makes a stored column one of those that are read.
func (c *nestedColumn) add(r *Reader, stored *leaf, t types.Type) *nestedLeaf {
	l := &nestedLeaf{flatColumn: flatColumn{reader: r, loader: newLoader(stored), target: t, nested: true}}
	c.leaves = append(c.leaves, l)
	return l
}

// fieldNamed finds a row's field, the at-th of all that are wanted; nil for none.
func (n *node) fieldNamed(name string, at, all int) *node {
	if found := scan.MemberNamed(n.children, (*node).called, name, at, all); found >= 0 {
		return n.children[found]
	}
	return nil
}

func (n *node) called() string { return n.name }

func (c *nestedColumn) name() string { return c.title }

func (c *nestedColumn) streams() (out []*chunkStream) {
	for _, l := range c.leaves {
		out = append(out, l.flatColumn.streams()...)
	}
	return out
}

func (c *nestedColumn) open(group int) error {
	c.pending = 0
	for _, l := range c.leaves {
		if err := l.flatColumn.open(group); err != nil {
			return err
		}
		l.definitions, l.repetitions, l.levelAt = l.definitions[:0], l.repetitions[:0], 0
	}
	return nil
}

func (c *nestedColumn) skip(n int) { c.pending += n }

func (c *nestedColumn) read(ctx context.Context, dst *vec.Vector, n int, pick []int32) error {
	for _, l := range c.leaves {
		for left := c.pending; left > 0; {
			m := min(left, vec.BatchSize)
			if err := l.readRows(ctx, m, true); err != nil {
				return fmt.Errorf("%s: %w", l.flatColumn.name(), err)
			}
			left -= m
		}
		if err := l.readRows(ctx, n, false); err != nil {
			return fmt.Errorf("%s: %w", l.flatColumn.name(), err)
		}
	}
	c.pending = 0
	if pick == nil {
		return c.root.assemble(dst, n, 0, 0)
	}
	if err := c.root.assemble(&c.whole, n, 0, 0); err != nil {
		return err
	}
	vec.Gather(dst, &c.whole, pick)
	return nil
}

// readRows takes the levels and values of the next n rows.
func (l *nestedLeaf) readRows(ctx context.Context, n int, discard bool) error {
	l.outDefinitions, l.outRepetitions = l.outDefinitions[:0], l.outRepetitions[:0]
	l.outValues.Resize(l.loader.leaf.typ, 0)
	for rows := 0; ; {
		if l.levelAt == len(l.definitions) {
			if rows == n && l.chunk.at >= l.chunk.end {
				return nil
			}
			if err := l.nextLevels(ctx); err != nil {
				if rows == n && errors.Is(err, errChunkEnd) {
					return nil
				}
				return err
			}
		}
		from, values := l.levelAt, 0
		for ; l.levelAt < len(l.definitions); l.levelAt++ {
			if l.repetitions[l.levelAt] == 0 {
				if rows == n {
					break
				}
				rows++
			} else if rows == 0 {
				return errLevels
			}
			if int(l.definitions[l.levelAt]) == l.loader.leaf.maxDefinition {
				values++
			}
		}
		if err := l.takeValues(values, discard); err != nil {
			return err
		}
		if !discard {
			l.outDefinitions = append(l.outDefinitions, l.definitions[from:l.levelAt]...)
			l.outRepetitions = append(l.outRepetitions, l.repetitions[from:l.levelAt]...)
		}
		if l.levelAt < len(l.definitions) {
			return nil
		}
	}
}

func (l *nestedLeaf) takeValues(n int, discard bool) error {
	if n == 0 {
		return nil
	}
	if discard {
		return l.pass(n)
	}
	l.out = output{dst: &l.part, count: n}
	if err := l.portion(n, 0, nil); err != nil {
		return err
	}
	appendVector(&l.outValues, &l.part)
	return nil
}

// appendVector adds src's rows to dst; both are Flat, without nulls and without children.
func appendVector(dst, src *vec.Vector) {
	width := src.Type.Physical().Width()
	old, data := dst.Len, dst.Data
	dst.Len += src.Len
	if need := dst.Len * width; cap(data) < need {
		data = vec.AlignedBytes(max(need, 2*cap(data)))
		copy(data, dst.Data)
	}
	dst.Data = data[:dst.Len*width]
	copy(dst.Data[old*width:], src.Data[:src.Len*width])
	if len(src.Buffers) > 0 {
		if by := len(dst.Buffers); by > 0 {
			shiftBuffers(vec.Values[vec.View](dst)[old:], by)
		}
		dst.Buffers = append(dst.Buffers, src.Buffers...)
	}
}

var errChunkEnd = errors.New("column chunk ends early")

// maxPageLevels bounds the levels of a page of a nested column.
const maxPageLevels = 1 << 24

// nextLevels loads the next data page.
func (l *nestedLeaf) nextLevels(ctx context.Context) error {
	for {
		if l.chunk.at >= l.chunk.end {
			return errChunkEnd
		}
		h, err := l.chunk.header(ctx)
		if err != nil {
			return err
		}
		switch h.kind {
		case pageDictionary:
			if err := l.loadDictionary(ctx, h); err != nil {
				return err
			}
			continue
		case pageDataV1, pageDataV2:
		default:
			l.chunk.skip(h)
			continue
		}
		if h.values == 0 {
			l.chunk.skip(h)
			continue
		}
		return l.loadLevels(ctx, h)
	}
}

func (l *nestedLeaf) loadLevels(ctx context.Context, h pageHeader) error {
	leaf := l.loader.leaf
	n := int(h.values)
	if n > maxPageLevels {
		return fmt.Errorf("page of %d values", n)
	}
	p, err := l.chunk.body(ctx, h, l.codec, l.pageBuffer, &l.chunk.pageHeld, leaf.maxDefinition, leaf.maxRepetition)
	if err != nil {
		return err
	}
	if p.buffer != nil {
		l.pageBuffer = p.buffer
	}
	if l.repetitions, err = readLevels(l.repetitions, p.repetitions, n, leaf.maxRepetition); err != nil {
		return err
	}
	if l.definitions, err = readLevels(l.definitions, p.definitions, n, leaf.maxDefinition); err != nil {
		return err
	}
	values := 0
	for _, d := range l.definitions {
		if int(d) == leaf.maxDefinition {
			values++
		}
	}
	l.levelAt, l.rows, l.at, l.taken, l.values, l.valid = 0, values, 0, 0, values, nil
	return l.loadValues(h.encoding, p)
}

func readLevels(into []int32, data []byte, n, maxLevel int) ([]int32, error) {
	if cap(into) < n {
		into = make([]int32, n)
	}
	into = into[:n]
	if maxLevel == 0 {
		clear(into)
		return into, nil
	}
	var h hybrid
	h.reset(data, bitWidthOf(maxLevel))
	if err := h.fill(into); err != nil {
		return into, err
	}
	if !codesBelow(into, maxLevel+1) {
		return into, errLevels
	}
	return into, nil
}

// assemble makes dst the n values of a node. Its values are where the levels' repetition is at most
// slotRepetition and definition at least slotDefinition.
func (a *assembly) assemble(dst *vec.Vector, n int, slotRepetition, slotDefinition int32) error {
	if a.node == nil {
		*dst = *vec.NewFlat(a.typ, n)
		nullAll(dst)
		return nil
	}
	if a.node.kind == nodeLeaf {
		return a.assembleLeaf(dst, n, slotRepetition, slotDefinition)
	}
	elements, err := a.assembleShape(dst, n, slotRepetition, slotDefinition)
	if err != nil {
		return err
	}
	if a.node.kind != nodeRow {
		slotRepetition, slotDefinition = int32(a.node.repetition), int32(a.node.entries)
	}
	for i, child := range a.children {
		if err := child.assemble(&dst.Children[i], elements, slotRepetition, slotDefinition); err != nil {
			return err
		}
	}
	return nil
}

// assembleShape sets validity and list bounds of a row, list or map and gives the number of values
// that each child has.
func (a *assembly) assembleShape(dst *vec.Vector, n int, slotRepetition, slotDefinition int32) (elements int, err error) {
	*dst = vec.Vector{}
	dst.Resize(a.typ, n)
	valid := make(vec.Bitmap, vec.BitmapWords(max(n, 1)))
	lists := []vec.List(nil)
	if a.node.kind != nodeRow {
		lists = vec.Values[vec.List](dst)[:n]
	}
	slot, nulls := -1, 0
	for i, d := range a.leaf.outDefinitions {
		rep := a.leaf.outRepetitions[i]
		if rep <= slotRepetition && d >= slotDefinition {
			if slot++; slot == n {
				return 0, errNesting
			}
			if int(d) >= a.node.definition {
				valid.Set(slot)
			} else {
				nulls++
			}
			if lists != nil {
				lists[slot] = vec.List{Offset: int32(elements)}
			}
		}
		if lists != nil && rep <= int32(a.node.repetition) && int(d) >= a.node.entries {
			if slot < 0 {
				return 0, errNesting
			}
			lists[slot].Length++
			elements++
		}
	}
	if slot+1 != n {
		return 0, errNesting
	}
	if nulls > 0 {
		dst.Valid = valid
	}
	if lists == nil {
		elements = n
	}
	return elements, nil
}

func (a *assembly) assembleLeaf(dst *vec.Vector, n int, slotRepetition, slotDefinition int32) error {
	l := a.leaf
	index := resize(&l.indexBuffer, n)
	valid := make(vec.Bitmap, vec.BitmapWords(max(n, 1)))
	slot, value := 0, int32(0)
	most := int32(l.loader.leaf.maxDefinition)
	for i, d := range l.outDefinitions {
		if l.outRepetitions[i] > slotRepetition || d < slotDefinition {
			continue
		}
		if slot == n {
			return errNesting
		}
		index[slot] = value
		if d == most {
			valid.Set(slot)
			value++
		}
		slot++
	}
	if slot != n || int(value) != l.outValues.Len {
		return errNesting
	}
	values := &l.outValues
	if a.cast != nil && values.Len > 0 {
		if err := a.cast(&a.casted, values); err != nil {
			return err
		}
		values = &a.casted
	}
	if l.outValues.Len == 0 {
		*dst = *vec.NewFlat(a.typ, n)
	} else {
		for i := range index {
			index[i] = min(index[i], int32(l.outValues.Len-1))
		}
		*dst = vec.Vector{}
		vec.Gather(dst, values, index)
		dst.Type = a.typ
	}
	if int(value) < n {
		dst.Valid = valid
	}
	return nil
}

// nullAll makes all rows of a flat vector NULL, and so its fields.
func nullAll(v *vec.Vector) {
	v.Valid = make(vec.Bitmap, vec.BitmapWords(max(v.Len, 1)))
	if v.Type.Kind == types.Row {
		for i := range v.Children {
			nullAll(&v.Children[i])
		}
	}
}
