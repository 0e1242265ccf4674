package service

import (
	"context"
	"encoding/json"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/worker/exchange"
	"github.com/tarnlake/tarn/worker/task"
)

// query is what one query has on this worker.
type query struct {
	id          string
	coordinator string
	environment pipeline.Environment
	cancel      context.CancelCauseFunc
	tasks       []*running  // fixed once the query is registered
	heard       time.Time   // guarded by the worker's lock
	gone        atomic.Bool // released

	mu      sync.Mutex
	version uint64
	changed chan struct{}
}

// running is one task.
type running struct {
	id      rpc.TaskID
	root    plan.Node
	outbox  *exchange.Outbox
	inlets  *exchange.Inlets
	started *task.Started
	staged  *staged // of a Write
	filters *op.DynamicFilters
	storage objstore.Counters
	exports []int       // filters that others wait for
	learnt  []published // guarded by the query's lock
	ended   chan struct{}

	mu      sync.Mutex
	state   rpc.State
	failure error
}

// unstager is a connector that can remove files which will never be committed.
type unstager interface {
	Unstage(ctx context.Context, target connectors.Target, fragments []connectors.Fragment) error
}

// Start starts the tasks of a query; a repeated request does nothing.
func (w *Worker) Start(_ context.Context, in rpc.StartRequest) (rpc.Empty, error) {
	w.mu.Lock()
	_, known := w.queries[in.Query]
	_, gone := w.released[in.Query]
	closed := w.closed
	w.mu.Unlock()
	switch {
	case known:
		return rpc.Empty{}, nil
	case gone:
		return rpc.Empty{}, errReleased(in.Query)
	case closed:
		return rpc.Empty{}, sqlerr.New(sqlerr.CannotConnectNow, "the worker is shutting down")
	}
	q, start, err := w.prepare(&in)
	if err != nil {
		return rpc.Empty{}, err
	}
	w.mu.Lock()
	_, known = w.queries[in.Query]
	_, gone = w.released[in.Query]
	if known || gone || w.closed {
		w.mu.Unlock()
		q.drop()
		return rpc.Empty{}, nil
	}
	q.heard = time.Now()
	w.queries[in.Query] = q
	close(w.arrival)
	w.arrival = make(chan struct{})
	w.mu.Unlock()
	start()
	return rpc.Empty{}, nil
}

// prepare makes a query's tasks; start, called once the query is registered, lets them run.
func (w *Worker) prepare(in *rpc.StartRequest) (q *query, start func(), err error) {
	made, err := w.config.Query(in)
	if err != nil {
		return nil, nil, err
	}
	environment := *made.WithDefaults()
	ctx, cancel := context.WithCancelCause(context.Background())
	q = &query{id: in.Query, coordinator: in.Coordinator, environment: environment, cancel: cancel, changed: make(chan struct{})}
	var fragments []*plan.Fragment
	for i := range in.Tasks {
		fragment, err := plan.DecodeFragment(in.Tasks[i].Fragment)
		if err == nil {
			var t *running
			if t, err = w.newTask(ctx, q, fragment, &in.Tasks[i]); err == nil {
				q.tasks, fragments = append(q.tasks, t), append(fragments, fragment)
			}
		}
		if err != nil {
			q.drop()
			return nil, nil, err
		}
	}
	return q, func() {
		for i, t := range q.tasks {
			w.run(ctx, q, t, fragments[i], in)
		}
	}, nil
}

func (w *Worker) newTask(ctx context.Context, q *query, f *plan.Fragment, in *rpc.TaskRequest) (*running, error) {
	t := &running{id: in.Task, root: f.Root, state: rpc.Running, ended: make(chan struct{}), filters: op.NewDynamicFilters(), exports: f.Filters}
	for _, id := range f.Filters {
		t.filters.Get(id).Watch(func(l *op.Learnt) { q.publish(t, id, l) })
	}
	stats := &pipeline.NodeStats{}
	outbox, err := exchange.NewOutbox(exchange.OutboxConfig{Output: f.Output, Consumers: in.Consumers, Pool: q.environment.Pool,
		Spill: q.environment.Spill, Spilled: &stats.Spilled, Buffers: w.config.Client.Buffers()})
	if err != nil {
		return nil, err
	}
	t.outbox = outbox
	t.inlets = exchange.NewInlets(ctx, exchange.InletsConfig{Task: in.Task.Task, Inlets: in.Inlets, Transfer: w,
		Pool: q.environment.Pool, BatchSize: q.environment.BatchSize})
	return t, nil
}

// run starts a task's pipelines, and a goroutine that waits for their end.
func (w *Worker) run(ctx context.Context, q *query, t *running, f *plan.Fragment, in *rpc.StartRequest) {
	environment := q.environment
	environment.Task = t.id.Task
	environment.Attempt = t.id.String()
	environment.Exchange = t.inlets.Open
	environment.Splits = func(_ context.Context, scan *plan.Scan, _ connectors.FilterFeed) (connectors.SplitSource, error) {
		return newRemoteSplits(w.config.Client, q.coordinator, t.id, scan.Head().ID), nil
	}
	if in.Drivers > 0 {
		environment.Drivers = min(max(environment.Drivers, 1), in.Drivers)
	}
	var sink pipeline.Sink = t.outbox
	if write, ok := f.Root.(*plan.Write); ok {
		t.staged = &staged{Sink: t.outbox, target: write.Target}
		sink = t.staged
	}
	ctx = objstore.WithCounters(ctx, &t.storage)
	w.config.Totals.Begin()
	w.tasks.Add(1)
	started, err := guarded(func() (*task.Started, error) { return task.Start(ctx, f.Root, environment, sink, t.filters) })
	if err == nil {
		t.mu.Lock()
		t.started = started
		t.mu.Unlock()
	}
	go func() {
		defer close(t.ended)
		var done []rpc.NodeStats
		if err == nil {
			err = started.Err()
			done = task.Report(started.Stats)
		}
		w.config.Totals.End(done)
		if err != nil {
			t.outbox.Fail(err)
		}
		t.inlets.Close(err == nil)
		t.mu.Lock()
		t.state, t.failure = rpc.Finished, err
		if err != nil {
			t.state = rpc.Failed
		}
		t.mu.Unlock()
		if err != nil {
			q.announce() // an end that went well can wait for the next poll
		}
	}()
}

// guarded turns a panic over a plan that no planner made into an error.
func guarded(start func() (*task.Started, error)) (started *task.Started, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = sqlerr.Internal("internal error: %v", r).WithDetail("%s", debug.Stack())
		}
	}()
	return start()
}

func (q *query) announce() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.version++
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *query) task(id rpc.TaskID) (*running, error) {
	for _, t := range q.tasks {
		if t.id == id {
			return t, nil
		}
	}
	return nil, sqlerr.New(sqlerr.ProtocolViolation, "there is no task %s here", id)
}

// drop gives back what a query holds, once its tasks have ended.
func (q *query) drop() {
	q.cancel(nil)
	for _, t := range q.tasks {
		t.inlets.Close(false)
		t.outbox.Drop()
	}
	q.environment.Pool.Close()
}

// Status tells how the tasks of a query are; it is the coordinator's sign of life too.
func (w *Worker) Status(ctx context.Context, in rpc.StatusRequest) (rpc.StatusReply, error) {
	q, err := w.find(ctx, in.Query, 0)
	if err != nil {
		return rpc.StatusReply{}, err
	}
	w.hear(q)
	defer w.hear(q)
	timer := time.NewTimer(time.Duration(min(in.WaitMillis, longestWait)) * time.Millisecond)
	defer timer.Stop()
	q.mu.Lock()
	version, changed := q.version, q.changed
	q.mu.Unlock()
	if version <= in.Seen {
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			return rpc.StatusReply{}, context.Cause(ctx)
		}
	}
	if q.gone.Load() { // whoever released it has got the last word
		return rpc.StatusReply{}, nil
	}
	return q.status(in.Seen), nil
}

func (w *Worker) hear(q *query) {
	w.mu.Lock()
	q.heard = time.Now()
	w.mu.Unlock()
}

// status describes all tasks, and what was learnt since version seen.
func (q *query) status(seen uint64) rpc.StatusReply {
	q.mu.Lock()
	out := rpc.StatusReply{Version: q.version, Memory: q.environment.Pool.Used(), Peak: q.environment.Pool.Peak()}
	filters := make([][]rpc.Filter, len(q.tasks))
	for i, t := range q.tasks {
		for _, p := range t.learnt {
			if p.version > seen {
				filters[i] = append(filters[i], p.filter)
			}
		}
	}
	q.mu.Unlock()
	for i, t := range q.tasks {
		t.mu.Lock()
		s := rpc.TaskStatus{Task: t.id, State: t.state, Failure: rpc.ToError(t.failure), Storage: t.storage.Usage(), Filters: filters[i]}
		if t.started != nil {
			s.Nodes = task.Report(t.started.Stats)
		}
		t.mu.Unlock()
		out.Tasks = append(out.Tasks, s)
	}
	return out
}

// Release ends a query and gives the last word on its tasks; nothing of it is left afterwards. A
// query that is not known is released already, or will be refused when it comes.
func (w *Worker) Release(_ context.Context, in rpc.ReleaseRequest) (rpc.StatusReply, error) {
	return w.end(in.Query, in.Failed, sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request")), nil
}

// end takes a query out of the registry and waits until all it had is gone.
func (w *Worker) end(id string, failed bool, cause error) rpc.StatusReply {
	w.mu.Lock()
	q := w.queries[id]
	delete(w.queries, id)
	w.released[id] = time.Now()
	w.mu.Unlock()
	if q == nil {
		return rpc.StatusReply{}
	}
	if !failed {
		q.await(finishPatience)
	}
	q.cancel(cause)
	q.gone.Store(true)
	q.announce()
	for _, t := range q.tasks {
		t.outbox.Fail(cause)
	}
	for _, t := range q.tasks {
		<-t.ended
	}
	out := q.status(math.MaxUint64)
	if failed {
		w.unstage(q)
	}
	q.drop()
	return out
}

// await waits until all tasks have ended, or for a time.
func (q *query) await(patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for _, t := range q.tasks {
		select {
		case <-t.ended:
		case <-timer.C:
			return
		}
	}
}

// unstage removes the files of writes that went well in a query that did not.
func (w *Worker) unstage(q *query) {
	for _, t := range q.tasks {
		if t.staged == nil || len(t.staged.fragments) == 0 {
			continue
		}
		connector, ok := q.environment.Connectors[t.staged.target.Connector].(unstager)
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := connector.Unstage(ctx, t.staged.target, t.staged.fragments); err != nil {
			w.config.Log.Warn("staged files are left to VACUUM", "task", t.id.String(), "error", err)
		}
		cancel()
	}
}

// staged remembers the fragments that a Write gives, on their way into the Outbox.
type staged struct {
	pipeline.Sink
	target connectors.Target

	mu        sync.Mutex
	fragments []connectors.Fragment
}

// Local gives a driver a writer that remembers.
func (s *staged) Local(d *pipeline.Driver) (pipeline.LocalSink, error) {
	local, err := s.Sink.Local(d)
	return &stagedLocal{local, s}, err
}

type stagedLocal struct {
	pipeline.LocalSink
	of *staged
}

// Consume sees rows (rows bigint, payload json).
func (l *stagedLocal) Consume(ctx context.Context, b *vec.Batch) error {
	var rows vec.Batch
	b.Compact(&rows)
	l.of.mu.Lock()
	for i := range rows.Len {
		l.of.fragments = append(l.of.fragments, connectors.Fragment{Rows: rows.Cols[0].Datum(i).I64,
			Payload: json.RawMessage(rows.Cols[1].Datum(i).Str)})
	}
	l.of.mu.Unlock()
	return l.LocalSink.Consume(ctx, b)
}
