package admission

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Controller admits queries. All methods may be called concurrently.
type Controller struct {
	mu     sync.Mutex
	groups map[string]*group
	names  []string
	peers  map[string]*peer // other coordinators
	now    func() time.Time
	// changed is told of changes; nil in a server that is alone.
	changed func()
}

// group is a resource group's state on this coordinator.
type group struct {
	name    string
	limits  config.ResourceGroup
	running int
	holding map[int32]int // running queries by session
	waiting []*waiter     // first come, first served
}

type waiter struct {
	pid      int32
	since    time.Time
	admitted chan struct{} // closed when it may run
}

// New makes a controller for the configured groups.
func New(groups map[string]config.ResourceGroup) *Controller {
	c := &Controller{groups: map[string]*group{}, names: slices.Sorted(maps.Keys(groups)),
		peers: map[string]*peer{}, now: time.Now}
	for name, limits := range groups {
		c.groups[name] = &group{name: name, limits: limits, holding: map[int32]int{}}
	}
	return c
}

// Ticket is a query's admission; it must be released when the query has ended.
type Ticket struct {
	Group  string
	Limits config.ResourceGroup

	controller *Controller
	pid        int32
	once       sync.Once
}

// Admit chooses the query's group and waits until it may run. It returns 53300 when the group's
// queue is full or the wait was too long, and the context's cause when that ends first. A session
// whose query runs in the group already, behind a cursor, does not wait for itself.
func (c *Controller) Admit(ctx context.Context, q Query) (*Ticket, error) {
	name, err := c.choose(q)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	g := c.groups[name]
	ticket := &Ticket{Group: name, Limits: g.limits, controller: c, pid: q.PID}
	now := c.now()
	if g.holding[q.PID] > 0 || len(g.waiting) == 0 && c.mayEnter(g, now) {
		g.enter(q.PID)
		c.tell(g)
		c.mu.Unlock()
		return ticket, nil
	}
	if len(g.waiting)+c.elsewhere(g).Queued >= g.limits.MaxQueued {
		defer c.mu.Unlock()
		return nil, c.refusal(g, "too many queries wait in resource group \"%s\"")
	}
	w := &waiter{pid: q.PID, since: now, admitted: make(chan struct{})}
	g.waiting = append(g.waiting, w)
	c.tell(g)
	c.mu.Unlock()
	if err := c.wait(ctx, g, w); err != nil {
		return nil, err
	}
	return ticket, nil
}

func (c *Controller) refusal(g *group, message string) error {
	return sqlerr.New(sqlerr.TooManyConnections, message, g.name).WithDetail("%s", c.describe(g)).
		WithHint("Try again later, SET resource_group to another group, or raise resource_groups.%s.max_running.", g.name)
}

// describe tells what runs and waits, in a sentence.
func (c *Controller) describe(g *group) string {
	others := c.elsewhere(g)
	text := fmt.Sprintf("%d of at most %d queries run and %d of at most %d wait", g.running+others.Running, g.limits.MaxRunning,
		len(g.waiting)+others.Queued, g.limits.MaxQueued)
	if others.Running+others.Queued > 0 {
		text += fmt.Sprintf(", %d and %d of them on other coordinators", others.Running, others.Queued)
	}
	return text + "."
}

// wait blocks until w is admitted; otherwise w no longer waits.
func (c *Controller) wait(ctx context.Context, g *group, w *waiter) error {
	var expired <-chan time.Time
	if limit := time.Duration(g.limits.QueueTimeout); limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		expired = timer.C
	}
	var err error
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-expired:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(g.waiting, w)
	if at < 0 { // admitted meanwhile
		if err != nil {
			c.leave(g, w.pid)
		}
		return err
	}
	if err == nil {
		err = c.refusal(g, "the query waited too long in resource group \"%s\"")
	}
	g.waiting = slices.Delete(g.waiting, at, at+1)
	c.admit(g)
	c.tell(g)
	return err
}

// enter and leave are called under the controller's lock; leave admits the next.
func (g *group) enter(pid int32) {
	g.running++
	g.holding[pid]++
}

func (c *Controller) leave(g *group, pid int32) {
	g.running--
	if g.holding[pid]--; g.holding[pid] == 0 {
		delete(g.holding, pid)
	}
	c.admit(g)
	c.tell(g)
}

// admit lets those in who may enter, the first first.
func (c *Controller) admit(g *group) {
	for len(g.waiting) > 0 && c.mayEnter(g, g.waiting[0].since) {
		next := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.enter(next.pid)
		close(next.admitted)
		c.tell(g)
	}
}

// Release tells that the query has ended; further calls do nothing.
func (t *Ticket) Release() {
	t.once.Do(func() {
		t.controller.mu.Lock()
		defer t.controller.mu.Unlock()
		t.controller.leave(t.controller.groups[t.Group], t.pid)
	})
}

// State is what a group does now, on all coordinators together.
type State struct {
	Name            string
	Limits          config.ResourceGroup
	Running, Queued int
}

// States lists the groups by name.
func (c *Controller) States() []State {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]State, 0, len(c.names))
	for _, name := range c.names {
		g := c.groups[name]
		others := c.elsewhere(g)
		out = append(out, State{Name: name, Limits: g.limits, Running: g.running + others.Running, Queued: len(g.waiting) + others.Queued})
	}
	return out
}

// Place is where a session's query stands.
type Place struct {
	Group  string // "" when it neither runs nor waits
	Queued int    // its place among those who wait, from 1; 0 when it runs
	Reason string // why it waits
}

// Place tells where a session's query stands.
func (c *Controller) Place(pid int32) (p Place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.names {
		g := c.groups[name]
		for i, w := range g.waiting {
			if w.pid == pid {
				return Place{Group: name, Queued: i + 1 + c.ahead(g, w.since), Reason: c.describe(g)}
			}
		}
		if g.holding[pid] > 0 {
			p.Group = name
		}
	}
	return p
}

// ahead counts those who may wait longer on other coordinators.
func (c *Controller) ahead(g *group, since time.Time) (n int) {
	for _, p := range c.peers {
		if s := p.groups[g.name]; s.Queued > 0 && s.Oldest.Before(since) {
			n += s.Queued
		}
	}
	return n
}
