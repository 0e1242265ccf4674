package spill

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Policy says whether an operator may spill, and counts what it spills.
type Policy struct {
	Directory string
	Enabled   bool
	Force     bool // spill everything, for tests
	Written   *atomic.Int64
	Operator  string // for messages
}

// Refused is the error of an operator that may not spill and got no more memory.
func (p Policy) Refused(pool *memory.Pool) error {
	hint := "Raise memory.limit or memory.query_limit."
	if !p.Enabled {
		hint = "Raise memory.limit or memory.query_limit, or set spill.enabled = true."
	}
	return sqlerr.New(sqlerr.OutOfMemory, "out of memory: %s needs more than memory.query_limit allows", p.Operator).
		WithDetail("Pool %q holds %s.", pool.Name(), memory.FormatBytes(pool.Used())).
		WithHint("%s", hint)
}

// Buffer keeps batches: in memory while its pool allows, then in a file. Append may be called
// concurrently; reading starts when appending has ended, and each batch may be read many times.
type Buffer struct {
	types  []types.Type
	pool   *memory.Pool
	policy Policy

	mu     sync.Mutex
	items  []item
	held   int64
	file   *File
	rows   int64
	closed bool
}

// item is a batch in memory, or a block.
type item struct {
	batch *vec.Batch
	block Block
}

// NewBuffer makes an empty buffer of columns of the given types.
func NewBuffer(columns []types.Type, pool *memory.Pool, policy Policy) *Buffer {
	return &Buffer{types: columns, pool: pool, policy: policy}
}

// Append keeps a copy of the selected rows of b.
func (b *Buffer) Append(batch *vec.Batch) error {
	if batch.Rows() == 0 {
		return nil
	}
	size := RowBytes(batch)
	if !b.policy.Force && b.pool.TryReserve(size) {
		own := batch.Clone()
		detach(own)
		b.mu.Lock()
		b.items = append(b.items, item{batch: own})
		b.held += size
		b.rows += int64(own.Len)
		b.mu.Unlock()
		return nil
	}
	if !b.policy.Enabled {
		return b.policy.Refused(b.pool)
	}
	file, err := b.spillFile()
	if err != nil {
		return err
	}
	block, err := file.Write(batch)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.items = append(b.items, item{block: block})
	b.rows += int64(block.Rows)
	b.mu.Unlock()
	return nil
}

func (b *Buffer) spillFile() (*File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		f, err := Create(b.policy.Directory, b.policy.Written)
		if err != nil {
			return nil, err
		}
		b.file = f
	}
	return b.file, nil
}

// Rows is the number of rows appended.
func (b *Buffer) Rows() int64 { return b.rows }

// Len is the number of batches.
func (b *Buffer) Len() int { return len(b.items) }

// Batch gives batch i: the buffer's own, or scratch filled from the file. It must not be changed.
func (b *Buffer) Batch(i int, scratch *vec.Batch) (*vec.Batch, error) {
	if own := b.items[i].batch; own != nil {
		return own, nil
	}
	return scratch, b.file.Read(b.items[i].block, b.types, scratch)
}

// Close drops all batches.
func (b *Buffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.pool.Release(b.held)
	b.items, b.held = nil, 0
	return b.file.Close()
}

// Reader gives the batches from number *next on, sharing *next with other readers of the buffer so
// that together they read each batch once.
func (b *Buffer) Reader(next *atomic.Int64) vec.Source { return &reader{buffer: b, next: next} }

type reader struct {
	buffer  *Buffer
	next    *atomic.Int64
	scratch vec.Batch
	view    vec.Batch
}

func (r *reader) Next(ctx context.Context) (*vec.Batch, error) {
	i := int(r.next.Add(1)) - 1
	if i >= r.buffer.Len() {
		return nil, nil
	}
	b, err := r.buffer.Batch(i, &r.scratch)
	if err != nil {
		return nil, err
	}
	r.view = *b
	return &r.view, nil
}

func (r *reader) Close() error { return nil }

// RowBytes estimates what a compact copy of the selected rows takes: strings count by their own
// length, not by the buffers that they share.
func RowBytes(b *vec.Batch) int64 {
	n := int64(0)
	for c := range b.Cols {
		n += columnBytes(&b.Cols[c], b.Sel, b.Rows())
	}
	return n + 64
}

func columnBytes(v *vec.Vector, sel []int32, rows int) int64 {
	if v.Enc == vec.Const {
		return 64
	}
	if v.Enc == vec.Dict {
		return int64(rows)*5 + 64
	}
	n := int64(rows) * int64(v.Type.Physical().Width())
	if v.Valid != nil {
		n += int64(rows) / 8
	}
	switch v.Type.Physical() {
	case types.PhysString:
		n += longBytes(v, sel)
	case types.PhysList, types.PhysRow:
		for c := range v.Children {
			n += columnBytes(&v.Children[c], nil, v.Children[c].Len)
		}
	}
	return n
}

// longBytes adds up the lengths of the strings that lie in buffers.
func longBytes(v *vec.Vector, sel []int32) int64 {
	views := vec.Values[vec.View](v)
	n := int64(0)
	add := func(i int) {
		if v.Valid.Get(i) && !views[i].Inline() {
			n += int64(views[i].Len())
		}
	}
	if sel == nil {
		for i := range views[:v.Len] {
			add(i)
		}
		return n
	}
	for _, i := range sel {
		add(int(i))
	}
	return n
}

// detach copies the strings of a batch that holds little of the buffers which it refers to, so that
// keeping it does not keep those.
func detach(b *vec.Batch) {
	for c := range b.Cols {
		v := &b.Cols[c]
		if v.Enc != vec.Flat || v.Type.Physical() != types.PhysString || len(v.Buffers) == 0 {
			continue
		}
		used, shared := longBytes(v, nil), int64(0)
		for _, buffer := range v.Buffers {
			shared += int64(len(buffer))
		}
		if used*2 > shared && len(v.Buffers) < 8 {
			continue
		}
		own := make([]byte, 0, used)
		views := vec.Values[vec.View](v)
		for i := range views {
			if v.Valid.Get(i) && !views[i].Inline() {
				at := len(own)
				own = append(own, views[i].Bytes(v.Buffers)...)
				views[i] = vec.LongView(own[at:], 0, at)
			}
		}
		v.Buffers = [][]byte{own}
	}
}

// BatchRows is the number of rows of batch i.
func (b *Buffer) BatchRows(i int) int {
	if own := b.items[i].batch; own != nil {
		return own.Len
	}
	return int(b.items[i].block.Rows)
}
