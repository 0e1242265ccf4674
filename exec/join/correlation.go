package join

import (
	"context"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// correlation groups right rows by the keys that NULL matches. It tells, for a left row without a
// match, whether its group is empty (the answer is false) and whether a compared key is NULL in it
// (the answer is unknown).
type correlation struct {
	keys   []int // which of the join's keys group
	groups *rows.Groups
	null   []bool // per group: a compared key is NULL
}

func newCorrelation(ctx context.Context, b *built) (*correlation, error) {
	j, c := b.join, &correlation{}
	var keyTypes []types.Type
	var compared []int
	all := j.keyTypes()
	for k, equal := range j.spec.NullEqual {
		if equal {
			c.keys = append(c.keys, k)
			keyTypes = append(keyTypes, all[k])
		} else {
			compared = append(compared, k)
		}
	}
	var err error
	if c.groups, err = rows.NewGroups(keyTypes, 0, b.pool, j.stats.Name); err != nil {
		return nil, err
	}
	numbers, groups, list := make([]uint32, 0, batchRows), make([]int32, batchRows), make([]int32, batchRows)
	for i := range list {
		list[i] = int32(i)
	}
	cols := make([]*vec.Vector, len(c.keys))
	for i := range cols {
		cols[i] = &vec.Vector{}
	}
	for _, chunk := range b.store.Chunks() {
		for at := uint32(0); at < chunk.Rows; at += batchRows {
			if err := slots.Edge(ctx); err != nil {
				return c, err
			}
			numbers = numbers[:0]
			for i := at; i < min(at+batchRows, chunk.Rows); i++ {
				numbers = append(numbers, chunk.First+i)
			}
			for i, k := range c.keys {
				b.store.Gather(j.keyColumns[k], numbers, cols[i])
			}
			if err := c.groups.Find(cols, list[:len(numbers)], groups); err != nil {
				return c, err
			}
			for len(c.null) < c.groups.Count() {
				c.null = append(c.null, false)
			}
			for i, number := range numbers {
				for _, k := range compared {
					c.null[groups[i]] = c.null[groups[i]] || b.store.IsNull(j.keyColumns[k], number)
				}
			}
		}
	}
	return c, nil
}

func (c *correlation) free() {
	if c != nil {
		c.groups.Free()
	}
}
