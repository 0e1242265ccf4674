package wiring

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/tarnlake/tarn/coordinator/admission"
	"github.com/tarnlake/tarn/internal/rpc"
)

// standingsPath tells a coordinator how the resource groups stand on another one, and gives its own.
const standingsPath = "/v1/node/groups"

const (
	// standingsEvery is how often coordinators tell each other at least; changes are told at once.
	standingsEvery = time.Second
	// standingsWithin is how long one waits for another's answer.
	standingsWithin = 2 * time.Second
)

// standings is one coordinator's part of what runs and waits.
type standings struct {
	Coordinator string                        `json:"coordinator"`
	Groups      map[string]admission.Standing `json:"groups"`
}

// standingsTeller exchanges them with the other coordinators, so that limits hold for all together.
type standingsTeller struct {
	m       *Membership
	changed chan struct{}

	mu    sync.Mutex
	calls map[string]*standingsCall // by coordinator
}

// standingsCall is the state of the exchange with one coordinator.
type standingsCall struct {
	busy, again bool
}

func newStandingsTeller(m *Membership) *standingsTeller {
	t := &standingsTeller{m: m, changed: make(chan struct{}, 1), calls: map[string]*standingsCall{}}
	controller := m.system.admission
	controller.OnChange(func() {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	})
	rpc.Handle(m.member.Mux, standingsPath, func(_ context.Context, in standings) (standings, error) {
		controller.Learn(in.Coordinator, in.Groups)
		return t.own(), nil
	})
	return t
}

func (t *standingsTeller) own() standings {
	return standings{Coordinator: t.m.name, Groups: t.m.system.admission.Standings()}
}

// run tells the others until the membership ends.
func (t *standingsTeller) run() {
	ticker := time.NewTicker(standingsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.m.stop:
			return
		case <-ticker.C:
		case <-t.changed:
		}
		var names []string
		for _, n := range t.m.gossip.Nodes() {
			if n.Name != t.m.name && strings.Contains(n.Roles, "coordinator") {
				names = append(names, n.Name)
				t.begin(n.Name, n.RPC)
			}
		}
		t.m.system.admission.Keep(names)
	}
}

// begin exchanges standings with a coordinator, once more if that is going on already.
func (t *standingsTeller) begin(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	call := t.calls[name]
	if call == nil {
		call = &standingsCall{}
		t.calls[name] = call
	}
	if call.busy {
		call.again = true
		return
	}
	call.busy = true
	go func() {
		for more := true; more; {
			ctx, cancel := context.WithTimeout(context.Background(), standingsWithin)
			var reply standings
			err := t.m.member.client.Call(ctx, address, standingsPath, t.own(), &reply)
			cancel()
			if err == nil && reply.Coordinator == name {
				t.m.system.admission.Learn(name, reply.Groups)
			}
			t.mu.Lock()
			more = call.again && err == nil
			call.again, call.busy = false, more
			t.mu.Unlock()
		}
	}()
}
