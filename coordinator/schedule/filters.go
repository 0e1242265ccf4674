package schedule

import (
	"context"
	"sync"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/types"
)

// filters collects what the tasks of joins learn, and hands it on when it holds for all of them.
type filters struct {
	attempt *attempt
	merged  *op.DynamicFilters // for the lists of splits

	mu   sync.Mutex
	byID map[int]*collection
}

// collection is one filter's parts.
type collection struct {
	key   types.Type
	tasks int // that it takes to be complete
	parts map[rpc.TaskID]*op.Learnt
	done  bool
}

func newFilters(a *attempt) *filters {
	c := &filters{attempt: a, merged: op.NewDynamicFilters(), byID: map[int]*collection{}}
	for i := range a.query.request.Fragments {
		f := &a.query.request.Fragments[i]
		exported := map[int]bool{}
		for _, id := range f.Filters {
			exported[id] = true
		}
		for n := range plan.Nodes(f.Root) {
			if join, ok := n.(*plan.HashJoin); ok {
				for _, s := range join.Filters {
					if exported[s.Filter] {
						c.byID[s.Filter] = &collection{key: join.Right.Schema()[join.RightKeys[s.Key]].Type,
							tasks: len(a.nodes(f)), parts: map[rpc.TaskID]*op.Learnt{}}
					}
				}
			}
		}
	}
	return c
}

// learn takes a task's part; the last one makes the filter known to all nodes.
func (c *filters) learn(id int, task rpc.TaskID, learnt *op.Learnt) {
	c.mu.Lock()
	part := c.byID[id]
	if part == nil || part.done {
		c.mu.Unlock()
		return
	}
	part.parts[task] = learnt
	part.done = len(part.parts) == part.tasks
	done := part.done
	c.mu.Unlock()
	if !done {
		return
	}
	var all []*op.Learnt
	for _, l := range part.parts {
		all = append(all, l)
	}
	merged := op.MergeLearnt(part.key, all)
	part.parts = nil
	c.merged.Get(id).Publish(merged)
	encoded, err := merged.Encode()
	if err != nil {
		return // scans do without
	}
	a := c.attempt
	request := rpc.FilterRequest{Query: a.id, Filters: []rpc.Filter{{ID: id, Learnt: encoded}}}
	for node := range a.requests {
		a.wait.Add(1)
		go func() {
			defer a.wait.Done()
			c.send(node, &request)
		}()
	}
}

// send hands a filter to a node; a scan there that gets none does without.
func (c *filters) send(node Node, request *rpc.FilterRequest) {
	const tries = 5
	for range tries {
		ctx, cancel := context.WithTimeout(c.attempt.ctx, answerWithin)
		err := c.attempt.client().Call(ctx, node.Address, rpc.FiltersPath, request, &rpc.Empty{})
		cancel()
		if err == nil || c.attempt.ctx.Err() != nil {
			return
		}
		select {
		case <-time.After(pollPause):
		case <-c.attempt.ctx.Done():
			return
		}
	}
}

// feed tells a scan's list of splits what is learnt.
func (c *filters) feed(scan *plan.Scan) connectors.FilterFeed {
	var uses []op.Use
	for _, u := range scan.Dynamic {
		if c.byID[u.Filter] != nil {
			uses = append(uses, op.Use{Filter: c.merged.Get(u.Filter), Column: u.Column})
		}
	}
	if uses == nil {
		return nil
	}
	return op.NewFeed(uses)
}
