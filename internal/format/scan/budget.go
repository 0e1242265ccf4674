package scan

import (
	"context"

	"github.com/tarnlake/tarn/internal/memory"
)

// Budget counts the memory that decoding a file's metadata takes, so that a small file cannot make
// much of it: a byte of a footer may stand for a hundred in memory. A nil Budget counts nothing. It is
// not safe for concurrent use.
type Budget struct {
	reserve func(bytes int64) error
	granted int64 // not yet taken
	err     error
}

const (
	// freeBudget is what most footers do with: it is not reserved.
	freeBudget = 1 << 20
	budgetStep = 1 << 20
)

// NewBudget makes a budget that asks reserve for memory, about a megabyte at a time. After reserve's
// first error every Take gives it.
func NewBudget(reserve func(bytes int64) error) *Budget {
	return &Budget{reserve: reserve, granted: freeBudget}
}

// Take is called before n bytes are allocated.
func (b *Budget) Take(n int64) error {
	if b == nil || b.err != nil {
		return b.Err()
	}
	if b.granted < n {
		step := n - b.granted + budgetStep
		if b.err = b.reserve(step); b.err != nil {
			return b.err
		}
		b.granted += step
	}
	b.granted -= n
	return nil
}

// Err is the error of the Take that failed, if one did.
func (b *Budget) Err() error {
	if b == nil {
		return nil
	}
	return b.err
}

// PoolBudget makes a budget that reserves of a pool, which may be nil, until release is called. It is
// also where decoding much notices that ctx has ended.
func PoolBudget(ctx context.Context, pool *memory.Pool, operator string) (budget *Budget, release func()) {
	var reserved int64
	budget = NewBudget(func(n int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if pool == nil {
			return nil
		}
		if err := pool.Reserve(n, operator); err != nil {
			return err
		}
		reserved += n
		return nil
	})
	return budget, func() {
		if pool != nil {
			pool.Release(reserved)
		}
	}
}
