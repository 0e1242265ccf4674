package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
)

type nodeCommand struct {
	List  nodeListCommand  `cmd:"" help:"Show the nodes of the cluster that a server belongs to."`
	Drain nodeDrainCommand `cmd:"" help:"Let a node take no new work, finish what it runs, and end."`
}

type nodeListCommand struct {
	URL string `arg:"" optional:"" help:"Server, such as postgres://user@host:5439/db or host:5439." env:"TARN_URL"`
}

// Run shows system.nodes.
func (c *nodeListCommand) Run() error {
	query := sqlCommand{URL: c.URL, Format: "table", Command: []string{
		"SELECT name, address, roles, state, version, cpus, cpu_busy, memory_limit, memory_used, running_tasks FROM system.nodes ORDER BY name"}}
	return query.Run()
}

type nodeDrainCommand struct {
	configFlags
	Address string `arg:"" help:"The node's address, as 'tarn node list' shows it." placeholder:"HOST:PORT"`
}

// Run asks the node; the cluster's secret comes from the configuration.
func (c *nodeDrainCommand) Run() error {
	loaded, err := c.load(nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := wiring.Drain(ctx, loaded.Cluster, c.Address); err != nil {
		return err
	}
	fmt.Printf("%s takes no new work and ends when it is idle\n", c.Address)
	return nil
}
