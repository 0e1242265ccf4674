package engine

import (
	"context"
	"sync"
	"time"

	"github.com/tarnlake/tarn/coordinator/admission"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Admission lets queries in by resource group.
type Admission interface {
	Admit(ctx context.Context, q admission.Query) (*admission.Ticket, error)
	// Place tells where a session's query stands.
	Place(pid int32) admission.Place
}

// admit waits until a plan may run, and names its group. A plan that reads nothing but the server's
// own tables and constants does not wait: what a full server does must remain to be seen.
func (e *Engine) admit(ctx context.Context, tx *Tx, root plan.Node, functions *fn.Session) (*admission.Ticket, error) {
	if e.config.Admission == nil || e.light(root) {
		return nil, nil
	}
	statement := admission.Select
	if plan.Writes(root) {
		statement = admission.Insert
	}
	if progress := tx.State.Progress; progress != nil {
		progress.FollowQueue(func() (int, string) {
			place := e.config.Admission.Place(functions.BackendPID)
			return place.Queued, place.Reason
		})
		defer progress.FollowQueue(nil)
	}
	return e.config.Admission.Admit(ctx, admission.Query{PID: functions.BackendPID, Group: tx.State.Settings.Get("resource_group"),
		User: functions.User, Application: functions.Application, Statement: statement})
}

// ownTables is a connector whose tables show the server itself.
type ownTables interface{ ShowsServer() }

func (e *Engine) light(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Scan:
		_, own := e.config.Connectors[n.Scan.Connector].(ownTables)
		return own
	case *plan.Unnest, *plan.Recursive, *plan.Write:
		return false
	}
	for _, in := range n.Inputs() {
		if !e.light(in) {
			return false
		}
	}
	return true
}

// watchEvery is how often a query's reading is held against its limit.
const watchEvery = 100 * time.Millisecond

// admitted is a running query with a ticket and the limits of its group.
type admitted struct {
	Running
	ticket *admission.Ticket
	cancel context.CancelCauseFunc
	stop   []func()
	once   sync.Once
	// reading tells whether the query has read more than it may, nil if it may read everything.
	reading func() error
}

// Next gives the query's next batch. One that ended before anybody noticed its reading fails at its end.
func (a *admitted) Next(ctx context.Context) (*vec.Batch, error) {
	b, err := a.Running.Next(ctx)
	if b == nil && err == nil && a.reading != nil {
		err = a.reading()
	}
	return b, err
}

// Close ends the query and lets the next one in.
func (a *admitted) Close() error {
	err := a.Running.Close()
	a.once.Do(func() {
		for _, stop := range a.stop {
			stop()
		}
		a.cancel(nil)
		a.ticket.Release()
	})
	return err
}

// runAdmitted runs a query under its group's limits.
func (e *Engine) runAdmitted(ctx context.Context, ticket *admission.Ticket, request RunRequest) (Running, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request.Limited = ticket.Limits.QueryBytes > 0 && request.Progress != nil
	request.Group, request.Memory = ticket.Group, int64(ticket.Limits.QueryMemory)
	started := false
	defer func() { // after a panic too, which fails the statement alone: its place must not be lost
		if !started {
			cancel(nil)
			ticket.Release()
		}
	}()
	running, err := e.config.Runner.Run(ctx, request)
	if err != nil {
		return nil, err
	}
	started = true
	a := &admitted{Running: running, ticket: ticket, cancel: cancel}
	if limit := time.Duration(ticket.Limits.QueryTime); limit > 0 {
		timer := time.AfterFunc(limit, func() { cancel(beyond(ticket, "query_time", limit.String())) })
		a.stop = append(a.stop, func() { timer.Stop() })
	}
	if limit := ticket.Limits.QueryBytes; request.Limited {
		a.reading = func() error {
			request.Progress.Sample()
			if request.Progress.Bytes.Load() > int64(limit) {
				return beyond(ticket, "query_bytes", limit.String())
			}
			return nil
		}
		a.stop = append(a.stop, watch(func() {
			if err := a.reading(); err != nil {
				cancel(err)
			}
		}))
	}
	return a, nil
}

func beyond(ticket *admission.Ticket, limit, value string) error {
	return sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to the limits of resource group \"%s\"", ticket.Group).
		WithDetail("resource_groups.%s.%s is %s.", ticket.Group, limit, value)
}

// watch calls look again and again until stopped.
func watch(look func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				look()
			}
		}
	}()
	return func() { close(done) }
}
