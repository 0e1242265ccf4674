package service

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/worker/task"
)

// Config wires a Worker to its process.
type Config struct {
	// Address is where other nodes reach this one.
	Address string
	Client  *rpc.Client
	// Query gives what a query's tasks run with: its memory pool and all but what differs by task.
	Query func(request *rpc.StartRequest) (pipeline.Environment, error)
	// Totals counts the tasks; nil: nobody wants to know.
	Totals *task.Totals
	Log    *slog.Logger
	// Silence is how long a coordinator may be silent before its queries end; 0 is 7 s.
	Silence time.Duration
}

const (
	defaultSilence = 7 * time.Second
	// arrivalPatience is how long a reader waits for a task that this worker has not been told of yet.
	arrivalPatience = 3 * time.Second
	// rememberReleased is how long a late or repeated start of an ended query is known as one.
	rememberReleased = time.Minute
	// longestWait bounds, in ms, what a coordinator may ask to wait.
	longestWait = 30_000
	// finishPatience is how long the tasks of a query that went well may take to end by themselves.
	finishPatience = 100 * time.Millisecond
)

// Worker is a process's set of tasks. It is an exchange.Transfer for the tasks of its own process.
type Worker struct {
	config Config
	stop   context.CancelFunc
	done   chan struct{}
	tasks  atomic.Int64 // started ever

	mu       sync.Mutex
	queries  map[string]*query
	released map[string]time.Time
	arrival  chan struct{} // closed when a query arrives
	closed   bool
}

// New makes a worker without tasks. Close ends it.
func New(config Config) *Worker {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Totals == nil {
		config.Totals = &task.Totals{}
	}
	if config.Silence == 0 {
		config.Silence = defaultSilence
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &Worker{config: config, stop: stop, done: make(chan struct{}), queries: map[string]*query{},
		released: map[string]time.Time{}, arrival: make(chan struct{})}
	go w.watch(ctx)
	return w
}

// Register serves the worker's requests.
func (w *Worker) Register(m *rpc.Mux) {
	rpc.Handle(m, rpc.StartPath, w.Start)
	rpc.Handle(m, rpc.StatusPath, w.Status)
	rpc.Handle(m, rpc.ReleasePath, w.Release)
	rpc.Handle(m, rpc.StopPath, w.stopStream)
	rpc.Handle(m, rpc.FiltersPath, w.Filters)
	rpc.HandlePages(m, w.pages)
}

// Address gives where other nodes reach the worker.
func (w *Worker) Address() string { return w.config.Address }

// Close releases all queries and waits for them.
func (w *Worker) Close() {
	w.stop()
	<-w.done
	w.mu.Lock()
	w.closed = true
	var ids []string
	for id := range w.queries {
		ids = append(ids, id)
	}
	w.mu.Unlock()
	for _, id := range ids {
		w.end(id, false, sqlerr.New(sqlerr.AdminShutdown, "terminating statement due to administrator command"))
	}
}

// Started is the number of tasks that have been started since the worker was made.
func (w *Worker) Started() int64 { return w.tasks.Load() }

// Queries is the number of queries with tasks here.
func (w *Worker) Queries() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queries)
}

// watch ends queries whose coordinator is silent.
func (w *Worker) watch(ctx context.Context) {
	defer close(w.done)
	ticker := time.NewTicker(w.config.Silence / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		for _, id := range w.silent(time.Now()) {
			w.config.Log.Warn("the coordinator of a query is silent: its tasks end", "query", id)
			w.end(id, false, sqlerr.New(sqlerr.ConnectionFailure, "lost connection to the coordinator").
				WithHint("Run the statement again."))
		}
	}
}

func (w *Worker) silent(now time.Time) (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, q := range w.queries {
		if now.Sub(q.heard) > w.config.Silence {
			ids = append(ids, id)
		}
	}
	for id, at := range w.released {
		if now.Sub(at) > rememberReleased {
			delete(w.released, id)
		}
	}
	return ids
}

// find gives a query of which a coordinator or a reader speaks; patience waits for its arrival.
func (w *Worker) find(ctx context.Context, id string, patience time.Duration) (*query, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		w.mu.Lock()
		q, arrival := w.queries[id], w.arrival
		_, gone := w.released[id]
		w.mu.Unlock()
		if q != nil {
			return q, nil
		}
		if gone {
			return nil, errReleased(id)
		}
		select {
		case <-arrival:
		case <-timer.C:
			return nil, sqlerr.New(sqlerr.ConnectionFailure, "worker %s does not know query %s", w.config.Address, id).
				WithHint("It may have been restarted: run the statement again.")
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func errReleased(id string) error {
	return sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request").WithDetail("Query %s has ended.", id)
}

// Pages gets pages for a task of this process from wherever they are.
func (w *Worker) Pages(ctx context.Context, address string, in rpc.PageRequest) (rpc.Pages, error) {
	if address == w.config.Address {
		return w.pages(ctx, in)
	}
	in.Compress = !isLoopback(address)
	return w.config.Client.Pages(ctx, address, in)
}

// Stop tells a producer, wherever it is, that a consumer wants no more rows.
func (w *Worker) Stop(ctx context.Context, address string, in rpc.StopRequest) error {
	if address == w.config.Address {
		_, err := w.stopStream(ctx, in)
		return err
	}
	return w.config.Client.Call(ctx, address, rpc.StopPath, in, &rpc.Empty{})
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (w *Worker) pages(ctx context.Context, in rpc.PageRequest) (rpc.Pages, error) {
	q, err := w.find(ctx, in.Task.Query, arrivalPatience)
	if err != nil {
		return rpc.Pages{}, err
	}
	t, err := q.task(in.Task)
	if err != nil {
		return rpc.Pages{}, err
	}
	return t.outbox.Pages(ctx, in)
}

func (w *Worker) stopStream(ctx context.Context, in rpc.StopRequest) (rpc.Empty, error) {
	q, err := w.find(ctx, in.Task.Query, 0)
	if err != nil {
		return rpc.Empty{}, err
	}
	t, err := q.task(in.Task)
	if err == nil {
		t.outbox.Stop(in.Reader, in.Partition)
	}
	return rpc.Empty{}, err
}
