package schedule

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// splits answers a worker that asks for splits of a scan.
func (s *Scheduler) splits(ctx context.Context, in rpc.SplitRequest) (rpc.SplitReply, error) {
	s.mu.Lock()
	a := s.attempts[in.Task.Query]
	s.mu.Unlock()
	if a == nil {
		return rpc.SplitReply{}, errClosed
	}
	queue := a.splits[splitKey{in.Task.Fragment, in.Scan}]
	if queue == nil || in.Task.Task < 0 || in.Task.Task >= len(queue.nodes) {
		return rpc.SplitReply{}, sqlerr.New(sqlerr.ProtocolViolation, "task %s has no scan %d", in.Task, in.Scan)
	}
	reply, listing, err := queue.next(in)
	if listing && ctx.Err() == nil {
		a.decide(err)
	}
	return reply, err
}

// queues makes the queues of a fragment's scans.
func (a *attempt) queues(f *plan.Fragment) {
	for n := range plan.Nodes(f.Root) {
		if scan, ok := n.(*plan.Scan); ok {
			a.splits[splitKey{f.ID, scan.Head().ID}] = &splitQueue{ctx: a.ctx, nodes: a.nodes(f), own: map[string][]connectors.Split{},
				pinned: map[string][]connectors.Split{}, last: map[int]given{},
				open: func() (connectors.SplitSource, error) {
					return a.query.request.Splits(a.ctx, scan, a.filters.feed(scan))
				}}
		}
	}
}

const (
	// lookAhead is how many splits a queue lists before it hands some out.
	lookAhead  = 256
	listAtOnce = 64
)

// splitQueue hands out the splits of one scan: to each node first those of files that it has an
// affinity to, then those that nobody prefers, and at the end those of others.
type splitQueue struct {
	ctx   context.Context
	nodes []Node // by task
	open  func() (connectors.SplitSource, error)

	mu       sync.Mutex
	source   connectors.SplitSource
	ended    bool // all are listed
	closed   bool
	failed   error
	own      map[string][]connectors.Split // by the ID of the preferred node
	pinned   map[string][]connectors.Split // by the ID of the only node
	free     []connectors.Split
	held     int // splits in own and free
	listed   atomic.Int64
	complete atomic.Bool   // ended, for those without the lock
	last     map[int]given // by task: the last reply, should it get lost
}

type given struct {
	sequence int
	reply    rpc.SplitReply
}

// next gives a task's next splits, waiting until some are listed. listing tells that there will never be
// more; other errors are those of the request, which may be an old one that the network held up.
func (q *splitQueue) next(in rpc.SplitRequest) (reply rpc.SplitReply, listing bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	task := in.Task.Task
	if last := q.last[task]; last.sequence == in.Sequence {
		return last.reply, false, nil
	} else if in.Sequence != last.sequence+1 {
		return rpc.SplitReply{}, false, sqlerr.New(sqlerr.ProtocolViolation, "task %s asks for splits number %d after %d", in.Task, in.Sequence, last.sequence)
	}
	node := q.nodes[task].ID
	var splits []connectors.Split
	for len(splits) == 0 {
		if err := q.fill(); err != nil {
			return rpc.SplitReply{}, true, err
		}
		splits = q.take(node, max(in.Most, 1))
		if len(splits) == 0 && q.ended {
			break
		}
	}
	reply = rpc.SplitReply{Splits: splits, End: len(splits) == 0}
	q.last[task] = given{in.Sequence, reply}
	return reply, false, nil
}

// fill lists further splits until there are enough to choose from; the caller holds the lock.
func (q *splitQueue) fill() (err error) {
	if q.failed != nil {
		return q.failed
	}
	if q.closed {
		return errClosed
	}
	if q.source == nil && !q.ended {
		if q.source, err = q.open(); err != nil {
			q.failed = err
			return err
		}
	}
	for !q.ended && q.held < lookAhead {
		splits, err := q.source.Next(q.ctx, listAtOnce)
		if err == nil && splits == nil {
			q.ended = true
			q.complete.Store(true)
			err = q.source.Close()
			q.source = nil
		}
		if err != nil {
			q.failed = err
			return err
		}
		for _, s := range splits {
			if err := q.place(s); err != nil {
				q.failed = err
				return err
			}
		}
	}
	return nil
}

// place puts a split where its node will look for it.
func (q *splitQueue) place(s connectors.Split) error {
	q.listed.Add(1)
	switch {
	case s.Node != "":
		for _, n := range q.nodes {
			if n.ID == s.Node {
				q.pinned[s.Node] = append(q.pinned[s.Node], s)
				return nil
			}
		}
		return sqlerr.New(sqlerr.ConnectionFailure, "worker %s, which has a part of the table, is not there", s.Node)
	case s.Affinity != "":
		node := preferred(q.nodes, s.Affinity)
		q.own[node] = append(q.own[node], s)
	default:
		q.free = append(q.free, s)
	}
	q.held++
	return nil
}

// preferred chooses a node by rendezvous hashing: when nodes come and go, most files keep theirs.
func preferred(nodes []Node, affinity string) string {
	best, most := "", uint64(0)
	for _, n := range nodes {
		if score := xxh3.HashString(n.ID + "\x00" + affinity); best == "" || score > most {
			best, most = n.ID, score
		}
	}
	return best
}

// take gives a node up to most splits, fewer towards the end, so that all nodes finish together.
func (q *splitQueue) take(node string, most int) []connectors.Split {
	if list := q.pinned[node]; len(list) > 0 {
		n := min(most, len(list))
		q.pinned[node] = list[n:]
		return list[:n:n]
	}
	most = min(most, max(q.held/(2*len(q.nodes)), 1))
	from := q.own[node]
	switch {
	case len(from) > 0:
		n := min(most, len(from))
		q.own[node], q.held = from[n:], q.held-n
		return from[:n:n]
	case len(q.free) > 0:
		n := min(most, len(q.free))
		from, q.free, q.held = q.free[:n:n], q.free[n:], q.held-n
		return from
	case !q.ended && q.held < lookAhead:
		return nil
	}
	other, length := "", 0
	for name, list := range q.own {
		if len(list) > length || len(list) == length && length > 0 && name < other {
			other, length = name, len(list)
		}
	}
	if length == 0 {
		return nil
	}
	list := q.own[other]
	q.own[other], q.held = list[:length-1], q.held-1
	return list[length-1:]
}

// close ends the listing.
func (q *splitQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.source != nil {
		_ = q.source.Close()
		q.source = nil
	}
}
