package durability

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/pgserver"
)

// server is a process that serves a site.
type server struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	lines   *bufio.Scanner
	stderr  bytes.Buffer
	address string
}

// start starts the site's next server.
func (s *site) start(t *testing.T) *server {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	v := &server{t: t, command: exec.Command(os.Args[0])}
	v.command.Env = append(os.Environ(), serverVariable+"="+string(text), "GOMAXPROCS=2", "GOGC=400")
	v.command.Stderr = &v.stderr
	if v.input, err = v.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := v.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.lines = bufio.NewScanner(out)
	if err := v.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.kill)
	v.address = v.answer("ready")
	s.Listen = v.address // the next one serves the same clients
	return v
}

// answer reads a line that must begin with a word, and gives the rest.
func (v *server) answer(word string) string {
	v.t.Helper()
	if !v.lines.Scan() {
		_ = v.command.Wait()
		v.t.Fatalf("the server ended instead of saying %q: %s", word, v.stderr.String())
	}
	rest, ok := strings.CutPrefix(v.lines.Text(), word)
	if !ok {
		v.t.Fatalf("the server said %q instead of %q", v.lines.Text(), word)
	}
	return strings.TrimSpace(rest)
}

// arm makes the server die at the given pass through a step, counted from now.
func (v *server) arm(step string, pass int) {
	v.t.Helper()
	fmt.Fprintln(v.input, "arm", step, pass)
	v.answer("armed")
}

// seen tells how often each step was passed since it was asked last.
func (v *server) seen() (steps map[string]int) {
	v.t.Helper()
	fmt.Fprintln(v.input, "seen")
	if err := json.Unmarshal([]byte(v.answer("seen")), &steps); err != nil {
		v.t.Fatal(err)
	}
	return steps
}

// held tells the number of goroutines and the bytes of memory that queries have reserved.
func (v *server) held() (goroutines, bytes int) {
	v.t.Helper()
	fmt.Fprintln(v.input, "held")
	if _, err := fmt.Sscan(v.answer("held"), &goroutines, &bytes); err != nil {
		v.t.Fatal(err)
	}
	return goroutines, bytes
}

// heap tells the bytes that Go has in use.
func (v *server) heap() (bytes int) {
	v.t.Helper()
	fmt.Fprintln(v.input, "heap")
	if _, err := fmt.Sscan(v.answer("heap"), &bytes); err != nil {
		v.t.Fatal(err)
	}
	return bytes
}

// settle waits until no more goroutines run than before, but for some that the runtime and the
// catalog's connections may need, and no memory is reserved.
func (v *server) settle(before int) {
	v.t.Helper()
	var goroutines, bytes int
	for start := time.Now(); time.Since(start) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		if goroutines, bytes = v.held(); goroutines <= before && bytes == 0 {
			return
		}
	}
	v.t.Errorf("%d goroutines, %d before; %d bytes are reserved", goroutines, before, bytes)
}

// died waits until the process has ended by itself, killed.
func (v *server) died() {
	v.t.Helper()
	for v.lines.Scan() {
		v.t.Errorf("the dying server said %q", v.lines.Text())
	}
	err := v.command.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		v.t.Fatalf("the server was not killed: %v %s", err, v.stderr.String())
	}
}

// kill ends the process from outside.
func (v *server) kill() {
	_ = v.command.Process.Kill()
	_ = v.command.Wait()
}

func (v *server) connect() *pgconn.PgConn {
	v.t.Helper()
	conn, err := dial(v.address)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { closeNow(conn) })
	return conn
}

func dial(address string) (*pgconn.PgConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return pgconn.Connect(ctx, "postgres://ana@"+address+"/lake?sslmode=disable")
}

func closeNow(conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// query runs statements and gives the rows of the last, columns separated by "|".
func query(conn *pgconn.PgConn, sql string) (rows []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	for _, row := range results[len(results)-1].Rows {
		rows = append(rows, string(bytes.Join(row, []byte("|"))))
	}
	return rows, nil
}

func must(t *testing.T, conn *pgconn.PgConn, sql string) []string {
	t.Helper()
	rows, err := query(conn, sql)
	if err != nil {
		t.Fatalf("%.60s: %v", sql, err)
	}
	return rows
}

func codeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// memoryDirectory gives a directory in memory where there is such, for the thousands of fsyncs to be
// quick: what is lost with the power is up to the tests, not to the device.
func memoryDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "tarn-durability-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}

func newSite(t *testing.T, postgres bool) *site {
	t.Helper()
	s := &site{Data: memoryDirectory(t), Listen: "127.0.0.1:0", Drivers: 1}
	if postgres {
		s.Catalog = pgserver.Database(t)
	}
	return s
}

func asError(err error, to **pgconn.PgError) bool { return errors.As(err, to) }
