package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// function binds a call of any kind.
func (b *binder) function(sc *scope, e *ast.FuncCall) (expr.Expr, error) {
	name, err := b.functionName(e)
	if err != nil {
		return nil, err
	}
	if out, err := b.macro(sc, name, e); out != nil || err != nil {
		return out, err
	}
	args, order, err := b.arguments(sc, e)
	if err != nil {
		return nil, err
	}
	if e.Overflow != nil && e.Overflow.Truncate {
		return nil, b.fail(e.Overflow.Pos, sqlerr.FeatureNotSupported, "ON OVERFLOW TRUNCATE is not supported").
			WithHint("A text may be as long as memory allows, so that nothing overflows.")
	}
	overloads := b.env.Registry.ByName(name)
	if e.Star && !takesNothing(overloads) {
		return nil, b.noFunction(name, args, e.Pos, none)
	}
	c, why := b.choose(overloads, args)
	if c == nil {
		return b.noOverload(name, args, e, why)
	}
	switch c.overload.Impl.(type) {
	case fn.Aggregate, *fn.Aggregate:
		if len(args) == 0 && !e.Star {
			return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", name)
		}
		if e.Over != nil {
			return b.windowCall(sc, e, c, args, true)
		}
		return b.aggregateCall(sc, e, c, args, order)
	case fn.Window, *fn.Window:
		if e.Over == nil {
			return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "window function %s requires an OVER clause", name)
		}
		return b.windowCall(sc, e, c, args, false)
	}
	if err := b.checkPlainCall(name, e); err != nil {
		return nil, err
	}
	if isTable(c.overload) {
		return b.setReturning(sc, e, c, args)
	}
	return b.call(c, args, e.Pos)
}

// noOverload ends the search: a type's name used as a function is a cast.
func (b *binder) noOverload(name string, args []argument, e *ast.FuncCall, why outcome) (expr.Expr, error) {
	if len(args) == 1 && args[0].lambda == nil && why == none && !e.Distinct && e.Over == nil {
		if kind, ok := typeKind(name); ok && castRule(args[0].Type(), types.Of(kind)) >= explicitOnly {
			to, err := withModifiers(kind, &ast.TypeName{Name: name})
			if err != nil {
				return nil, b.locate(err, e.Pos)
			}
			return b.castTo(args[0].operand, to, false, e.Pos)
		}
	}
	switch {
	case hypothetical(name) && len(args) > 0 && !e.WithinGroup:
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", name)
	case len(e.Name.Parts) > 1:
		name = strings.Join(e.Name.Parts, ".")
	case e.Special:
		name = "pg_catalog." + name
	}
	return nil, b.noFunction(name, args, e.Pos, why)
}

// hypothetical lists the window functions that PostgreSQL also has as hypothetical-set aggregates.
func hypothetical(name string) bool {
	switch name {
	case "rank", "dense_rank", "percent_rank", "cume_dist":
		return true
	}
	return false
}

func takesNothing(overloads []*fn.Overload) bool {
	for _, o := range overloads {
		if len(o.Params) == 0 && isAggregate(o) {
			return true
		}
	}
	return false
}

func isAggregate(o *fn.Overload) bool {
	switch o.Impl.(type) {
	case fn.Aggregate, *fn.Aggregate:
		return true
	}
	return false
}

func isTable(o *fn.Overload) bool {
	switch o.Impl.(type) {
	case fn.Table, *fn.Table:
		return true
	}
	return false
}

// functionName drops the qualifiers that name the built-in schemas.
func (b *binder) functionName(e *ast.FuncCall) (string, error) {
	parts := e.Name.Parts
	switch {
	case len(parts) == 1, len(parts) == 2 && (parts[0] == "pg_catalog" || parts[0] == "information_schema"):
		return e.Name.Last(), nil
	case len(parts) == 0:
		return "", b.fail(e.Pos, sqlerr.SyntaxError, "a function name is missing")
	case !b.knownSchema(parts[len(parts)-2]):
		return "", b.fail(e.Pos, sqlerr.InvalidSchemaName, "schema %q does not exist", parts[len(parts)-2])
	}
	return strings.Join(parts, "."), nil
}

// knownSchema tells whether a schema of the search path could hold a function.
func (b *binder) knownSchema(name string) bool {
	if b.env.Session != nil {
		for _, s := range b.env.Session.SearchPath {
			if s == name {
				return true
			}
		}
	}
	return name == "public"
}

// macro expands the calls that are not functions: TRY, IF and latest_partition.
func (b *binder) macro(sc *scope, name string, e *ast.FuncCall) (expr.Expr, error) {
	switch {
	case name == "try" && len(e.Args) == 1:
		x, err := b.typed(sc, e.Args[0])
		if err != nil {
			return nil, err
		}
		return &expr.Try{Arg: x}, nil
	case name == "pg_typeof" && len(e.Args) == 1:
		return typeOf(e), nil
	case name == "if" && (len(e.Args) == 2 || len(e.Args) == 3):
		c := &ast.Case{Pos: e.Pos, Whens: []ast.When{{Pos: e.Pos, Cond: e.Args[0], Result: e.Args[1]}}}
		if len(e.Args) == 3 {
			c.Else = e.Args[2]
		}
		return b.caseExpr(sc, c)
	case name == "latest_partition" && len(e.Args) == 1:
		if partitions, ok := b.env.Catalog.(Partitions); ok {
			return b.latestPartition(sc, partitions, e)
		}
	}
	return nil, nil
}

// unknownOID is PostgreSQL's number of the type of an untyped literal.
const unknownOID = 705

// typeOf answers pg_typeof for an untyped literal, which any function would be handed as text; nil for
// all others.
func typeOf(e *ast.FuncCall) expr.Expr {
	lit, ok := e.Args[0].(*ast.Literal)
	if !ok || lit.Kind != ast.LitNull && lit.Kind != ast.LitString {
		return nil
	}
	return &expr.Literal{Value: types.IntDatum(unknownOID), T: types.Of(types.RegType)}
}

// arguments binds a call's arguments and its ORDER BY; that of WITHIN GROUP follows the arguments.
func (b *binder) arguments(sc *scope, e *ast.FuncCall) ([]argument, []sortExpr, error) {
	var args []argument
	for _, a := range e.Args {
		arg := argument{scope: sc}
		if n, ok := a.(*ast.NamedArg); ok {
			arg.name, a = n.Name, n.Value
		}
		if l, ok := a.(*ast.Lambda); ok {
			arg.lambda = l
			args = append(args, arg)
			continue
		}
		var err error
		if star, ok := a.(*ast.Star); ok && len(star.Qualifier) > 0 {
			arg.operand, err = b.starArgument(sc, star)
		} else {
			arg.operand, err = b.operand(sc, a)
		}
		if err != nil {
			return nil, nil, err
		}
		args = append(args, arg)
	}
	order, err := b.sortExprs(sc, e.OrderBy)
	if err != nil {
		return nil, nil, err
	}
	if e.WithinGroup && e.Name.Last() != "listagg" {
		for _, o := range order {
			args = append(args, argument{operand: o.operand, scope: sc})
		}
	}
	if e.Variadic {
		args, err = b.spread(args, e)
	}
	return args, order, err
}

// spread takes VARIADIC ARRAY[…] apart.
func (b *binder) spread(args []argument, e *ast.FuncCall) ([]argument, error) {
	last := args[len(args)-1]
	items := b.elementsOf(last.operand)
	if items == nil {
		return nil, b.fail(last.place(), sqlerr.FeatureNotSupported, "VARIADIC needs an array that is written out or constant")
	}
	args = args[:len(args)-1]
	for _, item := range items {
		args = append(args, argument{operand: item})
	}
	return args, nil
}

// starArgument is t.* as an argument: the whole row.
func (b *binder) starArgument(sc *scope, star *ast.Star) (operand, error) {
	schema, name := "", star.Qualifier[len(star.Qualifier)-1]
	if len(star.Qualifier) > 1 {
		schema = star.Qualifier[len(star.Qualifier)-2]
	}
	r, err := b.findRelation(sc, schema, name, star.Pos)
	if err != nil {
		return operand{}, err
	}
	if r == nil {
		return operand{}, b.missingRelation(sc, name, star.Pos)
	}
	e, err := b.wholeRow(r, star.Pos)
	return operandAt(e, star.Pos), err
}

// checkPlainCall refuses the decorations that only aggregates and window functions take.
func (b *binder) checkPlainCall(name string, e *ast.FuncCall) error {
	what := ""
	switch {
	case e.Star:
		return b.fail(e.Pos, sqlerr.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name)
	case e.Distinct:
		what = "DISTINCT"
	case e.WithinGroup:
		what = "WITHIN GROUP"
	case len(e.OrderBy) > 0:
		what = "ORDER BY"
	case e.Filter != nil:
		what = "FILTER"
	case e.Over != nil:
		return b.fail(e.Pos, sqlerr.WrongObjectType,
			"OVER specified, but %s is not a window function nor an aggregate function", name)
	default:
		return nil
	}
	return b.fail(e.Pos, sqlerr.WrongObjectType, "%s specified, but %s is not an aggregate function", what, name)
}

// sortExprs binds ORDER BY where names are input columns only.
func (b *binder) sortExprs(sc *scope, items []ast.SortItem) ([]sortExpr, error) {
	out := make([]sortExpr, len(items))
	for i, item := range items {
		x, err := b.operand(sc, item.Expr)
		if err != nil {
			return nil, err
		}
		if x.Expr, err = b.resolveUnknown(x); err != nil {
			return nil, err
		}
		if out[i], err = b.sortKey(x, item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sortKey completes a key with its direction.
func (b *binder) sortKey(x operand, item ast.SortItem) (sortExpr, error) {
	key := sortExpr{operand: x, descending: item.Desc}
	if item.Using != nil {
		switch item.Using.Name {
		case "<", "<=":
		case ">", ">=":
			key.descending = true
		default:
			return key, b.fail(item.Pos, sqlerr.WrongObjectType, "operator %s is not a valid ordering operator", item.Using.Name).
				WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
		}
	}
	key.nullsFirst = key.descending
	if item.Nulls != ast.NullsDefault {
		key.nullsFirst = item.Nulls == ast.NullsFirst
	}
	return key, b.checkOrdered(x)
}

// checkOrdered refuses types without an order.
func (b *binder) checkOrdered(x operand) error {
	t := x.Type()
	for t.Kind == types.Array {
		t = *t.Elem
	}
	if t.Kind == types.JSON || t.Kind == types.Map {
		return b.fail(x.place(), sqlerr.UndefinedFunction, "could not identify an ordering operator for type %s", x.Type().Base()).
			WithHint("Use an explicit ordering operator or modify the query.")
	}
	return nil
}
