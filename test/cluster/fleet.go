//go:build linux

package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// binaryVariable names a tarn to run instead of one built from the sources, such as one with -race.
const binaryVariable = "TARN_TEST_BINARY"

// builder makes a tarn of the present sources, once.
type builder struct {
	once      sync.Once
	directory string // "": nothing to remove
	path      string
	problem   error
}

var built builder

func (b *builder) binary() (string, error) {
	b.once.Do(func() {
		if b.path = os.Getenv(binaryVariable); b.path != "" {
			return
		}
		if b.directory, b.problem = os.MkdirTemp("", "tarn-binary-"); b.problem != nil {
			return
		}
		b.path = filepath.Join(b.directory, "tarn")
		// go run keeps what it has linked, and hands it to cp.
		output, err := exec.Command("go", "run", "-exec", "cp -t "+b.directory, "github.com/tarnlake/tarn/cmd/tarn").CombinedOutput()
		if err != nil {
			b.problem = fmt.Errorf("building tarn: %w: %s", err, output)
		}
	})
	return b.path, b.problem
}

// RemoveBinary removes what fleets have run: to be called at the end of a TestMain.
func RemoveBinary() {
	if built.directory != "" {
		_ = os.RemoveAll(built.directory)
	}
}

// Fleet is a coordinator and workers as processes on this machine, with tables in a directory that
// all of them share.
type Fleet struct {
	Coordinator *Process
	Workers     []*Process
	Warehouse   string

	t         testing.TB
	set       map[string]string
	directory string
}

// Process is a `tarn server`. It keeps its name, files and addresses when it is started again.
type Process struct {
	Name    string
	Address string // of the PostgreSQL protocol, "" of a worker
	RPC     string
	Gossip  string

	fleet   *Fleet
	role    string
	http    string
	command *exec.Cmd
	ended   chan struct{} // closed when it has
	frozen  bool

	mu  sync.Mutex
	log strings.Builder
}

// StartFleet starts a coordinator and workers with the given configuration, and waits until the
// coordinator knows them all. They spread all queries, small ones too. They end with the test.
func StartFleet(t testing.TB, workers int, set map[string]string) *Fleet {
	t.Helper()
	f := &Fleet{t: t, set: set, directory: t.TempDir()}
	f.Warehouse = filepath.Join(f.directory, "warehouse")
	f.Coordinator = f.Add("coordinator", "coordinator")
	for i := range workers {
		f.Workers = append(f.Workers, f.Add("worker", fmt.Sprintf("w%d", i+1)))
	}
	f.Await(workers)
	return f
}

// Add starts one more process, which finds the others by the coordinator.
func (f *Fleet) Add(role, name string) *Process {
	f.t.Helper()
	p := &Process{Name: name, fleet: f, role: role, Gossip: "127.0.0.1:0", RPC: "127.0.0.1:0", Address: "127.0.0.1:0", http: "127.0.0.1:0"}
	f.t.Cleanup(p.Kill)
	p.Start()
	return p
}

// Start starts a process that does not run, and waits until it is ready.
func (p *Process) Start() {
	t := p.fleet.t
	t.Helper()
	binary, err := built.binary()
	if err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(p.fleet.directory, p.Name)
	args := []string{"server", "--role", p.role, "--data", filepath.Join(directory, "data"), "--listen", p.Address, "--http-listen", p.http}
	set := map[string]string{"cluster.name": p.Name, "cluster.gossip_listen": p.Gossip, "server.rpc_listen": p.RPC, "cluster.secret": secret,
		"storage.warehouse": p.fleet.Warehouse, "server.cpu_slots": "1", "memory.limit": "1GB"}
	for key, value := range p.fleet.set {
		set[key] = value
	}
	for key, value := range set {
		args = append(args, "--set", key+"="+value)
	}
	if p.role == "worker" {
		args = append(args, "--join", p.fleet.Coordinator.Gossip)
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "tarn.toml"), []byte("[settings]\ndistribute_from_rows = \"0\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.command = exec.Command(binary, args...)
	p.command.Dir = directory
	p.command.Env = append(os.Environ(), "HOME="+directory)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended, p.frozen = make(chan struct{}), false
	ready := make(chan string, 1)
	go p.follow(bufio.NewScanner(stderr), ready)
	select {
	case line := <-ready:
		p.addresses(line)
	case <-p.ended:
		t.Fatalf("%s ended: %s", p.Name, p.Log())
	case <-time.After(30 * time.Second):
		t.Fatalf("%s is not ready: %s", p.Name, p.Log())
	}
}

// follow keeps what the process logs, and tells when it is ready.
func (p *Process) follow(lines *bufio.Scanner, ready chan<- string) {
	defer close(p.ended)
	for lines.Scan() {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if strings.Contains(lines.Text(), "msg=ready ") {
			ready <- lines.Text()
		}
	}
	_ = p.command.Wait()
}

func (p *Process) addresses(line string) {
	for name, to := range map[string]*string{"postgres": &p.Address, "http": &p.http, "gossip": &p.Gossip, "rpc": &p.RPC} {
		if m := regexp.MustCompile(` ` + name + `=(\S+)`).FindStringSubmatch(line); m != nil && m[1] != `""` {
			*to = m[1]
		}
	}
}

// Log gives what the process has logged.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Kill ends the process at once, as kill -9 does.
func (p *Process) Kill() {
	if p.command == nil || p.command.Process == nil {
		return
	}
	_ = p.command.Process.Kill()
	<-p.ended
}

// Freeze stops the process, until Thaw or Kill.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP); p.frozen = true }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT); p.frozen = false }

// Terminate asks the process to end when its work is done.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

func (p *Process) signal(s syscall.Signal) {
	p.fleet.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.fleet.t.Fatalf("%s: %v", p.Name, err)
	}
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Alive tells whether the process runs, not frozen.
func (p *Process) Alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return !p.frozen
	}
}

// Processes lists all of them.
func (f *Fleet) Processes() []*Process { return append([]*Process{f.Coordinator}, f.Workers...) }

// URL is where clients find the coordinator.
func (f *Fleet) URL() string {
	return "postgres://tester@" + f.Coordinator.Address + "/lake?sslmode=disable"
}

// Connect connects a client with the coordinator.
func (f *Fleet) Connect() *pgconn.PgConn {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, f.URL())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

// Await waits until the coordinator knows just so many workers that take work, and gives the time it took.
func (f *Fleet) Await(workers int) time.Duration {
	f.t.Helper()
	conn, began, got := f.Connect(), time.Now(), ""
	for time.Since(began) < 30*time.Second {
		rows, err := Query(context.Background(), conn, "SELECT name FROM system.nodes WHERE roles = 'worker' AND state = 'active' ORDER BY name")
		if err != nil {
			f.t.Fatal(err)
		}
		if got = strings.Join(rows, " "); len(rows) == workers {
			return time.Since(began)
		}
		time.Sleep(20 * time.Millisecond)
	}
	f.t.Fatalf("the coordinator knows the workers %q, not %d", got, workers)
	return 0
}

// Query gives the rows of all statements, columns separated by bars.
func Query(ctx context.Context, conn *pgconn.PgConn, sql string) ([]string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	var out []string
	for _, r := range results {
		for _, row := range r.Rows {
			var parts []string
			for _, v := range row {
				parts = append(parts, string(v))
			}
			out = append(out, strings.Join(parts, "|"))
		}
	}
	return out, err
}
