package schedule

import (
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/plan"
)

// progress sets a session's counters from what the nodes have reported. It never waits for a node.
func (q *query) progress(p *session.Progress) {
	a := q.present()
	var rows, bytes, done, spilled, memory, handed, listed int64
	for _, n := range a.report() {
		rows, bytes = rows+n.RowsRead, bytes+n.BytesRead
		done, spilled = done+n.RowsSelected, spilled+n.Spilled
	}
	a.mu.Lock()
	for _, s := range a.status {
		memory += s.Memory
	}
	a.mu.Unlock()
	for _, queue := range a.splits {
		if queue.mu.TryLock() { // a listing under way holds it
			handed, listed = handed+int64(queue.handed), listed+int64(queue.listed)
			queue.mu.Unlock()
		}
	}
	p.Rows.Store(rows)
	p.Bytes.Store(bytes)
	p.RowsDone.Store(done)
	p.RowsExpected.Store(q.expected())
	p.Workers.Store(int64(len(a.workers)))
	p.MemoryBytes.Store(memory)
	p.SpilledBytes.Store(spilled)
	if listed > 0 {
		p.SplitsDone.Store(handed)
		p.SplitsTotal.Store(listed)
	}
}

// expected adds up the rows that the planner expects of all scans.
func (q *query) expected() int64 {
	total := 0.0
	for i := range q.request.Fragments {
		total += plan.RowsToScan(q.request.Fragments[i].Root)
	}
	return int64(total)
}
