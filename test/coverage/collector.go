// Package coverage finds out which functions and operators a set of statements exercises.
package coverage

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
)

// Collector remembers what it has seen; several goroutines may use it at once.
type Collector struct {
	mu        sync.Mutex
	overloads map[uint32]bool
	kinds     map[string]bool // of nodes; joins also as "HashJoin Semi Join"
}

// New gives an empty Collector.
func New() *Collector {
	return &Collector{overloads: map[uint32]bool{}, kinds: map[string]bool{}}
}

// Expression notes the functions that e calls.
func (c *Collector) Expression(e expr.Expr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expression(e)
}

func (c *Collector) expression(e expr.Expr) {
	expr.Walk(e, func(x expr.Expr) bool {
		if call, ok := x.(*expr.Call); ok {
			c.overloads[call.Function] = true
		}
		return true
	})
}

// Plan notes the operators and functions of a plan.
func (c *Collector) Plan(root plan.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range plan.Nodes(root) {
		c.node(n)
	}
}

func (c *Collector) node(n plan.Node) {
	c.kinds[plan.Kind(n)] = true
	switch n := n.(type) {
	case *plan.Scan:
		c.expression(n.Filter)
	case *plan.Filter:
		c.expression(n.Predicate)
	case *plan.Project:
		for _, e := range n.Exprs {
			c.expression(e)
		}
	case *plan.Values:
		for _, row := range n.Rows {
			for _, e := range row {
				c.expression(e)
			}
		}
	case *plan.HashJoin:
		c.kinds["HashJoin "+n.Kind.Title()] = true
		c.expression(n.Residual)
	case *plan.NestedLoopJoin:
		c.kinds["NestedLoopJoin "+n.Kind.Title()] = true
		c.expression(n.Condition)
	case *plan.Aggregate:
		for _, call := range n.Calls {
			c.overloads[call.Function] = true
		}
	case *plan.Window:
		for _, call := range n.Functions {
			c.overloads[call.Function] = true
		}
	case *plan.Unnest:
		for _, f := range n.Functions {
			c.overloads[f.Function] = true
			for _, e := range f.Args {
				c.expression(e)
			}
		}
	}
}

// Missing lists what was not seen: overloads of the registry by their signature, kinds of nodes, and
// kinds of hash joins. Those named in except are left out; the rest of except is listed too, because
// it need not be there any more.
func (c *Collector) Missing(registry *fn.Registry, except map[string]string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	excused := map[string]bool{}
	var out []string
	note := func(what string, seen bool) {
		_, exempt := except[what]
		switch {
		case !seen && exempt:
			excused[what] = true
		case !seen:
			out = append(out, what)
		}
	}
	for _, o := range registry.All() {
		note("function "+Signature(&o), c.overloads[o.ID])
	}
	for _, kind := range plan.NodeKinds() {
		note("operator "+kind, c.kinds[kind])
	}
	for kind := plan.Inner; kind <= plan.RightAnti; kind++ {
		note("operator HashJoin "+kind.Title(), c.kinds["HashJoin "+kind.Title()])
	}
	for what := range except {
		if !excused[what] {
			out = append(out, what+", although it is an exception")
		}
	}
	slices.Sort(out)
	return out
}

// Signature words an overload: its name and parameters.
func Signature(o *fn.Overload) string {
	params := make([]string, len(o.Params))
	for i, p := range o.Params {
		params[i] = p.Type.String()
		if p.Family != fn.Exact {
			params[i] = [...]string{fn.Any: "any", fn.Element: "element", fn.ArrayOf: "array", fn.Common: "common",
				fn.Numeric: "numeric", fn.Function: "function", fn.AnyMap: "map"}[p.Family]
		}
	}
	out := fmt.Sprintf("%s(%s)", o.Name, strings.Join(params, ", "))
	if o.Variadic {
		out = strings.TrimSuffix(out, ")") + ", …)"
	}
	return out
}
