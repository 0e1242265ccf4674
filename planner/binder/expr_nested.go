package binder

import (
	"math"
	"strconv"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// fieldName is the name of an unnamed row's field, counted from 0.
func fieldName(i int) string { return "f" + strconv.Itoa(i+1) }

// inside binds while set-returning functions are forbidden by a construct.
func inside[T any](sc *scope, construct string, bind func() (T, error)) (T, error) {
	outer := sc.conditional
	sc.conditional = construct
	out, err := bind()
	sc.conditional = outer
	return out, err
}

func (b *binder) caseExpr(sc *scope, e *ast.Case) (expr.Expr, error) {
	return inside(sc, "CASE", func() (expr.Expr, error) { return b.caseArms(sc, e) })
}

func (b *binder) caseArms(sc *scope, e *ast.Case) (expr.Expr, error) {
	var subject operand
	var err error
	if e.Operand != nil {
		if subject, err = b.operand(sc, e.Operand); err != nil {
			return nil, err
		}
		if subject.Expr, err = b.resolveUnknown(subject); err != nil {
			return nil, err
		}
		if b.volatile(subject.Expr) && sc.selecting != nil {
			id := b.column("case", subject.Type(), true)
			subject.Expr = b.hold(&onceColumn{pendingColumn{id, e.Pos, sc}, subject.Expr})
		}
	}
	out := &expr.Case{Whens: make([]expr.When, len(e.Whens))}
	results := make([]operand, 0, len(e.Whens)+1)
	for i, w := range e.Whens {
		if out.Whens[i].Condition, err = b.caseCondition(sc, e, subject, w); err != nil {
			return nil, err
		}
		r, err := b.operand(sc, w.Result)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	if e.Else != nil {
		r, err := b.operand(sc, e.Else)
		if err != nil {
			return nil, err
		}
		// PostgreSQL looks at ELSE first when it seeks the common type.
		results = append([]operand{r}, results...)
	}
	kind, err := b.commonKind(results, "CASE")
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		clause := "CASE/WHEN"
		if i == 0 && e.Else != nil {
			clause = "CASE/ELSE"
		}
		if err := b.checkCommon(r, kind, clause); err != nil {
			return nil, err
		}
	}
	values, t, err := b.unify(results, "CASE")
	if err != nil {
		return nil, err
	}
	if e.Else != nil {
		out.Else, values = values[0], values[1:]
	}
	for i := range out.Whens {
		out.Whens[i].Result = values[i]
	}
	out.T = t
	return out, nil
}

func (b *binder) caseCondition(sc *scope, e *ast.Case, subject operand, w ast.When) (expr.Expr, error) {
	if e.Operand == nil {
		return b.condition(sc, w.Cond, "CASE/WHEN")
	}
	value, err := b.operand(sc, w.Cond)
	if err != nil {
		return nil, err
	}
	at := w.Pos
	if at < 0 {
		at = e.Pos
	}
	return b.compare(expr.Equal, "=", subject, value, at)
}

func (b *binder) conditional(sc *scope, e *ast.Conditional) (expr.Expr, error) {
	names := [...]string{ast.CondCoalesce: "COALESCE", ast.CondNullif: "NULLIF", ast.CondGreatest: "GREATEST",
		ast.CondLeast: "LEAST"}
	name := names[e.Kind]
	construct := sc.conditional
	if e.Kind == ast.CondCoalesce {
		construct = name
	}
	args, err := inside(sc, construct, func() ([]operand, error) { return b.operands(sc, e.Args) })
	if err != nil {
		return nil, err
	}
	if e.Kind == ast.CondNullif {
		return b.nullIf(args, e.Pos)
	}
	values, t, err := b.unify(args, name)
	if err != nil {
		return nil, err
	}
	switch e.Kind {
	case ast.CondCoalesce:
		if len(values) == 1 {
			return values[0], nil
		}
		return &expr.Coalesce{Args: values, T: t}, nil
	case ast.CondGreatest:
		return b.namedOf("greatest", t, e.Pos, values...)
	}
	return b.namedOf("least", t, e.Pos, values...)
}

// nullIfValue is the first argument of NULLIF as the type that its = operator takes on the left.
func (b *binder) nullIfValue(x, y operand) (expr.Expr, error) {
	left, right := x.Type(), y.Type()
	if left.Kind == types.Unknown || right.Kind == types.Unknown || sameKind(left, right) {
		if left.Kind == types.Unknown && right.Kind != types.Unknown {
			return b.convert(x, unmodified(right))
		}
		return b.resolveUnknown(x)
	}
	if pair, why := operatorPair(left, right, false); why == found && pair.from != left.Kind {
		return b.convert(x, types.Of(pair.from))
	}
	return x.Expr, nil
}

// nullIf is NULLIF(a, b).
func (b *binder) nullIf(args []operand, at ast.Pos) (expr.Expr, error) {
	same, err := b.compare(expr.Equal, "=", args[0], args[1], at)
	if err != nil {
		return nil, err
	}
	value, err := b.nullIfValue(args[0], args[1])
	if err != nil {
		return nil, err
	}
	t := value.Type()
	null := &expr.Literal{Value: types.NullDatum(), T: t}
	return &expr.Case{Whens: []expr.When{{Condition: same, Result: null}}, Else: value, T: t}, nil
}

func (b *binder) arrayLiteral(sc *scope, e *ast.ArrayLiteral) (expr.Expr, error) {
	if len(e.Elems) == 0 {
		return nil, b.fail(e.Pos, sqlerr.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
	}
	elems, err := b.operands(sc, e.Elems)
	if err != nil {
		return nil, err
	}
	values, t, err := b.unify(elems, "ARRAY")
	if err != nil {
		return nil, err
	}
	return b.namedOf(fn.ArrayConstructor, types.ArrayOf(t), e.Pos, values...)
}

// arrayOf is ARRAY[…]::t[]: the elements are cast one by one.
func (b *binder) arrayOf(sc *scope, e *ast.ArrayLiteral, to types.Type) (expr.Expr, error) {
	values := make([]expr.Expr, len(e.Elems))
	elems := make([]operand, len(e.Elems))
	for i, x := range e.Elems {
		var err error
		if inner, ok := x.(*ast.ArrayLiteral); ok && to.Elem.Kind == types.Array {
			values[i], err = b.arrayOf(sc, inner, *to.Elem)
			elems[i] = operandAt(values[i], x.Offset())
		} else if elems[i], err = b.operand(sc, x); err == nil {
			values[i], err = b.castTo(elems[i], *to.Elem, false, elems[i].near())
			elems[i].Expr = values[i]
		}
		if err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return &expr.Literal{Value: types.Datum{Items: []types.Datum{}}, T: storedType(to)}, nil
	}
	values, t, err := b.unify(elems, "ARRAY")
	if err != nil {
		return nil, err
	}
	return b.namedOf(fn.ArrayConstructor, types.ArrayOf(t), e.Pos, values...)
}

func (b *binder) subscript(sc *scope, e *ast.Subscript) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	index, err := b.operand(sc, e.Index)
	if err != nil {
		return nil, err
	}
	switch t := x.Type(); t.Kind {
	case types.Array:
		i, err := b.subscriptIndex(index)
		if err != nil {
			return nil, err
		}
		return b.namedOf(fn.SubscriptOf, *t.Elem, e.Pos, x.Expr, i)
	case types.Map:
		key, err := b.coerceTo(index, *t.Key, implicit, "map subscript")
		if err != nil {
			return nil, err
		}
		return b.namedOf(fn.SubscriptOf, *t.Elem, e.Pos, x.Expr, key)
	case types.JSONB, types.JSON:
		return b.binary(ast.Operator{Name: "->"}, x, index, e.Pos)
	}
	return nil, b.fail(x.place(), sqlerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting",
		x.Type().Base())
}

func (b *binder) subscriptIndex(index operand) (expr.Expr, error) {
	if castRule(index.Type(), intType) < assignment || index.Type().Kind == types.Text {
		return nil, b.fail(index.place(), sqlerr.DatatypeMismatch, "array subscript must have type integer")
	}
	return b.convert(index, intType)
}

func (b *binder) slice(sc *scope, e *ast.Slice) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	if x.Type().Kind != types.Array {
		return nil, b.fail(x.place(), sqlerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting",
			x.Type().Base())
	}
	bounds := [2]expr.Expr{
		&expr.Literal{Value: types.IntDatum(1), T: intType},
		&expr.Literal{Value: types.IntDatum(math.MaxInt32), T: intType},
	}
	for i, written := range [2]ast.Expr{e.Low, e.High} {
		if written == nil {
			continue
		}
		bound, err := b.operand(sc, written)
		if err != nil {
			return nil, err
		}
		if bounds[i], err = b.subscriptIndex(bound); err != nil {
			return nil, err
		}
	}
	return b.namedOf(fn.SliceOf, x.Type(), e.Pos, x.Expr, bounds[0], bounds[1])
}
