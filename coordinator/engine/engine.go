package engine

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Config wires an Engine to the parts that it joins.
type Config struct {
	Catalog    *catalog.Catalog
	Registry   *fn.Registry
	Connectors map[string]connectors.Connector
	// Relations are tables outside the catalog, asked in order for schemas that they have.
	Relations []Relations
	// Functions gives the tables that file functions and paths in FROM stand for; nil: there are none.
	Functions TableFunctions
	// Fold evaluates a constant expression on behalf of a session.
	Fold   func(e expr.Expr, s *fn.Session) (types.Datum, error)
	Runner Runner
	// Cluster is where queries may be spread; nil: they run in this process.
	Cluster Cluster
	// Admission lets queries in; nil: all at once.
	Admission Admission
	// TempDirectory is where temporary tables keep their files.
	TempDirectory string
	// Utility runs statements that are neither queries nor writes of rows.
	Utility Utility
	// Lookup answers questions of catalog functions, such as the name of a relation by its oid.
	Lookup func(ctx context.Context, state *session.State, tx *catalog.Tx, kind string, args []types.Datum) (types.Datum, error)
}

// Relations is a source of tables that the catalog does not hold.
type Relations interface {
	// Table gives nil when there is no such table. database is the first of three name parts, "" if
	// there are but two.
	Table(ctx context.Context, tx *Tx, database, schema, name string) (*connectors.Table, error)
	// Stats gives what is known of one of its tables; ok is false for tables of others.
	Stats(t *connectors.Table) (stats connectors.TableStats, ok bool)
}

// TableFunctions resolves functions in FROM that stand for files.
type TableFunctions interface {
	// Resolve gives nil when there is no function of that name. An empty name is a path in FROM.
	Resolve(ctx context.Context, name string, args []TableArgument) (*connectors.Table, error)
	// Stats gives what is known of a table that Resolve has given.
	Stats(ctx context.Context, t *connectors.Table) (connectors.TableStats, error)
}

// TableArgument is a constant argument of a table function; Name is empty for a positional one.
type TableArgument struct {
	Name  string
	Value types.Datum
	Type  types.Type
}

// Stager is a connector whose writes become visible by a file transaction.
type Stager interface {
	// Stage lists the files of a write; when it fails, they are removed. It gives the number of rows.
	Stage(ctx context.Context, tx connectors.FileTransaction, target connectors.Target, mode connectors.WriteMode,
		spec connectors.PartitionSpec, fragments []connectors.Fragment) (rows int64, err error)
	// Unstage removes the files of a write that will never be committed; what it cannot remove stays
	// for VACUUM.
	Unstage(ctx context.Context, target connectors.Target, fragments []connectors.Fragment) error
}

// Cluster is the workers besides this process.
type Cluster interface {
	// Workers is their present number; with none, queries run in this process.
	Workers() int
	// Spreads tells whether every worker can read and write tables of a connector's schema.
	Spreads(connector, schema string) bool
}

// Runner runs plan fragments, here or on other nodes.
type Runner interface {
	Run(ctx context.Context, request RunRequest) (Running, error)
}

// RunRequest is a query to run.
type RunRequest struct {
	// Fragments are the query's plan; the first one gives its rows. One alone runs in this process.
	Fragments []plan.Fragment
	// Drivers, if positive, bounds the drivers of each pipeline.
	Drivers  int
	Session  *fn.Session
	Progress *session.Progress
	// Group names the resource group; "" is the default one. Memory, if positive, bounds the query.
	Group  string
	Memory int64
	// Limited tells that what the query reads is held against a limit: nodes shall report it often.
	Limited bool
	// Splits lists the splits of a scan; it is called on this node.
	Splits func(ctx context.Context, scan *plan.Scan, feed connectors.FilterFeed) (connectors.SplitSource, error)
}

// Running is a query under way. Closing it stops the query and waits until it has let go of
// everything.
type Running interface {
	vec.Source
	// Actual tells what the node with an ID has done so far; nil if nothing.
	Actual(id int) *plan.Actual
	// Storage gives the requests that tasks elsewhere have made to remote stores; those under the context
	// of Run and Next are counted there.
	Storage() objstore.Usage
}

// Utility runs the statements that the engine does not: DDL, SHOW, EXPLAIN's siblings.
type Utility interface {
	// Plan describes the statement; nil when it is not one of its own.
	Plan(ctx context.Context, tx *Tx, request session.PlanRequest) (*session.Prepared, error)
	// Execute runs it.
	Execute(ctx context.Context, tx *Tx, request session.ExecuteRequest) (*session.Result, error)
}

// Engine implements session.Engine.
type Engine struct {
	config Config

	mu      sync.Mutex
	temps   map[int32]*catalog.Temp // by backend pid
	emptied map[int32][]int64       // temporary tables with ON COMMIT DELETE ROWS
	live    map[string]*Tx          // by token
}

// New makes an engine.
func New(config Config) *Engine {
	return &Engine{config: config, temps: map[int32]*catalog.Temp{}, emptied: map[int32][]int64{}, live: map[string]*Tx{}}
}

// Plan binds a statement.
func (e *Engine) Plan(ctx context.Context, state *session.State, request session.PlanRequest) (prepared *session.Prepared, err error) {
	defer failStatement(&err)
	tx := state.Tx.(*Tx)
	if e.config.Utility != nil {
		if prepared, err := e.config.Utility.Plan(ctx, tx, request); prepared != nil || err != nil {
			return prepared, err
		}
	}
	if explain, ok := request.Statement.(*ast.Explain); ok {
		return e.planExplain(ctx, tx, request, explain)
	}
	return e.planQuery(ctx, tx, request)
}

// failStatement turns a panic, which is a defect, into an internal error of the statement alone.
func failStatement(err *error) {
	if broken := recover(); broken != nil {
		*err = sqlerr.Internal("internal error: %v", broken).WithDetail("%s", debug.Stack())
	}
}

// Execute runs a planned statement.
func (e *Engine) Execute(ctx context.Context, state *session.State, request session.ExecuteRequest) (result *session.Result, err error) {
	defer failStatement(&err)
	tx := state.Tx.(*Tx)
	switch p := request.Prepared.Plan.(type) {
	case *planned:
		return e.executeQuery(ctx, tx, request, p)
	case *explained:
		return e.executeExplain(ctx, tx, request, p)
	}
	return e.config.Utility.Execute(ctx, tx, request)
}
