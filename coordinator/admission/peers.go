package admission

import "time"

// Standing is what one coordinator does in a group, as it tells the others.
type Standing struct {
	Running int       `json:"running"`
	Queued  int       `json:"queued"`
	Oldest  time.Time `json:"oldest"` // since when the first of its queue has waited
}

// Silence is how long a coordinator that says nothing still counts.
const Silence = 5 * time.Second

// peer is another coordinator.
type peer struct {
	heard  time.Time
	groups map[string]Standing
}

// OnChange makes changed be called when this coordinator's standings in groups with limits change. It is
// called with locks held, and must not block nor call back. It must be set before the first query.
func (c *Controller) OnChange(changed func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = changed
}

// Standings gives this coordinator's, by group.
func (c *Controller) Standings() map[string]Standing {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]Standing, len(c.groups))
	for name, g := range c.groups {
		s := Standing{Running: g.running, Queued: len(g.waiting)}
		if s.Queued > 0 {
			s.Oldest = g.waiting[0].since
		}
		if s != (Standing{}) {
			out[name] = s
		}
	}
	return out
}

// Learn takes another coordinator's standings, and admits whom they make room for.
func (c *Controller) Learn(coordinator string, groups map[string]Standing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peers[coordinator] = &peer{heard: c.now(), groups: groups}
	c.admitAll()
}

// Keep forgets the coordinators that are not listed or have been silent, and admits whom that makes
// room for. It is to be called every second or so.
func (c *Controller) Keep(coordinators []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	live := map[string]bool{}
	for _, name := range coordinators {
		live[name] = true
	}
	now := c.now()
	for name, p := range c.peers {
		if !live[name] || now.Sub(p.heard) > Silence {
			delete(c.peers, name)
		}
	}
	c.admitAll()
}

func (c *Controller) admitAll() {
	for _, name := range c.names {
		c.admit(c.groups[name])
	}
}

// elsewhere adds up the other coordinators' standings in a group; Oldest is that of them all.
func (c *Controller) elsewhere(g *group) (sum Standing) {
	for _, p := range c.peers {
		s := p.groups[g.name]
		sum.Running, sum.Queued = sum.Running+s.Running, sum.Queued+s.Queued
		if s.Queued > 0 && (sum.Oldest.IsZero() || s.Oldest.Before(sum.Oldest)) {
			sum.Oldest = s.Oldest
		}
	}
	return sum
}

// mayEnter tells whether a query that has waited since a time may run: there is room, and none waits
// longer on another coordinator.
func (c *Controller) mayEnter(g *group, since time.Time) bool {
	if g.limits.MaxRunning == 0 {
		return true
	}
	others := c.elsewhere(g)
	return g.running+others.Running < g.limits.MaxRunning && (others.Queued == 0 || since.Before(others.Oldest))
}

// tell lets the others know of a change in a group; without limits nobody need hurry.
func (c *Controller) tell(g *group) {
	if c.changed != nil && g.limits.MaxRunning > 0 {
		c.changed()
	}
}
