package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestMain makes the test's own binary a stand-in for peers.py, when it is called as such.
func TestMain(m *testing.M) {
	if os.Getenv("BENCH_STAND_IN") != "" {
		standIn()
		return
	}
	os.Exit(m.Run())
}

// standIn answers "rows" with two rows and "wait" never; it fails all else.
func standIn() {
	fmt.Println(`{"version": "Stand-in 1"}`)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var request struct{ SQL string }
		json.Unmarshal(lines.Bytes(), &request)
		switch request.SQL {
		case "rows":
			fmt.Println(`{"seconds": 0.25, "cpu": 0.5, "rows": [["i1", null], ["i2", "sx"]]}`)
		case "wait":
			time.Sleep(time.Minute)
		default:
			fmt.Println(`{"error": "no such query"}`)
		}
	}
}

func TestPeer(t *testing.T) {
	t.Setenv("BENCH_STAND_IN", "1")
	p, err := startPeer(options{python: os.Args[0], folder: ".", threads: 1}, "duckdb")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := context.Background()
	a, err := p.Run(ctx, "rows")
	if err != nil || p.Version() != "Stand-in 1" || a.seconds != 0.25 || a.cpu != 0.5 {
		t.Errorf("%s gives %+v, %v", p.Version(), a, err)
	}
	if d := difference(table("i1|NULL", "i2|sx"), a.rows); d != "" {
		t.Error(d)
	}
	if _, err := p.Run(ctx, "other"); err == nil || err.Error() != "no such query" {
		t.Errorf("a query that fails: %v", err)
	}
	if _, err := p.Run(ctx, "rows"); err != nil {
		t.Errorf("after a query that failed: %v", err)
	}
	if peak, err := peakBytes(p.PIDs()[0]); err != nil || peak < 1<<20 {
		t.Errorf("peak memory %d, %v", peak, err)
	}
	brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := p.Run(brief, "wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a query that takes too long: %v", err)
	}
	if _, err := p.Run(ctx, "rows"); err == nil {
		t.Error("a peer that was killed answers")
	}
}

// scripted is an Engine whose answers and times are given.
type scripted struct {
	name    string
	answers map[string]answer
	times   []float64 // of its runs, one after the other
}

func (s *scripted) Name() string    { return s.name }
func (s *scripted) Version() string { return s.name + " 1.0" }
func (s *scripted) PIDs() []int     { return nil }
func (s *scripted) Close() error    { return nil }
func (s *scripted) Run(_ context.Context, sql string) (answer, error) {
	a, found := s.answers[sql]
	if !found {
		return answer{}, errors.New("syntax error at or near \"" + sql + "\"")
	}
	a.seconds, s.times = s.times[0], s.times[1:]
	a.cpu = 2 * a.seconds
	return a, nil
}

func TestMeasureAndReport(t *testing.T) {
	engines := []Engine{
		&scripted{"tarn", map[string]answer{
			"one": {rows: table("i1", "i2")}, "two": {rows: table("i5")}, "three": {rows: table("sx")},
		}, []float64{9, 1, 0.5, 0.6, 9, 2, 2, 2, 9, 1, 1, 1}},
		&scripted{"duckdb", map[string]answer{
			"one": {rows: table("i2", "i1")}, "two": {rows: table("i4")},
		}, []float64{9, 1, 1, 1, 9, 4, 5, 6}},
	}
	queries := []query{{1, "one"}, {2, "two"}, {3, "three"}}
	r, err := measure(context.Background(), engines, queries, 3, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	r.started = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	text := report(options{suite: "tpch", scale: "1", threads: 2, runs: 3}, r)
	for _, line := range []string{
		"## TPCH, scale 1, 2 threads",
		"- tarn: tarn 1.0, peak memory unknown",
		"| query | tarn s | ratio | duckdb s | tarn CPU s | ratio | duckdb CPU s | rows | answers |",
		"|---|---:|---:|---:|---:|---:|---:|---:|---|",
		"| Q1 | 0.500 | 0.50 | 1.000 | 1.400 | 0.70 | 2.000 | 2 | agree |",
		"| Q2 | 2.000 | 0.50 | 4.000 | 4.000 | 0.40 | 10.000 | 1 | **differ** |",
		"| Q3 | 1.000 | – | – | 2.000 | – | – | 0 | failed |",
		"| **total** | 2.500 | 0.50 | 5.000 | 5.400 | 0.45 | 12.000 | | |",
		"| **geometric mean** | 1.000 | 0.50 | 2.000 | 2.366 | 0.53 | 4.472 | | |",
		"- Q2, tarn: 2.000 s, WRONG: row 1, column 1: 5 instead of 4",
		"- Q3, duckdb: failed: syntax error at or near \"three\"",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the report lacks %q:\n%s", line, text)
		}
	}
}

// TestTarnAnswers reads rows of a scripted server.
func TestTarnAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go serveOnce(listener)
	ctx := context.Background()
	server, err := startServer(ctx, options{
		url: fmt.Sprintf("postgres://tarn@%s/tarn?sslmode=disable&pid=%d", listener.Addr(), os.Getpid()),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if pids := server.PIDs(); len(pids) != 1 || pids[0] != os.Getpid() {
		t.Errorf("the server's process is %d", pids)
	}
	a, err := server.Run(ctx, "select everything")
	if err != nil {
		t.Fatal(err)
	}
	if d := difference(table("i7|d1.50|f2.5|strue|s1995-01-01|NULL"), a.rows); d != "" || a.seconds <= 0 {
		t.Errorf("%s after %v s", d, a.seconds)
	}
}

// serveOnce answers every query of one client with the same row.
func serveOnce(listener net.Listener) {
	connection, err := listener.Accept()
	if err != nil {
		return
	}
	defer connection.Close()
	backend := pgproto3.NewBackend(connection, connection)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, isQuery := message.(*pgproto3.Query); !isQuery {
			return
		}
		description := &pgproto3.RowDescription{}
		for _, oid := range []uint32{20, 1700, 701, 16, 1082, 25} {
			description.Fields = append(description.Fields, pgproto3.FieldDescription{Name: []byte("c"), DataTypeOID: oid})
		}
		backend.Send(description)
		backend.Send(&pgproto3.DataRow{Values: [][]byte{
			[]byte("7"), []byte("1.50"), []byte("2.5"), []byte("t"), []byte("1995-01-01"), nil,
		}})
		backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

func TestParseStat(t *testing.T) {
	const line = "4242 (a (strange) name) S 1 4242 4242 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 9 0 1 1 1 1"
	if seconds, err := parseStat(line); err != nil || seconds != 1.75 {
		t.Errorf("%v s, %v", seconds, err)
	}
	if _, err := parseStat("4242 (x) S 1"); err == nil {
		t.Error("a short line is taken")
	}
	if seconds, err := cpuSeconds(os.Getpid()); err != nil || seconds < 0 {
		t.Errorf("this process: %v s, %v", seconds, err)
	}
}
