package engine

import (
	"fmt"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/fragment"
)

// scanned adds up what a plan's scans of tables that workers reach will read.
type scanned struct {
	scans       int
	rows, bytes float64
	unknown     bool // of some table
}

// spread puts Exchanges into x's plan if workers are there and it is worth their while: a small query
// ends sooner where it begins.
func (e *Engine) spread(tx *Tx, x *executable, read *scanned) (err error) {
	if e.config.Cluster == nil {
		return nil
	}
	workers := e.config.Cluster.Workers()
	if workers == 0 {
		return nil
	}
	worthwhile, why := worthSpreading(tx, x.root, read)
	if !worthwhile {
		x.distribution = "none; " + why
		return nil
	}
	x.distribution = fmt.Sprintf("%d workers; %s", workers, why)
	if workers == 1 {
		x.distribution = "1 worker; " + why
	}
	x.placed, err = fragment.Distribute(x.root, fragment.Env{Registry: e.config.Registry, Tasks: workers, Spreads: e.config.Cluster.Spreads})
	if err == nil {
		x.root = x.placed.Root
	}
	return err
}

// worthSpreading decides by the rows and bytes that scans are expected to read and the rows that
// any operator is expected to give.
func worthSpreading(tx *Tx, root plan.Node, read *scanned) (worthwhile bool, why string) {
	rows, bytes := float64(tx.State.Settings.Int("distribute_from_rows")), float64(tx.State.Settings.Bytes("distribute_from_bytes"))
	expected := fmt.Sprintf("%.0f rows and %s to scan", read.rows, memory.FormatBytes(int64(read.bytes)))
	switch most, operator := mostRows(root); {
	case tx.drivers == 1:
		return false, "the write shall make few files"
	case read.scans == 0:
		return false, "no table that workers reach is read"
	case read.unknown:
		return true, "the size of a table is not known"
	case read.rows >= rows || read.bytes >= bytes:
		return true, expected
	case most >= rows:
		return true, fmt.Sprintf("%s, %.0f rows expected of a %s", expected, most, operator)
	}
	return false, fmt.Sprintf("%s, below distribute_from_rows = %s and distribute_from_bytes = %s", expected,
		tx.State.Settings.Get("distribute_from_rows"), tx.State.Settings.Get("distribute_from_bytes"))
}

// mostRows finds the operator of which most rows are expected.
func mostRows(root plan.Node) (rows float64, operator string) {
	for n := range plan.Nodes(root) {
		if expected := n.Head().Rows; expected > rows {
			rows, operator = expected, plan.Title(n)
		}
	}
	return rows, operator
}
