package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/planner/logical"
)

// inlineCTEs puts a common table expression in the place of its only reference, drops those without
// any, and copies those that the user marked NOT MATERIALIZED. The others are computed once.
func inlineCTEs(c *Context) error {
	root, err := c.inline(c.Plan.Root)
	c.Plan.Root = root
	return err
}

func (c *Context) inline(n logical.Node) (logical.Node, error) {
	with, ok := n.(*logical.With)
	if !ok {
		return c.inlineBelow(n)
	}
	definitions := append([]logical.Definition(nil), with.Definitions...)
	body := with.Body
	var kept []logical.Definition
	for i := range definitions {
		if err := c.goOn(); err != nil {
			return nil, err
		}
		d := definitions[i]
		uses := countRefs(body, d.Name)
		for _, later := range definitions[i+1:] {
			uses += countRefs(later.Input, d.Name)
		}
		mustStay := d.Materialize != nil && *d.Materialize
		mustGo := d.Materialize != nil && !*d.Materialize
		if mustStay && uses > 0 || uses > 1 && !mustGo || uses == 1 && c.anyVolatile(d.Input) {
			kept = append(kept, d)
			continue
		}
		first := true
		expand := func(ref *logical.CTERef) logical.Node {
			if c.goOn() != nil {
				return ref // the plan is given up below
			}
			out := c.expandRef(ref, d.Input, !first)
			first = false
			return out
		}
		body = replaceRefs(body, d.Name, expand)
		for k := i + 1; k < len(definitions); k++ {
			definitions[k].Input = replaceRefs(definitions[k].Input, d.Name, expand)
		}
	}
	if err := c.goOn(); err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return c.inline(body)
	}
	out := &logical.With{Definitions: kept}
	for i := range out.Definitions {
		in, err := c.inline(out.Definitions[i].Input)
		if err != nil {
			return nil, err
		}
		out.Definitions[i].Input = in
	}
	var err error
	out.Body, err = c.inline(body)
	return out, err
}

// goOn fails when the statement is cancelled or the plan has grown too large.
func (c *Context) goOn() error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	return c.Plan.Columns.Check()
}

func (c *Context) inlineBelow(n logical.Node) (logical.Node, error) {
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n, nil
	}
	out := make([]logical.Node, len(inputs))
	changed := false
	for i, in := range inputs {
		var err error
		if out[i], err = c.inline(in); err != nil {
			return nil, err
		}
		changed = changed || out[i] != in
	}
	if !changed {
		return n, nil
	}
	return n.WithInputs(out), nil
}

func countRefs(n logical.Node, name int) int {
	count := 0
	if ref, ok := n.(*logical.CTERef); ok && ref.Name == name {
		count++
	}
	weight := 1
	if _, recursive := n.(*logical.Recursive); recursive {
		weight = 2 // what a step refers to is read in every round
	}
	for _, in := range n.Inputs() {
		count += weight * countRefs(in, name)
	}
	return count
}

func replaceRefs(n logical.Node, name int, expand func(*logical.CTERef) logical.Node) logical.Node {
	if ref, ok := n.(*logical.CTERef); ok && ref.Name == name {
		return expand(ref)
	}
	inputs := n.Inputs()
	var changed []logical.Node
	for i, in := range inputs {
		out := replaceRefs(in, name, expand)
		if out != in && changed == nil {
			changed = append(make([]logical.Node, 0, len(inputs)), inputs[:i]...)
		}
		if changed != nil {
			changed = append(changed, out)
		}
	}
	if changed == nil {
		return n
	}
	return n.WithInputs(changed)
}

func (c *Context) expandRef(ref *logical.CTERef, definition logical.Node, fresh bool) logical.Node {
	source := map[logical.ColID]logical.ColID{}
	for _, id := range ref.Source {
		source[id] = id
	}
	if fresh {
		definition, source = c.copy(definition)
	}
	p := &logical.Project{Input: definition}
	for i, id := range ref.IDs {
		p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(source[ref.Source[i]])})
	}
	return p
}

func (c *Context) anyVolatile(n logical.Node) bool {
	found := false
	mapNodeExprs(n, func(e expr.Expr) expr.Expr {
		if e != nil && c.volatile(e) {
			found = true
		}
		return e
	})
	for _, in := range n.Inputs() {
		found = found || c.anyVolatile(in)
	}
	return found
}
