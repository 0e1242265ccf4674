package session

import (
	"context"
	"strconv"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Portal is a bound statement on its way: its rows are taken piece by piece. Cursors of DECLARE are
// portals too and share the names.
type Portal struct {
	Name      string
	Statement *Statement
	// Formats are the client's result formats, kept here for the wire.
	Formats []int16
	// Binary is DECLARE BINARY CURSOR's wish for a FETCH without formats of its own.
	Binary bool

	session *Session
	params  []types.Datum
	depth   int // savepoints that were open at its start
	hold    bool
	held    bool // outlived its transaction
	scroll  bool
	forward bool // NO SCROLL, or nothing said: no way back

	phase    portalPhase
	life     context.Context
	endLife  context.CancelCauseFunc
	result   *Result
	fetch    *fetcher // a FETCH of another portal
	inner    *Portal  // an EXECUTE of a prepared statement
	tag      string   // of a statement that has run
	batch    *vec.Batch
	batchAt  int
	position int64 // rows given; position+1 after the end is rows+1
	ended    bool

	store     *rowStore // rows storeBase, storeBase+1 … when they are kept
	storeBase int64

	most, given int64 // of this run; most 0 is all
	drain       *drainer
}

type portalPhase uint8

const (
	portalFresh portalPhase = iota
	portalRunning
	portalFinished
)

// Bind makes a portal; "" replaces the unnamed one. The number of params is that of the statement.
func (s *Session) Bind(name string, st *Statement, params []types.Datum) (*Portal, error) {
	if err := s.Allowed(st); err != nil {
		return nil, err
	}
	if old := s.portals[name]; old != nil {
		if name != "" {
			return nil, sqlerr.New(sqlerr.DuplicateCursor, "cursor %q already exists", name)
		}
		s.dropPortal(old)
	}
	p := s.newPortal(name, st, params)
	s.portals[name] = p
	return p, nil
}

func (s *Session) newPortal(name string, st *Statement, params []types.Datum) *Portal {
	return &Portal{Name: name, Statement: st, session: s, params: params, depth: len(s.savepoints), forward: true}
}

// Portal finds a portal by name.
func (s *Session) Portal(name string) (*Portal, error) {
	if p := s.portals[name]; p != nil {
		return p, nil
	}
	return nil, sqlerr.New(sqlerr.InvalidCursorName, "portal %q does not exist", name)
}

// ClosePortal closes a portal, if it exists.
func (s *Session) ClosePortal(name string) {
	if p := s.portals[name]; p != nil {
		s.dropPortal(p)
	}
}

func (s *Session) dropPortal(p *Portal) {
	if s.portals[p.Name] == p {
		delete(s.portals, p.Name)
	}
	p.close()
}

func (s *Session) closePortals(which func(*Portal) bool) {
	for _, p := range s.portals {
		if which(p) {
			s.dropPortal(p)
		}
	}
}

// Columns gives the row type; nil when the portal gives no rows.
func (p *Portal) Columns() types.Schema {
	if p.Statement.Tree == nil || p.Statement.Prepared.Copy != NoCopy {
		return nil
	}
	return p.Statement.Prepared.Columns
}

// Run begins an Execute of at most most rows, 0 for all. A statement without rows runs to its end.
func (p *Portal) Run(ctx context.Context, most int64) error {
	p.most, p.given = most, 0
	p.stopDrain(ctx)
	if p.phase == portalFinished && p.Columns() == nil {
		return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "portal %q cannot be run", p.Name)
	}
	if p.phase != portalFresh {
		return nil
	}
	if err := p.start(ctx, nil); err != nil {
		p.phase = portalFinished
		return p.session.Explain(ctx, err)
	}
	return nil
}

// RunCopyFrom runs a COPY whose rows come from input.
func (p *Portal) RunCopyFrom(ctx context.Context, input vec.Source) error {
	if err := p.start(ctx, input); err != nil {
		p.phase = portalFinished
		return p.session.Explain(ctx, err)
	}
	return nil
}

func (p *Portal) start(ctx context.Context, input vec.Source) error {
	s := p.session
	if err := s.Allowed(p.Statement); err != nil {
		return err
	}
	p.phase = portalRunning
	done, err := s.runOwn(ctx, p)
	if err != nil || done {
		return err
	}
	if err := s.ensureTransaction(ctx); err != nil {
		return err
	}
	s.queried = true
	p.life, p.endLife = context.WithCancelCause(s.life)
	stop := context.AfterFunc(ctx, func() { p.endLife(context.Cause(ctx)) })
	st := p.Statement
	p.result, err = s.manager.config.Engine.Execute(p.life, &s.state, ExecuteRequest{SQL: st.SQL, Statement: st.Tree,
		Prepared: st.Prepared, Params: p.params, Input: input, MostRows: p.most})
	stop()
	if err != nil {
		p.endLife(nil)
		return err
	}
	if p.result.Source == nil {
		p.finish()
		return nil
	}
	if !readsOnly(st.Tree) || p.scroll {
		return p.keepRows(ctx, !p.scroll)
	}
	return nil
}

// readsOnly tells whether a statement may be left unfinished without half of it done.
func readsOnly(tree ast.Statement) bool {
	switch tree.(type) {
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		return false
	}
	return true
}

// keepRows makes the portal serve its rows from a store; with all, reads them to the end now.
func (p *Portal) keepRows(ctx context.Context, all bool) error {
	if p.store == nil {
		store, err := newRowStore(p.session.manager.config.Spools, p.Statement.Prepared.Columns.Types())
		if err != nil {
			return err
		}
		p.store, p.storeBase = store, p.position
		if p.batch != nil {
			rest := window(p.batch, p.batchAt, p.batch.Rows())
			p.batch = nil
			if err := p.store.append(ctx, &rest); err != nil {
				return err
			}
		}
	}
	for all && p.result != nil {
		if err := p.storeOne(ctx); err != nil {
			return err
		}
	}
	return nil
}

// storeOne moves one batch from the source to the store; at the end p.result is finished.
func (p *Portal) storeOne(ctx context.Context) error {
	b, err := p.result.Source.Next(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		p.finish()
		return nil
	}
	return p.store.append(ctx, b)
}

// finish notes the tag's count and frees the query.
func (p *Portal) finish() {
	p.phase = portalFinished
	if p.result == nil {
		return
	}
	if p.result.Tag != "" {
		p.tag = p.result.Tag
	} else if p.Statement.Tag.Counts && p.result.Affected != nil {
		p.tag = p.Statement.Tag.Word + " " + strconv.FormatInt(p.result.Affected(), 10)
	}
	p.endQuery()
}

func (p *Portal) endQuery() {
	if p.result != nil && p.result.Source != nil {
		_ = p.result.Source.Close()
	}
	p.result = nil
	if p.endLife != nil {
		p.endLife(errSessionClosed)
	}
}

func (p *Portal) close() {
	if p.endLife != nil {
		p.endLife(errSessionClosed)
	}
	p.stopDrain(context.Background())
	p.phase, p.batch = portalFinished, nil
	p.endQuery()
	if p.store != nil {
		p.store.close()
		p.store = nil
	}
	if p.inner != nil {
		p.inner.close()
	}
}

// Next gives the next rows of this run: those numbered from ≤ i < to of the batch's selected rows.
// A nil batch means that the run is over: see Suspended and Tag. The batch is valid until the next
// call on the portal.
func (p *Portal) Next(ctx context.Context) (b *vec.Batch, from, to int, err error) {
	left := int64(1) << 62
	if p.most > 0 {
		if left = p.most - p.given; left <= 0 {
			return nil, 0, 0, nil
		}
	}
	switch {
	case p.fetch != nil:
		b, from, to, err = p.fetch.next(ctx, left)
	case p.inner != nil:
		p.inner.most, p.inner.given = 0, 0
		b, from, to, err = p.inner.forwardRows(ctx, left)
	default:
		b, from, to, err = p.forwardRows(ctx, left)
	}
	if err != nil {
		p.phase = portalFinished
		p.endQuery()
		return nil, 0, 0, p.session.Explain(ctx, err)
	}
	p.given += int64(to - from)
	return b, from, to, nil
}

// forwardRows gives at most left rows after the present position.
func (p *Portal) forwardRows(ctx context.Context, left int64) (*vec.Batch, int, int, error) {
	if p.store != nil {
		return p.storedRows(ctx, left)
	}
	for p.batch == nil {
		if p.result == nil || p.result.Source == nil {
			p.atEnd()
			return nil, 0, 0, nil
		}
		b, err := p.result.Source.Next(ctx)
		if err != nil {
			return nil, 0, 0, err
		}
		if b == nil {
			p.finish()
			continue
		}
		if b.Rows() > 0 {
			p.batch, p.batchAt = b, 0
		}
	}
	b, from := p.batch, p.batchAt
	to := b.Rows()
	if int64(to-from) > left {
		to = from + int(left)
		p.batchAt = to
	} else {
		p.batch = nil
	}
	p.position += int64(to - from)
	return b, from, to, nil
}

func (p *Portal) storedRows(ctx context.Context, left int64) (*vec.Batch, int, int, error) {
	row := p.position - p.storeBase
	for row >= p.store.rows {
		if p.result == nil {
			p.atEnd()
			return nil, 0, 0, nil
		}
		if err := p.storeOne(ctx); err != nil {
			return nil, 0, 0, err
		}
	}
	b, from, err := p.store.at(ctx, row)
	if err != nil {
		return nil, 0, 0, err
	}
	to := b.Rows()
	if int64(to-from) > left {
		to = from + int(left)
	}
	p.position += int64(to - from)
	return b, from, to, nil
}

func (p *Portal) atEnd() {
	p.ended = true
	if p.phase == portalRunning {
		p.phase = portalFinished
	}
}

// window gives rows from..to of a batch's selected rows as a batch of their own, sharing memory.
func window(b *vec.Batch, from, to int) vec.Batch {
	out := *b
	if b.Sel != nil {
		out.Sel = b.Sel[from:to]
		return out
	}
	if from == 0 && to == b.Len {
		return out
	}
	out.Sel = make([]int32, to-from)
	for i := range out.Sel {
		out.Sel[i] = int32(from + i)
	}
	return out
}

// Suspended tells, after a run, that it stopped at its row limit.
func (p *Portal) Suspended() bool { return p.most > 0 && p.given >= p.most }

// Pause is to be called after a suspended run: a portal left alone for portal_idle_timeout is
// drained, so that it holds no CPU and no admission.
func (p *Portal) Pause() {
	after := p.session.state.Settings.Duration("portal_idle_timeout")
	if after > 0 && p.result != nil && p.result.Source != nil {
		p.drain = startDrain(p, after)
	}
}

// Tag gives the command tag of a run that is over.
func (p *Portal) Tag() string {
	if p.tag != "" {
		return p.tag
	}
	tag := p.Statement.Tag
	if p.inner != nil {
		if p.inner.tag != "" {
			return p.inner.tag
		}
		tag = p.inner.Statement.Tag
	}
	if tag.Counts {
		return tag.Word + " " + strconv.FormatInt(p.given, 10)
	}
	return tag.Word
}

// drainer reads a suspended portal's rows into its store.
type drainer struct {
	timer *time.Timer
	stop  context.CancelFunc
	done  chan struct{} // closed when the goroutine, if it ever ran, is over
	err   error
}

func startDrain(p *Portal, after time.Duration) *drainer {
	ctx, stop := context.WithCancel(p.life)
	d := &drainer{stop: stop, done: make(chan struct{})}
	d.timer = time.AfterFunc(after, func() {
		defer close(d.done)
		d.err = p.keepRows(ctx, false)
		for d.err == nil && p.result != nil && ctx.Err() == nil {
			d.err = p.storeOne(p.life)
		}
	})
	return d
}

// stopDrain waits for a drain under way to pause at a batch's edge, or ends the query with ctx.
func (p *Portal) stopDrain(ctx context.Context) {
	d := p.drain
	if d == nil {
		return
	}
	p.drain = nil
	d.stop()
	if !d.timer.Stop() {
		select {
		case <-d.done:
		case <-ctx.Done():
			p.endLife(context.Cause(ctx))
			<-d.done
		}
	}
	if d.err != nil {
		p.endQuery()
		p.result = &Result{Source: failedSource{d.err}}
	}
}

// failedSource gives the error that a drain met, when its place is reached.
type failedSource struct{ err error }

func (f failedSource) Next(context.Context) (*vec.Batch, error) { return nil, f.err }
func (f failedSource) Close() error                             { return nil }
