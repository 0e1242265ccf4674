package wiring

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/tpch"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/schedule"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/worker/service"
	"github.com/tarnlake/tarn/worker/task"
)

// ClusterOptions say how a process takes part in a cluster.
type ClusterOptions struct {
	Self   schedule.Node  // how others reach this process
	Nodes  schedule.Nodes // the workers; nil: this process is a worker only
	Secret string
	// Identity makes nodes talk TLS; nil: they do not.
	Identity *rpc.Identity
	// Transport carries requests to other nodes; nil is the normal one, others are for tests.
	Transport http.RoundTripper
	Log       *slog.Logger
}

// Member is a process's part in a cluster.
type Member struct {
	// Mux is to be served at Self.Address.
	Mux       *rpc.Mux
	Worker    *service.Worker
	Scheduler *schedule.Scheduler // nil of a worker only

	id     string
	client *rpc.Client
	nodes  schedule.Nodes
}

// Join makes the process run tasks and, given Nodes, run its queries on the cluster. Close the member
// before the system.
func (s *System) Join(o ClusterOptions) *Member {
	m := s.NewWorker(o)
	if o.Nodes == nil {
		return m
	}
	m.Scheduler = schedule.New(schedule.Config{Local: rootRunner{s.Runner, m.Worker}, Self: o.Self, Nodes: o.Nodes, Client: m.client, Log: o.Log})
	m.Scheduler.Register(m.Mux)
	m.nodes = o.Nodes
	s.Runner.member.Store(m)
	return m
}

// Workers is the number of workers that queries are spread over.
func (r *Runner) Workers() int {
	member := r.member.Load()
	if member == nil {
		return 0
	}
	nodes := member.nodes.Nodes()
	if len(nodes) == 1 && nodes[0].ID == member.id {
		return 0 // this process alone needs no exchanges
	}
	return len(nodes)
}

// Spreads tells whether a schema's tables lie where all nodes reach them: temporary tables lie with
// the session's coordinator, other connectors keep theirs in its memory.
func (r *Runner) Spreads(connector, schema string) bool {
	switch connector {
	case catalog.ConnectorName, files.ConnectorName, tpch.Name:
		return schema != catalog.TempSchema
	}
	return false
}

// NewWorker makes one more worker over the system's connectors.
func (s *System) NewWorker(o ClusterOptions) *Member {
	m := &Member{id: o.Self.ID, Mux: rpc.NewMux(o.Secret, o.Log)}
	if o.Transport != nil {
		m.client = rpc.NewClient(o.Secret, o.Transport)
	} else {
		m.client = rpc.NewSecureClient(o.Secret, o.Identity)
	}
	m.client.Name(o.Self.ID)
	m.Worker = service.New(service.Config{Address: o.Self.Address, Client: m.client, Log: o.Log, Totals: &s.Runner.totals,
		Query: func(request *rpc.StartRequest) (pipeline.Environment, error) {
			return s.Runner.environment(workerSession(&request.Session), s.Runner.pool(request.Group, request.Memory), request.Group, request.Drivers), nil
		}})
	m.Worker.Register(m.Mux)
	return m
}

// Close ends all tasks.
func (m *Member) Close() {
	m.Worker.Close()
	m.client.Close()
}

// workerSession is what functions on a worker know of the session.
func workerSession(s *rpc.Session) *fn.Session {
	return &fn.Session{User: s.User, Database: s.Database, Application: s.Application, SearchPath: s.SearchPath, TimeZone: s.TimeZone,
		StatementTime: s.StatementTime, TransactionTime: s.TransactionTime, BackendPID: s.BackendPID, Settings: s.Settings,
		Lookup: func(kind string, _ ...types.Datum) (types.Datum, error) {
			return types.Datum{}, sqlerr.Internal("a worker is asked for a catalog's %s", kind)
		}}
}

// rootRunner runs in this process what the scheduler does not send to others.
type rootRunner struct {
	*Runner
	worker *service.Worker
}

// Root runs the first of several fragments.
func (r rootRunner) Root(ctx context.Context, request engine.RunRequest, inlets []rpc.Inlet,
	publish func(int, *op.Learnt)) (schedule.Root, error) {
	pool := r.pool(request.Group, request.Memory)
	environment := r.environment(request.Session, pool, request.Group, request.Drivers)
	environment.Splits = request.Splits
	environment.Attempt = fmt.Sprintf("%x-%x", time.Now().UnixNano(), r.queries.Add(1))
	r.totals.Begin()
	root, err := r.worker.Root(ctx, &request.Fragments[0], environment, inlets, publish)
	if err != nil {
		r.totals.End(nil)
		pool.Close()
		return nil, err
	}
	return &pooledRoot{Root: root, pool: pool, totals: &r.totals}, nil
}

// pooledRoot gives its memory back at the end.
type pooledRoot struct {
	*service.Root
	pool   *memory.Pool
	totals *task.Totals
	once   sync.Once
}

// Close ends the root fragment.
func (r *pooledRoot) Close() error {
	err := r.Root.Close()
	r.pool.Close()
	r.once.Do(func() { r.totals.End(r.Report()) })
	return err
}
