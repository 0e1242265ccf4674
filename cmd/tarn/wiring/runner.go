package wiring

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/worker/task"
)

// Runner runs fragments in this process.
type Runner struct {
	system     *System
	connectors map[string]connectors.Connector
	options    Options
	groups     map[string]share
	unknown    sync.Map // groups that tasks belonged to and this process does not know
	queries    atomic.Int64
	totals     task.Totals
	member     atomic.Pointer[Member] // nil outside clusters
}

func newRunner(s *System, registered map[string]connectors.Connector, options Options) *Runner {
	return &Runner{system: s, connectors: registered, options: options, groups: newShares(options.Config, s.Memory)}
}

// Run runs a query: here if it has one fragment, else on the cluster.
func (r *Runner) Run(ctx context.Context, request engine.RunRequest) (engine.Running, error) {
	if len(request.Fragments) == 1 {
		return r.alone(ctx, request)
	}
	member := r.member.Load()
	if member == nil {
		return nil, sqlerr.Internal("a query of %d fragments outside a cluster", len(request.Fragments))
	}
	return member.Scheduler.Run(ctx, request)
}

// alone runs a plan of one fragment. It goes through the codec first, as on its way to another node.
func (r *Runner) alone(ctx context.Context, request engine.RunRequest) (engine.Running, error) {
	encoded, err := plan.EncodeFragment(&request.Fragments[0])
	if err != nil {
		return nil, err
	}
	fragment, err := plan.DecodeFragment(encoded)
	if err != nil {
		return nil, err
	}
	if r.options.Ran != nil {
		r.options.Ran(fragment.Root)
	}
	pool := r.pool(request.Group, request.Memory)
	environment := r.environment(request.Session, pool, request.Group, request.Drivers)
	environment.Splits = request.Splits
	environment.Attempt = fmt.Sprintf("%x-%x", time.Now().UnixNano(), r.queries.Add(1))
	r.totals.Begin()
	started := false
	defer func() { // after a panic too, which fails the statement alone
		if !started {
			r.totals.End(nil)
			pool.Close()
		}
	}()
	source, stats, err := task.Run(ctx, fragment.Root, environment)
	if err != nil {
		return nil, err
	}
	started = true
	if request.Progress != nil {
		follow(request.Progress, fragment.Root, stats, pool, environment.Drivers)
		request.Progress.FollowStages(func() []session.Stage { return []session.Stage{r.onlyStage(fragment.Root, stats)} })
	}
	return &running{Source: source, stats: stats, pool: pool, totals: &r.totals}, nil
}

// environment is what tasks run with in this process. drivers, if positive, bounds their number.
func (r *Runner) environment(session *fn.Session, pool *memory.Pool, group string, drivers int) pipeline.Environment {
	c := r.options.Config
	own := r.options.Drivers
	if own == 0 {
		own = cpuSlots(c)
	}
	if drivers > 0 {
		own = min(own, drivers)
	}
	return pipeline.Environment{
		Registry: r.system.Registry, Session: session, Connectors: r.connectors, Pool: pool, Slots: r.share(group).slots, Drivers: own,
		BatchSize: r.options.BatchSize, Spill: pipeline.Spill{Directory: spillDirectory(c, r.system.Data), Enabled: c.Spill.Enabled, Force: r.options.ForceSpill},
		Force: r.options.Force,
	}
}

// follow lets the session's progress be read off the task's statistics.
func follow(p *session.Progress, root plan.Node, stats *task.Stats, pool *memory.Pool, drivers int) {
	expected := int64(plan.RowsToScan(root))
	p.Follow(func(p *session.Progress) {
		var rows, bytes, done, spilled, nanos int64
		for _, n := range stats.All() {
			rows, bytes = rows+n.Scan.RowsRead.Load(), bytes+n.Scan.BytesRead.Load()
			done, spilled = done+n.Scan.RowsSelected.Load(), spilled+n.Spilled.Load()
			nanos += n.Nanos.Load()
		}
		p.Rows.Store(rows)
		p.Bytes.Store(bytes)
		p.RowsDone.Store(done)
		p.RowsExpected.Store(expected)
		p.Workers.Store(int64(drivers))
		p.MemoryBytes.Store(pool.Used())
		p.SpilledBytes.Store(spilled)
		p.PeakBytes.Store(pool.Peak())
		p.CPUNanos.Store(nanos)
	})
}

// onlyStage is the whole plan of a query that runs in this process.
func (r *Runner) onlyStage(root plan.Node, stats *task.Stats) session.Stage {
	out := session.Stage{Node: r.system.memberName(), State: string(rpc.Running), Reads: strings.Join(plan.Tables(root), ", "), Tasks: 1}
	for _, n := range stats.All() {
		out.SplitsDone += n.Scan.Splits.Load()
		out.Rows, out.Bytes = out.Rows+n.Scan.RowsRead.Load(), out.Bytes+n.Scan.BytesRead.Load()
		out.CPU += time.Duration(n.Nanos.Load())
		out.Memory, out.Spilled = out.Memory+n.Memory.Load(), out.Spilled+n.Spilled.Load()
		if n.ID == root.Head().ID {
			out.RowsOut = n.Rows.Load()
		}
	}
	return out
}

// running is a task under way.
type running struct {
	vec.Source
	stats  *task.Stats
	pool   *memory.Pool
	totals *task.Totals
	once   sync.Once
}

// Close stops the task and gives its memory back.
func (r *running) Close() error {
	err := r.Source.Close()
	r.pool.Close()
	r.once.Do(func() { r.totals.End(task.Report(r.stats)) })
	return err
}

// Storage is nothing: all requests are made under the caller's context.
func (r *running) Storage() objstore.Usage { return objstore.Usage{} }

// Actual tells what a plan node has done.
func (r *running) Actual(id int) *plan.Actual {
	n := r.stats.ByID(id)
	if n == nil {
		return nil
	}
	report := task.ReportNode(n)
	return report.Actual()
}
