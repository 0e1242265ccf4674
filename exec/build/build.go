package build

import (
	"github.com/tarnlake/tarn/exec/aggregate"
	"github.com/tarnlake/tarn/exec/join"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/order"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Build makes the pipelines that run a plan; the last one ends in output.
func Build(root plan.Node, environment *pipeline.Environment, stats *pipeline.Stats, output pipeline.Sink) ([]*pipeline.Pipeline, error) {
	return build(root, environment, stats, output, op.NewDynamicFilters(), false)
}

// Fragment is Build for a part of a plan: what its joins learn goes to filters, where it also finds
// what other parts have learnt.
func Fragment(root plan.Node, environment *pipeline.Environment, stats *pipeline.Stats, output pipeline.Sink, filters *op.DynamicFilters) ([]*pipeline.Pipeline, error) {
	return build(root, environment, stats, output, filters, true)
}

func build(root plan.Node, environment *pipeline.Environment, stats *pipeline.Stats, output pipeline.Sink,
	filters *op.DynamicFilters, foreign bool) ([]*pipeline.Pipeline, error) {
	b := &builder{environment: environment, stats: stats, shared: map[int]*definition{}, filters: filters, foreign: foreign,
		publishers: map[int]*pipeline.Pipeline{}}
	if foreign {
		b.root = root
	}
	f, err := b.flow(root)
	if err != nil {
		b.abandon()
		return nil, err
	}
	b.end(f, b.node(root), output)
	b.connect()
	return b.pipelines, nil
}

type builder struct {
	root        plan.Node // of a fragment
	environment *pipeline.Environment
	stats       *pipeline.Stats
	pipelines   []*pipeline.Pipeline
	shared      map[int]*definition
	filters     *op.DynamicFilters
	foreign     bool                       // filters that no node here publishes come from other tasks
	publishers  map[int]*pipeline.Pipeline // by filter: after it the filter is complete; nil: filters that grow all the time
	scans       []scanUse
}

// definition is a common sub-plan, or a recursion's working table.
type definition struct {
	plan     plan.Node
	result   *op.Materialize    // once built
	pipeline *pipeline.Pipeline // that fills result; nil in rounds of a recursion, where it has run
	working  *spill.Buffer
}

// abandon closes what was built before an error.
func (b *builder) abandon() {
	for _, p := range b.pipelines {
		for _, branch := range p.Branches {
			_ = branch.Source.Close()
		}
		for _, stage := range p.Stages {
			_ = stage.Operator.Close()
		}
		_ = p.Sink.Close()
	}
}

func (b *builder) node(n plan.Node) *pipeline.NodeStats {
	return b.stats.Node(n.Head().ID, Name(n))
}

func columns(n plan.Node) []types.Type { return n.Schema().Types() }

// flow builds a node and gives the flow of its rows. The switch names every kind of node.
func (b *builder) flow(n plan.Node) (*flow, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return b.scan(n)
	case *plan.Values:
		return b.begin(b.node(n), op.NewValues(n.Rows, columns(n)), true), nil
	case *plan.Filter:
		return b.stage(n, n.Input, op.NewFilter(n.Predicate, columns(n.Input)))
	case *plan.Project:
		return b.stage(n, n.Input, op.NewProject(n.Exprs, columns(n.Input)))
	case *plan.Expand:
		return b.stage(n, n.Input, op.NewExpand(n.Keys, n.Sets))
	case *plan.Aggregate:
		return b.aggregate(n)
	case *plan.HashJoin:
		return b.hashJoin(n)
	case *plan.NestedLoopJoin:
		return b.nestedLoopJoin(n)
	case *plan.Sort:
		return b.sort(n)
	case *plan.TopN:
		return b.topN(n)
	case *plan.Limit:
		return b.stage(n, n.Input, op.NewLimit(n.Limit, n.Offset))
	case *plan.Window:
		return b.window(n)
	case *plan.Union:
		return b.union(n)
	case *plan.Unnest:
		return b.stage(n, n.Input, op.NewUnnest(n.Functions, n.Ordinality, n.Outer, columns(n.Input)))
	case *plan.With:
		return b.with(n)
	case *plan.Shared:
		return b.read(n)
	case *plan.Recursive:
		return b.recursive(n)
	case *plan.Write:
		return b.write(n)
	case *plan.Exchange:
		return b.exchange(n)
	}
	return nil, sqlerr.Internal("no operator for plan node %T", n)
}

// Name is what EXPLAIN ANALYZE and error messages call a node.
func Name(n plan.Node) string {
	switch n.(type) {
	case *plan.Scan:
		return "Scan"
	case *plan.Values:
		return "Values"
	case *plan.Filter:
		return "Filter"
	case *plan.Project:
		return "Project"
	case *plan.Expand:
		return "Expand"
	case *plan.Aggregate:
		return "Aggregate"
	case *plan.HashJoin:
		return "Hash Join"
	case *plan.NestedLoopJoin:
		return "Nested Loop Join"
	case *plan.Sort:
		return "Sort"
	case *plan.TopN:
		return "Top-N"
	case *plan.Limit:
		return "Limit"
	case *plan.Window:
		return "Window"
	case *plan.Union:
		return "Union"
	case *plan.Unnest:
		return "Unnest"
	case *plan.With:
		return "With"
	case *plan.Shared:
		return "Shared"
	case *plan.Recursive:
		return "Recursive"
	case *plan.Write:
		return "Write"
	case *plan.Exchange:
		return "Exchange"
	}
	return ""
}

// stage builds a streaming node.
func (b *builder) stage(n, input plan.Node, operator pipeline.Operator) (*flow, error) {
	f, err := b.flow(input)
	if err != nil {
		return nil, err
	}
	f.stage(b.node(n), operator, true)
	return f, nil
}

func (b *builder) scan(n *plan.Scan) (*flow, error) {
	source, err := op.NewScan(n, b.environment, b.node(n))
	if err != nil {
		return nil, err
	}
	if len(n.Dynamic) > 0 {
		b.scans = append(b.scans, scanUse{source, n.Dynamic})
	}
	return b.begin(b.node(n), source, true), nil
}

func (b *builder) aggregate(n *plan.Aggregate) (*flow, error) {
	f, err := b.flow(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Phase == plan.Finish {
		f.stage(b.node(n), aggregate.NewFinish(n, columns(n.Input)), true)
		return f, nil
	}
	if n == b.root && n.Phase.GivesStates() && len(n.Keys) > 0 { // whoever reads the fragment puts groups together
		operator, err := aggregate.NewEarly(n, columns(n.Input), b.environment, b.node(n))
		if err != nil {
			return nil, err
		}
		f.stage(b.node(n), operator, true)
		return f, nil
	}
	sink, err := aggregate.New(n, columns(n.Input), b.environment, b.node(n))
	if err != nil {
		return nil, err
	}
	return b.begin(b.node(n), sink.Groups(), true, b.end(f, b.node(n), sink)), nil
}

func (b *builder) hashJoin(n *plan.HashJoin) (*flow, error) {
	right, err := b.flow(n.Right)
	if err != nil {
		return nil, err
	}
	shape := op.NewJoinShape(n.Kind, columns(n.Left), columns(n.Right), n.Output)
	nullEqual := n.NullEqual
	if nullEqual == nil {
		nullEqual = make([]bool, len(n.LeftKeys))
	}
	spec := join.Spec{Shape: shape, LeftKeys: n.LeftKeys, RightKeys: n.RightKeys, NullEqual: nullEqual,
		Residual: n.Residual, NullAware: n.NullAware}
	for _, f := range n.Filters {
		spec.Publish = append(spec.Publish, join.Publish{Key: f.Key, Filter: b.filters.Get(f.Filter)})
	}
	joined, err := join.New(spec, b.environment, b.node(n))
	if err != nil {
		return nil, err
	}
	build := b.end(right, b.node(n), joined)
	for _, f := range n.Filters {
		b.publishers[f.Filter] = build
	}
	left, err := b.flow(n.Left)
	if err != nil {
		return nil, err
	}
	left.after(build)
	left.stage(b.node(n), joined.Probe(), true)
	if joined.NeedsRest() {
		left.branch(b.node(n), joined.Rest(), true, true)
	}
	return left, nil
}

func (b *builder) nestedLoopJoin(n *plan.NestedLoopJoin) (*flow, error) {
	right, err := b.flow(n.Right)
	if err != nil {
		return nil, err
	}
	kept := op.NewMaterialize(columns(n.Right), b.environment, b.node(n))
	build := b.end(right, b.node(n), kept)
	left, err := b.flow(n.Left)
	if err != nil {
		return nil, err
	}
	shape := op.NewJoinShape(n.Kind, columns(n.Left), columns(n.Right), n.Output)
	loop := op.NewNestedLoopJoin(shape, n.Condition, n.NullAware, kept)
	left.after(build)
	left.stage(b.node(n), loop, true)
	if shape.MarksRight() {
		left.branch(b.node(n), loop.RightRows(), true, true)
	}
	return left, nil
}

func (b *builder) sort(n *plan.Sort) (*flow, error) {
	f, err := b.flow(n.Input)
	if err != nil {
		return nil, err
	}
	return b.sorted(n, f, n.Keys), nil
}

// sorted ends a flow in a sort; what follows runs on one driver, in order.
func (b *builder) sorted(n plan.Node, f *flow, keys []plan.SortKey) *flow {
	sink := order.NewSort(keys, columns(n), b.environment, b.node(n))
	out := b.begin(b.node(n), sink.Rows(), true, b.end(f, b.node(n), sink))
	out.pipeline.Drivers = 1
	return out
}

func (b *builder) topN(n *plan.TopN) (*flow, error) {
	f, err := b.flow(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Limit < 0 || n.Limit > order.LargestTopN || n.Offset > order.LargestTopN-n.Limit {
		if n.WithTies {
			return nil, sqlerr.New(sqlerr.FeatureNotSupported, "FETCH FIRST … WITH TIES of more than %d rows is not supported", order.LargestTopN)
		}
		out := b.sorted(n, f, n.Keys)
		out.pipeline.Branches[0].Emits = false
		out.stage(b.node(n), op.NewLimit(n.Limit, n.Offset), true)
		return out, nil
	}
	var publish func(types.Datum)
	if n.Filter != nil {
		publish = b.threshold(n)
		b.publishers[n.Filter.Filter] = nil
	}
	sink := order.NewTopN(n, columns(n.Input), b.environment, b.node(n), publish)
	out := b.begin(b.node(n), sink.Rows(), true, b.end(f, b.node(n), sink))
	out.pipeline.Drivers = 1
	return out, nil
}

// window sorts by partition and order; what follows runs on one driver, a partition at a time.
func (b *builder) window(n *plan.Window) (*flow, error) {
	f, err := b.flow(n.Input)
	if err != nil {
		return nil, err
	}
	sink := order.NewWindow(n, columns(n.Input), b.environment, b.node(n))
	return b.begin(b.node(n), sink.Values(), true, b.end(f, b.node(n), sink)), nil
}

func (b *builder) union(n *plan.Union) (*flow, error) {
	var all *flow
	for _, input := range n.All {
		f, err := b.flow(input)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = f
		} else {
			all.join(f)
		}
	}
	if all == nil {
		return b.begin(b.node(n), op.NewValues(nil, columns(n)), true), nil
	}
	all.stage(b.node(n), op.NewPass(), true)
	return all, nil
}
