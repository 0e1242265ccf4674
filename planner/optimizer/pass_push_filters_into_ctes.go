package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/planner/logical"
)

// pushFiltersIntoCTEs restricts a definition that is computed once to the rows that some reader keeps:
// the OR of the filters that stand on its references, if one stands on each. The readers keep theirs.
// A definition that the user wants MATERIALIZED stays as it is written.
func pushFiltersIntoCTEs(c *Context) error {
	c.Plan.Root = c.restrict(c.Plan.Root)
	return nil
}

// restrict handles the definitions in n, the last one first: what is pushed into it stands on its own
// references to earlier ones.
func (c *Context) restrict(n logical.Node) logical.Node {
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	out := append([]logical.Node(nil), inputs...)
	with, isWith := n.(*logical.With)
	for i := len(out) - 1; i >= 0; i-- {
		if isWith && i < len(with.Definitions) {
			out[i] = c.restrictDefinition(with.Definitions[i], out[i], out[i+1:])
		}
		out[i] = c.restrict(out[i])
	}
	for i := range out {
		if out[i] != inputs[i] {
			return n.WithInputs(out)
		}
	}
	return n
}

func (c *Context) restrictDefinition(d logical.Definition, input logical.Node, readers []logical.Node) logical.Node {
	if d.Materialize != nil && *d.Materialize {
		return input
	}
	var arms []expr.Expr
	all := true
	for _, reader := range readers {
		all = all && c.readerFilters(reader, nil, d.Name, &arms)
	}
	if !all || len(arms) == 0 {
		return input
	}
	predicate := expr.Rewrite(arms[0], c.simplify)
	if len(arms) > 1 {
		predicate = expr.Rewrite(&expr.Or{Args: arms}, c.simplify)
	}
	if isTrue(predicate) {
		return input
	}
	return c.push(input, expr.Conjuncts(predicate))
}

// readerFilters collects what the references to a definition keep, over the definition's own columns;
// false when one of them keeps everything. above are the conjuncts that stand directly on n.
func (c *Context) readerFilters(n logical.Node, above []expr.Expr, name int, arms *[]expr.Expr) bool {
	switch n := n.(type) {
	case *logical.CTERef:
		if n.Name != name {
			return true
		}
		source := map[logical.ColID]expr.Expr{}
		for i, id := range n.IDs {
			source[id] = c.Plan.Columns.Ref(n.Source[i])
		}
		var kept []expr.Expr
		for _, p := range above {
			if cols := columnsOf(p); len(cols) > 0 && subset(cols, idSet(n.IDs)) && !c.volatile(p) {
				kept = append(kept, substitute(p, source))
			}
		}
		if len(kept) == 0 {
			return false
		}
		*arms = append(*arms, expr.Conjoin(kept))
		return true
	case *logical.Filter:
		return c.readerFilters(n.Input, append(expr.Conjuncts(n.Predicate), above...), name, arms)
	}
	for _, in := range n.Inputs() {
		if !c.readerFilters(in, nil, name, arms) {
			return false
		}
	}
	return true
}
