package config

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// spareHeap is how much garbage the heap may gather between two collections, however little is live. Scans make a
// gigabyte a second of it while they keep some ten megabytes: by Go's rule, as much garbage as is live, they would be
// interrupted dozens of times a second. It counts for each CPU slot, and more gained nothing.
const spareHeap Size = 48 << 20

// PaceCollector lets the heap of a process with the given limit grow by spareHeap for each CPU slot, a sixteenth of
// the limit at most, before it is collected again, or by as much as is live if that is more. It does nothing where the environment sets GOGC. The limit of ApplyGoLimit
// goes before it. One call serves the whole process, and lasts.
func PaceCollector(limit Size, cpuSlots int) {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := &pacer{spare: uint64(min(spareHeap*Size(max(cpuSlots, 1)), limit/16)), percent: 100, sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.adjust(&cycle{pacer: p})
}

// pacer chooses the collector's target anew after every collection.
type pacer struct {
	spare   uint64
	percent int
	sample  []metrics.Sample
}

// cycle is garbage from the start: its finalizer runs once after each collection.
type cycle struct{ pacer *pacer }

func (p *pacer) adjust(c *cycle) {
	metrics.Read(p.sample)
	live := uint64(1)
	if p.sample[0].Value.Kind() == metrics.KindUint64 {
		live = max(p.sample[0].Value.Uint64(), 1)
	}
	// The world stops for a change, so small ones are not worth it.
	if percent := percentOf(p.spare, live); percent*8 < p.percent*7 || percent*7 > p.percent*8 {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.SetFinalizer(c, p.adjust)
}

// percentOf is the GOGC by which a heap with so many live bytes grows by spare, or doubles.
func percentOf(spare, live uint64) int {
	return int(max(100, min(spare*100/live, 100_000)))
}
