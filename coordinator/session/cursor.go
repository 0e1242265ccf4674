package session

import (
	"context"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// describeDeclare plans the cursor's query, so that parameters of DECLARE … $1 are known.
func (s *Session) describeDeclare(ctx context.Context, st *Statement, tree *ast.DeclareCursor) (*Prepared, error) {
	query := &ast.Select{Query: tree.Query}
	query.SetSpan(tree.Span())
	inner, err := s.Prepare(ctx, st.SQL, query, st.Declared)
	if err != nil {
		return nil, err
	}
	return &Prepared{ParamTypes: inner.Prepared.ParamTypes, Plan: inner}, nil
}

// runDeclare is DECLARE CURSOR: it makes a portal that FETCH, or the wire, reads.
func (s *Session) runDeclare(ctx context.Context, p *Portal, tree *ast.DeclareCursor) error {
	if s.block != inBlock && !tree.Hold && !s.severalStatements {
		return sqlerr.New(sqlerr.NoActiveSQLTransaction, "DECLARE CURSOR can only be used in transaction blocks")
	}
	inner, ok := p.Statement.Prepared.Plan.(*Statement)
	if !ok {
		return sqlerr.Internal("DECLARE CURSOR was not described")
	}
	cursor, err := s.Bind(tree.Name, inner, p.params)
	if err != nil {
		return err
	}
	cursor.Binary, cursor.hold = tree.Binary, tree.Hold
	cursor.scroll, cursor.forward = tree.Scroll, !tree.Scroll
	if err := cursor.Run(ctx, 0); err != nil {
		s.dropPortal(cursor)
		return err
	}
	cursor.most = 1 // as if suspended: Execute sets its own limit
	cursor.Pause()
	return nil
}

// holdCursors lets the cursors WITH HOLD take their rows along before the transaction ends.
func (s *Session) holdCursors(ctx context.Context) error {
	for _, p := range s.portals {
		if !p.hold || p.held {
			continue
		}
		p.stopDrain(ctx)
		if err := p.keepRows(ctx, true); err != nil {
			return s.Explain(ctx, err)
		}
		p.held, p.depth = true, 0
	}
	return nil
}

func (s *Session) cursor(name string) (*Portal, error) {
	if p := s.portals[name]; p != nil {
		return p, nil
	}
	return nil, sqlerr.New(sqlerr.InvalidCursorName, "cursor %q does not exist", name)
}

func (s *Session) runCloseCursor(running *Portal, tree *ast.CloseCursor) error {
	if tree.Name == "" {
		s.closePortals(func(p *Portal) bool { return p != running })
		return nil
	}
	p, err := s.cursor(tree.Name)
	if err != nil {
		return err
	}
	s.dropPortal(p)
	return nil
}

// describeFetch gives the columns of the cursor; MOVE has none.
func (s *Session) describeFetch(tree *ast.Fetch) (*Prepared, error) {
	if tree.Move {
		return &Prepared{}, nil
	}
	p, err := s.cursor(tree.Cursor)
	if err != nil {
		return nil, err
	}
	return &Prepared{Columns: p.Columns()}, nil
}

func (s *Session) runFetch(ctx context.Context, p *Portal, tree *ast.Fetch) error {
	cursor, err := s.cursor(tree.Cursor)
	if err != nil {
		return err
	}
	if cursor == p || cursor.Columns() == nil {
		return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "portal %q cannot be run", cursor.Name)
	}
	if err := cursor.Run(ctx, 0); err != nil {
		return err
	}
	p.fetch = newFetcher(cursor, tree)
	if !tree.Move {
		return nil
	}
	for {
		b, from, to, err := p.fetch.next(ctx, 1<<62)
		if err != nil {
			return s.Explain(ctx, err)
		}
		if b == nil {
			break
		}
		p.given += int64(to - from)
	}
	p.tag, p.phase = p.Tag(), portalFinished
	cursor.Pause()
	return nil
}

// fetcher moves a cursor as one FETCH asks. Rows are numbered from 1; position 0 is before them.
type fetcher struct {
	cursor    *Portal
	direction ast.FetchDirection
	count     int64
	backward  bool
	left      int64 // rows still to be given by a forward or backward FETCH
	single    bool  // one row at a target
	done      bool
}

const allRows = int64(1) << 62

func newFetcher(cursor *Portal, tree *ast.Fetch) *fetcher {
	f := &fetcher{cursor: cursor, direction: tree.Direction, count: tree.Count}
	switch tree.Direction {
	case ast.FetchForward, ast.FetchBackward:
		f.backward = tree.Direction == ast.FetchBackward
		f.left = tree.Count
		if tree.All {
			f.left = allRows
		}
		if f.left < 0 {
			f.left, f.backward = -f.left, !f.backward
		}
		f.single = f.left == 0 && !tree.All
	default:
		f.single = true
	}
	return f
}

var errForwardOnly = sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "cursor can only scan forward").
	WithHint("Declare it with SCROLL option to enable backward scan.")

func (f *fetcher) next(ctx context.Context, most int64) (*vec.Batch, int, int, error) {
	switch {
	case f.done:
		return nil, 0, 0, nil
	case f.single:
		f.done = true
		return f.singleRow(ctx)
	case f.backward:
		return f.previousRow(ctx)
	}
	b, from, to, err := f.cursor.forwardRows(ctx, min(f.left, most))
	if b == nil {
		f.done = true
		return nil, 0, 0, err
	}
	f.left -= int64(to - from)
	f.done = f.left == 0
	return b, from, to, err
}

// singleRow is ABSOLUTE, RELATIVE and FORWARD 0.
func (f *fetcher) singleRow(ctx context.Context) (*vec.Batch, int, int, error) {
	c := f.cursor
	target := c.row() + f.count
	if f.direction == ast.FetchAbsolute {
		target = f.count
		if target < 0 {
			if err := c.skipTo(ctx, allRows); err != nil {
				return nil, 0, 0, err
			}
			target += c.position + 1
		}
	}
	if target < c.row() || target == c.row() && target > 0 && !c.ended {
		if c.forward {
			return nil, 0, 0, errForwardOnly
		}
	}
	return c.rowAt(ctx, target)
}

// previousRow is one row of FETCH BACKWARD.
func (f *fetcher) previousRow(ctx context.Context) (*vec.Batch, int, int, error) {
	c := f.cursor
	if f.left == 0 {
		f.done = true
		return nil, 0, 0, nil
	}
	if c.forward {
		if c.row() == 0 {
			f.done = true
			return nil, 0, 0, nil
		}
		return nil, 0, 0, errForwardOnly
	}
	f.left--
	b, from, to, err := c.rowAt(ctx, c.row()-1)
	f.done = b == nil
	return b, from, to, err
}

// row is the number of the row that the cursor stands on; after the end it is one more than there
// are rows.
func (p *Portal) row() int64 {
	if p.ended {
		return p.position + 1
	}
	return p.position
}

// skipTo moves forward until row target has been passed over, or to the end.
func (p *Portal) skipTo(ctx context.Context, target int64) error {
	for p.position < target {
		b, _, _, err := p.forwardRows(ctx, target-p.position)
		if err != nil {
			return err
		}
		if b == nil {
			return nil
		}
	}
	return nil
}

// rowAt moves to row target and gives it; nil before the first and after the last.
func (p *Portal) rowAt(ctx context.Context, target int64) (*vec.Batch, int, int, error) {
	if target <= 0 {
		p.position, p.ended = 0, false
		return nil, 0, 0, nil
	}
	if target-1 < p.position {
		p.position, p.ended = target-1, false
	}
	if err := p.skipTo(ctx, target-1); err != nil || p.position < target-1 {
		return nil, 0, 0, err
	}
	return p.forwardRows(ctx, 1)
}
