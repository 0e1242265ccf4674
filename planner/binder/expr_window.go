package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// windowCall binds a call with OVER.
func (b *binder) windowCall(sc *scope, e *ast.FuncCall, c *candidate, args []argument, isAggregate bool) (expr.Expr, error) {
	if err := b.checkWindowCall(sc, e, c.overload.Name, isAggregate); err != nil {
		return nil, err
	}
	call, err := b.call(c, args, e.Pos)
	if err != nil {
		return nil, err
	}
	w := &windowColumn{isAggregate: isAggregate, ignoreNulls: e.Nulls == ast.NullsIgnore}
	w.aggregateColumn = aggregateColumn{overload: c.overload, args: call.Args, t: call.T}
	if e.Filter != nil {
		w.aggregateColumn.filter, err = within(sc, clauseFilter, func() (expr.Expr, error) { return b.condition(sc, e.Filter, "FILTER") })
		if err != nil {
			return nil, err
		}
	}
	for _, x := range w.aggregateColumn.exprs() {
		if err := b.checkNoWindow(sc, x, "window function calls cannot be nested"); err != nil {
			return nil, err
		}
	}
	if w.window, err = b.overClause(sc, e.Over); err != nil {
		return nil, err
	}
	for _, have := range sc.selecting.windows {
		if b.sameWindow(have, w) {
			ref := b.columnRef(have.column)
			b.places[ref] = e.Pos
			return ref, nil
		}
	}
	w.pendingColumn = pendingColumn{b.column(c.overload.Name, call.T, true), e.Pos, sc}
	sc.selecting.windows = append(sc.selecting.windows, w)
	return b.hold(w), nil
}

func (b *binder) checkWindowCall(sc *scope, e *ast.FuncCall, name string, isAggregate bool) error {
	switch {
	case sc.clause == clauseWindowPartition || sc.clause == clauseWindowOrder:
		return b.fail(e.Pos, sqlerr.WindowingError, "window functions are not allowed in window definitions")
	case sc.clause != clauseSelect && sc.clause != clauseOrderBy && sc.clause != clauseDistinctOn && sc.clause != clauseQualify:
		return b.fail(e.Pos, sqlerr.WindowingError, "window functions are not allowed in %s", sc.clause.name())
	case e.Distinct:
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "DISTINCT is not implemented for window functions")
	case e.WithinGroup:
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", name)
	case len(e.OrderBy) > 0:
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "aggregate ORDER BY is not implemented for window functions")
	case e.Filter != nil && !isAggregate:
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "FILTER is not implemented for non-aggregate window functions")
	case isAggregate && orderedSet(name):
		return b.fail(e.Pos, sqlerr.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", name)
	}
	return nil
}

func (b *binder) checkNoWindow(sc *scope, e expr.Expr, message string) error {
	var err error
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		if !ok || err != nil {
			return err == nil
		}
		if _, ok := b.pending[c.ID].(*tableColumn); ok {
			err = b.fail(b.place(c), sqlerr.FeatureNotSupported, "window function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
		}
		if w, ok := b.pending[c.ID].(*windowColumn); ok && w.scope == sc {
			err = b.fail(b.place(c), sqlerr.WindowingError, "%s", message)
		}
		return err == nil
	})
	return err
}

func (b *binder) sameWindow(x, y *windowColumn) bool {
	return x.isAggregate == y.isAggregate && x.ignoreNulls == y.ignoreNulls && b.sameAggregate(&x.aggregateColumn, &y.aggregateColumn) &&
		x.window.sameRows(y.window) && x.window.frame == y.window.frame && expr.Same(x.window.start, y.window.start) &&
		expr.Same(x.window.end, y.window.end)
}

// sameRows tells whether two windows partition and order alike.
func (w *boundWindow) sameRows(o *boundWindow) bool {
	if !sameList(w.partition, o.partition) || len(w.order) != len(o.order) {
		return false
	}
	for i := range w.order {
		if !sameSort(w.order[i], o.order[i]) {
			return false
		}
	}
	return true
}

// overClause binds what follows OVER.
func (b *binder) overClause(sc *scope, spec *ast.WindowSpec) (*boundWindow, error) {
	if spec.NameOnly {
		named, err := b.namedWindow(sc, spec.Ref, spec.Pos)
		if err != nil {
			return nil, err
		}
		return named.bound, nil
	}
	return b.windowSpec(sc, spec)
}

// namedWindow finds a definition of the WINDOW clause.
func (b *binder) namedWindow(sc *scope, name string, at ast.Pos) (*windowDefinition, error) {
	for _, d := range sc.selecting.definitions {
		if d.name != name {
			continue
		}
		if d.binding {
			break
		}
		if d.bound == nil {
			d.binding = true
			bound, err := b.windowSpec(sc, d.spec)
			d.binding = false
			if err != nil {
				return nil, err
			}
			d.bound = bound
		}
		return d, nil
	}
	return nil, b.fail(at, sqlerr.UndefinedObject, "window %q does not exist", name)
}

// windowSpec binds a specification in parentheses, which may build on a named one.
func (b *binder) windowSpec(sc *scope, spec *ast.WindowSpec) (*boundWindow, error) {
	w := &boundWindow{}
	var base *boundWindow
	if spec.Ref != "" {
		named, err := b.namedWindow(sc, spec.Ref, spec.Pos)
		if err != nil {
			return nil, err
		}
		base = named.bound
		if err := b.checkOverride(spec, named); err != nil {
			return nil, err
		}
		w.partition, w.order = base.partition, base.order
	}
	if len(spec.PartitionBy) > 0 {
		list, err := within(sc, clauseWindowPartition, func() ([]expr.Expr, error) { return b.typedList(sc, spec.PartitionBy) })
		if err != nil {
			return nil, err
		}
		w.partition = list
	}
	if len(spec.OrderBy) > 0 {
		order, err := within(sc, clauseWindowOrder, func() ([]sortExpr, error) { return b.sortExprs(sc, spec.OrderBy) })
		if err != nil {
			return nil, err
		}
		w.order = order
	}
	return w, b.frame(sc, w, spec.Frame)
}

func (b *binder) typedList(sc *scope, list []ast.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.typed(sc, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *binder) checkOverride(spec *ast.WindowSpec, named *windowDefinition) error {
	switch {
	case len(spec.PartitionBy) > 0:
		return b.fail(spec.Pos, sqlerr.WindowingError, "cannot override PARTITION BY clause of window %q", named.name)
	case len(spec.OrderBy) > 0 && len(named.bound.order) > 0:
		return b.fail(spec.Pos, sqlerr.WindowingError, "cannot override ORDER BY clause of window %q", named.name)
	case named.spec.Frame != nil:
		err := b.fail(spec.Pos, sqlerr.WindowingError, "cannot copy window %q because it has a frame clause", named.name)
		if len(spec.OrderBy) == 0 && spec.Frame == nil {
			return err.WithHint("Omit the parentheses in this OVER clause.")
		}
		return err
	}
	return nil
}

// frame binds the frame clause; the default is RANGE UNBOUNDED PRECEDING.
func (b *binder) frame(sc *scope, w *boundWindow, f *ast.Frame) error {
	w.frame = plan.Frame{Unit: plan.Range, Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}
	if f == nil {
		return nil
	}
	w.frame.Unit = [...]plan.FrameUnit{ast.FrameRows: plan.Rows, ast.FrameRange: plan.Range, ast.FrameGroups: plan.Groups}[f.Unit]
	w.frame.Exclude = uint8(f.Exclude)
	w.frame.Start.Kind, w.frame.End.Kind = boundKind(f.Start.Kind), boundKind(f.End.Kind)
	if f.Unit == ast.FrameGroups && len(w.order) == 0 {
		return b.fail(f.Pos, sqlerr.WindowingError, "GROUPS mode requires an ORDER BY clause")
	}
	if f.Unit == ast.FrameRange && (f.Start.Offset != nil || f.End.Offset != nil) && len(w.order) != 1 {
		return b.fail(f.Pos, sqlerr.WindowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
	}
	var err error
	if w.start, err = b.frameOffset(sc, w, f, f.Start); err != nil {
		return err
	}
	if w.end, err = b.frameOffset(sc, w, f, f.End); err != nil || f.Unit != ast.FrameRange {
		return err
	}
	return b.alignBounds(w)
}

// alignBounds gives both bounds of a RANGE frame the order key's final type.
func (b *binder) alignBounds(w *boundWindow) (err error) {
	for _, bound := range []*expr.Expr{&w.start, &w.end} {
		if *bound == nil {
			continue
		}
		if *bound, err = b.convert(operandAt(*bound, ast.NoPos), w.order[0].Type()); err != nil {
			return err
		}
	}
	return nil
}

func boundKind(k ast.BoundKind) plan.BoundKind {
	return [...]plan.BoundKind{ast.UnboundedPreceding: plan.UnboundedPreceding, ast.OffsetPreceding: plan.Preceding,
		ast.CurrentRow: plan.CurrentRow, ast.OffsetFollowing: plan.Following, ast.UnboundedFollowing: plan.UnboundedFollowing}[k]
}

// frameOffset binds n of n PRECEDING. For RANGE it gives the bound, the order key minus or plus n.
func (b *binder) frameOffset(sc *scope, w *boundWindow, f *ast.Frame, bound ast.FrameBound) (expr.Expr, error) {
	if bound.Offset == nil {
		return nil, nil
	}
	in := [...]clause{ast.FrameRows: clauseFrameRows, ast.FrameRange: clauseFrameRange, ast.FrameGroups: clauseFrameGroups}[f.Unit]
	name := [...]string{ast.FrameRows: "ROWS", ast.FrameRange: "RANGE", ast.FrameGroups: "GROUPS"}[f.Unit]
	offset, err := within(sc, in, func() (operand, error) { return b.operand(sc, bound.Offset) })
	if err != nil {
		return nil, err
	}
	if at, reads := b.readsColumn(offset.Expr); reads {
		return nil, b.fail(at, sqlerr.InvalidColumnReference, "argument of %s must not contain variables", name)
	}
	if f.Unit == ast.FrameRange {
		return b.rangeBound(w, bound, offset)
	}
	e, err := b.coerceTo(offset, bigintType, assignment, name)
	if err != nil {
		return nil, err
	}
	return e, b.checkOffset(e)
}

func (b *binder) checkOffset(e expr.Expr) error {
	lit, ok := e.(*expr.Literal)
	switch {
	case !ok:
		return nil
	case lit.Value.Null:
		return sqlerr.New(sqlerr.NullValueNotAllowed, "frame starting offset must not be null")
	case lit.T.Physical() != types.PhysFloat64 && lit.T.IsNumeric() && decimalValue(lit).Sign() < 0, lit.Value.F64 < 0,
		lit.T.Kind == types.Interval && lit.Value.Span.Compare(types.IntervalValue{}) < 0:
		return sqlerr.New(invalidFrameSize, "frame starting offset must not be negative")
	}
	return nil
}

// invalidFrameSize is PostgreSQL's invalid_preceding_or_following_size.
const invalidFrameSize sqlerr.Code = "22013"

// rangeBound computes key ∓ offset; the order key takes the result's type, so that a date ordered by
// hours compares as a timestamp.
func (b *binder) rangeBound(w *boundWindow, bound ast.FrameBound, offset operand) (expr.Expr, error) {
	key := w.order[0]
	by, ok := rangeOffset(key.Type())
	if !ok {
		return nil, b.fail(offset.place(), sqlerr.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s", key.Type().Base())
	}
	if castRule(offset.Type(), by) < implicit {
		return nil, b.fail(offset.place(), sqlerr.FeatureNotSupported,
			"RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s",
			key.Type().Base(), offset.Type().Base()).WithHint("Cast the offset value to an appropriate type.")
	}
	n, err := b.convert(offset, by)
	if err != nil {
		return nil, err
	}
	if err := b.checkOffset(n); err != nil {
		return nil, err
	}
	if by.Kind == types.Int64 || by.Kind == types.Float64 {
		if key.Expr, err = b.convert(key.operand, by); err != nil {
			return nil, err
		}
	}
	op := "+"
	if (bound.Kind == ast.OffsetPreceding) != key.descending {
		op = "-"
	}
	e, err := b.named(op, offset.near(), key.operand, offset.with(n))
	if err != nil {
		return nil, err
	}
	if key.Expr, err = b.convert(key.operand, e.Type()); err != nil {
		return nil, err
	}
	if !key.Type().Equal(w.order[0].Type()) {
		w.order = []sortExpr{key}
	}
	return e, nil
}

// rangeOffset gives the type of the offsets that RANGE takes for an order key.
func rangeOffset(key types.Type) (types.Type, bool) {
	switch key.Kind {
	case types.Int16, types.Int32, types.Int64:
		return bigintType, true
	case types.Float32, types.Float64:
		return types.Of(types.Float64), true
	case types.Decimal:
		return bareDecimal, true
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval:
		return intervalType, true
	}
	return unknownType, false
}

// readsColumn finds a column of this or an outer level in e.
func (b *binder) readsColumn(e expr.Expr) (ast.Pos, bool) {
	at, reads := ast.NoPos, false
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok && !reads {
			reads = true
			if p, ok := b.places[c]; ok {
				at = p
			}
		}
		return !reads
	})
	return at, reads
}
