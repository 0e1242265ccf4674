package physical

import (
	"context"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// Estimator tells what is expected of a logical node.
type Estimator interface {
	Rows(logical.Node) float64
	// Unique tells whether the columns together identify the node's rows.
	Unique(n logical.Node, columns []logical.ColID) bool
}

// Env is what planning needs besides the plan.
type Env struct {
	Registry *fn.Registry
	Estimate Estimator
	// DynamicFilters is false when the session has switched them off.
	DynamicFilters bool
}

// Plan converts p; the result gives p.Output's columns in order.
func Plan(ctx context.Context, p *logical.Plan, env Env) (plan.Node, error) {
	c := &converter{ctx: ctx, env: env, columns: p.Columns, shared: map[int]types.Schema{}}
	need := columnSet{}
	order := make([]logical.ColID, len(p.Output))
	for i, o := range p.Output {
		order[i] = o.ID
		need[o.ID] = true
	}
	out, err := c.convert(p.Root, need)
	if err != nil {
		return nil, err
	}
	root := c.arrange(out, order)
	if project, ok := root.(*plan.Project); ok {
		for i, o := range p.Output {
			project.Out[i].Name = o.Name
		}
	}
	if env.DynamicFilters {
		connectFilters(root)
	}
	cost(root)
	plan.Number(root)
	return root, nil
}

type columnSet map[logical.ColID]bool

func (s columnSet) with(ids ...logical.ColID) columnSet {
	out := make(columnSet, len(s)+len(ids))
	for id := range s {
		out[id] = true
	}
	for _, id := range ids {
		if id != 0 {
			out[id] = true
		}
	}
	return out
}

func (s columnSet) withExpr(exprs ...expr.Expr) columnSet {
	out := s.with()
	for _, e := range exprs {
		if e != nil {
			expr.Columns(e, out)
		}
	}
	return out
}

// output is a converted node and where it has the logical columns; two IDs may share an ordinal.
type output struct {
	node plan.Node
	at   map[logical.ColID]int
}

type converter struct {
	ctx     context.Context
	env     Env
	columns *logical.Columns
	shared  map[int]types.Schema
	labels  map[int][]logical.ColID // columns of the definitions in scope, in their output's order
}

func (c *converter) convert(n logical.Node, need columnSet) (output, error) {
	if err := c.ctx.Err(); err != nil {
		return output{}, err
	}
	out, err := c.dispatch(n, need)
	if err != nil {
		return output{}, err
	}
	if h := out.node.Head(); h.Rows == 0 {
		h.Rows = c.env.Estimate.Rows(n)
	}
	return out, nil
}

func (c *converter) dispatch(n logical.Node, need columnSet) (output, error) {
	switch n := n.(type) {
	case *logical.Scan:
		return c.planScan(n, need)
	case *logical.Values:
		return c.planValues(n)
	case *logical.Filter:
		return c.planFilter(n, need)
	case *logical.Project:
		return c.planProject(n, need)
	case *logical.Join:
		return c.planJoin(n, need)
	case *logical.Aggregate:
		return c.planAggregate(n, need)
	case *logical.Window:
		return c.planWindow(n, need)
	case *logical.Sort:
		return c.planSort(n, need)
	case *logical.Limit:
		return c.planLimit(n, need)
	case *logical.TopN:
		return c.planTopN(n, need)
	case *logical.DistinctOn:
		return c.planDistinctOn(n, need)
	case *logical.SetOperation:
		return c.planSetOperation(n, need)
	case *logical.Unnest:
		return c.planUnnest(n, need)
	case *logical.With:
		return c.planWith(n, need)
	case *logical.CTERef:
		return c.planCTERef(n)
	case *logical.Recursive:
		return c.planRecursive(n)
	case *logical.Write:
		return c.planWrite(n)
	}
	return output{}, sqlerr.Internal("no physical plan for %T", n)
}

// ref reads a logical column of in.
func (c *converter) ref(in output, id logical.ColID) (*expr.Column, error) {
	at, ok := in.at[id]
	if !ok {
		return nil, sqlerr.Internal("column %d (%s) is not produced below", id, c.columns.Info(id).Name)
	}
	info := c.columns.Info(id)
	return &expr.Column{ID: expr.ColumnID(at), Name: info.Name, T: info.Type}, nil
}

// translate rewrites a logical expression to ordinals of in.
func (c *converter) translate(in output, e expr.Expr) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	var failure error
	out := rewriteColumns(e, func(col *expr.Column) expr.Expr {
		r, err := c.ref(in, col.ID)
		if err != nil {
			failure = err
			return col
		}
		return r
	})
	return out, failure
}

// lambdaBase keeps the numbers of lambda parameters apart from ordinals.
const lambdaBase = 1 << 24

// rewriteColumns replaces columns; lambda parameters keep their own numbers, moved above all ordinals.
func rewriteColumns(e expr.Expr, f func(*expr.Column) expr.Expr) expr.Expr {
	params := map[expr.ColumnID]bool{}
	expr.Walk(e, func(x expr.Expr) bool {
		if l, ok := x.(*expr.Lambda); ok {
			for i := range l.Params {
				params[l.FirstParam+expr.ColumnID(i)] = true
			}
		}
		return true
	})
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Column:
			if !params[x.ID] {
				return f(x)
			}
			if x.ID < lambdaBase {
				return &expr.Column{ID: x.ID + lambdaBase, Name: x.Name, T: x.T}
			}
		case *expr.Lambda:
			if x.FirstParam < lambdaBase {
				out := *x
				out.FirstParam += lambdaBase
				return &out
			}
		}
		return x
	})
}

func (c *converter) ordinals(in output, ids []logical.ColID) ([]int, error) {
	out := make([]int, len(ids))
	for i, id := range ids {
		at, ok := in.at[id]
		if !ok {
			return nil, sqlerr.Internal("column %d (%s) is not produced below", id, c.columns.Info(id).Name)
		}
		out[i] = at
	}
	return out, nil
}

func (c *converter) sortKeys(in output, keys []logical.SortKey) ([]plan.SortKey, error) {
	out := make([]plan.SortKey, len(keys))
	for i, k := range keys {
		at, ok := in.at[k.Column]
		if !ok {
			return nil, sqlerr.Internal("sort column %d is not produced below", k.Column)
		}
		out[i] = plan.SortKey{Column: at, Descending: k.Descending, NullsFirst: k.NullsFirst}
	}
	return out, nil
}

func sortColumns(keys []logical.SortKey) []logical.ColID {
	out := make([]logical.ColID, len(keys))
	for i, k := range keys {
		out[i] = k.Column
	}
	return out
}

func (c *converter) field(id logical.ColID) types.Field {
	info := c.columns.Info(id)
	return types.Field{Name: info.Name, Type: info.Type, Nullable: info.Nullable}
}

// arrange gives exactly the columns ids, in order; without a Project when they stand so already.
func (c *converter) arrange(in output, ids []logical.ColID) plan.Node {
	schema := in.node.Schema()
	same := len(schema) == len(ids)
	for i, id := range ids {
		same = same && in.at[id] == i && schema[i].Name == c.columns.Info(id).Name
	}
	if same {
		return in.node
	}
	project := &plan.Project{Input: in.node, Exprs: make([]expr.Expr, len(ids))}
	project.Rows = in.node.Head().Rows
	for i, id := range ids {
		info := c.columns.Info(id)
		project.Exprs[i] = &expr.Column{ID: expr.ColumnID(in.at[id]), Name: info.Name, T: info.Type}
		project.Out = append(project.Out, c.field(id))
	}
	return project
}

func positions(ids []logical.ColID) map[logical.ColID]int {
	at := make(map[logical.ColID]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	return at
}
