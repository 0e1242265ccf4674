package admission_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/coordinator/admission"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func groups(change func(map[string]config.ResourceGroup)) map[string]config.ResourceGroup {
	all := (&config.Config{}).Groups()
	change(all)
	return all
}

func TestGroupIsChosenBySettingUserApplicationAndStatement(t *testing.T) {
	c := admission.New(groups(func(g map[string]config.ResourceGroup) {
		g["reports"] = config.ResourceGroup{CPUWeight: 2, MaxQueued: 1, Users: []string{"bi"}, Applications: []string{"Superset*", "airflow"}}
	}))
	for _, one := range []struct {
		query admission.Query
		group string
	}{
		{admission.Query{Statement: admission.Select}, "adhoc"},
		{admission.Query{Statement: admission.Insert}, "etl"},
		{admission.Query{Statement: admission.Insert, User: "bi"}, "reports"},
		{admission.Query{Statement: admission.Select, Application: "Superset 4"}, "reports"},
		{admission.Query{Statement: admission.Select, Application: "airflows"}, "adhoc"},
		{admission.Query{Statement: admission.Insert, Application: "airflow", Group: "adhoc"}, "adhoc"},
	} {
		ticket, err := c.Admit(t.Context(), one.query)
		if err != nil {
			t.Fatal(err)
		}
		if ticket.Group != one.group {
			t.Errorf("%+v came to %s, not %s", one.query, ticket.Group, one.group)
		}
		ticket.Release()
	}
	_, err := c.Admit(t.Context(), admission.Query{Group: "nope"})
	if sqlerr.CodeOf(err) != sqlerr.UndefinedObject || !strings.Contains(sqlerr.From(err).Hint, "reports") {
		t.Error(err)
	}
}

// one is a controller whose default group runs one query and lets one wait.
func one(wait time.Duration) *admission.Controller {
	return admission.New(groups(func(g map[string]config.ResourceGroup) {
		g["adhoc"] = config.ResourceGroup{CPUWeight: 1, MaxRunning: 1, MaxQueued: 1, QueueTimeout: config.Duration(wait)}
	}))
}

// queued waits until the session's query waits.
func queued(t *testing.T, c *admission.Controller, pid int32) {
	t.Helper()
	for range 1000 {
		if c.Place(pid).Queued == 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the query does not wait")
}

func TestQueriesWaitTheirTurn(t *testing.T) {
	defer goleak.VerifyNone(t)
	c := one(0)
	first, err := c.Admit(t.Context(), admission.Query{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	admitted := make(chan *admission.Ticket)
	go func() {
		ticket, err := c.Admit(context.Background(), admission.Query{PID: 2})
		if err != nil {
			t.Error(err)
		}
		admitted <- ticket
	}()
	queued(t, c, 2)
	_, err = c.Admit(t.Context(), admission.Query{PID: 3})
	if sqlerr.CodeOf(err) != sqlerr.TooManyConnections || !strings.Contains(sqlerr.From(err).Detail, "1 of at most 1 queries run and 1 of at most 1 wait") {
		t.Error(err)
	}
	again, err := c.Admit(t.Context(), admission.Query{PID: 1}) // its own cursor is open
	if err != nil {
		t.Fatal(err)
	}
	first.Release()
	first.Release()
	select {
	case <-admitted:
		t.Fatal("admitted while the first session still runs a query")
	case <-time.After(20 * time.Millisecond):
	}
	again.Release()
	(<-admitted).Release()
	for _, s := range c.States() {
		if s.Running != 0 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestWaitingEndsWithTheContextOrTheTimeout(t *testing.T) {
	defer goleak.VerifyNone(t)
	c := one(30 * time.Millisecond)
	first, err := c.Admit(t.Context(), admission.Query{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	reason := errors.New("cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := c.Admit(ctx, admission.Query{PID: 2}); !errors.Is(err, reason) {
		t.Error(err)
	}
	if _, err := c.Admit(t.Context(), admission.Query{PID: 3}); sqlerr.CodeOf(err) != sqlerr.TooManyConnections || !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
	if place := c.Place(3); place != (admission.Place{}) {
		t.Error("still waiting:", place)
	}
	first.Release()
	next, err := c.Admit(t.Context(), admission.Query{PID: 4})
	if err != nil {
		t.Fatal(err)
	}
	next.Release()
}

// joined are two coordinators of a group that runs one query and lets two wait, and how they tell each other.
func joined() (a, b *admission.Controller, tell func()) {
	make := func() *admission.Controller {
		return admission.New(groups(func(g map[string]config.ResourceGroup) {
			g["adhoc"] = config.ResourceGroup{CPUWeight: 1, MaxRunning: 1, MaxQueued: 2}
		}))
	}
	a, b = make(), make()
	return a, b, func() {
		b.Learn("a", a.Standings())
		a.Learn("b", b.Standings())
	}
}

// admitting asks for admission and waits until the query waits.
func admitting(t *testing.T, c *admission.Controller, pid int32) <-chan *admission.Ticket {
	t.Helper()
	out := make(chan *admission.Ticket, 1)
	go func() {
		ticket, err := c.Admit(context.Background(), admission.Query{PID: pid})
		if err != nil {
			t.Error(err)
		}
		out <- ticket
	}()
	for range 5000 {
		if c.Place(pid).Queued > 0 {
			return out
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the query does not wait")
	return nil
}

func TestLimitsHoldOverCoordinators(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b, tell := joined()
	running, err := a.Admit(t.Context(), admission.Query{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	tell()
	first := admitting(t, b, 2)
	tell()
	second := admitting(t, a, 3)
	tell()
	if place := a.Place(3); place.Queued != 2 || place.Reason != "1 of at most 1 queries run and 2 of at most 2 wait, 0 and 1 of them on other coordinators." {
		t.Errorf("%+v", place)
	}
	if _, err := b.Admit(t.Context(), admission.Query{PID: 4}); sqlerr.CodeOf(err) != sqlerr.TooManyConnections ||
		!strings.Contains(sqlerr.From(err).Detail, "2 of at most 2 wait, 1 and 1 of them on other coordinators") {
		t.Error(err)
	}
	running.Release()
	if a.Place(3).Queued == 0 {
		t.Fatal("the one who came later was let in first")
	}
	tell()
	ticket := <-first
	tell()
	if got := a.States()[0]; got.Running != 1 || got.Queued != 1 {
		t.Errorf("%+v", got)
	}
	ticket.Release()
	tell()
	(<-second).Release()
}

func TestLostCoordinatorsHoldNobodyBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b, tell := joined()
	if _, err := a.Admit(t.Context(), admission.Query{PID: 1}); err != nil {
		t.Fatal(err)
	}
	tell()
	waiting := admitting(t, b, 2)
	b.Keep([]string{"a"})
	if b.Place(2).Queued != 1 {
		t.Fatal("a still counts")
	}
	b.Keep(nil)
	(<-waiting).Release()
}

func TestSilentCoordinatorsStopToCount(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b, tell := joined()
	var passed atomic.Int64
	start := time.Now()
	b.SetClock(func() time.Time { return start.Add(time.Duration(passed.Load())) })
	if _, err := a.Admit(t.Context(), admission.Query{PID: 1}); err != nil {
		t.Fatal(err)
	}
	tell()
	waiting := admitting(t, b, 2)
	passed.Store(int64(admission.Silence))
	b.Keep([]string{"a"})
	if b.Place(2).Queued != 1 {
		t.Fatal("a still counts")
	}
	passed.Add(1)
	b.Keep([]string{"a"})
	(<-waiting).Release()
}
