package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// This file measures what resource groups isolate: the latency of people's queries while two loops of
// CREATE TABLE AS keep every core busy, and what is left to the loops. It runs against one server, and
// against a coordinator with three workers.

// asked are the people's queries, of about 300 ms each at scale 1 on two cores.
var asked = []string{
	`SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice * (1 - l_discount)), count(*)
	 FROM lineitem WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2 ORDER BY 1, 2`,
	`SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM customer, orders, lineitem, nation
	 WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND c_nationkey = n_nationkey
	 AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1996-01-01' GROUP BY 1 ORDER BY revenue DESC`,
	`SELECT o_orderpriority, count(*) FROM orders WHERE EXISTS (SELECT FROM lineitem WHERE l_orderkey = o_orderkey
	 AND l_commitdate < l_receiptdate) GROUP BY 1 ORDER BY 1`,
}

// loops are what the two loops of etl make tables of.
var loops = []string{
	`SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_shipdate, l_shipmode, l_comment FROM lineitem WHERE l_orderkey % 2 = 0`,
	`SELECT l_orderkey, l_suppkey, o_custkey, o_orderdate, l_extendedprice, l_discount, l_comment FROM lineitem JOIN orders ON l_orderkey = o_orderkey WHERE l_orderkey % 3 = 0`,
}

// hog needs far more memory than a query of its group may have.
const hog = `SELECT count(*) FROM (SELECT DISTINCT l_orderkey, l_partkey, l_suppkey, l_comment FROM lineitem) d`

// offered is the part of the time during which one of the people's queries would run on an idle server.
const offered = 0.2

// isolation measures one server and then a cluster.
func isolation(ctx context.Context, o options, out io.Writer) error {
	fmt.Fprintf(out, "Queries of people come at random times, as many as keep an idle server busy for %.0f %% of the time, beside two loops of CREATE TABLE AS. %s each.\n\n", 100*offered, o.span)
	for place := range strings.SplitSeq(o.on, ",") {
		workers, known := map[string]int{"server": 0, "cluster": 3}[place]
		if !known {
			return fmt.Errorf("%q is neither server nor cluster", place)
		}
		if err := isolationOn(ctx, o, workers, out); err != nil {
			return fmt.Errorf("on a %s: %w", place, err)
		}
	}
	return nil
}

// isolationOn measures a server, or a coordinator with workers.
func isolationOn(ctx context.Context, o options, workers int, out io.Writer) error {
	t, err := startIsolated(ctx, o, workers)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.define(ctx, o); err != nil {
		return err
	}
	where := "one server"
	if workers > 0 {
		where = fmt.Sprintf("a coordinator and %d workers", workers)
	}
	gap, err := t.calibrate(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "On %s (one query alone: %s on average, one sent every %s):\n\n", where, milliseconds(time.Duration(offered*float64(gap))), milliseconds(gap))
	fmt.Fprintf(out, "| | queries | p50 | p95 | p95 ÷ idle | tables made | of those alone |\n|---|---:|---:|---:|---:|---:|---:|\n")
	var idle, alone phase
	for _, p := range []struct {
		short, name    string
		people         bool
		etl            string // the loops' group; "" is no loops
		hog            bool
		keptIdle, kept bool
	}{
		{short: "idle", name: "idle", people: true, keptIdle: true},
		{short: "etl", name: "etl alone", etl: "etl", kept: true},
		{short: "groups", name: "both, by groups", people: true, etl: "etl"},
		{short: "one", name: "both, in one group", people: true, etl: "adhoc"},
		{short: "hog", name: "beside a memory hog", people: true, hog: true},
	} {
		if !slices.Contains(strings.Split(o.mixtures, ","), p.short) {
			continue
		}
		got, err := t.phase(ctx, o.span, gap, p.people, p.etl, p.hog)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if p.keptIdle {
			idle = got
		}
		if p.kept {
			alone = got
		}
		got.print(out, p.name, idle, alone)
	}
	if workers == 0 {
		if err := t.waits(ctx, out); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out)
	return err
}

// waits tells how long the groups' drivers waited for a CPU slot.
func (t *cluster) waits(ctx context.Context, out io.Writer) error {
	a, err := t.Run(ctx, `SELECT name, round(cpu_ms / 1000.0), cpu_waits, round(cpu_wait_ms / greatest(cpu_waits, 1)), round(longest_cpu_wait_ms)
		FROM system.resource_groups WHERE cpu_ms > 0 ORDER BY name`)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, row := range a.rows {
		fmt.Fprintf(out, "%s computed for %s s and waited %s times for a CPU slot, %s ms on average, %s ms at most. ", show(row[0]), show(row[1]), show(row[2]), show(row[3]), show(row[4]))
	}
	_, err = fmt.Fprintln(out)
	return err
}

// calibrate gives the mean time between queries.
func (t *cluster) calibrate(ctx context.Context) (time.Duration, error) {
	const rounds = 3
	var total time.Duration
	for round := range rounds + 1 {
		for _, sql := range asked {
			start := time.Now()
			if _, err := t.Run(ctx, sql); err != nil {
				return 0, err
			}
			if round > 0 {
				total += time.Since(start)
			}
		}
	}
	mean := total / time.Duration(rounds*len(asked))
	return time.Duration(float64(mean) / offered), nil
}

// phase is what one of the mixtures achieved.
type phase struct {
	took   []time.Duration // of the people's queries, from when they should have been sent
	tables float64         // made by the loops, those under way in part
	hogs   map[string]int  // how the hog ended, by SQLSTATE
}

func (p *phase) at(percent int) time.Duration {
	if len(p.took) == 0 {
		return 0
	}
	return p.took[(len(p.took)-1)*percent/100]
}

func (p *phase) print(out io.Writer, name string, idle, alone phase) {
	cells := []string{name, "", "", "", "", "", ""}
	if len(p.took) > 0 {
		cells[1], cells[2], cells[3] = fmt.Sprint(len(p.took)), milliseconds(p.at(50)), milliseconds(p.at(95))
		cells[4] = fmt.Sprintf("%.2f", float64(p.at(95))/float64(idle.at(95)))
		if idle.at(95) == 0 { // it was not among the mixtures
			cells[4] = ""
		}
	}
	if p.tables > 0 {
		cells[5] = fmt.Sprintf("%.1f", p.tables)
		if alone.tables > 0 {
			cells[6] = fmt.Sprintf("%.0f %%", 100*p.tables/alone.tables)
		}
	}
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	if len(p.hogs) > 0 {
		fmt.Fprintf(out, "\nThe hog's ends, by SQLSTATE (00000 is success): %v.\n", p.hogs)
	}
}

// phase runs a mixture for some time.
func (t *cluster) phase(ctx context.Context, span, gap time.Duration, people bool, etl string, hogs bool) (phase, error) {
	var p phase
	var mu sync.Mutex
	var wait sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	end := start.Add(span)
	begin := func(f func() error) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := f(); err != nil {
				cancel(err)
			}
		}()
	}
	if etl != "" {
		for i := range loops {
			begin(func() error {
				made, err := t.loop(ctx, i, etl, start, end)
				mu.Lock()
				p.tables += made
				mu.Unlock()
				return err
			})
		}
	}
	if hogs {
		begin(func() (err error) {
			p.hogs, err = t.overeat(ctx, end)
			return err
		})
	}
	if people {
		begin(func() (err error) {
			p.took, err = t.ask(ctx, start, end, gap)
			return err
		})
	}
	wait.Wait()
	return p, context.Cause(ctx)
}

// ask sends queries at random times, whether or not those before have been answered.
func (t *cluster) ask(ctx context.Context, start, end time.Time, gap time.Duration) ([]time.Duration, error) {
	random := rand.New(rand.NewPCG(1, 2)) // the same times in every phase
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var wait sync.WaitGroup
	free := make(chan *pgconn.PgConn, 64)
	for range cap(free) / 8 {
		c, err := t.join(ctx, "adhoc")
		if err != nil {
			return nil, err
		}
		free <- c
	}
	for i, due := 0, start; ; i++ {
		due = due.Add(gap/2 + time.Duration(random.Int64N(int64(gap))))
		if due.After(end) {
			break
		}
		time.Sleep(time.Until(due))
		wait.Add(1)
		go func() {
			defer wait.Done()
			c := <-free
			_, err := c.Exec(ctx, asked[i%len(asked)]).ReadAll()
			done := time.Since(due)
			free <- c
			mu.Lock()
			defer mu.Unlock()
			took = append(took, done)
			if err != nil {
				failed = err
			}
		}()
	}
	wait.Wait()
	for range cap(free) / 8 {
		c := <-free
		c.Close(ctx)
	}
	slices.Sort(took)
	return took, failed
}

// join gives a connection whose queries belong to a group.
func (t *cluster) join(ctx context.Context, group string) (*pgconn.PgConn, error) {
	c, err := pgconn.Connect(ctx, t.address)
	if err != nil {
		return nil, err
	}
	_, err = c.Exec(ctx, "SET resource_group = '"+group+"'").ReadAll()
	return c, err
}

// loop makes tables until the end, and counts them; the one under way then counts in part.
func (t *cluster) loop(ctx context.Context, number int, group string, start, end time.Time) (made float64, err error) {
	c, err := t.join(ctx, group)
	if err != nil {
		return 0, err
	}
	defer c.Close(ctx)
	table := fmt.Sprintf("made_%d", number)
	for time.Now().Before(end) {
		began := time.Now()
		if _, err := c.Exec(ctx, "CREATE TABLE "+table+" AS "+loops[number]).ReadAll(); err != nil {
			return 0, err
		}
		ended := time.Now()
		if _, err := c.Exec(ctx, "DROP TABLE "+table).ReadAll(); err != nil {
			return 0, err
		}
		if ended.After(end) {
			made += float64(end.Sub(began)) / float64(ended.Sub(began))
		} else {
			made++
		}
	}
	return made, nil
}

// overeat runs the hog again and again, and counts how it ends.
func (t *cluster) overeat(ctx context.Context, end time.Time) (map[string]int, error) {
	c, err := t.join(ctx, "hog")
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	out := map[string]int{}
	for time.Now().Before(end) {
		_, err := c.Exec(ctx, hog).ReadAll()
		var refused *pgconn.PgError
		switch {
		case err == nil:
			out["00000"]++
		case errors.As(err, &refused):
			out[refused.Code]++
		default:
			return nil, err
		}
	}
	return out, nil
}
