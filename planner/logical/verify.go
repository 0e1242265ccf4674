package logical

import (
	"fmt"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// Verify checks a plan's invariants: every column that a node reads is produced below it (or, right
// of a Dependent join, on its left), no column is made twice, references carry their column's type,
// conditions are boolean, arms of set operations agree in type. A violation is a defect of the pass
// that made the plan.
func Verify(p *Plan) error {
	v := &verifier{columns: p.Columns, made: map[ColID]bool{}, names: map[int][]ColID{}}
	if err := v.node(p.Root, map[ColID]bool{}); err != nil {
		return err
	}
	have := set(p.Root.Columns())
	for _, c := range p.Output {
		if !have[c.ID] {
			return fmt.Errorf("output %s reads #%d, which the root does not give", c.Name, c.ID)
		}
	}
	return nil
}

type verifier struct {
	columns *Columns
	made    map[ColID]bool
	names   map[int][]ColID // columns of the definitions in reach
}

func set(ids []ColID) map[ColID]bool {
	out := make(map[ColID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

// node checks a subtree that may read the columns outer of dependent joins around it.
func (v *verifier) node(n Node, outer map[ColID]bool) error {
	switch n := n.(type) {
	case *Join:
		return v.join(n, outer)
	case *With:
		for _, d := range n.Definitions {
			if err := v.node(d.Input, outer); err != nil {
				return err
			}
			v.names[d.Name] = d.Input.Columns()
		}
		return v.node(n.Body, outer)
	case *Recursive:
		if err := v.node(n.Base, outer); err != nil {
			return err
		}
		v.names[n.Name] = n.IDs
		if err := v.node(n.Step, outer); err != nil {
			return err
		}
		return v.inside(n, outer)
	}
	for _, in := range n.Inputs() {
		if err := v.node(in, outer); err != nil {
			return err
		}
	}
	return v.inside(n, outer)
}

func (v *verifier) join(n *Join, outer map[ColID]bool) error {
	if err := v.node(n.Left, outer); err != nil {
		return err
	}
	right := outer
	if n.Dependent {
		right = set(n.Left.Columns())
		for id := range outer {
			right[id] = true
		}
	}
	if err := v.node(n.Right, right); err != nil {
		return err
	}
	if n.Condition != nil && n.Condition.Type().Kind != types.Bool {
		return fmt.Errorf("%s: the condition is %s", describe(n, v.columns), n.Condition.Type())
	}
	if n.Kind == plan.Mark && n.MarkID == 0 {
		return fmt.Errorf("%s: a mark join without a mark", describe(n, v.columns))
	}
	return v.inside(n, outer)
}

func describe(n Node, columns *Columns) string { return (&formatter{columns: columns}).describe(n) }

// inside checks what a node itself reads and makes.
func (v *verifier) inside(n Node, outer map[ColID]bool) error {
	below := map[ColID]bool{}
	for _, in := range n.Inputs() {
		for _, id := range in.Columns() {
			below[id] = true
		}
	}
	if scan, ok := n.(*Scan); ok { // its filter reads what it gives
		below = set(scan.IDs)
	}
	for _, e := range Exprs(n) {
		if err := v.expr(e, below, outer); err != nil {
			return fmt.Errorf("%s: %w", describe(n, v.columns), err)
		}
	}
	for _, id := range Reads(n) {
		if !below[id] {
			return fmt.Errorf("%s: reads #%d, which no input gives", describe(n, v.columns), id)
		}
	}
	for _, id := range Makes(n) {
		if v.made[id] {
			return fmt.Errorf("%s: makes #%d a second time", describe(n, v.columns), id)
		}
		v.made[id] = true
	}
	return v.types(n)
}

func (v *verifier) expr(e expr.Expr, below, outer map[ColID]bool) error {
	read := map[ColID]bool{}
	readColumns(e, read)
	for id := range read {
		if !below[id] && !outer[id] {
			return fmt.Errorf("reads %s#%d, which no input gives", v.columns.Info(id).Name, id)
		}
	}
	var err error
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok && err == nil && !c.T.Equal(v.columns.Info(c.ID).Type) {
			err = fmt.Errorf("reads %s#%d as %s, it is %s", c.Name, c.ID, c.T, v.columns.Info(c.ID).Type)
		}
		return true
	})
	return err
}

// types checks that values have the types of the columns that they become.
func (v *verifier) types(n Node) error {
	switch n := n.(type) {
	case *Filter:
		if n.Predicate.Type().Kind != types.Bool {
			return fmt.Errorf("%s: the predicate is %s", describe(n, v.columns), n.Predicate.Type())
		}
	case *Project:
		for _, c := range n.Exprs {
			if !c.Expr.Type().Equal(v.columns.Info(c.ID).Type) {
				return fmt.Errorf("%s: #%d is %s but its expression %s", describe(n, v.columns), c.ID, v.columns.Info(c.ID).Type, c.Expr.Type())
			}
		}
	case *Values:
		for _, row := range n.Rows {
			for i, e := range row {
				if !e.Type().Equal(v.columns.Info(n.IDs[i]).Type) {
					return fmt.Errorf("%s: #%d is %s but a value %s", describe(n, v.columns), n.IDs[i], v.columns.Info(n.IDs[i]).Type, e.Type())
				}
			}
		}
	case *SetOperation:
		for _, arm := range n.Arms {
			if err := v.arm(n, n.IDs, arm); err != nil {
				return err
			}
		}
	case *Recursive:
		if err := v.arm(n, n.IDs, n.BaseIDs); err != nil {
			return err
		}
		return v.arm(n, n.IDs, n.StepIDs)
	case *CTERef:
		source := set(v.names[n.Name])
		for i, id := range n.Source {
			if !source[id] {
				return fmt.Errorf("%s: #%d is no column of the definition", describe(n, v.columns), id)
			}
			if !v.columns.Info(id).Type.Equal(v.columns.Info(n.IDs[i]).Type) {
				return fmt.Errorf("%s: #%d differs in type from its source", describe(n, v.columns), n.IDs[i])
			}
		}
	}
	return nil
}

func (v *verifier) arm(n Node, ids, arm []ColID) error {
	if len(arm) != len(ids) {
		return fmt.Errorf("%s: an arm has %d columns", describe(n, v.columns), len(arm))
	}
	for i, id := range arm {
		if !v.columns.Info(id).Type.Equal(v.columns.Info(ids[i]).Type) {
			return fmt.Errorf("%s: #%d is %s but an arm gives %s", describe(n, v.columns), ids[i],
				v.columns.Info(ids[i]).Type, v.columns.Info(id).Type)
		}
	}
	return nil
}

// Reads lists the columns that a node reads by number from its inputs: keys and arguments.
func Reads(n Node) []ColID {
	var out []ColID
	order := func(keys []SortKey) {
		for _, k := range keys {
			out = append(out, k.Column)
		}
	}
	call := func(c AggregateCall) {
		out = append(out, c.Args...)
		order(c.OrderBy)
		if c.Filter != 0 {
			out = append(out, c.Filter)
		}
	}
	switch n := n.(type) {
	case *Aggregate:
		out = append(out, n.Keys...)
		for _, c := range n.Calls {
			call(c)
		}
	case *Window:
		out = append(out, n.Partition...)
		order(n.Order)
		for _, c := range n.Calls {
			call(c.AggregateCall)
			for _, id := range []ColID{c.StartOffset, c.EndOffset} {
				if id != 0 {
					out = append(out, id)
				}
			}
		}
	case *Sort:
		order(n.Keys)
	case *TopN:
		order(n.Keys)
	case *DistinctOn:
		out = append(out, n.Keys...)
		order(n.Order)
	case *SetOperation:
		for _, arm := range n.Arms {
			out = append(out, arm...)
		}
	case *Recursive:
		out = append(append(out, n.BaseIDs...), n.StepIDs...)
	case *Write:
		out = append(out, n.Source...)
	}
	return out
}

// Makes lists the columns that a node itself makes, not those that it hands on.
func Makes(n Node) []ColID {
	var out []ColID
	switch n := n.(type) {
	case *Scan:
		return n.IDs
	case *Values:
		return n.IDs
	case *CTERef:
		return n.IDs
	case *SetOperation:
		return n.IDs
	case *Recursive:
		return n.IDs
	case *Write:
		return n.Columns()
	case *Join:
		if n.MarkID != 0 {
			out = append(out, n.MarkID)
		}
	case *Project:
		for _, c := range n.Exprs {
			if ref, ok := c.Expr.(*expr.Column); !ok || ref.ID != c.ID {
				out = append(out, c.ID)
			}
		}
	case *Aggregate:
		if n.SetID != 0 {
			out = append(append(out, n.KeyIDs...), n.SetID)
		}
		for i := range n.Calls {
			out = append(out, n.Calls[i].Gives(n.Phase)...)
		}
	case *Window:
		for _, c := range n.Calls {
			out = append(out, c.ID)
		}
	case *Unnest:
		for _, f := range n.Functions {
			out = append(out, f.IDs...)
		}
		if n.OrdinalityID != 0 {
			out = append(out, n.OrdinalityID)
		}
	}
	return out
}
