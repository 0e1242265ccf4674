package fragment

import (
	"slices"

	"github.com/tarnlake/tarn/internal/plan"
)

// with places the definitions before what reads them. A definition that a recursion reads in every
// round cannot come through an Exchange: the whole node stays together then.
func (d *distributor) with(n *plan.With) (plan.Node, error) {
	var names []int
	for _, definition := range n.Definitions {
		names = append(names, definition.Name)
	}
	if recursionReads(n, names, false) {
		return d.whole(n), nil
	}
	inputs := make([]plan.Node, 0, len(n.Definitions)+1)
	for _, definition := range n.Definitions {
		in, err := d.place(definition.Plan)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
		d.shared[definition.Name] = d.at[in]
	}
	body, err := d.place(n.Body)
	if err != nil {
		return nil, err
	}
	return d.put(n.WithInputs(append(inputs, body)), d.at[body]), nil
}

func recursionReads(n plan.Node, names []int, inside bool) bool {
	switch n := n.(type) {
	case *plan.Shared:
		return inside && slices.Contains(names, n.Name)
	case *plan.Recursive:
		inside = true
	}
	return slices.ContainsFunc(n.Inputs(), func(in plan.Node) bool { return recursionReads(in, names, inside) })
}

// whole runs all of n in one task on the coordinator.
func (d *distributor) whole(n plan.Node) plan.Node {
	inputs := n.Inputs()
	out := make([]plan.Node, len(inputs))
	for i, in := range inputs {
		out[i] = d.whole(in)
	}
	return d.put(n.WithInputs(out), onCoordinator)
}
