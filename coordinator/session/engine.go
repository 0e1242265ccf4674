package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Engine plans and runs statements. It is safe for concurrent use by different sessions; one session
// calls it from one goroutine at a time. Errors are *sqlerr.Error wherever the user caused them.
type Engine interface {
	// Begin opens a transaction that reads one snapshot of the catalog. It should be cheap: sessions
	// open one for every statement outside a block.
	Begin(ctx context.Context, state *State, modes ast.TransactionModes) (Transaction, error)
	// Plan binds a statement; state.Tx is open.
	Plan(ctx context.Context, state *State, request PlanRequest) (*Prepared, error)
	// Execute runs a planned statement; state.Tx is open. When the catalog has moved since Plan it
	// binds again, and fails with 0A000 "cached plan must not change result type" if the columns
	// would differ. A statement without rows (Prepared.Columns nil) has done its work when Execute
	// returns; one with rows does it while Result.Source is read. ctx lives as long as the Source.
	// After Execute has returned nothing of state may be read: the session goes on while the Source is
	// open, and a suspended portal's Source is read by a goroutine of its own.
	Execute(ctx context.Context, state *State, request ExecuteRequest) (*Result, error)
	// Discard frees what the engine keeps for the session: temporary tables. It is called for DISCARD
	// TEMP, DISCARD ALL and at the session's end, outside a transaction.
	Discard(ctx context.Context, state *State) error
}

// Transaction is an open transaction of one session. Its methods are called from the session's
// goroutine, while no statement runs.
type Transaction interface {
	// Commit makes everything staged visible at once, or returns an error (40001 for a conflict) and
	// leaves nothing. The transaction is closed in both cases.
	Commit(ctx context.Context) error
	// Rollback drops everything staged. It must not fail for want of a catalog.
	Rollback(ctx context.Context) error
	// Savepoint gives a mark of what is staged now; marks grow.
	Savepoint(ctx context.Context) (mark int, err error)
	// RollbackTo drops what was staged since the mark; the mark stays good.
	RollbackTo(ctx context.Context, mark int) error
}

// PlanRequest is one statement to bind.
type PlanRequest struct {
	SQL       string // the whole query string that Statement's positions refer to
	Statement ast.Statement
	// ParamTypes are the parameter types that the client declared, Kind Unknown where it left the
	// choice; there may be more parameters than entries.
	ParamTypes []types.Type
	// TypeNames are the parameter types of PREPARE name (types), instead of ParamTypes.
	TypeNames []*ast.TypeName
}

// Prepared is a bound statement. It is immutable and may be executed many times.
type Prepared struct {
	Columns    types.Schema // nil: the statement gives no rows; empty, not nil: rows without columns
	ParamTypes []types.Type // of $1, $2 …; every one known
	Copy       CopyKind
	// Plan is the engine's own; sessions pass it back untouched.
	Plan any
}

// CopyKind marks a COPY whose data travels over the client's connection.
type CopyKind uint8

// The kinds. For CopyFromClient Columns are the columns to be read from the client, and
// ExecuteRequest.Input gives them; for CopyToClient Columns are those of the rows to be sent.
const (
	NoCopy CopyKind = iota
	CopyFromClient
	CopyToClient
)

// ExecuteRequest is one execution.
type ExecuteRequest struct {
	SQL       string
	Statement ast.Statement
	Prepared  *Prepared
	Params    []types.Datum
	// Input gives the rows of a CopyFromClient; the engine reads it to its end or closes it.
	Input vec.Source
	// MostRows is the number of rows after which the client will pause or stop; 0 is all.
	MostRows int64
}

// Result is a running statement.
type Result struct {
	// Source gives the rows; nil when the statement gives none. The session closes it.
	Source vec.Source
	// Affected gives the rows that a write touched, once Source is at its end; nil when the tag
	// counts the rows given.
	Affected func() int64
	// Tag replaces the statement's command tag, if not empty.
	Tag string
}

// State is what the engine sees of a session.
type State struct {
	PID      int32  // backend pid: unique among live sessions
	User     string // session user
	Database string
	Client   string // remote address, "" for an in-process client
	Started  time.Time

	Settings *Settings
	// Tx is the open transaction; never nil while Plan or Execute run.
	Tx Transaction
	// TransactionTime is now(); StatementTime is statement_timestamp().
	TransactionTime time.Time
	StatementTime   time.Time
	// ReadOnly is true inside a READ ONLY transaction: writes fail with 25006.
	ReadOnly bool
	Progress *Progress
	// CatalogName gives the text form of regclass and its like in the open transaction; nil shows oids.
	CatalogName func(kind types.Kind, oid int64) string
	// EngineData is the engine's own, kept for the session's life.
	EngineData any

	notices noticeList
}

// Notify sends the client a notice, if client_min_messages lets it through. It may be called from
// any goroutine of the running statement.
func (s *State) Notify(n Notice) { s.notices.add(n) }

// Progress tells what the running statement has done. The engine adds to the counters or lets them be
// sampled; the Manager's listing and the shell read. Totals and expectations are 0 while unknown.
type Progress struct {
	Rows, Bytes               atomic.Int64 // read from tables
	RowsDone, RowsExpected    atomic.Int64 // rows that scans gave, and will have given by the planner's estimate
	SplitsDone, SplitsTotal   atomic.Int64
	Workers                   atomic.Int64
	MemoryBytes, SpilledBytes atomic.Int64
	PeakBytes, CPUNanos       atomic.Int64
	sampler                   atomic.Pointer[func(*Progress)]
	stages                    atomic.Pointer[func() []Stage]
	queue                     atomic.Pointer[func() (place int, reason string)]
}

// Stage is what one node does for one fragment of a running statement's plan.
type Stage struct {
	Number      int // of the fragment; 0 gives the statement's rows
	Node        string
	State       string // "starting", "running", "finished", "failed"
	Reads       string // the tables that it scans, with commas between
	Tasks       int64
	SplitsDone  int64 // that the node has read
	SplitsTotal int64 // of the stage on all nodes, as far as they are listed
	Rows, Bytes int64 // read from tables
	RowsOut     int64 // given to the next stage
	CPU         time.Duration
	Memory      int64 // most bytes that its operators have reserved
	Spilled     int64
}

// FollowStages makes list tell of the statement's stages, until it ends. It is called from any
// goroutine and must not block.
func (p *Progress) FollowStages(list func() []Stage) { p.stages.Store(&list) }

// Stages lists the running statement's stages, by number and node.
func (p *Progress) Stages() []Stage {
	if list := p.stages.Load(); list != nil {
		return (*list)()
	}
	return nil
}

// FollowQueue makes ask tell at which place from 1, and why, the statement waits to be run; nil: it does
// not wait. It is called from any goroutine and must not block.
func (p *Progress) FollowQueue(ask func() (place int, reason string)) {
	if ask == nil {
		p.queue.Store(nil)
		return
	}
	p.queue.Store(&ask)
}

// Queue tells at which place from 1, and why, the statement waits to be run; 0 when it does not.
func (p *Progress) Queue() (place int, reason string) {
	if ask := p.queue.Load(); ask != nil {
		return (*ask)()
	}
	return 0, ""
}

// Follow makes sample set the counters whenever they are about to be read, until the statement ends.
// It is called from any goroutine and must not block.
func (p *Progress) Follow(sample func(*Progress)) { p.sampler.Store(&sample) }

// Sample brings the counters up to date.
func (p *Progress) Sample() {
	if sample := p.sampler.Load(); sample != nil {
		(*sample)(p)
	}
}

// Usage is what a statement has used.
type Usage struct {
	Rows, Bytes                     int64 // read from tables
	MemoryBytes, PeakBytes, Spilled int64
	CPU                             time.Duration
}

// Usage brings the counters up to date and gives them.
func (p *Progress) Usage() Usage {
	p.Sample()
	return Usage{Rows: p.Rows.Load(), Bytes: p.Bytes.Load(), MemoryBytes: p.MemoryBytes.Load(), PeakBytes: p.PeakBytes.Load(),
		Spilled: p.SpilledBytes.Load(), CPU: time.Duration(p.CPUNanos.Load())}
}

func (p *Progress) reset() {
	p.sampler.Store(nil)
	p.stages.Store(nil)
	p.queue.Store(nil)
	for _, counter := range []*atomic.Int64{&p.Rows, &p.Bytes, &p.RowsDone, &p.RowsExpected, &p.SplitsDone, &p.SplitsTotal,
		&p.Workers, &p.MemoryBytes, &p.SpilledBytes, &p.PeakBytes, &p.CPUNanos} {
		counter.Store(0)
	}
}
