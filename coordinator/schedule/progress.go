package schedule

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
)

// progress sets a session's counters from what the nodes have reported. It never waits for a node.
func (q *query) progress(p *session.Progress) {
	a := q.present()
	var rows, bytes, done, spilled, nanos, memory, peak, read, listed int64
	for _, n := range a.report() {
		read += n.Splits
		rows, bytes = rows+n.RowsRead, bytes+n.BytesRead
		done, spilled = done+n.RowsSelected, spilled+n.Spilled
		nanos += n.Nanos
	}
	a.mu.Lock()
	for _, s := range a.status {
		memory, peak = memory+s.Memory, peak+s.Peak
	}
	a.mu.Unlock()
	complete := true // all splits are known
	for _, queue := range a.splits {
		listed += queue.listed.Load()
		complete = complete && queue.complete.Load()
	}
	p.Rows.Store(rows)
	p.Bytes.Store(bytes)
	p.RowsDone.Store(done)
	p.RowsExpected.Store(q.expected())
	p.Workers.Store(int64(len(a.workers)))
	p.MemoryBytes.Store(memory)
	p.PeakBytes.Store(peak)
	p.SpilledBytes.Store(spilled)
	p.CPUNanos.Store(nanos)
	if complete {
		p.SplitsDone.Store(min(read, listed))
		p.SplitsTotal.Store(listed)
	}
}

// stages tells what each node does for each fragment.
func (q *query) stages() []session.Stage {
	a := q.present()
	var out []session.Stage
	for i := range q.request.Fragments {
		f := &q.request.Fragments[i]
		reads, total := strings.Join(plan.Tables(f.Root), ", "), int64(0)
		for key, queue := range a.splits {
			if key.fragment == f.ID {
				total += queue.listed.Load()
			}
		}
		for number, node := range a.nodes(f) {
			s := session.Stage{Number: f.ID, Node: node.ID, State: "starting", Reads: reads, Tasks: 1, SplitsTotal: total}
			if i == 0 {
				a.rootStage(&s)
			} else {
				a.taskStage(&s, node, f, number)
			}
			s.SplitsDone = min(s.SplitsDone, s.SplitsTotal)
			out = append(out, s)
		}
	}
	return out
}

// rootStage fills in what the root has done.
func (a *attempt) rootStage(s *session.Stage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	nodes := a.final
	if nodes == nil && a.root != nil {
		nodes = a.root.Report()
	}
	s.State = string(rpc.Running)
	addStats(s, nodes, a.query.request.Fragments[0].Root.Head().ID)
}

// taskStage fills in what a worker has reported of a task.
func (a *attempt) taskStage(s *session.Stage, node Node, f *plan.Fragment, number int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.status[node].Tasks {
		if t.Task.Fragment == f.ID && t.Task.Task == number {
			s.State = string(t.State)
			addStats(s, t.Nodes, f.Root.Head().ID)
		}
	}
}

func addStats(s *session.Stage, nodes []rpc.NodeStats, root int) {
	for i := range nodes {
		n := &nodes[i]
		s.SplitsDone += n.Splits
		s.Rows, s.Bytes = s.Rows+n.RowsRead, s.Bytes+n.BytesRead
		s.CPU += time.Duration(n.Nanos)
		s.Memory, s.Spilled = s.Memory+n.Memory, s.Spilled+n.Spilled
		if n.ID == root {
			s.RowsOut = n.Rows
		}
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
