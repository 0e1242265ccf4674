package optimizer

import (
	"cmp"
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// cascadeGroupingSets reads the input of ROLLUP, CUBE and GROUPING SETS once: it is grouped by all
// keys into partial states, and every set is made of those of the smallest set that has its keys.
//
//	Aggregate sets {a,b} {a} {} ─▶ With 1 = Partial (a,b) over the input
//	                                    2 = Combine (a) over 1
//	                               Union ALL (Finish over 1, Finish over 2, Final () over 2)
//
// The set () needs no care: an aggregation without keys gives its row even when there are none.
//
// What depends on outer rows is left alone: it has yet to be decorrelated.
func cascadeGroupingSets(c *Context) error {
	var correlated map[int]bool
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		aggregate, ok := n.(*logical.Aggregate)
		if !ok || !worthCascading(aggregate) {
			return n, nil
		}
		if correlated == nil {
			correlated = c.correlatedNames()
		}
		if dependsOn(aggregate, correlated) {
			return n, nil
		}
		partial, final, ok := c.inSteps(aggregate.Calls)
		if !ok {
			return n, nil
		}
		return c.cascade(aggregate, partial, final), nil
	})
}

// correlatedNames lists the common table expressions that depend on outer rows.
func (c *Context) correlatedNames() map[int]bool {
	names := map[int]bool{}
	for before := -1; before < len(names); {
		before = len(names)
		for n := range logical.Nodes(c.Plan.Root) {
			if with, ok := n.(*logical.With); ok {
				for _, d := range with.Definitions {
					if !names[d.Name] && dependsOn(d.Input, names) {
						names[d.Name] = true
					}
				}
			}
		}
	}
	return names
}

// dependsOn tells whether n reads columns from outside or one of the named expressions.
func dependsOn(n logical.Node, names map[int]bool) bool {
	if len(free(n)) > 0 {
		return true
	}
	for below := range logical.Nodes(n) {
		if ref, ok := below.(*logical.CTERef); ok && names[ref.Name] {
			return true
		}
	}
	return false
}

// worthCascading: grouping by all keys is one of the sets, or saves reading the input several times.
func worthCascading(n *logical.Aggregate) bool {
	if len(n.Sets) < 2 || len(n.Keys) == 0 || len(idSet(n.Keys)) < len(n.Keys) {
		return false
	}
	return len(n.Sets) > 2 || slices.ContainsFunc(n.Sets, func(set []int) bool { return len(distinctKeys(set)) == len(n.Keys) })
}

func distinctKeys(set []int) []int {
	out := slices.Clone(set)
	slices.Sort(out)
	return slices.Compact(out)
}

// cascade is the rewriting of one aggregation under way.
type cascade struct {
	c      *Context
	n      *logical.Aggregate
	final  []logical.AggregateCall // over states that the reader names
	levels []*level
}

// level is a distinct set of keys and what is grouped by them.
type level struct {
	keys    []int // positions in the aggregation's keys, ascending
	groups  float64
	parent  *level // nil: the input
	read    bool   // other levels come from it
	name    int    // of its definition, if read
	columns []logical.ColID
	states  []logical.ColID
}

func (c *Context) cascade(n *logical.Aggregate, partial, final []logical.AggregateCall) logical.Node {
	k := &cascade{c: c, n: n, final: final}
	k.arrange()
	with := &logical.With{}
	for _, l := range k.levels {
		if l.parent != nil && !l.read {
			continue
		}
		l.name = c.freshName()
		var grouped *logical.Aggregate
		if l.parent == nil {
			grouped = &logical.Aggregate{Input: n.Input, Phase: plan.Partial, Keys: n.Keys, KeyIDs: n.Keys, Calls: partial}
		} else {
			ref, keys, calls := k.readStates(l.parent, l.keys)
			grouped = &logical.Aggregate{Input: ref, Phase: plan.Combine, Keys: keys, KeyIDs: keys, Calls: c.combining(calls)}
		}
		l.columns, l.states = grouped.KeyIDs, statesOf(grouped.Calls, grouped.Phase)
		with.Definitions = append(with.Definitions, logical.Definition{Name: l.name, Label: "grouping sets", Input: grouped})
	}
	union := &logical.SetOperation{Kind: logical.Union, All: true, IDs: n.Columns()}
	for number, set := range n.Sets {
		in, arm := k.result(distinctKeys(set), number)
		union.In, union.Arms = append(union.In, in), append(union.Arms, arm)
	}
	with.Body = union
	return with
}

// arrange lists the levels, all keys first, and finds for each the smallest one to come from.
func (k *cascade) arrange() {
	estimator := k.c.estimator()
	rows := estimator.Rows(k.n.Input)
	all := make([]int, len(k.n.Keys))
	for i := range all {
		all[i] = i
	}
	sets := [][]int{all}
	for _, set := range k.n.Sets {
		if set = distinctKeys(set); !slices.ContainsFunc(sets, func(s []int) bool { return slices.Equal(s, set) }) {
			sets = append(sets, set)
		}
	}
	slices.SortStableFunc(sets, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	for _, set := range sets {
		l := &level{keys: set}
		keys := make([]logical.ColID, len(set))
		for i, at := range set {
			keys[i] = k.n.Keys[at]
		}
		l.groups = estimator.Groups(keys, rows)
		for _, finer := range k.levels {
			if contained(set, finer.keys) && (l.parent == nil || finer.groups <= l.parent.groups) {
				l.parent = finer
			}
		}
		if l.parent != nil {
			l.parent.read = true
		}
		k.levels = append(k.levels, l)
	}
}

func contained(inner, outer []int) bool {
	return !slices.ContainsFunc(inner, func(x int) bool { return !slices.Contains(outer, x) })
}

// readStates reads a level's groups: the columns of keys, and the calls over its states.
func (k *cascade) readStates(l *level, keys []int) (ref *logical.CTERef, ids []logical.ColID, calls []logical.AggregateCall) {
	ref = &logical.CTERef{Name: l.name}
	read := func(source logical.ColID) logical.ColID {
		info := *k.c.Plan.Columns.Info(source)
		id := k.c.Plan.Columns.Add(info.Name, info.Type, info.Nullable)
		ref.IDs, ref.Source = append(ref.IDs, id), append(ref.Source, source)
		return id
	}
	for _, at := range keys {
		ids = append(ids, read(l.columns[slices.Index(l.keys, at)]))
	}
	of := map[logical.ColID]logical.ColID{}
	next := 0
	for _, call := range k.final {
		for _, id := range call.Args {
			of[id] = read(l.states[next])
			next++
		}
	}
	return ref, ids, reading(k.final, of)
}

// result gives the rows of one set: NULL for the keys outside it, and its number.
func (k *cascade) result(set []int, number int) (logical.Node, []logical.ColID) {
	at := slices.IndexFunc(k.levels, func(l *level) bool { return slices.Equal(l.keys, set) })
	from, phase := k.levels[at], plan.Finish
	if !from.read {
		from, phase = from.parent, plan.Final
	}
	ref, keys, calls := k.readStates(from, set)
	for i := range calls {
		info := k.c.Plan.Columns.Info(calls[i].ID)
		calls[i].ID = k.c.Plan.Columns.Add(info.Name, info.Type, info.Nullable)
	}
	grouped := &logical.Aggregate{Input: ref, Phase: phase, Keys: keys, KeyIDs: keys, Calls: calls}
	project := &logical.Project{Input: grouped}
	var arm []logical.ColID
	add := func(id logical.ColID, e expr.Expr) {
		project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: e})
		arm = append(arm, id)
	}
	literal := func(name string, v types.Datum, t types.Type) {
		add(k.c.Plan.Columns.Add(name, t, v.Null), &expr.Literal{Value: v, T: t})
	}
	for position, id := range k.n.KeyIDs {
		if i := slices.Index(set, position); i >= 0 {
			add(keys[i], k.c.Plan.Columns.Ref(keys[i]))
		} else {
			info := *k.c.Plan.Columns.Info(id)
			literal(info.Name, types.NullDatum(), info.Type)
		}
	}
	literal("grouping_set", types.IntDatum(int64(number)), types.Of(types.Int64))
	for i := range calls {
		add(calls[i].ID, k.c.Plan.Columns.Ref(calls[i].ID))
	}
	return project, arm
}
