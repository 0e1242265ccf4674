package cluster

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/schedule"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/worker/service"
)

const secret = "a secret of tests"

// Options say what a cluster is made of.
type Options struct {
	Workers    int
	Connectors map[string]connectors.Connector
	// Transport carries all requests; nil is the normal one.
	Transport http.RoundTripper
	Drivers   int
	Spill     pipeline.Spill
	Silence   time.Duration // of a coordinator, after which workers end its tasks
	Lost      time.Duration // without an answer, after which a worker is lost
}

// Cluster is a coordinator and its workers.
type Cluster struct {
	Scheduler *schedule.Scheduler
	Members   []*Member // the first one is the coordinator's own worker
	Memory    *memory.Pool
	Registry  *fn.Registry

	options Options
	client  *rpc.Client
	mu      sync.Mutex
	gone    map[string]bool
}

// Member is one process's worker.
type Member struct {
	schedule.Node
	Worker *service.Worker
	Frozen atomic.Bool // it answers nothing

	server  *httptest.Server
	release chan struct{} // closed when frozen requests shall end
}

// Start starts a cluster; it ends with the test.
func Start(t testing.TB, o Options) *Cluster {
	c := &Cluster{options: o, Registry: functions.Registry(), Memory: memory.NewRoot("memory.limit", memory.Unlimited), gone: map[string]bool{},
		client: rpc.NewClient(secret, o.Transport)}
	for i := range o.Workers + 1 {
		m := c.member(t, "worker-"+string(rune('0'+i)))
		c.Members = append(c.Members, m)
	}
	t.Cleanup(func() {
		for _, m := range c.Members {
			close(m.release)
			m.Worker.Close()
			m.server.CloseClientConnections()
			m.server.Close()
		}
		c.client.Close()
		if closer, ok := o.Transport.(interface{ CloseIdleConnections() }); ok {
			closer.CloseIdleConnections()
		}
	})
	return c
}

func (c *Cluster) member(t testing.TB, id string) *Member {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Member{Node: schedule.Node{ID: id, Address: listener.Addr().String()}, release: make(chan struct{})}
	mux := rpc.NewMux(secret, nil)
	m.Worker = service.New(service.Config{Address: m.Address, Client: c.client, Silence: c.options.Silence,
		Query: func(*rpc.StartRequest) (pipeline.Environment, error) { return c.environment(), nil }})
	m.Worker.Register(mux)
	if c.Scheduler == nil {
		c.Scheduler = schedule.New(schedule.Config{Local: local{c, m.Worker}, Self: m.Node, Nodes: c, Client: c.client, Lost: c.options.Lost})
		c.Scheduler.Register(mux)
	}
	m.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.Frozen.Load() {
			select {
			case <-m.release:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	m.server.Listener.Close()
	m.server.Listener = listener
	m.server.Start()
	return m
}

func (c *Cluster) environment() pipeline.Environment {
	return pipeline.Environment{Registry: c.Registry, Connectors: c.options.Connectors, Pool: c.Memory.Child("query", memory.Unlimited),
		Drivers: max(c.options.Drivers, 1), Spill: c.options.Spill, Session: &fn.Session{TimeZone: "UTC"}}
}

// Kill makes a worker's connections fail, as those of a process that has died.
func (c *Cluster) Kill(m *Member) {
	m.server.Listener.Close()
	m.server.CloseClientConnections()
}

// Remove takes a worker off the list.
func (c *Cluster) Remove(m *Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone[m.ID] = true
}

// Nodes lists the workers, without the coordinator's own one.
func (c *Cluster) Nodes() []schedule.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []schedule.Node
	for _, m := range c.Members[1:] {
		if !c.gone[m.ID] {
			out = append(out, m.Node)
		}
	}
	return out
}

// Request makes a request to run fragments.
func (c *Cluster) Request(fragments []plan.Fragment) engine.RunRequest {
	return engine.RunRequest{Fragments: fragments, Session: &fn.Session{TimeZone: "UTC"},
		Splits: func(ctx context.Context, scan *plan.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error) {
			return c.options.Connectors[scan.Scan.Connector].Splits(ctx, scan.Scan, feed)
		}}
}

// Idle tells whether no worker has anything of a query left.
func (c *Cluster) Idle() bool {
	for _, m := range c.Members {
		if m.Worker.Queries() > 0 {
			return false
		}
	}
	return c.Memory.Used() == 0
}

// local runs root fragments.
type local struct {
	cluster *Cluster
	worker  *service.Worker
}

// Run runs a query of one fragment.
func (l local) Run(context.Context, engine.RunRequest) (engine.Running, error) {
	panic("tests of clusters have several fragments")
}

// Root runs the first fragment.
func (l local) Root(ctx context.Context, request engine.RunRequest, inlets []rpc.Inlet, publish func(int, *op.Learnt)) (schedule.Root, error) {
	environment := l.cluster.environment()
	environment.Splits = request.Splits
	root, err := l.worker.Root(ctx, &request.Fragments[0], environment, inlets, publish)
	if err != nil {
		return nil, err
	}
	return closing{root, environment.Pool}, nil
}

type closing struct {
	*service.Root
	pool *memory.Pool
}

func (c closing) Close() error {
	err := c.Root.Close()
	c.pool.Close()
	return err
}
