package eval

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// frame is the batch that an evaluation runs on.
type frame struct {
	columns []vec.Vector
	n       int
	rows    []int32 // the selection the evaluation started with
	number  uint64  // differs for every evaluation
}

// node computes a value for the rows listed (nil: all f.n). The result has f.n rows, is garbage on
// other rows, and is valid until the next eval.
type node interface {
	eval(f *frame, rows []int32) (*vec.Vector, error)
}

// chooser lists, in dst's memory, those of rows for which a condition is true. dst may be rows.
type chooser interface {
	choose(f *frame, rows, dst []int32) ([]int32, error)
}

// columnNode reads an input column.
type columnNode struct{ ordinal int }

func (c *columnNode) eval(f *frame, _ []int32) (*vec.Vector, error) {
	return &f.columns[c.ordinal], nil
}

// literalNode is a constant.
type literalNode struct {
	value  types.Datum
	vector vec.Vector
}

func newLiteral(t types.Type, d types.Datum) *literalNode {
	l := &literalNode{value: d}
	l.vector = *vec.NewConst(t, d, 1)
	return l
}

func (l *literalNode) eval(f *frame, _ []int32) (*vec.Vector, error) {
	l.vector.Len = f.n
	return &l.vector, nil
}

// memo computes a common part once for the rows that an evaluation starts with.
type memo struct {
	of     node
	number uint64
	result *vec.Vector
}

func (m *memo) eval(f *frame, _ []int32) (*vec.Vector, error) {
	if m.number == f.number && m.result != nil {
		return m.result, nil
	}
	v, err := m.of.eval(f, f.rows)
	if err != nil {
		m.result = nil
		return nil, err
	}
	m.number, m.result = f.number, v
	return v, nil
}

// peek uses a memo's result if it is there already, else computes its own: it stands where the rows
// may be fewer than the evaluation's.
type peek struct {
	shared *memo
	own    node
}

func (p *peek) eval(f *frame, rows []int32) (*vec.Vector, error) {
	if p.shared.number == f.number && p.shared.result != nil {
		return p.shared.result, nil
	}
	return p.own.eval(f, rows)
}

// constantOf gives the value of a node known at compile time.
func constantOf(n node) (types.Datum, bool) {
	if l, ok := n.(*literalNode); ok {
		return l.value, true
	}
	return types.Datum{}, false
}

// truth is a chooser over any boolean node: rows whose value is want.
type truth struct {
	of   node
	want bool
}

func (t *truth) choose(f *frame, rows, dst []int32) ([]int32, error) {
	v, err := t.of.eval(f, rows)
	if err != nil {
		return nil, err
	}
	return kernel.PickTruth(dst, v, t.want, rows), nil
}
