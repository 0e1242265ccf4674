package plan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ExplainJSON shows a plan in the shape of PostgreSQL's EXPLAIN (FORMAT JSON).
func ExplainJSON(root Node, actual func(id int) *Actual) (string, error) {
	out, err := json.MarshalIndent([]any{map[string]any{"Plan": jsonNode(root, actual)}}, "", "  ")
	return string(out), err
}

func jsonNode(n Node, actual func(int) *Actual) map[string]any {
	h := n.Head()
	out := map[string]any{"Node Type": Title(n), "Startup Cost": 0.0, "Total Cost": h.Cost, "Plan Rows": max(h.Rows, 0), "Plan Width": len(h.Out) * 8}
	var columns []string
	for _, f := range h.Out {
		columns = append(columns, f.Name)
	}
	out["Output"] = columns
	for _, p := range Properties(n) {
		out[p.Name] = p.Value
	}
	if actual != nil {
		if a := actual(h.ID); a != nil {
			out["Actual Rows"], out["Actual Total Time"], out["Actual Loops"] = a.Rows, float64(a.Time)/1e6, 1
			out["Peak Memory"], out["Spilled"] = a.Memory, a.Spilled
			if len(a.Notes) > 0 {
				out["Notes"] = a.Notes
			}
		}
	}
	var inputs []any
	for _, in := range n.Inputs() {
		inputs = append(inputs, jsonNode(in, actual))
	}
	if inputs != nil {
		out["Plans"] = inputs
	}
	return out
}

// ExplainDOT shows a plan as a Graphviz graph.
func ExplainDOT(root Node) string {
	var b strings.Builder
	b.WriteString("digraph plan {\n  node [shape=box];\n")
	for n := range Nodes(root) {
		label := Title(n)
		for _, p := range Properties(n) {
			label += "\n" + p.Name + ": " + p.Value
		}
		fmt.Fprintf(&b, "  n%d [label=%q];\n", n.Head().ID, label)
		for _, in := range n.Inputs() {
			fmt.Fprintf(&b, "  n%d -> n%d [label=\"%.0f\"];\n", in.Head().ID, n.Head().ID, max(in.Head().Rows, 0))
		}
	}
	b.WriteString("}\n")
	return b.String()
}
