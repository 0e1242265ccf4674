package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// argument is an argument of a call before its overload is known. A lambda is bound afterwards, for
// its parameters' types follow from the other arguments; its operand is empty.
type argument struct {
	operand
	name   string // of name => value
	lambda *ast.Lambda
	scope  *scope // of the lambda
}

// lambdaType stands for a lambda among argument types.
var lambdaType = types.Of(types.Void)

func (a argument) kind() types.Type {
	if a.lambda != nil {
		return lambdaType
	}
	return a.Type()
}

// slot is a parameter as overload resolution sees it for one argument.
type slot struct {
	t           types.Type
	polymorphic bool
}

func (s slot) category() byte {
	if s.polymorphic {
		return 'P'
	}
	return category(s.t)
}

func (s slot) preferred() bool { return !s.polymorphic && preferred(s.t) }

// candidate is an overload laid over the arguments of a call.
type candidate struct {
	overload *fn.Overload
	params   []fn.Param // one an argument
	slots    []slot
	// place is the parameter's position for each argument, when arguments are named.
	place []int
	// widened marks a float operator that stands for a mixed one: see floatVariants.
	widened bool
}

// lay gives the candidate for an overload, nil if the number or names of arguments do not fit.
func lay(o *fn.Overload, args []argument) *candidate {
	required := 0
	for _, p := range o.Params {
		if p.Default == nil {
			required++
		}
	}
	if o.Variadic {
		required = len(o.Params) - 1
	}
	if len(args) < required || len(args) > len(o.Params) && !o.Variadic {
		return nil
	}
	c := &candidate{overload: o, place: make([]int, len(args))}
	taken := map[int]bool{}
	for i, a := range args {
		at := min(i, len(o.Params)-1)
		if a.name != "" {
			if at = paramNamed(o, a.name); at < 0 || taken[at] {
				return nil
			}
		}
		taken[at] = true
		c.place[i] = at
		c.params = append(c.params, o.Params[at])
		c.slots = append(c.slots, slotOf(o.Params[at]))
	}
	for i, p := range o.Params {
		if p.Default == nil && !taken[i] && !(o.Variadic && i == len(o.Params)-1) {
			return nil
		}
	}
	return c
}

func paramNamed(o *fn.Overload, name string) int {
	for i, p := range o.Params {
		if p.Name == name {
			return i
		}
	}
	return -1
}

func slotOf(p fn.Param) slot {
	switch p.Family {
	case fn.Exact:
		return slot{t: p.Type}
	case fn.Numeric:
		return slot{t: bareDecimal}
	case fn.Function:
		return slot{t: lambdaType}
	}
	return slot{polymorphic: true}
}

// matches tells whether every argument can be coerced implicitly.
func (b *binder) matches(c *candidate, args []argument) bool {
	for i, s := range c.slots {
		switch {
		case i >= len(c.params): // a comparison's slots have no parameters
			if castRule(args[i].Type(), s.t) != implicit {
				return false
			}
		case (args[i].lambda != nil) != (c.params[i].Family == fn.Function):
			return false
		case args[i].lambda != nil || s.polymorphic:
		case castRule(args[i].Type(), s.t) != implicit:
			return false
		}
	}
	_, ok := b.polymorphicTypes(c, args)
	return ok
}

// polymorphicTypes gives the element type of Element and ArrayOf arguments and the common type of
// Common ones; ok is false when there is none.
func (b *binder) polymorphicTypes(c *candidate, args []argument) (out struct{ element, common types.Type }, ok bool) {
	var elements, commons []operand
	for i, p := range c.params {
		switch p.Family {
		case fn.Element:
			elements = append(elements, args[i].operand)
		case fn.ArrayOf:
			switch t := args[i].Type(); t.Kind {
			case types.Unknown:
			case types.Array:
				elements = append(elements, args[i].operand.with(&expr.Column{T: *t.Elem}))
			default:
				return out, false
			}
		case fn.AnyMap:
			if args[i].Type().Kind != types.Map {
				return out, false
			}
		case fn.Common:
			commons = append(commons, args[i].operand)
		case fn.Any:
			if c.overload.Name == "||" && args[i].Type().Kind == types.Array {
				return out, false // PostgreSQL's anynonarray
			}
		}
	}
	out.element, out.common = textType, textType
	var err error
	if len(elements) > 0 {
		if out.element, err = b.commonType(elements, ""); err != nil {
			return out, false
		}
	}
	if len(commons) > 0 {
		if out.common, err = b.commonType(commons, ""); err != nil {
			return out, false
		}
	}
	return out, true
}

// target gives the type that argument i is cast to, and false where it stays as it comes.
func (c *candidate) target(i int, arg operand, element, common types.Type) (types.Type, bool) {
	p := c.params[i]
	switch p.Family {
	case fn.Exact:
		if p.Type.Kind == types.Decimal && p.Type.Precision == 0 {
			return decimalTarget(arg), true
		}
		if sameKind(arg.Type(), p.Type) {
			return arg.Type(), false
		}
		return p.Type, true
	case fn.Numeric:
		return decimalTarget(arg), true
	case fn.Element:
		return element, true
	case fn.ArrayOf:
		return types.ArrayOf(element), true
	case fn.Common:
		return common, true
	}
	if arg.Type().Kind == types.Unknown {
		return textType, true
	}
	return arg.Type(), false
}

func decimalTarget(arg operand) types.Type {
	if arg.Type().Kind == types.Unknown {
		return bareDecimal
	}
	return decimalOperand(arg.Expr)
}

// outcome of a search for an overload.
type outcome uint8

const (
	found outcome = iota
	none
	ambiguous
)

// choose picks the overload for a call as PostgreSQL's func_get_detail does.
func (b *binder) choose(overloads []*fn.Overload, args []argument) (*candidate, outcome) {
	var laid []*candidate
	for _, o := range overloads {
		if c := lay(o, args); c != nil {
			laid = append(laid, c)
		}
	}
	for _, c := range laid {
		if exactly(c, args) {
			return c, found
		}
	}
	laid = append(laid, floatVariants(laid)...)
	var fitting []*candidate
	for _, c := range laid {
		if b.matches(c, args) {
			fitting = append(fitting, c)
		}
	}
	if len(fitting) == 0 {
		return nil, none
	}
	if c := b.selectCandidate(fitting, args); c != nil {
		return c, found
	}
	return nil, ambiguous
}

func exactly(c *candidate, args []argument) bool {
	for i, s := range c.slots {
		if s.polymorphic || args[i].lambda == nil && !sameKind(args[i].Type(), s.t) {
			return false
		}
		if (args[i].lambda != nil) != (c.params[i].Family == fn.Function) {
			return false
		}
	}
	return true
}

// floatVariants adds what PostgreSQL has and the registry need not, for operators over two reals: the
// same over real and double precision mixed, computed in double precision.
func floatVariants(laid []*candidate) []*candidate {
	var out []*candidate
	if !hasKinds(laid, types.Float32, types.Float32) {
		return nil
	}
	for _, c := range laid {
		if !isOperatorName(c.overload.Name) || !c.hasKinds(types.Float64, types.Float64) {
			continue
		}
		for i := range 2 {
			if i == 0 && hasKinds(laid, types.Float32, types.Float64) || i == 1 && hasKinds(laid, types.Float64, types.Float32) {
				continue
			}
			mixed := *c
			mixed.widened = true
			mixed.slots = append([]slot(nil), c.slots...)
			mixed.slots[i].t = types.Of(types.Float32)
			out = append(out, &mixed)
		}
	}
	return out
}

// hasKinds tells whether an overload takes exactly these two kinds.
func hasKinds(laid []*candidate, left, right types.Kind) bool {
	for _, c := range laid {
		if c.hasKinds(left, right) {
			return true
		}
	}
	return false
}

func (c *candidate) hasKinds(left, right types.Kind) bool {
	return len(c.slots) == 2 && c.slots[0].t.Kind == left && c.slots[1].t.Kind == right
}

func isOperatorName(name string) bool {
	switch name[0] {
	case '+', '-', '*', '/', '<', '>', '=', '~', '!', '@', '#', '%', '^', '&', '|', '`', '?':
		return true
	}
	return false
}
