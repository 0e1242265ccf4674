package join

import (
	"context"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
)

// built is a right side, or a part of one, ready to be probed.
type built struct {
	join   *Join
	pool   *memory.Pool
	store  *rows.Store
	ranges []keyRange
	table  *table
	// correlated groups the right rows by the keys that NULL matches, for NullAware joins with such.
	correlated *correlation
	matches    op.Matches
}

// newBuilt makes an empty right side in pool.
func newBuilt(j *Join, pool *memory.Pool) (*built, error) {
	store, err := rows.NewStore(rows.NewLayout(j.storedTypes()), pool, j.policy.Operator)
	if err != nil {
		return nil, err
	}
	b := &built{join: j, pool: pool, store: store, ranges: make([]keyRange, len(j.spec.RightKeys))}
	for k := range b.ranges {
		b.ranges[k] = emptyRange()
	}
	return b, nil
}

// index makes the table over the store's rows, on several drivers if e is not nil. It takes over
// paid bytes that are reserved.
func (b *built) index(ctx context.Context, e *pipeline.Environment, paid int64) error {
	j := b.join
	b.table = &table{store: b.store, keys: j.keyColumns, pool: b.pool, operator: j.policy.Operator, paid: paid,
		coder: newCoder(j.keyTypes(), b.ranges, j.spec.NullEqual)}
	if err := b.table.index(ctx, e); err != nil {
		return err
	}
	if !j.nullAware() || !j.correlates() {
		return nil
	}
	var err error
	b.correlated, err = newCorrelation(ctx, b)
	return err
}

// unindex drops the table, not the rows.
func (b *built) unindex() {
	if b.table != nil {
		b.table.free()
	}
	b.correlated.free()
	b.table, b.correlated = nil, nil
}

// free gives the memory back.
func (b *built) free() {
	if b == nil {
		return
	}
	b.unindex()
	b.store.Free()
}
