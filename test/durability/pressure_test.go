package durability

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestDiskFull has writes and spills fail for want of space: with 53100, nothing visible and nothing
// left, and the server goes on.
func TestDiskFull(t *testing.T) {
	t.Run("files may not grow", func(t *testing.T) {
		s := newSite(t, false)
		s.FileLimit = 6 << 20
		fillDisk(t, s)
	})
	t.Run("no space on the device", func(t *testing.T) {
		directory := t.TempDir()
		if err := syscall.Mount("tarn", directory, "tmpfs", 0, "size=8m"); err != nil {
			t.Log("a small file system cannot be mounted here:", err)
			return
		}
		t.Cleanup(func() { _ = syscall.Unmount(directory, syscall.MNT_DETACH) })
		fillDisk(t, &site{Data: directory, Listen: "127.0.0.1:0", Drivers: 2})
	})
}

func fillDisk(t *testing.T, s *site) {
	s.Set = map[string]string{"memory.query_limit": "64MB"}
	v := s.start(t)
	conn := v.connect()
	must(t, conn, "CREATE TABLE kept (id bigint, name text); INSERT INTO kept VALUES (1, 'x'); CREATE TABLE parts (id bigint, name text, part integer) PARTITIONED BY (part)")
	files := tree(t, s.Data)
	before, _ := v.held()
	const much = "SELECT g, md5(g::text) || md5((g + 1)::text) FROM generate_series(1, 900000) s(g)"
	for _, sql := range []string{
		"INSERT INTO kept " + much,
		"INSERT OVERWRITE kept " + much,
		"INSERT INTO parts SELECT g, md5(g::text) || md5((g + 1)::text), g % 3 FROM generate_series(1, 1000000) s(g)",
		"CREATE TABLE other AS " + much,
		"BEGIN; INSERT INTO kept VALUES (2, 'y'); INSERT INTO parts VALUES (1, 'x', 1); INSERT INTO kept " + much + "; COMMIT",
		"CREATE TEMP TABLE short AS " + much,
		"SELECT count(*) FROM (SELECT DISTINCT md5(g::text), md5((g + 1)::text) FROM generate_series(1, 1500000) s(g)) q",
		"SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY md5(g::text) || md5((g + 1)::text)) AS r FROM generate_series(1, 1500000) s(g)) q",
		"SELECT count(*) FROM (SELECT md5(g::text) || md5((g + 1)::text) AS k FROM generate_series(1, 1000000) s(g)) a JOIN (SELECT md5(g::text) || md5((g + 1)::text) AS k FROM generate_series(1, 1000000) s(g)) b USING (k)",
		"SELECT count(*) FROM generate_series(1, 1500000) a(g) JOIN generate_series(1, 1500000) b(g) ON md5(a.g::text) = md5(b.g::text)",
		"COPY (" + much + ") TO '" + s.Data + "/out.csv'",
	} {
		_, err := query(conn, sql)
		if codeOf(err) != "53100" {
			t.Errorf("%.50s: %v", sql, err)
		}
		if err == nil || !strings.Contains(err.Error(), "could not") {
			t.Errorf("%.50s: not clear: %v", sql, err)
		}
		_, _ = query(conn, "ROLLBACK")
		if now := tree(t, s.Data); len(now) != len(files) {
			t.Errorf("%.50s left %d files, such as %s", sql, len(now)-len(files), now[len(now)-1])
		}
		v.settle(before)
	}
	if _, err := os.Stat(s.Data + "/out.csv"); err == nil {
		t.Error("half a file was left by COPY")
	}
	if got := must(t, conn, "SELECT count(*), (SELECT count(*) FROM parts), to_regclass('other') IS NULL FROM kept"); got[0] != "1|0|t" {
		t.Error(got)
	}
	must(t, conn, "INSERT INTO kept VALUES (2, 'y')")
	if got := must(t, conn, "SELECT count(*) FROM kept"); got[0] != "2" {
		t.Error(got)
	}
}

// TestCatalogDown takes the catalog's database away from a running server: statements fail with a
// clear error while it is gone and work again by themselves, and what was open is not half done.
func TestCatalogDown(t *testing.T) {
	s := newSite(t, true)
	line := newLine(t, s.Catalog)
	s.Catalog = line.url
	v := s.start(t)
	conn, other := v.connect(), v.connect()
	must(t, conn, setup)
	must(t, other, "BEGIN; INSERT OVERWRITE t1 PARTITION (ds = DATE '2018-08-01') SELECT 1, 'x', 7")
	line.cut()
	for _, sql := range []string{"SELECT count(*) FROM t0", "INSERT INTO swapped VALUES (1, 2)", "CREATE TABLE other (a int)"} {
		_, err := query(conn, sql)
		var refused *pgconn.PgError
		if codeOf(err) != "08006" || !asError(err, &refused) || !strings.Contains(refused.Message, "catalog cannot be reached") || refused.Hint == "" || strings.Contains(refused.Detail, "postgres:secret") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, err := query(other, "COMMIT"); codeOf(err) != "08006" {
		t.Errorf("COMMIT: %v", err)
	}
	line.mend(t)
	if got := must(t, conn, look); len(got) != 5 {
		t.Error(got)
	}
	if found := generationOf(t, conn); found != "0" {
		t.Errorf("generation %s", found)
	}
	must(t, other, nightly(1))
	if found := generationOf(t, conn); found != "1" {
		t.Errorf("generation %s", found)
	}
}

// line is a way to a PostgreSQL server that can be cut.
type line struct {
	url, socket, address string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

// newLine leads to the server on the socket that a URL names.
func newLine(t *testing.T, location string) *line {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{socket: u.Query().Get("host") + "/.s.PGSQL." + u.Query().Get("port"), address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	l.mend(t)
	l.address = l.listener.Addr().String()
	l.url = fmt.Sprintf("postgres://postgres:secret@%s%s?sslmode=disable", l.address, u.Path)
	t.Cleanup(l.cut)
	return l
}

// mend makes the line work.
func (l *line) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		t.Fatal(err)
	}
	l.listener = listener
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", l.socket)
			if err != nil {
				_ = from.Close()
				continue
			}
			l.mu.Lock()
			l.open[from], l.open[to] = true, true
			l.mu.Unlock()
			go relay(from, to)
			go relay(to, from)
		}
	}()
}

func relay(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// cut breaks all connections and admits no more.
func (l *line) cut() {
	_ = l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		_ = c.Close()
	}
	clear(l.open)
}

// TestFiftyClients runs mixed short queries: none fails, and nothing is left.
func TestFiftyClients(t *testing.T) {
	s := newSite(t, false)
	s.Drivers = 0
	v := s.start(t)
	setup := v.connect()
	must(t, setup, "CREATE TABLE t (id int, name text); INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, 1000) g(i)")
	must(t, setup, "SELECT count(*) FROM t")
	before, _ := v.held()
	heap := v.heap()
	statements := []string{"SELECT 1", "SELECT count(*) FROM t", "SELECT name FROM t WHERE id = 7", "SELECT id % 10, count(*) FROM t GROUP BY 1 ORDER BY 1"}
	want := []int{1, 1, 1, 10}
	var wait sync.WaitGroup
	for i := range 50 {
		conn := v.connect()
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer closeNow(conn)
			for q := range 200 {
				n := (i + q) % len(statements)
				if rows, err := query(conn, statements[n]); err != nil || len(rows) != want[n] {
					t.Errorf("%s: %d rows, %v", statements[n], len(rows), err)
					return
				}
			}
		}()
	}
	wait.Wait()
	v.settle(before)
	if now := v.heap(); now > heap+8<<20 {
		t.Errorf("Go's heap has %d MB, %d MB before", now>>20, heap>>20)
	}
}
