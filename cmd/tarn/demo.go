package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/tarnlake/tarn/cmd/tarn/demo"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/objstore"
)

type demoCommand struct {
	configFlags
	Storage string  `help:"Where the raw files and the warehouse go, such as s3://bucket/demo; default: the data directory." placeholder:"URL"`
	Workers int     `help:"Start so many worker processes, which run all queries; 0: this process runs them." placeholder:"N"`
	Days    int     `help:"Days of the shop." default:"7"`
	Scale   float64 `help:"How busy the shop is: 1 is 150,000 orders a day." default:"1"`
	Exit    bool    `help:"End after the dashboards instead of serving on."`
}

// Run makes the demonstration on a server of its own, in a new directory unless --data is given.
func (c *demoCommand) Run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP, os.Interrupt)
	defer stop()
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tarn-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	c.Data = ""
	flags, raw := c.flags(dir)
	loaded, err := c.load(flags)
	if err != nil {
		return err
	}
	running, err := serve(ctx, loaded, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return err
	}
	defer running.stop(5 * time.Second)
	address := running.node.Address()
	url := "postgres://demo@" + address + "/tarn?sslmode=disable"
	workers, err := c.startWorkers(running, loaded, dir, raw)
	defer workers.Stop(5 * time.Second)
	if err != nil {
		return err
	}
	if c.Workers > 0 {
		if err := workers.Await(ctx, url, 20*time.Second); err != nil {
			return err
		}
		fmt.Println(c.describe(loaded))
	}
	size := demo.DefaultSize().Times(c.Scale)
	size.Days = c.Days
	err = demo.Run(ctx, os.Stdout, demo.Options{URL: url, Stores: running.system.Stores, Raw: objstore.Canonical(raw), Size: size, Cluster: c.Workers > 0})
	if ctx.Err() != nil {
		return nil // somebody has seen enough
	}
	if err != nil || c.Exit || !isatty.IsTerminal(os.Stdout.Fd()) {
		return err
	}
	fmt.Printf("\nThe server goes on until Ctrl-C. In another terminal:\n\n  psql 'postgres://demo@%s/tarn'\n  tarn sql %s\n", address, address)
	if web := running.node.HTTPAddress(); web != "" {
		fmt.Printf("  curl http://%s/metrics\n", web)
	}
	return running.node.Wait(ctx)
}

// flags configure the demo's own server, and tell where the raw files go.
func (c *demoCommand) flags(dir string) (flags map[string]string, raw string) {
	flags = map[string]string{"server.data": filepath.Join(dir, "tarn")}
	raw = filepath.Join(dir, "raw")
	switch {
	case c.Storage != "":
		raw = strings.TrimRight(c.Storage, "/") + "/raw"
		flags["storage.warehouse"] = strings.TrimRight(c.Storage, "/") + "/warehouse"
	case c.Workers > 0:
		flags["storage.warehouse"] = filepath.Join(dir, "warehouse")
	}
	if listens(defaultAddress) { // somebody else's server stays what it is
		flags["server.pg_listen"], flags["server.http_listen"] = "127.0.0.1:0", "127.0.0.1:0"
	}
	if c.Workers > 0 {
		for key, value := range map[string]string{"cluster.role": "coordinator", "cluster.name": "coordinator", "cluster.gossip_listen": "127.0.0.1:0",
			"server.rpc_listen": "127.0.0.1:0", "cluster.secret": rand.Text()} {
			flags[key] = value
		}
	}
	return flags, raw
}

// startWorkers starts the worker processes. They share the machine: each has its part of memory and CPUs.
func (c *demoCommand) startWorkers(r *running, loaded *config.Loaded, dir, raw string) (*demo.Workers, error) {
	if c.Workers <= 0 {
		return &demo.Workers{}, nil
	}
	gossip, _ := r.membership.Addresses()
	memory := int64(loaded.Memory.MemoryLimit()) / int64(c.Workers+1)
	secret := []string{"TARN_CLUSTER_SECRET=" + loaded.Cluster.Secret} // a command line would show it
	return demo.StartWorkers(dir, c.Workers, secret, func(name, home string) []string {
		arguments := []string{"server", "--role", "worker", "--join", gossip, "--data", home}
		if c.Config != "" {
			arguments = append(arguments, "--config", c.Config)
		}
		set := map[string]string{"cluster.name": name, "cluster.gossip_listen": "127.0.0.1:0", "server.rpc_listen": "127.0.0.1:0",
			"server.http_listen": "", "storage.warehouse": loaded.Storage.Warehouse,
			"memory.limit": fmt.Sprintf("%dMB", memory>>20), "server.cpu_slots": fmt.Sprint(max(runtime.GOMAXPROCS(0)/c.Workers, 1))}
		if !objstore.IsRemote(raw) {
			set["storage.allowed_local_roots"] = dir
		}
		for key, value := range c.Set {
			set[key] = value
		}
		for key, value := range set {
			arguments = append(arguments, "--set", key+"="+value)
		}
		return arguments
	})
}

// describe names the parts of the cluster.
func (c *demoCommand) describe(loaded *config.Loaded) string {
	catalog, storage := "an embedded catalog", "local files"
	if strings.HasPrefix(loaded.Catalog.URL, "postgres") {
		catalog = "a catalog on PostgreSQL"
	}
	if c.Storage != "" {
		storage = c.Storage
	}
	return fmt.Sprintf("A coordinator and %d worker processes, %s, tables on %s", c.Workers, catalog, storage)
}
