package parquet

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// append adds the rows listed of a top-level column.
func (n *outNode) append(v *vec.Vector, rows []int32) error {
	if n.leaf != nil {
		return n.leaf.appendFlat(v, rows)
	}
	places := make([]shredRow, len(rows))
	for i, row := range rows {
		places[i] = shredRow{row: row, definition: int32(n.above())}
	}
	return n.shred(v, places)
}

// above is the definition level at which n's parent is present.
func (n *outNode) above() int {
	if n.element.repetition == optional {
		return n.definition - 1
	}
	return n.definition
}

// shredRow is one place at a level of the tree: a row of the level's vector, or (row < 0) none,
// because a parent is NULL or empty; then definition is where it ends.
type shredRow struct {
	row        int32
	definition int32
	repetition int32
}

// shred adds the places of one node to the leaves below it.
func (n *outNode) shred(v *vec.Vector, rows []shredRow) error {
	var flat vec.Vector
	if v.Enc != vec.Flat {
		vec.Flatten(&flat, v)
		v = &flat
	}
	present := make([]shredRow, len(rows))
	for i, r := range rows {
		if r.row >= 0 {
			if v.IsNull(int(r.row)) {
				if n.element.repetition != optional {
					return sqlerr.New(sqlerr.NotNullViolation, "null value in column %q violates not-null constraint", n.element.name)
				}
				r.row = -1
			} else {
				r.definition = int32(n.definition)
			}
		}
		present[i] = r
	}
	switch n.kind {
	case nodeLeaf:
		return n.leaf.appendPlaces(v, present)
	case nodeRow:
		for i, child := range n.children {
			if err := child.shred(&v.Children[i], present); err != nil {
				return err
			}
		}
		return nil
	}
	lists := vec.Values[vec.List](v)
	var elements []shredRow
	for _, r := range present {
		if r.row < 0 || lists[r.row].Length == 0 {
			r.row = -1
			elements = append(elements, r)
			continue
		}
		for i := range lists[r.row].Length {
			e := shredRow{row: lists[r.row].Offset + i, definition: int32(n.definition) + 1, repetition: int32(n.repetition)}
			if i == 0 {
				e.repetition = r.repetition
			}
			elements = append(elements, e)
		}
	}
	for i, child := range n.children {
		if err := child.shred(&v.Children[i], elements); err != nil {
			return err
		}
	}
	return nil
}

// appendPlaces adds the levels of the places and the values of those that have one.
func (l *leafWriter) appendPlaces(v *vec.Vector, places []shredRow) error {
	index := l.work.index[:0]
	for _, p := range places {
		l.definitions = append(l.definitions, p.definition)
		l.repetitions = append(l.repetitions, p.repetition)
		if p.row >= 0 && l.physical != types.PhysNone {
			index = append(index, p.row)
		}
	}
	l.work.index = index
	l.rows += len(places)
	l.levels += int64(len(places))
	l.nulls += int64(len(places) - len(index))
	return l.appendValues(v, index)
}
