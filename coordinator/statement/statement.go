package statement

import (
	"context"
	"strings"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/input"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Config is what the statements need besides the engine.
type Config struct {
	Registry *fn.Registry
	// Catalog is told by VACUUM which files have gone.
	Catalog *catalog.Catalog
	// Files looks at files below a location; nil: there are no external tables.
	Files *files.Connector
	// Lake removes files that nobody needs; nil: there is no VACUUM.
	Lake *lake.Connector
	// Stores is where COPY may write and read files; nil: nowhere.
	Stores objstore.Locator
	// Input hands rows of this process to plans.
	Input *input.Connector
}

// Statements implements engine.Utility. It keeps no state and may be used by many sessions at once.
type Statements struct{ config Config }

// New makes the statements.
func New(config Config) *Statements { return &Statements{config: config} }

// run is one statement on its way.
type run struct {
	*Statements
	tx  *engine.Tx
	sql string // what positions count in
}

// Plan describes a statement; nil for a query or a write, which the engine plans itself.
func (s *Statements) Plan(ctx context.Context, tx *engine.Tx, request session.PlanRequest) (*session.Prepared, error) {
	r := &run{Statements: s, tx: tx, sql: request.SQL}
	switch st := request.Statement.(type) {
	case *ast.Select:
		if st.Into == nil {
			return nil, nil
		}
		return r.planTableAs(ctx, st.Query, request)
	case *ast.CreateTable:
		if st.Query == nil {
			return &session.Prepared{}, nil
		}
		return r.planTableAs(ctx, st.Query, request)
	case *ast.Show:
		return r.planShow(ctx, st)
	case *ast.Describe:
		return r.planDescribe(ctx, st)
	case *ast.Copy:
		return r.planCopy(ctx, st)
	}
	if _, ok := r.definition(request.Statement); ok {
		return &session.Prepared{}, nil
	}
	return nil, nil
}

// Execute runs a statement that Plan described.
func (s *Statements) Execute(ctx context.Context, tx *engine.Tx, request session.ExecuteRequest) (*session.Result, error) {
	r := &run{Statements: s, tx: tx, sql: request.SQL}
	switch st := request.Statement.(type) {
	case *ast.Show:
		return r.show(ctx, st)
	case *ast.Describe:
		return r.describe(ctx, st)
	case *ast.Copy:
		return r.copy(ctx, st, request)
	}
	if err := r.writable(request.Statement); err != nil {
		return nil, err
	}
	switch st := request.Statement.(type) {
	case *ast.Select:
		return r.selectInto(ctx, st, request)
	case *ast.CreateTable:
		if st.Query != nil {
			return r.createTableAs(ctx, st, request)
		}
	}
	if do, ok := r.definition(request.Statement); ok {
		return &session.Result{}, do(ctx)
	}
	return nil, sqlerr.New(sqlerr.FeatureNotSupported, "%s is not supported", session.TagOf(request.Statement).Word)
}

// definition gives what runs a statement without rows and without a plan.
func (r *run) definition(statement ast.Statement) (do func(context.Context) error, ok bool) {
	switch st := statement.(type) {
	case *ast.CreateSchema:
		do = func(ctx context.Context) error { return r.createSchema(ctx, st) }
	case *ast.CreateTable:
		do = func(ctx context.Context) error { return r.createTable(ctx, st) }
	case *ast.CreateView:
		do = func(ctx context.Context) error { return r.createView(ctx, st) }
	case *ast.Drop:
		do = func(ctx context.Context) error { return r.drop(ctx, st) }
	case *ast.AlterTable:
		do = func(ctx context.Context) error { return r.alter(ctx, st) }
	case *ast.Truncate:
		do = func(ctx context.Context) error { return r.truncate(ctx, st) }
	case *ast.RollbackTable:
		do = func(ctx context.Context) error { return r.rollbackTable(ctx, st) }
	case *ast.CommentOn:
		do = func(ctx context.Context) error { return r.comment(ctx, st) }
	case *ast.Analyze:
		do = func(ctx context.Context) error { return r.analyze(ctx, st) }
	case *ast.Vacuum:
		do = func(ctx context.Context) error { return r.vacuum(ctx, st) }
	case *ast.Optimize:
		do = func(ctx context.Context) error { return r.optimize(ctx, st) }
	case *ast.CreateUser:
		do = func(ctx context.Context) error { return r.createUser(ctx, st) }
	case *ast.DropUser:
		do = func(ctx context.Context) error { return r.dropUser(ctx, st) }
	case *ast.SyncTable:
		do = func(ctx context.Context) error { return r.syncTable(ctx, st) }
	default:
		if refusal := r.refusal(statement); refusal != nil {
			return func(context.Context) error { return refusal }, true
		}
		return nil, false
	}
	return do, true
}

// refusal gives the error for statements that are read but not run.
func (r *run) refusal(statement ast.Statement) error {
	at, _ := statement.Span()
	switch st := statement.(type) {
	case *ast.Grant:
		return r.refuseGrant(st)
	case *ast.RefreshView:
		return r.unsupported(at, "materialized views").WithHint("INSERT OVERWRITE a table from the query instead.")
	case *ast.CreateIndex:
		return r.unsupported(at, "indexes").
			WithHint("Partition the table, or set sorted_by or bloom_filter_columns: files and row groups that cannot match are skipped.")
	case *ast.CreateResourceGroup:
		return r.unsupported(at, "CREATE RESOURCE GROUP").WithHint("Describe resource groups in the configuration file.")
	case *ast.LoadData:
		return r.unsupported(at, "LOAD DATA").WithHint("Use COPY %s FROM %s.", ast.Format(st.Table), ast.QuoteString(st.Path))
	case *ast.Call:
		return sqlerr.New(sqlerr.UndefinedFunction, "procedure %s does not exist", ast.Format(st.Name)).At(st.Name.CharPosition(r.sql))
	case *ast.Kill:
		return r.unsupported(at, "KILL").WithHint("Use SELECT pg_cancel_backend(pid).")
	}
	return nil
}

func (r *run) unsupported(at ast.Pos, what string) *sqlerr.Error {
	verb := "is"
	if what[len(what)-1] == 's' {
		verb = "are"
	}
	return sqlerr.New(sqlerr.FeatureNotSupported, "%s %s not supported", what, verb).At(at.CharPosition(r.sql))
}

// fail makes a user error at a place in the statement.
func (r *run) fail(at ast.Pos, code sqlerr.Code, format string, args ...any) *sqlerr.Error {
	return sqlerr.New(code, format, args...).At(at.CharPosition(r.sql))
}

// locate gives err a position unless it has one; nil stays nil.
func (r *run) locate(err error, at ast.Pos) error {
	if err == nil {
		return nil
	}
	located := *sqlerr.From(err)
	return located.At(at.CharPosition(r.sql))
}

func (r *run) notice(code sqlerr.Code, message, detail string) {
	r.tx.State.Notify(session.Notice{Severity: session.SeverityNotice, Code: code, Message: message, Detail: detail})
}

// noticeAll shows the catalog's notices: what follows the first line is the detail.
func (r *run) noticeAll(list []string) {
	for _, text := range list {
		message, detail, _ := strings.Cut(text, "\n")
		r.notice(sqlerr.SuccessfulCompletion, message, detail)
	}
}

func (r *run) warn(code sqlerr.Code, message, hint string) {
	r.tx.State.Notify(session.Notice{Severity: session.SeverityWarning, Code: code, Message: message, Hint: hint})
}

// writable refuses changes in a read-only transaction.
func (r *run) writable(statement ast.Statement) error {
	if !r.tx.State.ReadOnly {
		return nil
	}
	word := session.TagOf(statement).Word
	switch st := statement.(type) {
	case *ast.CreateTable:
		if st.Query != nil {
			word = "CREATE TABLE AS"
		}
	case *ast.Select:
		word = "SELECT INTO"
	case *ast.Analyze, *ast.Vacuum:
		return nil
	}
	return sqlerr.New(sqlerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", word)
}

func textColumns(names ...string) types.Schema {
	out := make(types.Schema, len(names))
	for i, name := range names {
		out[i] = types.Field{Name: name, Type: types.Of(types.Text), Nullable: true}
	}
	return out
}
