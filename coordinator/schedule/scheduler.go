package schedule

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Node is a process that runs tasks.
type Node struct {
	ID      string
	Address string // of its RPC
	Process string // differs each time the node is started
}

// Nodes knows the workers that take tasks now.
type Nodes interface {
	Nodes() []Node
}

// Local runs fragments in this process.
type Local interface {
	// Run runs a query of one fragment.
	Run(ctx context.Context, request engine.RunRequest) (engine.Running, error)
	// Root runs the first of several fragments, which reads rows of tasks elsewhere.
	// publish is told of the dynamic filters that other fragments wait for.
	Root(ctx context.Context, request engine.RunRequest, inlets []rpc.Inlet, publish func(filter int, learnt *op.Learnt)) (Root, error)
}

// Root is a root fragment under way.
type Root interface {
	vec.Source
	// Report tells what its plan nodes did so far.
	Report() []rpc.NodeStats
}

// Config wires a Scheduler.
type Config struct {
	Local  Local
	Self   Node // this node's own worker
	Nodes  Nodes
	Client *rpc.Client
	Log    *slog.Logger
	// Lost is how long a worker may give no answer; 0 is 3 s. One that refuses connections has less.
	Lost time.Duration
}

const defaultLost = 3 * time.Second

// Scheduler is an engine.Runner for a cluster.
type Scheduler struct {
	config Config

	mu       sync.Mutex
	attempts map[string]*attempt // running ones, by the query ID of their tasks
	lost     map[Node]time.Time  // when queries lost these nodes
}

// New makes a scheduler.
func New(config Config) *Scheduler {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Lost == 0 {
		config.Lost = defaultLost
	}
	return &Scheduler{config: config, attempts: map[string]*attempt{}, lost: map[Node]time.Time{}}
}

// avoidTime is how long new queries do without a node that others have lost: until the list of nodes
// is without it, or it has come back.
const avoidTime = 5 * time.Second

// avoid keeps new queries away from a node for some time.
func (s *Scheduler) avoid(n Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost[n] = time.Now()
}

// workers lists the nodes for a new attempt of a query that does without some. Nodes that other queries
// have lost are better than none: they may be back.
func (s *Scheduler) workers(without map[string]bool) (list []Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, since := range s.lost {
		if time.Since(since) > avoidTime {
			delete(s.lost, n)
		}
	}
	var avoided []Node
	for _, n := range s.config.Nodes.Nodes() {
		_, lost := s.lost[n]
		switch {
		case without[n.ID]:
		case lost:
			avoided = append(avoided, n)
		default:
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return avoided
	}
	return list
}

// Register serves the requests that workers make to coordinators.
func (s *Scheduler) Register(m *rpc.Mux) { rpc.Handle(m, rpc.SplitsPath, s.splits) }

// Running is the number of attempts that are not over on all nodes.
func (s *Scheduler) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.attempts)
}

// Run starts a query.
func (s *Scheduler) Run(ctx context.Context, request engine.RunRequest) (engine.Running, error) {
	if len(request.Fragments) == 1 {
		return s.config.Local.Run(ctx, request)
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, sqlerr.Internal("random number: %v", err)
	}
	q := &query{scheduler: s, request: request, id: hex.EncodeToString(id), ctx: ctx, lost: map[string]bool{}}
	for i := range request.Fragments {
		q.writes = q.writes || plan.Writes(request.Fragments[i].Root)
	}
	if err := q.begin(); err != nil {
		return nil, err
	}
	if request.Progress != nil {
		request.Progress.Follow(q.progress)
		request.Progress.FollowStages(q.stages)
	}
	return q, nil
}

// query is a query under way, over one attempt or two.
type query struct {
	scheduler *Scheduler
	request   engine.RunRequest
	id        string
	ctx       context.Context
	writes    bool
	lost      map[string]bool // IDs of nodes to do without
	number    int             // attempts so far
	sent      bool            // the client has got rows
	ended     bool            // all rows were given

	mu      sync.Mutex
	attempt *attempt // the present one
	before  *attempt // the one that lost a worker; it may still be ending
}

func (q *query) present() *attempt {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.attempt
}

// attempts lists the present one, and the one before.
func (q *query) attempts() []*attempt {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.before == nil || q.before == q.attempt {
		return []*attempt{q.attempt}
	}
	return []*attempt{q.attempt, q.before}
}

// begin starts an attempt.
func (q *query) begin() error {
	workers := q.scheduler.workers(q.lost)
	if len(workers) == 0 {
		return sqlerr.New(sqlerr.CannotConnectNow, "no worker is ready to run the statement").
			WithHint("Run it again when workers have joined: SELECT * FROM system.nodes.")
	}
	a, err := newAttempt(q, workers)
	if err != nil {
		return err
	}
	q.number++
	q.mu.Lock()
	q.attempt = a
	q.mu.Unlock()
	return a.start()
}

// Next gives the root's next batch. Where a worker was lost before the first one, the query starts again.
func (q *query) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		a := q.present()
		b, err := a.next(ctx)
		switch {
		case err == nil && b != nil:
			q.sent = true
			return b, nil
		case err == nil:
			q.ended = true
			if q.request.Limited {
				a.refresh(ctx)
			}
			return nil, nil
		}
		err = a.cause(ctx, err)
		lost := a.losses()
		if len(lost) == 0 || q.sent || q.writes || q.number > 1 || ctx.Err() != nil || q.ctx.Err() != nil {
			return nil, err
		}
		for _, l := range lost {
			q.lost[l.node.ID] = q.lost[l.node.ID] || l.gone
		}
		q.scheduler.config.Log.Warn("a query lost a worker and is run again", "query", q.id, "error", err)
		a.leave(true) // the workers that are left can begin anew while they end what they had
		q.mu.Lock()
		q.before = a
		q.mu.Unlock()
		if again := q.begin(); again != nil {
			return nil, err
		}
	}
}

// Close ends the query on all nodes.
func (q *query) Close() error {
	for _, a := range q.attempts() {
		a.close(!q.ended)
	}
	return nil
}

// Storage adds up what all tasks have asked of remote stores, those of a first attempt too.
func (q *query) Storage() (sum objstore.Usage) {
	for _, a := range q.attempts() {
		sum = sum.Plus(a.storage())
	}
	return sum
}

// Actual tells what a plan node did, on all nodes together.
func (q *query) Actual(id int) *plan.Actual {
	var sum *rpc.NodeStats
	for _, n := range q.present().report() {
		if n.ID != id {
			continue
		}
		if sum == nil {
			sum = &rpc.NodeStats{}
		}
		sum.Add(n)
	}
	if sum == nil {
		return nil
	}
	return sum.Actual()
}
