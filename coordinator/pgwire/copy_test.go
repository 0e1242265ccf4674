package pgwire

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// copyTable is a table of one connection's tests: COPY FROM fills it, COPY TO gives it back.
type copyTable struct {
	columns types.Schema
	rows    [][]types.Datum
}

func (c *copyTable) answers(f *fixture, into, out string) {
	f.engine.Answers[into] = enginetest.Answer{Columns: c.columns, Copy: session.CopyFromClient,
		Rows: func(ctx context.Context, _ []types.Datum, input vec.Source) (vec.Source, error) {
			defer input.Close()
			for {
				b, err := input.Next(ctx)
				if err != nil || b == nil {
					return nil, err
				}
				for i := range b.Len {
					row := make([]types.Datum, len(b.Cols))
					for j := range b.Cols {
						row[j] = b.Cols[j].Datum(i)
					}
					c.rows = append(c.rows, row)
				}
			}
		}}
	f.engine.Answers[out] = enginetest.Answer{Columns: c.columns, Copy: session.CopyToClient,
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return enginetest.Rows(c.columns, c.rows...), nil
		}}
}

func mixedTable() *copyTable {
	return &copyTable{columns: types.Schema{{Name: "id", Type: types.Of(types.Int32), Nullable: true}, {Name: "note", Type: types.Of(types.Text), Nullable: true},
		{Name: "amount", Type: types.DecimalOf(10, 2), Nullable: true}, {Name: "at", Type: types.Of(types.Timestamp), Nullable: true},
		{Name: "tags", Type: types.ArrayOf(types.Of(types.Text)), Nullable: true}}}
}

// sendCopy starts a COPY FROM, sends data in pieces of the given size, and ends it.
func (c *client) sendCopy(sql, data string, piece int, end pgproto3.FrontendMessage) []string {
	c.t.Helper()
	c.Send(&pgproto3.Query{String: sql})
	if err := c.Flush(); err != nil {
		c.t.Fatal(err)
	}
	first, err := c.Receive()
	if err != nil {
		c.t.Fatal(err)
	}
	if kindOf(first) != 'G' {
		return append([]string{describeMessage(first)}, c.until('Z')...)
	}
	for len(data) > 0 {
		n := min(piece, len(data))
		c.Send(&pgproto3.CopyData{Data: []byte(data[:n])})
		data = data[n:]
	}
	c.Send(end)
	return c.until('Z')
}

func TestCopyTextBothWays(t *testing.T) {
	f := newFixture(t, nil)
	table := mixedTable()
	table.answers(f, "copy t from stdin", "copy t to stdout")
	c, _ := f.connect()
	data := strings.Join([]string{`1	plain	1.50	2018-08-01 04:00:00	{a,b}`, `2	tab\tline\nback\\slash	-0.01	\N	{}`, `\N		\N	\N	\N`, `4	\\N	0.00	infinity	{"x y",NULL}`, ""}, "\n")
	for _, piece := range []int{1, 7, 1000} {
		table.rows = nil
		f.engine.Answers["copy t from stdin"] = withAffected(f.engine.Answers["copy t from stdin"], 4)
		expect(t, c.sendCopy("copy t from stdin", data, piece, &pgproto3.CopyDone{}), "tag COPY 4", "ready I")
		want := []string{"CopyOutResponse"}
		for line := range strings.SplitSeq(strings.TrimSuffix(data, "\n"), "\n") {
			want = append(want, "data "+line)
		}
		expect(t, c.query("copy t to stdout"), append(want, "CopyDone", "tag COPY 4", "ready I")...)
	}
	if note := table.rows[1][1].Str; note != "tab\tline\nback\\slash" {
		t.Errorf("%q", note)
	}
	if note := table.rows[3][1].Str; note != `\N` {
		t.Errorf("%q", note)
	}
	// The end marker, and Windows line ends.
	table.rows = nil
	c.sendCopy("copy t from stdin", "1\ta\t\\N\t\\N\t\\N\r\n\\.\r\n", 3, &pgproto3.CopyDone{})
	if len(table.rows) != 1 || table.rows[0][1].Str != "a" {
		t.Errorf("%v", table.rows)
	}
}

func withAffected(a enginetest.Answer, n int64) enginetest.Answer {
	a.Affected = n
	return a
}

func TestCopyCSVBothWays(t *testing.T) {
	f := newFixture(t, nil)
	table := mixedTable()
	const into, out = "copy t from stdin (format csv, header match)", "copy t to stdout with (format csv, header)"
	table.answers(f, into, out)
	c, _ := f.connect()
	data := "id,note,amount,at,tags\n" + `1,"a,b",1.50,2018-08-01 04:00:00,"{a,b}"` + "\n" + `2,"say ""hi""` + "\n" + `twice",,,` + "\n" + `,"",,,` + "\n"
	c.sendCopy(into, data, 5, &pgproto3.CopyDone{})
	if len(table.rows) != 3 || table.rows[1][1].Str != "say \"hi\"\ntwice" || !table.rows[2][0].Null || table.rows[2][1].Null {
		t.Fatalf("%v", table.rows)
	}
	got := c.query(out)
	if text := strings.ReplaceAll(strings.Join(got[1:len(got)-3], "\n"), "data ", "") + "\n"; text != data {
		t.Fatalf("%s\nwant\n%s", text, data)
	}
	expect(t, c.sendCopy(into, "id,not,amount,at,tags\n", 99, &pgproto3.CopyDone{}),
		`ERROR 22P04: column name mismatch in header line field 2: got "not", expected "note"`, "ready I")
}

func TestCopyMistakes(t *testing.T) {
	f := newFixture(t, nil)
	table := mixedTable()
	table.answers(f, "copy t from stdin", "copy t to stdout")
	table.answers(f, "copy t from stdin (format csv)", "copy t to stdout (quote 'x')")
	table.answers(f, "copy t from stdin (delimiter '||')", "copy t to stdout (format parquet)")
	c, _ := f.connect()
	for _, m := range []struct {
		sql, data string
		end       pgproto3.FrontendMessage
		want      string
	}{
		{"copy t from stdin", "1\tx\n", &pgproto3.CopyDone{}, `ERROR 22P04: missing data for column "amount"`},
		{"copy t from stdin", "1\ta\t1\t\\N\t{}\tmore\n", &pgproto3.CopyDone{}, `ERROR 22P04: extra data after last expected column`},
		{"copy t from stdin", "x\ta\t1\t\\N\t{}\n", &pgproto3.CopyDone{}, `ERROR 22P02: invalid input syntax for type integer: "x"`},
		{"copy t from stdin", "1\t\xff\t1\t\\N\t{}\n", &pgproto3.CopyDone{}, `ERROR 22021: invalid byte sequence for encoding "UTF8": 0xff`},
		{"copy t from stdin", "", &pgproto3.CopyFail{Message: "no more"}, `ERROR 57014: COPY from stdin failed: no more`},
		{"copy t from stdin", "", &pgproto3.Query{String: "select 1"}, `ERROR 08P01: unexpected message type 0x51 during COPY from stdin`},
		{"copy t from stdin (format csv)", "1,\"x\n", &pgproto3.CopyDone{}, `ERROR 22P04: unterminated CSV quoted field`},
		{"copy t from stdin (delimiter '||')", "", nil, `ERROR 0A000: COPY delimiter must be a single one-byte character`},
	} {
		expect(t, c.sendCopy(m.sql, m.data, 3, m.end), m.want, "ready I")
	}
	expect(t, c.query("copy t to stdout (quote 'x')"), "ERROR 0A000: COPY quote available only in CSV mode", "ready I")
	expect(t, c.query("copy t to stdout (format parquet)"), `ERROR 22023: COPY format "parquet" not recognized`, "ready I")
	expect(t, c.query("select 1"), "columns ?column?:23", "row 1", "tag SELECT 1", "ready I")
}

func TestCopyByPgx(t *testing.T) {
	f := newFixture(t, nil)
	table := &copyTable{columns: types.Schema{{Name: "a", Type: types.Of(types.Int64)}, {Name: "b", Type: types.Of(types.Text)}, {Name: "c", Type: types.Of(types.TimestampTZ)}}}
	table.answers(f, `copy "t" ( "a", "b", "c" ) from stdin binary;`, "copy t to stdout (format binary)")
	f.engine.Answers[`copy "t" ( "a", "b", "c" ) from stdin binary`] = f.engine.Answers[`copy "t" ( "a", "b", "c" ) from stdin binary;`]
	f.engine.Answers[`select "a", "b", "c" from "t"`] = enginetest.Answer{Columns: table.columns}
	conn, err := pgxConnect(f, "user=ana&sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	defer conn.Close(ctx)
	at := time.Date(2026, 11, 21, 10, 0, 0, 5000, time.UTC)
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"a", "b", "c"},
		pgx.CopyFromSlice(5000, func(i int) ([]any, error) { return []any{int64(i), fmt.Sprint("row ", i), at}, nil })); err != nil {
		t.Fatal(err)
	}
	if len(table.rows) != 5000 || table.rows[4999][1].Str != "row 4999" || types.Format(types.Of(types.TimestampTZ), table.rows[7][2], nil) != "2026-11-21 10:00:00.000005+00" {
		t.Fatal(len(table.rows))
	}
	var out bytes.Buffer
	tag, err := conn.PgConn().CopyTo(ctx, &out, "copy t to stdout (format binary)")
	if err != nil || tag.RowsAffected() != 5000 || !strings.HasPrefix(out.String(), "PGCOPY\n\xff\r\n\x00") || !strings.HasSuffix(out.String(), "\xff\xff") {
		t.Fatal(tag, err)
	}
	if again := out.Bytes(); len(again) != 5000*(2+3*4+8+8)+19+2+10*len("row 0")+90*len("row 10")+900*len("row 100")+4000*len("row 1000") {
		t.Fatal(len(again))
	}
}

func TestCopyIsCancelled(t *testing.T) {
	f := newFixture(t, nil)
	table := mixedTable()
	table.answers(f, "copy t from stdin", "copy t to stdout")
	c, _ := f.connect("statement_timeout", "50ms")
	c.Send(&pgproto3.Query{String: "copy t from stdin"})
	expect(t, c.until('Z'), "CopyInResponse", "ERROR 57014: canceling statement due to statement timeout", "ready I")
	c.Send(&pgproto3.CopyData{Data: []byte("late\n")})
	c.Send(&pgproto3.CopyDone{})
	expect(t, c.query("select 1"), "columns ?column?:23", "row 1", "tag SELECT 1", "ready I")
}
