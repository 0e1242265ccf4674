// Package eval compiles bound expressions and runs them over batches.
//
// An expression becomes a tree of nodes, each owning the vector that it returns: a result is valid
// until the node's next evaluation. A node computes the rows it is asked for and no others; the rest
// of its result is garbage. That is how a conjunct, a CASE arm or a COALESCE operand is kept from
// raising an error on a row that does not reach it.
//
//	Evaluator    one expression → one vector
//	Projection   several expressions, common parts computed once
//	Predicate    a condition → the list of rows for which it is true
//	Fold         an expression without columns → a constant
//
// Constants are computed once, functions of one dictionary-encoded argument once for each entry of
// the dictionary (see dictionary.go). Evaluators are for one goroutine at a time.
//
// Names of catalog objects go through Session.Lookup: kind "regclass", "regtype", "regproc" or
// "regnamespace" with a text Datum gives the oid, kind "regclass name" (…) with an oid the name.
package eval
