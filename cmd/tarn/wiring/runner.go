package wiring

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/worker/task"
)

// Runner runs fragments in this process.
type Runner struct {
	system     *System
	connectors map[string]connectors.Connector
	options    Options
	group      *slots.Group
	queries    atomic.Int64
}

func newRunner(s *System, registered map[string]connectors.Connector, options Options) *Runner {
	return &Runner{system: s, connectors: registered, options: options, group: group(options.Config)}
}

// Run decodes the fragment and starts it.
func (r *Runner) Run(ctx context.Context, request engine.RunRequest) (engine.Running, error) {
	root, err := plan.Decode(request.Fragment)
	if err != nil {
		return nil, err
	}
	c := r.options.Config
	limit := memory.Unlimited
	if c.Memory.QueryLimit > 0 {
		limit = int64(c.Memory.QueryLimit)
	}
	pool := r.system.Memory.Child("memory.query_limit", limit)
	drivers := r.options.Drivers
	if drivers == 0 {
		drivers = cpuSlots(c)
	}
	if request.Drivers > 0 {
		drivers = min(drivers, request.Drivers)
	}
	spill := c.Spill.Dir
	if spill == "" {
		spill = filepath.Join(r.system.Data, "spill")
	}
	query := r.queries.Add(1)
	source, stats, err := task.Run(ctx, root, task.Env{
		Registry: r.system.Registry, Session: request.Session,
		Connectors: r.connectors, Splits: request.Splits, Pool: pool, Slots: r.group, Drivers: drivers, BatchSize: r.options.BatchSize,
		Spill:   pipeline.Spill{Directory: spill, Enabled: c.Spill.Enabled, Force: r.options.ForceSpill},
		Attempt: fmt.Sprintf("%x-%x", time.Now().UnixNano(), query), Force: r.options.Force,
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	if request.Progress != nil {
		follow(request.Progress, root, stats, pool, drivers)
	}
	return &running{Source: source, stats: stats, pool: pool}, nil
}

// follow lets the session's progress be read off the task's statistics.
func follow(p *session.Progress, root plan.Node, stats *task.Stats, pool *memory.Pool, drivers int) {
	expected := scanEstimates(root)
	p.Follow(func(p *session.Progress) {
		var rows, bytes, done, spilled int64
		for _, n := range stats.All() {
			rows, bytes = rows+n.Scan.RowsRead.Load(), bytes+n.Scan.BytesRead.Load()
			done, spilled = done+n.Scan.RowsSelected.Load(), spilled+n.Spilled.Load()
		}
		p.Rows.Store(rows)
		p.Bytes.Store(bytes)
		p.RowsDone.Store(done)
		p.RowsExpected.Store(expected)
		p.Workers.Store(int64(drivers))
		p.MemoryBytes.Store(pool.Used())
		p.SpilledBytes.Store(spilled)
	})
}

// scanEstimates adds up what the planner expects of the scans, 0 when it knows nothing of one.
func scanEstimates(n plan.Node) int64 {
	if scan, ok := n.(*plan.Scan); ok {
		return int64(max(scan.Rows, 0))
	}
	total := int64(0)
	for _, input := range n.Inputs() {
		total += scanEstimates(input)
	}
	return total
}

// running is a task under way.
type running struct {
	vec.Source
	stats *task.Stats
	pool  *memory.Pool
}

// Close stops the task and gives its memory back.
func (r *running) Close() error {
	err := r.Source.Close()
	r.pool.Close()
	return err
}

// Actual tells what a plan node has done.
func (r *running) Actual(id int) *plan.Actual {
	n := r.stats.ByID(id)
	if n == nil {
		return nil
	}
	a := &plan.Actual{Rows: n.Rows.Load(), Batches: n.Batches.Load(), Time: time.Duration(n.Nanos.Load()),
		Memory: n.Memory.Load(), Spilled: n.Spilled.Load()}
	if s := n.Scan; s.RowsRead.Load() > 0 || s.Files.Load() > 0 || s.RowGroups.Load() > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("Files: %d read, %d pruned; Row Groups: %d read, %d pruned; Rows: %d read, %d selected; Bytes: %s in %d requests",
			s.Files.Load()-s.FilesPruned.Load(), s.FilesPruned.Load(), s.RowGroups.Load()-s.RowGroupsPruned.Load(), s.RowGroupsPruned.Load(),
			s.RowsRead.Load(), s.RowsSelected.Load(), memory.FormatBytes(s.BytesRead.Load()), s.Gets.Load()))
		if u := s.Storage.Usage(); u.Total() > 0 {
			a.Notes = append(a.Notes, "Storage: "+u.String())
		}
	}
	return a
}
