package aggregate

import (
	"context"
	"errors"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const batchRows = 2048

// partitioned holds rows scattered by the hash of their keys, in memory and in a spill file. One
// goroutine appends; afterwards any number may read distinct parts.
type partitioned struct {
	types  []types.Type
	keys   int  // the first columns
	depth  int  // of partitioning: which bits of the hash count
	raw    bool // input rows, not states
	pool   *memory.Pool
	policy spill.Policy

	writer *rows.PartitionWriter
	blocks [rows.Partitions][]spill.Block
	file   *spill.File
	count  int64

	hasher rows.Hasher
	hashes []uint64
	parts  []uint8
}

func newPartitioned(columns []types.Type, keys, depth int, pool *memory.Pool, policy spill.Policy) *partitioned {
	return &partitioned{types: columns, keys: keys, depth: depth, pool: pool, policy: policy}
}

// append adds the listed rows.
func (p *partitioned) append(cols []*vec.Vector, list []int32) error {
	if p.writer == nil {
		store, err := rows.NewStore(rows.NewLayout(p.types), p.pool, p.policy.Operator)
		if err != nil {
			return err
		}
		p.writer = rows.NewPartitionWriter(store)
	}
	if cap(p.hashes) < len(list) {
		p.hashes, p.parts = make([]uint64, len(list)), make([]uint8, len(list))
	}
	hashes, parts := p.hashes[:len(list)], p.parts[:len(list)]
	if p.keys == 0 {
		clear(parts)
	} else {
		p.hasher.Hash(cols[:p.keys], list, hashes)
		for i, h := range hashes {
			parts[i] = rows.PartitionOf(h, p.depth)
		}
	}
	p.count += int64(len(list))
	return p.writer.Append(cols, list, parts)
}

// empty tells whether a part has no rows.
func (p *partitioned) empty(part int) bool {
	return len(p.blocks[part]) == 0 && (p.writer == nil || len(p.writer.Chunks(part)) == 0)
}

// bytes is the memory held.
func (p *partitioned) bytes() int64 {
	if p == nil || p.writer == nil {
		return 0
	}
	return p.writer.Store().Bytes()
}

// spill writes what is in memory to the file.
func (p *partitioned) spill(ctx context.Context) error {
	if p == nil || p.writer == nil {
		return nil
	}
	if p.file == nil {
		var err error
		if p.file, err = spill.Create(p.policy.Directory, p.policy.Written); err != nil {
			return err
		}
	}
	p.writer.Flush()
	for part := range rows.Partitions {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := p.inMemory(part, func(cols []vec.Vector, n int) error {
			block, err := p.file.Write(&vec.Batch{Cols: cols, Len: n})
			p.blocks[part] = append(p.blocks[part], block)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.writer.Store().Free()
	p.writer = nil
	return nil
}

// inMemory gives a part's rows that are not spilled, at most batchRows at a time.
func (p *partitioned) inMemory(part int, each func(cols []vec.Vector, n int) error) error {
	if p.writer == nil {
		return nil
	}
	store := p.writer.Store()
	cols := make([]vec.Vector, len(p.types))
	numbers := make([]uint32, 0, batchRows)
	give := func() error {
		if len(numbers) == 0 {
			return nil
		}
		for c := range cols {
			store.Gather(c, numbers, &cols[c])
		}
		err := each(cols, len(numbers))
		numbers = numbers[:0]
		return err
	}
	for _, chunk := range p.writer.Chunks(part) {
		for i := range chunk.Rows {
			numbers = append(numbers, chunk.First+i)
			if len(numbers) == batchRows {
				if err := give(); err != nil {
					return err
				}
			}
		}
	}
	return give()
}

// each gives all rows of a part.
func (p *partitioned) each(ctx context.Context, part int, f func(cols []vec.Vector, n int) error) error {
	if p == nil {
		return nil
	}
	for _, block := range p.blocks[part] {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var b vec.Batch
		if err := p.file.Read(block, p.types, &b); err != nil {
			return err
		}
		if err := f(b.Cols, b.Len); err != nil {
			return err
		}
	}
	return p.inMemory(part, func(cols []vec.Vector, n int) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return f(cols, n)
	})
}

// flush makes appended rows readable.
func (p *partitioned) flush() {
	if p != nil && p.writer != nil {
		p.writer.Flush()
	}
}

// free drops all rows.
func (p *partitioned) free() error {
	if p == nil {
		return nil
	}
	if p.writer != nil {
		p.writer.Store().Free()
		p.writer = nil
	}
	file := p.file
	p.file = nil
	return file.Close()
}

var errOverflow = errors.New("the partition does not fit in memory")
