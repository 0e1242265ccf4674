package physical

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// joinKey is one equality between the sides.
type joinKey struct {
	left, right expr.Expr
	nullEqual   bool
}

func (c *converter) planJoin(n *logical.Join, need columnSet) (output, error) {
	if n.Dependent {
		return output{}, sqlerr.Internal("a dependent join has reached physical planning")
	}
	n = c.chooseBuildSide(n)
	keys, residual := c.splitCondition(n)
	inside := need.withExpr(n.Condition)
	left, err := c.convert(n.Left, intersect(inside, n.Left.Columns()))
	if err != nil {
		return output{}, err
	}
	right, err := c.convert(n.Right, intersect(inside, n.Right.Columns()))
	if err != nil {
		return output{}, err
	}
	if len(keys) == 0 {
		return c.nestedLoop(n, need, left, right)
	}
	return c.hashJoin(n, need, left, right, keys, residual)
}

// chooseBuildSide exchanges the sides where the left one is expected to be clearly smaller.
func (c *converter) chooseBuildSide(n *logical.Join) *logical.Join {
	swapped := map[plan.JoinKind]plan.JoinKind{plan.Inner: plan.Inner, plan.Left: plan.Right, plan.Right: plan.Left,
		plan.Full: plan.Full, plan.Semi: plan.RightSemi, plan.Anti: plan.RightAnti}
	kind, ok := swapped[n.Kind]
	l, r := c.env.Estimate.Rows(n.Left), c.env.Estimate.Rows(n.Right)
	if !ok || l < 0 || r < 0 || l*1.1 >= r {
		return n
	}
	out := *n
	out.Kind, out.Left, out.Right = kind, n.Right, n.Left
	return &out
}

func (c *converter) splitCondition(n *logical.Join) (keys []joinKey, residual []expr.Expr) {
	left, right := idSet(n.Left.Columns()), idSet(n.Right.Columns())
	for _, conjunct := range expr.Conjuncts(n.Condition) {
		if key, ok := equality(conjunct, left, right); ok {
			keys = append(keys, key)
		} else {
			residual = append(residual, conjunct)
		}
	}
	if n.NullAware || n.Kind == plan.NullAwareAnti {
		// Only equalities can be told apart by hash: anything else needs the whole right side.
		if len(residual) > 0 || countNullable(keys) > 1 {
			return nil, nil
		}
	}
	return keys, residual
}

func countNullable(keys []joinKey) int {
	n := 0
	for _, k := range keys {
		if !k.nullEqual {
			n++
		}
	}
	return n
}

func equality(e expr.Expr, left, right columnSet) (joinKey, bool) {
	cmp, ok := e.(*expr.Compare)
	if !ok || cmp.Op != expr.Equal && cmp.Op != expr.NotDistinct {
		return joinKey{}, false
	}
	key := joinKey{cmp.Left, cmp.Right, cmp.Op == expr.NotDistinct}
	switch {
	case reads(cmp.Left, left) && reads(cmp.Right, right):
		return key, true
	case reads(cmp.Left, right) && reads(cmp.Right, left):
		key.left, key.right = key.right, key.left
		return key, true
	}
	return joinKey{}, false
}

// reads tells whether e reads columns, and only columns of side.
func reads(e expr.Expr, side columnSet) bool {
	cols := columnSet{}
	expr.Columns(e, cols)
	for id := range cols {
		if !side[id] {
			return false
		}
	}
	return len(cols) > 0
}

func (c *converter) hashJoin(n *logical.Join, need columnSet, left, right output, keys []joinKey, residual []expr.Expr) (output, error) {
	j := &plan.HashJoin{Kind: n.Kind, NullAware: n.NullAware}
	var leftExprs, rightExprs []expr.Expr
	var rightIDs []logical.ColID
	for _, k := range keys {
		leftExprs, rightExprs = append(leftExprs, k.left), append(rightExprs, k.right)
		j.NullEqual = append(j.NullEqual, k.nullEqual)
		if col, ok := k.right.(*expr.Column); ok {
			rightIDs = append(rightIDs, col.ID)
		}
	}
	j.RightUnique = len(rightIDs) == len(keys) && c.env.Estimate.Unique(n.Right, rightIDs)
	var err error
	if left, j.LeftKeys, err = c.withExprs(left, leftExprs); err != nil {
		return output{}, err
	}
	if right, j.RightKeys, err = c.withExprs(right, rightExprs); err != nil {
		return output{}, err
	}
	both := side(left, right)
	if j.Residual, err = c.translate(both, expr.Conjoin(residual)); err != nil {
		return output{}, err
	}
	j.Left, j.Right = left.node, right.node
	out := output{j, nil}
	j.Output, j.Out, out.at = c.joinOutput(n, need, left, right)
	return out, nil
}

func (c *converter) nestedLoop(n *logical.Join, need columnSet, left, right output) (output, error) {
	condition, err := c.translate(side(left, right), n.Condition)
	if err != nil {
		return output{}, err
	}
	j := &plan.NestedLoopJoin{Kind: n.Kind, Left: left.node, Right: right.node, Condition: condition, NullAware: n.NullAware}
	out := output{j, nil}
	j.Output, j.Out, out.at = c.joinOutput(n, need, left, right)
	return out, nil
}

// joinOutput lists the needed columns of those that the join's kind gives.
func (c *converter) joinOutput(n *logical.Join, need columnSet, left, right output) ([]int, types.Schema, map[logical.ColID]int) {
	both := side(left, right)
	width := len(left.node.Schema()) + len(right.node.Schema())
	list, schema, at := []int{}, types.Schema{}, map[logical.ColID]int{}
	seen := map[int]int{}
	for _, id := range n.Columns() {
		if !need[id] {
			continue
		}
		ordinal, ok := both.at[id]
		if n.Kind == plan.Mark && id == n.MarkID {
			ordinal, ok = width, true
		}
		if !ok {
			continue
		}
		if earlier, twice := seen[ordinal]; twice {
			at[id] = earlier
			continue
		}
		seen[ordinal] = len(list)
		at[id] = len(list)
		list = append(list, ordinal)
		field := c.field(id)
		field.Nullable = field.Nullable || n.Kind == plan.Full || n.Kind == plan.Left || n.Kind == plan.Right || n.Kind == plan.Single
		schema = append(schema, field)
	}
	return list, schema, at
}

// side joins the ordinals of both inputs: left's, then right's.
func side(left, right output) output {
	at := make(map[logical.ColID]int, len(left.at)+len(right.at))
	for id, i := range left.at {
		at[id] = i
	}
	width := len(left.node.Schema())
	for id, i := range right.at {
		at[id] = width + i
	}
	return output{at: at}
}

// withExprs gives ordinals for exprs, adding a Project where one is not a plain column.
func (c *converter) withExprs(in output, exprs []expr.Expr) (output, []int, error) {
	ordinals := make([]int, len(exprs))
	var project *plan.Project
	for i, e := range exprs {
		translated, err := c.translate(in, e)
		if err != nil {
			return in, nil, err
		}
		if col, ok := translated.(*expr.Column); ok {
			ordinals[i] = int(col.ID)
			continue
		}
		if project == nil {
			project = passThrough(in.node)
		}
		ordinals[i] = len(project.Exprs)
		project.Exprs = append(project.Exprs, translated)
		project.Out = append(project.Out, types.Field{Name: "key", Type: e.Type(), Nullable: true})
	}
	if project != nil {
		in = output{project, in.at}
	}
	return in, ordinals, nil
}

// passThrough projects all columns of in, to be extended.
func passThrough(in plan.Node) *plan.Project {
	p := &plan.Project{Input: in}
	p.Rows = in.Head().Rows
	for i, f := range in.Schema() {
		p.Exprs = append(p.Exprs, &expr.Column{ID: expr.ColumnID(i), Name: f.Name, T: f.Type})
		p.Out = append(p.Out, f)
	}
	return p
}

func intersect(need columnSet, ids []logical.ColID) columnSet {
	out := columnSet{}
	for _, id := range ids {
		if need[id] {
			out[id] = true
		}
	}
	return out
}

func idSet(ids []logical.ColID) columnSet {
	out := make(columnSet, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}
