// Package binder turns a syntax tree into a logical plan: it resolves names against the catalog and
// the scopes of the query, gives every expression its type by PostgreSQL's rules, chooses overloads
// from the function registry, makes every coercion an explicit cast, and reports what is wrong with
// PostgreSQL's SQLSTATE and words at the place where the user wrote it.
//
//	ast.Statement ──Bind──▶ Bound{Plan: logical.Plan, Parameters, Tables}
//
// How a SELECT is bound (bind_select.go): FROM gives a plan and a scope; the select list, WHERE,
// HAVING, ORDER BY, GROUP BY and the rest are then bound to expressions over FROM's columns. What
// cannot be computed there becomes a placeholder, a column with a number of its own that is described in
// binder.pending: a subquery, an aggregate, a window function, a set-returning function, GROUPING.
// When all clauses are known the plan is assembled from the bottom up: joins for subqueries just
// below the node that reads their column, Aggregate, HAVING, Window, QUALIFY, Unnest, Project,
// DISTINCT, Sort, Limit. Above an Aggregate, expressions are rewritten to read its keys
// (select_group.go), which is also where 42803 comes from.
//
// Subqueries become Joins of kind Single, Mark, Semi, Anti or NullAwareAnti with Dependent set when
// they read columns of the query around them (expr_subquery.go).
//
// Untyped literals and parameters have type Unknown until their context coerces them (coerce.go);
// string literals are folded at that moment, so that a malformed one is reported with its position.
package binder
