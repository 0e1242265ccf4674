package plan

// Fragment is a part of a plan that runs in tasks of its own. Where rows of another fragment come
// in stands an Exchange without an input that names it.
type Fragment struct {
	ID   int // 0 gives the query's rows
	Root Node
	// Single fragments run in one task, on the query's coordinator; others in one task on each of the
	// query's workers.
	Single bool
	Output Output
	// Filters lists the dynamic filters that joins of the fragment publish for scans of others.
	Filters []int `json:",omitempty"`
}

// Output says which task of the reading fragment gets a row: by the kind of the Exchange that reads.
type Output struct {
	Kind ExchangeKind
	Keys []int `json:",omitempty"` // Hash
	// Readers is the number of Exchanges that read the fragment. When there are several, each gets all
	// rows in its own time: what was given is kept, on disk if need be, until the last has read it.
	Readers int
}

// Inlets lists the Exchanges by which rows come into the fragment.
func (f *Fragment) Inlets() []*Exchange {
	var out []*Exchange
	for n := range Nodes(f.Root) {
		if x, ok := n.(*Exchange); ok && x.Input == nil {
			out = append(out, x)
		}
	}
	return out
}
