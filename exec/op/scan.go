package op

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Scan reads a table: its drivers take splits from one queue.
type Scan struct {
	node        *plan.Scan
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	connector   connectors.Connector
	uses        []Use
	feed        connectors.FilterFeed // of uses; nil: there are none
	pool        *memory.Pool

	mu     sync.Mutex
	splits connectors.SplitSource
	ready  []connectors.Split
	// deadline ends the waiting for filters of other tasks.
	deadline time.Time
	done     bool
	failed   error
}

// NewScan makes the source of a Scan node.
func NewScan(node *plan.Scan, environment *pipeline.Environment, stats *pipeline.NodeStats) (*Scan, error) {
	connector := environment.Connectors[node.Scan.Connector]
	if connector == nil {
		return nil, sqlerr.Internal("no connector named %q", node.Scan.Connector)
	}
	return &Scan{node: node, environment: environment, stats: stats, connector: connector,
		pool: environment.Pool.Child(stats.Name, memory.Unlimited)}, nil
}

// Use makes the scan apply a dynamic filter. It is called before the scan is opened, for filters
// whose memory lasts as long as the scan runs.
func (s *Scan) Use(u Use) {
	s.uses = append(s.uses, u)
	s.feed = &feed{s.uses}
}

// foreignPatience is how long a scan waits for the filters of other tasks. The join that they come
// from reads no row of the scan before it has published them, so waiting rarely costs anything.
const foreignPatience = 2 * time.Second

// await waits for the filters of other tasks.
func (s *Scan) await(ctx context.Context) error {
	s.mu.Lock()
	if s.deadline.IsZero() {
		s.deadline = time.Now().Add(foreignPatience)
	}
	timer := time.NewTimer(time.Until(s.deadline))
	s.mu.Unlock()
	defer timer.Stop()
	for _, u := range s.uses {
		if !u.Foreign {
			continue
		}
		select {
		case <-u.Filter.ready:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Open gives a driver's stream of rows.
func (s *Scan) Open(ctx context.Context, d *pipeline.Driver) (vec.Source, error) {
	if slices.ContainsFunc(s.uses, func(u Use) bool { return u.Foreign }) {
		if err := slots.Block(ctx, func() error { return s.await(ctx) }); err != nil {
			return nil, err
		}
	}
	columns := make([]types.Type, len(s.node.Scan.Columns))
	for i, c := range s.node.Scan.Columns {
		columns[i] = c.Type
	}
	stream := &scanStream{scan: s}
	if s.node.Filter != nil {
		var err error
		if stream.filter, err = eval.CompileRowFilter(s.node.Filter, columns, d.Environment.Expressions()); err != nil {
			return nil, err
		}
	}
	if len(s.uses) > 0 {
		stages := &filterStages{own: stream.filter}
		for _, u := range s.uses {
			stages.tests = append(stages.tests, &memberTest{filter: u.Filter, column: u.Column})
		}
		stream.filter = stages
	}
	stream.out.Cols = make([]vec.Vector, len(s.node.Output))
	return stream, nil
}

// Close ends the list of splits.
func (s *Scan) Close() error {
	s.stats.RaiseMemory(s.pool.Peak())
	s.pool.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.splits == nil {
		return nil
	}
	splits := s.splits
	s.splits, s.done = nil, true
	return splits.Close()
}

// split gives the next split, false at the end. Whoever asks for splits holds the lock and may have
// given its CPU slot back meanwhile: waiting for the lock with a slot in hand could wait for ever.
func (s *Scan) split(ctx context.Context) (connectors.Split, bool, error) {
	if !s.mu.TryLock() {
		locked := func() error {
			s.mu.Lock()
			return nil
		}
		if err := slots.Block(ctx, locked); err != nil {
			s.mu.Unlock()
			return connectors.Split{}, false, err
		}
	}
	defer s.mu.Unlock()
	if s.failed != nil {
		return connectors.Split{}, false, s.failed
	}
	for len(s.ready) == 0 && !s.done {
		if err := s.more(ctx); err != nil {
			s.failed = err
			return connectors.Split{}, false, err
		}
	}
	if len(s.ready) == 0 {
		return connectors.Split{}, false, nil
	}
	split := s.ready[0]
	s.ready = s.ready[1:]
	return split, true, nil
}

// more asks for further splits, which may block; the caller holds the lock.
func (s *Scan) more(ctx context.Context) (err error) {
	if s.splits == nil {
		if s.environment.Splits != nil {
			s.splits, err = s.environment.Splits(ctx, s.node, s.feed)
		} else {
			s.splits, err = s.connector.Splits(ctx, s.node.Scan, s.feed)
		}
		if err != nil {
			return err
		}
	}
	s.ready, err = s.splits.Next(ctx, 4*s.environment.Drivers)
	s.done = err == nil && s.ready == nil
	if warmer, ok := s.connector.(connectors.Warmer); ok && len(s.ready) > 1 {
		warmer.Warm(ctx, s.node.Scan, s.ready)
	}
	return err
}

// scanStream reads split after split.
type scanStream struct {
	scan   *Scan
	filter connectors.RowFilter
	split  vec.Source
	out    vec.Batch
	// asked is the context of the last call, counted the same one with the scan's storage counters.
	asked, counted context.Context
}

func (r *scanStream) Next(ctx context.Context) (*vec.Batch, error) {
	if r.asked != ctx {
		r.asked, r.counted = ctx, objstore.WithCounters(ctx, &r.scan.stats.Scan.Storage)
	}
	ctx = r.counted
	for {
		if r.split == nil {
			if more, err := r.open(ctx); err != nil || !more {
				return nil, err
			}
		}
		b, err := r.split.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b != nil && b.Rows() > 0 {
			return r.project(b), nil
		}
		if b == nil {
			if err := r.Close(); err != nil {
				return nil, err
			}
		}
		if err := slots.Edge(ctx); err != nil {
			return nil, err
		}
	}
}

func (r *scanStream) open(ctx context.Context) (bool, error) {
	s := r.scan
	split, found, err := s.split(ctx)
	if err != nil || !found {
		return false, err
	}
	r.split, err = s.connector.Read(ctx, connectors.ReadRequest{Scan: s.node.Scan, Split: split, Filter: r.filter,
		Feed: s.feed, Pool: s.pool, Stats: s.stats.Scan})
	return err == nil, err
}

// project keeps the columns of the node's output.
func (r *scanStream) project(b *vec.Batch) *vec.Batch {
	for i, from := range r.scan.node.Output {
		r.out.Cols[i].Alias(&b.Cols[from])
	}
	r.out.Len, r.out.Sel = b.Len, b.Sel
	return &r.out
}

// Close ends the split being read.
func (r *scanStream) Close() error {
	if r.split == nil {
		return nil
	}
	split := r.split
	r.split = nil
	r.scan.stats.Scan.Splits.Add(1)
	return split.Close()
}
