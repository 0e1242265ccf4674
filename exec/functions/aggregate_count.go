package functions

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/vec"
)

// counts is the accumulator of count(*), count(x) and count_if.
type counts struct {
	values []int64
	arg    argument
	mode   countMode
}

type countMode uint8

const (
	countRows countMode = iota
	countValues
	countTrue
)

func (c *counts) Resize(n int) { c.values = grow(c.values, n) }
func (c *counts) Reset()       { c.values = c.values[:0] }
func (c *counts) Bytes() int64 { return int64(cap(c.values)) * 8 }

func (c *counts) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	switch {
	case c.mode == countTrue:
		c.arg.read(groups, args[0], rows)
		if len(c.arg.groups) == 0 {
			return nil
		}
		flags := vec.Values[uint8](c.arg.flat)
		for k, g := range c.arg.groups {
			c.values[g] += int64(flags[c.arg.position(k)])
		}
		return nil
	case c.mode == countValues && args[0].MayHaveNulls():
		c.arg.read(groups, args[0], rows)
		groups = c.arg.groups
	}
	if len(c.values) == 1 {
		c.values[0] += int64(len(groups))
		return nil
	}
	values := c.values
	for _, g := range groups {
		values[g]++
	}
	return nil
}

func (c *counts) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	c.arg.read(groups, partial[0], rows)
	if len(c.arg.groups) == 0 {
		return nil
	}
	values := vec.Values[int64](c.arg.flat)
	for k, g := range c.arg.groups {
		c.values[g] += values[c.arg.position(k)]
	}
	return nil
}

func (c *counts) Partial(from, n int, out []*vec.Vector) error { return c.Final(from, n, out[0]) }

func (c *counts) Final(from, n int, out *vec.Vector) error {
	out.Resize(bigint, n)
	copy(vec.Values[int64](out), c.values[from:from+n])
	return nil
}

func countAggregate(mode countMode) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &counts{mode: mode} }),
		Partial: partialTypes(bigint), IgnoresOrder: true, EmptyIsZero: true}
}

func countAggregates() []fn.Overload {
	return []fn.Overload{
		aggregateRow("count", "Number of rows.", "count(*) → 3", nil, bigint, countAggregate(countRows)),
		aggregateRow("count", "Number of rows on which x is not NULL.", "count(x) → 2", []fn.Param{family("x", fn.Any)}, bigint, countAggregate(countValues)),
		aggregateRow("count_if", "Number of rows on which a condition is true.", "count_if(x > 1) → 2", params("condition", boolean), bigint, countAggregate(countTrue)),
	}
}
