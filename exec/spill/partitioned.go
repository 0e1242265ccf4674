package spill

import (
	"context"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// batchRows is the number of rows a block or a batch read back has at most.
const batchRows = 2048

// Partitioned holds rows scattered by the hash of their keys into rows.Partitions parts, in memory
// and in a spill file. One goroutine appends; afterwards any number may read distinct parts. A nil
// Partitioned is empty.
type Partitioned struct {
	types  []types.Type
	keys   []int // columns that are hashed
	depth  int   // of partitioning: which bits of the hash count
	pool   *memory.Pool
	policy Policy

	writer *rows.PartitionWriter
	blocks [rows.Partitions][]Block
	file   *File
	count  int64

	hasher rows.Hasher
	hashes []uint64
	parts  []uint8
	hashed []*vec.Vector
}

// NewPartitioned makes an empty one for rows of the given columns; depth says which bits of the hash
// of the key columns count, so that the rows of one part can be scattered again.
func NewPartitioned(columns []types.Type, keys []int, depth int, pool *memory.Pool, policy Policy) *Partitioned {
	return &Partitioned{types: columns, keys: keys, depth: depth, pool: pool, policy: policy}
}

// Append adds the listed rows.
func (p *Partitioned) Append(cols []*vec.Vector, list []int32) error {
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
	if len(p.keys) == 0 {
		clear(parts)
	} else {
		p.hashed = p.hashed[:0]
		for _, k := range p.keys {
			p.hashed = append(p.hashed, cols[k])
		}
		p.hasher.Hash(p.hashed, list, hashes)
		for i, h := range hashes {
			parts[i] = rows.PartitionOf(h, p.depth)
		}
	}
	p.count += int64(len(list))
	return p.writer.Append(cols, list, parts)
}

// Empty tells whether a part has no rows.
func (p *Partitioned) Empty(part int) bool {
	return p == nil || len(p.blocks[part]) == 0 && (p.writer == nil || len(p.writer.Chunks(part)) == 0)
}

// Rows is the number of rows appended.
func (p *Partitioned) Rows() int64 {
	if p == nil {
		return 0
	}
	return p.count
}

// PartRows is the number of rows of a part, once appended rows are flushed.
func (p *Partitioned) PartRows(part int) int64 {
	if p == nil {
		return 0
	}
	n := int64(0)
	for _, b := range p.blocks[part] {
		n += int64(b.Rows)
	}
	if p.writer != nil {
		for _, c := range p.writer.Chunks(part) {
			n += int64(c.Rows)
		}
	}
	return n
}

// Bytes is the memory held.
func (p *Partitioned) Bytes() int64 {
	if p == nil || p.writer == nil {
		return 0
	}
	return p.writer.Store().Bytes()
}

// Spill writes what is in memory to the file.
func (p *Partitioned) Spill(ctx context.Context) error {
	if p == nil || p.writer == nil {
		return nil
	}
	if p.file == nil {
		var err error
		if p.file, err = Create(p.policy.Directory, p.policy.Written); err != nil {
			return err
		}
	}
	p.writer.Flush()
	for part := range rows.Partitions {
		r := p.Reader(part)
		r.block = len(p.blocks[part])
		for {
			b, err := r.Next(ctx)
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			block, err := p.file.Write(b)
			if err != nil {
				return err
			}
			// The reader must not take what it writes for more to be read.
			p.blocks[part] = append(p.blocks[part], block)
			r.block++
		}
	}
	p.writer.Store().Free()
	p.writer = nil
	return nil
}

// PartReader gives the rows of one part, at most batchRows at a time. It is used by one goroutine.
type PartReader struct {
	of      *Partitioned
	part    int
	block   int
	chunk   int
	at      uint32 // next row of the chunk
	numbers []uint32
	batch   vec.Batch
}

// Reader reads a part from its beginning.
func (p *Partitioned) Reader(part int) *PartReader { return &PartReader{of: p, part: part} }

// Next gives the next rows, nil at the end; the batch is valid until the next call.
func (r *PartReader) Next(ctx context.Context) (*vec.Batch, error) {
	if r.of == nil {
		return nil, nil
	}
	if err := slots.Edge(ctx); err != nil {
		return nil, err
	}
	if blocks := r.of.blocks[r.part]; r.block < len(blocks) {
		r.block++
		return &r.batch, r.of.file.Read(blocks[r.block-1], r.of.types, &r.batch)
	}
	if r.of.writer == nil {
		return nil, nil
	}
	chunks := r.of.writer.Chunks(r.part)
	r.numbers = r.numbers[:0]
	for len(r.numbers) < batchRows && r.chunk < len(chunks) {
		c := chunks[r.chunk]
		if r.at == c.Rows {
			r.chunk, r.at = r.chunk+1, 0
			continue
		}
		r.numbers = append(r.numbers, c.First+r.at)
		r.at++
	}
	if len(r.numbers) == 0 {
		return nil, nil
	}
	if len(r.batch.Cols) != len(r.of.types) {
		r.batch.Cols = make([]vec.Vector, len(r.of.types))
	}
	for c := range r.batch.Cols {
		r.of.writer.Store().Gather(c, r.numbers, &r.batch.Cols[c])
	}
	r.batch.Len = len(r.numbers)
	return &r.batch, nil
}

// Each gives all rows of a part.
func (p *Partitioned) Each(ctx context.Context, part int, f func(cols []vec.Vector, n int) error) error {
	r := p.Reader(part)
	for {
		b, err := r.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := f(b.Cols, b.Len); err != nil {
			return err
		}
	}
}

// Flush makes appended rows readable.
func (p *Partitioned) Flush() {
	if p != nil && p.writer != nil {
		p.writer.Flush()
	}
}

// Free drops all rows.
func (p *Partitioned) Free() error {
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
