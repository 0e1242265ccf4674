package logical

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
)

// Format prints a plan, one node a line, inputs indented below: for tests and for eyes, not for
// machines. Columns are written name#ID.
func Format(p *Plan) string {
	f := &formatter{columns: p.Columns}
	names := make([]string, len(p.Output))
	for i, c := range p.Output {
		names[i] = fmt.Sprintf("%s=#%d:%s", c.Name, c.ID, p.Columns.Info(c.ID).Type)
	}
	f.line(0, "Output "+strings.Join(names, ", "))
	f.node(p.Root, 0)
	return f.out.String()
}

type formatter struct {
	out     strings.Builder
	columns *Columns
}

func (f *formatter) line(depth int, text string) {
	f.out.WriteString(strings.Repeat("  ", depth) + text + "\n")
}

func (f *formatter) column(id ColID) string {
	return f.columns.Info(id).Name + "#" + strconv.Itoa(int(id))
}

func (f *formatter) list(ids []ColID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = f.column(id)
	}
	return strings.Join(out, ", ")
}

func (f *formatter) expr(e expr.Expr) string {
	return expr.Format(e, func(c *expr.Column) string { return c.Name + "#" + strconv.Itoa(int(c.ID)) })
}

func (f *formatter) order(keys []SortKey) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = f.column(k.Column)
		if k.Descending {
			out[i] += " desc"
		}
		if k.NullsFirst != k.Descending {
			out[i] += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
	}
	return strings.Join(out, ", ")
}

func (f *formatter) node(n Node, depth int) {
	f.line(depth, f.describe(n))
	if w, ok := n.(*With); ok {
		for _, d := range w.Definitions {
			f.line(depth+1, fmt.Sprintf("%s$%d%s:", d.Label, d.Name, materialize(d.Materialize)))
			f.node(d.Input, depth+2)
		}
		f.node(w.Body, depth+1)
		return
	}
	for _, in := range n.Inputs() {
		f.node(in, depth+1)
	}
}

func materialize(hint *bool) string {
	switch {
	case hint == nil:
		return ""
	case *hint:
		return " materialized"
	}
	return " not materialized"
}

func (f *formatter) describe(n Node) string {
	switch n := n.(type) {
	case *Scan:
		return f.scan(n)
	case *Values:
		return f.values(n)
	case *Filter:
		return "Filter " + f.expr(n.Predicate)
	case *Project:
		return "Project " + f.computed(n.Exprs)
	case *Join:
		return f.join(n)
	case *Aggregate:
		return f.aggregate(n)
	case *Window:
		return f.window(n)
	case *Sort:
		return "Sort " + f.order(n.Keys)
	case *Limit:
		return "Limit" + f.limit(n)
	case *TopN:
		return fmt.Sprintf("TopN %d offset %d by %s", n.Limit, n.Offset, f.order(n.Keys))
	}
	return f.describeOther(n)
}

func (f *formatter) describeOther(n Node) string {
	switch n := n.(type) {
	case *DistinctOn:
		return "DistinctOn (" + f.list(n.Keys) + ") order " + f.order(n.Order)
	case *SetOperation:
		return f.setOperation(n)
	case *Unnest:
		return f.unnest(n)
	case *With:
		return "With"
	case *CTERef:
		return fmt.Sprintf("CTERef $%d (%s) of (%s)", n.Name, f.list(n.IDs), f.list(n.Source))
	case *Recursive:
		kind := "Recursive all"
		if n.Distinct {
			kind = "Recursive"
		}
		return fmt.Sprintf("%s $%d (%s) base (%s) step (%s)", kind, n.Name, f.list(n.IDs), f.list(n.BaseIDs), f.list(n.StepIDs))
	case *Write:
		return fmt.Sprintf("Write %s.%s (%s) → %s, %s", n.Target.Schema, n.Target.Name, f.list(n.Source), f.column(n.RowsID), f.column(n.PayloadID))
	}
	return fmt.Sprintf("%T", n)
}

func (f *formatter) scan(n *Scan) string {
	out := "Scan " + n.Table.Name
	if n.Table.Schema != "" {
		out = "Scan " + n.Table.Schema + "." + n.Table.Name
	}
	if n.Alias != "" && n.Alias != n.Table.Name {
		out += " as " + n.Alias
	}
	out += " (" + f.list(n.IDs) + ")"
	if n.Filter != nil {
		out += " filter " + f.expr(n.Filter)
	}
	if n.Limit > 0 {
		out += fmt.Sprintf(" limit %d", n.Limit)
	}
	for _, id := range n.IDs {
		if paths := n.Subfields[id]; paths != nil {
			out += fmt.Sprintf(" fields %v of %s", paths, f.list([]ColID{id}))
		}
	}
	return out
}

// maxRows bounds the rows of Values that are printed.
const maxRows = 8

func (f *formatter) values(n *Values) string {
	rows := make([]string, 0, len(n.Rows))
	for i, row := range n.Rows {
		if i == maxRows {
			rows = append(rows, fmt.Sprintf("… %d more", len(n.Rows)-maxRows))
			break
		}
		items := make([]string, len(row))
		for j, e := range row {
			items[j] = f.expr(e)
		}
		rows = append(rows, "("+strings.Join(items, ", ")+")")
	}
	return "Values (" + f.list(n.IDs) + ") " + strings.Join(rows, ", ")
}

func (f *formatter) computed(list []Computed) string {
	out := make([]string, len(list))
	for i, c := range list {
		if ref, ok := c.Expr.(*expr.Column); ok && ref.ID == c.ID {
			out[i] = f.column(c.ID)
			continue
		}
		out[i] = f.column(c.ID) + " := " + f.expr(c.Expr)
	}
	return strings.Join(out, ", ")
}

func joinName(k plan.JoinKind) string {
	return [...]string{plan.Inner: "Inner", plan.Left: "Left", plan.Right: "Right", plan.Full: "Full", plan.Semi: "Semi",
		plan.Anti: "Anti", plan.NullAwareAnti: "NullAwareAnti", plan.Mark: "Mark", plan.Single: "Single",
		plan.RightSemi: "RightSemi", plan.RightAnti: "RightAnti"}[k]
}

func (f *formatter) join(n *Join) string {
	out := "Join " + joinName(n.Kind)
	if n.MarkID != 0 {
		out += " → " + f.column(n.MarkID)
	}
	if n.NullAware {
		out += " null-aware"
	}
	if n.Dependent {
		out += " dependent"
	}
	if n.Condition != nil {
		out += " on " + f.expr(n.Condition)
	}
	return out
}

func (f *formatter) aggregate(n *Aggregate) string {
	phase := [...]string{"", "Partial ", "Final ", "Combine ", "Finish "}[n.Phase]
	out := phase + "Aggregate (" + f.list(n.Keys) + ")"
	if n.SetID != 0 {
		out += fmt.Sprintf(" sets %v → (%s), %s", n.Sets, f.list(n.KeyIDs), f.column(n.SetID))
	}
	for i, c := range n.Calls {
		if i > 0 {
			out += ","
		}
		out += " " + f.list(c.Gives(n.Phase)) + " := " + f.call(c)
	}
	return out
}

func (f *formatter) call(c AggregateCall) string {
	out := c.Name + "("
	if c.Distinct {
		out += "distinct "
	}
	out += f.list(c.Args)
	if len(c.OrderBy) > 0 {
		out += " order by " + f.order(c.OrderBy)
	}
	out += ")"
	if c.Filter != 0 {
		out += " filter " + f.column(c.Filter)
	}
	return out
}

func (f *formatter) window(n *Window) string {
	out := "Window"
	if len(n.Partition) > 0 {
		out += " partition (" + f.list(n.Partition) + ")"
	}
	if len(n.Order) > 0 {
		out += " order (" + f.order(n.Order) + ")"
	}
	for i, c := range n.Calls {
		if i > 0 {
			out += ","
		}
		out += " " + f.column(c.ID) + " := " + f.call(c.AggregateCall)
		if c.IgnoreNulls {
			out += " ignore nulls"
		}
		out += " " + f.frame(c)
	}
	return out
}

func (f *formatter) frame(c WindowCall) string {
	unit := [...]string{plan.Rows: "rows", plan.Range: "range", plan.Groups: "groups"}[c.Frame.Unit]
	out := unit + " " + f.bound(c.Frame.Start.Kind, c.StartOffset) + " to " + f.bound(c.Frame.End.Kind, c.EndOffset)
	return out + [...]string{fn.ExcludeNothing: "", fn.ExcludeCurrentRow: " exclude current row",
		fn.ExcludeGroup: " exclude group", fn.ExcludeTies: " exclude ties"}[c.Frame.Exclude]
}

func (f *formatter) bound(k plan.BoundKind, offset ColID) string {
	name := [...]string{plan.UnboundedPreceding: "unbounded preceding", plan.Preceding: "preceding",
		plan.CurrentRow: "current row", plan.Following: "following", plan.UnboundedFollowing: "unbounded following"}[k]
	if offset != 0 {
		return f.column(offset) + " " + name
	}
	return name
}

func (f *formatter) limit(n *Limit) string {
	out := ""
	if n.Limit != nil {
		out += " " + f.expr(n.Limit)
	}
	if n.Offset != nil {
		out += " offset " + f.expr(n.Offset)
	}
	if n.WithTies {
		out += " with ties"
	}
	return out
}

func (f *formatter) setOperation(n *SetOperation) string {
	out := [...]string{Union: "Union", Intersect: "Intersect", Except: "Except"}[n.Kind]
	if n.All {
		out += " all"
	}
	out += " (" + f.list(n.IDs) + ") of"
	for _, arm := range n.Arms {
		out += " (" + f.list(arm) + ")"
	}
	return out
}

func (f *formatter) unnest(n *Unnest) string {
	out := "Unnest"
	if n.Outer {
		out += " outer"
	}
	for i, c := range n.Functions {
		if i > 0 {
			out += ","
		}
		args := make([]string, len(c.Args))
		for j, a := range c.Args {
			args[j] = f.expr(a)
		}
		out += " (" + f.list(c.IDs) + ") := " + c.Name + "(" + strings.Join(args, ", ") + ")"
	}
	if n.OrdinalityID != 0 {
		out += " ordinality " + f.column(n.OrdinalityID)
	}
	return out
}
