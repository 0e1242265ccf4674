package physical

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// planSetOperation plans UNION; the optimizer has rewritten INTERSECT and EXCEPT as joins.
func (c *converter) planSetOperation(n *logical.SetOperation, need columnSet) (output, error) {
	if n.Kind != logical.Union {
		return output{}, sqlerr.Internal("a set operation other than UNION has reached physical planning")
	}
	var wanted []int
	for i, id := range n.IDs {
		if need[id] || !n.All {
			wanted = append(wanted, i)
		}
	}
	u := &plan.Union{}
	var ids []logical.ColID
	for _, i := range wanted {
		ids = append(ids, n.IDs[i])
		u.Out = append(u.Out, c.field(n.IDs[i]))
	}
	for arm, in := range n.In {
		var cols []logical.ColID
		for _, i := range wanted {
			cols = append(cols, n.Arms[arm][i])
		}
		converted, err := c.convert(in, columnSet{}.with(cols...))
		if err != nil {
			return output{}, err
		}
		u.All = append(u.All, c.arrange(converted, cols))
		u.Rows += max(converted.node.Head().Rows, 0)
	}
	if n.All {
		return output{u, positions(ids)}, nil
	}
	a := &plan.Aggregate{Input: u}
	for i := range ids {
		a.Keys = append(a.Keys, i)
	}
	a.Out = u.Out
	return output{a, positions(ids)}, nil
}

func (c *converter) planUnnest(n *logical.Unnest, need columnSet) (output, error) {
	inside := intersect(need, n.Input.Columns())
	for _, f := range n.Functions {
		inside = inside.withExpr(f.Args...)
	}
	in, err := c.convert(n.Input, inside)
	if err != nil {
		return output{}, err
	}
	u := &plan.Unnest{Input: in.node, Outer: n.Outer, Ordinality: n.OrdinalityID != 0}
	u.Out = append(types.Schema(nil), in.node.Schema()...)
	at := map[logical.ColID]int{}
	for id, i := range in.at {
		at[id] = i
	}
	for _, f := range n.Functions {
		call := plan.TableCall{Function: f.Function, Name: f.Name}
		for _, a := range f.Args {
			translated, err := c.translate(in, a)
			if err != nil {
				return output{}, err
			}
			call.Args = append(call.Args, translated)
		}
		for _, id := range f.IDs {
			at[id] = len(u.Out)
			u.Out = append(u.Out, c.field(id))
			call.Columns = append(call.Columns, c.field(id))
		}
		u.Functions = append(u.Functions, call)
	}
	if n.OrdinalityID != 0 {
		at[n.OrdinalityID] = len(u.Out)
		u.Out = append(u.Out, c.field(n.OrdinalityID))
	}
	return output{u, at}, nil
}

func (c *converter) planWith(n *logical.With, need columnSet) (output, error) {
	w := &plan.With{}
	outer := c.labels
	c.labels = map[int][]logical.ColID{}
	for name, ids := range outer {
		c.labels[name] = ids
	}
	defer func() { c.labels = outer }()
	for _, d := range n.Definitions {
		ids := d.Input.Columns()
		in, err := c.convert(d.Input, columnSet{}.with(ids...))
		if err != nil {
			return output{}, err
		}
		w.Definitions = append(w.Definitions, plan.Definition{Name: d.Name, Plan: c.arrange(in, ids)})
		c.labels[d.Name] = ids
	}
	body, err := c.convert(n.Body, need)
	if err != nil {
		return output{}, err
	}
	w.Body, w.Out = body.node, body.node.Schema()
	return output{w, body.at}, nil
}

func (c *converter) planCTERef(n *logical.CTERef) (output, error) {
	ids, ok := c.labels[n.Name]
	if !ok {
		return output{}, sqlerr.Internal("common table expression %d is not in scope", n.Name)
	}
	s := &plan.Shared{Name: n.Name}
	at := map[logical.ColID]int{}
	for i, id := range ids {
		s.Out = append(s.Out, c.field(id))
		for k, source := range n.Source {
			if source == id {
				at[n.IDs[k]] = i
			}
		}
	}
	return output{s, at}, nil
}

func (c *converter) planRecursive(n *logical.Recursive) (output, error) {
	if c.labels == nil {
		c.labels = map[int][]logical.ColID{}
	}
	base, err := c.convert(n.Base, columnSet{}.with(n.BaseIDs...))
	if err != nil {
		return output{}, err
	}
	c.labels[n.Name] = n.IDs
	step, err := c.convert(n.Step, columnSet{}.with(n.StepIDs...))
	if err != nil {
		return output{}, err
	}
	r := &plan.Recursive{Name: n.Name, Base: c.arrange(base, n.BaseIDs), Step: c.arrange(step, n.StepIDs), Distinct: n.Distinct}
	for _, id := range n.IDs {
		r.Out = append(r.Out, c.field(id))
	}
	return output{r, positions(n.IDs)}, nil
}

func (c *converter) planWrite(n *logical.Write) (output, error) {
	in, err := c.convert(n.Input, columnSet{}.with(n.Source...))
	if err != nil {
		return output{}, err
	}
	w := &plan.Write{Input: c.exactly(in, n.Source), Target: n.Target}
	w.Out = types.Schema{c.field(n.RowsID), c.field(n.PayloadID)}
	return output{w, map[logical.ColID]int{n.RowsID: 0, n.PayloadID: 1}}, nil
}

// exactly is arrange for lists in which a column may occur twice.
func (c *converter) exactly(in output, ids []logical.ColID) plan.Node {
	seen := columnSet{}
	for _, id := range ids {
		if seen[id] {
			project := &plan.Project{Input: in.node}
			for _, id := range ids {
				info := c.columns.Info(id)
				project.Exprs = append(project.Exprs, &expr.Column{ID: expr.ColumnID(in.at[id]), Name: info.Name, T: info.Type})
				project.Out = append(project.Out, c.field(id))
			}
			return project
		}
		seen[id] = true
	}
	return c.arrange(in, ids)
}
