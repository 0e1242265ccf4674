package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// results holds what was measured.
type results struct {
	engines []engineResult
	queries []queryResult
	started time.Time
}

// engineResult is what holds for an engine over all queries.
type engineResult struct {
	name    string
	version string
	peak    int64 // bytes; 0 when unknown
}

// queryResult is one query's measurements, by engine.
type queryResult struct {
	number int
	runs   []measurement
}

// measurement is the fastest of an engine's runs of a query.
type measurement struct {
	seconds float64
	cpu     float64 // mean of the timed runs
	peak    int64
	rows    int
	gets    int // of the last run
	heads   int
	err     error  // the query failed
	differs string // how the answer differs from the measure's; "" when it does not
}

// measure runs every query: once on each engine to warm up and to compare the answers, then in turn for each timed run.
func measure(ctx context.Context, engines []Engine, queries []query, runs int, timeout time.Duration) (*results, error) {
	out := &results{started: time.Now()}
	for _, e := range engines {
		out.engines = append(out.engines, engineResult{name: e.Name(), version: e.Version()})
	}
	for _, q := range queries {
		fmt.Fprintf(os.Stderr, "q%02d", q.number)
		result, err := measureQuery(ctx, engines, q, runs, timeout)
		if err != nil {
			return nil, err
		}
		for i, m := range result.runs {
			out.engines[i].peak = max(out.engines[i].peak, m.peak)
			fmt.Fprintf(os.Stderr, "  %s %s", engines[i].Name(), m.text())
		}
		fmt.Fprintln(os.Stderr)
		out.queries = append(out.queries, result)
	}
	return out, nil
}

// text is a measurement in a few words.
func (m measurement) text() string {
	switch {
	case m.err != nil:
		return "failed: " + m.err.Error()
	case m.differs != "":
		return fmt.Sprintf("%.3f s, WRONG: %s", m.seconds, m.differs)
	}
	if m.gets > 0 {
		return fmt.Sprintf("%.3f s, %d GET", m.seconds, m.gets)
	}
	return fmt.Sprintf("%.3f s", m.seconds)
}

func measureQuery(ctx context.Context, engines []Engine, q query, runs int, timeout time.Duration) (queryResult, error) {
	result := queryResult{number: q.number, runs: make([]measurement, len(engines))}
	answers := make([]answer, len(engines))
	for i, e := range engines {
		for _, pid := range e.PIDs() {
			resetPeak(pid)
		}
		answers[i], result.runs[i].err = runWithin(ctx, e, q.sql, timeout)
		result.runs[i].rows = len(answers[i].rows)
	}
	compareAnswers(engines, answers, result.runs)
	for range runs {
		for i, e := range engines {
			m := &result.runs[i]
			if m.err != nil {
				continue
			}
			a, err := runWithin(ctx, e, q.sql, timeout)
			if err != nil {
				m.err = err
				continue
			}
			if m.seconds == 0 || a.seconds < m.seconds {
				m.seconds = a.seconds
			}
			m.cpu += a.cpu / float64(runs)
			m.gets, m.heads = a.gets, a.heads
		}
	}
	for i, e := range engines {
		for _, pid := range e.PIDs() {
			bytes, _ := peakBytes(pid)
			result.runs[i].peak += bytes
		}
	}
	return result, ctx.Err()
}

func runWithin(ctx context.Context, e Engine, sql string, timeout time.Duration) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return e.Run(ctx, sql)
}

// compareAnswers holds each answer against the measure's: the first peer's that has one, else the first engine's.
func compareAnswers(engines []Engine, answers []answer, runs []measurement) {
	measure := measureOf(engines, runs)
	if measure < 0 {
		return
	}
	for i := range answers {
		if i != measure && runs[i].err == nil {
			runs[i].differs = difference(answers[measure].rows, answers[i].rows)
		}
	}
}

func measureOf(engines []Engine, runs []measurement) int {
	for i, e := range engines {
		if isPeer(e.Name()) && runs[i].err == nil {
			return i
		}
	}
	if runs[0].err != nil {
		return -1
	}
	return 0
}
