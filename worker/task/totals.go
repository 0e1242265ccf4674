package task

import (
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/rpc"
)

// Totals adds up what the tasks of a process have done since it started. It may be used concurrently.
type Totals struct {
	Running                   atomic.Int64 // tasks under way
	Ended                     atomic.Int64
	Splits, RowsRead, Scanned atomic.Int64 // Scanned is bytes, of tasks that have ended
}

// Begin counts a task as running until End is called.
func (t *Totals) Begin() { t.Running.Add(1) }

// End adds what a task's plan nodes did.
func (t *Totals) End(nodes []rpc.NodeStats) {
	t.Running.Add(-1)
	t.Ended.Add(1)
	for i := range nodes {
		t.Splits.Add(nodes[i].Splits)
		t.RowsRead.Add(nodes[i].RowsRead)
		t.Scanned.Add(nodes[i].BytesRead)
	}
}
