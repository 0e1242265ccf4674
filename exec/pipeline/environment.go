package pipeline

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// Environment is what operators of one task may use. It is immutable while the task runs.
type Environment struct {
	Registry   *fn.Registry
	Session    *fn.Session
	Connectors map[string]connectors.Connector
	// Splits gives the splits that this task shall read of a scan; nil asks the connector itself.
	Splits func(ctx context.Context, scan *plan.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error)
	// Exchange gives the stream of rows that arrive through an Exchange node; nil: there are none.
	Exchange func(ctx context.Context, exchange *plan.Exchange, driver int) (vec.Source, error)
	Pool     *memory.Pool // the query's
	Slots    *slots.Group // nil: no limit
	Drivers  int          // goroutines a pipeline; at least one
	// BatchSize is the number of rows that operators hand on at a time, vec.BatchSize by default.
	BatchSize int
	Spill     Spill
	Attempt   string // distinguishes tries of this task in the names of staged files
	// Task is this task's number among those that run the same fragment.
	Task int
	// Force makes tests meet unusual forms of batches.
	Force Force
}

// Spill says where and whether operators may write what does not fit in memory.
type Spill struct {
	Directory string
	Enabled   bool
	// Force makes every operator that can spill do so early; for tests.
	Force bool
}

// Force re-encodes every batch between operators; for tests.
type Force struct {
	Dictionary bool // columns come as dictionaries with unused entries
	Selection  bool // rows come selected among rows of garbage
}

// Expressions is what compiling expressions needs.
func (e *Environment) Expressions() eval.Env {
	return eval.Env{Registry: e.Registry, Session: e.Session}
}

// SpillPolicy is the environment's rule for spilling as it applies to one plan node.
func (e *Environment) SpillPolicy(node *NodeStats) spill.Policy {
	return spill.Policy{Directory: e.Spill.Directory, Enabled: e.Spill.Enabled, Force: e.Spill.Enabled && e.Spill.Force,
		Written: &node.Spilled, Operator: node.Name}
}

// WithDefaults fills in what was left zero.
func (e *Environment) WithDefaults() *Environment {
	out := *e
	out.Drivers = max(out.Drivers, 1)
	if out.BatchSize <= 0 {
		out.BatchSize = vec.BatchSize
	}
	if out.Pool == nil {
		out.Pool = memory.NewRoot("query", memory.Unlimited)
	}
	if out.Session == nil {
		out.Session = &fn.Session{TimeZone: "UTC"}
	}
	session := *out.Session
	session.Room = out.room
	out.Session = &session
	return &out
}

// room tells whether each of the drivers could have so many bytes more.
func (e *Environment) room(bytes int64) error {
	bytes *= int64(e.Drivers)
	if err := e.Pool.Reserve(bytes, "an expression"); err != nil {
		return err
	}
	e.Pool.Release(bytes)
	return nil
}
