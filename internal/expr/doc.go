// Package expr is the bound form of scalar expressions: every name resolved, every coercion an
// explicit Cast, every function an overload's number in the registry. Logical plans and physical
// plans share it; a Column's ID is a plan-wide column number in the former and the ordinal in the
// operator's input in the latter.
//
// Expressions are immutable: rewriting builds new nodes. Subqueries do not occur here; the binder
// turns them into joins and leaves a Column.
package expr
