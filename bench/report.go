package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"
)

// report writes the measurements as Markdown.
func report(o options, r *results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s, scale %s, %d threads\n\n", strings.ToUpper(o.suite), o.scale, o.threads)
	fmt.Fprintf(&b, "%s, %d CPUs. Parquet files in place, %d timed runs in turn after one that warms up; seconds are those of "+
		"the fastest run, CPU seconds the mean of a run. Ratios are to %s.\n\n",
		r.started.Format("2006-01-02"), runtime.NumCPU(), o.runs, r.engines[baseOf(r)].name)
	for _, e := range r.engines {
		fmt.Fprintf(&b, "- %s: %s, peak memory %s\n", e.name, e.version, megabytes(e.peak))
	}
	b.WriteByte('\n')
	writeTable(&b, r)
	writeRequests(&b, r)
	writeProblems(&b, r)
	return b.String()
}

func megabytes(bytes int64) string {
	if bytes == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

// baseOf gives the engine that the others are compared with: the first peer, else the first engine.
func baseOf(r *results) int {
	for i, e := range r.engines {
		if isPeer(e.name) {
			return i
		}
	}
	return 0
}

func writeTable(b *strings.Builder, r *results) {
	base := baseOf(r)
	header, rule := "| query |", "|---|"
	for i, e := range r.engines {
		header += fmt.Sprintf(" %s s |", e.name)
		rule += "---:|"
		if i != base {
			header += " ratio |"
			rule += "---:|"
		}
	}
	for i, e := range r.engines {
		header += fmt.Sprintf(" %s CPU s |", e.name)
		rule += "---:|"
		if i != base {
			header += " ratio |"
			rule += "---:|"
		}
	}
	header += " rows | answers |"
	rule += "---:|---|"
	fmt.Fprintln(b, header)
	fmt.Fprintln(b, rule)
	for _, q := range r.queries {
		writeRow(b, fmt.Sprintf("Q%d", q.number), q.runs, base, fmt.Sprintf(" %d | %s |", q.runs[base].rows, verdict(q.runs)))
	}
	totals, means := summaries(r)
	writeRow(b, "**total**", totals, base, " | |")
	writeRow(b, "**geometric mean**", means, base, " | |")
}

// writeRow writes a line of the table: seconds, then CPU seconds, each with its ratio to the base's.
func writeRow(b *strings.Builder, label string, runs []measurement, base int, end string) {
	fmt.Fprintf(b, "| %s |", label)
	for _, value := range []func(measurement) float64{
		func(m measurement) float64 { return m.seconds },
		func(m measurement) float64 { return m.cpu },
	} {
		for i, m := range runs {
			if m.err != nil {
				b.WriteString(" – |")
			} else {
				fmt.Fprintf(b, " %.3f |", value(m))
			}
			if i == base {
				continue
			}
			if m.err != nil || runs[base].err != nil || value(runs[base]) == 0 {
				b.WriteString(" – |")
			} else {
				fmt.Fprintf(b, " %.2f |", value(m)/value(runs[base]))
			}
		}
	}
	b.WriteString(end + "\n")
}

// verdict says whether all answers of a query agree.
func verdict(runs []measurement) string {
	for _, m := range runs {
		if m.err != nil {
			return "failed"
		}
		if m.differs != "" {
			return "**differ**"
		}
	}
	return "agree"
}

// summaries gives each engine's total and geometric mean, over the queries that all engines have answered.
func summaries(r *results) (totals, means []measurement) {
	totals, means = make([]measurement, len(r.engines)), make([]measurement, len(r.engines))
	counted := 0.0
	for _, q := range r.queries {
		if verdict(q.runs) == "failed" {
			continue
		}
		counted++
		for i, m := range q.runs {
			totals[i].seconds += m.seconds
			totals[i].cpu += m.cpu
			means[i].seconds += math.Log(max(m.seconds, 1e-6))
			means[i].cpu += math.Log(max(m.cpu, 1e-6))
		}
	}
	for i := range means {
		means[i].seconds = math.Exp(means[i].seconds / max(counted, 1))
		means[i].cpu = math.Exp(means[i].cpu / max(counted, 1))
	}
	return totals, means
}

// writeProblems lists what failed and what differs.
func writeProblems(b *strings.Builder, r *results) {
	var lines []string
	for _, q := range r.queries {
		for i, m := range q.runs {
			if m.err != nil || m.differs != "" {
				problem := strings.Join(strings.Fields(m.text()), " ")
				if len(problem) > 300 {
					problem = problem[:300] + "…"
				}
				lines = append(lines, fmt.Sprintf("- Q%d, %s: %s", q.number, r.engines[i].name, problem))
			}
		}
	}
	if lines != nil {
		fmt.Fprintf(b, "\n%s\n", strings.Join(lines, "\n"))
	}
}

// writeRequests writes the GET and HEAD requests of the engines that read from S3; nothing if none does.
func writeRequests(b *strings.Builder, r *results) {
	var at []int
	header, rule := "| query |", "|---|"
	for i, e := range r.engines {
		if strings.HasSuffix(e.name, "-s3") || e.name == "tarn-cached" {
			at = append(at, i)
			header += fmt.Sprintf(" %s GET | HEAD |", e.name)
			rule += "---:|---:|"
		}
	}
	if len(at) == 0 {
		return
	}
	fmt.Fprintf(b, "\nRequests of a run:\n\n%s\n%s\n", header, rule)
	sums := make([]measurement, len(r.engines))
	line := func(label string, runs []measurement) {
		fmt.Fprintf(b, "| %s |", label)
		for _, i := range at {
			fmt.Fprintf(b, " %d | %d |", runs[i].gets, runs[i].heads)
		}
		fmt.Fprintln(b)
	}
	for _, q := range r.queries {
		line(fmt.Sprintf("Q%d", q.number), q.runs)
		for _, i := range at {
			sums[i].gets, sums[i].heads = sums[i].gets+q.runs[i].gets, sums[i].heads+q.runs[i].heads
		}
	}
	line("**total**", sums)
}
