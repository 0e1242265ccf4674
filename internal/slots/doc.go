// Package slots shares a worker's CPU slots among its running queries.
//
// There are as many slots as threads that may compute at once. A goroutine that computes for a query
// holds a slot through a Lease; it gives the slot up while it blocks, and offers it at batch edges
// (Yield), where it changes hands after a quantum if another group is owed more. Groups are served by
// weight: each has a virtual time that advances by its computing time divided by its weight, and a
// free slot goes to the waiting group whose virtual time is least. A group that was idle starts abreast
// of the others, and none falls further behind than Credit: shares are those of the present.
//
// Where a batch takes long, no edge comes. A group that is owed a slot and has waited for Patience then
// computes beside the goroutine that overstays: for that moment the operating system divides the CPUs.
// The overstaying one finds its slot gone at its next edge, and waits for another.
package slots
