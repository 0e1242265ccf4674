package join

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/vec"
)

// A driver writes its parts to disk when they have grown to mostParts, or to this part of what the
// query may hold; smaller blocks would be many and tiny.
const (
	mostParts    = 16 << 20
	leastParts   = 256 << 10
	partsOfLimit = 16
)

// spillBeyond writes parts to disk when they have grown, or when the pool asks for it.
func (j *Join) spillBeyond(ctx context.Context, p *spill.Partitioned, reclaim *memory.Reclaimable) error {
	asked := reclaim != nil && reclaim.Asked()
	bytes := p.Bytes()
	if !asked && !j.policy.Force && bytes < max(min(mostParts, j.pool.Tightest()/partsOfLimit), leastParts) {
		return nil
	}
	if reclaim != nil {
		defer reclaim.Done()
	}
	return p.Spill(ctx)
}

// fits tells whether the right rows and a table over them leave at least as much memory as they take.
func (j *Join) fits() bool {
	if j.spilled.Load() {
		return true
	}
	n := j.total.Load()
	return j.pool.Used()+2*tableBytes(int(n), uint32(n)) <= j.pool.Headroom()
}

// partKeys gives, of the join's keys, those by which rows are partitioned: all, or for NullAware
// joins with correlation those that NULL matches, so that a correlated group stays together.
func (j *Join) partKeys() []int {
	var list []int
	some := j.nullAware() && j.correlates()
	for k, equal := range j.spec.NullEqual {
		if !some || equal {
			list = append(list, k)
		}
	}
	return list
}

// newRight makes parts for stored right rows.
func (j *Join) newRight(depth int, pool *memory.Pool) *spill.Partitioned {
	var keys []int
	for _, k := range j.partKeys() {
		keys = append(keys, j.keyColumns[k])
	}
	return spill.NewPartitioned(j.storedTypes(), keys, depth, pool, j.policy)
}

// newLeft makes parts for left rows.
func (j *Join) newLeft(depth int, pool *memory.Pool) *spill.Partitioned {
	var keys []int
	for _, k := range j.partKeys() {
		keys = append(keys, j.spec.LeftKeys[k])
	}
	return spill.NewPartitioned(j.spec.Shape.Left, keys, depth, pool, j.policy)
}

// spill moves all right rows that are in memory to disk, on so many goroutines; rows that come
// meanwhile go there too. A second call does nothing.
func (j *Join) spill(ctx context.Context, workers int) error {
	j.lock.Lock()
	if j.spilled.Load() {
		j.lock.Unlock()
		return nil
	}
	for _, b := range j.locals {
		b.writer.Flush()
	}
	j.spilled.Store(true)
	early := make([]*spill.Partitioned, workers)
	for i := range early {
		early[i] = j.newRight(0, j.pool)
	}
	j.right = append(j.right, early...)
	j.lock.Unlock()
	chunks := j.whole.store.Chunks()
	var next atomic.Int64
	move := func(ctx context.Context, i int) error {
		for {
			at := int(next.Add(1)) - 1
			if at >= len(chunks) {
				return early[i].Spill(ctx)
			}
			if err := j.scatter(ctx, chunks[at], early[i]); err != nil {
				return err
			}
		}
	}
	if err := j.environment.Parallel(ctx, workers, move); err != nil {
		return err
	}
	j.whole.store.Free()
	return nil
}

// scatter copies the rows of a chunk to parts.
func (j *Join) scatter(ctx context.Context, chunk rows.Chunk, to *spill.Partitioned) error {
	store := j.whole.store
	cols := make([]*vec.Vector, len(store.Layout.Types))
	for c := range cols {
		cols[c] = &vec.Vector{}
	}
	numbers, list := make([]uint32, 0, batchRows), make([]int32, batchRows)
	for i := range list {
		list[i] = int32(i)
	}
	for at := uint32(0); at < chunk.Rows; at += batchRows {
		numbers = numbers[:0]
		for i := at; i < min(at+batchRows, chunk.Rows); i++ {
			numbers = append(numbers, chunk.First+i)
		}
		for c, v := range cols {
			store.Gather(c, numbers, v)
		}
		if err := to.Append(cols, list[:len(numbers)]); err != nil {
			return err
		}
		if err := j.spillBeyond(ctx, to, nil); err != nil {
			return err
		}
	}
	return nil
}
