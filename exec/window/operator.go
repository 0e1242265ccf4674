package window

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/vec"
)

// SortKeys gives the order in which NewOperator wants its rows: by partition, then by the window's order.
func SortKeys(node *plan.Window) []plan.SortKey {
	keys := make([]plan.SortKey, 0, len(node.Partition)+len(node.Order))
	for _, p := range node.Partition {
		keys = append(keys, plan.SortKey{Column: p})
	}
	return append(keys, node.Order...)
}

// NewOperator makes the stage that appends the functions' values to rows that come sorted by
// SortKeys, on one driver. It holds one partition at a time.
func NewOperator(node *plan.Window, environment *pipeline.Environment, stats *pipeline.NodeStats) pipeline.Operator {
	return &operator{node: node, environment: environment, stats: stats}
}

type operator struct {
	node        *plan.Window
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
}

func (o *operator) Close() error { return nil }

func (o *operator) New(*pipeline.Driver) (pipeline.Transform, error) {
	evaluator, err := New(o.node, o.environment.Registry, o.environment.Session)
	if err != nil {
		return nil, err
	}
	t := &transform{operator: o, evaluator: evaluator, pool: o.environment.Pool.Child(o.stats.Name, memory.Unlimited)}
	for _, p := range o.node.Partition {
		t.keys = append(t.keys, plan.SortKey{Column: p})
	}
	return t, nil
}

// transform collects the batches of a partition until a row of another one comes.
type transform struct {
	*operator
	evaluator *Evaluator
	pool      *memory.Pool
	keys      []plan.SortKey
	parts     []*vec.Batch // of the open partition, compacted copies
	reserved  int64
	values    []vec.Vector
}

// Process cuts the batch at the partitions' edges.
func (t *transform) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	own := in.Clone()
	if own.Len == 0 {
		return nil
	}
	flat := vec.Concatenate([]*vec.Batch{own})
	differs := make([]bool, flat.Len)
	for _, key := range t.keys {
		markChanges(&flat.Cols[key.Column], differs)
	}
	if len(t.parts) > 0 && t.startsNew(flat) {
		if err := t.flush(ctx, emit); err != nil {
			return err
		}
	}
	from := 0
	for i := 1; i <= flat.Len; i++ {
		if i < flat.Len && !differs[i] {
			continue
		}
		if err := t.keep(slice(flat, from, i)); err != nil {
			return err
		}
		if i < flat.Len {
			if err := t.flush(ctx, emit); err != nil {
				return err
			}
		}
		from = i
	}
	return nil
}

// startsNew tells whether the batch's first row belongs to another partition than the rows kept.
func (t *transform) startsNew(b *vec.Batch) bool {
	last := t.parts[len(t.parts)-1]
	pair := vec.Concatenate([]*vec.Batch{slice(last, last.Len-1, last.Len), slice(b, 0, 1)})
	differs := make([]bool, 2)
	for _, key := range t.keys {
		markChanges(&pair.Cols[key.Column], differs)
	}
	return differs[1]
}

func slice(b *vec.Batch, from, to int) *vec.Batch {
	if from == 0 && to == b.Len {
		return b
	}
	rows := make([]int32, to-from)
	for i := range rows {
		rows[i] = int32(from + i)
	}
	out := &vec.Batch{Cols: make([]vec.Vector, len(b.Cols)), Len: len(rows)}
	for i := range b.Cols {
		vec.Gather(&out.Cols[i], &b.Cols[i], rows)
	}
	return out
}

func (t *transform) keep(b *vec.Batch) error {
	bytes := 3 * b.Bytes() // the parts, the whole, and the results
	if err := t.pool.Reserve(bytes, t.stats.Name); err != nil {
		return err
	}
	t.reserved += bytes
	t.parts = append(t.parts, b)
	return nil
}

// flush computes the open partition and hands it on in batches.
func (t *transform) flush(ctx context.Context, emit pipeline.Emit) error {
	if len(t.parts) == 0 {
		return nil
	}
	whole := t.parts[0]
	if len(t.parts) > 1 {
		whole = vec.Concatenate(t.parts)
	}
	t.parts = t.parts[:0]
	if t.values == nil {
		t.values = make([]vec.Vector, len(t.node.Functions))
	}
	if err := t.evaluator.Partition(ctx, whole.Cols, whole.Len, t.values); err != nil {
		return err
	}
	all := &vec.Batch{Cols: append(append([]vec.Vector(nil), whole.Cols...), t.values...), Len: whole.Len}
	for from := 0; from < all.Len; from += t.environment.BatchSize {
		if err := emit(slice(all, from, min(from+t.environment.BatchSize, all.Len))); err != nil {
			return err
		}
	}
	t.pool.Release(t.reserved)
	t.reserved = 0
	return nil
}

// Finish hands on the last partition.
func (t *transform) Finish(ctx context.Context, emit pipeline.Emit) error { return t.flush(ctx, emit) }

// Close gives back what an interrupted run holds.
func (t *transform) Close() error {
	t.pool.Close()
	return nil
}
