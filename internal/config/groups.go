package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ResourceGroup is a set of queries with a share of the machine of their own.
type ResourceGroup struct {
	CPUWeight    int      `toml:"cpu_weight" doc:"Share of the CPUs against other groups whose queries run; a share that nobody uses is lent."`
	Memory       Share    `toml:"memory" doc:"Part of the memory that is kept for the group, for example \"40%\"; adhoc and etl keep 20% where nothing is said, if the others leave it."`
	MaxRunning   int      `toml:"max_running" doc:"Queries at once; others wait. 0 is no bound."`
	MaxQueued    int      `toml:"max_queued" doc:"Queries that may wait; one more is refused with SQLSTATE 53300."`
	QueueTimeout Duration `toml:"queue_timeout" doc:"The longest that a query waits; 0 is no bound."`
	QueryMemory  Size     `toml:"query_memory" doc:"Memory of one query; 0 is memory.query_limit."`
	QueryTime    Duration `toml:"query_time" doc:"Time of one query, waiting left out; 0 is no bound."`
	QueryBytes   Size     `toml:"query_bytes" doc:"Bytes that one query may read from storage; 0 is no bound."`
	Users        []string `toml:"users" doc:"Users whose queries belong to the group."`
	Applications []string `toml:"applications" doc:"application_names of clients whose queries belong to the group; a * at the end stands for anything."`
	Statements   []string `toml:"statements" doc:"Kinds of statements that belong to the group: select, insert (CREATE TABLE AS and COPY too)."`
}

// DefaultGroup is the group of queries that no rule gives to another.
const DefaultGroup = "adhoc"

// defaultGroups are there without being configured; a file may change them.
func defaultGroups() map[string]ResourceGroup {
	return map[string]ResourceGroup{
		DefaultGroup: {CPUWeight: 8, MaxQueued: 1000, QueueTimeout: Duration(10 * time.Minute)},
		"etl":        {CPUWeight: 1, MaxQueued: 1000, QueueTimeout: Duration(time.Hour), Statements: []string{"insert"}},
	}
}

// Groups lists the configured groups by name, what was left out filled in.
func (c *Config) Groups() map[string]ResourceGroup {
	out := defaultGroups()
	for name, g := range c.ResourceGroups {
		if base, known := out[name]; known {
			g = g.over(base)
		}
		if g.CPUWeight == 0 {
			g.CPUWeight = 1
		}
		if g.MaxQueued == 0 {
			g.MaxQueued = 1000
		}
		out[name] = g
	}
	keepMemory(out)
	return out
}

// defaultMemory is kept for each of the groups that are there without being configured, if there is as
// much: a query of one that takes all it can get leaves something to the other.
const defaultMemory Share = 0.2

func keepMemory(groups map[string]ResourceGroup) {
	left := Share(1)
	var unsaid []string
	for name, g := range groups {
		left -= g.Memory
		if _, there := defaultGroups()[name]; there && g.Memory == 0 {
			unsaid = append(unsaid, name)
		}
	}
	for _, name := range unsaid {
		g := groups[name]
		g.Memory = max(min(defaultMemory, left/Share(len(unsaid))), 0)
		groups[name] = g
	}
}

// over fills the fields that g leaves zero from base.
func (g ResourceGroup) over(base ResourceGroup) ResourceGroup {
	if g.CPUWeight == 0 {
		g.CPUWeight = base.CPUWeight
	}
	if g.MaxQueued == 0 {
		g.MaxQueued = base.MaxQueued
	}
	if g.QueueTimeout == 0 {
		g.QueueTimeout = base.QueueTimeout
	}
	if g.Statements == nil {
		g.Statements = base.Statements
	}
	return g
}

// String shows the rules and limits that are not zero.
func (g ResourceGroup) String() string {
	var parts []string
	add := func(key string, set bool, value any) {
		if set {
			parts = append(parts, fmt.Sprintf("%s = %v", key, value))
		}
	}
	add("cpu_weight", g.CPUWeight > 0, g.CPUWeight)
	add("memory", g.Memory > 0, g.Memory)
	add("max_running", g.MaxRunning > 0, g.MaxRunning)
	add("max_queued", g.MaxQueued > 0, g.MaxQueued)
	add("queue_timeout", g.QueueTimeout > 0, g.QueueTimeout)
	add("query_memory", g.QueryMemory > 0, g.QueryMemory)
	add("query_time", g.QueryTime > 0, g.QueryTime)
	add("query_bytes", g.QueryBytes > 0, g.QueryBytes)
	add("users", len(g.Users) > 0, strings.Join(g.Users, " "))
	add("applications", len(g.Applications) > 0, strings.Join(g.Applications, " "))
	add("statements", len(g.Statements) > 0, strings.Join(g.Statements, " "))
	return "{" + strings.Join(parts, ", ") + "}"
}

// Rules shows which queries belong to the group, "" when only SET resource_group leads to it.
func (g ResourceGroup) Rules() string {
	var parts []string
	for _, rule := range []struct {
		key    string
		values []string
	}{{"users", g.Users}, {"applications", g.Applications}, {"statements", g.Statements}} {
		if len(rule.values) > 0 {
			parts = append(parts, rule.key+": "+strings.Join(rule.values, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// checkGroups refuses groups that cannot work.
func (l *Loaded) checkGroups() error {
	kept := 0.0
	for _, name := range slices.Sorted(maps.Keys(l.ResourceGroups)) {
		g := l.ResourceGroups[name]
		kept += float64(g.Memory)
		if g.CPUWeight < 0 || g.CPUWeight > 10_000 {
			return bad("resource_groups.%s.cpu_weight must be between 1 and 10000", name)
		}
		if g.MaxRunning < 0 || g.MaxQueued < 0 {
			return bad("resource_groups.%s: max_running and max_queued must not be negative", name)
		}
		for _, kind := range g.Statements {
			if kind != "select" && kind != "insert" {
				return bad("resource_groups.%s.statements: %q is neither select nor insert", name, kind)
			}
		}
	}
	if kept > 1 {
		return bad("resource_groups: the memory kept for groups adds up to %.0f%%", kept*100)
	}
	return nil
}

// Share is a part of a whole, written "40%".
type Share float64

// UnmarshalText reads a percentage.
func (s *Share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !percent || v < 0 || v > 100 || v != v {
		return fmt.Errorf("%q is no share such as 40%%", text)
	}
	*s = Share(v / 100)
	return nil
}

// MarshalText writes a percentage.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String shows the percentage.
func (s Share) String() string { return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%" }
