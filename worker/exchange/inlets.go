package exchange

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// Transfer gets pages from where they are.
type Transfer interface {
	Pages(ctx context.Context, address string, in rpc.PageRequest) (rpc.Pages, error)
	Stop(ctx context.Context, address string, in rpc.StopRequest) error
}

// InletsConfig says what a task reads.
type InletsConfig struct {
	Task      int // number among the tasks of its fragment
	Inlets    []rpc.Inlet
	Transfer  Transfer
	Pool      *memory.Pool
	BatchSize int // rows of a merged batch
}

// Inlets are the inboxes of one task. Open is the task's Environment.Exchange.
type Inlets struct {
	config InletsConfig
	ctx    context.Context
	cancel context.CancelCauseFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	inboxes map[[2]int]*inbox // by fragment and reader
}

// NewInlets makes the inboxes of a task; nothing is fetched before Open. Fetching ends with ctx, or by Close.
func NewInlets(ctx context.Context, config InletsConfig) *Inlets {
	in := &Inlets{config: config, inboxes: map[[2]int]*inbox{}}
	in.ctx, in.cancel = context.WithCancelCause(ctx)
	return in
}

// Open gives one driver's stream of the rows that an Exchange node reads.
func (in *Inlets) Open(ctx context.Context, node *plan.Exchange, _ int) (vec.Source, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ctx.Err() != nil {
		return nil, context.Cause(in.ctx)
	}
	key := [2]int{node.Source, node.Reader}
	box := in.inboxes[key]
	if box == nil {
		producers, err := in.producers(node)
		if err != nil {
			return nil, err
		}
		box = newInbox(in, node, producers)
		in.inboxes[key] = box
		for _, f := range box.feeders {
			in.wait.Add(1)
			go func() {
				defer in.wait.Done()
				f.run(in.ctx)
			}()
		}
	}
	if node.Kind == plan.Merge {
		return newMerge(box, node.Order, in.config.BatchSize), nil
	}
	return &inboxStream{box: box}, nil
}

// producers lists the tasks whose rows node reads.
func (in *Inlets) producers(node *plan.Exchange) ([]rpc.Producer, error) {
	for _, inlet := range in.config.Inlets {
		if inlet.Source != node.Source {
			continue
		}
		if node.Kind != plan.Forward {
			return inlet.Producers, nil
		}
		if in.config.Task < len(inlet.Producers) {
			return inlet.Producers[in.config.Task : in.config.Task+1], nil
		}
	}
	return nil, sqlerr.Internal("task %d does not know who gives it the rows of fragment %d", in.config.Task, node.Source)
}

// Close ends all fetching and waits for it. When stop is set it also tells the producers that are not
// at their end that no more rows are wanted.
func (in *Inlets) Close(stop bool) {
	in.cancel(errStopped)
	in.wait.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	var told sync.WaitGroup
	for _, box := range in.inboxes {
		for _, f := range box.feeders {
			if !stop || f.ended {
				continue
			}
			told.Add(1)
			go func() {
				defer told.Done()
				ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
				defer cancel()
				_ = in.config.Transfer.Stop(ctx, f.producer.Address, // else the query's end tells them
					rpc.StopRequest{Task: f.producer.Task, Reader: f.box.reader, Partition: f.box.partition})
			}()
		}
		box.drop()
	}
	told.Wait()
}

var errStopped = errors.New("no more rows are wanted")

const (
	// inboxBytes is what an inbox holds of pages that no driver has taken yet.
	inboxBytes = 8 << 20
	// replyBytes bounds one reply.
	leastReply, mostReply = 64 << 10, 1 << 20
	// pollMillis is how long a producer may take to answer that it has nothing yet.
	pollMillis   = 2000
	stopPatience = 500 * time.Millisecond
	// A producer that cannot be reached is tried again for lostAfter: by then the coordinator has found
	// out what is wrong, and ended the query with an error that says so.
	lostAfter  = 10 * time.Second
	replyAfter = 6 * time.Second
	firstPause = 5 * time.Millisecond
	mostPause  = 300 * time.Millisecond
)

// feeder fetches the pages of one producer.
type feeder struct {
	box      *inbox
	producer rpc.Producer
	sequence uint64
	ended    bool // guarded by the inbox's lock while the feeder runs

	pages []page.Page // Merge: those of this producer that were not taken yet
}

// run fetches until the end, an error, or ctx is done.
func (f *feeder) run(ctx context.Context) {
	for {
		if !f.box.room(ctx, f) {
			return
		}
		reply, err := f.fetch(ctx)
		if ctx.Err() != nil {
			return
		}
		if !f.box.arrived(f, reply, err) {
			return
		}
	}
}

// fetch asks until there is an answer.
func (f *feeder) fetch(ctx context.Context) (rpc.Pages, error) {
	in := rpc.PageRequest{Task: f.producer.Task, Reader: f.box.reader, Partition: f.box.partition, Sequence: f.sequence,
		MostBytes: f.box.reply, WaitMillis: pollMillis}
	pause, since := firstPause, time.Now()
	for {
		try, cancel := context.WithTimeout(ctx, replyAfter)
		reply, err := f.box.inlets.config.Transfer.Pages(try, f.producer.Address, in)
		late := try.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !rpc.IsUnreachable(err) && !late {
			return reply, err
		}
		if time.Since(since) > lostAfter {
			return reply, sqlerr.New(sqlerr.ConnectionFailure, "lost connection to worker %s", f.producer.Address).
				WithDetail("%v", err).WithHint("Run the statement again.")
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return reply, context.Cause(ctx)
		}
		pause = min(2*pause, mostPause)
	}
}
