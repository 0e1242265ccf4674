package memory

import (
	"syscall"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// offHeapFrom is the size from which blocks lie outside the Go heap.
const offHeapFrom = 256 << 10

// Block is memory of a fixed size, zeroed, that the garbage collector does not look into. As with a
// Region, nothing in it may point into the Go heap, and nothing that outlives Free may point into it.
type Block struct {
	pool   *Pool
	bytes  []byte
	mapped bool
	size   int64
}

// NewBlock reserves size bytes, as Reserve does, and gives them.
func (p *Pool) NewBlock(size int64, operator string) (*Block, error) {
	size = BlockSize(size)
	if err := p.Reserve(size, operator); err != nil {
		return nil, err
	}
	b, err := p.NewReservedBlock(size, operator)
	if err != nil {
		p.Release(size)
	}
	return b, err
}

// BlockSize is what a block of at least size bytes reserves.
func BlockSize(size int64) int64 {
	size = roundUp(max(size, 8), 8)
	if size >= offHeapFrom {
		size = roundUp(size, pageSize)
	}
	return size
}

// NewReservedBlock gives a block of size bytes, a result of BlockSize, that the caller has reserved;
// with the block's Free they are released.
func (p *Pool) NewReservedBlock(size int64, operator string) (*Block, error) {
	b := &Block{pool: p, size: size}
	if size < offHeapFrom {
		words := make([]uint64, size/8)
		b.bytes = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
		return b, nil
	}
	if m, ok := p.takeBlock(size); ok {
		clear(m.space)
		b.bytes, b.mapped = m.space, true
		return b, nil
	}
	space, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.OutOfMemory, "out of memory: %s cannot get %s", operator, FormatBytes(size))
	}
	p.mapped(size)
	if size >= hugeFrom {
		_ = syscall.Madvise(space, adviceHuge)
	}
	b.bytes, b.mapped = space, true
	return b, nil
}

// Size is the number of bytes reserved.
func (b *Block) Size() int64 {
	if b == nil {
		return 0
	}
	return b.size
}

// Free gives the memory back; the block must not be used afterwards. A second call does nothing.
func (b *Block) Free() {
	if b == nil || b.bytes == nil {
		return
	}
	b.pool.Release(b.size)
	if b.mapped && !b.pool.keep(mapped{b.bytes, b.size}, true) {
		b.pool.unmap(mapped{b.bytes, b.size})
	}
	b.bytes, b.size = nil, 0
}

// BlockOf gives count values of T from byte offset at of the block. T must hold no pointers, and at
// must be a multiple of its alignment.
func BlockOf[T any](b *Block, at int64, count int) []T {
	var zero T
	if count == 0 {
		return nil
	}
	if at+int64(count)*int64(unsafe.Sizeof(zero)) > b.size {
		panic("memory: slice beyond the block's size")
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b.bytes[at])), count)
}
