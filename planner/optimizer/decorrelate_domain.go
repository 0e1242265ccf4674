package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// domain is D, the distinct outer rows for which a correlated subtree is computed.
type domain struct {
	c     *Context
	node  logical.Node
	outer []logical.ColID // the outer columns
	ids   []logical.ColID // D's columns for them
	of    map[logical.ColID]logical.ColID
	used  bool
	// freed holds, for each definition computed per row of D, its columns that tell the row.
	freed map[int]map[logical.ColID]logical.ColID
}

// depends tells whether n must be computed for each row of D.
func (d *domain) depends(n logical.Node) bool {
	if overlaps(free(n), idSet(d.outer)) {
		return true
	}
	for below := range logical.Nodes(n) {
		if ref, ok := below.(*logical.CTERef); ok && d.freed[ref.Name] != nil {
			return true
		}
	}
	return false
}

// push gives n computed for every row of D: its columns and, for each outer column, one that holds
// the row of D it belongs to (the returned map).
func (d *domain) push(n logical.Node) (logical.Node, map[logical.ColID]logical.ColID, error) {
	if !d.depends(n) {
		node, of := d.instance()
		return &logical.Join{Kind: plan.Inner, Left: node, Right: n}, of, nil
	}
	switch n := n.(type) {
	case *logical.Scan:
		out := *n
		out.Filter = nil
		return d.push(&logical.Filter{Input: &out, Predicate: n.Filter})
	case *logical.Values:
		return d.pushValues(n)
	case *logical.Join:
		return d.pushJoin(n)
	case *logical.Aggregate:
		return d.pushAggregate(n)
	case *logical.SetOperation:
		return d.pushSet(n)
	case *logical.Limit:
		return d.pushLimit(n)
	case *logical.With:
		return d.pushWith(n)
	case *logical.CTERef:
		return d.pushRef(n)
	case *logical.Recursive:
		return nil, nil, sqlerr.New(sqlerr.FeatureNotSupported, "a recursive query that refers to columns of an outer query is not supported")
	}
	in, of, err := d.push(n.Inputs()[0])
	if err != nil {
		return nil, nil, err
	}
	return d.over(n, in, of), of, nil
}

// over puts a one-input node over its freed input, with D's columns in place of the outer ones.
func (d *domain) over(n, in logical.Node, of map[logical.ColID]logical.ColID) logical.Node {
	renamed := mapNodeExprs(n, func(e expr.Expr) expr.Expr { return d.c.rename(e, of) })
	extra := d.list(of)
	switch n := renamed.(type) {
	case *logical.Project:
		out := &logical.Project{Input: in, Exprs: append([]logical.Computed(nil), n.Exprs...)}
		have := idSet(n.Columns())
		for _, id := range extra {
			if !have[id] {
				out.Exprs = append(out.Exprs, logical.Computed{ID: id, Expr: d.c.Plan.Columns.Ref(id)})
			}
		}
		return out
	case *logical.Window:
		out := *n
		out.Input, out.Partition = in, append(append([]logical.ColID(nil), n.Partition...), extra...)
		return &out
	case *logical.DistinctOn:
		out := *n
		out.Input, out.Keys = in, append(append([]logical.ColID(nil), n.Keys...), extra...)
		return &out
	}
	return renamed.WithInputs([]logical.Node{in})
}

func (d *domain) list(of map[logical.ColID]logical.ColID) []logical.ColID {
	out := make([]logical.ColID, len(d.outer))
	for i, id := range d.outer {
		out[i] = of[id]
	}
	return out
}

// instance gives D under columns of its own: the first time its original ones.
func (d *domain) instance() (logical.Node, map[logical.ColID]logical.ColID) {
	of := map[logical.ColID]logical.ColID{}
	if !d.used {
		d.used = true
		for i, id := range d.outer {
			of[id] = d.ids[i]
		}
		return d.node, of
	}
	original := d.node.(*logical.Aggregate)
	ref := original.Input.(*logical.CTERef)
	fresh := &logical.CTERef{Name: ref.Name, Source: ref.Source}
	for i, id := range d.outer {
		info := d.c.Plan.Columns.Info(ref.IDs[i])
		new := d.c.Plan.Columns.Add(info.Name, info.Type, true)
		fresh.IDs = append(fresh.IDs, new)
		of[id] = new
	}
	return &logical.Aggregate{Input: fresh, Keys: fresh.IDs, KeyIDs: fresh.IDs}, of
}

// joinOn joins two subtrees on the equality of their rows of D.
func (d *domain) joinOn(kind plan.JoinKind, left logical.Node, ofLeft map[logical.ColID]logical.ColID, right logical.Node, ofRight map[logical.ColID]logical.ColID, condition expr.Expr) *logical.Join {
	conjuncts := expr.Conjuncts(condition)
	for _, id := range d.outer {
		conjuncts = append(conjuncts, &expr.Compare{Op: expr.NotDistinct, Left: d.c.Plan.Columns.Ref(ofLeft[id]), Right: d.c.Plan.Columns.Ref(ofRight[id])})
	}
	return &logical.Join{Kind: kind, Left: left, Right: right, Condition: expr.Conjoin(conjuncts)}
}

func (d *domain) pushValues(n *logical.Values) (logical.Node, map[logical.ColID]logical.ColID, error) {
	if len(n.Rows) == 1 {
		node, of := d.instance()
		p := &logical.Project{Input: node}
		for i, id := range n.IDs {
			p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: d.c.rename(n.Rows[0][i], of)})
		}
		for _, id := range d.list(of) {
			p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: d.c.Plan.Columns.Ref(id)})
		}
		return p, of, nil
	}
	set := &logical.SetOperation{Kind: logical.Union, All: true, IDs: n.IDs}
	for _, row := range n.Rows {
		one := &logical.Values{Rows: [][]expr.Expr{row}}
		for _, id := range n.IDs {
			info := d.c.Plan.Columns.Info(id)
			one.IDs = append(one.IDs, d.c.Plan.Columns.Add(info.Name, info.Type, true))
		}
		set.In, set.Arms = append(set.In, one), append(set.Arms, one.IDs)
	}
	return d.pushSet(set)
}

func (d *domain) pushJoin(n *logical.Join) (logical.Node, map[logical.ColID]logical.ColID, error) {
	outer := idSet(d.outer)
	inCondition := overlaps(columnsOf(n.Condition), outer)
	leftFree, rightFree := d.depends(n.Left), d.depends(n.Right)
	if n.Kind == plan.Inner && !leftFree && rightFree { // the left side is the same for every row of D
		right, of, err := d.push(n.Right)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Join{Kind: plan.Inner, Left: n.Left, Right: right, Condition: d.c.rename(n.Condition, of)}, of, nil
	}
	if n.Kind == plan.Full || n.Kind == plan.Right && (inCondition || leftFree) {
		return d.pushOuter(n)
	}
	if n.Kind == plan.Right {
		right, of, err := d.push(n.Right)
		if err != nil {
			return nil, nil, err
		}
		out := *n
		out.Right = right
		return &out, of, nil
	}
	left, of, err := d.push(n.Left)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	out.Left, out.Condition = left, d.c.rename(n.Condition, of)
	if !rightFree {
		return &out, of, nil
	}
	right, ofRight, err := d.push(n.Right)
	if err != nil {
		return nil, nil, err
	}
	joined := d.joinOn(n.Kind, left, of, right, ofRight, out.Condition)
	joined.MarkID, joined.NullAware = n.MarkID, n.NullAware
	return joined, of, nil
}

// pushOuter computes both sides for D; for FULL the row of D is whichever side has it.
func (d *domain) pushOuter(n *logical.Join) (logical.Node, map[logical.ColID]logical.ColID, error) {
	left, ofLeft, err := d.push(n.Left)
	if err != nil {
		return nil, nil, err
	}
	right, ofRight, err := d.push(n.Right)
	if err != nil {
		return nil, nil, err
	}
	condition := d.c.rename(n.Condition, ofRight)
	joined := d.joinOn(n.Kind, left, ofLeft, right, ofRight, condition)
	if n.Kind == plan.Right {
		return joined, ofRight, nil
	}
	p := &logical.Project{Input: joined}
	for _, id := range n.Columns() {
		p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: d.c.Plan.Columns.Ref(id)})
	}
	of := map[logical.ColID]logical.ColID{}
	for _, id := range d.outer {
		info := d.c.Plan.Columns.Info(id)
		of[id] = d.c.Plan.Columns.Add(info.Name, info.Type, true)
		p.Exprs = append(p.Exprs, logical.Computed{ID: of[id], Expr: &expr.Coalesce{
			Args: []expr.Expr{d.c.Plan.Columns.Ref(ofLeft[id]), d.c.Plan.Columns.Ref(ofRight[id])}, T: info.Type}})
	}
	return p, of, nil
}

// pushAggregate groups by D's columns too. Without keys every row of D has its group, empty or not.
func (d *domain) pushAggregate(n *logical.Aggregate) (logical.Node, map[logical.ColID]logical.ColID, error) {
	in, of, err := d.push(n.Input)
	if err != nil {
		return nil, nil, err
	}
	extra := d.list(of)
	out := *n
	out.Input = in
	out.Keys = append(append([]logical.ColID(nil), n.Keys...), extra...)
	out.KeyIDs = append(append([]logical.ColID(nil), n.KeyIDs...), extra...)
	if len(n.Sets) > 0 {
		out.Sets = make([][]int, len(n.Sets))
		for i, set := range n.Sets {
			out.Sets[i] = append([]int(nil), set...)
			for k := range extra {
				out.Sets[i] = append(out.Sets[i], len(n.Keys)+k)
			}
		}
		fresh := map[logical.ColID]logical.ColID{}
		for k, id := range d.outer {
			info := d.c.Plan.Columns.Info(id)
			fresh[id] = d.c.Plan.Columns.Add(info.Name, info.Type, true)
			out.KeyIDs[len(n.KeyIDs)+k] = fresh[id]
		}
		return &out, fresh, nil
	}
	if len(n.Keys) > 0 {
		return &out, of, nil
	}
	node, fresh := d.instance()
	calls, repairs := d.c.countsInside(n.Calls)
	out.Calls = calls
	var joined logical.Node = d.joinOn(plan.Left, node, fresh, &out, of, nil)
	if len(repairs) > 0 {
		joined = d.c.repairMissing(joined, repairs)
	}
	return joined, fresh, nil
}

func (d *domain) pushSet(n *logical.SetOperation) (logical.Node, map[logical.ColID]logical.ColID, error) {
	out := *n
	out.In, out.Arms = make([]logical.Node, len(n.In)), make([][]logical.ColID, len(n.In))
	for i, arm := range n.In {
		in, of, err := d.push(arm)
		if err != nil {
			return nil, nil, err
		}
		out.In[i] = in
		out.Arms[i] = append(append([]logical.ColID(nil), n.Arms[i]...), d.list(of)...)
	}
	of := map[logical.ColID]logical.ColID{}
	out.IDs = append([]logical.ColID(nil), n.IDs...)
	for _, id := range d.outer {
		info := d.c.Plan.Columns.Info(id)
		of[id] = d.c.Plan.Columns.Add(info.Name, info.Type, true)
		out.IDs = append(out.IDs, of[id])
	}
	return &out, of, nil
}

// pushLimit numbers the rows of each row of D and keeps the first ones.
func (d *domain) pushLimit(n *logical.Limit) (logical.Node, map[logical.ColID]logical.ColID, error) {
	rowNumber := d.c.Registry.ByName("row_number")
	if len(rowNumber) == 0 || n.WithTies {
		return nil, nil, sqlerr.New(sqlerr.FeatureNotSupported, "WITH TIES is not supported in a correlated subquery")
	}
	below, order := n.Input, []logical.SortKey(nil)
	if s, ok := below.(*logical.Sort); ok {
		below, order = s.Input, s.Keys
	}
	in, of, err := d.push(below)
	if err != nil {
		return nil, nil, err
	}
	bigint := types.Of(types.Int64)
	id := d.c.Plan.Columns.Add("row_number", bigint, false)
	w := &logical.Window{Input: in, Partition: d.list(of), Order: order, Calls: []logical.WindowCall{{
		AggregateCall: logical.AggregateCall{ID: id, Function: rowNumber[0].ID, Name: "row_number", Type: bigint},
		Frame:         plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}}}}
	var conjuncts []expr.Expr
	number := d.c.Plan.Columns.Ref(id)
	offset := &expr.Literal{Value: types.IntDatum(0), T: bigint}
	if n.Offset != nil {
		value, err := d.c.Fold(n.Offset)
		if err != nil {
			return nil, nil, err
		}
		offset.Value = types.IntDatum(value.I64)
		conjuncts = append(conjuncts, &expr.Compare{Op: expr.Greater, Left: number, Right: offset})
	}
	if n.Limit != nil {
		value, err := d.c.Fold(n.Limit)
		if err != nil {
			return nil, nil, err
		}
		if !value.Null {
			last := &expr.Literal{Value: types.IntDatum(offset.Value.I64 + value.I64), T: bigint}
			conjuncts = append(conjuncts, &expr.Compare{Op: expr.LessEqual, Left: number, Right: last})
		}
	}
	return d.c.stay(w, conjuncts), of, nil
}

// pushWith computes the definitions that need it per row of D; references to them then tell the row.
func (d *domain) pushWith(n *logical.With) (logical.Node, map[logical.ColID]logical.ColID, error) {
	out := &logical.With{Definitions: append([]logical.Definition(nil), n.Definitions...)}
	for i, definition := range n.Definitions {
		if !d.depends(definition.Input) {
			continue
		}
		in, of, err := d.push(definition.Input)
		if err != nil {
			return nil, nil, err
		}
		if d.freed == nil {
			d.freed = map[int]map[logical.ColID]logical.ColID{}
		}
		d.freed[definition.Name] = of
		out.Definitions[i].Input = in
	}
	body, of, err := d.push(n.Body)
	out.Body = body
	return out, of, err
}

func (d *domain) pushRef(n *logical.CTERef) (logical.Node, map[logical.ColID]logical.ColID, error) {
	source := d.freed[n.Name]
	out := &logical.CTERef{Name: n.Name, IDs: append([]logical.ColID(nil), n.IDs...), Source: append([]logical.ColID(nil), n.Source...)}
	of := map[logical.ColID]logical.ColID{}
	for _, id := range d.outer {
		info := d.c.Plan.Columns.Info(id)
		of[id] = d.c.Plan.Columns.Add(info.Name, info.Type, true)
		out.IDs, out.Source = append(out.IDs, of[id]), append(out.Source, source[id])
	}
	return out, of, nil
}
