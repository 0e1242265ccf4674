package join

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Spec is what a hash join's sides agree on.
type Spec struct {
	Shape     op.JoinShape
	LeftKeys  []int
	RightKeys []int
	NullEqual []bool
	Residual  expr.Expr
	NullAware bool // Mark and NullAwareAnti: a comparison with NULL is unknown
	// Publish lists the filters to be told of the right keys.
	Publish []Publish
}

// Publish names the dynamic filter that gets the values of right key number Key.
type Publish struct {
	Key    int
	Filter *op.DynamicFilter
}

// Join is one hash join: the sink of its right side, and what its probes share.
type Join struct {
	spec        Spec
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	pool        *memory.Pool

	stored     []int // right columns kept in the store, keys first
	column     []int // right column → store column, -1: not kept
	keyColumns []int // store columns of the keys

	store   *rows.Store
	mu      sync.Mutex
	ranges  []keyRange
	total   atomic.Int64 // right rows, those with NULL keys included
	nullKey atomic.Bool  // a key that NULL does not match was NULL
	table   *table
	matches op.Matches
	members []*op.Members // of published filters
	// correlated groups the right rows by the keys that NULL matches, for NullAware joins with such.
	correlated *correlation
}

// New makes a join whose memory is charged to the node.
func New(spec Spec, environment *pipeline.Environment, stats *pipeline.NodeStats) (*Join, error) {
	j := &Join{spec: spec, environment: environment, stats: stats, pool: environment.Pool.Child(stats.Name, memory.Unlimited)}
	j.chooseColumns()
	kept := make([]types.Type, len(j.stored))
	for i, c := range j.stored {
		kept[i] = spec.Shape.Right[c]
	}
	var err error
	if j.store, err = rows.NewStore(rows.NewLayout(kept), j.pool, stats.Name); err != nil {
		return nil, err
	}
	j.ranges = make([]keyRange, len(spec.RightKeys))
	for k := range j.ranges {
		j.ranges[k] = emptyRange()
	}
	return j, nil
}

// chooseColumns lists the right columns that must be kept: keys, output, residual.
func (j *Join) chooseColumns() {
	j.column = make([]int, len(j.spec.Shape.Right))
	for c := range j.column {
		j.column[c] = -1
	}
	keep := func(c int) {
		if j.column[c] < 0 {
			j.column[c] = len(j.stored)
			j.stored = append(j.stored, c)
		}
	}
	for _, c := range j.spec.RightKeys {
		keep(c)
		j.keyColumns = append(j.keyColumns, j.column[c])
	}
	for _, c := range j.spec.Shape.RightColumns() {
		keep(c)
	}
	if j.spec.Residual != nil {
		used := map[expr.ColumnID]bool{}
		expr.Columns(j.spec.Residual, used)
		for c := range j.spec.Shape.Right {
			if used[expr.ColumnID(len(j.spec.Shape.Left)+c)] {
				keep(c)
			}
		}
	}
}

// keyTypes gives the types of the right keys.
func (j *Join) keyTypes() []types.Type {
	out := make([]types.Type, len(j.spec.RightKeys))
	for k, c := range j.spec.RightKeys {
		out[k] = j.spec.Shape.Right[c]
	}
	return out
}

// keepsNullKeys tells whether right rows that can match nothing are needed all the same.
func (j *Join) keepsNullKeys() bool {
	switch j.spec.Shape.Kind {
	case plan.Right, plan.Full, plan.RightAnti:
		return true
	}
	return j.nullAware() && j.correlates()
}

func (j *Join) nullAware() bool {
	return j.spec.Shape.Kind == plan.NullAwareAnti || j.spec.Shape.Kind == plan.Mark && j.spec.NullAware
}

// correlates tells whether some key lets NULL match, next to others that do not.
func (j *Join) correlates() bool {
	for _, equal := range j.spec.NullEqual {
		if equal {
			return true
		}
	}
	return false
}

// Local starts a driver's part of the build.
func (j *Join) Local(*pipeline.Driver) (pipeline.LocalSink, error) {
	b := &building{join: j, writer: j.store.NewWriter(), ranges: make([]keyRange, len(j.ranges)),
		cols: make([]*vec.Vector, len(j.stored))}
	for k := range b.ranges {
		b.ranges[k] = emptyRange()
	}
	return b, nil
}

// building is one driver's part of the build.
type building struct {
	join   *Join
	writer *rows.Writer
	ranges []keyRange
	cols   []*vec.Vector
	all    []int32
	valid  []int32
}

func (b *building) Consume(_ context.Context, in *vec.Batch) error {
	list := in.Sel
	if list == nil {
		for i := len(b.all); i < in.Len; i++ {
			b.all = append(b.all, int32(i))
		}
		list = b.all[:in.Len]
	}
	b.join.total.Add(int64(len(list)))
	keep := b.join.keepsNullKeys()
	for k, c := range b.join.spec.RightKeys {
		v := &in.Cols[c]
		if !b.join.spec.NullEqual[k] && v.MayHaveNulls() {
			list = b.withoutNulls(v, list, keep)
		}
	}
	for k, c := range b.join.spec.RightKeys {
		b.ranges[k].observe(&in.Cols[c], list)
	}
	for i, c := range b.join.stored {
		b.cols[i] = &in.Cols[c]
	}
	return b.writer.Append(b.cols, list, nil)
}

// withoutNulls notes NULLs and, unless they are to be kept, leaves their rows out.
func (b *building) withoutNulls(v *vec.Vector, list []int32, keep bool) []int32 {
	kept := b.valid[:0]
	for _, i := range list {
		if !v.IsNull(int(i)) {
			kept = append(kept, i)
		}
	}
	if len(kept) < len(list) {
		b.join.nullKey.Store(true)
	}
	if keep {
		return list
	}
	b.valid = kept
	return kept
}

func (b *building) Merge(context.Context) error {
	b.writer.Flush()
	b.join.mu.Lock()
	defer b.join.mu.Unlock()
	for k := range b.ranges {
		b.join.ranges[k].join(b.ranges[k])
	}
	return nil
}

// Finalize builds the table.
func (j *Join) Finalize(ctx context.Context) error {
	t := &table{store: j.store, keys: j.keyColumns, pool: j.pool, operator: j.stats.Name,
		coder: newCoder(j.keyTypes(), j.ranges, j.spec.NullEqual)}
	j.table = t
	if err := newTable(ctx, j.environment, t); err != nil {
		return err
	}
	if j.nullAware() && j.correlates() {
		var err error
		if j.correlated, err = newCorrelation(ctx, j); err != nil {
			return err
		}
	}
	for _, p := range j.spec.Publish {
		if err := j.publish(ctx, p); err != nil {
			return err
		}
	}
	j.stats.RaiseMemory(j.pool.Peak())
	j.stats.SetDetail(t.describe())
	return nil
}

// Close frees the table and the rows.
func (j *Join) Close() error {
	j.stats.RaiseMemory(j.pool.Peak())
	if j.table != nil {
		j.table.free()
	}
	j.correlated.free()
	for _, m := range j.members {
		m.Free()
	}
	j.store.Free()
	j.pool.Close()
	return nil
}
