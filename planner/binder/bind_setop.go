package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

func setOperatorName(op ast.SetOperator) string {
	return [...]string{ast.Union: "UNION", ast.Intersect: "INTERSECT", ast.Except: "EXCEPT"}[op]
}

// setOperation binds both arms and brings their columns to common types.
func (b *binder) setOperation(sc *scope, body *ast.SetOperation) (*result, error) {
	left, err := b.arm(sc, body, body.Left, false)
	if err != nil {
		return nil, err
	}
	right, err := b.arm(sc, body, body.Right, true)
	if err != nil {
		return nil, err
	}
	return b.combine(body, left, right)
}

// arm binds one side of a set operation in a scope of its own.
func (b *binder) arm(sc *scope, body *ast.SetOperation, q *ast.Query, right bool) (*result, error) {
	inner := sc.child()
	if body.Op == ast.Except && (right || body.All) || body.Op == ast.Intersect && body.All {
		inner.within = setOperatorName(body.Op)
	}
	return b.query(inner, q, false)
}

func (b *binder) combine(body *ast.SetOperation, left, right *result) (*result, error) {
	name := setOperatorName(body.Op)
	if len(left.columns) != len(right.columns) {
		at := body.Pos
		if len(right.columns) > 0 {
			at = right.columns[0].at
		}
		return nil, b.fail(at, sqlerr.SyntaxError, "each %s query must have the same number of columns", name)
	}
	n := &logical.SetOperation{Kind: [...]logical.SetKind{ast.Union: logical.Union, ast.Intersect: logical.Intersect,
		ast.Except: logical.Except}[body.Op], All: body.All}
	targets := make([]types.Type, len(left.columns))
	out := &result{}
	for i, l := range left.columns {
		t, err := b.armType(left, right, i, name)
		if err != nil {
			return nil, err
		}
		if !body.All {
			if err := b.checkGroupable(operandAt(&expr.Column{T: t}, l.at)); err != nil {
				return nil, err
			}
		}
		targets[i] = t
		id := b.column(l.name, t, b.armNullable(body.Op, l.id, right.columns[i].id))
		n.IDs = append(n.IDs, id)
		out.columns = append(out.columns, resultColumn{id, l.name, l.at})
	}
	if err := b.addArm(n, left, targets); err != nil {
		return nil, err
	}
	if err := b.addArm(n, right, targets); err != nil {
		return nil, err
	}
	out.node = n
	return out, nil
}

func (b *binder) armNullable(op ast.SetOperator, left, right logical.ColID) bool {
	l, r := b.columns.Info(left).Nullable, b.columns.Info(right).Nullable
	switch op {
	case ast.Union:
		return l || r
	case ast.Intersect:
		return l && r
	}
	return l
}

// armType gives the common type of column i, and types untyped columns accordingly.
func (b *binder) armType(left, right *result, i int, name string) (types.Type, error) {
	pair := []operand{b.armOperand(left, i), b.armOperand(right, i)}
	t, err := b.commonType(pair, name)
	if err != nil {
		return t, err
	}
	for _, r := range []*result{left, right} {
		if b.columns.Info(r.columns[i].id).Type.Kind == types.Unknown {
			if err := b.typeColumn(r, i, t); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// armOperand is an output column for type resolution: an untyped one by its own expression.
func (b *binder) armOperand(r *result, i int) operand {
	c := r.columns[i]
	if b.columns.Info(c.id).Type.Kind == types.Unknown && r.project != nil {
		for _, x := range r.project.Exprs {
			if x.ID == c.id {
				return operandAt(x.Expr, c.at)
			}
		}
	}
	return operandAt(b.columnRef(c.id), c.at)
}

// addArm adds an input, with a Project where columns must be cast. UNION ALL within UNION ALL is
// flattened.
func (b *binder) addArm(n *logical.SetOperation, r *result, targets []types.Type) error {
	cast := false
	for i, c := range r.columns {
		cast = cast || !b.columns.Info(c.id).Type.Equal(targets[i])
	}
	inner, ok := r.node.(*logical.SetOperation)
	if ok && !cast && n.Kind == logical.Union && n.All && inner.Kind == logical.Union && inner.All {
		n.In = append(n.In, inner.In...)
		n.Arms = append(n.Arms, inner.Arms...)
		return nil
	}
	ids := make([]logical.ColID, len(r.columns))
	for i, c := range r.columns {
		ids[i] = c.id
	}
	if !cast {
		n.In, n.Arms = append(n.In, r.node), append(n.Arms, ids)
		return nil
	}
	node, ids, err := b.castColumns(r.node, r.columns, targets)
	n.In, n.Arms = append(n.In, node), append(n.Arms, ids)
	return err
}

// castColumns projects columns to other types.
func (b *binder) castColumns(node logical.Node, columns []resultColumn, to []types.Type) (logical.Node, []logical.ColID, error) {
	c := b.computing(node)
	ids := make([]logical.ColID, len(columns))
	for i, col := range columns {
		e, err := b.convert(operandAt(b.columnRef(col.id), col.at), to[i])
		if err != nil {
			return nil, nil, err
		}
		ids[i] = c.column(e)
	}
	return c.project(ids), ids, nil
}
