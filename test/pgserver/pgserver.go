// Package pgserver starts a PostgreSQL server for tests, where its binaries are installed.
//
// A test package that uses it calls Stop at the end of its TestMain; all its tests share one server.
package pgserver

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// server is one PostgreSQL for all tests of a process.
type server struct {
	once      sync.Once
	directory string
	problem   string
	process   *os.Process
	ended     chan struct{}
	databases atomic.Int64
}

var shared = server{ended: make(chan struct{})}

// Database gives the URL of a fresh database. Where no server can be started the test is skipped
// with the reason.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(shared.start)
	if shared.problem != "" {
		t.Skip("PostgreSQL could not be started: " + shared.problem)
	}
	db, err := sql.Open("pgx", shared.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("test_%d", shared.databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return shared.url(name)
}

// Stop ends the server, if there is one, and removes its data.
func Stop() { shared.stop() }

func (s *server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=5432", database, s.directory)
}

// start runs initdb and postgres on a socket in a directory of its own, with durability off. As
// root, which postgres refuses, it does so as the user postgres or nobody.
func (s *server) start() {
	bin := postgresBinaries()
	if bin == "" {
		s.problem = "neither PATH nor /usr/lib/postgresql holds initdb"
		return
	}
	directory, err := os.MkdirTemp("", "tarn-pg-")
	if err != nil {
		s.problem = err.Error()
		return
	}
	s.directory = directory
	credential, err := serverUser(directory)
	if err != nil {
		s.problem = err.Error()
		return
	}
	run := func(name string, args ...string) error {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = directory
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %v: %s", name, err, out)
		}
		return nil
	}
	data := filepath.Join(directory, "data")
	if err := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"); err != nil {
		s.problem = err.Error()
		return
	}
	started := make(chan error)
	go func() {
		// The server dies with this thread, and so with the process however that ends.
		runtime.LockOSThread()
		cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+directory,
			"-c", "fsync=off", "-c", "max_connections=200")
		cmd.Dir = directory
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGQUIT}
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		s.problem = err.Error()
		return
	}
	s.problem = s.await()
}

// await waits until the server takes connections and says what is wrong when it does not.
func (s *server) await() string {
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err.Error()
	}
	defer db.Close()
	for range 300 {
		if err = db.Ping(); err == nil {
			return ""
		}
		select {
		case <-s.ended:
			return "it ended at once"
		case <-time.After(50 * time.Millisecond):
		}
	}
	return err.Error()
}

func postgresBinaries() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

func serverUser(directory string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(directory, uid, gid)
	}
	return nil, fmt.Errorf("running as root, and there is no user postgres or nobody")
}

func (s *server) stop() {
	if s.process != nil {
		s.process.Signal(syscall.SIGQUIT)
		select {
		case <-s.ended:
		case <-time.After(5 * time.Second):
		}
	}
	if s.directory != "" {
		os.RemoveAll(s.directory)
	}
}
