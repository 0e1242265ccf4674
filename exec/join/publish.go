package join

import (
	"context"
	"slices"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// listedValues is the number of build rows up to which filters list their values, for pruning.
const listedValues = 256

// publish tells a dynamic filter what the right keys are: no value at all, few values, bounds, and a
// set to test rows against.
func (j *Join) publish(ctx context.Context, p Publish) error {
	if j.total.Load() == 0 {
		p.Filter.Publish(&op.Learnt{None: true})
		return nil
	}
	t, n := j.keyTypes()[p.Key], j.whole.store.Rows()
	learnt := &op.Learnt{}
	if r := j.whole.ranges[p.Key]; isInteger(t) {
		if r.minimum > r.maximum {
			p.Filter.Publish(&op.Learnt{None: true})
			return nil
		}
		least, most := types.IntDatum(r.minimum), types.IntDatum(r.maximum)
		learnt.Minimum, learnt.Maximum = &least, &most
		if j.spilled.Load() {
			p.Filter.Publish(learnt) // the rows are on disk: bounds must do
			return nil
		}
		learnt.Members = op.NewBitmap(r.minimum, uint64(r.maximum)-uint64(r.minimum)+1, j.pool, j.stats.Name)
	}
	if j.spilled.Load() {
		p.Filter.Publish(&op.Learnt{}) // whoever waits for it shall not wait in vain
		return nil
	}
	if learnt.Members == nil {
		learnt.Members = op.NewBloom(n, j.pool, j.stats.Name)
	}
	collect := &collecting{learnt: learnt, list: n <= listedValues}
	if err := j.eachKey(ctx, p.Key, collect.add); err != nil {
		return err
	}
	if collect.list {
		slices.SortFunc(learnt.Values, func(a, b types.Datum) int { return types.CompareDatums(t, a, b) })
		learnt.Values = slices.CompactFunc(learnt.Values, func(a, b types.Datum) bool { return types.CompareDatums(t, a, b) == 0 })
	}
	if learnt.Members != nil {
		j.members = append(j.members, learnt.Members)
		if !learnt.Members.Useful() {
			learnt.Members = nil
		}
	}
	p.Filter.Publish(learnt)
	return nil
}

// collecting adds key values to what is learnt.
type collecting struct {
	learnt *op.Learnt
	list   bool
	hasher rows.Hasher
	hashes [batchRows]uint64
}

func (c *collecting) add(v *vec.Vector, valid []int32) {
	if c.learnt.Members != nil {
		c.learnt.Members.Add(v, valid, &c.hasher, c.hashes[:])
	}
	if c.list {
		for _, r := range valid {
			c.learnt.Values = append(c.learnt.Values, v.Datum(int(r)))
		}
	}
}

// eachKey gives the stored values of a key, batch by batch, and the rows that are not NULL.
func (j *Join) eachKey(ctx context.Context, key int, f func(v *vec.Vector, valid []int32)) error {
	var v vec.Vector
	numbers, valid := make([]uint32, 0, batchRows), make([]int32, 0, batchRows)
	for _, chunk := range j.whole.store.Chunks() {
		for at := uint32(0); at < chunk.Rows; at += batchRows {
			if err := slots.Edge(ctx); err != nil {
				return err
			}
			numbers, valid = numbers[:0], valid[:0]
			for i := at; i < min(at+batchRows, chunk.Rows); i++ {
				numbers = append(numbers, chunk.First+i)
			}
			j.whole.store.Gather(j.keyColumns[key], numbers, &v)
			for i := range numbers {
				if v.Valid.Get(i) {
					valid = append(valid, int32(i))
				}
			}
			f(&v, valid)
		}
	}
	return nil
}
