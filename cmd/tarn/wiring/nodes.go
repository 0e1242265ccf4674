package wiring

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/internal/gossip"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
)

// reportPath asks a node what it does and has done.
const reportPath = "/v1/node/report"

// reportWithin is how long system.nodes waits for a node before it shows what gossip says of it.
const reportWithin = 500 * time.Millisecond

// nodeReport is what a node tells of itself when it is asked.
type nodeReport struct {
	MemoryUsed, RunningTasks                 int64
	Ended, Splits, RowsRead, BytesRead       int64
	CPU                                      time.Duration
	Gets, Heads, Lists, Puts, Deletes, Moved int64
}

// report describes this process, since it started.
func (s *System) report() nodeReport {
	t := &s.Runner.totals
	out := nodeReport{MemoryUsed: s.Memory.Used(), RunningTasks: t.Running.Load(), Ended: t.Ended.Load(), Splits: t.Splits.Load(),
		RowsRead: t.RowsRead.Load(), BytesRead: t.Scanned.Load(), CPU: processTime()}
	for _, u := range s.StorageUsage() {
		out.Gets += u.Of(objstore.GetRequest)
		out.Heads += u.Of(objstore.HeadRequest)
		out.Lists += u.Of(objstore.ListRequests)
		out.Puts += u.Of(objstore.PutRequest)
		out.Deletes += u.Of(objstore.DeleteRequest)
		out.Moved += u.BytesRead + u.BytesWritten
	}
	return out
}

// fill puts a report into a row of system.nodes.
func (r *nodeReport) fill(n *system.Node) {
	n.MemoryUsed, n.RunningTasks, n.Reported = r.MemoryUsed, r.RunningTasks, true
	n.Tasks, n.Splits, n.RowsRead, n.BytesRead, n.CPU = r.Ended, r.Splits, r.RowsRead, r.BytesRead, r.CPU
	n.Gets, n.Heads, n.Puts, n.Lists, n.Deletes, n.StorageBytes = r.Gets, r.Heads, r.Puts, r.Lists, r.Deletes, r.Moved
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// list gives the rows of system.nodes. Nodes that do not answer are shown as gossip knows them.
func (m *Membership) list(ctx context.Context) []system.Node {
	nodes := m.gossip.Nodes()
	out := make([]system.Node, len(nodes))
	ctx, cancel := context.WithTimeout(ctx, reportWithin)
	defer cancel()
	var asked sync.WaitGroup
	for i, n := range nodes {
		out[i] = m.rowOf(n)
		if n.Plans != plan.Version || !m.identity.Trusts(n.Signer) {
			continue
		}
		asked.Add(1)
		go func() {
			defer asked.Done()
			var r nodeReport
			if n.Name == m.name {
				r = m.system.report()
			} else if m.member.client.Call(ctx, n.RPC, reportPath, rpc.Empty{}, &r) != nil {
				return
			}
			r.fill(&out[i])
		}()
	}
	asked.Wait()
	return out
}

func (m *Membership) rowOf(n gossip.Node) system.Node {
	state := "active"
	switch {
	case !m.identity.Trusts(n.Signer):
		state = "other certificate"
	case n.Draining:
		state = "draining"
	case n.Plans != plan.Version:
		state = "other version"
	}
	return system.Node{Name: n.Name, Address: n.RPC, Roles: n.Roles, Zone: n.Zone, Version: n.Version, State: state, Started: n.Started,
		CPUs: int64(n.CPUs), CPUBusy: n.Busy, MemoryLimit: n.Memory, MemoryUsed: n.Used, RunningTasks: int64(n.Tasks)}
}

// memberName is this process's name in the cluster; outside clusters it is the machine's.
func (s *System) memberName() string {
	if m := s.membership.Load(); m != nil {
		return m.name
	}
	return s.nodeName()
}

// load measures how many CPUs the process keeps busy.
type load struct {
	at   time.Time
	used time.Duration
}

// busy gives the CPUs in use since the last call, to a tenth.
func (l *load) busy(now time.Time) float64 {
	used := processTime()
	passed := now.Sub(l.at)
	spent := used - l.used
	first := l.at.IsZero()
	l.at, l.used = now, used
	if first || passed <= 0 {
		return 0
	}
	return float64(int64(10*float64(spent)/float64(passed)+0.5)) / 10
}

func isWorker(n gossip.Node) bool { return strings.Contains(n.Roles, "worker") }
