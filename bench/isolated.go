package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// groupsFile are the groups of the measurement: those that are there anyway, and one whose queries may
// take little memory.
const groupsFile = `
[resource_groups.hog]
cpu_weight = 1
memory = "10%"
query_memory = "128MB"
`

// isolated is one server, or a coordinator and workers of one CPU slot each, all on this machine.
type isolated struct {
	*tarn
	nodes []*exec.Cmd
}

// startIsolated starts them, and waits until they know each other.
func startIsolated(ctx context.Context, o options, workers int) (*isolated, error) {
	t := &isolated{tarn: &tarn{version: "tarn"}}
	var err error
	if t.directory, err = os.MkdirTemp("", "tarn-bench-"); err != nil {
		return nil, err
	}
	if err := t.launchAll(ctx, o, workers); err != nil {
		t.Close()
		return nil, err
	}
	if workers == 0 {
		return t, nil
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		a, err := t.Run(ctx, "SELECT count(*) FROM system.nodes WHERE roles = 'worker' AND state = 'active'")
		if err == nil && *a.rows[0][0] == fmt.Sprintf("i%d", workers) {
			return t, nil
		}
		if time.Now().After(deadline) {
			t.Close()
			return nil, fmt.Errorf("the workers do not come: %v", err)
		}
	}
}

func (t *isolated) launchAll(ctx context.Context, o options, workers int) error {
	settings := filepath.Join(t.directory, "tarn.toml")
	if err := os.WriteFile(settings, []byte(groupsFile), 0o644); err != nil {
		return err
	}
	ports := make([]string, 4)
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	shared := []string{"server", "--config", settings, "--set", "storage.warehouse=" + filepath.Join(t.directory, "warehouse"),
		"--set", "storage.allowed_local_roots=" + o.dir, "--set", "log.level=warn", "--set", "memory.limit=" + o.memory}
	coordinator := append(shared[:len(shared):len(shared)], "--data", filepath.Join(t.directory, "coordinator"), "--listen", ports[0], "--http-listen", ports[1])
	t.address = "postgres://tarn@" + ports[0] + "/tarn?sslmode=disable"
	if workers > 0 {
		coordinator = append(coordinator, "--role", "coordinator", "--set", "cluster.gossip_listen="+ports[2], "--set", "server.rpc_listen="+ports[3],
			"--set", "server.cpu_slots=1")
	}
	if err := t.node(o, coordinator); err != nil {
		return err
	}
	if err := t.connect(ctx, t.address); err != nil {
		return err
	}
	for i := range workers {
		var own [2]string
		for i := range own {
			var err error
			if own[i], err = freePort(); err != nil {
				return err
			}
		}
		if err := t.node(o, append(shared[:len(shared):len(shared)], "--data", filepath.Join(t.directory, fmt.Sprint("worker", i)), "--role", "worker", "--join", ports[2],
			"--listen", "127.0.0.1:0", "--http-listen", "", "--set", "server.http_listen=", "--set", "cluster.gossip_listen="+own[0], "--set", "server.rpc_listen="+own[1],
			"--set", "server.cpu_slots=1")); err != nil {
			return err
		}
	}
	return nil
}

// node starts one process.
func (t *isolated) node(o options, arguments []string) error {
	command := exec.Command(o.tarn, arguments...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(o.threads))
	if err := command.Start(); err != nil {
		return err
	}
	t.nodes, t.pids = append(t.nodes, command), append(t.pids, command.Process.Pid)
	return nil
}

// Close ends the processes, workers first.
func (t *isolated) Close() error {
	err := t.tarn.Close() // the connection
	for i := len(t.nodes) - 1; i >= 0; i-- {
		command := t.nodes[i]
		command.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(10*time.Second, func() { command.Process.Kill() })
		command.Wait()
		killer.Stop()
	}
	return errors.Join(err, os.RemoveAll(t.directory))
}
