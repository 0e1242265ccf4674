package test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestPsql runs psql's commands that look around, and looks for what a person would look for.
func TestPsql(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Log("psql is not installed, so its session cannot be run:", err)
		return
	}
	url := startServer(t, cell{name: "default"})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range []string{"CREATE SCHEMA sales", "CREATE TABLE sales.orders (id bigint NOT NULL, region varchar(10) DEFAULT 'x', amount numeric(12,2), day date) PARTITIONED BY (day)",
		"CREATE TABLE t (id integer, tags text[])", "CREATE VIEW v AS SELECT id FROM t", "COMMENT ON TABLE t IS 'a table'"} {
		if err := run(ctx, conn, sql); err != nil {
			t.Fatal(sql, err)
		}
	}
	for _, check := range []struct {
		command string
		want    []string
	}{
		{`\l`, []string{"tarn|tarn|UTF8|C|C"}},
		{`\dn`, []string{"public|", "sales|tester", "system|"}},
		{`\dt`, []string{"public|t|table|tester"}},
		{`\dt sales.*`, []string{"sales|orders|table|tester"}},
		{`\dv`, []string{"public|v|view|tester"}},
		{`\dt+`, []string{"|a table"}},
		{`\d`, []string{"public|t|table|tester", "public|v|view|tester"}},
		{`\d t`, []string{`Table "public.t"`, "id|integer|", "tags|text[]|"}},
		{`\d sales.orders`, []string{"id|bigint||not null|", "region|character varying(10)|||'x'", "amount|numeric(12,2)|", "day|date|"}},
		{`\d+ v`, []string{`View "public.v"`, "View definition:", "SELECT id FROM t;"}},
		{`\df upper`, []string{"pg_catalog|upper|text|s text|func"}},
		{`\du`, []string{"tester|Superuser"}},
		{`\d pg_class`, []string{`Table "pg_catalog.pg_class"`, "relname|name|", `relkind|"char"|`}},
		{`SELECT 't'::regclass, 23::regtype, 'sales.orders'::regclass, pg_typeof(1), 'upper(text)'::regprocedure`, []string{"t|integer|sales.orders|integer|upper"}},
		{`SELECT 't'::regclass::oid = (SELECT oid FROM pg_class WHERE relname = 't' AND relnamespace = 'public'::regnamespace)`, []string{"t"}},
		{`SELECT state FROM pg_stat_activity WHERE pid = pg_backend_pid()`, []string{"active"}},
	} {
		command := exec.CommandContext(ctx, psql, "-X", "-A", "-v", "ON_ERROR_STOP=1", "-c", check.command, url)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", check.command, err, output)
		}
		for _, want := range check.want {
			if !strings.Contains(string(output), want) {
				t.Errorf("%s does not show %q:\n%s", check.command, want, output)
			}
		}
	}
}
