package pgwire

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// extended serves the messages of the extended protocol but Sync. After an error all are ignored
// until Sync.
func (c *conn) extended(kind byte, body []byte) error {
	if c.skipping {
		return nil
	}
	if kind == 'H' {
		return c.flush()
	}
	c.inBatch = true
	ctx := c.session.Begin()
	var err error
	switch kind {
	case 'P':
		err = c.parse(ctx, body)
	case 'B':
		err = c.bind(body)
	case 'D':
		err = c.describe(body)
	case 'E':
		err = c.execute(ctx, body)
	case 'C':
		err = c.closeNamed(body)
	}
	if err != nil {
		c.skipping = true
		if err := c.fail(ctx, err); err != nil {
			return err
		}
		if err := c.flush(); err != nil {
			return err
		}
	} else if len(c.out) >= flushOutput {
		return c.flush()
	}
	return nil
}

// sync ends the implicit transaction and answers ReadyForQuery.
func (c *conn) sync() error {
	ctx := c.session.Begin()
	if !c.skipping {
		if err := c.session.EndImplicit(ctx); err != nil {
			if err := c.fail(ctx, err); err != nil {
				return err
			}
		}
	}
	return c.ready()
}

func badMessage(kind string) error {
	return sqlerr.New(sqlerr.ProtocolViolation, "invalid %s message format", kind)
}

func (c *conn) parse(ctx context.Context, body []byte) error {
	var message pgproto3.Parse
	if err := message.Decode(body); err != nil {
		return badMessage("Parse")
	}
	c.session.Running(message.Query)
	if err := checkText([]byte(message.Query)); err != nil {
		return err
	}
	if message.Name == "" {
		c.session.CloseStatement("")
	}
	trees, err := c.session.Parse(message.Query)
	if err != nil {
		return err
	}
	if len(trees) > 1 {
		return sqlerr.New(sqlerr.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	declared := make([]types.Type, len(message.ParameterOIDs))
	for i, oid := range message.ParameterOIDs {
		declared[i], _ = types.FromOID(oid)
	}
	var tree ast.Statement
	if len(trees) == 1 {
		tree = trees[0]
	}
	st, err := c.session.Prepare(ctx, message.Query, tree, declared)
	if err != nil {
		return err
	}
	st.OIDs = message.ParameterOIDs
	if err := c.session.Keep(message.Name, st); err != nil {
		return err
	}
	c.out = appendEmpty(c.out, '1')
	return nil
}

func (c *conn) bind(body []byte) error {
	var message pgproto3.Bind
	if err := message.Decode(body); err != nil {
		return badMessage("Bind")
	}
	st, err := c.session.Statement(message.PreparedStatement)
	if err != nil {
		return err
	}
	params, err := c.bindParameters(st, &message)
	if err != nil {
		return err
	}
	for _, format := range message.ResultFormatCodes {
		if format != textFormat && format != binaryFormat {
			return sqlerr.New(sqlerr.InvalidParameterValue, "unsupported format code: %d", format)
		}
	}
	if n := len(message.ResultFormatCodes); n > 1 && n != len(st.Prepared.Columns) {
		return sqlerr.New(sqlerr.ProtocolViolation, "bind message has %d result formats but query has %d columns", n, len(st.Prepared.Columns))
	}
	portal, err := c.session.Bind(message.DestinationPortal, st, params)
	if err != nil {
		return err
	}
	portal.Formats = append([]int16(nil), message.ResultFormatCodes...)
	c.out = appendEmpty(c.out, '2')
	return nil
}

func (c *conn) bindParameters(st *session.Statement, message *pgproto3.Bind) ([]types.Datum, error) {
	want := st.Prepared.ParamTypes
	if len(message.Parameters) != len(want) {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "bind message supplies %d parameters, but prepared statement %q requires %d",
			len(message.Parameters), message.PreparedStatement, len(want))
	}
	if n := len(message.ParameterFormatCodes); n > 1 && n != len(want) {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "bind message has %d parameter formats but %d parameters", n, len(want))
	}
	if len(want) == 0 {
		return nil, nil
	}
	zone := c.session.Settings().TimeZone()
	params := make([]types.Datum, len(want))
	for i, b := range message.Parameters {
		format := formatOf(message.ParameterFormatCodes, i)
		if format != textFormat && format != binaryFormat {
			return nil, sqlerr.New(sqlerr.InvalidParameterValue, "unsupported format code: %d", format)
		}
		d, err := decodeParameter(want[i], format, b, zone)
		if err != nil {
			known := *sqlerr.From(err)
			if known.Where == "" {
				known.In("unnamed portal parameter $%d", i+1)
				if message.DestinationPortal != "" {
					known.In("portal %q parameter $%d", message.DestinationPortal, i+1)
				}
			}
			return nil, &known
		}
		params[i] = d
	}
	return params, nil
}

func (c *conn) describe(body []byte) error {
	var message pgproto3.Describe
	if err := message.Decode(body); err != nil {
		return badMessage("Describe")
	}
	switch message.ObjectType {
	case 'S':
		st, err := c.session.Statement(message.Name)
		if err != nil {
			return err
		}
		if err := c.session.Allowed(st); err != nil && st.Returns() {
			return err
		}
		c.out = appendParameterDescription(c.out, st.Prepared.ParamTypes, st.OIDs)
		if st.Returns() {
			c.out = appendRowDescription(c.out, st.Prepared.Columns, nil)
			return nil
		}
	case 'P':
		portal, err := c.session.Portal(message.Name)
		if err != nil {
			return err
		}
		if columns := portal.Columns(); columns != nil {
			if err := c.session.Allowed(portal.Statement); err != nil {
				return err
			}
			c.out = appendRowDescription(c.out, columns, portal.Formats)
			return nil
		}
	default:
		return sqlerr.New(sqlerr.ProtocolViolation, "invalid DESCRIBE message subtype %d", message.ObjectType)
	}
	c.out = appendEmpty(c.out, 'n')
	return nil
}

func (c *conn) execute(ctx context.Context, body []byte) error {
	var message pgproto3.Execute
	if err := message.Decode(body); err != nil {
		return badMessage("Execute")
	}
	portal, err := c.session.Portal(message.Portal)
	if err != nil {
		return err
	}
	if portal.Statement.Tree == nil {
		c.out = appendEmpty(c.out, 'I')
		return nil
	}
	c.session.Running(portal.Statement.SQL)
	observed := c.observe()
	if portal.Statement.Prepared.Copy == session.CopyFromClient {
		err = c.copyIn(ctx, portal)
	} else {
		watching := c.watch()
		err = c.runPortal(ctx, portal, int64(message.MaxRows), false)
		watching.stop()
	}
	observed(err)
	c.session.Rest()
	if err != nil {
		return err
	}
	c.sendNotices()
	if portal.Suspended() && portal.Columns() != nil {
		portal.Pause()
		c.out = appendEmpty(c.out, 's')
		return nil
	}
	c.out = appendCommandComplete(c.out, portal.Tag())
	return nil
}

func (c *conn) closeNamed(body []byte) error {
	var message pgproto3.Close
	if err := message.Decode(body); err != nil {
		return badMessage("Close")
	}
	switch message.ObjectType {
	case 'S':
		c.session.CloseStatement(message.Name)
	case 'P':
		c.session.ClosePortal(message.Name)
	default:
		return sqlerr.New(sqlerr.ProtocolViolation, "invalid CLOSE message subtype %d", message.ObjectType)
	}
	c.out = appendEmpty(c.out, '3')
	return nil
}
