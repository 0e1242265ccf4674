package join

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
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
	policy      spill.Policy

	stored     []int // right columns kept in the store, keys first
	column     []int // right column → store column, -1: not kept
	keyColumns []int // store columns of the keys

	total   atomic.Int64  // right rows, those with NULL keys included
	nullKey atomic.Bool   // a key that NULL does not match was NULL
	members []*op.Members // of published filters

	// Batches are appended to the whole under a read lock; whoever spills takes the write lock to end that.
	lock    sync.RWMutex
	whole   *built // the right side, as long as it is in memory
	spilled atomic.Bool
	locals  []*building
	right   []*spill.Partitioned // the right rows, once spilled
	left    []*spill.Partitioned // the left rows, by driver
}

// New makes a join whose memory is charged to the node.
func New(spec Spec, environment *pipeline.Environment, stats *pipeline.NodeStats) (*Join, error) {
	j := &Join{spec: spec, environment: environment, stats: stats, pool: environment.Pool.Child(stats.Name, memory.Unlimited),
		policy: environment.SpillPolicy(stats)}
	j.chooseColumns()
	var err error
	j.whole, err = newBuilt(j, j.pool.Child(stats.Name, memory.Unlimited))
	return j, err
}

// storedTypes gives the types of the right columns that are kept.
func (j *Join) storedTypes() []types.Type {
	out := make([]types.Type, len(j.stored))
	for i, c := range j.stored {
		out[i] = j.spec.Shape.Right[c]
	}
	return out
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
	b := &building{join: j, writer: j.whole.store.NewWriter(), ranges: make([]keyRange, len(j.spec.RightKeys)),
		cols: make([]*vec.Vector, len(j.stored))}
	for k := range b.ranges {
		b.ranges[k] = emptyRange()
	}
	if j.policy.Enabled {
		b.pool = j.pool.Child(j.policy.Operator, memory.Unlimited)
		b.reclaim = j.pool.Register(func() int64 { return j.whole.pool.Used() + b.pool.Used() })
	}
	j.lock.Lock()
	defer j.lock.Unlock()
	j.locals = append(j.locals, b)
	return b, nil
}

// building is one driver's part of the build.
type building struct {
	join    *Join
	writer  *rows.Writer
	parts   *spill.Partitioned // once spilled
	ranges  []keyRange
	cols    []*vec.Vector
	all     []int32
	valid   []int32
	batches int
	pool    *memory.Pool // of the parts
	reclaim *memory.Reclaimable
}

func (b *building) Consume(ctx context.Context, in *vec.Batch) error {
	if err := b.relieve(ctx, false); err != nil {
		return err
	}
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
	return b.keep(ctx, list)
}

// keep appends rows to the store, or to the driver's parts once the join has spilled.
func (b *building) keep(ctx context.Context, list []int32) error {
	j := b.join
	j.lock.RLock()
	if !j.spilled.Load() {
		err := b.writer.Append(b.cols, list, nil)
		j.lock.RUnlock()
		return err
	}
	j.lock.RUnlock()
	if b.parts == nil {
		b.parts = j.newRight(0, b.pool)
	}
	if err := b.parts.Append(b.cols, list); err != nil {
		return err
	}
	return j.spillBeyond(ctx, b.parts, b.reclaim)
}

// relieve moves the rows to disk when the pool asks for it.
func (b *building) relieve(ctx context.Context, last bool) error {
	b.batches++
	if b.reclaim == nil {
		return nil
	}
	forced := b.join.policy.Force && (b.batches == 3 || last)
	if b.reclaim.Asked() || forced || !b.join.fits() {
		defer b.reclaim.Done()
		return b.join.spill(ctx, 1)
	}
	return nil
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

func (b *building) Merge(ctx context.Context) error {
	j := b.join
	if err := b.relieve(ctx, true); err != nil {
		return err
	}
	if err := b.parts.Spill(ctx); err != nil {
		return err
	}
	if b.reclaim != nil {
		b.reclaim.Unregister()
	}
	j.lock.Lock()
	defer j.lock.Unlock()
	for k := range b.ranges {
		j.whole.ranges[k].join(b.ranges[k])
	}
	if !j.spilled.Load() {
		b.writer.Flush()
	} else if b.parts != nil {
		j.right = append(j.right, b.parts)
		b.parts = nil
	}
	return nil
}

// Finalize builds the table, unless the rows are on disk.
func (j *Join) Finalize(ctx context.Context) error {
	detail := "spilled"
	if err := j.index(ctx); err != nil {
		return err
	}
	if !j.spilled.Load() {
		detail = j.whole.table.describe()
	}
	for _, p := range j.spec.Publish {
		if err := j.publish(ctx, p); err != nil {
			return err
		}
	}
	j.stats.RaiseMemory(j.pool.Peak())
	j.stats.SetDetail(detail)
	return nil
}

// index makes the table, or puts the rows on disk when it would take too much memory.
func (j *Join) index(ctx context.Context) error {
	switch {
	case j.spilled.Load():
		return nil
	case !j.policy.Enabled:
		return j.whole.index(ctx, j.environment, 0)
	case !j.fits():
		return j.spill(ctx, j.environment.Drivers)
	}
	err := j.whole.index(ctx, j.environment, 0)
	if sqlerr.CodeOf(err) != sqlerr.OutOfMemory {
		return err
	}
	j.whole.unindex()
	return j.spill(ctx, j.environment.Drivers)
}

// Close frees everything.
func (j *Join) Close() error {
	j.stats.RaiseMemory(j.pool.Peak())
	j.whole.free()
	for _, m := range j.members {
		m.Free()
	}
	parts := append(append([]*spill.Partitioned(nil), j.right...), j.left...)
	for _, b := range j.locals {
		if b.reclaim != nil {
			b.reclaim.Unregister()
		}
		parts = append(parts, b.parts)
	}
	var first error
	for _, p := range parts {
		if err := p.Free(); err != nil && first == nil {
			first = err
		}
	}
	j.right, j.left, j.locals = nil, nil, nil
	j.pool.Close()
	return first
}
