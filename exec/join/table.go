package join

import (
	"context"
	"math/bits"
	"sync"
	"unsafe"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	batchRows      = 2048
	denseAlways    = 1 << 18 // codes up to which an array is used however few rows there are
	parallelFrom   = 1 << 16 // rows from which several drivers build
	smallestSlots  = 16
	slotsPerRowNum = 3 // at least 1.5 slots a row
	slotsPerRowDen = 2
)

// slot is a place in the hashed table; row 0 means empty.
type slot struct {
	code uint64
	row  uint32
	_    uint32
}

// table leads from codes to stored rows. It is immutable once built.
type table struct {
	store    *rows.Store
	keys     []int // store columns
	coder    *coder
	pool     *memory.Pool
	operator string

	paid   int64 // bytes reserved for blocks that are not made yet
	blocks []*memory.Block
	dense  []uint32 // first row by code; nil: slots
	slots  []slot
	shift  uint // slot = hash >> shift
	within uint32

	chainOnce sync.Once
	chainErr  error
	chain     []uint32 // next row with the same code; nil: no code has two rows
}

// slotCount is the number of slots for n rows.
func slotCount(n int) int {
	return max(smallestSlots, 1<<bits.Len(uint(n*slotsPerRowNum/slotsPerRowDen-1)))
}

// tableBytes is what a table over n rows takes, if their numbers go up to limit: slots and chains.
func tableBytes(n int, limit uint32) int64 {
	return memory.BlockSize(int64(slotCount(n))*int64(unsafe.Sizeof(slot{}))) + memory.BlockSize(int64(limit)*4)
}

// block makes a block out of what is paid for, or out of what the pool can still give.
func (t *table) block(size int64) (*memory.Block, error) {
	size = memory.BlockSize(size)
	if size > t.paid {
		return t.pool.NewBlock(size, t.operator)
	}
	block, err := t.pool.NewReservedBlock(size, t.operator)
	if err == nil {
		t.paid -= size
	}
	return block, err
}

// settle releases what was paid for and not needed.
func (t *table) settle() {
	t.pool.Release(t.paid)
	t.paid = 0
}

// index enters the store's rows, on several drivers if e is not nil.
func (t *table) index(ctx context.Context, e *pipeline.Environment) error {
	defer t.settle()
	n := t.store.Rows()
	if n == 0 {
		return nil
	}
	workers := 1
	if n >= parallelFrom && e != nil {
		workers = 1 << (bits.Len(uint(e.Drivers)) - 1)
	}
	if err := t.allocate(n, workers); err != nil {
		return err
	}
	if workers == 1 {
		return (&builder{table: t, workers: 1}).build(ctx)
	}
	return e.Parallel(ctx, workers, func(ctx context.Context, w int) error {
		return (&builder{table: t, worker: w, workers: workers}).build(ctx)
	})
}

// allocate chooses between array and slots and makes the empty table.
func (t *table) allocate(n, workers int) error {
	count := slotCount(n)
	// An array that is no larger than the slots is better: it needs no hashes, and keys that come in order
	// find their places in order.
	if t.coder.exact() && (t.coder.domain <= denseAlways || t.coder.domain*4 <= uint64(count)*uint64(unsafe.Sizeof(slot{}))) {
		size := int64(t.coder.domain) * 4
		if size <= t.paid || t.pool.Headroom()/2 >= size {
			block, err := t.block(size)
			if err != nil {
				return err
			}
			t.blocks, t.dense = append(t.blocks, block), memory.BlockOf[uint32](block, 0, int(t.coder.domain))
			return nil
		}
	}
	block, err := t.block(int64(count) * int64(unsafe.Sizeof(slot{})))
	if err != nil {
		return err
	}
	t.blocks, t.slots = append(t.blocks, block), memory.BlockOf[slot](block, 0, count)
	t.shift = uint(64 - bits.TrailingZeros(uint(count)))
	t.within = uint32(count/workers - 1)
	return nil
}

// describe says in a word how the table works.
func (t *table) describe() string {
	switch {
	case t.store.Rows() == 0:
		return "empty"
	case t.dense != nil:
		return "array"
	case t.coder.exact():
		return "hash of integers"
	}
	return "hash"
}

// hash spreads a code over the slots.
func (t *table) hash(code uint64) uint64 {
	if t.coder.exact() {
		return rows.Mix(code)
	}
	return code
}

// links gives the chain array, made on first use.
func (t *table) links() ([]uint32, error) {
	t.chainOnce.Do(func() {
		block, err := t.block(int64(t.store.Limit()) * 4)
		if err != nil {
			t.chainErr = err
			return
		}
		t.blocks = append(t.blocks, block)
		t.chain = memory.BlockOf[uint32](block, 0, int(t.store.Limit()))
	})
	return t.chain, t.chainErr
}

func (t *table) free() {
	t.settle()
	for _, b := range t.blocks {
		b.Free()
	}
	t.blocks, t.dense, t.slots, t.chain = nil, nil, nil, nil
}

// builder enters the rows whose code or slot lies in one worker's share of the table.
type builder struct {
	table           *table
	worker, workers int
	hasher          rows.Hasher
	keys            []*vec.Vector
	list            []int32
	numbers         []uint32
	codes           []uint64
	links           []uint32
}

func (b *builder) build(ctx context.Context) error {
	t := b.table
	for range t.keys {
		b.keys = append(b.keys, &vec.Vector{})
	}
	for i := range batchRows {
		b.list = append(b.list, int32(i))
	}
	b.numbers, b.codes = make([]uint32, batchRows), make([]uint64, batchRows)
	for _, chunk := range t.store.Chunks() {
		for at := uint32(0); at < chunk.Rows; at += batchRows {
			if err := slots.Edge(ctx); err != nil {
				return err
			}
			n := int(min(chunk.Rows-at, batchRows))
			if err := b.enter(chunk.First+at, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// enter adds n rows from number first on.
func (b *builder) enter(first uint32, n int) error {
	t := b.table
	numbers, codes := b.numbers[:n], b.codes[:n]
	for i := range numbers {
		numbers[i] = first + uint32(i)
	}
	for k, c := range t.keys {
		t.store.Gather(c, numbers, b.keys[k])
	}
	t.coder.codes(&b.hasher, b.keys, b.list[:n], codes)
	if !t.coder.exact() {
		b.dropNulls(codes)
	}
	if t.dense != nil {
		return b.enterDense(numbers, codes)
	}
	return b.enterSlots(numbers, codes)
}

// dropNulls takes out the rows whose NULL keys match nothing; packed codes do that by themselves.
func (b *builder) dropNulls(codes []uint64) {
	for k, v := range b.keys {
		if v.Valid == nil || b.table.coder.nullEqual[k] {
			continue
		}
		for i := range codes {
			if !v.Valid.Get(i) {
				codes[i] = noCode
			}
		}
	}
}

func (b *builder) enterDense(numbers []uint32, codes []uint64) error {
	dense := b.table.dense
	share := uint64(len(dense)+b.workers-1) / uint64(b.workers)
	low := share * uint64(b.worker)
	for i, code := range codes {
		if code-low >= share || code == noCode {
			continue
		}
		if before := dense[code]; before != 0 {
			if err := b.link(numbers[i], before); err != nil {
				return err
			}
		}
		dense[code] = numbers[i]
	}
	return nil
}

func (b *builder) link(row, next uint32) error {
	if b.links == nil {
		var err error
		if b.links, err = b.table.links(); err != nil {
			return err
		}
	}
	b.links[row] = next
	return nil
}

func (b *builder) enterSlots(numbers []uint32, codes []uint64) error {
	t := b.table
	share := uint32(len(t.slots) / b.workers)
	low := share * uint32(b.worker)
	for i, code := range codes {
		at := uint32(t.hash(code) >> t.shift)
		if at-low >= share || code == noCode {
			continue
		}
		if err := b.insert(code, at, numbers[i]); err != nil {
			return err
		}
	}
	return nil
}

// insert puts a row into the first free slot from at on, or at the head of its code's chain.
func (b *builder) insert(code uint64, at, number uint32) error {
	t := b.table
	for {
		s := &t.slots[at]
		if s.row == 0 {
			s.code, s.row = code, number
			return nil
		}
		if s.code == code && (t.coder.exact() || t.store.SameRow(t.keys, s.row, number)) {
			if err := b.link(number, s.row); err != nil {
				return err
			}
			s.row = number
			return nil
		}
		at = t.following(at)
	}
}

// following gives the slot after at, staying inside one worker's share.
func (t *table) following(at uint32) uint32 {
	return at&^t.within | (at+1)&t.within
}
