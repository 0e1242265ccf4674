package op

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// mostRounds bounds a recursion that never ends but gives rows; memory usually ends it first.
const mostRounds = 10_000_000

// Round builds the pipelines of one round. working holds the last round's new rows, nil for the
// base. The last pipeline's sink is result.
type Round func(working *spill.Buffer) (pipelines []*pipeline.Pipeline, result *Materialize, err error)

// NewRecursive gives the rows of a recursive query to one driver, which runs the rounds as it goes.
func NewRecursive(round Round, distinct bool, columns []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats) pipeline.Source {
	return &once{open: func(context.Context, *pipeline.Driver) (vec.Source, error) {
		r := &recursion{round: round, columns: columns, environment: environment, stats: stats,
			pool: environment.Pool.Child(stats.Name, memory.Unlimited)}
		if !distinct {
			return r, nil
		}
		var err error
		r.seen, err = rows.NewGroups(columns, 0, r.pool, stats.Name)
		return r, err
	}}
}

type recursion struct {
	round       Round
	columns     []types.Type
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	pool        *memory.Pool
	seen        *rows.Groups // rows given before; nil: duplicates are wanted

	started bool
	rounds  int
	working *spill.Buffer // new rows of the last round
	at      int           // its batches given
	scratch vec.Batch
	view    vec.Batch
	all     []int32
	ids     []int32
}

func (r *recursion) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		if r.working != nil && r.at < r.working.Len() {
			b, err := r.working.Batch(r.at, &r.scratch)
			if err != nil {
				return nil, err
			}
			r.at++
			r.view = *b
			return &r.view, nil
		}
		if r.started && r.working.Rows() == 0 {
			return nil, nil
		}
		if err := r.run(ctx); err != nil {
			return nil, err
		}
	}
}

// run runs one round and makes its new rows the working table.
func (r *recursion) run(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.rounds++; r.rounds > mostRounds {
		return sqlerr.New(sqlerr.ProgramLimitExceeded, "recursive query has run %d rounds", mostRounds)
	}
	pipelines, result, err := r.round(r.working)
	if err != nil {
		return err
	}
	fresh := spill.NewBuffer(r.columns, r.pool, r.environment.SpillPolicy(r.stats))
	collect := &collector{recursion: r, into: fresh}
	pipelines = append(pipelines, &pipeline.Pipeline{Name: "round", Drivers: 1, Sink: collect, SinkNode: r.stats,
		Branches: []*pipeline.Branch{{Source: result.Read(), Node: r.stats}}, After: pipelines[len(pipelines)-1:]})
	err = slots.Block(ctx, func() error { return pipeline.Run(ctx, r.environment, pipelines) })
	if err != nil {
		_ = fresh.Close()
		return err
	}
	if r.working != nil {
		if err := r.working.Close(); err != nil {
			return err
		}
	}
	r.working, r.at, r.started = fresh, 0, true
	return nil
}

// collector takes a round's rows, those that are new.
type collector struct {
	recursion *recursion
	into      *spill.Buffer
}

func (c *collector) Local(*pipeline.Driver) (pipeline.LocalSink, error) { return c, nil }
func (c *collector) Merge(context.Context) error                        { return nil }
func (c *collector) Finalize(context.Context) error                     { return nil }
func (c *collector) Close() error                                       { return nil }

func (c *collector) Consume(_ context.Context, b *vec.Batch) error {
	r := c.recursion
	if r.seen == nil {
		return c.into.Append(b)
	}
	list := b.Sel
	if list == nil {
		r.all = sequence(r.all, b.Len)
		list = r.all[:b.Len]
	}
	if cap(r.ids) < len(list) {
		r.ids = make([]int32, len(list))
	}
	cols := make([]*vec.Vector, len(b.Cols))
	for i := range cols {
		cols[i] = &b.Cols[i]
	}
	next := r.seen.Count()
	ids := r.ids[:len(list)]
	if err := r.seen.Find(cols, list, ids); err != nil {
		return err
	}
	fresh := make(vec.Bitmap, vec.BitmapWords(r.seen.Count()-next+1))
	kept := *b
	kept.Sel = make([]int32, 0, r.seen.Count()-next)
	for i, id := range ids {
		if n := int(id) - next; n >= 0 && !fresh.Get(n) {
			fresh.Set(n)
			kept.Sel = append(kept.Sel, list[i])
		}
	}
	return c.into.Append(&kept)
}

func (r *recursion) Close() error {
	r.stats.RaiseMemory(r.pool.Peak())
	r.seen.Free()
	if r.working == nil {
		return nil
	}
	return r.working.Close()
}
