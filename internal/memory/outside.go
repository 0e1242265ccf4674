package memory

import "sync/atomic"

// outside counts the memory outside Go's heap: blocks and regions, those kept warm included.
type outside struct {
	bytes    atomic.Int64
	reported atomic.Int64
	changed  atomic.Pointer[func(bytes int64)]
}

// reportStep is the change of the memory outside Go's heap that is worth telling.
const reportStep = int64(32) << 20

// Watch makes a root tell how much memory its blocks and regions have outside Go's heap whenever that
// has changed much, so that Go's heap may get what remains. changed is called from any goroutine and
// must not block.
func (p *Pool) Watch(changed func(bytes int64)) { p.outside.changed.Store(&changed) }

// Outside is how much memory the root's blocks and regions have outside Go's heap.
func (p *Pool) Outside() int64 { return p.root().outside.bytes.Load() }

func (p *Pool) mapped(n int64) {
	o := &p.root().outside
	now := o.bytes.Add(n)
	last := o.reported.Load()
	changed := o.changed.Load()
	if changed == nil || now-last < reportStep && last-now < reportStep || !o.reported.CompareAndSwap(last, now) {
		return
	}
	(*changed)(now)
}
