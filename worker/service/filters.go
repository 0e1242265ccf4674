package service

import (
	"context"
	"slices"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/internal/rpc"
)

// published is a filter that a task's join has made known in some version of its query's status.
type published struct {
	version uint64
	filter  rpc.Filter
}

// publish puts what a join has learnt into the status, in the form in which it travels: the join may
// free its memory afterwards.
func (q *query) publish(t *running, id int, learnt *op.Learnt) {
	encoded, err := learnt.Encode()
	if err != nil {
		return // scans do without
	}
	q.mu.Lock()
	t.learnt = append(t.learnt, published{q.version + 1, rpc.Filter{ID: id, Learnt: encoded}})
	q.mu.Unlock()
	q.announce()
}

// Filters takes what all tasks of other fragments have learnt together.
func (w *Worker) Filters(ctx context.Context, in rpc.FilterRequest) (rpc.Empty, error) {
	q, err := w.find(ctx, in.Query, arrivalPatience)
	if err != nil {
		return rpc.Empty{}, err
	}
	for _, f := range in.Filters {
		learnt, err := op.DecodeLearnt(f.Learnt)
		if err != nil {
			return rpc.Empty{}, err
		}
		for _, t := range q.tasks {
			if !slices.Contains(t.exports, f.ID) {
				t.filters.Get(f.ID).Publish(learnt)
			}
		}
	}
	return rpc.Empty{}, nil
}
