package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/fragment"
	"github.com/tarnlake/tarn/planner/optimizer"
)

// seen counts, for each pass, the cases in which it had to fire and in which it had to stay away.
// complaints are reported when a file is done, because datadriven stops at the first failed case.
type seen struct {
	fired, stayed map[string]int
	complaints    []string
}

// TestPlans compares plans with the recorded ones.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	all := &seen{fired: map[string]int{}, stayed: map[string]int{}}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txt"), func(t *testing.T) {
			p := newPlanner()
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string { return runCase(t, p, d, all) })
			for _, c := range all.complaints {
				t.Error(c)
			}
			all.complaints = nil
		})
	}
	for _, pass := range optimizer.Passes() {
		if all.fired[pass.Name] == 0 {
			t.Errorf("no case expects pass %s to fire", pass.Name)
		}
		if all.stayed[pass.Name] == 0 {
			t.Errorf("no case expects pass %s to leave the plan alone", pass.Name)
		}
	}
}

func runCase(t *testing.T, p *planner, d *datadriven.TestData, all *seen) string {
	switch d.Cmd {
	case "table":
		var rows float64
		d.ScanArgs(t, "rows", &rows)
		if err := p.create(rows, d.Input); err != nil {
			d.Fatalf(t, "%v", err)
		}
		return ""
	case "plan":
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	sql := d.Input
	if d.HasArg("query") {
		var name string
		d.ScanArgs(t, "query", &name)
		sql = benchmarkQuery(t, name)
	}
	out, err := p.plan(sql, listOf(d, "disabled"), true)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	check(d, out, all)
	if d.HasArg("workers") {
		return distributed(t, p, d, out.root)
	}
	return strings.Join(plan.ExplainText(out.root, nil), "\n") + "\n"
}

// distributed shows the fragments that run on some number of workers, after the codec.
func distributed(t *testing.T, p *planner, d *datadriven.TestData, root plan.Node) string {
	var workers int
	d.ScanArgs(t, "workers", &workers)
	placed, err := fragment.Distribute(root, fragment.Env{Registry: p.registry, Tasks: workers, Spreads: func(c, _ string) bool { return c != "system" }})
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	fragments, err := placed.Cut()
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var out strings.Builder
	for _, f := range fragments {
		where := fmt.Sprintf("on %d workers", workers)
		if f.Single {
			where = "on the coordinator"
		}
		fmt.Fprintf(&out, "Fragment %d %s\n", f.ID, where)
		encoded, err := plan.Encode(f.Root)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := plan.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range plan.ExplainText(decoded, nil) {
			out.WriteString("  " + line + "\n")
		}
	}
	return out.String()
}

// check holds the case's expectations against what fired.
func check(d *datadriven.TestData, out *outcome, all *seen) {
	for _, name := range listOf(d, "expect") {
		all.fired[name]++
		if !out.fired[name] {
			all.complain(d, "pass %s did not fire", name)
		}
	}
	for _, name := range listOf(d, "expect-not") {
		all.stayed[name]++
		if !out.ran[name] {
			all.complain(d, "there is no pass %s", name)
		}
		if out.fired[name] {
			all.complain(d, "pass %s fired", name)
		}
	}
}

func (s *seen) complain(d *datadriven.TestData, format string, name string) {
	s.complaints = append(s.complaints, d.Pos+": "+fmt.Sprintf(format, name))
}

func listOf(d *datadriven.TestData, key string) []string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return slices.Clone(a.Vals)
		}
	}
	return nil
}
