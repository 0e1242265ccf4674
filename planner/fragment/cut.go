package fragment

import (
	"slices"

	"github.com/tarnlake/tarn/internal/plan"
)

// Cut gives the fragments of a distributed plan; the first one gives the query's rows. The plan
// itself stays as it is. A common table expression that is read on the other side of an Exchange
// becomes a fragment of its own, with one reader for every use.
func (p *Plan) Cut() ([]plan.Fragment, error) {
	c := &cutter{at: p.at, shared: map[int]*definition{}, crossing: map[*plan.With]bool{}}
	root := c.begin(p.Root, plan.Output{Kind: plan.Gather, Readers: 1})
	if err := c.finish(root, p.Root); err != nil {
		return nil, err
	}
	var out []plan.Fragment
	for _, f := range c.fragments {
		if f.Root != nil {
			out = append(out, *f)
		}
	}
	connectFilters(out)
	return out, nil
}

type cutter struct {
	at        map[plan.Node]placement
	fragments []*plan.Fragment
	shared    map[int]*definition // those that are fragments, by name
	crossing  map[*plan.With]bool // what crosses has found
}

type definition struct {
	fragment *plan.Fragment
	kind     plan.ExchangeKind
}

// begin opens the fragment of a sub-plan.
func (c *cutter) begin(n plan.Node, output plan.Output) *plan.Fragment {
	f := &plan.Fragment{ID: len(c.fragments), Single: c.at[n].single, Output: output}
	c.fragments = append(c.fragments, f)
	return f
}

func (c *cutter) finish(f *plan.Fragment, n plan.Node) error {
	root, err := c.walk(n)
	f.Root = root
	return err
}

func (c *cutter) walk(n plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.Exchange:
		f := c.begin(n.Input, plan.Output{Kind: n.Kind, Keys: n.Keys, Readers: 1})
		if err := c.finish(f, n.Input); err != nil {
			return nil, err
		}
		out := *n
		out.Input, out.Source = nil, f.ID
		return &out, nil
	case *plan.With:
		if c.crosses(n) {
			return c.separate(n)
		}
	case *plan.Shared:
		if d := c.shared[n.Name]; d != nil {
			x := &plan.Exchange{Header: n.Header, Kind: d.kind, Source: d.fragment.ID, Reader: d.fragment.Output.Readers}
			d.fragment.Output.Readers++
			return x, nil
		}
	}
	inputs := slices.Clone(n.Inputs())
	for i, in := range inputs {
		out, err := c.walk(in)
		if err != nil {
			return nil, err
		}
		inputs[i] = out
	}
	return n.WithInputs(inputs), nil
}

// separate makes a fragment of each definition that is read.
func (c *cutter) separate(n *plan.With) (plan.Node, error) {
	for _, d := range n.Definitions {
		kind := plan.Forward
		if c.at[d.Plan].single {
			kind = plan.Gather
		}
		c.shared[d.Name] = &definition{c.begin(d.Plan, plan.Output{Kind: kind}), kind}
	}
	body, err := c.walk(n.Body)
	if err != nil {
		return nil, err
	}
	// What reads a definition comes after it: once the later ones are walked, its readers are known.
	for _, d := range slices.Backward(n.Definitions) {
		if f := c.shared[d.Name].fragment; f.Output.Readers > 0 {
			if err := c.finish(f, d.Plan); err != nil {
				return nil, err
			}
		}
	}
	return body, nil
}

// crosses tells whether a definition is read in another fragment than that of its With: below an
// Exchange, or in a definition that becomes a fragment of its own.
func (c *cutter) crosses(n *plan.With) bool {
	known, ok := c.crossing[n]
	if ok {
		return known
	}
	var names []int
	for _, d := range n.Definitions {
		names = append(names, d.Name)
	}
	out := slices.ContainsFunc(n.Inputs(), func(in plan.Node) bool { return c.readBelow(in, names, false) })
	c.crossing[n] = out
	return out
}

func (c *cutter) readBelow(n plan.Node, names []int, below bool) bool {
	switch n := n.(type) {
	case *plan.Shared:
		return below && slices.Contains(names, n.Name)
	case *plan.Exchange:
		below = true
	case *plan.With:
		apart := below || c.crosses(n)
		return slices.ContainsFunc(n.Definitions, func(d plan.Definition) bool { return c.readBelow(d.Plan, names, apart) }) ||
			c.readBelow(n.Body, names, below)
	}
	return slices.ContainsFunc(n.Inputs(), func(in plan.Node) bool { return c.readBelow(in, names, below) })
}
