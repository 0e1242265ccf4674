package optimizer

import (
	"maps"
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// pushAggregates groups the rows of one side of a join before the join, where that leaves far fewer
// of them: by the side's columns that the join and the grouping above read. A row of partial states
// then stands for the rows that it was made of: it has the same partners as each of them.
//
//	Aggregate (d.name) sum(f.x) ─▶ Final (d.name) sum
//	  Join f.d = d.id                Join f.d = d.id
//	    f, d                           Partial (f.d) sum(f.x) over f, d
//
// The states are those in which aggregations travel and spill, so types, overflow and NULLs are as
// before. What is computed below the join is also computed for rows that the join drops, so that it
// must not fail. (Yan and Larson, "Eager aggregation and lazy aggregation", 1995.)
func pushAggregates(c *Context) error {
	e := c.estimator()
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		aggregate, ok := n.(*logical.Aggregate)
		if !ok || aggregate.Phase != plan.Complete && aggregate.Phase != plan.Partial || len(aggregate.Sets) > 0 {
			return n, nil
		}
		for range 3 { // DISTINCT may go to several sides
			pushed, ok := c.pushAggregate(e, aggregate)
			if !ok {
				break
			}
			if aggregate = pushed; len(aggregate.Calls) > 0 {
				break
			}
		}
		return aggregate, nil
	})
}

// pushing looks for the best place for the first step of an aggregation.
type pushing struct {
	c    *Context
	e    *estimate.Estimator
	top  *logical.Aggregate
	rows float64 // that the aggregation reads
	best *earlyPlace
}

// earlyPlace is a side of a join that may be grouped, and what the way down to it found.
type earlyPlace struct {
	side  logical.Node
	way   []turn
	keys  idsSet
	args  map[logical.ColID]expr.Expr
	saved float64
}

// turn is a node on the way from the aggregation down to a place.
type turn struct {
	node  logical.Node
	input int    // that the way goes through
	keys  idsSet // columns that are read above the node, arguments aside
}

func (c *Context) pushAggregate(e *estimate.Estimator, n *logical.Aggregate) (*logical.Aggregate, bool) {
	args := map[logical.ColID]expr.Expr{}
	for _, call := range n.Calls {
		if !combines(call.Name) {
			return nil, false
		}
		for _, id := range append(slices.Clone(call.Args), call.Filter) {
			if id != 0 {
				args[id] = c.Plan.Columns.Ref(id)
			}
		}
	}
	p := &pushing{c: c, e: e, top: n, rows: e.Rows(n.Input)}
	p.descend(n.Input, idSet(n.Keys), args, nil)
	if p.best == nil {
		return nil, false
	}
	return p.rebuild()
}

// combines lists the aggregates whose states may be made of any rows: they raise no errors but those
// of the results, and copies of a state are worth copies of its rows.
func combines(name string) bool {
	switch name {
	case "count", "count_if", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "bit_and", "bit_or":
		return true
	}
	return false
}

// descend looks for places in n, of whose columns keys are read above, and arguments computed.
func (p *pushing) descend(n logical.Node, keys idsSet, args map[logical.ColID]expr.Expr, way []turn) {
	here := append(slices.Clip(way), turn{node: n, keys: keys})
	switch n := n.(type) {
	case *logical.Project:
		by, below := map[logical.ColID]expr.Expr{}, idsSet{}
		for _, x := range n.Exprs {
			if p.c.volatile(x.Expr) {
				return
			}
			by[x.ID] = x.Expr
			if keys[x.ID] {
				below = union(below, columnsOf(x.Expr))
			}
		}
		inner := make(map[logical.ColID]expr.Expr, len(args))
		for id, arg := range args {
			inner[id] = substitute(arg, by)
		}
		p.descend(n.Input, below, inner, here)
	case *logical.Filter:
		if !p.c.volatile(n.Predicate) {
			p.descend(n.Input, union(keys, columnsOf(n.Predicate)), args, here)
		}
	case *logical.Join:
		p.join(n, keys, args, here)
	}
}

func (p *pushing) join(n *logical.Join, keys idsSet, args map[logical.ColID]expr.Expr, way []turn) {
	if n.Dependent || n.Condition != nil && p.c.volatile(n.Condition) {
		return
	}
	sides := n.Inputs()
	for i, side := range sides {
		if !keepsPartners(n.Kind, i) {
			continue
		}
		columns := idSet(side.Columns())
		inside := true
		for _, arg := range args {
			inside = inside && subset(columnsOf(arg), columns)
		}
		if !inside {
			continue
		}
		below := idsSet{}
		for id := range union(keys, columnsOf(n.Condition)) {
			if columns[id] {
				below[id] = true
			}
		}
		turned := slices.Clone(way)
		turned[len(turned)-1].input = i
		p.consider(&earlyPlace{side: side, way: turned, keys: below, args: args})
		p.descend(side, below, args, turned)
	}
}

// keepsPartners tells whether a join gives each row of an input as often as the row has partners, or
// decides by them whether to give it: then rows that agree in what the condition reads fare the same.
func keepsPartners(kind plan.JoinKind, input int) bool {
	switch kind {
	case plan.Inner:
		return true
	case plan.Right:
		return input == 1
	case plan.Left, plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark, plan.Single:
		return input == 0
	}
	return false
}

// Grouping early pays where it leaves few of many rows.
const (
	leastReduction = 4.0    // rows to a group
	leastRows      = 10_000 // below that nothing costs much
	leastSaving    = 0.25   // of what is done without it
	// mostDropped is how much of the rows a join above may drop: grouped, its filters would come too
	// late, or not at all once the groups are fewer than the rows of the other side.
	mostDropped = 0.25
)

// consider remembers a place if it is the best one yet.
func (p *pushing) consider(at *earlyPlace) {
	rows := p.e.Rows(at.side)
	if rows < leastRows || len(at.keys) == 0 || !p.allowed(at) { // no keys: a row even of no rows
		return
	}
	keys := sorted(at.keys)
	groups := p.e.Groups(keys, rows)
	if groups*leastReduction > rows {
		return
	}
	without := p.rows * groupingCost(p.c, p.top.Keys, p.e.Groups(p.top.Keys, p.rows))
	for i, t := range at.way {
		if _, isJoin := t.node.(*logical.Join); !isJoin {
			continue
		}
		below := at.side
		if i+1 < len(at.way) {
			below = at.way[i+1].node
		}
		before, after := p.e.Rows(below), p.e.Rows(t.node)
		if after < before*(1-mostDropped) {
			return
		}
		without += before + after
	}
	with := without*groups/rows + rows*groupingCost(p.c, keys, groups) + groups
	if at.saved = without - with; at.saved < leastSaving*without || p.best != nil && p.best.saved >= at.saved {
		return
	}
	p.best = at
}

// groupingCost is what grouping a row costs, in rows handed through a join.
func groupingCost(c *Context, keys []logical.ColID, groups float64) float64 {
	cost := 0.5
	if len(keys) > 1 {
		cost = 1
	}
	for _, id := range keys {
		if c.Plan.Columns.Info(id).Type.Physical() == types.PhysString {
			cost += 1
		} else {
			cost += 0.25
		}
	}
	if groups > 1<<16 { // the table leaves the caches
		cost *= 4
	}
	return cost
}

// allowed tells whether grouping at a place keeps the answer and the errors, and whether its keys
// are known well enough to expect anything.
func (p *pushing) allowed(at *earlyPlace) bool {
	for id := range at.keys {
		if !identified(p.c.Plan.Columns.Info(id).Type) || !p.e.Measured(id) {
			return false
		}
	}
	for _, call := range p.top.Calls {
		if _, ok := p.c.stateTypes(call); !ok {
			return false
		}
		for _, id := range call.Args {
			if (call.Name == "sum" || call.Name == "avg") && !sumFits(at.args[id].Type()) {
				return false
			}
		}
	}
	for _, arg := range at.args {
		if !p.c.cannotFail(arg) {
			return false
		}
	}
	return !p.e.Unique(at.side, sorted(at.keys))
}

func sorted(ids idsSet) []logical.ColID {
	out := make([]logical.ColID, 0, len(ids))
	for id := range ids {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// rebuild makes the first step at the best place, the way up from it, and the second step.
func (p *pushing) rebuild() (*logical.Aggregate, bool) {
	c, at := p.c, p.best
	first := &logical.Aggregate{Phase: plan.Partial, Keys: sorted(at.keys)}
	first.KeyIDs = first.Keys
	input, columns := p.arguments(at)
	first.Input = input
	calls := slices.Clone(p.top.Calls)
	for i := range calls {
		calls[i].Args = mapped(calls[i].Args, columns)
		calls[i].Filter = columns[calls[i].Filter]
	}
	partial, last, ok := c.inSteps(calls)
	if !ok {
		return nil, false
	}
	first.Calls = partial
	states := statesOf(partial, plan.Partial)
	var n logical.Node = first
	for _, t := range slices.Backward(at.way) {
		if project, ok := t.node.(*logical.Project); ok {
			n = c.passing(project, n, t.keys, states)
			continue
		}
		inputs := slices.Clone(t.node.Inputs())
		inputs[t.input] = n
		n = t.node.WithInputs(inputs)
	}
	top := *p.top
	top.Input, top.Calls = n, last
	switch {
	case len(last) == 0:
	case top.Phase == plan.Partial:
		top.Phase = plan.Combine
	default:
		top.Phase = plan.Final
	}
	for i := range top.Calls {
		top.Calls[i].States = p.top.Calls[i].States
	}
	return &top, true
}

// arguments computes at a place what the calls read, and gives the columns that hold it.
func (p *pushing) arguments(at *earlyPlace) (logical.Node, map[logical.ColID]logical.ColID) {
	project := &logical.Project{Input: at.side}
	needed := maps.Clone(at.keys)
	columns := map[logical.ColID]logical.ColID{}
	computed := false
	for _, id := range slices.Sorted(maps.Keys(at.args)) {
		arg := at.args[id]
		if col, ok := arg.(*expr.Column); ok {
			columns[id] = col.ID
			needed[col.ID] = true
			continue
		}
		info := *p.c.Plan.Columns.Info(id)
		columns[id] = p.c.Plan.Columns.Add(info.Name, arg.Type(), info.Nullable)
		project.Exprs = append(project.Exprs, logical.Computed{ID: columns[id], Expr: arg})
		computed = true
	}
	if !computed {
		return at.side, columns
	}
	for _, id := range sorted(needed) {
		project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: p.c.Plan.Columns.Ref(id)})
	}
	return project, columns
}

// passing projects over n what n still gives of a projection's columns, and the states.
func (c *Context) passing(project *logical.Project, n logical.Node, keys idsSet, states []logical.ColID) logical.Node {
	out := &logical.Project{Input: n}
	for _, x := range project.Exprs {
		if keys[x.ID] {
			out.Exprs = append(out.Exprs, x)
		}
	}
	for _, id := range states {
		out.Exprs = append(out.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
	}
	return out
}
