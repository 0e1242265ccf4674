package logical

import "github.com/tarnlake/tarn/internal/plan"

func (*Filter) sealed()       {}
func (*Project) sealed()      {}
func (*Aggregate) sealed()    {}
func (*Window) sealed()       {}
func (*Sort) sealed()         {}
func (*Limit) sealed()        {}
func (*TopN) sealed()         {}
func (*DistinctOn) sealed()   {}
func (*Unnest) sealed()       {}
func (*Write) sealed()        {}
func (*Scan) sealed()         {}
func (*Values) sealed()       {}
func (*CTERef) sealed()       {}
func (*Join) sealed()         {}
func (*SetOperation) sealed() {}
func (*With) sealed()         {}
func (*Recursive) sealed()    {}

func (n *Scan) Inputs() []Node           { return nil }
func (n *Scan) WithInputs([]Node) Node   { return n }
func (n *Values) Inputs() []Node         { return nil }
func (n *Values) WithInputs([]Node) Node { return n }
func (n *CTERef) Inputs() []Node         { return nil }
func (n *CTERef) WithInputs([]Node) Node { return n }
func (n *Filter) Inputs() []Node         { return []Node{n.Input} }
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
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }
func (n *Aggregate) WithInputs(in []Node) Node {
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
func (n *Sort) Inputs() []Node { return []Node{n.Input} }
func (n *Sort) WithInputs(in []Node) Node {
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
func (n *TopN) Inputs() []Node { return []Node{n.Input} }
func (n *TopN) WithInputs(in []Node) Node {
	out := *n
	out.Input = in[0]
	return &out
}
func (n *DistinctOn) Inputs() []Node { return []Node{n.Input} }
func (n *DistinctOn) WithInputs(in []Node) Node {
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
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }
func (n *Join) WithInputs(in []Node) Node {
	out := *n
	out.Left, out.Right = in[0], in[1]
	return &out
}
func (n *SetOperation) Inputs() []Node { return n.In }
func (n *SetOperation) WithInputs(in []Node) Node {
	out := *n
	out.In = in
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
		in = append(in, d.Input)
	}
	return append(in, n.Body)
}
func (n *With) WithInputs(in []Node) Node {
	out := *n
	out.Definitions = append([]Definition(nil), n.Definitions...)
	for i := range out.Definitions {
		out.Definitions[i].Input = in[i]
	}
	out.Body = in[len(in)-1]
	return &out
}

func (n *Scan) Columns() []ColID         { return n.IDs }
func (n *Values) Columns() []ColID       { return n.IDs }
func (n *CTERef) Columns() []ColID       { return n.IDs }
func (n *Filter) Columns() []ColID       { return n.Input.Columns() }
func (n *Sort) Columns() []ColID         { return n.Input.Columns() }
func (n *Limit) Columns() []ColID        { return n.Input.Columns() }
func (n *TopN) Columns() []ColID         { return n.Input.Columns() }
func (n *DistinctOn) Columns() []ColID   { return n.Input.Columns() }
func (n *SetOperation) Columns() []ColID { return n.IDs }
func (n *Recursive) Columns() []ColID    { return n.IDs }
func (n *With) Columns() []ColID         { return n.Body.Columns() }
func (n *Write) Columns() []ColID        { return []ColID{n.RowsID, n.PayloadID} }

func (n *Project) Columns() []ColID {
	out := make([]ColID, len(n.Exprs))
	for i, c := range n.Exprs {
		out[i] = c.ID
	}
	return out
}

// Columns gives the sides that the join's kind lets through.
func (n *Join) Columns() []ColID {
	switch n.Kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti:
		return n.Left.Columns()
	case plan.RightSemi, plan.RightAnti:
		return n.Right.Columns()
	case plan.Mark:
		return join(n.Left.Columns(), []ColID{n.MarkID})
	}
	return join(n.Left.Columns(), n.Right.Columns())
}

// Columns gives the keys, the set number if there are sets, then the aggregates.
func (n *Aggregate) Columns() []ColID {
	out := append([]ColID(nil), n.KeyIDs...)
	if n.SetID != 0 {
		out = append(out, n.SetID)
	}
	for i := range n.Calls {
		out = append(out, n.Calls[i].Gives(n.Phase)...)
	}
	return out
}

func (n *Window) Columns() []ColID {
	out := append([]ColID(nil), n.Input.Columns()...)
	for _, c := range n.Calls {
		out = append(out, c.ID)
	}
	return out
}

func (n *Unnest) Columns() []ColID {
	out := append([]ColID(nil), n.Input.Columns()...)
	for _, f := range n.Functions {
		out = append(out, f.IDs...)
	}
	if n.OrdinalityID != 0 {
		out = append(out, n.OrdinalityID)
	}
	return out
}

func join(a, b []ColID) []ColID {
	out := make([]ColID, 0, len(a)+len(b))
	return append(append(out, a...), b...)
}
