package optimizer

import (
	"bytes"
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// Sharing pays where computing a sub-plan again would handle many more rows than keeping its result
// and reading it.
const (
	keepCost = 4.0       // of a row kept and read, in rows handled
	mostKept = 4_000_000 // rows
)

// shareSubplans computes an aggregation that stands in several places once: it becomes a common table
// expression. Two are the same when they differ in nothing but the numbers of their columns.
func shareSubplans(c *Context) error {
	s := &sharer{c: c, estimator: c.estimator(), replaced: map[logical.Node]logical.Node{}}
	s.collect(c.Plan.Root)
	slices.SortStableFunc(s.candidates, func(a, b candidate) int { return cmp.Compare(b.size, a.size) })
	for i := range s.candidates {
		s.share(i)
	}
	if len(s.definitions) == 0 {
		return nil
	}
	root := s.replace(c.Plan.Root)
	if write, ok := root.(*logical.Write); ok { // stays at the top
		c.Plan.Root = write.WithInputs([]logical.Node{&logical.With{Definitions: s.definitions, Body: write.Input}})
		return nil
	}
	c.Plan.Root = &logical.With{Definitions: s.definitions, Body: root}
	return nil
}

type sharer struct {
	c           *Context
	estimator   *estimate.Estimator
	candidates  []candidate
	definitions []logical.Definition
	replaced    map[logical.Node]logical.Node
}

// candidate is an aggregation that may stand elsewhere too.
type candidate struct {
	node *logical.Aggregate
	size int // nodes
	work float64
	used bool
}

// collect lists the candidates in n and gives n's size and the rows that it handles; size 0 tells
// that n cannot be shared.
func (s *sharer) collect(n logical.Node) (size int, work float64) {
	shareable := true
	size, work = 1, s.estimator.Rows(n)
	if _, recursive := n.(*logical.Recursive); recursive {
		return 0, 0
	}
	for _, in := range n.Inputs() {
		below, rows := s.collect(in)
		shareable = shareable && below > 0
		size, work = size+below, work+rows
	}
	switch n := n.(type) {
	case *logical.Scan, *logical.Filter, *logical.Project, *logical.Join, *logical.Aggregate:
		for _, e := range logical.Exprs(n) {
			shareable = shareable && !s.c.volatile(e)
		}
	default:
		shareable = false
	}
	if !shareable {
		return 0, 0
	}
	if a, ok := n.(*logical.Aggregate); ok {
		s.candidates = append(s.candidates, candidate{node: a, size: size, work: work})
	}
	return size, work
}

// share makes one definition of candidate i and those that are the same, unless it lies in another.
func (s *sharer) share(i int) {
	first := &s.candidates[i]
	if first.used {
		return
	}
	type twin struct {
		node    *logical.Aggregate
		columns map[logical.ColID]logical.ColID
	}
	var twins []twin
	for k := i + 1; k < len(s.candidates) && s.candidates[k].size == first.size; k++ {
		columns := map[logical.ColID]logical.ColID{}
		if !s.candidates[k].used && s.same(first.node, s.candidates[k].node, columns) {
			twins = append(twins, twin{s.candidates[k].node, columns})
		}
	}
	rows := s.estimator.Rows(first.node)
	if len(twins) == 0 || rows > mostKept || first.work*float64(len(twins)) < keepCost*rows*float64(len(twins)+1) {
		return
	}
	definition, of := s.c.copy(first.node)
	name := s.c.freshName()
	s.definitions = append(s.definitions, logical.Definition{Name: name, Label: "shared", Input: definition})
	s.refer(first.node, name, func(id logical.ColID) logical.ColID { return of[id] })
	for _, t := range twins {
		s.refer(t.node, name, func(id logical.ColID) logical.ColID { return of[t.columns[id]] })
	}
}

// refer puts a reference in n's place, and marks the candidates below as gone.
func (s *sharer) refer(n *logical.Aggregate, name int, source func(logical.ColID) logical.ColID) {
	ref := &logical.CTERef{Name: name, IDs: n.Columns()}
	for _, id := range ref.IDs {
		ref.Source = append(ref.Source, source(id))
	}
	s.replaced[n] = ref
	for gone := range logical.Nodes(n) {
		for i := range s.candidates {
			s.candidates[i].used = s.candidates[i].used || logical.Node(s.candidates[i].node) == gone
		}
	}
}

func (s *sharer) replace(n logical.Node) logical.Node {
	if ref, ok := s.replaced[n]; ok {
		return ref
	}
	inputs := n.Inputs()
	out := make([]logical.Node, len(inputs))
	changed := false
	for i, in := range inputs {
		out[i] = s.replace(in)
		changed = changed || out[i] != in
	}
	if !changed {
		return n
	}
	return n.WithInputs(out)
}

// same compares two subtrees and gives a's column for each of b's.
func (s *sharer) same(a, b logical.Node, columns map[logical.ColID]logical.ColID) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	left, right := a.Inputs(), b.Inputs()
	for i := range left {
		if !s.same(left[i], right[i], columns) {
			return false
		}
	}
	if scan, ok := a.(*logical.Scan); ok && !sameScan(scan, b.(*logical.Scan), columns) {
		return false
	}
	ea, eb := logical.Exprs(a), logical.Exprs(b)
	if len(ea) != len(eb) {
		return false
	}
	for i := range ea {
		if !ea[i].Type().Equal(eb[i].Type()) || !expr.Same(ea[i], s.c.rename(eb[i], columns)) {
			return false
		}
	}
	switch a := a.(type) {
	case *logical.Project:
		return pair(a.Columns(), b.Columns(), columns)
	case *logical.Join:
		other := b.(*logical.Join)
		if a.MarkID != 0 {
			columns[other.MarkID] = a.MarkID
		}
		return a.Kind == other.Kind && a.NullAware == other.NullAware && !a.Dependent && !other.Dependent && (a.Condition == nil) == (other.Condition == nil)
	case *logical.Aggregate:
		return sameAggregate(a, b.(*logical.Aggregate), columns)
	}
	return true
}

func pair(a, b []logical.ColID, columns map[logical.ColID]logical.ColID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		columns[b[i]] = a[i]
	}
	return true
}

func sameScan(a, b *logical.Scan, columns map[logical.ColID]logical.ColID) bool {
	return sameTable(a.Table, b.Table) && slices.Equal(a.Ordinals, b.Ordinals) && maps.Equal(a.Options, b.Options) && a.Limit == b.Limit &&
		(a.Filter == nil) == (b.Filter == nil) && pair(a.IDs, b.IDs, columns)
}

func sameTable(a, b *connectors.Table) bool {
	return a == b || a.Connector == b.Connector && a.Schema == b.Schema && a.Name == b.Name && a.ID == b.ID && bytes.Equal(a.Handle, b.Handle)
}

func sameAggregate(a, b *logical.Aggregate, columns map[logical.ColID]logical.ColID) bool {
	are := func(a, b []logical.ColID) bool {
		return slices.EqualFunc(a, b, func(x, y logical.ColID) bool { return columns[y] == x })
	}
	if a.Phase != b.Phase || !are(a.Keys, b.Keys) || len(a.Calls) != len(b.Calls) || !reflect.DeepEqual(a.Sets, b.Sets) || (a.SetID == 0) != (b.SetID == 0) {
		return false
	}
	for i := range a.Calls {
		x, y := &a.Calls[i], &b.Calls[i]
		if x.Function != y.Function || x.Distinct != y.Distinct || !x.Type.Equal(y.Type) || !slices.EqualFunc(x.ArgTypes, y.ArgTypes, types.Type.Equal) || !are(x.Args, y.Args) || columns[y.Filter] != x.Filter ||
			!slices.EqualFunc(x.OrderBy, y.OrderBy, func(p, q logical.SortKey) bool {
				return columns[q.Column] == p.Column && p.Descending == q.Descending && p.NullsFirst == q.NullsFirst
			}) {
			return false
		}
	}
	return pair(a.Columns(), b.Columns(), columns)
}
