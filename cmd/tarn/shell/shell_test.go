package shell

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser"
)

// connector runs a node over a fake engine and connects to it through pipes.
func connector(t *testing.T, engine *enginetest.Engine) func(context.Context, pgconn.NoticeHandler) (*pgconn.PgConn, error) {
	t.Helper()
	n, err := node.Start(context.Background(), node.Options{Config: config.Default(), Version: "test", Engine: engine, Parse: parser.Parse})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.Stop(ctx)
	})
	return func(ctx context.Context, notice pgconn.NoticeHandler) (*pgconn.PgConn, error) {
		c, err := pgconn.ParseConfig("postgres://ana@inside/lake?sslmode=disable")
		if err != nil {
			return nil, err
		}
		c.OnNotice = notice
		c.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"inside"}, nil }
		c.DialFunc = func(context.Context, string, string) (net.Conn, error) { return n.Pipe(), nil }
		return pgconn.ConnectConfig(ctx, c)
	}
}

func warehouse() *enginetest.Engine {
	columns := types.Schema{{Name: "id", Type: types.Of(types.Int32), Nullable: true}, {Name: "note", Type: types.Of(types.Text), Nullable: true},
		{Name: "ok", Type: types.Of(types.Bool), Nullable: true}, {Name: "doc", Type: types.Of(types.JSON), Nullable: true}}
	text := types.StringDatum
	rows := func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
		return enginetest.Rows(columns,
			[]types.Datum{types.IntDatum(1), text("a|b, \"c\""), types.BoolDatum(true), text(`{"k": [1]}`)},
			[]types.Datum{types.IntDatum(-20), types.NullDatum(), types.NullDatum(), types.NullDatum()},
			[]types.Datum{types.NullDatum(), text("two\nlines\tüß"), types.BoolDatum(false), text("null")}), nil
	}
	var copied []string
	lines := types.Schema{{Name: "line", Type: types.Of(types.Text)}}
	return &enginetest.Engine{Answers: map[string]enginetest.Answer{
		"select * from t": {Columns: columns, Rows: rows},
		"select * from nothing": {Columns: columns, Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return enginetest.Rows(columns), nil
		}},
		"copy l from stdin": {Columns: lines, Copy: session.CopyFromClient, Affected: 2, Rows: func(ctx context.Context, _ []types.Datum, input vec.Source) (vec.Source, error) {
			for {
				b, err := input.Next(ctx)
				if err != nil || b == nil {
					return nil, err
				}
				for i := range b.Len {
					copied = append(copied, b.Cols[0].Datum(i).Str)
				}
			}
		}},
		"copy l to stdout": {Columns: lines, Copy: session.CopyToClient, Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			var rows [][]types.Datum
			for _, line := range copied {
				rows = append(rows, []types.Datum{text(line)})
			}
			return enginetest.Rows(lines, rows...), nil
		}},
	}}
}

// run gives exit status, standard output and standard error of a shell.
func run(t *testing.T, o Options) (int, string, string) {
	t.Helper()
	var out, failures bytes.Buffer
	o.Connect, o.Out, o.Err = connector(t, warehouse()), &out, &failures
	if o.In == nil {
		o.In = strings.NewReader("")
	}
	status := Run(context.Background(), o)
	return status, out.String(), failures.String()
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{
		"table": `  id  |   note    |  ok  |    doc
------+-----------+------+------------
    1 | a|b, "c"  | t    | {"k": [1]}
  -20 | NULL      | NULL | NULL
 NULL | two      +| f    | null
      | lines\tüß |      | 
(3 rows)

`,
		"vertical": `-[ RECORD 1 ]-
id   | 1
note | a|b, "c"
ok   | t
doc  | {"k": [1]}
-[ RECORD 2 ]-
id   | -20
note | NULL
ok   | NULL
doc  | NULL
-[ RECORD 3 ]-
id   | NULL
note | two\nlines\tüß
ok   | f
doc  | null
(3 rows)

`,
		"csv":  "id,note,ok,doc\n1,\"a|b, \"\"c\"\"\",t,\"{\"\"k\"\": [1]}\"\n-20,,,\n,\"two\nlines\tüß\",f,null\n",
		"tsv":  "id\tnote\tok\tdoc\n1\ta|b, \"c\"\tt\t{\"k\": [1]}\n-20\t\\N\t\\N\t\\N\n\\N\ttwo\\nlines\\tüß\tf\tnull\n",
		"json": "[{\"id\": 1, \"note\": \"a|b, \\\"c\\\"\", \"ok\": true, \"doc\": {\"k\":[1]}},\n {\"id\": -20, \"note\": null, \"ok\": null, \"doc\": null},\n {\"id\": null, \"note\": \"two\\nlines\\tüß\", \"ok\": false, \"doc\": null}]\n",
		"markdown": `| id | note | ok | doc |
| ---: | --- | --- | --- |
| 1 | a\|b, "c" | t | {"k": [1]} |
| -20 | NULL | NULL | NULL |
| NULL | two<br>lines\tüß | f | null |
`,
	} {
		status, got, failures := run(t, Options{Format: format, Commands: []string{"select * from t"}})
		if status != 0 || failures != "" || got != want {
			t.Errorf("%s: %d %s\n%s\nwant\n%s", format, status, failures, got, want)
		}
	}
	for format, want := range map[string]string{"json": "[]\n", "csv": "id,note,ok,doc\n", "markdown": "| id | note | ok | doc |\n| ---: | --- | --- | --- |\n",
		"table": " id | note | ok | doc\n----+------+----+-----\n(0 rows)\n\n"} {
		if _, got, _ := run(t, Options{Format: format, Commands: []string{"select * from nothing"}}); got != want {
			t.Errorf("%s of no rows:\n%s", format, got)
		}
	}
}

func TestErrorsShowTheirPlace(t *testing.T) {
	status, _, failures := run(t, Options{Commands: []string{"select 1;\n  selec 'ä', from"}})
	want := "ERROR:  syntax error at or near \"selec\"\nLINE 2:   selec 'ä', from\n          ^\nSQLSTATE:  42601\n"
	if status != 1 || failures != want {
		t.Errorf("%d\n%s\nwant\n%s", status, failures, want)
	}
	if status, _, failures := run(t, Options{Format: "xml"}); status != 1 || !strings.Contains(failures, "there are table, vertical") {
		t.Error(status, failures)
	}
}

func TestScripts(t *testing.T) {
	script := `-- a script
begin; select 1; -- two on a line
copy l from stdin;
first; line
second
\.
copy l to stdout;
commit;
\x on
select 'a;b' as
  x, $$;$$;
\format csv
select 2
`
	status, got, failures := run(t, Options{In: strings.NewReader(script)})
	want := "BEGIN\n ?column?\n----------\n        1\n(1 row)\n\nCOPY 2\nfirst; line\nsecond\nCOMMIT\n-[ RECORD 1 ]-----\n?column? | a;b\n?column? | ;\n(1 row)\n\n?column?\n2\n"
	if status != 0 || failures != "" || got != want {
		t.Errorf("%d %s\n%s\nwant\n%s", status, failures, got, want)
	}
	// A script ends with its first failure.
	status, got, failures = run(t, Options{Format: "csv", In: strings.NewReader("select 1;\nselect nope;\nselect 2;\n")})
	if status != 1 || got != "?column?\n1\n" || !strings.HasPrefix(failures, "ERROR:") {
		t.Errorf("%d %q %q", status, got, failures)
	}
}

func TestMetaCommands(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner.sql")
	if err := os.WriteFile(inner, []byte("select 7;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result := filepath.Join(dir, "out.csv")
	status, got, failures := run(t, Options{Format: "csv", In: strings.NewReader("\\i " + inner + "\n\\o " + result + "\nselect 8;\n\\o\nselect 9 \\gx\n\\conninfo\n\\q\nselect nope;\n")})
	if status != 0 || failures != "" || got != "?column?\n7\n?column?\n9\nConnected to this process, server version 16.4 (Tarn test).\n" {
		t.Errorf("%d %q %q", status, got, failures)
	}
	if text, err := os.ReadFile(result); err != nil || string(text) != "?column?\n8\n" {
		t.Errorf("%q %v", text, err)
	}
	for command, want := range map[string]string{`\nope`: `tarn: unknown command \nope; \? lists them`, `\format xml`: `tarn: unknown format "xml"`, `\i /nowhere`: "no such file", `\dp`: `\dp needs an argument`} {
		if status, _, failures := run(t, Options{Commands: []string{command}}); status != 1 || !strings.Contains(failures, want) {
			t.Errorf("%s: %d %q", command, status, failures)
		}
	}
	if _, help, _ := run(t, Options{Commands: []string{`\?`}}); !strings.Contains(help, `\dt [PATTERN]`) || !strings.Contains(help, `\watch [SECONDS]`) {
		t.Error(help)
	}
}

func TestCuttingStatements(t *testing.T) {
	for _, c := range []struct {
		text, want, rest string
	}{
		{"select 1;", "select 1", ""}, {"select 1", "", "select 1"}, {"select ';' ; select 2;", "select ';'|select 2", ""},
		{"select 'open;", "", "select 'open;"}, {"/* ; */ select 1; --;\n", "/* ; */ select 1", ""}, {"select $a$;$a$;select", "select $a$;$a$", "select"},
		{"select 1 \\gx", "select 1", ""}, {";;", "", ""}, {`select "a;b";`, `select "a;b"`, ""}, {"select '\\gx", "", "select '\\gx"},
	} {
		statements, rest := cutStatements(c.text, false)
		var got []string
		for _, st := range statements {
			got = append(got, st.sql)
		}
		if strings.Join(got, "|") != c.want || rest != c.rest {
			t.Errorf("%q: %q and %q", c.text, got, rest)
		}
	}
	for text, want := range map[string]bool{"": true, "select 1;": true, "select 1": false, `\d`: true, "select ';": false, "select 1; select": false, "select 1 \\gx": true, "-- x": false} {
		if complete(text) != want {
			t.Errorf("complete(%q) is %v", text, !want)
		}
	}
}

func TestCompletion(t *testing.T) {
	v := &vocabulary{tables: []tableWords{{"public", "orders", []string{"id", "amount"}}, {"dwh", "events", []string{"at"}}, {"pg_catalog", "pg_class", []string{"oid"}}},
		schemas: []string{"dwh", "public"}, settings: []string{"search_path", "statement_timeout"}, funcs: []string{"sum", "substr"}}
	for text, want := range map[string]string{
		"select * from o": "orders", "select * from dwh.": "events", "select * from ": "dwh.|dwh.events|orders|public.", "select am": "", "select am~ from orders": "amount",
		"from orders where am": "amount", "select o.~ from orders as o": "amount|id", "select * from orders o where o.a": "amount", "set sea": "search_path", "select su": "substr(|sum(",
		`\ti`: `\timing`, "select 'or": "", "show ta": "tables", "select * from orders where id > 1 or": "or|order|ordinality",
	} {
		before, after, _ := strings.Cut(text, "~")
		_, got := v.candidates(before, after)
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", text, strings.Join(got, "|"), want)
		}
	}
	if got := columnsOf([]string{"a", "bb", "c"}, 9); got != "a   c   \nbb  \n" {
		t.Errorf("%q", got)
	}
}

func TestHighlighting(t *testing.T) {
	text := "select 'x', 12 -- note\nfrom t where a = 'open"
	var got []string
	for _, h := range highlighting() {
		for _, at := range h.Pattern.FindAllStringIndex(text, -1) {
			got = append(got, text[at[0]:at[1]])
		}
	}
	if strings.Join(got, "|") != "select|from|where|'x'|12|-- note\n" {
		t.Errorf("%q", got)
	}
}

func TestHistoryKeepsLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "history")
	h := loadHistory(file)
	h.add("select 1;")
	h.add("select 1;")
	h.add("select\n2;")
	h.add("create user a password 'secret';")
	again := loadHistory(file)
	if again.Len() != 2 || again.At(1) != "select\n2;" || h.Len() != 3 {
		t.Errorf("%q", again.entries)
	}
}

func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	p := newProgressLine(&out, true)
	p.start(time.Now())
	if !p.take(&pgconn.Notice{Code: progressCode, Detail: `{"rows":1234567,"bytes":2097152,"splits_done":5,"splits_total":10,"workers":2}`}) || p.take(&pgconn.Notice{Code: "00000"}) {
		t.Error("take")
	}
	p.clear()
	if got := out.String(); !strings.HasPrefix(got, "\r[##########..........] 50 %  5/10 splits  1,234,567 rows  2.0 MB  2 workers  0.0 s") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("%q", got)
	}
}

func TestProgressOfWaiting(t *testing.T) {
	var out bytes.Buffer
	p := newProgressLine(&out, true)
	p.start(time.Now())
	p.take(&pgconn.Notice{Code: progressCode, Detail: `{"queued":3,"reason":"2 of at most 2 queries run and 4 of at most 100 wait."}`})
	if got := out.String(); !strings.HasPrefix(got, "\rqueued, place 3: 2 of at most 2 queries run and 4 of at most 100 wait  0.0 s") {
		t.Errorf("%q", got)
	}
}

func TestProgressOfStages(t *testing.T) {
	var out bytes.Buffer
	p := newProgressLine(&out, true)
	p.start(time.Now())
	p.take(&pgconn.Notice{Code: progressCode, Detail: `{"rows":5000,"splits_done":3,"splits_total":6,"stages":[
{"stage":0,"nodes":1,"running":1,"splits_done":0,"splits_total":0,"rows":0,"rows_out":2},
{"stage":1,"reads":"lineitem","nodes":3,"running":2,"splits_done":3,"splits_total":6,"rows":5000,"rows_out":1200},
{"stage":2,"reads":"orders","nodes":3,"running":0,"splits_done":1,"splits_total":1,"rows":9,"rows_out":9}]}`})
	want := "\r[##########..........] 50 %  3/6 splits  5,000 rows  0.0 s  about 0 s left\x1b[K\r\n" +
		"  stage 0                         2 given on\x1b[K\r\n" +
		"  stage 1  lineitem [#####.....]  3/6 splits  5,000 rows read  1,200 given on  2 of 3 nodes at work\x1b[K\x1b[J\r\x1b[2A"
	if got := strings.TrimSuffix(strings.TrimPrefix(out.String(), "\x1b[?7l"), "\x1b[?7h"); got != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	out.Reset()
	p.clear()
	if got := out.String(); got != "\r\x1b[J" {
		t.Errorf("%q", got)
	}
}

func TestExcerptOfALongLine(t *testing.T) {
	sql := "select " + strings.Repeat("x", 300) + " from nowhere"
	got := excerpt(sql, 200)
	lines := strings.Split(got, "\n")
	if len(lines[0]) > 100 || !strings.HasPrefix(lines[0], "LINE 1: ...xxx") || len(lines[1]) > len(lines[0]) {
		t.Errorf("%q", got)
	}
}
