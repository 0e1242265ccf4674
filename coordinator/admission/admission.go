package admission

import (
	"context"
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
}

// group is a resource group's state.
type group struct {
	name    string
	limits  config.ResourceGroup
	running int
	holding map[int32]int // running queries by session
	waiting []*waiter     // first come, first served
}

type waiter struct {
	pid      int32
	admitted chan struct{} // closed when it may run
}

// New makes a controller for the configured groups.
func New(groups map[string]config.ResourceGroup) *Controller {
	c := &Controller{groups: map[string]*group{}, names: slices.Sorted(maps.Keys(groups))}
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
	if g.holding[q.PID] > 0 || len(g.waiting) == 0 && g.hasRoom() {
		g.enter(q.PID)
		c.mu.Unlock()
		return ticket, nil
	}
	if len(g.waiting) >= g.limits.MaxQueued {
		defer c.mu.Unlock()
		return nil, g.refusal("too many queries wait in resource group \"%s\"")
	}
	w := &waiter{pid: q.PID, admitted: make(chan struct{})}
	g.waiting = append(g.waiting, w)
	c.mu.Unlock()
	if err := c.wait(ctx, g, w); err != nil {
		return nil, err
	}
	return ticket, nil
}

func (g *group) hasRoom() bool { return g.limits.MaxRunning == 0 || g.running < g.limits.MaxRunning }

func (g *group) refusal(message string) error {
	return sqlerr.New(sqlerr.TooManyConnections, message, g.name).
		WithDetail("%d of at most %d queries run and %d of at most %d wait.", g.running, g.limits.MaxRunning, len(g.waiting), g.limits.MaxQueued).
		WithHint("Try again later, SET resource_group to another group, or raise resource_groups.%s.max_running.", g.name)
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
			g.leave(w.pid)
		}
		return err
	}
	if err == nil {
		err = g.refusal("the query waited too long in resource group \"%s\"")
	}
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return err
}

// enter and leave are called under the controller's lock; leave admits the next.
func (g *group) enter(pid int32) {
	g.running++
	g.holding[pid]++
}

func (g *group) leave(pid int32) {
	g.running--
	if g.holding[pid]--; g.holding[pid] == 0 {
		delete(g.holding, pid)
	}
	for len(g.waiting) > 0 && g.hasRoom() {
		next := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.enter(next.pid)
		close(next.admitted)
	}
}

// Release tells that the query has ended; further calls do nothing.
func (t *Ticket) Release() {
	t.once.Do(func() {
		t.controller.mu.Lock()
		defer t.controller.mu.Unlock()
		t.controller.groups[t.Group].leave(t.pid)
	})
}

// State is what a group does now.
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
		out = append(out, State{Name: name, Limits: g.limits, Running: g.running, Queued: len(g.waiting)})
	}
	return out
}

// Place tells in which group a session's query runs or, at which place from 1, waits; "" when it
// does neither.
func (c *Controller) Place(pid int32) (group string, queued int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.names {
		for i, w := range c.groups[name].waiting {
			if w.pid == pid {
				return name, i + 1
			}
		}
		if c.groups[name].holding[pid] > 0 {
			group = name
		}
	}
	return group, 0
}
