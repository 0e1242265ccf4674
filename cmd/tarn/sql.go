package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/shell"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
)

// defaultAddress is where a server listens that was told nothing.
const defaultAddress = "127.0.0.1:5439"

type sqlCommand struct {
	URL     string   `arg:"" optional:"" help:"Server, such as postgres://user@host:5439/db or host:5439. Without one: the server on this machine, or else an engine in this process." env:"TARN_URL"`
	Command []string `short:"c" help:"Run SQL and leave; may be repeated." placeholder:"SQL" sep:"none"`
	File    []string `short:"f" help:"Run a script and leave; - is standard input; may be repeated." placeholder:"FILE" sep:"none"`
	Format  string   `help:"Format of results: ${enum}." enum:"table,vertical,csv,tsv,json,markdown" default:"table"`
	Output  string   `short:"o" help:"Write results to a file." placeholder:"FILE"`
	Data    string   `help:"Run an engine in this process on this data directory; no server may be using it." placeholder:"DIR"`
}

// Run runs the shell.
func (c *sqlCommand) Run() (err error) {
	ctx := context.Background()
	connect, banner, closeEngine, err := c.connector(ctx)
	if err != nil {
		return err
	}
	defer closeEngine()
	options := shell.Options{Connect: connect, Commands: c.Command, Files: c.File, Format: c.Format, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Banner: banner, ErrTerminal: isatty.IsTerminal(os.Stderr.Fd()), Color: os.Getenv("NO_COLOR") == "", History: historyFile(), Pager: pager()}
	options.Interactive = len(c.Command)+len(c.File) == 0 && isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stdout.Fd()) && c.Output == ""
	if c.Output != "" {
		file, err := os.Create(c.Output)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		options.Out = file
	}
	if status := shell.Run(ctx, options); status != 0 {
		closeEngine()
		return exitStatus(status)
	}
	return nil
}

type connectFunc = func(context.Context, pgconn.NoticeHandler) (*pgconn.PgConn, error)

// connector says how to reach an engine: the URL's server, the one on the default port, or one in
// this process.
func (c *sqlCommand) connector(ctx context.Context) (connect connectFunc, banner string, done func(), err error) {
	const help = `Type SQL that ends with a semicolon, \? for help, \q to leave.` + "\n"
	target := c.URL
	if target == "" && c.Data == "" && listens(defaultAddress) {
		target = "postgres://" + defaultAddress
	}
	if target == "" {
		connect, done, err = c.embedded(ctx)
		where := "everything is kept in memory"
		if c.Data != "" {
			where = "data in " + c.Data
		}
		return connect, fmt.Sprintf("tarn %s, engine in this process: %s.\n%s", versionText(), where, help), done, err
	}
	settings, err := parseURL(target)
	if err != nil {
		return nil, "", nil, err
	}
	connect = func(ctx context.Context, notice pgconn.NoticeHandler) (*pgconn.PgConn, error) {
		settings.OnNotice = notice
		conn, err := pgconn.ConnectConfig(ctx, settings)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == "28P01" && settings.Password == "" && isatty.IsTerminal(os.Stdin.Fd()) {
			if settings.Password, err = askPassword(fmt.Sprintf("Password for user %s: ", settings.User)); err != nil {
				return nil, err
			}
			return pgconn.ConnectConfig(ctx, settings)
		}
		return conn, err
	}
	return connect, fmt.Sprintf("tarn %s, connected to %s:%d.\n%s", versionText(), settings.Host, settings.Port, help), func() {}, nil
}

func listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// parseURL reads a URL, "host:port/db" or libpq's keywords; the port is ours unless one is given.
func parseURL(target string) (*pgconn.Config, error) {
	if !strings.Contains(target, "://") && !strings.Contains(target, "=") {
		target = "postgres://" + target
	}
	if rest, found := strings.CutPrefix(target, "tarn://"); found {
		target = "postgres://" + rest
	}
	settings, err := pgconn.ParseConfig(target)
	if err != nil {
		return nil, err
	}
	hasPort := os.Getenv("PGPORT") != "" || strings.Contains(target, "port=")
	if parsed, err := url.Parse(target); err == nil && parsed.Port() != "" {
		hasPort = true
	}
	if !hasPort {
		settings.Port = 5439
		for _, fallback := range settings.Fallbacks {
			fallback.Port = 5439
		}
	}
	settings.RuntimeParams["application_name"] = "tarn sql"
	return settings, nil
}

// embedded opens an engine in this process. The configuration counts, but for where the catalog is.
func (c *sqlCommand) embedded(ctx context.Context) (connectFunc, func(), error) {
	loaded, err := config.Load(config.Sources{Environment: os.Environ()})
	if err != nil {
		return nil, nil, err
	}
	settings := loaded.Config
	settings.Server.Data, settings.Catalog.URL = c.Data, ""
	if c.Data == "" { // tables end with the process, and so must their files
		settings.Storage.Warehouse = ""
	}
	system, err := wiring.Open(ctx, wiring.Options{Config: settings, Entries: loaded.Entries(), InMemory: c.Data == "", AnyPath: true})
	if err != nil {
		return nil, nil, err
	}
	system.BoundMemory()
	n, err := node.Start(ctx, node.Options{Config: settings, Version: versionText(), Engine: system.Engine, Parse: parser.Parse,
		Spools: system.Spools(settings), Defaults: system.Accounts().Defaults, Observe: system.Observe})
	if err != nil {
		_ = system.Close()
		return nil, nil, err
	}
	system.UseNode(n)
	user := os.Getenv("USER")
	if user == "" {
		user = "tarn"
	}
	connection, err := pgconn.ParseConfig("postgres://" + url.QueryEscape(user) + "@inside/tarn?sslmode=disable")
	if err != nil {
		return nil, nil, err
	}
	connection.RuntimeParams["application_name"] = "tarn sql"
	connection.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"inside"}, nil }
	connection.DialFunc = func(context.Context, string, string) (net.Conn, error) { return n.Pipe(), nil }
	connect := func(ctx context.Context, notice pgconn.NoticeHandler) (*pgconn.PgConn, error) {
		with := connection.Copy()
		with.OnNotice = notice
		return pgconn.ConnectConfig(ctx, with)
	}
	closed := false
	return connect, func() {
		if closed {
			return
		}
		closed = true
		limited, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.Stop(limited)
		_ = system.Close()
	}, nil
}

// askPassword reads a line from the terminal without showing it.
func askPassword(prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	fd := int(os.Stdin.Fd())
	saved, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		quiet := *saved
		quiet.Lflag &^= unix.ECHO
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
			return "", err
		}
		defer func() {
			_ = unix.IoctlSetTermios(fd, unix.TCSETS, saved)
			fmt.Fprintln(os.Stderr)
		}()
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func historyFile() string {
	if file, set := os.LookupEnv("TARN_HISTORY"); set {
		return file
	}
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "tarn", "history")
}

func pager() string {
	if command, set := os.LookupEnv("PAGER"); set {
		return command
	}
	if _, err := os.Stat("/usr/bin/less"); err == nil {
		return "less"
	}
	return ""
}
