package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// tarn is an Engine: a server, and one connection to it.
type tarn struct {
	name       string
	server     *exec.Cmd     // nil for a server that was running already
	directory  string        // the server's own data, removed in the end
	pids       []int         // of the server, and of its workers
	address    string        // for further connections
	ready      time.Duration // from the start to the first answer
	connection *pgconn.PgConn
	version    string
}

// startTarn gives an engine that knows the files of the data folder as tables.
func startTarn(ctx context.Context, o options) (*tarn, error) {
	t, err := startServer(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := t.define(ctx, o); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// startTables is startTarn with tables of its own, copied from the files, in the format that name tells.
func startTables(ctx context.Context, o options, name string) (*tarn, error) {
	_, format, _ := strings.Cut(name, "-")
	o.setup = "CREATE TABLE {table} STORED AS " + strings.ToUpper(format) + " AS SELECT * FROM read_parquet('{path}')"
	t, err := startTarn(ctx, o)
	if err != nil {
		return nil, err
	}
	t.name = name
	return t, nil
}

// define makes the files of the data folder known as tables.
func (t *tarn) define(ctx context.Context, o options) error {
	paths, err := filepath.Glob(filepath.Join(o.dir, "*.parquet"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".parquet")
		statement := strings.NewReplacer("{table}", name, "{path}", path).Replace(o.setup)
		if _, err := t.Run(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// startServer starts a server, or takes the one that the flags name, and connects.
func startServer(ctx context.Context, o options) (*tarn, error) {
	t := &tarn{name: "tarn", version: "tarn"}
	address := o.url
	if address == "" {
		var err error
		if address, err = t.launch(o); err != nil {
			return nil, err
		}
	} else if parsed, err := url.Parse(address); err != nil {
		return nil, err
	} else {
		values := parsed.Query()
		if pid, err := strconv.Atoi(values.Get("pid")); err == nil {
			t.pids = []int{pid}
		}
		values.Del("pid")
		parsed.RawQuery = values.Encode()
		address = parsed.String()
	}
	t.address = address
	if err := t.connect(ctx, address); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// launch starts a server on a free port, with a data folder of its own.
func (t *tarn) launch(o options) (address string, err error) {
	if t.directory, err = os.MkdirTemp("", "tarn-bench-"); err != nil {
		return "", err
	}
	var ports [2]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return "", err
		}
	}
	command := []string{o.tarn, "server", "--data", t.directory}
	if o.cpu != nil {
		command = append([]string{"taskset", "-c", strconv.Itoa(*o.cpu)}, command...)
	}
	t.server = exec.Command(command[0], command[1:]...)
	t.server.Stdout, t.server.Stderr = os.Stderr, os.Stderr
	t.server.Env = append(os.Environ(),
		"GOMAXPROCS="+strconv.Itoa(o.threads),
		"TARN_SERVER_PG_LISTEN="+ports[0],
		"TARN_SERVER_HTTP_LISTEN="+ports[1],
		"TARN_STORAGE_ALLOWED_LOCAL_ROOTS="+o.dir,
	)
	t.server.Env = append(t.server.Env, o.environment...)
	if err := t.server.Start(); err != nil {
		os.RemoveAll(t.directory)
		return "", err
	}
	t.pids = []int{t.server.Process.Pid}
	return "postgres://tarn@" + ports[0] + "/tarn?sslmode=disable", nil
}

// freePort gives a loopback address that nothing listens on now.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// connect waits up to ten seconds for the server.
func (t *tarn) connect(ctx context.Context, address string) error {
	started := time.Now()
	deadline := started.Add(10 * time.Second)
	for {
		connection, err := pgconn.Connect(ctx, address)
		if err == nil {
			t.connection = connection
			break
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("no tarn server answers: %w", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if a, err := t.Run(ctx, "SELECT version()"); err == nil && len(a.rows) == 1 && a.rows[0][0] != nil {
		t.version = show(a.rows[0][0])
	}
	t.ready = time.Since(started)
	return nil
}

func (t *tarn) Name() string    { return t.name }
func (t *tarn) Version() string { return t.version }
func (t *tarn) PIDs() []int     { return t.pids }

// Run sends a statement by the simple protocol and reads all rows as text. The CPU time is that of the server and its workers.
func (t *tarn) Run(ctx context.Context, sql string) (answer, error) {
	var a answer
	before := t.cpu()
	start := time.Now()
	reader := t.connection.Exec(ctx, sql)
	for reader.NextResult() {
		result := reader.ResultReader()
		fields := result.FieldDescriptions()
		kinds := make([]byte, len(fields))
		for i, f := range fields {
			kinds[i] = kindOf(f.DataTypeOID)
		}
		for result.NextRow() {
			a.rows = append(a.rows, textRow(result.Values(), kinds))
		}
	}
	err := reader.Close()
	a.seconds = time.Since(start).Seconds()
	a.cpu = t.cpu() - before
	return a, err
}

func (t *tarn) cpu() float64 {
	sum := 0.0
	for _, pid := range t.pids {
		seconds, _ := cpuSeconds(pid)
		sum += seconds
	}
	return sum
}

// kindOf gives the kind of a cell from its type.
func kindOf(oid uint32) byte {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return 'i'
	case pgtype.NumericOID:
		return 'd'
	case pgtype.Float4OID, pgtype.Float8OID:
		return 'f'
	case pgtype.BoolOID:
		return 'b'
	}
	return 's'
}

func textRow(values [][]byte, kinds []byte) []cell {
	row := make([]cell, len(values))
	for i, value := range values {
		if value == nil {
			continue
		}
		text := string(kinds[i]) + string(value)
		switch text { // PostgreSQL's booleans, as peers.py writes them
		case "bt":
			text = "strue"
		case "bf":
			text = "sfalse"
		}
		row[i] = &text
	}
	return row
}

// Close ends the connection, and the server if this command has started it.
func (t *tarn) Close() error {
	if t.connection != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		t.connection.Close(ctx)
	}
	if t.server == nil {
		return nil
	}
	defer os.RemoveAll(t.directory)
	t.server.Process.Signal(syscall.SIGTERM)
	killer := time.AfterFunc(10*time.Second, func() { t.server.Process.Kill() })
	defer killer.Stop()
	return t.server.Wait()
}
