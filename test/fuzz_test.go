package test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/planner/parser/lexer"
	"github.com/tarnlake/tarn/test/sqllogic"
)

// fuzzTables are what spliced statements find.
const fuzzTables = `CREATE TABLE t (a int, b bigint, c text, d date, e decimal(12,2), f double precision, g timestamp, h boolean);
INSERT INTO t SELECT i, i * i, 'x' || i % 7, DATE '2018-01-01' + i, i / 4.0, i * 0.5, TIMESTAMP '2018-01-01' + i * INTERVAL '1 hour', i % 3 = 0 FROM generate_series(1, 40) i;
INSERT INTO t (a) VALUES (NULL);
CREATE TABLE u (a int, c text, x int[]);
INSERT INTO u SELECT i, 'x' || i, ARRAY[i, NULL, 2] FROM generate_series(1, 9) i`

// queriesOf lists the queries of all suites, as tokens' texts.
func queriesOf(f *testing.F) (out [][]string) {
	for _, path := range suites(f) {
		file, err := sqllogic.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range file.Records {
			tokens, err := lexer.Scan(r.SQL)
			if err != nil || !r.Query || r.Error || len(tokens) < 3 || len(r.SQL) > 2000 || strings.Contains(r.SQL, "pg_sleep") {
				continue
			}
			var texts []string
			for _, token := range tokens[:len(tokens)-1] {
				texts = append(texts, r.SQL[token.Start:token.End])
			}
			out = append(out, texts)
		}
	}
	return out
}

// splice puts stretches of other queries into one, and names of the tables that exist.
func splice(r *rand.Rand, queries [][]string) string {
	pick := func() []string { return queries[r.IntN(len(queries))] }
	text := append([]string(nil), pick()...)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(text))
		if r.IntN(3) == 0 {
			text[at] = []string{"t", "u", "a", "c", "NULL", "1", "'x'", "t.a", "u.x", "(SELECT max(a) FROM t)", "-1", "0", "''"}[r.IntN(13)]
			continue
		}
		donor := pick()
		from := r.IntN(len(donor))
		to := min(len(donor), from+1+r.IntN(8))
		end := min(len(text), at+r.IntN(4))
		text = append(text[:at:at], append(donor[from:to:to], text[end:]...)...)
	}
	return strings.Join(text, " ")
}

// FuzzStatements runs spliced queries on a server: whatever they are, they end within their time, with
// an answer or a user's error, and the server goes on.
func FuzzStatements(f *testing.F) {
	queries := queriesOf(f)
	url := startServer(f, cell{name: "fuzz", options: wiring.Options{Drivers: 2}})
	connect := func() *pgconn.PgConn {
		conn, err := pgconn.Connect(context.Background(), url)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := conn.Exec(context.Background(), "SET statement_timeout = '3s'").ReadAll(); err != nil {
			f.Fatal(err)
		}
		return conn
	}
	conn := connect()
	if _, err := conn.Exec(context.Background(), fuzzTables).ReadAll(); err != nil {
		f.Fatal(err)
	}
	for seed := range uint64(100) {
		f.Add(seed, "")
	}
	f.Add(uint64(0), "SELECT to_char(interval '-5 months', 'Month')")
	f.Add(uint64(0), "SELECT to_char(1, 'V' || repeat('9', 100))")
	f.Fuzz(func(t *testing.T, seed uint64, sql string) {
		if sql == "" {
			sql = splice(rand.New(rand.NewPCG(seed, 23)), queries)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := conn.Exec(ctx, "BEGIN READ ONLY; "+sql+"\n; ROLLBACK").ReadAll()
		var answer *pgconn.PgError
		if errors.As(err, &answer) {
			if answer.Code == "XX000" {
				t.Fatalf("%s\n%s\n%s", sql, answer.Message, answer.Detail)
			}
			if _, err = conn.Exec(ctx, "ROLLBACK").ReadAll(); errors.As(err, &answer) {
				err = nil
			}
		}
		if err != nil || conn.IsClosed() {
			t.Fatalf("%s\nthe connection is lost: %v", sql, err)
		}
	})
}
