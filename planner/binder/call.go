package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// call makes the call of a chosen overload: arguments cast and in the parameters' order, defaults
// filled in, the result typed.
func (b *binder) call(c *candidate, args []argument, at ast.Pos) (*expr.Call, error) {
	converted, err := b.convertArguments(c, args)
	if err != nil {
		return nil, err
	}
	converted = arrange(c, converted)
	t, err := resultType(c.overload, converted)
	if err != nil {
		return nil, b.locate(err, at)
	}
	return &expr.Call{Function: c.overload.ID, Name: c.overload.Name, Args: converted, T: t, Position: b.position(at)}, nil
}

// resultType asks the overload for the type that a call with these arguments has.
func resultType(o *fn.Overload, args []expr.Expr) (types.Type, error) {
	if o.Result == nil && o.ResultOf == nil {
		return o.ResultType, nil
	}
	argTypes, constants := make([]types.Type, len(args)), make([]*types.Datum, len(args))
	for i, a := range args {
		argTypes[i] = a.Type()
		if l, ok := a.(*expr.Literal); ok {
			constants[i] = &l.Value
		}
	}
	if o.ResultOf != nil {
		return o.ResultOf(argTypes, constants)
	}
	return o.Result(argTypes)
}

func (b *binder) convertArguments(c *candidate, args []argument) ([]expr.Expr, error) {
	poly, _ := b.polymorphicTypes(c, args)
	out := make([]expr.Expr, len(args))
	var err error
	for i, a := range args {
		if a.lambda != nil {
			continue
		}
		out[i] = a.Expr
		if to, cast := c.target(i, a.operand, poly.element, poly.common); cast {
			if out[i], err = b.convert(a.operand, to); err != nil {
				return nil, err
			}
		}
	}
	for i, a := range args {
		if a.lambda == nil {
			continue
		}
		if out[i], err = b.lambda(a.scope, a.lambda, lambdaParameters(c.overload.Name, out, i, len(a.lambda.Params))); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arrange puts named arguments in the parameters' places and fills in defaults.
func arrange(c *candidate, args []expr.Expr) []expr.Expr {
	o := c.overload
	if o.Variadic || len(args) == len(o.Params) && inOrder(c.place) {
		return args
	}
	out := make([]expr.Expr, len(o.Params))
	for i, at := range c.place {
		out[at] = args[i]
	}
	for i, p := range o.Params {
		if out[i] == nil {
			out[i] = &expr.Literal{Value: *p.Default, T: p.Type}
		}
	}
	return out
}

func inOrder(places []int) bool {
	for i, at := range places {
		if i != at {
			return false
		}
	}
	return true
}

// lambdaParameters gives the types of a lambda's parameters: the elements of the collections that
// stand before it among the arguments, a map giving key and value; the last repeats. reduce's take
// the state first.
func lambdaParameters(function string, args []expr.Expr, at, n int) []types.Type {
	var known []types.Type
	if function == "reduce" && at >= 2 && args[1] != nil {
		known = append(known, args[1].Type())
	}
	for _, a := range args[:at] {
		if a == nil {
			continue
		}
		switch t := a.Type(); t.Kind {
		case types.Array:
			known = append(known, *t.Elem)
		case types.Map:
			known = append(known, *t.Key, *t.Elem)
		}
	}
	out := make([]types.Type, n)
	for i := range out {
		switch {
		case i < len(known):
			out[i] = known[i]
		case len(known) > 0:
			out[i] = known[len(known)-1]
		default:
			out[i] = textType
		}
	}
	return out
}

// lambdaFrame holds the parameters of a lambda whose body is being bound.
type lambdaFrame struct {
	names []string
	ids   []logical.ColID
	types []types.Type
}

func (b *binder) lambda(sc *scope, l *ast.Lambda, params []types.Type) (expr.Expr, error) {
	frame := &lambdaFrame{types: params}
	for i, p := range l.Params {
		frame.names = append(frame.names, p.Name)
		frame.ids = append(frame.ids, b.column(p.Name, params[i], true))
	}
	sc.lambdas = append(sc.lambdas, frame)
	body, err := b.expr(sc, l.Body)
	sc.lambdas = sc.lambdas[:len(sc.lambdas)-1]
	if err != nil {
		return nil, err
	}
	if body, err = b.resolveUnknown(operandAt(body, l.Body.Offset())); err != nil {
		return nil, err
	}
	if len(frame.ids) == 0 {
		return &expr.Lambda{Body: body}, nil
	}
	return &expr.Lambda{FirstParam: frame.ids[0], Params: params, Body: body}, nil
}

// named calls an overload that the binder itself asks for, such as array_agg for ARRAY(query).
func (b *binder) named(name string, at ast.Pos, args ...operand) (*expr.Call, error) {
	list := make([]argument, len(args))
	for i, a := range args {
		list[i].operand = a
	}
	c, why := b.choose(b.env.Registry.ByName(name), list)
	if c == nil {
		return nil, b.noFunction("pg_catalog."+name, list, at, why)
	}
	return b.call(c, list, at)
}

// namedOf is named with the result type given, for overloads that cannot know it.
func (b *binder) namedOf(name string, t types.Type, at ast.Pos, args ...expr.Expr) (expr.Expr, error) {
	overloads := b.env.Registry.ByName(name)
	if len(overloads) == 0 {
		return nil, b.fail(at, sqlerr.UndefinedFunction, "function %s does not exist", name)
	}
	o := overloads[0]
	for _, other := range overloads {
		if len(other.Params) > 0 && len(args) > 0 && other.Params[0].Family == fn.Exact &&
			sameKind(other.Params[0].Type, args[0].Type()) {
			o = other
		}
	}
	return &expr.Call{Function: o.ID, Name: o.Name, Args: args, T: t, Position: b.position(at)}, nil
}

func (b *binder) noFunction(name string, args []argument, at ast.Pos, why outcome) error {
	bare := strings.TrimPrefix(name, "pg_catalog.")
	text := name + "("
	for i, a := range args {
		if i > 0 {
			text += ", "
		}
		if a.name != "" {
			text += a.name + " => "
		}
		if a.lambda != nil {
			text += "function"
			continue
		}
		text += a.Type().Base()
	}
	text += ")"
	if why == ambiguous {
		return b.fail(at, sqlerr.AmbiguousFunction, "function %s is not unique", text).
			WithHint("Could not choose a best candidate function. You might need to add explicit type casts.")
	}
	err := b.fail(at, sqlerr.UndefinedFunction, "function %s does not exist", text)
	if near := nearest(bare, b.env.Registry.Names()); near != "" && len(b.env.Registry.ByName(bare)) == 0 {
		return err.WithHint("Perhaps you meant the function %q.", near)
	}
	return err.WithHint("No function matches the given name and argument types. You might need to add explicit type casts.")
}
