package binder

import (
	"context"
	"unicode/utf8"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// maxDepth bounds how deep expressions and queries nest.
const maxDepth = 10_000

// binder is the state of one Bind.
type binder struct {
	ctx        context.Context
	env        *Env
	sql        string  // the text that positions count in; "" inside a view
	characters []int32 // of sql, up to every characterStep bytes; nil until asked for
	columns    *logical.Columns
	parameters *parameters
	// places tells where a column reference was written; columns keep their identity through rewrites.
	places map[*expr.Column]ast.Pos
	// pending describes the placeholders.
	pending map[logical.ColID]placeholder
	// owners tells whose FROM a column belongs to.
	owners map[logical.ColID]owner
	tables []*connectors.Table
	seen   map[*connectors.Table]bool
	// searchPath is that of the view being expanded, nil outside, and viewID names that view.
	searchPath []string
	viewID     int64
	views      []string // the views being expanded
	names      int      // the last number given to a CTE
	depth      int
	steps      int // levels entered so far
}

// owner is the FROM item that a column belongs to.
type owner struct {
	scope    *scope
	relation string
	name     string
}

func newBinder(ctx context.Context, env *Env) *binder {
	return &binder{
		ctx: ctx, env: env, sql: env.SQL, columns: &logical.Columns{},
		parameters: newParameters(env.ParameterTypes),
		places:     map[*expr.Column]ast.Pos{}, pending: map[logical.ColID]placeholder{},
		owners: map[logical.ColID]owner{}, seen: map[*connectors.Table]bool{},
	}
}

// Bind binds a statement that reads or writes rows. Other statements give 0A000.
func Bind(ctx context.Context, stmt ast.Statement, env Env) (*Bound, error) {
	b := newBinder(ctx, &env)
	bound, err := b.statement(stmt)
	if err != nil {
		return nil, err
	}
	bound.Tables = b.tables
	bound.Parameters, err = b.parameters.finish()
	if err != nil {
		return nil, err
	}
	if bound.Plan != nil {
		bound.Plan.Parameters = bound.Parameters
	}
	return bound, nil
}

func (b *binder) statement(stmt ast.Statement) (*Bound, error) {
	switch s := stmt.(type) {
	case *ast.Select:
		return b.queryStatement(s.Query)
	case *ast.Insert:
		return b.insert(s)
	case *ast.Delete:
		return b.delete(s)
	case *ast.CreateTable:
		if s.Query != nil {
			return b.queryStatement(s.Query)
		}
	case *ast.CreateView:
		return b.queryStatement(s.Query)
	case *ast.Copy:
		if s.Query != nil {
			return b.queryStatement(s.Query)
		}
	case *ast.DeclareCursor:
		return b.queryStatement(s.Query)
	case *ast.Explain:
		return b.statement(s.Statement)
	case *ast.Prepare:
		return b.statement(s.Statement)
	case *ast.Describe:
		if s.Query != nil {
			return b.queryStatement(s.Query)
		}
	case *ast.Show:
		if s.Query != nil {
			return b.queryStatement(s.Query)
		}
	}
	return nil, b.unplanned(stmt)
}

// unplanned words the refusal of a statement that gives and takes no rows, or changes them one by one.
func (b *binder) unplanned(stmt ast.Statement) error {
	name := ""
	switch stmt.(type) {
	case *ast.Update:
		name = "UPDATE"
	case *ast.Merge:
		name = "MERGE"
	default:
		return b.fail(stmt.Offset(), sqlerr.FeatureNotSupported, "this statement has no plan")
	}
	return b.fail(stmt.Offset(), sqlerr.FeatureNotSupported, "%s is not supported", name).
		WithHint("INSERT OVERWRITE with a query replaces whole partitions.")
}

// queryStatement binds a query and makes a plan of it.
func (b *binder) queryStatement(q *ast.Query) (*Bound, error) {
	r, err := b.query(&scope{}, q, true)
	if err != nil {
		return nil, err
	}
	return &Bound{Kind: Query, Plan: b.plan(r)}, nil
}

func (b *binder) plan(r *result) *logical.Plan {
	p := &logical.Plan{Root: r.node, Columns: b.columns}
	for _, c := range r.columns {
		p.Output = append(p.Output, logical.OutputColumn{ID: c.id, Name: c.name})
	}
	return p
}

// fail makes a user error at a place in the statement.
func (b *binder) fail(at ast.Pos, code sqlerr.Code, format string, args ...any) *sqlerr.Error {
	return sqlerr.New(code, format, args...).At(b.position(at))
}

// position gives the character position for an offset, 0 inside views.
func (b *binder) position(at ast.Pos) int {
	if b.sql == "" {
		return 0
	}
	if at < 0 {
		return 0
	}
	if b.characters == nil {
		b.characters = countCharacters(b.env.SQL)
	}
	offset := min(int(at), len(b.sql))
	step := offset / characterStep
	n := int(b.characters[step]) + 1
	for i := step * characterStep; i < offset; i++ {
		if utf8.RuneStart(b.sql[i]) {
			n++
		}
	}
	return n
}

// characterStep is how far apart the places are at which a text's characters have been counted.
const characterStep = 64

// countCharacters counts once, for a position is asked for at every call and cast.
func countCharacters(sql string) []int32 {
	counts := make([]int32, 0, len(sql)/characterStep+1)
	n := int32(0)
	for i := range len(sql) + 1 {
		if i%characterStep == 0 {
			counts = append(counts, n)
		}
		if i < len(sql) && utf8.RuneStart(sql[i]) {
			n++
		}
	}
	return counts
}

// locate gives err the position at, unless it has one.
func (b *binder) locate(err error, at ast.Pos) error {
	return sqlerr.From(err).At(b.position(at))
}

// enter counts a level of nesting, and now and then asks whether to go on; every successful enter is paired with a leave.
func (b *binder) enter(at ast.Pos) error {
	if b.depth >= maxDepth {
		return b.fail(at, sqlerr.StatementTooComplex, "stack depth limit exceeded").
			WithHint("The statement nests more than %d levels deep.", maxDepth)
	}
	b.depth++
	if b.steps++; b.steps%64 != 0 {
		return nil
	}
	if err := b.columns.Check(); err != nil {
		b.depth--
		return b.locate(err, at)
	}
	if err := b.ctx.Err(); err != nil {
		b.depth--
		return err
	}
	return nil
}

func (b *binder) leave() { b.depth-- }

func (b *binder) use(t *connectors.Table) {
	if !b.seen[t] {
		b.seen[t] = true
		b.tables = append(b.tables, t)
	}
}

// column makes a new column of the plan.
func (b *binder) column(name string, t types.Type, nullable bool) logical.ColID {
	return b.columns.Add(name, t, nullable)
}
