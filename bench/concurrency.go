package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/endless"
)

// This file measures a server with many clients: how much fifty get done beside four, how evenly
// they are served, how soon a cancelled or abandoned statement is gone, and what a slow reader costs.

// mixed are the short statements, as dashboards and psql send them.
var mixed = []string{
	"SELECT 1",
	"SELECT count(*) FROM numbers",
	"SELECT name FROM numbers WHERE n = 7 AND day = DATE '2018-08-04'",
	"SELECT n % 10, count(*) FROM numbers WHERE day = DATE '2018-08-01' GROUP BY 1 ORDER BY 1",
	"SELECT a.name FROM numbers a JOIN numbers b ON a.n = b.n + 1 WHERE a.n < 100 AND a.day = DATE '2018-08-02' ORDER BY a.n LIMIT 5",
}

// The many send as many statements together as the few.
const fewClients, manyClients = 4, 50

// concurrency runs all of it and writes the figures.
func concurrency(ctx context.Context, o options, out io.Writer) error {
	t, err := startServer(ctx, o)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.footprint(ctx, o, out); err != nil {
		return err
	}
	if _, err := t.Run(ctx, endless.Setup); err != nil {
		return err
	}
	if _, err := t.load(ctx, manyClients, 4); err != nil { // warm
		return err
	}
	var few, many []pass
	for range o.runs {
		for _, clients := range []int{fewClients, manyClients} {
			p, err := t.load(ctx, clients, manyClients*o.each/clients)
			if err != nil {
				return err
			}
			if clients == fewClients {
				few = append(few, p)
			} else {
				many = append(many, p)
			}
		}
	}
	a, b := best(few), best(many)
	fmt.Fprintf(out, "| clients | queries/s | p50 | p99 | p99 ÷ p50 |\n|---:|---:|---:|---:|---:|\n")
	for _, p := range []pass{a, b} {
		fmt.Fprintf(out, "| %d | %.0f | %s | %s | %.1f |\n", p.clients, p.rate, milliseconds(p.p50), milliseconds(p.p99), float64(p.p99)/float64(p.p50))
	}
	fmt.Fprintf(out, "\nThroughput of %d clients: %.2f of that of %d.\n\n", manyClients, b.rate/a.rate, fewClients)
	if err := t.cancels(ctx, out); err != nil {
		return err
	}
	return t.slowReader(ctx, out)
}

// footprint tells what an idle server takes. It must be asked first.
func (t *tarn) footprint(ctx context.Context, o options, out io.Writer) error {
	if len(t.pids) == 0 {
		return nil
	}
	idle, err := residentBytes(t.pids[0])
	if err != nil {
		return err
	}
	for range 100 {
		c, err := pgconn.Connect(ctx, t.address)
		if err != nil {
			return err
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, "SELECT 1").ReadAll(); err != nil {
			return err
		}
	}
	crowded, err := residentBytes(t.pids[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "From the start of the process to the first answer %s; idle %d MB, 100 connections %d MB more.\n", milliseconds(t.ready), idle>>20, (crowded-idle)>>20)
	if info, err := os.Stat(o.tarn); err == nil && t.server != nil {
		fmt.Fprintf(out, "The binary has %d MB.\n", info.Size()>>20)
	}
	_, err = fmt.Fprintln(out)
	return err
}

// pass is one run of many clients.
type pass struct {
	clients  int
	rate     float64 // statements a second
	p50, p99 time.Duration
}

// best gives the pass with the greatest rate.
func best(passes []pass) pass {
	return slices.MaxFunc(passes, func(a, b pass) int { return int(a.rate - b.rate) })
}

// load has clients send statements one after the other.
func (t *tarn) load(ctx context.Context, clients, each int) (pass, error) {
	took := make([][]time.Duration, clients)
	failed := make(chan error, clients)
	connections := make([]*pgconn.PgConn, clients)
	for i := range connections {
		c, err := pgconn.Connect(ctx, t.address)
		if err != nil {
			return pass{}, err
		}
		defer c.Close(ctx)
		connections[i] = c
	}
	var wait sync.WaitGroup
	start := time.Now()
	for i, c := range connections {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for q := range each {
				sent := time.Now()
				if _, err := c.Exec(ctx, mixed[(i+q)%len(mixed)]).ReadAll(); err != nil {
					failed <- err
					return
				}
				took[i] = append(took[i], time.Since(sent))
			}
		}()
	}
	wait.Wait()
	elapsed := time.Since(start)
	select {
	case err := <-failed:
		return pass{}, err
	default:
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return pass{clients, float64(len(all)) / elapsed.Seconds(), all[len(all)/2], all[len(all)*99/100]}, nil
}

// cancels measures from the request to the error, and from a lost connection to the end of its statement.
func (t *tarn) cancels(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "| under way | plan node | cancelled after | abandoned after |\n|---|---|---:|---:|\n")
	var worst time.Duration
	for _, st := range endless.Statements {
		cancelled, err := t.cancel(ctx, st.SQL)
		if err != nil {
			return fmt.Errorf("%s: %w", st.Doing, err)
		}
		abandoned, err := t.abandon(ctx, st.SQL)
		if err != nil {
			return fmt.Errorf("%s: %w", st.Doing, err)
		}
		worst = max(worst, cancelled, abandoned)
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", st.Doing, st.Kind, milliseconds(cancelled), milliseconds(abandoned))
	}
	fmt.Fprintf(out, "\nThe slowest took %s.\n\n", milliseconds(worst))
	return nil
}

// underWay is how long a statement runs before it is cancelled.
const underWay = 300 * time.Millisecond

func (t *tarn) cancel(ctx context.Context, sql string) (time.Duration, error) {
	c, err := pgconn.Connect(ctx, t.address)
	if err != nil {
		return 0, err
	}
	defer c.Close(ctx)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, sql).ReadAll()
		failed <- err
	}()
	time.Sleep(underWay)
	start := time.Now()
	for {
		if err := c.CancelRequest(ctx); err != nil {
			return 0, err
		}
		select {
		case err := <-failed:
			if err == nil || !strings.Contains(err.Error(), "57014") {
				return 0, fmt.Errorf("not cancelled: %v", err)
			}
			return time.Since(start), nil
		case <-time.After(5 * time.Second): // the request came before its statement
		}
	}
}

func (t *tarn) abandon(ctx context.Context, sql string) (time.Duration, error) {
	c, err := pgconn.Connect(ctx, t.address)
	if err != nil {
		return 0, err
	}
	pid := c.PID()
	go c.Exec(ctx, sql).ReadAll()
	time.Sleep(underWay)
	start := time.Now()
	c.Conn().Close()
	for {
		a, err := t.Run(ctx, fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE pid = %d", pid))
		if err != nil {
			return 0, err
		}
		if took := time.Since(start); *a.rows[0][0] == "i0" || took > 30*time.Second {
			return took, nil
		}
	}
}

// slowReader asks for ten million rows and reads few of them a second.
func (t *tarn) slowReader(ctx context.Context, out io.Writer) error {
	if len(t.pids) == 0 {
		return nil
	}
	if _, err := t.Run(ctx, "SELECT count(*) FROM generate_series(1, 1000000) g(i)"); err != nil {
		return err
	}
	c, err := pgconn.Connect(ctx, t.address)
	if err != nil {
		return err
	}
	defer c.Conn().Close()
	before, err := residentBytes(t.pids[0])
	if err != nil {
		return err
	}
	rows := c.Exec(ctx, "SELECT i, i * 2, 'some text of row ' || i FROM generate_series(1, 10000000) g(i)")
	rows.NextResult()
	result, grown := rows.ResultReader(), int64(0)
	for start := time.Now(); time.Since(start) < 3*time.Second && result.NextRow(); time.Sleep(time.Millisecond) {
		now, err := residentBytes(t.pids[0])
		if err != nil {
			return err
		}
		grown = max(grown, now-before)
	}
	_, err = fmt.Fprintf(out, "While a client reads 10 M rows slowly the server grows by %d MB.\n", grown>>20)
	return err
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
