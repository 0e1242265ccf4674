// Package logical holds logical plans: relational algebra over numbered columns, as the binder
// builds it and the optimizer rewrites it.
//
// Every column that any node makes has a ColID unique in the Plan, described in Plan.Columns; a
// column keeps its ID as long as its values are unchanged. So an expression can move between nodes
// without renumbering, as long as the columns it reads are still produced below.
//
// A subquery is a Join of kind Mark, Semi, Anti or Single whose right side may read columns of the
// left side: such a join has Dependent set, until the decorrelation pass (Neumann and Kemper,
// "Unnesting Arbitrary Queries", 2015) has made it an ordinary one.
package logical
