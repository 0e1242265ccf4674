package physical

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

func (c *converter) planSort(n *logical.Sort, need columnSet) (output, error) {
	in, err := c.convert(n.Input, need.with(sortColumns(n.Keys)...))
	if err != nil {
		return output{}, err
	}
	s := &plan.Sort{Input: in.node}
	s.Out = in.node.Schema()
	s.Keys, err = c.sortKeys(in, n.Keys)
	return output{s, in.at}, err
}

func (c *converter) planTopN(n *logical.TopN, need columnSet) (output, error) {
	in, err := c.convert(n.Input, need.with(sortColumns(n.Keys)...))
	if err != nil {
		return output{}, err
	}
	t := &plan.TopN{Input: in.node, Limit: n.Limit, Offset: n.Offset, WithTies: n.WithTies}
	t.Out = in.node.Schema()
	t.Keys, err = c.sortKeys(in, n.Keys)
	return output{t, in.at}, err
}

// planLimit reads the counts, which are literals by now, and folds a sort below into a TopN.
func (c *converter) planLimit(n *logical.Limit, need columnSet) (output, error) {
	limit, err := count(n.Limit, -1, sqlerr.InvalidRowCountInLimit, "LIMIT")
	if err != nil {
		return output{}, err
	}
	offset, err := count(n.Offset, 0, sqlerr.InvalidRowCountInOffset, "OFFSET")
	if err != nil {
		return output{}, err
	}
	if sorted, ok := n.Input.(*logical.Sort); ok && n.WithTies {
		return c.planTopN(&logical.TopN{Input: sorted.Input, Keys: sorted.Keys, Limit: limit, Offset: offset, WithTies: true}, need)
	}
	in, err := c.convert(n.Input, need)
	if err != nil {
		return output{}, err
	}
	l := &plan.Limit{Input: in.node, Limit: limit, Offset: offset}
	l.Out = in.node.Schema()
	return output{l, in.at}, nil
}

func count(e expr.Expr, absent int64, code sqlerr.Code, clause string) (int64, error) {
	if e == nil {
		return absent, nil
	}
	literal, ok := e.(*expr.Literal)
	if !ok {
		return 0, sqlerr.Internal("%s is not constant after folding", clause)
	}
	if literal.Value.Null {
		return absent, nil
	}
	if literal.Value.I64 < 0 {
		return 0, sqlerr.New(code, "%s must not be negative", clause)
	}
	return literal.Value.I64, nil
}

// planDistinctOn keeps the first row of each group by its row number.
func (c *converter) planDistinctOn(n *logical.DistinctOn, need columnSet) (output, error) {
	rowNumber := c.env.Registry.ByName("row_number")
	if len(rowNumber) == 0 {
		return output{}, sqlerr.Internal("row_number is not in the registry")
	}
	in, err := c.convert(n.Input, need.with(n.Keys...).with(sortColumns(n.Order)...))
	if err != nil {
		return output{}, err
	}
	w := &plan.Window{Input: in.node}
	if w.Partition, err = c.ordinals(in, n.Keys); err != nil {
		return output{}, err
	}
	if w.Order, err = c.sortKeys(in, n.Order); err != nil {
		return output{}, err
	}
	bigint := types.Of(types.Int64)
	w.Functions = []plan.WindowCall{{AggregateCall: plan.AggregateCall{Function: rowNumber[0].ID, Name: "row_number", Filter: -1, Result: bigint},
		Frame: plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding, Offset: -1}, End: plan.Bound{Kind: plan.CurrentRow, Offset: -1}}}}
	at := len(in.node.Schema())
	w.Out = append(append(types.Schema(nil), in.node.Schema()...), types.Field{Name: "row_number", Type: bigint})
	w.Rows = in.node.Head().Rows
	f := &plan.Filter{Input: w, Predicate: &expr.Compare{Op: expr.Equal,
		Left: &expr.Column{ID: expr.ColumnID(at), Name: "row_number", T: bigint}, Right: &expr.Literal{Value: types.IntDatum(1), T: bigint}}}
	f.Out = w.Out
	return output{f, in.at}, nil
}
