package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
)

// Actual is what an operator did, for EXPLAIN ANALYZE; times and counts are sums over drivers.
type Actual struct {
	Rows, Batches int64
	Time          time.Duration
	Memory        int64 // peak bytes
	Spilled       int64 // bytes
	Notes         []string
}

// Property is a named detail of a node: "Hash Cond", "Filter".
type Property struct{ Name, Value string }

// ExplainText shows a plan in PostgreSQL's layout, one line an element. actual gives what a node did,
// by Header.ID; nil shows estimates only.
func ExplainText(root Node, actual func(id int) *Actual) []string {
	e := explainer{actual: actual}
	e.node(root, 0)
	return e.lines
}

type explainer struct {
	actual func(int) *Actual
	lines  []string
}

func (e *explainer) node(n Node, depth int) {
	indent, arrow := strings.Repeat(" ", max(0, depth*6-4)), ""
	if depth > 0 {
		arrow = "->  "
	}
	line := indent + arrow + Title(n) + "  " + estimate(n.Head())
	detail := strings.Repeat(" ", depth*6+2)
	if e.actual == nil {
		e.lines = append(e.lines, line)
	} else if a := e.actual(n.Head().ID); a != nil {
		e.lines = append(e.lines, line+" "+a.String())
	} else {
		e.lines = append(e.lines, line+" (never executed)")
	}
	for _, p := range Properties(n) {
		e.lines = append(e.lines, detail+p.Name+": "+p.Value)
	}
	if e.actual != nil {
		if a := e.actual(n.Head().ID); a != nil {
			for _, note := range a.Notes {
				e.lines = append(e.lines, detail+note)
			}
		}
	}
	if w, ok := n.(*With); ok {
		for _, d := range w.Definitions {
			e.lines = append(e.lines, detail+fmt.Sprintf("CTE %d", d.Name))
			e.node(d.Plan, depth+1)
		}
		e.node(w.Body, depth+1)
		return
	}
	for _, in := range n.Inputs() {
		e.node(in, depth+1)
	}
}

func estimate(h *Header) string {
	width := 0
	for _, f := range h.Out {
		width += max(f.Type.Physical().Width(), 1)
	}
	return fmt.Sprintf("(cost=0.00..%.2f rows=%.0f width=%d)", h.Cost, max(h.Rows, 0), width)
}

// String shows what the operator did.
func (a *Actual) String() string {
	s := fmt.Sprintf("(actual rows=%d batches=%d time=%.3f ms", a.Rows, a.Batches, float64(a.Time)/1e6)
	if a.Memory > 0 {
		s += " memory=" + memory.FormatBytes(a.Memory)
	}
	if a.Spilled > 0 {
		s += " spilled=" + memory.FormatBytes(a.Spilled)
	}
	return s + ")"
}

// Title names a node as EXPLAIN's first line of it does.
func Title(n Node) string {
	switch n := n.(type) {
	case *Scan:
		if n.Scan.Schema != "" {
			return "Scan on " + n.Scan.Schema + "." + n.Scan.Name
		}
		return "Scan on " + n.Scan.Name
	case *Aggregate:
		phase := [...]string{"", "Partial ", "Final ", "Combine ", "Finish "}[n.Phase]
		if len(n.Keys) == 0 || n.Phase == Finish {
			return phase + "Aggregate"
		}
		return phase + "HashAggregate"
	case *HashJoin:
		return "Hash " + n.Kind.Title()
	case *NestedLoopJoin:
		return "Nested Loop " + n.Kind.Title()
	case *Sort:
		return "Sort"
	case *TopN:
		return "Top-N"
	case *Window:
		return "WindowAgg"
	case *Union:
		return "Append"
	case *Unnest:
		return "ProjectSet"
	case *Shared:
		return fmt.Sprintf("CTE Scan on %d", n.Name)
	case *Recursive:
		return fmt.Sprintf("Recursive Union %d", n.Name)
	case *Write:
		return "Write to " + n.Target.Schema + "." + n.Target.Name
	case *Exchange:
		return "Exchange " + [...]string{"Gather", "Merge", "Hash", "Broadcast", "RoundRobin", "Forward"}[n.Kind] + n.origin()
	case *Filter:
		return "Filter"
	case *Project:
		return "Project"
	case *Limit:
		return "Limit"
	case *Expand:
		return "Grouping Sets"
	case *Values:
		return "Values Scan"
	case *With:
		return "With"
	}
	return fmt.Sprintf("%T", n)
}

// Title names the join for EXPLAIN.
func (k JoinKind) Title() string {
	return [...]string{"Join", "Left Join", "Right Join", "Full Join", "Semi Join", "Anti Join", "Null-Aware Anti Join",
		"Mark Join", "Single Join", "Right Semi Join", "Right Anti Join"}[k]
}

// Properties gives the details that EXPLAIN shows below a node.
func Properties(n Node) []Property {
	switch n := n.(type) {
	case *Scan:
		return scanProperties(n)
	case *Filter:
		return []Property{{"Filter", expr.Format(n.Predicate, nil)}}
	case *Project:
		return []Property{{"Output", formatList(n.Exprs)}}
	case *Aggregate:
		return aggregateProperties(n)
	case *HashJoin:
		return hashJoinProperties(n)
	case *NestedLoopJoin:
		if n.Condition != nil {
			return []Property{{"Join Filter", expr.Format(n.Condition, nil)}}
		}
	case *Sort:
		return []Property{{"Sort Key", formatKeys(n.Keys, n.Input.Schema())}}
	case *TopN:
		return []Property{{"Sort Key", formatKeys(n.Keys, n.Input.Schema())}, {"Limit", countText(n.Limit, n.Offset)}}
	case *Limit:
		return []Property{{"Limit", countText(n.Limit, n.Offset)}}
	case *Window:
		return windowProperties(n)
	case *Unnest:
		var names []string
		for _, f := range n.Functions {
			names = append(names, f.Name+"("+formatList(f.Args)+")")
		}
		return []Property{{"Functions", strings.Join(names, ", ")}}
	case *Expand:
		return []Property{{"Sets", fmt.Sprint(len(n.Sets))}}
	case *Exchange:
		return exchangeProperties(n)
	case *Write:
		if len(n.Target.Partition) > 0 {
			var names []string
			for _, p := range n.Target.Partition {
				names = append(names, n.Target.Columns[p].Name)
			}
			return []Property{{"Partitioned by", strings.Join(names, ", ")}}
		}
	}
	return nil
}

// origin names the fragment that a cut exchange reads.
func (n *Exchange) origin() string {
	if n.Input != nil {
		return ""
	}
	return fmt.Sprintf(" from Fragment %d", n.Source)
}

func exchangeProperties(n *Exchange) []Property {
	switch {
	case n.Kind == Hash:
		return []Property{{"Hash Key", columnNames(n.Keys, n.Out)}}
	case n.Kind == Merge:
		return []Property{{"Sort Key", formatKeys(n.Order, n.Out)}}
	}
	return nil
}

func countText(limit, offset int64) string {
	text := "all"
	if limit >= 0 {
		text = fmt.Sprint(limit)
	}
	if offset > 0 {
		text += fmt.Sprintf(" offset %d", offset)
	}
	return text
}

func scanProperties(n *Scan) []Property {
	var out []Property
	var columns []string
	for _, o := range n.Output {
		columns = append(columns, scanColumn(&n.Scan.Columns[o])...)
	}
	out = append(out, Property{"Columns", strings.Join(columns, ", ")})
	if n.Filter != nil {
		out = append(out, Property{"Filter", expr.Format(n.Filter, nil)})
	}
	var domains []string
	for _, d := range n.Scan.Domains {
		domains = append(domains, formatDomain(n.Scan.Columns[d.Column], d))
	}
	if len(domains) > 0 {
		out = append(out, Property{"Pruning", strings.Join(domains, ", ")})
	}
	for _, d := range n.Dynamic {
		out = append(out, Property{"Dynamic Filter", fmt.Sprintf("%s by filter %d", n.Scan.Columns[d.Column].Name, d.Filter)})
	}
	if n.Scan.Limit > 0 {
		out = append(out, Property{"Limit", fmt.Sprint(n.Scan.Limit)})
	}
	return out
}

// scanColumn names a column, or what is read of it.
func scanColumn(c *connectors.ScanColumn) (names []string) {
	for _, path := range c.Subfields {
		name, t := c.Name, c.Type
		for _, ordinal := range path {
			field := t.Fields[ordinal]
			if t = field.Type; field.Name == "" {
				field.Name = fmt.Sprintf("f%d", ordinal+1)
			}
			name += "." + field.Name
		}
		names = append(names, name)
	}
	if names == nil {
		names = append(names, c.Name)
	}
	return names
}

func formatDomain(c connectors.ScanColumn, d connectors.Domain) string {
	show := func(v *types.Datum) string {
		return expr.Format(&expr.Literal{Value: *v, T: c.Type}, nil)
	}
	switch {
	case len(d.Values) == 1:
		return c.Name + " = " + show(&d.Values[0])
	case d.Values != nil && len(d.Values) == 0 && d.Nulls:
		return c.Name + " is null"
	case len(d.Values) > 1:
		return fmt.Sprintf("%s in %d values of %s … %s", c.Name, len(d.Values), show(d.Minimum), show(d.Maximum))
	}
	text := c.Name
	if d.Minimum != nil {
		text += map[bool]string{true: " > ", false: " >= "}[d.MinimumExclusive] + show(d.Minimum)
	}
	if d.Maximum != nil {
		text += map[bool]string{true: " < ", false: " <= "}[d.MaximumExclusive] + show(d.Maximum)
	}
	if d.Minimum == nil && d.Maximum == nil {
		text += " is not null"
	}
	return text
}

func aggregateProperties(n *Aggregate) []Property {
	in := n.Input.Schema()
	var out []Property
	if len(n.Keys) > 0 {
		out = append(out, Property{"Group Key", columnNames(n.Keys, in)})
	}
	var calls []string
	for _, c := range n.Calls {
		text := c.Name + "("
		if c.Distinct {
			text += "DISTINCT "
		}
		text += columnNames(c.Args, in) + ")"
		if c.Filter >= 0 {
			text += " FILTER (" + in[c.Filter].Name + ")"
		}
		calls = append(calls, text)
	}
	if len(calls) > 0 {
		out = append(out, Property{"Aggregates", strings.Join(calls, ", ")})
	}
	return out
}

func hashJoinProperties(n *HashJoin) []Property {
	var keys []string
	left, right := n.Left.Schema(), n.Right.Schema()
	for i := range n.LeftKeys {
		op := " = "
		if n.NullEqual[i] {
			op = " IS NOT DISTINCT FROM "
		}
		keys = append(keys, left[n.LeftKeys[i]].Name+op+right[n.RightKeys[i]].Name)
	}
	out := []Property{{"Hash Cond", strings.Join(keys, " AND ")}}
	if n.Residual != nil {
		out = append(out, Property{"Join Filter", expr.Format(n.Residual, nil)})
	}
	for _, f := range n.Filters {
		out = append(out, Property{"Publishes", fmt.Sprintf("filter %d on %s", f.Filter, right[n.RightKeys[f.Key]].Name)})
	}
	return out
}

func windowProperties(n *Window) []Property {
	in := n.Input.Schema()
	var out []Property
	if len(n.Partition) > 0 {
		out = append(out, Property{"Partition By", columnNames(n.Partition, in)})
	}
	if len(n.Order) > 0 {
		out = append(out, Property{"Order By", formatKeys(n.Order, in)})
	}
	var names []string
	for _, f := range n.Functions {
		names = append(names, f.Name+"("+columnNames(f.Args, in)+")")
	}
	return append(out, Property{"Functions", strings.Join(names, ", ")})
}

func columnNames(ordinals []int, schema types.Schema) string {
	names := make([]string, len(ordinals))
	for i, o := range ordinals {
		names[i] = schema[o].Name
	}
	return strings.Join(names, ", ")
}

func formatKeys(keys []SortKey, schema types.Schema) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = schema[k.Column].Name
		if k.Descending {
			parts[i] += " DESC"
		}
		if k.NullsFirst != k.Descending {
			parts[i] += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst]
		}
	}
	return strings.Join(parts, ", ")
}

func formatList(exprs []expr.Expr) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = expr.Format(e, nil)
	}
	return strings.Join(parts, ", ")
}
