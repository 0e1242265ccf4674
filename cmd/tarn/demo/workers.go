package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Workers are processes of this program that run tasks for a coordinator.
type Workers struct {
	all []*worker
}

type worker struct {
	name    string
	log     string
	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

// StartWorkers starts n workers below a directory. arguments, after the directory and the name of
// each, make it join its coordinator, environment comes on top of this process's. Stop must follow,
// also when the start fails.
func StartWorkers(directory string, n int, environment []string, arguments func(name, directory string) []string) (*Workers, error) {
	program, err := os.Executable()
	if err != nil {
		return &Workers{}, err
	}
	w := &Workers{}
	for i := range n {
		name := fmt.Sprintf("worker-%d", i+1)
		home := filepath.Join(directory, name)
		if err := os.MkdirAll(home, 0o755); err != nil {
			return w, err
		}
		one := &worker{name: name, log: filepath.Join(home, "server.log"), ended: make(chan struct{})}
		if err := one.start(program, arguments(name, home), environment); err != nil {
			return w, err
		}
		w.all = append(w.all, one)
	}
	return w, nil
}

// start runs the process; it is told to end when this process dies, however that happens.
func (w *worker) start(program string, arguments, environment []string) error {
	log, err := os.Create(w.log)
	if err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the process hears of the death of the thread that started it
		defer log.Close()
		command := exec.Command(program, arguments...)
		command.Env = append(os.Environ(), environment...)
		command.Stderr, command.SysProcAttr = log, attached()
		err := command.Start()
		w.process = command.Process
		started <- err
		if err == nil {
			_ = command.Wait()
			close(w.ended)
		}
	}()
	return <-started
}

// Await waits until all workers take part in the cluster of the server at url.
func (w *Workers) Await(ctx context.Context, url string, patience time.Duration) error {
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	until := time.Now().Add(patience)
	for {
		results, err := conn.Exec(ctx, "SELECT count(*) FROM system.nodes WHERE roles = 'worker' AND state = 'active'").ReadAll()
		if err != nil {
			return err
		}
		if there := string(results[0].Rows[0][0]); there == fmt.Sprint(len(w.all)) {
			return nil
		} else if time.Now().After(until) {
			return fmt.Errorf("only %s of %d workers have joined", there, len(w.all))
		}
		for _, one := range w.all {
			select {
			case <-one.ended:
				return fmt.Errorf("%s has ended: %s", one.name, one.lastWords())
			default:
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lastWords is the end of a worker's log.
func (w *worker) lastWords() []byte {
	text, err := os.ReadFile(w.log)
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(text[max(len(text)-2000, 0):])
}

// Stop ends the workers and waits for that.
func (w *Workers) Stop(patience time.Duration) {
	var stopping sync.WaitGroup
	for _, one := range w.all {
		stopping.Add(1)
		go func() {
			defer stopping.Done()
			_ = one.process.Signal(syscall.SIGTERM)
			select {
			case <-one.ended:
				return
			case <-time.After(patience):
				_ = one.process.Kill()
			}
			<-one.ended
		}()
	}
	stopping.Wait()
}
