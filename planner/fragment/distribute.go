package fragment

import (
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Env is what distributing a plan needs to know.
type Env struct {
	Registry *fn.Registry
	// Tasks is the number of workers that spread fragments run on.
	Tasks int
	// Spreads tells whether tables of a connector's schema can be read and written on any node.
	Spreads func(connector, schema string) bool
	// BroadcastBytes bounds what a join's build side may be expected to take when every worker gets
	// all of it; 0 is 64 MiB.
	BroadcastBytes float64
}

// placement says where a node's rows are.
type placement struct {
	single bool
	// keys, of rows that are spread: rows equal in all these output columns are in one task, namely
	// the one that an Exchange Hash with these keys in this order would choose. Nil: rows are anywhere.
	keys []int
}

var (
	onCoordinator = placement{single: true}
	anywhere      = placement{}
)

// Plan is a plan with Exchanges in it.
type Plan struct {
	Root  plan.Node
	tasks int
	at    map[plan.Node]placement
}

// Distribute puts Exchanges into a plan, so that its root runs on the coordinator. The plan must
// have been made by the physical planner; the result shares nodes with it. Nodes are numbered anew.
func Distribute(root plan.Node, env Env) (*Plan, error) {
	if env.BroadcastBytes == 0 {
		env.BroadcastBytes = 64 << 20
	}
	d := &distributor{env: env, at: map[plan.Node]placement{}, shared: map[int]placement{}}
	n, err := d.place(root)
	if err != nil {
		return nil, err
	}
	n = d.gather(n)
	plan.Number(n)
	return &Plan{Root: n, tasks: env.Tasks, at: d.at}, nil
}

type distributor struct {
	env    Env
	at     map[plan.Node]placement
	shared map[int]placement // of definitions, by name
}

func (d *distributor) put(n plan.Node, p placement) plan.Node {
	d.at[n] = p
	return n
}

// place gives the node with Exchanges below it, and notes its placement. The switch names every kind
// of node.
func (d *distributor) place(n plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.Scan:
		if d.env.Spreads(n.Scan.Connector, n.Scan.Schema) && !d.atSession(n.Filter) {
			return d.put(n.WithInputs(nil), anywhere), nil
		}
		return d.put(n.WithInputs(nil), onCoordinator), nil
	case *plan.Values:
		return d.put(n.WithInputs(nil), onCoordinator), nil
	case *plan.Shared:
		p, ok := d.shared[n.Name]
		if !ok {
			return nil, sqlerr.Internal("common table expression %d is not in scope", n.Name)
		}
		return d.put(n.WithInputs(nil), p), nil
	case *plan.With:
		return d.with(n)
	case *plan.Recursive:
		return d.whole(n), nil
	case *plan.HashJoin:
		return d.hashJoin(n)
	case *plan.NestedLoopJoin:
		return d.nestedLoopJoin(n)
	case *plan.Union:
		return d.union(n)
	case *plan.Exchange:
		return nil, sqlerr.Internal("the plan is distributed already")
	}
	in, err := d.place(n.Inputs()[0])
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *plan.Filter:
		return d.local(n, in, []expr.Expr{n.Predicate}, d.at[in].keys), nil
	case *plan.Project:
		return d.local(n, in, n.Exprs, projected(n, d.at[in].keys)), nil
	case *plan.Expand:
		keys := d.at[in].keys
		if slices.ContainsFunc(keys, func(k int) bool { return slices.Contains(n.Keys, k) }) {
			keys = nil
		}
		return d.local(n, in, nil, keys), nil
	case *plan.Unnest:
		return d.unnest(n, in), nil
	case *plan.Write:
		if !d.env.Spreads(n.Target.Connector, n.Target.Schema) {
			in = d.gather(in)
		}
		return d.local(n, in, nil, nil), nil
	case *plan.Aggregate:
		return d.aggregate(n, in), nil
	case *plan.Sort:
		return d.sort(n, in), nil
	case *plan.TopN:
		return d.topN(n, in), nil
	case *plan.Limit:
		return d.limit(n, in), nil
	case *plan.Window:
		return d.window(n, in), nil
	}
	return nil, sqlerr.Internal("no placement for plan node %T", n)
}

// local runs n where its input is: on the coordinator if an expression has to. keys are where the
// input's keys stand in n's output.
func (d *distributor) local(n, in plan.Node, exprs []expr.Expr, keys []int) plan.Node {
	if slices.ContainsFunc(exprs, d.atSession) {
		in = d.gather(in)
	}
	p := d.at[in]
	p.keys = nil
	if !p.single {
		p.keys = keys
	}
	return d.put(n.WithInputs([]plan.Node{in}), p)
}

func (d *distributor) unnest(n *plan.Unnest, in plan.Node) plan.Node {
	var exprs []expr.Expr
	for _, f := range n.Functions {
		if d.functionAtSession(f.Function) {
			in = d.gather(in)
		}
		exprs = append(exprs, f.Args...)
	}
	return d.local(n, in, exprs, d.at[in].keys)
}

// projected tells where a projection gives the keys of its input; nil if it does not give all.
func projected(n *plan.Project, keys []int) []int {
	var out []int
	for _, k := range keys {
		at := slices.IndexFunc(n.Exprs, func(e expr.Expr) bool {
			c, ok := e.(*expr.Column)
			return ok && int(c.ID) == k
		})
		if at < 0 {
			return nil
		}
		out = append(out, at)
	}
	return out
}

// atSession tells whether an expression can be evaluated only where the session is.
func (d *distributor) atSession(e expr.Expr) bool {
	found := false
	if e != nil {
		expr.Walk(e, func(x expr.Expr) bool {
			switch x := x.(type) {
			case *expr.Call:
				found = found || d.functionAtSession(x.Function)
			case *expr.Cast:
				found = found || namesObjects(x.To) || namesObjects(x.Arg.Type())
			}
			return !found
		})
	}
	return found
}

// namesObjects tells whether values of a type are shown and read by looking names up in the catalog.
func namesObjects(t types.Type) bool {
	switch t.Kind {
	case types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return true
	}
	return false
}

func (d *distributor) functionAtSession(id uint32) bool {
	o := d.env.Registry.Overload(id)
	return o == nil || o.AtSession
}

// exchange moves the rows of n. The placement of Gather and Merge is the coordinator.
func (d *distributor) exchange(n plan.Node, kind plan.ExchangeKind, keys []int, order []plan.SortKey) plan.Node {
	x := &plan.Exchange{Input: n, Kind: kind, Keys: keys, Order: order}
	x.Out, x.Rows, x.Cost = n.Schema(), n.Head().Rows, n.Head().Cost
	p := anywhere
	switch kind {
	case plan.Gather, plan.Merge:
		p = onCoordinator
	case plan.Hash:
		p.keys = keys
	}
	return d.put(x, p)
}

// gather brings rows to the coordinator.
func (d *distributor) gather(n plan.Node) plan.Node {
	if d.at[n].single {
		return n
	}
	return d.exchange(n, plan.Gather, nil, nil)
}

// together brings rows that are equal in the columns to one task.
func (d *distributor) together(n plan.Node, columns []int) plan.Node {
	p := d.at[n]
	if p.single || len(p.keys) > 0 && subset(p.keys, columns) {
		return n
	}
	if len(columns) == 0 {
		return d.gather(n)
	}
	return d.exchange(n, plan.Hash, slices.Clone(columns), nil)
}

func subset(a, b []int) bool {
	return !slices.ContainsFunc(a, func(x int) bool { return !slices.Contains(b, x) })
}

func (d *distributor) sort(n *plan.Sort, in plan.Node) plan.Node {
	sorted := d.put(n.WithInputs([]plan.Node{in}), placement{single: d.at[in].single, keys: d.at[in].keys})
	if d.at[in].single {
		return sorted
	}
	return d.exchange(sorted, plan.Merge, nil, n.Keys)
}

// topN takes the first rows of every task, and of those the first.
func (d *distributor) topN(n *plan.TopN, in plan.Node) plan.Node {
	if d.at[in].single {
		return d.put(n.WithInputs([]plan.Node{in}), onCoordinator)
	}
	if n.Limit < 0 || n.Limit > math.MaxInt64-n.Offset {
		sorted := &plan.Sort{Header: n.Header, Input: in, Keys: n.Keys}
		d.put(sorted, d.at[in])
		return d.put(n.WithInputs([]plan.Node{d.exchange(sorted, plan.Merge, nil, n.Keys)}), onCoordinator)
	}
	first := n.WithInputs([]plan.Node{in}).(*plan.TopN)
	first.Limit, first.Offset = n.Limit+n.Offset, 0
	d.put(first, anywhere)
	last := n.WithInputs([]plan.Node{d.exchange(first, plan.Merge, nil, n.Keys)}).(*plan.TopN)
	last.Filter = nil // the first ones publish it
	return d.put(last, onCoordinator)
}

func (d *distributor) limit(n *plan.Limit, in plan.Node) plan.Node {
	if d.at[in].single {
		return d.put(n.WithInputs([]plan.Node{in}), onCoordinator)
	}
	if n.Limit >= 0 && n.Limit <= math.MaxInt64-n.Offset {
		first := n.WithInputs([]plan.Node{in}).(*plan.Limit)
		first.Limit, first.Offset = n.Limit+n.Offset, 0
		in = d.put(first, anywhere)
	}
	return d.put(n.WithInputs([]plan.Node{d.gather(in)}), onCoordinator)
}

func (d *distributor) window(n *plan.Window, in plan.Node) plan.Node {
	in = d.together(in, n.Partition)
	return d.put(n.WithInputs([]plan.Node{in}), d.at[in])
}

// union spreads its inputs if one of them is spread.
func (d *distributor) union(n *plan.Union) (plan.Node, error) {
	inputs := make([]plan.Node, len(n.All))
	p := placement{single: true}
	for i, input := range n.All {
		in, err := d.place(input)
		if err != nil {
			return nil, err
		}
		inputs[i] = in
		p.single = p.single && d.at[in].single
	}
	if !p.single {
		for i, in := range inputs {
			if d.at[in].single {
				inputs[i] = d.exchange(in, plan.RoundRobin, nil, nil)
			}
			if i == 0 {
				p.keys = d.at[inputs[i]].keys
			} else if !slices.Equal(p.keys, d.at[inputs[i]].keys) {
				p.keys = nil
			}
		}
	}
	return d.put(n.WithInputs(inputs), p), nil
}
