package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// fleet says how a server, or a coordinator and its workers, are started on this machine.
type fleet struct {
	workers  int      // 0: one server
	settings []string // arguments of every node …
	members  []string // … and of those that are in a cluster
	threads  int      // of every node
	pinned   bool     // workers have one thread, and are kept to a CPU of their own
	share    float64  // what each node of a cluster has of a CPU; 0: all share all CPUs
}

// cluster is an Engine: a server, or a coordinator that runs no tasks and its workers.
type cluster struct {
	*tarn
	nodes  []*exec.Cmd // the coordinator first
	shares []string    // their control groups, if they have any
}

// startCluster starts a coordinator and workers of one thread, each kept to a CPU of its own.
func startCluster(ctx context.Context, o options) (*cluster, error) {
	c, err := startFleet(ctx, o, func(string) (fleet, error) { return fleet{workers: o.workers, threads: o.threads, pinned: true}, nil })
	if err != nil {
		return nil, err
	}
	if err := c.define(ctx, o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.version += fmt.Sprintf(", %d workers of one thread", o.workers)
	return c, nil
}

// groupsFile are the groups of the measurement of isolation: those that are there anyway, and one whose
// queries may take little memory.
const groupsFile = `
[resource_groups.hog]
cpu_weight = 1
memory = "10%"
query_memory = "128MB"
`

// startIsolated starts one server, or a coordinator and workers of one CPU slot each that share a
// warehouse. They may all use every CPU, unless each has a share.
func startIsolated(ctx context.Context, o options, workers int) (*cluster, error) {
	return startFleet(ctx, o, func(directory string) (fleet, error) {
		file := filepath.Join(directory, "tarn.toml")
		return fleet{workers: workers, threads: o.threads, share: o.share, members: []string{"--set", "server.cpu_slots=1"},
			settings: []string{"--config", file, "--set", "storage.warehouse=" + filepath.Join(directory, "warehouse"),
				"--set", "log.level=warn", "--set", "memory.limit=" + o.memory},
		}, os.WriteFile(file, []byte(groupsFile), 0o644)
	})
}

// startFleet starts the nodes that are planned for a directory, and waits until they know each other.
func startFleet(ctx context.Context, o options, plan func(directory string) (fleet, error)) (_ *cluster, err error) {
	c := &cluster{tarn: &tarn{version: "tarn"}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.directory, err = os.MkdirTemp("", "tarn-bench-"); err != nil {
		return nil, err
	}
	f, err := plan(c.directory)
	if err != nil {
		return nil, err
	}
	gossip := ""
	for i := range f.workers + 1 {
		if gossip, err = c.start(o, f, i, gossip); err != nil {
			return nil, err
		}
		if i > 0 {
			continue
		}
		if err := c.connect(ctx, c.address); err != nil { // workers have somebody to join
			return nil, err
		}
	}
	return c, c.await(ctx, f.workers)
}

// start starts one node, number 0 the coordinator, whose gossip address it gives and workers join.
func (c *cluster) start(o options, f fleet, number int, gossip string) (string, error) {
	var ports [4]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return "", err
		}
	}
	command := append([]string{o.tarn, "server", "--data", filepath.Join(c.directory, strconv.Itoa(number))}, f.settings...)
	if f.workers > 0 {
		command = append(command, "--set", "cluster.gossip_listen="+ports[2], "--set", "server.rpc_listen="+ports[3])
		command = append(command, f.members...)
	}
	threads := f.threads
	if number == 0 {
		gossip = ports[2]
		c.address = "postgres://tarn@" + ports[0] + "/tarn?sslmode=disable"
		if f.workers > 0 {
			command = append(command, "--role", "coordinator")
		}
	} else {
		command = append(command, "--role", "worker", "--join", gossip)
		if f.pinned {
			threads = 1
			command = append([]string{"taskset", "-c", strconv.Itoa((number - 1) % runtime.NumCPU())}, command...)
		}
	}
	if f.share > 0 && f.workers > 0 {
		share, err := newShare(fmt.Sprintf("tarn-bench-%d-%d", os.Getpid(), number), f.share)
		if err != nil {
			return "", err
		}
		c.shares, command = append(c.shares, share), inShare(share, command)
	}
	node := exec.Command(command[0], command[1:]...)
	node.Stdout, node.Stderr = os.Stderr, os.Stderr
	node.Env = append(os.Environ(),
		"GOMAXPROCS="+strconv.Itoa(threads),
		"TARN_SERVER_PG_LISTEN="+ports[0],
		"TARN_SERVER_HTTP_LISTEN="+ports[1],
		"TARN_STORAGE_ALLOWED_LOCAL_ROOTS="+o.dir,
		"TARN_CLUSTER_SECRET=benchmark",
	)
	if err := node.Start(); err != nil {
		return "", err
	}
	c.nodes, c.pids = append(c.nodes, node), append(c.pids, node.Process.Pid)
	return gossip, nil
}

// await waits until all workers have joined.
func (c *cluster) await(ctx context.Context, workers int) error {
	if workers == 0 {
		return nil
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a, err := c.Run(ctx, "SELECT count(*) FROM system.nodes WHERE roles = 'worker' AND state = 'active'")
		switch {
		case err == nil && show(a.rows[0][0]) == strconv.Itoa(workers):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return errors.Join(fmt.Errorf("not all of %d workers have joined", workers), err)
		}
	}
}

func (c *cluster) Name() string { return "cluster" }

// Close ends the connection and the processes, workers first, and removes their data.
func (c *cluster) Close() error {
	err := c.tarn.Close()
	for i := len(c.nodes) - 1; i >= 0; i-- {
		node := c.nodes[i]
		node.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(10*time.Second, func() { node.Process.Kill() })
		node.Wait()
		killer.Stop()
	}
	for _, share := range c.shares {
		err = errors.Join(err, syscall.Rmdir(share))
	}
	if c.directory != "" {
		err = errors.Join(err, os.RemoveAll(c.directory))
	}
	return err
}
