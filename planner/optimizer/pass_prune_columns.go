package optimizer

import (
	"slices"

	"github.com/tarnlake/tarn/planner/logical"
)

// pruneColumns drops columns, projections, aggregates and window functions that nobody reads.
func pruneColumns(c *Context) error {
	need := idsSet{}
	for _, o := range c.Plan.Output {
		need[o.ID] = true
	}
	p := &pruner{c: c, definitions: map[int]idsSet{}}
	c.Plan.Root = p.prune(c.Plan.Root, need)
	return nil
}

type pruner struct {
	c *Context
	// definitions collects what the references read of each definition.
	definitions map[int]idsSet
}

// prune gives n with at least the columns need.
func (p *pruner) prune(n logical.Node, need idsSet) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		return p.pruneScan(n, need)
	case *logical.Project:
		out := &logical.Project{}
		for _, e := range n.Exprs {
			if need[e.ID] {
				out.Exprs = append(out.Exprs, e)
			}
		}
		out.Input = p.prune(n.Input, reads(out))
		return out
	case *logical.Aggregate:
		out := *n
		out.Calls = nil
		for _, call := range n.Calls {
			if slices.ContainsFunc(call.Gives(n.Phase), func(id logical.ColID) bool { return need[id] }) {
				out.Calls = append(out.Calls, call)
			}
		}
		out.Input = p.prune(n.Input, reads(&out))
		return &out
	case *logical.Window:
		out := *n
		out.Calls = nil
		for _, call := range n.Calls {
			if need[call.ID] {
				out.Calls = append(out.Calls, call)
			}
		}
		if len(out.Calls) == 0 {
			return p.prune(n.Input, need)
		}
		out.Input = p.prune(n.Input, union(need, reads(&out)))
		return &out
	case *logical.SetOperation:
		return p.pruneSet(n, need)
	case *logical.With:
		return p.pruneWith(n, need)
	case *logical.CTERef:
		return p.pruneRef(n, need)
	case *logical.Recursive:
		return p.pruneRecursive(n)
	}
	below := union(need, reads(n))
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	out := make([]logical.Node, len(inputs))
	for i, in := range inputs {
		out[i] = p.prune(in, below)
	}
	return n.WithInputs(out)
}

// reads gives the columns that n itself reads from its inputs.
func reads(n logical.Node) idsSet {
	out := idsSet{}
	eachColumn(n, func(id logical.ColID) { out[id] = true })
	return out
}

func (p *pruner) pruneScan(n *logical.Scan, need idsSet) logical.Node {
	need = union(need, columnsOf(n.Filter))
	out := *n
	out.IDs, out.Ordinals = nil, nil
	for i, id := range n.IDs {
		if need[id] {
			out.IDs, out.Ordinals = append(out.IDs, id), append(out.Ordinals, n.Ordinals[i])
		}
	}
	if len(out.IDs) == len(n.IDs) {
		return n
	}
	return &out
}

func (p *pruner) pruneSet(n *logical.SetOperation, need idsSet) logical.Node {
	out := *n
	if n.All && n.Kind == logical.Union {
		out.IDs, out.Arms = nil, make([][]logical.ColID, len(n.Arms))
		for i, id := range n.IDs {
			if !need[id] {
				continue
			}
			out.IDs = append(out.IDs, id)
			for arm := range n.Arms {
				out.Arms[arm] = append(out.Arms[arm], n.Arms[arm][i])
			}
		}
	}
	out.In = make([]logical.Node, len(n.In))
	for arm, in := range n.In {
		out.In[arm] = p.prune(in, idSet(out.Arms[arm]))
	}
	return &out
}

// pruneWith visits the body first: only then is known what the definitions must give, and which of
// them nobody reads any more.
func (p *pruner) pruneWith(n *logical.With, need idsSet) logical.Node {
	body := p.prune(n.Body, need)
	var kept []logical.Definition
	for _, d := range slices.Backward(n.Definitions) {
		wanted, read := p.definitions[d.Name]
		if !read {
			continue
		}
		d.Input = p.prune(d.Input, wanted)
		if have := d.Input.Columns(); len(have) > len(wanted) {
			var ids []logical.ColID
			for _, id := range have {
				if wanted[id] {
					ids = append(ids, id)
				}
			}
			d.Input = p.c.keep(d.Input, ids)
		}
		kept = append(kept, d)
	}
	if len(kept) == 0 {
		return body
	}
	slices.Reverse(kept)
	return &logical.With{Definitions: kept, Body: body}
}

func (p *pruner) pruneRef(n *logical.CTERef, need idsSet) logical.Node {
	out := &logical.CTERef{Name: n.Name}
	if p.definitions[n.Name] == nil {
		p.definitions[n.Name] = idsSet{}
	}
	for i, id := range n.IDs {
		if need[id] {
			out.IDs, out.Source = append(out.IDs, id), append(out.Source, n.Source[i])
			p.definitions[n.Name][n.Source[i]] = true
		}
	}
	return out
}

func (p *pruner) pruneRecursive(n *logical.Recursive) logical.Node {
	out := *n
	out.Base = p.prune(n.Base, idSet(n.BaseIDs))
	out.Step = p.prune(n.Step, idSet(n.StepIDs))
	return &out
}
