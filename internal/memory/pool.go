package memory

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Unlimited is the limit of a pool that only its ancestors bound.
const Unlimited = int64(1) << 62

// Pool counts reserved bytes. All methods may be called concurrently.
type Pool struct {
	name   string
	parent *Pool
	limit  int64
	used   atomic.Int64
	peak   atomic.Int64

	mu           sync.Mutex
	reclaimables map[*Reclaimable]struct{} // registered at this pool, the query's
	warm         warmMemory                // of a root
	outside      outside                   // of a root
}

// NewRoot makes a worker's pool.
func NewRoot(name string, limit int64) *Pool { return &Pool{name: name, limit: limit} }

// Child makes a pool below p; Unlimited leaves the bound to p.
func (p *Pool) Child(name string, limit int64) *Pool {
	return &Pool{name: name, parent: p, limit: limit}
}

// Name is what errors call the pool.
func (p *Pool) Name() string { return p.name }

// Used and Peak give the bytes reserved now and at most so far.
func (p *Pool) Used() int64 { return p.used.Load() }

// Peak gives the most bytes ever reserved at once.
func (p *Pool) Peak() int64 { return p.peak.Load() }

// Limit gives the pool's own bound.
func (p *Pool) Limit() int64 { return p.limit }

// Tightest gives the least limit of p and its ancestors.
func (p *Pool) Tightest() int64 {
	least := p.limit
	for q := p.parent; q != nil; q = q.parent {
		least = min(least, q.limit)
	}
	return least
}

// Headroom gives how much could be reserved now.
func (p *Pool) Headroom() int64 {
	room := p.limit - p.used.Load()
	for q := p.parent; q != nil; q = q.parent {
		room = min(room, q.limit-q.used.Load())
	}
	return max(room, 0)
}

// TryReserve takes n bytes in p and all its ancestors, or nothing and returns false. An operator
// that can spill calls this and spills its own state when refused.
func (p *Pool) TryReserve(n int64) bool { return p.tryReserve(n) == nil }

// tryReserve returns the pool that refused, nil when granted.
func (p *Pool) tryReserve(n int64) *Pool {
	root := p.root()
	if n > 0 && root.used.Load()+n > root.limit-root.limit/warmFraction && root.used.Load()+n+root.warm.held() > root.limit {
		root.dropWarm()
	}
	for q := p; q != nil; q = q.parent {
		if now := q.used.Add(n); now > q.limit && n > 0 {
			for r := p; ; r = r.parent {
				r.used.Add(-n)
				if r == q {
					return q
				}
			}
		}
	}
	for q := p; q != nil; q = q.parent {
		now := q.used.Load()
		for old := q.peak.Load(); now > old && !q.peak.CompareAndSwap(old, now); old = q.peak.Load() {
		}
	}
	return nil
}

// Reserve takes n bytes. When they do not fit, the query's largest reclaimable operator is asked to
// spill at its next batch edge, and the bytes are granted in advance of that; when none can give
// back n bytes the result is a 53200 error that names operator, pool and setting. Reserve never blocks.
func (p *Pool) Reserve(n int64, operator string) error {
	refused := p.tryReserve(n)
	if refused == nil {
		return nil
	}
	if p.requestReclaim(n) {
		p.force(n)
		return nil
	}
	return sqlerr.New(sqlerr.OutOfMemory, "out of memory: %s needs %s more", operator, FormatBytes(n)).
		WithDetail("Pool %q holds %s of %s.", refused.name, FormatBytes(refused.used.Load()), FormatBytes(refused.limit)).
		WithHint("Raise memory.limit or memory.query_limit; where spill.enabled is off, turn it on.")
}

func (p *Pool) force(n int64) {
	for q := p; q != nil; q = q.parent {
		now := q.used.Add(n)
		for old := q.peak.Load(); now > old && !q.peak.CompareAndSwap(old, now); old = q.peak.Load() {
		}
	}
}

// Release gives n bytes back.
func (p *Pool) Release(n int64) {
	for q := p; q != nil; q = q.parent {
		q.used.Add(-n)
	}
}

// Close releases what is still reserved in p and reports how many bytes that were: 0 unless an
// owner forgot to release.
func (p *Pool) Close() int64 {
	left := p.used.Load()
	if left != 0 {
		p.Release(left)
	}
	return left
}

// Reclaimable is an operator's promise to free memory by spilling. Asked tells it to do so; the
// operator polls at batch edges and calls Done when it has spilled.
type Reclaimable struct {
	pool  *Pool
	bytes func() int64
	asked atomic.Bool
	// granted is what others got in advance since the operator was asked.
	granted atomic.Int64
}

// Register announces an operator of the query that owns pool p or a descendant of it. bytes gives
// what spilling would free now; it is called from any goroutine and must not block.
func (p *Pool) Register(bytes func() int64) *Reclaimable {
	r := &Reclaimable{pool: p, bytes: bytes}
	owner := p.registry()
	owner.mu.Lock()
	defer owner.mu.Unlock()
	if owner.reclaimables == nil {
		owner.reclaimables = map[*Reclaimable]struct{}{}
	}
	owner.reclaimables[r] = struct{}{}
	return r
}

// registry is the pool where reclaimable operators of one query meet: the parent of the operator's pool.
func (p *Pool) registry() *Pool {
	if p.parent == nil {
		return p
	}
	return p.parent
}

// Asked tells whether the operator should spill at this batch edge.
func (r *Reclaimable) Asked() bool { return r.asked.Load() }

// Done clears the request: the operator has spilled what it could.
func (r *Reclaimable) Done() {
	r.granted.Store(0)
	r.asked.Store(false)
}

// Unregister ends the promise.
func (r *Reclaimable) Unregister() {
	owner := r.pool.registry()
	owner.mu.Lock()
	defer owner.mu.Unlock()
	delete(owner.reclaimables, r)
}

// requestReclaim asks the largest operator of the query to spill; false: none can give back n bytes.
func (p *Pool) requestReclaim(n int64) bool {
	for owner := p; owner != nil; owner = owner.parent {
		if owner.askLargest(n) {
			return true
		}
	}
	return false
}

// askLargest asks among the operators that are registered at p. What was granted on an operator's
// promise that it has not kept yet cannot be granted again.
func (p *Pool) askLargest(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	var largest *Reclaimable
	var most int64
	for r := range p.reclaimables {
		if b := r.bytes() - r.granted.Load(); b > most {
			largest, most = r, b
		}
	}
	if most < n {
		return false
	}
	largest.granted.Add(n)
	largest.asked.Store(true)
	return true
}

// FormatBytes shows a size for people: "1.5 GB", binary multiples.
func FormatBytes(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1024 && n > -1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}
