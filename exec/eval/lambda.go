package eval

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// lambda is a function argument: a body over its parameters and the columns that it captures.
type lambda struct {
	body     node
	params   int
	captured []node // of the outer frame, in the order of the body's columns after the parameters
	outer    *frame
	inner    frame
	columns  []vec.Vector
}

// lambdaScope maps the columns of a lambda's body to the columns of its frame.
type lambdaScope struct {
	first    expr.ColumnID
	params   int
	enclosed *compiler // where captures are looked up
	captured []expr.ColumnID
	nodes    []node
	err      error
}

func (c *compiler) lambda(e *expr.Lambda) (*lambda, error) {
	scope := &lambdaScope{first: e.FirstParam, params: len(e.Params), enclosed: c}
	inner := &compiler{env: c.env, params: scope}
	body, err := inner.node(e.Body)
	if err == nil {
		err = scope.err
	}
	if err != nil {
		return nil, err
	}
	return &lambda{body: body, params: len(e.Params), captured: scope.nodes}, nil
}

func (s *lambdaScope) node(e *expr.Column) node {
	if k := int(e.ID - s.first); k >= 0 && k < s.params {
		return &columnNode{k}
	}
	for i, id := range s.captured {
		if id == e.ID {
			return &columnNode{s.params + i}
		}
	}
	n, err := s.enclosed.column(e)
	if err != nil {
		s.err = err
		return &columnNode{0}
	}
	s.captured = append(s.captured, e.ID)
	s.nodes = append(s.nodes, n)
	return &columnNode{s.params + len(s.captured) - 1}
}

// Apply implements fn.Lambda.
func (l *lambda) Apply(params []*vec.Vector, n int, outer []int32) (*vec.Vector, error) {
	if len(l.columns) == 0 {
		l.columns = make([]vec.Vector, l.params+len(l.captured))
	}
	for i := range l.params {
		l.columns[i].Alias(params[i])
	}
	for i, c := range l.captured {
		v, err := c.eval(l.outer, outer)
		if err != nil {
			return nil, err
		}
		column := &l.columns[l.params+i]
		*column = vec.Vector{}
		vec.Gather(column, v, outer)
	}
	l.inner.columns, l.inner.n, l.inner.rows = l.columns, n, nil
	l.inner.number++
	v, err := l.body.eval(&l.inner, nil)
	if err != nil {
		return nil, err
	}
	if v.Type.Kind == types.Unknown {
		return vec.NewConst(v.Type, types.NullDatum(), n), nil
	}
	return v, nil
}
