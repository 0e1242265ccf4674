package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/tarnlake/tarn/cmd/tarn/demo"
	"github.com/tarnlake/tarn/internal/objstore"
)

type demoCommand struct {
	configFlags
	Storage string `help:"Where the raw files and the warehouse go, such as s3://bucket/demo; default: the data directory." placeholder:"URL"`
	Exit    bool   `help:"End after the dashboards instead of serving on."`
}

// Run makes the demonstration on a server of its own, in a new directory unless --data is given.
func (c *demoCommand) Run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tarn-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	flags := map[string]string{"server.data": filepath.Join(dir, "tarn")}
	c.Data = ""
	raw := filepath.Join(dir, "raw")
	if c.Storage != "" {
		raw = strings.TrimRight(c.Storage, "/") + "/raw"
		flags["storage.warehouse"] = strings.TrimRight(c.Storage, "/") + "/warehouse"
	}
	if listens(defaultAddress) { // somebody else's server stays what it is
		flags["server.pg_listen"], flags["server.http_listen"] = "127.0.0.1:0", "127.0.0.1:0"
	}
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
	if err := demo.Run(ctx, os.Stdout, "postgres://demo@"+address+"/tarn?sslmode=disable", running.system.Stores, objstore.Canonical(raw), demo.DefaultSize()); err != nil {
		return err
	}
	if c.Exit || !isatty.IsTerminal(os.Stdout.Fd()) {
		return nil
	}
	fmt.Printf("\nThe server goes on until Ctrl-C. In another terminal:\n\n  psql 'postgres://demo@%s/tarn'\n  tarn sql %s\n", address, address)
	if web := running.node.HTTPAddress(); web != "" {
		fmt.Printf("  curl http://%s/metrics\n", web)
	}
	return running.node.Wait(ctx)
}
