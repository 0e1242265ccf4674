package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
)

// decorrelate makes every dependent join an ordinary one, innermost first (Neumann, Kemper:
// "Unnesting Arbitrary Queries", 2015). Where the correlation is a set of predicates that can be
// pulled up to the join, that is all; else the right side is computed once for every distinct
// combination of the outer columns (the domain D) and joined back.
func decorrelate(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		join, ok := n.(*logical.Join)
		if !ok || !join.Dependent {
			return n, nil
		}
		return c.unnest(join)
	})
}

func (c *Context) unnest(join *logical.Join) (logical.Node, error) {
	outer := idSet(join.Left.Columns())
	correlated := idsSet{}
	for id := range free(join.Right) {
		if outer[id] {
			correlated[id] = true
		}
	}
	if len(correlated) == 0 {
		out := *join
		out.Dependent = false
		return &out, nil
	}
	if out, ok := c.pullUp(join, correlated); ok {
		return out, nil
	}
	return c.overDomain(join, correlated)
}

// overDomain is the general method: With L: L ⋈ (D ⋈ R) where D = distinct outer columns of L.
func (c *Context) overDomain(join *logical.Join, correlated idsSet) (logical.Node, error) {
	if join.Kind == plan.Right || join.Kind == plan.Full {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "a lateral reference is not supported on the right side of a %s join", "RIGHT or FULL")
	}
	name := c.freshName()
	ids := join.Left.Columns()
	input, inside := c.copy(join.Left) // the reference below keeps the columns' numbers
	definition := logical.Definition{Name: name, Label: "outer", Input: input}
	main := &logical.CTERef{Name: name, IDs: ids}
	for _, id := range ids {
		main.Source = append(main.Source, inside[id])
	}
	d := &domain{c: c, of: map[logical.ColID]logical.ColID{}}
	ref := &logical.CTERef{Name: name}
	for _, id := range ids {
		if correlated[id] {
			info := c.Plan.Columns.Info(id)
			fresh := c.Plan.Columns.Add(info.Name, info.Type, true)
			ref.IDs, ref.Source = append(ref.IDs, fresh), append(ref.Source, inside[id])
			d.outer = append(d.outer, id)
		}
	}
	d.node = &logical.Aggregate{Input: ref, Keys: ref.IDs, KeyIDs: ref.IDs}
	d.ids = ref.IDs
	right, of, err := d.push(join.Right)
	if err != nil {
		return nil, err
	}
	out := *join
	out.Dependent = false
	out.Left, out.Right = main, right
	conjuncts := expr.Conjuncts(join.Condition)
	for _, id := range d.outer {
		conjuncts = append(conjuncts, &expr.Compare{Op: expr.NotDistinct, Left: c.Plan.Columns.Ref(id), Right: c.Plan.Columns.Ref(of[id])})
	}
	out.Condition = expr.Conjoin(conjuncts)
	var body logical.Node = &out
	return &logical.With{Definitions: []logical.Definition{definition}, Body: c.sameColumns(body, join.Columns())}, nil
}

// sameColumns drops the columns that a rewriting has added.
func (c *Context) sameColumns(n logical.Node, ids []logical.ColID) logical.Node {
	have := n.Columns()
	if len(have) == len(ids) {
		return n
	}
	return c.keep(n, ids)
}

// keep projects n to the columns ids.
func (c *Context) keep(n logical.Node, ids []logical.ColID) logical.Node {
	p := &logical.Project{Input: n}
	for _, id := range ids {
		p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
	}
	return p
}

func (c *Context) freshName() int {
	highest := 0
	for n := range logical.Nodes(c.Plan.Root) {
		switch n := n.(type) {
		case *logical.With:
			for _, d := range n.Definitions {
				highest = max(highest, d.Name)
			}
		case *logical.CTERef:
			highest = max(highest, n.Name)
		case *logical.Recursive:
			highest = max(highest, n.Name)
		}
	}
	c.names = max(c.names, highest) + 1
	return c.names
}
