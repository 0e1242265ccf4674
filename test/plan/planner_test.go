package plan

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/tpch"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/optimizer"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/physical"
)

// planner plans SQL over tables that exist only as descriptions and statistics.
type planner struct {
	registry *fn.Registry
	session  *fn.Session
	tpch     *tpch.Connector
	tables   map[string]*connectors.Table
	stats    map[string]connectors.TableStats
}

func newPlanner() *planner {
	return &planner{registry: functions.Registry(), tpch: tpch.New(),
		session: &fn.Session{User: "tester", Database: "tarn", SearchPath: []string{"public"}, TimeZone: "UTC"},
		tables:  map[string]*connectors.Table{}, stats: map[string]connectors.TableStats{}}
}

// ResolveTable finds a table that was created here, or one of TPC-H.
func (p *planner) ResolveTable(_ context.Context, name binder.TableName) (*connectors.Table, error) {
	last := name.Parts[len(name.Parts)-1]
	if t := p.tables[last]; t != nil {
		return t, nil
	}
	if len(name.Parts) == 1 {
		return p.tpch.Table("sf1", last), nil
	}
	return nil, nil
}

// ResolveTableFunction knows none.
func (p *planner) ResolveTableFunction(context.Context, binder.TableFunctionCall) (*connectors.Table, error) {
	return nil, nil
}

// NearestTable suggests nothing.
func (p *planner) NearestTable(context.Context, binder.TableName) string { return "" }

// BeginWrite accepts every table.
func (p *planner) BeginWrite(_ context.Context, w binder.WriteSpec) (connectors.Target, error) {
	return connectors.Target{Connector: w.Table.Connector, Schema: w.Table.Schema, Name: w.Table.Name, Columns: w.Table.Columns}, nil
}

// Scan gives the fixed statistics.
func (p *planner) Scan(scan *logical.Scan) connectors.TableStats {
	if stats, ok := p.stats[scan.Table.Name]; ok {
		return stats
	}
	stats, err := p.tpch.Stats(scan.Table)
	if err != nil {
		return connectors.TableStats{}
	}
	return stats
}

func (p *planner) fold(e expr.Expr) (types.Datum, error) {
	return eval.Fold(e, eval.Env{Registry: p.registry, Session: p.session})
}

// outcome is a plan and the passes that changed it.
type outcome struct {
	root  plan.Node
	fired map[string]bool
	ran   map[string]bool
}

// plan takes a query through all of planning. With watch, plans are verified, and it is found out
// which passes changed them.
func (p *planner) plan(sql string, disabled []string, watch bool) (*outcome, error) {
	ctx := context.Background()
	statement, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	bound, err := binder.Bind(ctx, statement, binder.Env{Catalog: p, Registry: p.registry, Session: p.session, SQL: sql, Fold: p.fold, ParseQuery: parseQuery})
	if err != nil {
		return nil, err
	}
	logicalPlan, err := optimizer.WithParameters(bound.Plan, make([]types.Datum, len(bound.Parameters)))
	if err != nil {
		return nil, err
	}
	out := &outcome{fired: map[string]bool{}, ran: map[string]bool{}}
	env := optimizer.Env{Registry: p.registry, Statistics: p, Fold: p.fold, Verify: logical.Verify, Disabled: map[string]bool{}}
	for _, name := range disabled {
		env.Disabled[name] = true
	}
	if watch {
		before := logical.Format(logicalPlan)
		env.Trace = func(pass string, changed *logical.Plan) {
			after := logical.Format(changed)
			out.ran[pass], out.fired[pass] = true, before != after
			before = after
		}
	}
	if _, err := optimizer.Optimize(ctx, logicalPlan, env); err != nil {
		return nil, err
	}
	out.root, err = physical.Plan(ctx, logicalPlan, physical.Env{Registry: p.registry, Estimate: estimate.New(logicalPlan, p), DynamicFilters: true})
	return out, err
}

func parseQuery(sql string) (*ast.Query, error) {
	s, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	q, ok := s.(*ast.Select)
	if !ok {
		return nil, fmt.Errorf("not a query: %s", sql)
	}
	return q.Query, nil
}

// create adds the table that the first lines define and the following ones describe: a column's name,
// then any of distinct=, min=, max=, nulls=.
func (p *planner) create(rows float64, text string) error {
	ddl, facts, _ := strings.Cut(text, ")\n")
	if facts == "" {
		ddl = strings.TrimSuffix(ddl, ")")
	}
	statement, err := parser.ParseOne(ddl + ")")
	if err != nil {
		return err
	}
	definition, ok := statement.(*ast.CreateTable)
	if !ok {
		return fmt.Errorf("not a table: %s", ddl)
	}
	t := &connectors.Table{Connector: "memory", Name: definition.Name.Last()}
	ordinals := map[string]int{}
	for i, d := range definition.Columns {
		typ, err := binder.ResolveType(d.Type)
		if err != nil {
			return err
		}
		ordinals[d.Name] = i
		t.Columns = append(t.Columns, connectors.Column{ID: int32(i + 1), Name: d.Name, Type: typ, NotNull: d.NotNull})
	}
	stats := connectors.TableStats{Rows: rows, Exact: true, Columns: map[int]connectors.ColumnStats{}}
	for _, line := range strings.Split(strings.TrimSpace(facts), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		i, known := ordinals[words[0]]
		if !known {
			return fmt.Errorf("no column %s", words[0])
		}
		if stats.Columns[i], err = p.columnStats(t.Columns[i].Type, words[1:]); err != nil {
			return err
		}
	}
	p.tables[t.Name], p.stats[t.Name] = t, stats
	return nil
}

func (p *planner) columnStats(t types.Type, words []string) (connectors.ColumnStats, error) {
	var out connectors.ColumnStats
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		if key == "min" || key == "max" {
			v, err := p.fold(&expr.Cast{Arg: &expr.Literal{Value: types.StringDatum(value), T: types.Of(types.Text)}, To: t})
			if err != nil {
				return out, err
			}
			if key == "min" {
				out.Minimum = &v
			} else {
				out.Maximum = &v
			}
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return out, err
		}
		switch key {
		case "distinct":
			out.Distinct = number
		case "nulls":
			out.NullFraction = number
		default:
			return out, fmt.Errorf("unknown fact %s", key)
		}
	}
	return out, nil
}

// benchmarkQuery reads bench/queries/NAME.sql.
func benchmarkQuery(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../bench/queries/" + name + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimSpace(string(text)), ";")
}

// numberAfter reads the number that follows key in text.
func numberAfter(text, key string) (float64, error) {
	_, number, found := strings.Cut(text, key)
	if !found {
		return 0, fmt.Errorf("no %s in %q", key, text)
	}
	return strconv.ParseFloat(strings.Fields(number)[0], 64)
}
