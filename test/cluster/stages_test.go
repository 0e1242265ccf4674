package cluster

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// another connects once more to the server of a connection, and keeps the details of its notices.
func another(t *testing.T, conn *pgconn.PgConn) (*pgconn.PgConn, func() []string) {
	t.Helper()
	settings, err := pgconn.ParseConfig("postgres://tester@" + conn.Conn().RemoteAddr().String() + "/tarn?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var details []string
	settings.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		mu.Lock()
		defer mu.Unlock()
		details = append(details, n.Detail)
	}
	second, err := pgconn.ConnectConfig(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close(context.Background()) })
	return second, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), details...)
	}
}

// What the nodes do for a query is seen while it runs: in system.stages, in system.queries, and in the
// notices that shells show.
func TestStagesOfARunningQuery(t *testing.T) {
	conn, _ := serve(t, 3, nil)
	busy, notices := another(t, conn)
	must(t, busy, "SET progress_notices = '100ms'", "")
	ended := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.Background(), lasting).ReadAll()
		ended <- err
	}()
	const stages = `SELECT g.stage > 0, count(*), count(DISTINCT g.node), min(g.reads), bool_and(g.splits_done BETWEEN 0 AND g.splits_total), sum(g.tasks)
FROM system.stages g JOIN system.queries q USING (query_id, pid) WHERE q.query LIKE '%l_linenumber%' AND g.stage IS NOT NULL AND g.pid <> pg_backend_pid()
GROUP BY 1 HAVING sum(g.rows_read) > 1000 OR NOT g.stage > 0 ORDER BY 1`
	var got string
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		rows, err := query(t, conn, stages)
		if err != nil {
			t.Fatal(err)
		}
		if got = strings.Join(rows, "\n"); len(rows) == 2 {
			break
		}
		select {
		case err := <-ended:
			t.Fatal("the query ended too soon", err, got)
		default:
		}
		if time.Now().After(until) {
			all, _ := query(t, conn, "SELECT * FROM system.stages")
			t.Fatal(got, "\n", strings.Join(all, "\n"))
		}
	}
	if want := "f|1|1||t|1\nt|9|3|lineitem|t|9"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	must(t, conn, "SELECT count(*) > 0, min(stage), min(node), min(state), min(splits_total) FROM system.stages WHERE pid = pg_backend_pid()", "t|0|"+name+"|running|0")
	must(t, conn, "SELECT cpu_ms > 0, rows_read > 1000, splits_total >= splits_done FROM system.queries WHERE query LIKE '%l_linenumber%' AND pid <> pg_backend_pid()", "t|t|t")
	for until := time.Now().Add(10 * time.Second); !strings.Contains(strings.Join(notices(), "\n"), `"stages":[{"stage":0,"nodes":1,"running":1,`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(notices())
		}
	}
	if err := busy.CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "57014") {
		t.Error(err)
	}
	must(t, conn, "SELECT count(*) FROM system.stages WHERE pid <> pg_backend_pid()", "0")
}
