package pgwire

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// send queues messages and gives the answers up to one of kind last.
func (c *client) exchange(last byte, messages ...pgproto3.FrontendMessage) []string {
	c.t.Helper()
	for _, m := range messages {
		c.Send(m)
	}
	return c.until(last)
}

// echo answers "select $1, $2" with its parameters.
func echo(first, second types.Type) enginetest.Answer {
	columns := types.Schema{{Name: "a", Type: first, Nullable: true}, {Name: "b", Type: second, Nullable: true}}
	return enginetest.Answer{Columns: columns, Params: []types.Type{first, second},
		Rows: func(_ context.Context, params []types.Datum, _ vec.Source) (vec.Source, error) {
			return enginetest.Rows(columns, params), nil
		}}
}

func TestExtendedQuery(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.Answers["select $1, $2"] = echo(types.Of(types.Int32), types.Of(types.Text))
	c, _ := f.connect()
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select $1, $2", ParameterOIDs: []uint32{23, 0}},
		&pgproto3.Describe{ObjectType: 'S'},
		&pgproto3.Bind{Parameters: [][]byte{[]byte("7"), nil}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"ParseComplete", "params [23 25]", "columns a:23 b:25", "BindComplete", "columns a:23 b:25", "row 7|NULL", "tag SELECT 1", "ready I")
	expect(t, f.engine.Log(), "begin", "commit")
	// A named statement, bound with mixed formats; one format code for all results.
	expect(t, c.exchange('Z', &pgproto3.Parse{Name: "s", Query: "select $1, $2"},
		&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{{0, 0, 0, 9}, []byte("x")}, ResultFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Sync{}),
		"ParseComplete", "BindComplete", "columns a:23:binary b:25:binary", "row \x00\x00\x00\t|x", "tag SELECT 1", "CloseComplete", "ready I")
	expect(t, c.exchange('Z', &pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		`ERROR 26000: prepared statement "s" does not exist`, "ready I")
	// Declared types are told back as they were declared.
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select $1, $2", ParameterOIDs: []uint32{0, 1043}}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Sync{}),
		"ParseComplete", "params [23 1043]", "columns a:23 b:25", "ready I")
	// Empty statement, one that gives no rows, and one format code without parameters.
	expect(t, c.exchange('Z', &pgproto3.Parse{}, &pgproto3.Bind{ParameterFormatCodes: []int16{1}}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"ParseComplete", "BindComplete", "NoData", "EmptyQueryResponse", "ready I")
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "begin"}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"ParseComplete", "params []", "NoData", "BindComplete", "tag BEGIN", "ready T")
}

func TestExtendedErrors(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.Answers["select $1, $2"] = echo(types.Of(types.Int32), types.Of(types.Text))
	c, _ := f.connect()
	// Everything up to Sync is skipped after an error, and the error comes without waiting for it.
	expect(t, c.exchange('E', &pgproto3.Parse{Query: "select nothing"}, &pgproto3.Bind{}, &pgproto3.Execute{}),
		`ERROR 42P01: no answer to "select nothing" at 1`)
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select 1"}, &pgproto3.Sync{}), "ready I")
	for _, bad := range []struct {
		message pgproto3.FrontendMessage
		want    string
	}{
		{&pgproto3.Bind{Parameters: [][]byte{nil}}, `ERROR 08P01: bind message supplies 1 parameters, but prepared statement "" requires 2`},
		{&pgproto3.Bind{Parameters: [][]byte{[]byte("x"), nil}}, `ERROR 22P02: invalid input syntax for type integer: "x"`},
		{&pgproto3.Bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{[]byte("x"), nil}}, `ERROR 22P03: incorrect binary data format for type integer`},
		{&pgproto3.Bind{Parameters: [][]byte{nil, {0xff}}}, `ERROR 22021: invalid byte sequence for encoding "UTF8": 0xff`},
		{&pgproto3.Bind{Parameters: [][]byte{nil, nil}, ResultFormatCodes: []int16{0, 1, 0}}, `ERROR 08P01: bind message has 3 result formats but query has 2 columns`},
		{&pgproto3.Describe{ObjectType: 'P', Name: "p"}, `ERROR 34000: portal "p" does not exist`},
		{&pgproto3.Execute{Portal: "p"}, `ERROR 34000: portal "p" does not exist`},
		{&pgproto3.Describe{ObjectType: 'S', Name: "p"}, `ERROR 26000: prepared statement "p" does not exist`},
	} {
		expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select $1, $2"}, bad.message, &pgproto3.Sync{}), "ParseComplete", bad.want, "ready I")
	}
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select 1; select 2"}, &pgproto3.Sync{}),
		"ERROR 42601: cannot insert multiple commands into a prepared statement", "ready I")
	expect(t, c.exchange('Z', &pgproto3.Parse{Name: "a", Query: "select 1"}, &pgproto3.Parse{Name: "a", Query: "select 1"}, &pgproto3.Sync{}),
		"ParseComplete", `ERROR 42P05: prepared statement "a" already exists`, "ready I")
	// A commit that fails at Sync.
	f.engine.CommitErr = sqlerr.New(sqlerr.SerializationFailure, "could not serialize access due to concurrent update")
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select 1"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"ParseComplete", "BindComplete", "row 1", "tag SELECT 1", "ERROR 40001: could not serialize access due to concurrent update", "ready I")
}

func TestPortalsSuspendAndInterleave(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect()
	expect(t, c.exchange('Z', &pgproto3.Parse{Name: "b", Query: "begin"}, &pgproto3.Bind{PreparedStatement: "b"}, &pgproto3.Execute{},
		&pgproto3.Parse{Name: "s", Query: "select * from series(5)"},
		&pgproto3.Bind{DestinationPortal: "C_1", PreparedStatement: "s"}, &pgproto3.Execute{Portal: "C_1", MaxRows: 2}, &pgproto3.Sync{}),
		"ParseComplete", "BindComplete", "tag BEGIN", "ParseComplete", "BindComplete", "row 1", "row 2", "PortalSuspended", "ready T")
	expect(t, c.exchange('Z', &pgproto3.Bind{DestinationPortal: "C_2", PreparedStatement: "s"}, &pgproto3.Execute{Portal: "C_2", MaxRows: 1},
		&pgproto3.Execute{Portal: "C_1", MaxRows: 2}, &pgproto3.Sync{}),
		"BindComplete", "row 1", "PortalSuspended", "row 3", "row 4", "PortalSuspended", "ready T")
	expect(t, c.query("select 1"), "columns ?column?:23", "row 1", "tag SELECT 1", "ready T")
	expect(t, c.exchange('Z', &pgproto3.Execute{Portal: "C_1", MaxRows: 2}, &pgproto3.Execute{Portal: "C_2"}, &pgproto3.Execute{Portal: "C_2"}, &pgproto3.Sync{}),
		"row 5", "tag SELECT 1", "row 2", "row 3", "row 4", "row 5", "tag SELECT 4", "tag SELECT 0", "ready T")
	expect(t, c.exchange('Z', &pgproto3.Close{ObjectType: 'P', Name: "C_1"}, &pgproto3.Execute{Portal: "C_1"}, &pgproto3.Sync{}),
		"CloseComplete", `ERROR 34000: portal "C_1" does not exist`, "ready E")
	expect(t, c.query("rollback"), "tag ROLLBACK", "ready I")
	// Exactly as many rows as the limit: suspended, then complete with none.
	expect(t, c.exchange('Z', &pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{MaxRows: 5}, &pgproto3.Execute{MaxRows: 5}, &pgproto3.Sync{}),
		"BindComplete", "row 1", "row 2", "row 3", "row 4", "row 5", "PortalSuspended", "tag SELECT 0", "ready I")
	// Portals end with the implicit transaction.
	expect(t, c.exchange('Z', &pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s"}, &pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Sync{}),
		"BindComplete", "row 1", "PortalSuspended", "ready I")
	expect(t, c.exchange('Z', &pgproto3.Execute{Portal: "p"}, &pgproto3.Sync{}), `ERROR 34000: portal "p" does not exist`, "ready I")
	if open := f.engine.Open.Load(); open != 0 {
		t.Fatalf("%d sources open", open)
	}
}

func TestSuspendedPortalIsDrained(t *testing.T) {
	f := newFixture(t, func(_ *Config, s *session.Config) { s.Settings = map[string]string{"portal_idle_timeout": "20ms"} })
	c, _ := f.connect()
	c.query("begin")
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "select * from series(5000)"}, &pgproto3.Bind{DestinationPortal: "p"},
		&pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Sync{}), "ParseComplete", "BindComplete", "row 1", "row 2", "PortalSuspended", "ready T")
	for start := time.Now(); f.engine.Open.Load() != 0; {
		if time.Since(start) > 5*time.Second {
			t.Fatal("the suspended portal still holds its query")
		}
		time.Sleep(5 * time.Millisecond)
	}
	expect(t, c.exchange('Z', &pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Sync{}), "row 3", "row 4", "PortalSuspended", "ready T")
	rest := c.exchange('Z', &pgproto3.Execute{Portal: "p"}, &pgproto3.Sync{})
	if len(rest) != 4996+2 || rest[0] != "row 5" || rest[4995] != "row 5000" || rest[4996] != "tag SELECT 4996" {
		t.Fatalf("%d lines, %q … %q", len(rest), rest[0], rest[len(rest)-2:])
	}
}

func TestCursors(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect()
	expect(t, c.query("declare c cursor for select * from series(5)"), "ERROR 25P01: DECLARE CURSOR can only be used in transaction blocks", "ready I")
	expect(t, c.query("begin; declare c cursor for select * from series(5); fetch 2 in c"), "tag BEGIN", "tag DECLARE CURSOR",
		"columns i:23", "row 1", "row 2", "tag FETCH 2", "ready T")
	expect(t, c.query("move 1 in c; fetch next from c; fetch all c; fetch c"), "tag MOVE 1", "columns i:23", "row 4", "tag FETCH 1",
		"columns i:23", "row 5", "tag FETCH 1", "columns i:23", "tag FETCH 0", "ready T")
	expect(t, c.query("fetch prior c"), "columns i:23", "ERROR 55000: cursor can only scan forward", "ready E")
	c.query("rollback")
	c.query("begin; declare s scroll cursor for select * from series(5)")
	for _, step := range []struct {
		fetch string
		rows  []string
	}{
		{"last", []string{"row 5"}}, {"prior", []string{"row 4"}}, {"backward 2", []string{"row 3", "row 2"}}, {"first", []string{"row 1"}},
		{"relative 2", []string{"row 3"}}, {"absolute -2", []string{"row 4"}}, {"absolute 9", nil}, {"backward all", []string{"row 5", "row 4", "row 3", "row 2", "row 1"}},
		{"forward all", []string{"row 1", "row 2", "row 3", "row 4", "row 5"}}, {"relative 0", nil}, {"absolute 2", []string{"row 2"}}, {"forward 0", []string{"row 2"}},
	} {
		want := append([]string{"columns i:23"}, step.rows...)
		want = append(want, "tag FETCH "+string(rune('0'+len(step.rows))), "ready T")
		t.Run(step.fetch, func(t *testing.T) { expect(t, c.query("fetch "+step.fetch+" from s"), want...) })
	}
	c.query("rollback")
	// WITH HOLD outlives its transaction, and shares its name with portals.
	expect(t, c.query("declare h cursor with hold for select * from series(3)"), "tag DECLARE CURSOR", "ready I")
	if f.engine.Open.Load() != 0 {
		t.Fatal("a held cursor keeps its query")
	}
	expect(t, c.exchange('Z', &pgproto3.Describe{ObjectType: 'P', Name: "h"}, &pgproto3.Execute{Portal: "h", MaxRows: 1}, &pgproto3.Sync{}),
		"columns i:23", "row 1", "PortalSuspended", "ready I")
	expect(t, c.query("fetch all h"), "columns i:23", "row 2", "row 3", "tag FETCH 2", "ready I")
	expect(t, c.query("close h; close h"), "tag CLOSE CURSOR", `ERROR 34000: cursor "h" does not exist`, "ready I")
	// A cursor from before a savepoint survives going back to it.
	c.query("begin; declare a cursor for select * from series(3); savepoint x; declare b cursor for select * from series(3)")
	expect(t, c.query("rollback to x; fetch 1 a"), "tag ROLLBACK", "columns i:23", "row 1", "tag FETCH 1", "ready T")
	expect(t, c.query("fetch 1 b"), `ERROR 34000: cursor "b" does not exist`, "ready E")
	c.query("rollback")
}

func TestCursorWithParameters(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.Answers["select $1, $2"] = echo(types.Of(types.Int32), types.Of(types.Text))
	c, _ := f.connect()
	c.query("begin")
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "declare c cursor for select $1, $2"}, &pgproto3.Describe{ObjectType: 'S'},
		&pgproto3.Bind{Parameters: [][]byte{[]byte("4"), []byte("z")}}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"ParseComplete", "params [23 25]", "NoData", "BindComplete", "tag DECLARE CURSOR", "ready T")
	expect(t, c.query("fetch 1 from c"), "columns a:23 b:25", "row 4|z", "tag FETCH 1", "ready T")
	c.query("commit")
}

func TestPreparedBySQL(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.Answers["select $1, $2"] = echo(types.Of(types.Int32), types.Of(types.Text))
	c, _ := f.connect()
	expect(t, c.query("prepare p as select $1, $2"), "tag PREPARE", "ready I")
	expect(t, c.query("execute p(5, 'x')"), "columns a:23 b:25", "row 5|x", "tag SELECT 1", "ready I")
	expect(t, c.query("execute p(5)"), `ERROR 42601: wrong number of parameters for prepared statement "p"`, "ready I")
	expect(t, c.query("execute p('y', 'x')"), `ERROR 22P02: invalid input syntax for type integer: "y"`, "ready I")
	expect(t, c.exchange('Z', &pgproto3.Bind{PreparedStatement: "p", Parameters: [][]byte{[]byte("1"), nil}}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		"BindComplete", "row 1|NULL", "tag SELECT 1", "ready I")
	expect(t, c.query("deallocate p; execute p(1, 2)"), "tag DEALLOCATE", `ERROR 26000: prepared statement "p" does not exist`, "ready I")
	expect(t, c.query("discard all"), "tag DISCARD ALL", "ready I")
}

func TestWritesTellTheirRows(t *testing.T) {
	f := newFixture(t, nil)
	f.engine.Answers["insert into t values (1)"] = enginetest.Answer{Affected: 3}
	f.engine.Answers["delete from t"] = enginetest.Answer{}
	f.engine.Answers["insert into t values (1) returning a"] = enginetest.Answer{Affected: 2, Columns: types.Schema{{Name: "a", Type: types.Of(types.Int32)}},
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return &enginetest.Series{Last: 2}, nil
		}}
	c, _ := f.connect()
	expect(t, c.query("insert into t values (1)"), "tag INSERT 0 3", "ready I")
	expect(t, c.query("delete from t"), "tag DELETE 0", "ready I")
	expect(t, c.query("insert into t values (1) returning a"), "columns a:23", "row 1", "row 2", "tag INSERT 0 2", "ready I")
	// A client that takes only a part of RETURNING's rows has still written all.
	expect(t, c.exchange('Z', &pgproto3.Parse{Query: "insert into t values (1) returning a"}, &pgproto3.Bind{}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Sync{}),
		"ParseComplete", "BindComplete", "row 1", "PortalSuspended", "ready I")
}
