package system

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

func text() types.Type   { return types.Of(types.Text) }
func bigint() types.Type { return types.Of(types.Int64) }
func double() types.Type { return types.Of(types.Float64) }
func moment() types.Type { return types.Of(types.TimestampTZ) }
func truth() types.Type  { return types.Of(types.Bool) }

// at gives a moment, NULL for the zero time.
func at(t time.Time) types.Datum {
	if t.IsZero() {
		return types.NullDatum()
	}
	return types.IntDatum(t.UnixMicro())
}

// orNull gives a string, NULL when it is empty.
func orNull(s string) types.Datum {
	if s == "" {
		return types.NullDatum()
	}
	return types.StringDatum(s)
}

// rowsOf makes Rows of a function that lists things and one that makes a row of each.
func rowsOf[T any](list func(ctx context.Context) ([]T, error), row func(v *T) []types.Datum) func(context.Context, connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
	return func(ctx context.Context, _ connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
		return func(yield func([]types.Datum, error) bool) {
			all, err := list(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range all {
				if !yield(row(&all[i]), nil) {
					return
				}
			}
		}
	}
}

// Query is a row of queries and of query_log.
type Query struct {
	ID                        string
	Backend                   int32
	User, Database            string
	Application, Client       string
	ResourceGroup             string
	QueuePlace                int64  // 0: it does not wait
	WaitingFor                string // why it waits
	State                     string // "queued", "running", "finished", "failed", "cancelled"
	SQL                       string
	Created, Started, Ended   time.Time
	ErrorCode, ErrorText      string
	Rows, Bytes               int64 // read
	ResultRows                int64
	SplitsDone, SplitsTotal   int64
	MemoryBytes, SpilledBytes int64
	CPU                       time.Duration
	Node                      string
}

func queryColumns() []connectors.Column {
	return connectors.VirtualColumns(`query_id pid user_name database application_name client resource_group state queue_position waiting_for query created_at started_at ended_at
 elapsed_ms cpu_ms rows_read bytes_read result_rows splits_done splits_total progress memory_bytes spilled_bytes error_code error_message node`,
		text(), types.Of(types.Int32), text(), text(), text(), text(), text(), text(), bigint(), text(), text(), moment(), moment(), moment(),
		double(), double(), bigint(), bigint(), bigint(), bigint(), bigint(), double(), bigint(), bigint(), text(), text(), text())
}

func queryRow(q *Query) []types.Datum {
	end := q.Ended
	if end.IsZero() {
		end = time.Now()
	}
	elapsed, progress, place := types.NullDatum(), types.NullDatum(), types.NullDatum()
	if q.QueuePlace > 0 {
		place = types.IntDatum(q.QueuePlace)
	}
	if !q.Started.IsZero() {
		elapsed = types.FloatDatum(float64(end.Sub(q.Started)) / 1e6)
	}
	if q.SplitsTotal > 0 {
		progress = types.FloatDatum(float64(q.SplitsDone) / float64(q.SplitsTotal))
	}
	return []types.Datum{types.StringDatum(q.ID), types.IntDatum(int64(q.Backend)), types.StringDatum(q.User), types.StringDatum(q.Database),
		orNull(q.Application), orNull(q.Client), orNull(q.ResourceGroup), types.StringDatum(q.State), place, orNull(q.WaitingFor), types.StringDatum(q.SQL),
		at(q.Created), at(q.Started), at(q.Ended), elapsed, types.FloatDatum(float64(q.CPU) / 1e6), types.IntDatum(q.Rows), types.IntDatum(q.Bytes),
		types.IntDatum(q.ResultRows), types.IntDatum(q.SplitsDone), types.IntDatum(q.SplitsTotal), progress, types.IntDatum(q.MemoryBytes),
		types.IntDatum(q.SpilledBytes), orNull(q.ErrorCode), orNull(q.ErrorText), orNull(q.Node)}
}

// Queries is system.queries: what runs or waits now.
func Queries(list func(ctx context.Context) ([]Query, error)) connectors.VirtualTable {
	return connectors.VirtualTable{Name: "queries", Comment: "statements that run or wait now, with their progress", Columns: queryColumns(), Rows: rowsOf(list, queryRow)}
}

// QueryLog is system.query_log: what has ended.
func QueryLog(list func(ctx context.Context) ([]Query, error)) connectors.VirtualTable {
	return connectors.VirtualTable{Name: "query_log", Comment: "statements that have ended", Columns: queryColumns(), Rows: rowsOf(list, queryRow)}
}

// Stage is a row of stages.
type Stage struct {
	Query                   string
	Backend                 int32
	Number                  int64
	Node, State, Reads      string
	Tasks                   int64
	SplitsDone, SplitsTotal int64
	RowsRead, BytesRead     int64
	RowsOut                 int64
	CPU                     time.Duration
	Memory, Spilled         int64
}

// Stages is system.stages: what each node does for each part of the running statements.
func Stages(list func(ctx context.Context) ([]Stage, error)) connectors.VirtualTable {
	columns := connectors.VirtualColumns(`query_id pid stage node state reads tasks splits_done splits_total rows_read bytes_read rows_out cpu_ms
 memory_bytes spilled_bytes`,
		text(), types.Of(types.Int32), bigint(), text(), text(), text(), bigint(), bigint(), bigint(), bigint(), bigint(), bigint(), double(), bigint(), bigint())
	return connectors.VirtualTable{Name: "stages", Comment: "what each node does for the statements that run now", Columns: columns,
		Rows: rowsOf(list, func(g *Stage) []types.Datum {
			return []types.Datum{types.StringDatum(g.Query), types.IntDatum(int64(g.Backend)), types.IntDatum(g.Number), types.StringDatum(g.Node),
				types.StringDatum(g.State), orNull(g.Reads), types.IntDatum(g.Tasks), types.IntDatum(g.SplitsDone), types.IntDatum(g.SplitsTotal),
				types.IntDatum(g.RowsRead), types.IntDatum(g.BytesRead), types.IntDatum(g.RowsOut), types.FloatDatum(float64(g.CPU) / 1e6),
				types.IntDatum(g.Memory), types.IntDatum(g.Spilled)}
		})}
}

// Setting is a row of settings.
type Setting struct {
	Name, Value, Default, Unit string
	Category, Doc, Origin      string
	Session                    bool // can be SET
}

// Settings is system.settings, as the session of a transaction sees them.
func Settings(list func(ctx context.Context, transaction string) ([]Setting, error)) connectors.VirtualTable {
	columns := connectors.VirtualColumns("name value default_value unit category description origin settable",
		text(), text(), text(), text(), text(), text(), text(), truth())
	row := func(s *Setting) []types.Datum {
		return []types.Datum{types.StringDatum(s.Name), types.StringDatum(s.Value), types.StringDatum(s.Default), orNull(s.Unit), orNull(s.Category),
			orNull(s.Doc), orNull(s.Origin), types.BoolDatum(s.Session)}
	}
	return connectors.VirtualTable{Name: "settings", Comment: "session settings and server configuration", Columns: columns,
		Rows: func(ctx context.Context, q connectors.VirtualQuery) iter.Seq2[[]types.Datum, error] {
			return rowsOf(func(ctx context.Context) ([]Setting, error) { return list(ctx, q.Transaction) }, row)(ctx, q)
		}}
}

// Metric is a row of metrics.
type Metric struct {
	Name, Labels, Kind, Doc string
	Value                   float64
}

// Metrics is system.metrics.
func Metrics(list func(ctx context.Context) ([]Metric, error)) connectors.VirtualTable {
	columns := connectors.VirtualColumns("name labels kind value description", text(), text(), text(), double(), text())
	return connectors.VirtualTable{Name: "metrics", Comment: "what /metrics serves", Columns: columns, Rows: rowsOf(list, func(m *Metric) []types.Datum {
		return []types.Datum{types.StringDatum(m.Name), orNull(m.Labels), types.StringDatum(m.Kind), types.FloatDatum(m.Value), orNull(m.Doc)}
	})}
}

// Node is a row of nodes.
type Node struct {
	Name, Address, Roles, Zone, Version, State string
	Started                                    time.Time
	CPUs                                       int64
	CPUBusy                                    float64 // CPUs in use in the last seconds; below 0: not known
	MemoryLimit, MemoryUsed                    int64
	RunningTasks                               int64
	// Reported tells that the node has answered: what follows, since it started, is known.
	Reported                           bool
	Tasks, Splits, RowsRead, BytesRead int64
	CPU                                time.Duration
	Gets, Heads, Puts, Lists, Deletes  int64
	StorageBytes                       int64
}

// Nodes is system.nodes.
func Nodes(list func(ctx context.Context) ([]Node, error)) connectors.VirtualTable {
	columns := connectors.VirtualColumns(`name address roles zone version state started_at cpus cpu_busy memory_limit memory_used running_tasks
 tasks_done splits_done rows_read bytes_read cpu_ms get_requests head_requests put_requests
 list_requests delete_requests storage_bytes`,
		text(), text(), text(), text(), text(), text(), moment(), bigint(), double(), bigint(), bigint(), bigint(),
		bigint(), bigint(), bigint(), bigint(), double(), bigint(), bigint(), bigint(), bigint(), bigint(), bigint())
	return connectors.VirtualTable{Name: "nodes", Comment: "servers of the cluster, and what each has done since it started", Columns: columns, Rows: rowsOf(list, nodeRow)}
}

func nodeRow(n *Node) []types.Datum {
	row := []types.Datum{types.StringDatum(n.Name), orNull(n.Address), types.StringDatum(n.Roles), orNull(n.Zone), types.StringDatum(n.Version),
		types.StringDatum(n.State), at(n.Started), types.IntDatum(n.CPUs), types.FloatDatum(n.CPUBusy), types.IntDatum(n.MemoryLimit),
		types.IntDatum(n.MemoryUsed), types.IntDatum(n.RunningTasks),
		types.IntDatum(n.Tasks), types.IntDatum(n.Splits), types.IntDatum(n.RowsRead), types.IntDatum(n.BytesRead), types.FloatDatum(float64(n.CPU) / 1e6),
		types.IntDatum(n.Gets), types.IntDatum(n.Heads), types.IntDatum(n.Puts), types.IntDatum(n.Lists), types.IntDatum(n.Deletes), types.IntDatum(n.StorageBytes)}
	if n.CPUBusy < 0 {
		row[8] = types.NullDatum()
	}
	if !n.Reported {
		for i := len(row) - 11; i < len(row); i++ {
			row[i] = types.NullDatum()
		}
	}
	return row
}

// ResourceGroup is a row of resource_groups.
type ResourceGroup struct {
	Name                    string
	CPUWeight               int64
	MemoryLimit, MemoryUsed int64
	Running, MaxRunning     int64
	Queued, MaxQueued       int64
	QueueTimeout            time.Duration
	// Bounds of one query; 0 is none.
	QueryMemory, QueryBytes int64
	QueryTime               time.Duration
	Rules                   string // which queries belong to it
	// What the group did on this node: CPU time, and waits for a CPU.
	CPU, CPUWait, LongestCPUWait time.Duration
	CPUWaits                     int64
}

// ResourceGroups is system.resource_groups.
func ResourceGroups(list func(ctx context.Context) ([]ResourceGroup, error)) connectors.VirtualTable {
	columns := connectors.VirtualColumns("name cpu_weight memory_limit memory_used running max_running queued max_queued queue_timeout_ms "+
		"query_memory query_time_ms query_bytes rules cpu_ms cpu_waits cpu_wait_ms longest_cpu_wait_ms",
		text(), bigint(), bigint(), bigint(), bigint(), bigint(), bigint(), bigint(), double(), bigint(), double(), bigint(), text(), double(), bigint(), double(), double())
	milliseconds := func(d time.Duration) types.Datum { return types.FloatDatum(float64(d) / 1e6) }
	return connectors.VirtualTable{Name: "resource_groups", Comment: "shares of CPU, memory and admission", Columns: columns, Rows: rowsOf(list, func(g *ResourceGroup) []types.Datum {
		return []types.Datum{types.StringDatum(g.Name), types.IntDatum(g.CPUWeight), types.IntDatum(g.MemoryLimit), types.IntDatum(g.MemoryUsed), types.IntDatum(g.Running),
			types.IntDatum(g.MaxRunning), types.IntDatum(g.Queued), types.IntDatum(g.MaxQueued), milliseconds(g.QueueTimeout),
			types.IntDatum(g.QueryMemory), milliseconds(g.QueryTime), types.IntDatum(g.QueryBytes), orNull(g.Rules),
			milliseconds(g.CPU), types.IntDatum(g.CPUWaits), milliseconds(g.CPUWait), milliseconds(g.LongestCPUWait)}
	})}
}

// Functions is system.functions: one row an overload.
func Functions(registry *fn.Registry) connectors.VirtualTable {
	columns := connectors.VirtualColumns("name kind arguments result category description example volatility",
		text(), text(), text(), text(), text(), text(), text(), text())
	list := func(context.Context) ([]fn.Overload, error) {
		all := slices.Clone(registry.All())
		slices.SortStableFunc(all, func(a, b fn.Overload) int { return strings.Compare(a.Name, b.Name) })
		return all, nil
	}
	return connectors.VirtualTable{Name: "functions", Comment: "functions, one row for each overload", Columns: columns, Rows: rowsOf(list, functionRow)}
}

func functionRow(o *fn.Overload) []types.Datum {
	kind := "scalar"
	switch o.Impl.(type) {
	case fn.Aggregate:
		kind = "aggregate"
	case fn.Window:
		kind = "window"
	case fn.Table:
		kind = "table"
	}
	var arguments []string
	for i, p := range o.Params {
		argument := parameter(p)
		if p.Name != "" {
			argument = p.Name + " " + argument
		}
		if o.Variadic && i == len(o.Params)-1 {
			argument = "VARIADIC " + argument
		}
		arguments = append(arguments, argument)
	}
	result := types.NullDatum()
	if o.Result == nil && o.ResultType.Kind != types.Unknown {
		result = types.StringDatum(o.ResultType.String())
	}
	return []types.Datum{types.StringDatum(o.Name), types.StringDatum(kind), types.StringDatum(strings.Join(arguments, ", ")), result, orNull(o.Category),
		orNull(o.Doc), orNull(o.Example), types.StringDatum([]string{"immutable", "stable", "volatile"}[o.Volatility])}
}

func parameter(p fn.Param) string {
	switch p.Family {
	case fn.Any, fn.Common:
		return `"any"`
	case fn.Element:
		return "anyelement"
	case fn.ArrayOf:
		return "anyarray"
	case fn.Numeric:
		return "numeric"
	case fn.Function:
		return "function"
	}
	return p.Type.String()
}
