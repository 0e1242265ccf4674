package physical

import (
	"math"

	"github.com/tarnlake/tarn/internal/plan"
)

// Costs of one row, in rows handed on: what join ordering uses too.
const (
	readCost   = 1.0 // a row that a scan decodes
	filterCost = 0.2
	buildCost  = 2.5 // into a hash table
	probeCost  = 1.0
	groupCost  = 1.5
	compare    = 0.3 // one comparison of a sort
	shipCost   = 2.0 // to another process
)

// cost sets the estimated cost of every node: its inputs' and its own. A definition costs where it
// stands; reading it again costs its rows.
func cost(n plan.Node) float64 {
	total := 0.0
	inputs := n.Inputs()
	rows := make([]float64, len(inputs))
	for i, in := range inputs {
		total += cost(in)
		rows[i] = math.Max(in.Head().Rows, 0)
	}
	h := n.Head()
	h.Cost = total + own(n, rows, math.Max(h.Rows, 0))
	return h.Cost
}

// own gives what a node adds, by its inputs' rows and its output's.
func own(n plan.Node, in []float64, out float64) float64 {
	switch n := n.(type) {
	case *plan.Scan:
		if n.Scan.Limit > 0 {
			return out * readCost
		}
		return out*readCost + float64(len(n.Scan.Columns))
	case *plan.Filter:
		return in[0] * filterCost
	case *plan.HashJoin:
		return in[0]*probeCost + in[1]*buildCost + out
	case *plan.NestedLoopJoin:
		return in[0]*math.Max(in[1], 1)*filterCost + in[1] + out
	case *plan.Aggregate:
		return in[0]*groupCost + out
	case *plan.Sort:
		return sorting(in[0], in[0])
	case *plan.TopN:
		return sorting(in[0], math.Min(in[0], float64(max(n.Limit, 0)+n.Offset)))
	case *plan.Window:
		return sorting(in[0], in[0]) + in[0]*float64(len(n.Functions))
	case *plan.Exchange:
		return out * shipCost
	case *plan.With, *plan.Limit:
		return 0
	}
	return out * filterCost
}

// sorting costs n rows of which the first kept matter.
func sorting(n, kept float64) float64 { return n * compare * math.Log2(math.Max(kept, 2)) }
