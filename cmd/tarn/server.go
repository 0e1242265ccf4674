package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/planner/parser"
)

// configFlags are the ways to change the configuration on the command line.
type configFlags struct {
	Config string            `help:"Configuration file (default: tarn.toml here, if there is one)." type:"existingfile" placeholder:"FILE"`
	Data   string            `help:"Data directory (server.data)." placeholder:"DIR"`
	Set    map[string]string `help:"Set a key of the configuration, such as memory.limit=4GB." placeholder:"KEY=VALUE" mapsep:"none"`
}

// load reads the configuration; more sets further keys.
func (f *configFlags) load(more map[string]string) (*config.Loaded, error) {
	flags := map[string]string{}
	for key, value := range more {
		flags[key] = value
	}
	for key, value := range f.Set {
		flags[key] = value
	}
	if f.Data != "" {
		flags["server.data"] = f.Data
	}
	return config.Load(config.Sources{File: f.Config, Environment: os.Environ(), Flags: flags})
}

type serverCommand struct {
	configFlags
	Listen     string `help:"Address of the PostgreSQL protocol (server.pg_listen)." placeholder:"HOST:PORT"`
	HTTPListen string `name:"http-listen" help:"Address of HTTP (server.http_listen)." placeholder:"HOST:PORT"`
	Role       string `help:"coordinator, worker or both (cluster.role)." placeholder:"ROLE"`
	Join       string `help:"Some nodes of the cluster (cluster.join)." placeholder:"HOST:PORT,…"`
}

// Where a node listens that is told to join others and not where.
const (
	anyGossip = "0.0.0.0:7946"
	anyRPC    = "0.0.0.0:8481"
)

// flags gives what the command line says of the configuration.
func (c *serverCommand) flags() map[string]string {
	flags := map[string]string{}
	for key, value := range map[string]string{"server.pg_listen": c.Listen, "server.http_listen": c.HTTPListen, "cluster.role": c.Role, "cluster.join": c.Join} {
		if value != "" {
			flags[key] = value
		}
	}
	return flags
}

// loadServer reads the configuration of a server: one that is told to join others takes part in the
// cluster on all addresses, unless it is told of other ones.
func (c *serverCommand) loadServer() (*config.Loaded, error) {
	flags := c.flags()
	if c.Role != "" || c.Join != "" {
		if _, set := c.Set["cluster.gossip_listen"]; !set && os.Getenv("TARN_CLUSTER_GOSSIP_LISTEN") == "" {
			flags["cluster.gossip_listen"] = anyGossip
		}
		if _, set := c.Set["server.rpc_listen"]; !set && os.Getenv("TARN_SERVER_RPC_LISTEN") == "" {
			flags["server.rpc_listen"] = anyRPC
		}
	}
	return c.load(flags)
}

// Run serves until the process is told to stop.
func (c *serverCommand) Run() error {
	loaded, err := c.loadServer()
	if err != nil {
		return err
	}
	log := newLogger(loaded.Log, os.Stderr)
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow is an error of its statement
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	running, err := serve(ctx, loaded, log, false)
	if err != nil {
		return err
	}
	facts := []any{"postgres", running.node.Address(), "http", running.node.HTTPAddress(), "version", versionText(),
		"memory_limit", loaded.Memory.MemoryLimit().String(), "data", running.system.Data}
	if m := running.membership; m != nil {
		gossip, rpc := m.Addresses()
		facts = append(facts, "role", loaded.Cluster.Role, "gossip", gossip, "rpc", rpc)
	}
	log.Info("ready", facts...)
	if m := running.membership; m != nil {
		go func() {
			select {
			case <-m.Drained():
				stop()
			case <-ctx.Done():
			}
		}()
	}
	err = running.node.Wait(ctx)
	stop() // a second signal ends the process at once
	log.Info("stopping", "running statements may take", loaded.Server.DrainTimeout.String())
	running.stop(time.Duration(loaded.Server.DrainTimeout))
	return err
}

// running is a server in this process.
type running struct {
	node       *node.Node
	system     *wiring.System
	membership *wiring.Membership // nil outside clusters
}

// serve opens the engine and the listeners. anyPath lets SQL name every file of the machine.
func serve(ctx context.Context, loaded *config.Loaded, log *slog.Logger, anyPath bool) (*running, error) {
	entries := loaded.Entries()
	c := withThreads(loaded.Config)
	system, err := wiring.Open(ctx, wiring.Options{Config: c, Entries: entries, AnyPath: anyPath, Log: log})
	if err != nil {
		return nil, err
	}
	system.BoundMemory()
	n, err := node.Start(context.WithoutCancel(ctx), node.Options{Config: c, Version: versionText(), Engine: system.Engine,
		Parse: parser.Parse, Spools: system.Spools(c), Passwords: system.Accounts(), Defaults: system.Accounts().Defaults, Observe: system.Observe, Log: log,
		Storage: system.StorageUsage, Caches: system.Caches, Load: func() node.Load {
			memory, worked, coordinated := system.Load()
			return node.Load{Memory: memory, Worked: worked, Coordinated: coordinated}
		}, Listen: true})
	if err != nil {
		_ = system.Close()
		return nil, err
	}
	system.UseNode(n)
	out := &running{node: n, system: system}
	if c.ClusterActive() {
		if out.membership, err = system.Enter(c, versionText(), log); err != nil {
			out.stop(0)
			return nil, err
		}
	}
	return out, nil
}

// withThreads gives the process the threads that its CPU slots need, and the configuration with their
// number in it.
func withThreads(c *config.Config) *config.Config {
	own := *c
	if own.Server.CPUSlots == 0 {
		own.Server.CPUSlots = runtime.GOMAXPROCS(0)
	}
	if wanted := own.Server.CPUSlots + slots.Extra(own.Server.CPUSlots); wanted > runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(wanted)
	}
	return &own
}

// stop lets running statements finish within a time and closes everything.
func (r *running) stop(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if r.membership != nil { // other nodes send no new work while statements and tasks end
		r.membership.Drain()
	}
	r.node.Quiesce(ctx)
	if r.membership != nil {
		r.membership.Leave(ctx)
	}
	r.node.Close()
	if err := r.system.Close(); err != nil {
		fmt.Fprintf(os.Stderr, "tarn: %s\n", err)
	}
}

func newLogger(c config.Log, w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	options := &slog.HandlerOptions{Level: levels[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
