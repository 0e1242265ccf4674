// Command tarn is a query engine for data lakes: server, shell and tools in one binary.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	_ "time/tzdata" // time zones, where the machine has none

	"github.com/alecthomas/kong"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// version is set by the linker.
var version = "dev"

// Exit statuses.
const (
	exitFailure = 1
	exitUsage   = 2
)

// cli is the command line.
type cli struct {
	Server     serverCommand     `cmd:"" help:"Run a server: PostgreSQL protocol, metrics and health."`
	SQL        sqlCommand        `cmd:"" name:"sql" help:"Run SQL: a shell, commands or scripts, on a server or in this process."`
	Demo       demoCommand       `cmd:"" help:"Make a small warehouse, run its nightly job and its dashboards, and go on serving."`
	Config     configCommand     `cmd:"" help:"Show every setting with its value, its origin and its meaning."`
	Doctor     doctorCommand     `cmd:"" help:"Check ports, directories, memory, catalog and certificates, and say how to fix them."`
	Node       nodeCommand       `cmd:"" help:"Show or drain the nodes of a cluster."`
	User       userCommand       `cmd:"" help:"Make a line for [auth.users] of tarn.toml from a name and a password."`
	Completion completionCommand `cmd:"" help:"Print a completion script for bash, zsh or fish."`
	Version    versionCommand    `cmd:"" help:"Show the version."`
	Docs       docsCommand       `cmd:"" hidden:"" help:"Print documentation that is generated from the code."`
}

func main() {
	var commands cli
	parser, err := kong.New(&commands, kong.Name("tarn"), kong.Description("SQL over partitioned lake tables, in one binary."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(status int) {
			if status != 0 {
				status = exitUsage
			}
			os.Exit(status)
		}))
	if err != nil {
		fail(err)
	}
	context, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := context.Run(parser); err != nil {
		fail(err)
	}
}

// exitStatus ends the process with a status and without a message.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// fail prints an error, with its hint, and ends the process.
func fail(err error) {
	var status exitStatus
	if errors.As(err, &status) {
		os.Exit(int(status))
	}
	fmt.Fprintf(os.Stderr, "tarn: %s\n", err)
	var known *sqlerr.Error
	if errors.As(err, &known) {
		if known.Detail != "" {
			fmt.Fprintf(os.Stderr, "  %s\n", known.Detail)
		}
		if known.Hint != "" {
			fmt.Fprintf(os.Stderr, "  %s\n", known.Hint)
		}
	}
	os.Exit(exitFailure)
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	fmt.Printf("tarn %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// versionText is the linked version, or the commit that the toolchain noted.
func versionText() string {
	if version != "dev" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "dev-" + s.Value[:12]
			}
		}
	}
	return version
}
