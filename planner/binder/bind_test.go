package binder

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// testCatalog holds tables read from CREATE TABLE and CREATE VIEW statements.
type testCatalog struct{ tables map[string]*connectors.Table }

func newTestCatalog() *testCatalog { return &testCatalog{tables: map[string]*connectors.Table{}} }

// create adds the tables and views that DDL statements describe.
func (c *testCatalog) create(ddl string) error {
	list, err := parser.Parse(ddl)
	if err != nil {
		return err
	}
	for _, s := range list {
		switch s := s.(type) {
		case *ast.CreateTable:
			if err := c.createTable(s); err != nil {
				return err
			}
		case *ast.CreateView:
			schema, name := splitName(s.Name)
			c.tables[schema+"."+name] = &connectors.Table{Schema: schema, Name: name, Kind: connectors.View,
				ViewSQL: ddl[s.QueryStart:s.QueryEnd], SearchPath: []string{schema}}
		default:
			return fmt.Errorf("unexpected %T", s)
		}
	}
	return nil
}

func splitName(n ast.Name) (schema, name string) {
	if len(n.Parts) > 1 {
		return n.Parts[len(n.Parts)-2], n.Last()
	}
	return "public", n.Last()
}

func (c *testCatalog) createTable(s *ast.CreateTable) error {
	schema, name := splitName(s.Name)
	t := &connectors.Table{Connector: "memory", Schema: schema, Name: name, ID: int64(len(c.tables) + 1)}
	for i, d := range s.Columns {
		typ, err := ResolveType(d.Type)
		if err != nil {
			return err
		}
		col := connectors.Column{ID: int32(i + 1), Name: d.Name, Type: typ, NotNull: d.NotNull}
		if d.Default != nil {
			col.Default = ast.Format(d.Default)
		}
		t.Columns = append(t.Columns, col)
		for _, p := range s.Partitions {
			if p.Name == d.Name {
				t.Partition = append(t.Partition, i)
			}
		}
	}
	c.tables[schema+"."+name] = t
	return nil
}

func (c *testCatalog) ResolveTable(_ context.Context, name TableName) (*connectors.Table, error) {
	if len(name.Parts) > 1 {
		return c.tables[strings.Join(name.Parts[len(name.Parts)-2:], ".")], nil
	}
	path := name.SearchPath
	if path == nil {
		path = []string{"public", "pg_catalog"}
	}
	for _, schema := range path {
		if t := c.tables[schema+"."+name.Parts[0]]; t != nil {
			return t, nil
		}
	}
	return nil, nil
}

func (c *testCatalog) ResolveTableFunction(_ context.Context, call TableFunctionCall) (*connectors.Table, error) {
	switch call.Name {
	case "", "read_parquet", "read_csv", "glob":
	default:
		return nil, nil
	}
	handle, err := json.Marshal(call)
	return &connectors.Table{Connector: "files", Name: call.Args[0].Value.Str, Handle: handle, Columns: []connectors.Column{
		{ID: 1, Name: "a", Type: intType}, {ID: 2, Name: "b", Type: textType}}}, err
}

func (c *testCatalog) NearestTable(_ context.Context, name TableName) string {
	var names []string
	for full := range c.tables {
		if bare, ok := strings.CutPrefix(full, "public."); ok {
			names = append(names, bare)
		}
	}
	return nearest(name.Parts[len(name.Parts)-1], names)
}

func (c *testCatalog) BeginWrite(_ context.Context, w WriteSpec) (connectors.Target, error) {
	return connectors.Target{Connector: w.Table.Connector, Schema: w.Table.Schema, Name: w.Table.Name,
		Columns: w.Table.Columns, Partition: w.Table.Partition}, nil
}

// testEnv binds against a catalog with the tests' registry.
func testEnv(c *testCatalog, registry *fn.Registry, sql string) Env {
	session := &fn.Session{User: "tarn", Database: "tarn", SearchPath: []string{"public"}, TimeZone: "UTC"}
	return Env{
		Catalog: c, Registry: registry, Session: session, SQL: sql,
		Fold: func(e expr.Expr) (types.Datum, error) {
			if callsDeclared(e, registry) {
				return types.Datum{}, sqlerr.Internal("the tests' functions have no implementation")
			}
			return eval.Fold(e, eval.Env{Registry: registry, Session: session})
		},
		ParseQuery: func(sql string) (*ast.Query, error) {
			s, err := parser.ParseOne(sql)
			if err != nil {
				return nil, err
			}
			q, ok := s.(*ast.Select)
			if !ok {
				return nil, sqlerr.New(sqlerr.SyntaxError, "not a query")
			}
			return q.Query, nil
		},
	}
}

// callsDeclared tells whether e calls a function that testFunctions only declares.
func callsDeclared(e expr.Expr, registry *fn.Registry) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if call, ok := x.(*expr.Call); ok {
			impl, scalar := registry.Overload(call.Function).Impl.(fn.Scalar)
			found = found || scalar && impl.New == nil
		}
		return !found
	})
	return found
}

// bindText parses, binds and verifies.
func bindText(c *testCatalog, registry *fn.Registry, sql string) (*Bound, error) {
	s, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	bound, err := Bind(context.Background(), s, testEnv(c, registry, sql))
	if err != nil {
		return nil, err
	}
	if bound.Plan != nil {
		if err := logical.Verify(bound.Plan); err != nil {
			return nil, sqlerr.Internal("the plan is broken: %v\n%s", err, logical.Format(bound.Plan))
		}
	}
	return bound, nil
}

func describeError(err error) string {
	e := sqlerr.From(err)
	out := fmt.Sprintf("error %s at %d: %s\n", e.Code, e.Position, e.Message)
	if e.Detail != "" {
		out += "detail: " + e.Detail + "\n"
	}
	if e.Hint != "" {
		out += "hint: " + e.Hint + "\n"
	}
	if e.Where != "" {
		out += "where: " + e.Where + "\n"
	}
	return out
}

func describeBound(b *Bound) string {
	out := ""
	if len(b.Parameters) > 0 {
		out = "Parameters"
		for i, t := range b.Parameters {
			out += fmt.Sprintf(" $%d:%s", i+1, t)
		}
		out += "\n"
	}
	if b.Kind == Delete {
		out += "Delete " + b.Target.Name
		if b.Predicate != nil {
			out += " where " + expr.Format(b.Predicate, nil)
		}
		return out + "\n"
	}
	return out + logical.Format(b.Plan)
}

// TestBind prints logical plans: each file under testdata/plans begins with its tables.
func TestBind(t *testing.T) {
	registry := testRegistry()
	datadriven.Walk(t, "testdata/plans", func(t *testing.T, path string) {
		c := newTestCatalog()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "tables" {
				if err := c.create(d.Input); err != nil {
					t.Fatal(err)
				}
				return ""
			}
			bound, err := bindText(c, registry, d.Input)
			if err != nil {
				return describeError(err)
			}
			return describeBound(bound)
		})
	})
}

func readTestdata(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
