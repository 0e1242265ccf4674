package wiring

import (
	"context"
	"time"

	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
)

// share is a resource group's part of this process.
type share struct {
	slots *slots.Group
	pool  *memory.Pool
}

// newShares divides the process among the groups. A group can have all memory except what is kept
// for others.
func newShares(c *config.Config, process *memory.Pool) map[string]share {
	groups := c.Groups()
	kept := 0.0
	for _, g := range groups {
		kept += float64(g.Memory)
	}
	all := slots.New(cpuSlots(c))
	out := make(map[string]share, len(groups))
	for name, g := range groups {
		limit := memory.Unlimited
		if others := kept - float64(g.Memory); others > 0 {
			limit = int64(float64(process.Limit()) * (1 - others))
		}
		out[name] = share{all.Group(g.CPUWeight), process.Child("resource group "+name, limit)}
	}
	return out
}

// share finds a group's part; groups that this process does not know share the default one.
func (r *Runner) share(group string) share {
	if s, ok := r.groups[group]; ok {
		return s
	}
	if _, told := r.unknown.LoadOrStore(group, true); !told && group != "" && r.options.Log != nil {
		r.options.Log.Warn("a task belongs to a resource group that this node does not know", "group", group, "uses", config.DefaultGroup)
	}
	return r.groups[config.DefaultGroup]
}

// pool makes the memory of a query; limit, if positive, bounds it.
func (r *Runner) pool(group string, limit int64) *memory.Pool {
	bound := memory.Unlimited
	if size := r.options.Config.Memory.QueryLimit; size > 0 {
		bound = int64(size)
	}
	name := "memory.query_limit"
	if limit > 0 && limit < bound {
		bound, name = limit, "resource_groups."+group+".query_memory"
	}
	return r.share(group).pool.Child(name, bound)
}

// resourceGroups lists the groups as they are now.
func (s *System) resourceGroups(context.Context) ([]system.ResourceGroup, error) {
	var out []system.ResourceGroup
	for _, g := range s.admission.States() {
		own := s.Runner.share(g.Name)
		pool, cpu := own.pool, own.slots.Stats()
		out = append(out, system.ResourceGroup{Name: g.Name, CPUWeight: int64(g.Limits.CPUWeight), MemoryLimit: min(pool.Limit(), s.Memory.Limit()),
			MemoryUsed: pool.Used(), Running: int64(g.Running), MaxRunning: int64(g.Limits.MaxRunning), Queued: int64(g.Queued),
			MaxQueued: int64(g.Limits.MaxQueued), QueueTimeout: time.Duration(g.Limits.QueueTimeout),
			QueryMemory: int64(g.Limits.QueryMemory), QueryBytes: int64(g.Limits.QueryBytes), QueryTime: time.Duration(g.Limits.QueryTime),
			Rules: g.Limits.Rules(), CPU: cpu.Computed, CPUWait: cpu.Waited, LongestCPUWait: cpu.Longest, CPUWaits: cpu.Waits})
	}
	return out, nil
}
