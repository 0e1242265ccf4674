package schedule

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	pollMillis = 500
	// limitedPollMillis is for queries whose reading is held against a limit.
	limitedPollMillis = 100
	// answerWithin is the time beyond the poll's own in which a worker must answer.
	answerWithin = time.Second
	pollPause    = 50 * time.Millisecond
	// refusedTime is how long a worker may be silent that refuses connections: nobody listens there any more.
	refusedTime = 300 * time.Millisecond
	// sleepTime is how much later than it should a poll ends only when this process was stopped meanwhile.
	sleepTime = time.Second
	// releaseTime is how long a statement's end waits for a worker to be rid of it. One that takes longer
	// goes on by itself.
	releaseTime = 2 * time.Second
	// A lost worker gets little time to release what it has: it does so itself when it comes back.
	lostReleaseTime = 100 * time.Millisecond
)

// attempt is one try of a query.
type attempt struct {
	query    *query
	id       string // the Query of its tasks
	workers  []Node
	requests map[Node]*rpc.StartRequest // by node with tasks
	splits   map[splitKey]*splitQueue
	inlets   []rpc.Inlet // of the root
	root     Root
	filters  *filters
	ctx      context.Context
	cancel   context.CancelCauseFunc
	wait     sync.WaitGroup
	once     sync.Once
	over     chan struct{} // closed when the attempt has ended everywhere
	starting sync.WaitGroup
	closing  atomic.Bool   // the end is on its way to the workers
	ready    chan struct{} // closed when every worker has accepted its tasks, or never will

	mu      sync.Mutex
	status  map[Node]rpc.StatusReply
	failure error
	follows error // one that may be the consequence of a loss that is not known yet
	lost    []loss
	final   []rpc.NodeStats // the root's, once it is closed
}

// loss is a node that does not work for the query any more.
type loss struct {
	node Node
	gone bool // it takes no further queries either
}

// splitKey names a scan of a fragment.
type splitKey struct{ fragment, scan int }

// newAttempt places the fragments' tasks: those of all fragments with the same number run on the same
// node.
func newAttempt(q *query, workers []Node) (*attempt, error) {
	a := &attempt{query: q, id: fmt.Sprintf("%s.%d", q.id, q.number), workers: workers, requests: map[Node]*rpc.StartRequest{},
		splits: map[splitKey]*splitQueue{}, status: map[Node]rpc.StatusReply{}, ready: make(chan struct{}), over: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancelCause(q.ctx)
	fragments := q.request.Fragments
	byID := make(map[int]*plan.Fragment, len(fragments))
	for i := range fragments {
		byID[fragments[i].ID] = &fragments[i]
	}
	consumers := map[int][]int{} // tasks of each reader, by fragment read
	for i := range fragments {
		for _, x := range fragments[i].Inlets() {
			source := byID[x.Source]
			if source == nil || x.Reader < 0 || x.Reader >= max(source.Output.Readers, 1) {
				return nil, sqlerr.Internal("fragment %d reads fragment %d as reader %d", fragments[i].ID, x.Source, x.Reader)
			}
			if consumers[x.Source] == nil {
				consumers[x.Source] = make([]int, max(source.Output.Readers, 1))
			}
			consumers[x.Source][x.Reader] = len(a.nodes(&fragments[i]))
		}
	}
	a.filters = newFilters(a)
	a.inlets = a.inletsOf(&fragments[0], byID)
	for i := range fragments {
		f := &fragments[i]
		if i == 0 {
			continue
		}
		encoded, err := plan.EncodeFragment(f)
		if err != nil {
			return nil, err
		}
		a.queues(f)
		for number, node := range a.nodes(f) {
			request := a.requestFor(node)
			request.Tasks = append(request.Tasks, rpc.TaskRequest{Task: a.task(f.ID, number), Fragment: encoded,
				Consumers: consumers[f.ID], Inlets: a.inletsOf(f, byID)})
		}
	}
	return a, nil
}

// nodes lists where a fragment's tasks run.
func (a *attempt) nodes(f *plan.Fragment) []Node {
	if f.Single {
		return []Node{a.query.scheduler.config.Self}
	}
	return a.workers
}

func (a *attempt) task(fragment, number int) rpc.TaskID {
	return rpc.TaskID{Query: a.id, Fragment: fragment, Task: number, Attempt: a.query.number}
}

func (a *attempt) requestFor(node Node) *rpc.StartRequest {
	r := a.requests[node]
	if r == nil {
		in := &a.query.request
		r = &rpc.StartRequest{Query: a.id, Coordinator: a.query.scheduler.config.Self.Address, Group: in.Group, Memory: in.Memory, Drivers: in.Drivers,
			Session: sessionOf(in.Session)}
		a.requests[node] = r
	}
	return r
}

func sessionOf(s *fn.Session) rpc.Session {
	if s == nil {
		return rpc.Session{TimeZone: "UTC"}
	}
	return rpc.Session{User: s.User, Database: s.Database, Application: s.Application, SearchPath: s.SearchPath, TimeZone: s.TimeZone,
		StatementTime: s.StatementTime, TransactionTime: s.TransactionTime, BackendPID: s.BackendPID, Settings: s.Settings}
}

// inletsOf lists who produces the rows that a fragment reads.
func (a *attempt) inletsOf(f *plan.Fragment, byID map[int]*plan.Fragment) []rpc.Inlet {
	var out []rpc.Inlet
	known := map[int]bool{}
	for _, x := range f.Inlets() {
		if known[x.Source] {
			continue
		}
		known[x.Source] = true
		inlet := rpc.Inlet{Source: x.Source}
		for number, node := range a.nodes(byID[x.Source]) {
			inlet.Producers = append(inlet.Producers, rpc.Producer{Address: node.Address, Task: a.task(x.Source, number)})
		}
		out = append(out, inlet)
	}
	return out
}

// start lets the root run, and asks the workers to run the others. Close must follow.
func (a *attempt) start() error {
	s := a.query.scheduler
	s.mu.Lock()
	s.attempts[a.id] = a
	s.mu.Unlock()
	request := a.query.request
	request.Progress = nil
	root, err := s.config.Local.Root(a.ctx, request, a.inlets, func(filter int, learnt *op.Learnt) {
		a.filters.learn(filter, a.task(request.Fragments[0].ID, 0), learnt.Own())
	})
	if err != nil {
		a.forget()
		a.cancel(err)
		return err
	}
	a.mu.Lock()
	a.root = root
	a.mu.Unlock()
	a.starting.Add(len(a.requests))
	for node, request := range a.requests {
		a.wait.Add(1)
		go func() {
			defer a.wait.Done()
			accepted := sync.OnceFunc(a.starting.Done)
			defer accepted()
			a.watch(node, request, accepted)
		}()
	}
	a.wait.Add(1)
	go func() {
		defer a.wait.Done()
		a.starting.Wait()
		close(a.ready)
	}()
	return nil
}

// next gives the root's next batch. The first one waits until all workers have accepted their tasks:
// one that is gone already must not cost a query that could be run again.
func (a *attempt) next(ctx context.Context) (*vec.Batch, error) {
	select {
	case <-a.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := a.failed(); err != nil {
		return nil, err
	}
	return a.root.Next(ctx)
}

func (a *attempt) forget() {
	s := a.query.scheduler
	s.mu.Lock()
	delete(s.attempts, a.id)
	s.mu.Unlock()
	for _, queue := range a.splits {
		queue.close()
	}
}

// watch starts a worker's tasks, says so, and follows them until the attempt ends.
func (a *attempt) watch(node Node, request *rpc.StartRequest, accepted func()) {
	heard, started, seen, wait := time.Now(), false, uint64(0), pollMillis
	if a.query.request.Limited {
		wait = limitedPollMillis
	}
	for before := heard; ; before = time.Now() {
		var reply rpc.StatusReply
		ctx, cancel := context.WithTimeout(a.ctx, pollMillis*time.Millisecond+answerWithin)
		var err error
		if !started {
			err = a.client().Call(ctx, node.Address, rpc.StartPath, request, &rpc.Empty{})
		} else {
			err = a.client().Call(ctx, node.Address, rpc.StatusPath, rpc.StatusRequest{Query: a.id, Seen: seen, WaitMillis: wait}, &reply)
		}
		late := ctx.Err() != nil
		cancel()
		if time.Since(before) > pollMillis*time.Millisecond+answerWithin+sleepTime {
			heard = time.Now() // this process has slept, and tells nothing of the node
		}
		switch {
		case a.ctx.Err() != nil || a.closing.Load():
			return
		case err == nil && !started:
			started, heard = true, time.Now()
			accepted()
			continue
		case err == nil:
			heard, seen = time.Now(), reply.Version
			a.learn(node, reply)
			continue
		case !late && !rpc.IsUnreachable(err):
			if leaves := sqlerr.CodeOf(err) == sqlerr.CannotConnectNow; started || leaves { // it has been restarted, or is about to be
				a.loseNode(node, leaves, err)
			} else {
				a.fail(err)
			}
			return
		case time.Since(heard) > a.patience(err):
			a.loseNode(node, true, err)
			return
		}
		select {
		case <-time.After(pollPause):
		case <-a.ctx.Done():
			return
		}
	}
}

// patience is how long a node may be unreachable before it is lost: where nobody listens any more, little.
func (a *attempt) patience(err error) time.Duration {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return min(a.query.scheduler.config.Lost, refusedTime)
	}
	return a.query.scheduler.config.Lost
}

func (a *attempt) client() *rpc.Client { return a.query.scheduler.config.Client }

// learn keeps a worker's status; a failed task ends the query.
func (a *attempt) learn(node Node, reply rpc.StatusReply) {
	a.mu.Lock()
	a.status[node] = reply
	a.mu.Unlock()
	for _, t := range reply.Tasks {
		for _, f := range t.Filters {
			if learnt, err := op.DecodeLearnt(f.Learnt); err == nil {
				a.filters.learn(f.ID, t.Task, learnt)
			}
		}
		if t.State == rpc.Failed {
			a.fail(t.Failure.Err())
			return
		}
	}
}

// refresh asks the workers for what they have done until now.
func (a *attempt) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var asked sync.WaitGroup
	for node := range a.requests {
		asked.Add(1)
		go func() {
			defer asked.Done()
			var reply rpc.StatusReply
			if a.client().Call(ctx, node.Address, rpc.StatusPath, rpc.StatusRequest{Query: a.id}, &reply) == nil && len(reply.Tasks) > 0 {
				a.mu.Lock()
				a.status[node] = reply
				a.mu.Unlock()
			}
		}()
	}
	asked.Wait()
}

// storage adds up what the workers' tasks have asked of remote stores.
func (a *attempt) storage() (sum objstore.Usage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.status {
		for i := range s.Tasks {
			sum = sum.Plus(s.Tasks[i].Storage)
		}
	}
	return sum
}

// fail ends the attempt; the first error counts. One that may follow from the loss of a node lets those
// who watch the nodes speak first: they can tell which one.
func (a *attempt) fail(err error) {
	if !mayFollow(err) {
		a.decide(err)
		return
	}
	a.mu.Lock()
	first := a.follows == nil
	a.follows = err
	a.mu.Unlock()
	if !first {
		return
	}
	a.wait.Add(1)
	go func() {
		defer a.wait.Done()
		select {
		case <-time.After(a.query.scheduler.config.Lost + pollMillis*time.Millisecond):
			a.decide(err)
		case <-a.ctx.Done():
		}
	}()
}

// mayFollow tells whether an error may be what the loss of a node is to those who read its rows.
func mayFollow(err error) bool {
	switch sqlerr.CodeOf(err) {
	case sqlerr.ConnectionFailure, sqlerr.CannotConnectNow, sqlerr.AdminShutdown, sqlerr.QueryCanceled:
		return true
	}
	return false
}

func (a *attempt) decide(err error) {
	a.mu.Lock()
	if a.failure == nil {
		a.failure = err
	}
	err = a.failure
	a.mu.Unlock()
	a.cancel(err)
}

func (a *attempt) loseNode(node Node, gone bool, cause error) {
	a.mu.Lock()
	a.lost = append(a.lost, loss{node, gone})
	a.mu.Unlock()
	if gone {
		a.query.scheduler.avoid(node)
	}
	a.query.scheduler.config.Log.Warn("a worker is lost", "query", a.id, "node", node.ID, "address", node.Address, "error", cause)
	a.decide(sqlerr.New(sqlerr.ConnectionFailure, "lost connection to worker %s", node.ID).WithDetail("%v", cause).
		WithHint("Run the statement again: the remaining workers take over."))
}

func (a *attempt) losses() []loss {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost
}

// failed gives the error that ended the attempt, nil if none did.
func (a *attempt) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

// cause gives the error that ended the attempt, where err is only what followed from it. It waits until
// that is known.
func (a *attempt) cause(ctx context.Context, err error) error {
	if a.failed() == nil && mayFollow(err) && ctx.Err() == nil {
		a.fail(err)
		select {
		case <-a.ctx.Done():
		case <-ctx.Done():
		}
	}
	if failure := a.failed(); failure != nil {
		return failure
	}
	return err
}

// close ends the attempt everywhere and waits for that. failed tells that nothing will be committed.
func (a *attempt) close(failed bool) {
	a.leave(failed)
	<-a.over
}

// leave ends the root, and the rest in the background: close waits for it.
func (a *attempt) leave(failed bool) {
	a.once.Do(func() {
		if a.root == nil {
			close(a.over)
			return
		}
		// The polls under way end with the release: their connections stay usable.
		a.closing.Store(true)
		_ = a.root.Close() // its error is Next's
		final := a.root.Report()
		a.mu.Lock()
		a.final = final
		lost := append([]loss(nil), a.lost...)
		a.mu.Unlock()
		go func() {
			defer close(a.over)
			a.releaseAll(failed, lost)
			a.cancel(errClosed) // also ends a listing of splits, for which forget waits
			a.forget()
			a.wait.Wait()
		}()
	})
}

// releaseAll ends the tasks of all workers, with little patience for those that are lost.
func (a *attempt) releaseAll(failed bool, lost []loss) {
	var released sync.WaitGroup
	for node := range a.requests {
		patience := releaseTime
		for _, gone := range lost {
			if gone.node == node {
				patience = lostReleaseTime
			}
		}
		released.Add(1)
		go func() {
			defer released.Done()
			a.release(node, failed, patience)
		}()
	}
	released.Wait()
}

var errClosed = sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request")

// release ends the tasks of one worker. One that cannot be reached ends them by itself.
func (a *attempt) release(node Node, failed bool, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		var reply rpc.StatusReply
		err := a.client().Call(ctx, node.Address, rpc.ReleasePath, rpc.ReleaseRequest{Query: a.id, Failed: failed}, &reply)
		if err == nil {
			if len(reply.Tasks) > 0 {
				a.mu.Lock()
				a.status[node] = reply
				a.mu.Unlock()
			}
			return
		}
		if ctx.Err() != nil || !rpc.IsUnreachable(err) {
			a.query.scheduler.config.Log.Warn("could not release a query", "query", a.id, "node", node.ID, "error", err)
			return
		}
		select {
		case <-time.After(pollPause):
		case <-ctx.Done():
		}
	}
}

// report lists what all plan nodes did, by task.
func (a *attempt) report() []rpc.NodeStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := append([]rpc.NodeStats(nil), a.final...)
	if a.final == nil && a.root != nil {
		out = a.root.Report()
	}
	for _, s := range a.status {
		for _, t := range s.Tasks {
			out = append(out, t.Nodes...)
		}
	}
	return out
}
