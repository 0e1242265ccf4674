package optimizer

import (
	"context"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// Pass is one rewriting of a plan.
type Pass struct {
	Name string
	// Required passes prepare what physical planning cannot do without; they cannot be switched off.
	Required bool
	Apply    func(*Context) error
}

// Passes gives the optimizer: all passes, in order.
func Passes() []Pass {
	return []Pass{
		{"fold_constants", false, foldConstants},
		{"simplify_expressions", false, simplifyExpressions},
		{"inline_ctes", true, inlineCTEs},
		{"cascade_grouping_sets", false, cascadeGroupingSets},
		{"keep_empty_groups", true, keepEmptyGroups},
		{"marks_to_semi_joins", false, marksToSemiJoins},
		{"push_filters_early", false, pushFilters},
		{"decorrelate", true, decorrelate},
		{"lower_set_operations", true, lowerSetOperations},
		{"order_json", true, orderJSON},
		{"prune_columns_early", false, pruneColumns},
		{"marks_to_semi_joins_late", false, marksToSemiJoins},
		{"outer_to_inner", false, outerToInner},
		{"infer_predicates", false, inferPredicates},
		{"push_filters", false, pushFilters},
		{"push_filters_into_ctes", false, pushFiltersIntoCTEs},
		{"fold_constants_late", false, foldConstants},
		{"simplify_late", false, simplifyExpressions},
		{"remove_empty", false, removeEmpty},
		{"remove_joins", false, removeJoins},
		{"fold_late", true, foldLimits},
		{"order_joins", false, orderJoins},
		{"joins_to_semi_joins", false, joinsToSemiJoins},
		{"push_semi_joins", false, pushSemiJoins},
		{"push_limits", false, pushLimits},
		{"share_subplans", false, shareSubplans},
		{"push_aggregates", false, pushAggregates},
		{"prune_columns", false, pruneColumns},
		{"prune_subfields", false, pruneSubfields},
	}
}

// Env is what the optimizer needs besides the plan.
type Env struct {
	Registry   *fn.Registry
	Statistics estimate.Statistics
	// Fold evaluates an expression without columns; an error leaves it to be raised at run time.
	Fold func(expr.Expr) (types.Datum, error)
	// Disabled names passes that the session has switched off.
	Disabled map[string]bool
	// Verify checks the plan after each pass.
	Verify func(*logical.Plan) error
	// Trace, if set, sees the plan after each pass.
	Trace func(pass string, p *logical.Plan)
}

// Context is one optimization under way. Passes replace Plan.Root.
type Context struct {
	Env
	ctx   context.Context
	Plan  *logical.Plan
	names int // the highest number given to a common table expression
}

// Step is what one pass did.
type Step struct {
	Pass string
	Took time.Duration
}

// Optimize applies the passes to p in place.
func Optimize(ctx context.Context, p *logical.Plan, env Env) ([]Step, error) {
	c := &Context{Env: env, ctx: ctx, Plan: p}
	var steps []Step
	for _, pass := range Passes() {
		if err := ctx.Err(); err != nil {
			return steps, err
		}
		if env.Disabled[pass.Name] && !pass.Required {
			continue
		}
		started := time.Now()
		if err := pass.Apply(c); err != nil {
			return steps, err
		}
		took := time.Since(started)
		if env.Verify != nil {
			if err := env.Verify(p); err != nil {
				return steps, sqlerr.Wrap(err, sqlerr.InternalError, "optimizer pass %s broke the plan", pass.Name)
			}
		}
		if env.Trace != nil {
			env.Trace(pass.Name, p)
		}
		steps = append(steps, Step{pass.Name, took})
	}
	return steps, nil
}

// DynamicFilters is no pass, but is switched off as passes are: physical planning connects the filters.
const DynamicFilters = "dynamic_filters"

// CheckDisabled refuses names that cannot be switched off.
func CheckDisabled(names []string) error {
	known := map[string]bool{DynamicFilters: true}
	switchable := []string{DynamicFilters}
	for _, p := range Passes() {
		known[p.Name] = !p.Required
		if !p.Required {
			switchable = append(switchable, p.Name)
		}
	}
	for _, n := range names {
		may, exists := known[n]
		if !exists {
			return sqlerr.New(sqlerr.InvalidParameterValue, "unknown optimizer pass %q", n).
				WithHint("Available values: %s.", strings.Join(switchable, ", "))
		}
		if !may {
			return sqlerr.New(sqlerr.InvalidParameterValue, "optimizer pass %q cannot be switched off", n)
		}
	}
	return nil
}

// rewrite replaces the plan's root by f applied to every node, inputs first.
func (c *Context) rewrite(f func(logical.Node) (logical.Node, error)) error {
	root, err := c.transform(c.Plan.Root, f)
	if err != nil {
		return err
	}
	c.Plan.Root = root
	return nil
}

func (c *Context) transform(n logical.Node, f func(logical.Node) (logical.Node, error)) (logical.Node, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	inputs := n.Inputs()
	var changed []logical.Node
	for i, in := range inputs {
		out, err := c.transform(in, f)
		if err != nil {
			return nil, err
		}
		if out != in && changed == nil {
			changed = append(make([]logical.Node, 0, len(inputs)), inputs[:i]...)
		}
		if changed != nil {
			changed = append(changed, out)
		}
	}
	if changed != nil {
		n = n.WithInputs(changed)
	}
	return f(n)
}

func (c *Context) estimator() *estimate.Estimator { return estimate.New(c.Plan, c.Statistics) }
