package memory

import (
	"syscall"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// RegionReserve is the address space that a Region may grow into; untouched, it costs nothing.
const RegionReserve = int64(64) << 30

const (
	hugePage     = int64(2) << 20
	pageSize     = int64(4) << 10
	hugeFrom     = 2 * hugePage // the first bytes of a region use small pages: most regions stay small
	adviceHuge   = 14           // MADV_HUGEPAGE
	adviceNoDump = 16           // MADV_DONTDUMP
)

// Region is memory outside the Go heap: one contiguous piece that grows in place, never looked at by
// the garbage collector. What it holds at first is undefined. Nothing in it may point into the Go heap, and nothing that
// outlives Free may point into it. Grow and Free are not safe for concurrent use; reading and
// writing what has been grown is, on distinct bytes.
type Region struct {
	pool  *Pool
	space []byte
	size  int64 // bytes reserved in the pool
	warm  int64 // bytes that had pages from the start
}

// NewRegion reserves address space; no memory is used before Grow.
func (p *Pool) NewRegion() (*Region, error) {
	if m, ok := p.takeRegion(); ok {
		return &Region{pool: p, space: m.space, warm: m.touched}, nil
	}
	for reserve := RegionReserve; ; reserve >>= 1 {
		space, err := syscall.Mmap(-1, 0, int(reserve), syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
		if err == nil {
			_ = syscall.Madvise(space, adviceNoDump)
			return &Region{pool: p, space: space}, nil
		}
		if reserve <= 64<<20 {
			return nil, sqlerr.Wrap(err, sqlerr.OutOfMemory, "out of memory: cannot reserve address space")
		}
	}
}

// Size is the number of bytes that may be used.
func (r *Region) Size() int64 { return r.size }

// Base is the address of the first byte.
func (r *Region) Base() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(r.space)) }

// TryGrow makes at least size bytes usable, and returns false when the pool or the address space
// does not allow it.
func (r *Region) TryGrow(size int64) bool {
	more := roundUp(size, pageSize) - r.size
	if more <= 0 {
		return true
	}
	if r.size+more > int64(len(r.space)) || !r.pool.TryReserve(more) {
		return false
	}
	r.grown(more)
	return true
}

// Grow is TryGrow by Reserve: it may ask operators to spill, and fails with 53200.
func (r *Region) Grow(size int64, operator string) error {
	more := roundUp(size, pageSize) - r.size
	if more <= 0 {
		return nil
	}
	if r.size+more > int64(len(r.space)) {
		return sqlerr.New(sqlerr.OutOfMemory, "out of memory: %s needs more than %s in one piece", operator,
			FormatBytes(int64(len(r.space))))
	}
	if err := r.pool.Reserve(more, operator); err != nil {
		return err
	}
	r.grown(more)
	return nil
}

func (r *Region) grown(more int64) {
	from, to := roundUp(max(r.size, hugeFrom), hugePage), roundUp(r.size+more, hugePage)
	if fresh := r.size + more - max(r.size, r.warm); fresh > 0 {
		r.pool.mapped(fresh)
	}
	r.size += more
	if to > from && to <= int64(len(r.space)) {
		_ = syscall.Madvise(r.space[from:to], adviceHuge)
	}
}

// Free gives everything back; the region must not be used afterwards. A second call does nothing.
func (r *Region) Free() {
	if r == nil || r.space == nil {
		return
	}
	r.pool.Release(r.size)
	if !r.pool.keep(mapped{r.space, max(r.size, r.warm)}, false) {
		r.pool.unmap(mapped{r.space, max(r.size, r.warm)})
	}
	r.space, r.size = nil, 0
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// SliceOf gives count values of T from byte offset at of the region. T must hold no pointers, and at
// must be a multiple of its alignment.
func SliceOf[T any](r *Region, at int64, count int) []T {
	var zero T
	if count == 0 {
		return nil
	}
	if at+int64(count)*int64(unsafe.Sizeof(zero)) > r.size {
		panic("memory: slice beyond the region's size")
	}
	return unsafe.Slice((*T)(unsafe.Add(r.Base(), at)), count)
}
