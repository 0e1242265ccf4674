package pgwire

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// copyIn runs a COPY … FROM STDIN: the engine pulls rows, and with them messages from the client.
func (c *conn) copyIn(ctx context.Context, portal *session.Portal) error {
	tree, ok := portal.Statement.Tree.(*ast.Copy)
	if !ok {
		return sqlerr.Internal("COPY without its statement")
	}
	options, err := readCopyOptions(tree)
	if err != nil {
		return err
	}
	columns := portal.Statement.Prepared.Columns
	table := ""
	if tree.Table != nil {
		table = tree.Table.Last()
	}
	c.out = appendCopyResponse(c.out, 'G', options, len(columns))
	if err := c.flush(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.interruptRead() })
	defer func() {
		stop()
		c.resumeRead()
	}()
	input := &copyStream{conn: c, ctx: ctx}
	source := newCopySource(input, options, columns, table, c.session.Settings().TimeZone())
	if err := portal.RunCopyFrom(ctx, source); err != nil {
		return err
	}
	return input.drain()
}

// copyStream gives the bytes of CopyData messages up to CopyDone.
type copyStream struct {
	conn    *conn
	ctx     context.Context
	pending []byte
	done    bool
}

func (s *copyStream) Read(b []byte) (int, error) {
	for len(s.pending) == 0 {
		if s.done {
			return 0, io.EOF
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

func (s *copyStream) next() error {
	kind, body, err := s.conn.in.message()
	if err != nil {
		s.done = true
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		return sqlerr.New(sqlerr.ConnectionFailure, "unexpected EOF on client connection with an open transaction")
	}
	switch kind {
	case 'd':
		s.pending = body
	case 'c':
		s.done = true
	case 'f':
		s.done = true
		var message pgproto3.CopyFail
		if err := message.Decode(body); err != nil {
			return badMessage("CopyFail")
		}
		return sqlerr.New(sqlerr.QueryCanceled, "COPY from stdin failed: %s", message.Message)
	case 'H', 'S': // PostgreSQL ignores these here
	default:
		s.done = true
		return sqlerr.New(sqlerr.ProtocolViolation, "unexpected message type 0x%02X during COPY from stdin", kind)
	}
	return nil
}

// drain reads what the client still sends after the end marker.
func (s *copyStream) drain() error {
	for !s.done {
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// copySource turns a COPY's bytes into batches.
type copySource struct {
	rows  copyRows
	batch *vec.Batch
	err   error
}

// copyRows reads one row at a time into a batch.
type copyRows interface {
	// row stores the next row at place i of b; io.EOF is the end.
	row(b *vec.Batch, i int) error
}

func (s *copySource) Next(ctx context.Context) (*vec.Batch, error) {
	if s.err != nil {
		if s.err == io.EOF {
			return nil, nil
		}
		return nil, s.err
	}
	for i := range s.batch.Cols {
		s.batch.Cols[i].Resize(s.batch.Cols[i].Type, 0)
	}
	n := 0
	for n < vec.BatchSize {
		for i := range s.batch.Cols {
			s.batch.Cols[i].Extend(1)
		}
		if s.err = s.rows.row(s.batch, n); s.err != nil {
			break
		}
		n++
	}
	if s.err != nil && s.err != io.EOF {
		return nil, s.err
	}
	if n == 0 {
		return nil, nil
	}
	for i := range s.batch.Cols {
		truncate(&s.batch.Cols[i], n)
	}
	s.batch.Len = n
	return s.batch, ctx.Err()
}

// truncate drops the row that was begun when the end came.
func truncate(v *vec.Vector, n int) {
	if v.Len == n {
		return
	}
	v.Data = v.Data[:n*v.Type.Physical().Width()]
	v.Len = n
	for i := range v.Children {
		if v.Type.Physical().Width() == 0 {
			truncate(&v.Children[i], n)
		}
	}
}

func (s *copySource) Close() error {
	if s.err == nil {
		s.err = io.EOF
	}
	return nil
}
