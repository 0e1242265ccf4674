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

// cluster is an Engine: a coordinator that runs no tasks, and workers of one thread, each kept to a CPU of its own.
type cluster struct {
	*tarn
	workers []*exec.Cmd
}

// startCluster starts a coordinator and its workers, and waits until they know each other.
func startCluster(ctx context.Context, o options) (*cluster, error) {
	c := &cluster{tarn: &tarn{version: "tarn"}}
	if err := c.launch(o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.connect(ctx, c.address); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a, err := c.Run(ctx, "SELECT count(*) FROM system.nodes WHERE roles = 'worker' AND state = 'active'")
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		if show(a.rows[0][0]) == strconv.Itoa(o.workers) {
			break
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("%s of %d workers have joined", show(a.rows[0][0]), o.workers), c.Close())
		}
	}
	if err := c.define(ctx, o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.version += fmt.Sprintf(", %d workers of one thread", o.workers)
	return c, nil
}

func (c *cluster) launch(o options) (err error) {
	if c.directory, err = os.MkdirTemp("", "tarn-bench-"); err != nil {
		return err
	}
	gossip := ""
	for i := range o.workers + 1 {
		var ports [4]string
		for p := range ports {
			if ports[p], err = freePort(); err != nil {
				return err
			}
		}
		server := []string{
			o.tarn, "server", "--data", filepath.Join(c.directory, strconv.Itoa(i)),
			"--set", "cluster.gossip_listen=" + ports[2], "--set", "server.rpc_listen=" + ports[3],
		}
		threads := o.threads
		if i == 0 {
			gossip = ports[2]
			c.address = "postgres://tarn@" + ports[0] + "/tarn?sslmode=disable"
			server = append(server, "--role", "coordinator")
		} else {
			threads = 1
			server = append(server, "--role", "worker", "--join", gossip)
			server = append([]string{"taskset", "-c", strconv.Itoa((i - 1) % runtime.NumCPU())}, server...)
		}
		process := exec.Command(server[0], server[1:]...)
		process.Stdout, process.Stderr = os.Stderr, os.Stderr
		process.Env = append(os.Environ(),
			"GOMAXPROCS="+strconv.Itoa(threads),
			"TARN_SERVER_PG_LISTEN="+ports[0],
			"TARN_SERVER_HTTP_LISTEN="+ports[1],
			"TARN_STORAGE_ALLOWED_LOCAL_ROOTS="+o.dir,
			"TARN_CLUSTER_SECRET=benchmark",
		)
		if err := process.Start(); err != nil {
			return err
		}
		c.pids = append(c.pids, process.Process.Pid)
		if i == 0 {
			c.server = process
		} else {
			c.workers = append(c.workers, process)
		}
	}
	return nil
}

func (c *cluster) Name() string { return "cluster" }

// Close ends all processes.
func (c *cluster) Close() error {
	for _, w := range c.workers {
		w.Process.Signal(syscall.SIGKILL)
		w.Wait()
	}
	return c.tarn.Close()
}
