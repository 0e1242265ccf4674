package logical

import "iter"

// Nodes gives all nodes of a plan, each before its inputs.
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
