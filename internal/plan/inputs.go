package plan

func (n *Scan) Inputs() []Node { return nil }
func (n *Scan) WithInputs([]Node) Node {
	out := *n
	return &out
}
func (n *Values) Inputs() []Node { return nil }
func (n *Values) WithInputs([]Node) Node {
	out := *n
	return &out
}
func (n *Shared) Inputs() []Node { return nil }
func (n *Shared) WithInputs([]Node) Node {
	out := *n
	return &out
}
func (n *Filter) Inputs() []Node { return []Node{n.Input} }
func (n *Filter) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Project) Inputs() []Node { return []Node{n.Input} }
func (n *Project) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Expand) Inputs() []Node { return []Node{n.Input} }
func (n *Expand) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }
func (n *Aggregate) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Sort) Inputs() []Node { return []Node{n.Input} }
func (n *Sort) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *TopN) Inputs() []Node { return []Node{n.Input} }
func (n *TopN) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Limit) Inputs() []Node { return []Node{n.Input} }
func (n *Limit) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Window) Inputs() []Node { return []Node{n.Input} }
func (n *Window) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Unnest) Inputs() []Node { return []Node{n.Input} }
func (n *Unnest) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Write) Inputs() []Node { return []Node{n.Input} }
func (n *Write) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *Exchange) Inputs() []Node {
	if n.Input == nil {
		return nil
	}
	return []Node{n.Input}
}
func (n *Exchange) WithInputs(in []Node) Node {
	out := *n
	if len(in) > 0 {
		out.Input = in[0]
	}
	return &out
}
func (n *HashJoin) Inputs() []Node { return []Node{n.Left, n.Right} }
func (n *HashJoin) WithInputs(in []Node) Node {
	out := *n
	out.Left, out.Right = in[0], in[1]
	return &out
}
func (n *NestedLoopJoin) Inputs() []Node { return []Node{n.Left, n.Right} }
func (n *NestedLoopJoin) WithInputs(in []Node) Node {
	out := *n
	out.Left, out.Right = in[0], in[1]
	return &out
}
func (n *Union) Inputs() []Node { return n.All }
func (n *Union) WithInputs(in []Node) Node {
	out := *n
	out.All = in
	return &out
}
func (n *Recursive) Inputs() []Node { return []Node{n.Base, n.Step} }
func (n *Recursive) WithInputs(in []Node) Node {
	out := *n
	out.Base, out.Step = in[0], in[1]
	return &out
}

// Inputs gives the definitions' plans, then the body.
func (n *With) Inputs() []Node {
	in := make([]Node, 0, len(n.Definitions)+1)
	for _, d := range n.Definitions {
		in = append(in, d.Plan)
	}
	return append(in, n.Body)
}
func (n *With) WithInputs(in []Node) Node {
	out := *n
	out.Definitions = append([]Definition(nil), n.Definitions...)
	for i := range out.Definitions {
		out.Definitions[i].Plan = in[i]
	}
	out.Body = in[len(in)-1]
	return &out
}
