package plan

import (
	"iter"
	"slices"
)

// Nodes gives all nodes of a plan, each before its inputs: EXPLAIN's order.
func Nodes(root Node) iter.Seq[Node] {
	return func(yield func(Node) bool) { walk(root, yield) }
}

func walk(n Node, yield func(Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, in := range n.Inputs() {
		if !walk(in, yield) {
			return false
		}
	}
	return true
}

// Number gives the nodes of one or more plans their IDs, in the order of Nodes.
func Number(roots ...Node) {
	next := 0
	for _, root := range roots {
		for n := range Nodes(root) {
			n.Head().ID = next
			next++
		}
	}
}

// Writes tells whether a plan writes to a table.
func Writes(root Node) bool {
	for n := range Nodes(root) {
		if _, ok := n.(*Write); ok {
			return true
		}
	}
	return false
}

// RowsToScan adds up the rows that the planner expects of a plan's scans; a scan of which it knows
// nothing counts as none.
func RowsToScan(root Node) float64 {
	total := 0.0
	for n := range Nodes(root) {
		if scan, ok := n.(*Scan); ok {
			total += max(scan.Rows, 0)
		}
	}
	return total
}

// Tables names the tables that a plan scans, each once.
func Tables(root Node) (names []string) {
	for n := range Nodes(root) {
		if scan, ok := n.(*Scan); ok && !slices.Contains(names, scan.Scan.Name) {
			names = append(names, scan.Scan.Name)
		}
	}
	return names
}
