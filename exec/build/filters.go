package build

import (
	"sync"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// scanUse is a scan that wants dynamic filters.
type scanUse struct {
	source *op.Scan
	uses   []plan.DynamicUse
}

// connect gives scans their filters. A scan waits for the join build that publishes its filter, so
// that the filter is complete, and its memory there, while the scan runs; where that would be a
// circle, or nobody here publishes it, the scan does without.
func (b *builder) connect() {
	for _, s := range b.scans {
		var own *pipeline.Pipeline
		for _, p := range b.pipelines {
			for _, branch := range p.Branches {
				if branch.Source == pipeline.Source(s.source) {
					own = p
				}
			}
		}
		for _, u := range s.uses {
			publisher, known := b.publishers[u.Filter]
			if !known && b.foreign {
				s.source.Use(op.Use{Filter: b.filters.Get(u.Filter), Column: u.Column, Foreign: true})
			}
			if !known || own == nil || publisher != nil && dependsOn(publisher, own) {
				continue
			}
			if publisher != nil {
				(&flow{pipeline: own}).after(publisher)
			}
			s.source.Use(op.Use{Filter: b.filters.Get(u.Filter), Column: u.Column})
		}
	}
}

// dependsOn tells whether p comes after other, or is it.
func dependsOn(p, other *pipeline.Pipeline) bool {
	if p == other {
		return true
	}
	for _, before := range p.After {
		if dependsOn(before, other) {
			return true
		}
	}
	return false
}

// threshold gives what a top-N calls with the first sort column's value of its present last row:
// rows beyond the best such value so far cannot be in the result.
func (b *builder) threshold(n *plan.TopN) func(types.Datum) {
	filter, key := b.filters.Get(n.Filter.Filter), n.Keys[0]
	t := n.Input.Schema()[key.Column].Type
	var mu sync.Mutex
	return func(last types.Datum) {
		if last.Null {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		learnt := filter.Learnt()
		switch {
		case key.Descending && (learnt == nil || types.CompareDatums(t, last, *learnt.Minimum) > 0):
			filter.Publish(&op.Learnt{Minimum: &last})
		case !key.Descending && (learnt == nil || types.CompareDatums(t, last, *learnt.Maximum) < 0):
			filter.Publish(&op.Learnt{Maximum: &last})
		}
	}
}
