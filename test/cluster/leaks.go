//go:build linux

package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// working is what the stack of a goroutine contains that works for a query.
var working = regexp.MustCompile(`tarnlake/tarn/(exec/|worker/exchange|worker/task|coordinator/schedule|connectors/|internal/format)`)

// get reads a page of the process's HTTP server.
func (p *Process) get(path string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + p.http + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// Metric gives a value that the process shows at /metrics.
func (p *Process) Metric(name string) (float64, error) {
	text, err := p.get("/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// Tasks is the number of queries that have tasks in the process.
func (p *Process) Tasks() int {
	n, err := p.Metric(`tarn_cluster_queries{part="worker"}`)
	if err != nil {
		return -1
	}
	return int(n)
}

// left tells what the process holds of queries, "" when that is nothing.
func (p *Process) left() string {
	var out []string
	for _, name := range []string{"tarn_memory_reserved_bytes", `tarn_cluster_queries{part="worker"}`, `tarn_cluster_queries{part="coordinator"}`} {
		if n, err := p.Metric(name); n != 0 || err != nil {
			out = append(out, fmt.Sprint(name, " is ", n, " ", err))
		}
	}
	stacks, err := p.get("/debug/pprof/goroutine?debug=2")
	if err != nil {
		out = append(out, err.Error())
	}
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		if working.MatchString(stack) {
			out = append(out, stack)
		}
	}
	// Spill files are unlinked while they are in use.
	spill := filepath.Join(p.fleet.directory, p.Name, "data", "spill")
	if files, _ := filepath.Glob(filepath.Join(spill, "*")); len(files) > 0 {
		out = append(out, fmt.Sprint("spill files ", files))
	}
	descriptors := fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid)
	open, err := os.ReadDir(descriptors)
	if err != nil {
		out = append(out, err.Error())
	}
	for _, d := range open {
		if target, _ := os.Readlink(filepath.Join(descriptors, d.Name())); strings.HasPrefix(target, spill) {
			out = append(out, "an open spill file "+target)
		}
	}
	return strings.Join(out, "\n")
}

// broken is what a process logs whose program is wrong.
var broken = regexp.MustCompile(`DATA RACE|panic|goroutine \d+ \[|internal error`)

// Clean waits until no process that is alive holds anything of a query, and looks for what none should log.
func (f *Fleet) Clean(patience time.Duration) {
	f.t.Helper()
	for _, p := range f.Processes() {
		if log := p.Log(); broken.MatchString(log) {
			f.t.Fatalf("%s has logged:\n%s", p.Name, log)
		}
		left := ""
		for began := time.Now(); p.Alive(); time.Sleep(50 * time.Millisecond) {
			if left = p.left(); p == f.Coordinator {
				left += f.admitted()
			}
			if left == "" {
				break
			}
			if time.Since(began) > patience {
				f.t.Errorf("%s still has after %v:\n%s", p.Name, patience, left)
				break
			}
		}
	}
}

// admitted tells which resource groups have queries, "" when none has.
func (f *Fleet) admitted() string {
	conn := f.Connect()
	defer conn.Close(context.Background())
	rows, err := Query(context.Background(), conn, "SELECT name, running, queued, memory_used FROM system.resource_groups WHERE running + queued + memory_used > 0")
	if len(rows) == 0 && err == nil {
		return ""
	}
	return fmt.Sprint("resource groups ", rows, err)
}

// Files lists the files in the warehouse, in order.
func (f *Fleet) Files() []string {
	f.t.Helper()
	var out []string
	err := filepath.WalkDir(f.Warehouse, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			out = append(out, path)
		}
		if os.IsNotExist(err) {
			return nil // it went while we looked
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
