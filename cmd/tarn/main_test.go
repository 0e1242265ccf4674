package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/pgserver"
)

// actAsTarn makes the test binary run as tarn itself.
const actAsTarn = "TARN_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	// So do the processes that such a run starts: go test gives flags only.
	if os.Getenv(actAsTarn) != "" || len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		_ = os.Unsetenv(actAsTarn)
		main()
		os.Exit(0)
	}
	status := m.Run()
	pgserver.Stop()
	os.Exit(status)
}

// tarn prepares a run of the command in a directory of its own.
func tarn(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0], args...)
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), actAsTarn+"=1", "HOME="+command.Dir, "TARN_URL=", "NO_COLOR=1")
	return command
}

// outcome runs a command and gives its exit status and what it wrote.
func outcome(t *testing.T, command *exec.Cmd) (int, string, string) {
	t.Helper()
	var out, failures bytes.Buffer
	command.Stdout, command.Stderr = &out, &failures
	err := command.Run()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), failures.String()
}

func TestSQLInThisProcess(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	embedded := func(args ...string) *exec.Cmd { return tarn(t, append([]string{"sql", "--data", data}, args...)...) }
	status, out, failures := outcome(t, embedded("--format", "csv", "-c", "create table t (a int, b text)", "-c", "insert into t values (1, 'x'), (2, null)", "-c", "select * from t order by a"))
	if status != 0 || failures != "" || out != "a,b\n1,x\n2,\n" {
		t.Fatal(status, out, failures)
	}
	script := embedded("--format", "tsv")
	script.Stdin = strings.NewReader("copy t from stdin;\n3\tthree\n\\.\nselect count(*), max(b) from t;\n")
	if status, out, failures = outcome(t, script); status != 0 || failures != "" || out != "count\tmax\n3\tx\n" {
		t.Fatal(status, out, failures)
	}
	if status, out, failures = outcome(t, embedded("-c", "select nope from t")); status != 1 || out != "" ||
		!strings.HasPrefix(failures, "ERROR:  column \"nope\" does not exist\nLINE 1: select nope from t\n               ^\n") {
		t.Fatal(status, out, failures)
	}
	result := filepath.Join(t.TempDir(), "out.json")
	if status, _, failures = outcome(t, embedded("--format", "json", "-o", result, "-c", "select 1.50::decimal(5,2) as n")); status != 0 {
		t.Fatal(failures)
	}
	if text, err := os.ReadFile(result); err != nil || string(text) != "[{\"n\": 1.50}]\n" {
		t.Fatal(string(text), err)
	}
}

func TestTools(t *testing.T) {
	if status, out, _ := outcome(t, tarn(t, "version")); status != 0 || !regexp.MustCompile(`^tarn \S+ \(go\S+, linux/\w+\)\n$`).MatchString(out) {
		t.Error(status, out)
	}
	withEnvironment := tarn(t, "config", "--set", "memory.limit=1GB")
	withEnvironment.Env = append(withEnvironment.Env, "TARN_SERVER_PG_LISTEN=127.0.0.1:7")
	status, out, failures := outcome(t, withEnvironment)
	for _, want := range []string{"server.pg_listen = 127.0.0.1:7\n", "from environment TARN_SERVER_PG_LISTEN; default \"127.0.0.1:5439\"", "memory.limit in effect: 1GB"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("%d: no %q in %s %s", status, want, out, failures)
		}
	}
	if status, _, failures := outcome(t, tarn(t, "config", "--set", "memory.limt=1GB")); status != 1 || !strings.Contains(failures, `unknown key "memory.limt", perhaps you meant "memory.limit"`) {
		t.Error(status, failures)
	}
	if status, _, failures := outcome(t, tarn(t, "sevrer")); status != 2 || !strings.Contains(failures, "server") {
		t.Error(status, failures)
	}
	user := tarn(t, "user", "ana")
	user.Stdin = strings.NewReader("s3cret\n")
	if status, out, _ := outcome(t, user); status != 0 || !strings.HasPrefix(out, "[auth.users]\n\"ana\" = \"SCRAM-SHA-256$4096:") {
		t.Error(status, out)
	}
	for _, name := range []string{"bash", "zsh", "fish"} {
		if status, out, _ := outcome(t, tarn(t, "completion", name)); status != 0 || !strings.Contains(out, "tarn") || !strings.Contains(out, "doctor") {
			t.Error(status, out)
		}
	}
	status, out, failures = outcome(t, tarn(t, "doctor", "--set", "server.pg_listen=127.0.0.1:0", "--set", "server.http_listen="))
	if status != 0 || !strings.Contains(out, "ok    server.data") || !strings.Contains(out, "will be made at the first start") {
		t.Error(status, out, failures)
	}
	if status, out, _ := outcome(t, tarn(t, "doctor", "--data", "/proc/nowhere", "--set", "server.pg_listen=203.0.113.1:5439")); status != 1 || strings.Count(out, "FAIL") < 2 {
		t.Error(status, out)
	}
}

// server is a running `tarn server`.
type server struct {
	command       *exec.Cmd
	address, http string
	log           *bytes.Buffer
	ended         chan struct{}
}

// startServer starts a server and waits until it is ready.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{command: tarn(t, append([]string{"server", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, args...)...), log: &bytes.Buffer{}, ended: make(chan struct{})}
	stderr, err := s.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.command.Process.Kill(); <-s.ended })
	ready := make(chan []string, 1)
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			s.log.WriteString(lines.Text() + "\n")
			if m := regexp.MustCompile(`msg=ready postgres=(\S+) http=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
				ready <- m
			}
		}
		_ = s.command.Wait()
	}()
	select {
	case m := <-ready:
		s.address, s.http = m[1], m[2]
	case <-s.ended:
		t.Fatalf("the server ended: %s", s.log)
	case <-time.After(20 * time.Second):
		t.Fatal("the server is not ready")
	}
	return s
}

func (s *server) connect(t *testing.T) *pgconn.PgConn {
	t.Helper()
	return s.connectWith(t, func(*pgconn.Config) {})
}

func (s *server) connectWith(t *testing.T, change func(*pgconn.Config)) *pgconn.PgConn {
	t.Helper()
	settings, err := pgconn.ParseConfig("postgres://ana@" + s.address + "/lake?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	change(settings)
	conn, err := pgconn.ConnectConfig(context.Background(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// resident gives the process's resident memory in bytes.
func (s *server) resident(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// The benchmark measures how fast: bench -clients.
func TestServerStartsSmall(t *testing.T) {
	s := startServer(t)
	conn := s.connect(t)
	if _, err := conn.Exec(context.Background(), "SELECT 1").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if rss := s.resident(t); rss > 150<<20 {
		t.Errorf("an idle server takes %d MB", rss>>20)
	}
	before := s.resident(t)
	for range 100 {
		idle := s.connect(t)
		if _, err := idle.Exec(context.Background(), "SELECT 1").ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	if grown := s.resident(t) - before; grown > 50<<20 {
		t.Errorf("100 idle connections take %d MB", grown>>20)
	}
	response, err := http.Get("http://" + s.http + "/health")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Error(response, err)
	}
	_ = response.Body.Close()
}

func TestServerStopsInGoodOrder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	s := startServer(t, "--data", data)
	conn := s.connect(t)
	if status, _, failures := outcome(t, tarn(t, "server", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--data", data)); status != 1 ||
		!strings.Contains(failures, "the catalog is in use by another server (process ") || !strings.Contains(failures, "set catalog.url to a PostgreSQL database") {
		t.Errorf("a second server on the same data: %d %s", status, failures)
	}
	if status, out, failures := outcome(t, tarn(t, "sql", s.address, "--format", "csv", "-c", "select 42 as x")); status != 0 || out != "x\n42\n" {
		t.Error(status, out, failures)
	}
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var err error
	for start := time.Now(); err == nil && time.Since(start) < 10*time.Second; {
		_, err = conn.Exec(context.Background(), "select 1").ReadAll()
	}
	if err == nil {
		t.Error("a server that was told to stop goes on answering")
	}
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not stop")
	}
	if status := s.command.ProcessState.ExitCode(); status != 0 {
		t.Errorf("exit status %d: %s", status, s.log)
	}
}

func TestPsqlSession(t *testing.T) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Fatal("psql is needed for the tests: install postgresql-client")
	}
	s := startServer(t)
	host, port, _ := strings.Cut(s.address, ":")
	script := `
\set ON_ERROR_STOP 0
create table t (id int, name text, price decimal(8,2));
insert into t values (1, 'one', 1.10), (2, null, -2.5);
select * from t order by id;
begin;
declare c cursor for select id from t order by id;
fetch 1 from c;
fetch all from c;
rollback;
prepare q(int) as select name from t where id = $1;
execute q(1);
\copy t to stdout csv header
copy t (id, name) from stdin;
3	a\tb
\.
select id, name from t where price is null;
\set VERBOSITY terse
select 1/0;
select nope from t;
set search_path = a, "B"; show search_path;
\set FETCH_COUNT 2
select i from generate_series(1, 5) g(i);
`
	command := exec.Command(psql, "-X", "-q", "-A", "-h", host, "-p", port, "-U", "ana", "-d", "lake", "-f", "-")
	command.Stdin = strings.NewReader(script)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	want := `id|name|price
1|one|1.10
2||-2.50
(2 rows)
id
1
(1 row)
id
2
(1 row)
name
one
(1 row)
id,name,price
1,one,1.10
2,,-2.50
id|name
3|a	b
(1 row)
psql:<stdin>:19: ERROR:  division by zero
psql:<stdin>:20: ERROR:  column "nope" does not exist at character 8
search_path
a, "B"
(1 row)
i
1
2
3
4
5
(5 rows)
`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
