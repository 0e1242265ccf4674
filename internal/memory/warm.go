package memory

import (
	"sync"
	"syscall"
	"time"
)

// A first touch of fresh memory costs several times a later one: the kernel must find and clear the
// page. So the root pool keeps the memory of regions and blocks that were freed, for a short time and
// up to a limit, and hands it out again. What it keeps is not reserved: it gives way as soon as a
// reservation needs the room.
type warmMemory struct {
	mu      sync.Mutex
	regions []mapped
	blocks  map[int64][]mapped // by size
	bytes   int64
	used    time.Time // last time something was put in or taken
	timer   *time.Timer
}

// mapped is memory from the kernel of which the first touched bytes have pages.
type mapped struct {
	space   []byte
	touched int64
}

const (
	mostWarm     = int64(256) << 20
	warmFraction = 8 // of the root's limit
	warmFor      = 3 * time.Second
	mostRegions  = 64
	// warmRegion is how much of a region is kept: whoever takes it may need less, and what it does not
	// use is not reserved.
	warmRegion = int64(16) << 20
)

func (p *Pool) root() *Pool {
	for p.parent != nil {
		p = p.parent
	}
	return p
}

// keep takes freed memory, or refuses it.
func (p *Pool) keep(m mapped, block bool) bool {
	root := p.root()
	whole := m.touched
	if !block {
		m.touched = min(m.touched, warmRegion)
	}
	w := &root.warm
	w.mu.Lock()
	defer w.mu.Unlock()
	most := min(mostWarm, root.limit/warmFraction)
	if w.bytes+m.touched > most || root.used.Load()+w.bytes+m.touched > root.limit || !block && len(w.regions) >= mostRegions {
		return false
	}
	if whole > m.touched {
		_ = syscall.Madvise(m.space[m.touched:whole], syscall.MADV_DONTNEED)
		p.mapped(m.touched - whole)
	}
	if block {
		if w.blocks == nil {
			w.blocks = map[int64][]mapped{}
		}
		w.blocks[m.touched] = append(w.blocks[m.touched], m)
	} else {
		w.regions = append(w.regions, m)
	}
	w.bytes += m.touched
	w.used = time.Now()
	if w.timer == nil {
		w.timer = time.AfterFunc(warmFor, root.cool)
	}
	return true
}

// takeRegion gives the region that was freed last.
func (p *Pool) takeRegion() (mapped, bool) {
	w := &p.root().warm
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.regions)
	if n == 0 {
		return mapped{}, false
	}
	m := w.regions[n-1]
	w.regions = w.regions[:n-1]
	w.bytes -= m.touched
	w.used = time.Now()
	return m, true
}

// takeBlock gives a freed block of exactly the size.
func (p *Pool) takeBlock(size int64) (mapped, bool) {
	w := &p.root().warm
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.blocks[size]
	if len(list) == 0 {
		return mapped{}, false
	}
	m := list[len(list)-1]
	w.blocks[size] = list[:len(list)-1]
	w.bytes -= m.touched
	w.used = time.Now()
	return m, true
}

// cool gives kept memory back once nobody has used any for a while.
func (p *Pool) cool() {
	w := &p.warm
	w.mu.Lock()
	if wait := warmFor - time.Since(w.used); wait > 0 {
		w.timer.Reset(wait)
		w.mu.Unlock()
		return
	}
	w.timer = nil
	w.mu.Unlock()
	p.dropWarm()
}

// dropWarm gives all kept memory back, and tells whether there was any.
func (p *Pool) dropWarm() bool {
	w := &p.warm
	w.mu.Lock()
	regions, blocks, some := w.regions, w.blocks, w.bytes > 0
	w.regions, w.blocks, w.bytes = nil, nil, 0
	w.mu.Unlock()
	for _, m := range regions {
		p.unmap(m)
	}
	for _, list := range blocks {
		for _, m := range list {
			p.unmap(m)
		}
	}
	return some
}

// unmap gives memory back to the kernel.
func (p *Pool) unmap(m mapped) {
	_ = syscall.Munmap(m.space)
	p.mapped(-m.touched)
}

// held is the memory kept.
func (w *warmMemory) held() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}
