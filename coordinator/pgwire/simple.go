package pgwire

import (
	"bytes"
	"context"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// simpleQuery serves a Query message: its statements run one after the other, in one implicit
// transaction unless they say otherwise, up to the first that fails.
func (c *conn) simpleQuery(body []byte) error {
	ctx := c.session.Begin()
	sql, err := queryText(body)
	if err == nil {
		c.session.Running(sql)
		err = c.runAll(ctx, sql)
	}
	if err != nil {
		if err := c.fail(ctx, err); err != nil {
			return err
		}
	}
	return c.ready()
}

// queryText is the one string of a Query message.
func queryText(body []byte) (string, error) {
	switch end := bytes.IndexByte(body, 0); {
	case end < 0:
		return "", sqlerr.New(sqlerr.ProtocolViolation, "invalid string in message")
	case end < len(body)-1:
		return "", sqlerr.New(sqlerr.ProtocolViolation, "invalid message format")
	}
	return string(body[:len(body)-1]), nil
}

func (c *conn) runAll(ctx context.Context, sql string) error {
	if err := checkText([]byte(sql)); err != nil {
		return err
	}
	trees, err := c.session.Parse(sql)
	if err != nil {
		return err
	}
	if len(trees) == 0 {
		c.out = appendEmpty(c.out, 'I')
		return c.session.EndImplicit(ctx)
	}
	c.session.Several(len(trees) > 1)
	defer c.session.Several(false)
	for i, tree := range trees {
		if i > 0 {
			c.session.Rest()
			ctx = c.session.Begin()
		}
		observed := c.observe()
		err := c.runOne(ctx, sql, tree, i == len(trees)-1)
		observed(err)
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) runOne(ctx context.Context, sql string, tree ast.Statement, last bool) error {
	watching := c.watch()
	defer func() {
		if watching != nil {
			watching.stop()
		}
	}()
	st, err := c.session.Prepare(ctx, sql, tree, nil)
	if err != nil {
		return err
	}
	if len(st.Prepared.ParamTypes) > 0 {
		return sqlerr.New(sqlerr.UndefinedParameter, "there is no parameter $1")
	}
	portal, err := c.session.Bind("", st, nil)
	if err != nil {
		return err
	}
	if fetch, ok := tree.(*ast.Fetch); ok && !fetch.Move {
		if cursor, err := c.session.Portal(fetch.Cursor); err == nil && cursor.Binary {
			portal.Formats = []int16{binaryFormat}
		}
	}
	if st.Prepared.Copy == session.CopyFromClient {
		watching.stop()
		watching = nil
		err = c.copyIn(ctx, portal)
	} else {
		err = c.runPortal(ctx, portal, 0, true)
	}
	if err != nil {
		return err
	}
	tag := portal.Tag()
	if last {
		if err := c.session.EndImplicit(ctx); err != nil {
			return err
		}
	}
	c.sendNotices()
	c.out = appendCommandComplete(c.out, tag)
	return nil
}

// runPortal runs a portal and sends its rows; describe sends their description first.
func (c *conn) runPortal(ctx context.Context, portal *session.Portal, most int64, describe bool) error {
	if err := portal.Run(ctx, most); err != nil {
		return err
	}
	if portal.Statement.Prepared.Copy == session.CopyToClient {
		return c.copyOut(ctx, portal)
	}
	columns := portal.Columns()
	if columns == nil {
		return nil
	}
	if describe {
		c.out = appendRowDescription(c.out, columns, portal.Formats)
	}
	encoder := newRowEncoder(columns, portal.Formats, c.session.State())
	for {
		b, from, to, err := portal.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			return nil
		}
		encoder.use(b)
		c.rows += int64(to - from)
		for from < to {
			c.out, from = encoder.appendRows(c.out, from, to, flushOutput)
			if len(c.out) >= flushOutput {
				c.sendNotices()
				if err := c.flush(); err != nil {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
}
