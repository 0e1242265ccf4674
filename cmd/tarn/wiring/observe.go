package wiring

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/coordinator/pgwire"
	"github.com/tarnlake/tarn/coordinator/querylog"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Outside is what the system's own tables tell of the node around it.
type Outside interface {
	Manager() *session.Manager
	Metrics() ([]system.Metric, error)
	Address() string
	Version() string
	Started() time.Time
	Stopping() bool
}

// UseNode tells who serves clients: the tables of sessions, nodes and metrics are empty before. It
// may be called while queries run.
func (s *System) UseNode(n Outside) {
	s.UseSessions(n.Manager())
	s.outside.Store(&n)
}

// Observe notes a statement that has ended in the query log.
func (s *System) Observe(o pgwire.Observation) {
	a, now := o.Session, time.Now()
	e := querylog.Entry{ID: queryID(&a), PID: a.PID, User: a.User, Database: a.Database, Application: a.ApplicationName, Client: host(a.Client),
		SQL: a.Query, Started: now.Add(-o.Took), Ended: now, RowsRead: o.Used.Rows, BytesRead: o.Used.Bytes, ResultRows: o.Rows,
		PeakMemory: o.Used.PeakBytes, Spilled: o.Used.Spilled, CPU: o.Used.CPU}
	if o.Code != sqlerr.SuccessfulCompletion {
		e.Code, e.Message = string(o.Code), o.Message
	}
	s.log.Add(e)
}

// Load tells the bytes that queries have reserved in this process, and how many queries of the cluster
// have tasks in it and are coordinated by it.
func (s *System) Load() (memory int64, worked, coordinated int) {
	if m := s.Runner.member.Load(); m != nil && m.Scheduler != nil {
		coordinated = m.Scheduler.Running()
	}
	if m := s.membership.Load(); m != nil {
		worked = m.member.Worker.Queries()
	}
	return s.Memory.Used(), worked, coordinated
}

func queryID(a *session.Activity) string {
	return fmt.Sprintf("%x-%d", a.QueryStarted.UnixMicro(), a.PID)
}

func host(client string) string {
	h, _, _ := strings.Cut(client, " ")
	return h
}

// queries lists what the live sessions run.
func (s *System) queries(context.Context) ([]system.Query, error) {
	var out []system.Query
	for _, a := range s.activities() {
		if a.Doing != session.Active {
			continue
		}
		used := a.Progress.Usage()
		state := "running"
		place := s.admission.Place(a.PID)
		if place.Queued > 0 {
			state = "queued"
		}
		out = append(out, system.Query{ID: queryID(&a), ResourceGroup: place.Group, QueuePlace: int64(place.Queued), WaitingFor: place.Reason, Backend: a.PID, User: a.User, Database: a.Database, Application: a.ApplicationName, Client: host(a.Client),
			State: state, SQL: a.Query, Created: a.QueryStarted, Started: a.QueryStarted, Rows: used.Rows, Bytes: used.Bytes,
			SplitsDone: a.Progress.SplitsDone.Load(), SplitsTotal: a.Progress.SplitsTotal.Load(), MemoryBytes: used.MemoryBytes,
			SpilledBytes: used.Spilled, CPU: used.CPU, Node: s.memberName()})
	}
	return out, nil
}

// stages lists what the nodes do for each statement that runs.
func (s *System) stages(context.Context) ([]system.Stage, error) {
	var out []system.Stage
	for _, a := range s.activities() {
		if a.Doing != session.Active {
			continue
		}
		for _, g := range a.Progress.Stages() {
			out = append(out, system.Stage{Query: queryID(&a), Backend: a.PID, Number: int64(g.Number), Node: g.Node, State: g.State, Reads: g.Reads, Tasks: g.Tasks,
				SplitsDone: g.SplitsDone, SplitsTotal: g.SplitsTotal, RowsRead: g.Rows, BytesRead: g.Bytes, RowsOut: g.RowsOut, CPU: g.CPU,
				Memory: g.Memory, Spilled: g.Spilled})
		}
	}
	return out, nil
}

// endedQueries lists the query log.
func (s *System) endedQueries(context.Context) ([]system.Query, error) {
	var out []system.Query
	for _, e := range s.log.List() {
		q := system.Query{ID: e.ID, Backend: e.PID, User: e.User, Database: e.Database, Application: e.Application, Client: e.Client, State: "finished",
			SQL: e.SQL, Created: e.Started, Started: e.Started, Ended: e.Ended, ErrorCode: e.Code, ErrorText: e.Message, Rows: e.RowsRead, Bytes: e.BytesRead,
			ResultRows: e.ResultRows, MemoryBytes: e.PeakMemory, SpilledBytes: e.Spilled, CPU: e.CPU, Node: s.memberName()}
		switch {
		case e.Code == string(sqlerr.QueryCanceled):
			q.State = "cancelled"
		case e.Code != "":
			q.State = "failed"
		}
		out = append(out, q)
	}
	return out, nil
}

// settings lists a session's settings and the server's configuration.
func (s *System) settings(_ context.Context, transaction string) ([]system.Setting, error) {
	var out []system.Setting
	if tx := s.Engine.Live(transaction); tx != nil {
		for _, d := range tx.State.Settings.Table().All() {
			value, origin := tx.State.Settings.Get(d.Name), "default"
			if value != d.Default {
				origin = "session"
			}
			out = append(out, system.Setting{Name: d.Name, Value: value, Default: d.Default, Category: "session", Doc: d.Doc, Origin: origin, Session: !d.Fixed})
		}
	}
	for _, e := range s.entries {
		section, _, _ := strings.Cut(e.Key, ".")
		if e.Key == "auth.users" { // verifiers are no secrets, but nobody's business
			e.Value = ""
		}
		out = append(out, system.Setting{Name: e.Key, Value: e.Value, Default: e.Default, Category: section, Doc: e.Doc, Origin: e.Origin})
	}
	return out, nil
}

func (s *System) metrics(context.Context) ([]system.Metric, error) {
	if n := s.outside.Load(); n != nil {
		return (*n).Metrics()
	}
	return nil, nil
}

// nodes lists this server.
func (s *System) nodes(ctx context.Context) ([]system.Node, error) {
	loaded := s.outside.Load()
	if loaded == nil {
		return nil, nil
	}
	if m := s.membership.Load(); m != nil {
		return m.list(ctx), nil
	}
	n := *loaded
	state := "active"
	if n.Stopping() {
		state = "stopping"
	}
	row := system.Node{Name: s.nodeName(), Address: n.Address(), Roles: "coordinator,worker", Version: n.Version(), State: state, Started: n.Started(),
		CPUs: int64(cpuSlots(s.config)), CPUBusy: -1, MemoryLimit: int64(s.config.Memory.MemoryLimit())}
	report := s.report()
	report.fill(&row)
	return []system.Node{row}, nil
}

// entriesOf gives the configuration's entries; without those of its loading the origins are unknown.
func entriesOf(options Options) []config.Entry {
	if options.Entries != nil {
		return options.Entries
	}
	return (&config.Loaded{Config: options.Config}).Entries()
}
