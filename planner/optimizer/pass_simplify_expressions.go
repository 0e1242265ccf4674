package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// simplifyExpressions applies laws of boolean algebra and moves casts from columns to literals.
func simplifyExpressions(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		out, err := mapExprs(n, func(e expr.Expr) (expr.Expr, error) {
			return expr.Rewrite(e, c.simplify), nil
		})
		if f, ok := out.(*logical.Filter); ok && isTrue(f.Predicate) {
			return f.Input, err
		}
		return out, err
	})
}

func (c *Context) simplify(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.And:
		return simplifyAnd(e)
	case *expr.Or:
		return simplifyOr(e)
	case *expr.Not:
		switch e.Arg.(type) {
		case *expr.Not, *expr.Compare, *expr.And, *expr.Or, *expr.Literal:
			return expr.Rewrite(negative(e.Arg), c.simplifyUnlessNot)
		}
	case *expr.Compare:
		return c.unwrapCast(e)
	case *expr.In:
		if len(e.List) == 1 {
			return c.simplify(&expr.Compare{Op: expr.Equal, Left: e.Arg, Right: e.List[0]})
		}
		return c.unwrapCastOfIn(e)
	case *expr.Case:
		return simplifyCase(e)
	case *expr.Coalesce:
		if l, ok := e.Args[0].(*expr.Literal); ok && !l.Value.Null {
			return l
		}
	}
	return e
}

// simplifyUnlessNot simplifies what negative has built, whose leaves may be Nots already.
func (c *Context) simplifyUnlessNot(e expr.Expr) expr.Expr {
	if _, isNot := e.(*expr.Not); isNot {
		return e
	}
	return c.simplify(e)
}

func simplifyAnd(e *expr.And) expr.Expr {
	var kept []expr.Expr
	for _, a := range expr.Conjuncts(e) {
		switch {
		case isTrue(a):
		case isFalse(a):
			return falseExpr
		case !contains(kept, a):
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return trueExpr
	}
	if len(kept) == len(e.Args) {
		return e
	}
	return expr.Conjoin(kept)
}

func isFalse(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && !l.Value.Null && l.T.Kind == types.Bool && !l.Value.Bool()
}

func contains(list []expr.Expr, e expr.Expr) bool {
	for _, x := range list {
		if expr.Same(x, e) {
			return true
		}
	}
	return false
}

func disjuncts(e expr.Expr) []expr.Expr {
	if or, ok := e.(*expr.Or); ok {
		var out []expr.Expr
		for _, a := range or.Args {
			out = append(out, disjuncts(a)...)
		}
		return out
	}
	return []expr.Expr{e}
}

// simplifyOr flattens, drops what is decided, and takes common conjuncts out of all arms:
// (a AND b) OR (a AND c) is a AND (b OR c).
func simplifyOr(e *expr.Or) expr.Expr {
	var arms []expr.Expr
	for _, a := range disjuncts(e) {
		switch {
		case isFalse(a):
		case isTrue(a):
			return trueExpr
		case !contains(arms, a):
			arms = append(arms, a)
		}
	}
	switch len(arms) {
	case 0:
		return falseExpr
	case 1:
		return arms[0]
	}
	var common []expr.Expr
	for _, candidate := range expr.Conjuncts(arms[0]) {
		everywhere := true
		for _, arm := range arms[1:] {
			everywhere = everywhere && contains(expr.Conjuncts(arm), candidate)
		}
		if everywhere {
			common = append(common, candidate)
		}
	}
	if len(common) == 0 {
		if len(arms) == len(e.Args) {
			return e
		}
		return &expr.Or{Args: arms}
	}
	var rest []expr.Expr
	for _, arm := range arms {
		var left []expr.Expr
		for _, conjunct := range expr.Conjuncts(arm) {
			if !contains(common, conjunct) {
				left = append(left, conjunct)
			}
		}
		if len(left) == 0 {
			return expr.Conjoin(common) // this arm is implied by the common part
		}
		rest = append(rest, expr.Conjoin(left))
	}
	return &expr.And{Args: append(common, &expr.Or{Args: rest})}
}

func simplifyCase(e *expr.Case) expr.Expr {
	var whens []expr.When
	for _, w := range e.Whens {
		if isFalseOrNull(w.Condition) {
			continue
		}
		if isTrue(w.Condition) {
			if len(whens) == 0 {
				return w.Result
			}
			return &expr.Case{Whens: whens, Else: w.Result, T: e.T}
		}
		whens = append(whens, w)
	}
	if len(whens) == len(e.Whens) {
		return e
	}
	if len(whens) == 0 {
		if e.Else == nil {
			return &expr.Literal{Value: types.NullDatum(), T: e.T}
		}
		return e.Else
	}
	return &expr.Case{Whens: whens, Else: e.Else, T: e.T}
}

// unwrapCast turns CAST(column AS wider) op literal into column op literal of the column's own type,
// where the literal has an exact counterpart there, so that statistics and dictionaries apply.
func (c *Context) unwrapCast(e *expr.Compare) expr.Expr {
	if _, ok := e.Left.(*expr.Literal); ok {
		if _, both := e.Right.(*expr.Literal); !both {
			return c.unwrapCast(&expr.Compare{Op: e.Op.Inverse(), Left: e.Right, Right: e.Left})
		}
	}
	cast, ok := e.Left.(*expr.Cast)
	literal, isLiteral := e.Right.(*expr.Literal)
	if !ok || !isLiteral || literal.Value.Null {
		return e
	}
	if narrow, ok := c.narrow(cast, literal); ok {
		return &expr.Compare{Op: e.Op, Left: cast.Arg, Right: narrow}
	}
	return e
}

func (c *Context) unwrapCastOfIn(e *expr.In) expr.Expr {
	cast, ok := e.Arg.(*expr.Cast)
	if !ok {
		return e
	}
	list := make([]expr.Expr, len(e.List))
	for i, item := range e.List {
		literal, ok := item.(*expr.Literal)
		if !ok {
			return e
		}
		if literal.Value.Null {
			list[i] = &expr.Literal{Value: literal.Value, T: cast.Arg.Type()}
			continue
		}
		narrow, ok := c.narrow(cast, literal)
		if !ok {
			return e
		}
		list[i] = narrow
	}
	return &expr.In{Arg: cast.Arg, List: list}
}

// narrow finds the value of the cast's operand type that the literal is the image of.
func (c *Context) narrow(cast *expr.Cast, literal *expr.Literal) (*expr.Literal, bool) {
	from := cast.Arg.Type()
	if !orderPreserving(from, cast.To) || !safeCast(from, cast.To) {
		return nil, false
	}
	value, err := c.Fold(&expr.Cast{Arg: literal, To: from})
	if err != nil || value.Null {
		return nil, false
	}
	narrow := &expr.Literal{Value: value, T: from}
	back, err := c.Fold(&expr.Cast{Arg: narrow, To: cast.To})
	if err != nil || !expr.SameDatum(back, literal.Value) {
		return nil, false
	}
	return narrow, true
}

// orderPreserving tells whether a < b holds exactly when the converted values do, for all values.
func orderPreserving(from, to types.Type) bool {
	switch {
	case from.IsNumeric() && to.IsNumeric():
		return !(from.Kind == types.Int64 && (to.Kind == types.Float64 || to.Kind == types.Float32)) &&
			!(from.Kind == types.Int32 && to.Kind == types.Float32) && !(from.Kind == types.Decimal && to.Kind != types.Decimal)
	case from.Kind == types.Date:
		return to.Kind == types.Timestamp || to.Kind == types.TimestampTZ
	case from.Kind == types.Text:
		return to.Kind == types.Text && to.Length == 0
	}
	return false
}
