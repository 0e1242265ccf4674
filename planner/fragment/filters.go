package fragment

import (
	"slices"

	"github.com/tarnlake/tarn/internal/plan"
)

// publisher is what gives a dynamic filter.
type publisher struct {
	fragment *plan.Fragment
	// needs lists the fragments that the join's build side waits for, whatever lies between.
	needs map[int]bool
	top   bool // a TopN, whose filter grows all the time: it stays in its fragment
}

// connectFilters leaves the dynamic filters that have both a publisher and a use. A scan may wait for
// a filter of another fragment unless the build side that gives it needs the scan's own fragment.
func connectFilters(fragments []plan.Fragment) {
	byID := map[int]*plan.Fragment{}
	publishers := map[int]*publisher{}
	for i := range fragments {
		byID[fragments[i].ID] = &fragments[i]
	}
	for i := range fragments {
		for n := range plan.Nodes(fragments[i].Root) {
			switch n := n.(type) {
			case *plan.HashJoin:
				if len(n.Filters) == 0 {
					continue
				}
				needs := map[int]bool{}
				reach(n.Right, byID, needs)
				for _, f := range n.Filters {
					publishers[f.Filter] = &publisher{fragment: &fragments[i], needs: needs}
				}
			case *plan.TopN:
				if n.Filter != nil {
					publishers[n.Filter.Filter] = &publisher{fragment: &fragments[i], top: true}
				}
			}
		}
	}
	used := map[int]bool{}
	for i := range fragments {
		f := &fragments[i]
		for n := range plan.Nodes(f.Root) {
			scan, ok := n.(*plan.Scan)
			if !ok {
				continue
			}
			scan.Dynamic = slices.DeleteFunc(slices.Clone(scan.Dynamic), func(u plan.DynamicUse) bool {
				p := publishers[u.Filter]
				return p == nil || p.fragment != f && (p.top || p.needs[f.ID])
			})
			for _, u := range scan.Dynamic {
				used[u.Filter] = true
				if p := publishers[u.Filter]; p.fragment != f && !slices.Contains(p.fragment.Filters, u.Filter) {
					p.fragment.Filters = append(p.fragment.Filters, u.Filter)
				}
			}
		}
	}
	for i := range fragments {
		dropUnused(fragments[i].Root, used)
	}
}

// reach adds the fragments whose rows a sub-plan needs.
func reach(n plan.Node, byID map[int]*plan.Fragment, into map[int]bool) {
	for below := range plan.Nodes(n) {
		x, ok := below.(*plan.Exchange)
		if !ok || x.Input != nil || into[x.Source] {
			continue
		}
		into[x.Source] = true
		if f := byID[x.Source]; f != nil {
			reach(f.Root, byID, into)
		}
	}
}

// dropUnused leaves out what no scan uses.
func dropUnused(root plan.Node, used map[int]bool) {
	for n := range plan.Nodes(root) {
		switch n := n.(type) {
		case *plan.HashJoin:
			n.Filters = slices.DeleteFunc(slices.Clone(n.Filters), func(f plan.DynamicSource) bool { return !used[f.Filter] })
		case *plan.TopN:
			if n.Filter != nil && !used[n.Filter.Filter] {
				n.Filter = nil
			}
		}
	}
}
