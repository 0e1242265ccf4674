package pipeline

import (
	"sort"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/connectors"
)

// Stats collects what each plan node did. It may be read while the task runs.
type Stats struct {
	mu    sync.Mutex
	nodes map[int]*NodeStats
}

// NodeStats is what one plan node did, over all drivers and pipelines it takes part in.
type NodeStats struct {
	ID      int
	Name    string
	Rows    atomic.Int64 // given to the parent
	Batches atomic.Int64
	Nanos   atomic.Int64 // inside the node itself, all drivers added up, waiting included
	Memory  atomic.Int64 // most bytes reserved at once
	Spilled atomic.Int64 // bytes written to spill files
	detail  atomic.Pointer[string]
	Scan    *connectors.ScanStats  // Scan nodes
	Write   *connectors.WriteStats // Write nodes
}

// NewStats makes an empty collection.
func NewStats() *Stats { return &Stats{nodes: map[int]*NodeStats{}} }

// Node gives the statistics of the plan node with an ID, made on first use under the given name.
func (s *Stats) Node(id int, name string) *NodeStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats, ok := s.nodes[id]
	if !ok {
		stats = &NodeStats{ID: id, Name: name, Scan: &connectors.ScanStats{}, Write: &connectors.WriteStats{}}
		s.nodes[id] = stats
	}
	return stats
}

// ByID gives the statistics of a plan node, nil when it took no part.
func (s *Stats) ByID(id int) *NodeStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[id]
}

// All gives the statistics of all nodes, by ID.
func (s *Stats) All() []*NodeStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*NodeStats, 0, len(s.nodes))
	for _, n := range s.nodes {
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// SetDetail says in a word how the node worked: "dense array", "8 of 64 partitions spilled".
func (n *NodeStats) SetDetail(text string) { n.detail.Store(&text) }

// Detail gives the text of SetDetail, "" for none.
func (n *NodeStats) Detail() string {
	if p := n.detail.Load(); p != nil {
		return *p
	}
	return ""
}

// RaiseMemory records a number of reserved bytes if it is the most so far.
func (n *NodeStats) RaiseMemory(bytes int64) {
	for old := n.Memory.Load(); bytes > old && !n.Memory.CompareAndSwap(old, bytes); old = n.Memory.Load() {
	}
}
