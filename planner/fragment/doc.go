// Package fragment makes a physical plan run on several nodes: it puts Exchanges where rows have to
// change nodes, and cuts the plan there.
//
// Every node of a plan has a placement: its rows come from a single task, or they are spread over one
// task on each worker, perhaps so that rows with equal values in some columns are in one task. A
// node's rule looks at the placements of its inputs, adds Exchanges below where it needs another one,
// and gives its own. Distribute applies the rules from the leaves up; Cut makes the fragments.
package fragment
