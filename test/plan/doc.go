// Package plan tests the planner as a whole: SQL in, the plan that EXPLAIN shows out, over tables
// with fixed statistics. Each .txt file holds cases in datadriven's form:
//
//	table rows=1000
//	CREATE TABLE r (id bigint NOT NULL, a int)
//	id distinct=1000 min=1 max=1000
//	a distinct=10 nulls=0.1
//	----
//
//	plan expect=(push_filters) expect-not=(order_joins)
//	SELECT …
//	----
//	…
//
// A pass fires when it changes the plan. Cases say which passes must fire (expect) and which must
// leave the plan alone (expect-not), because their rewriting would change the answer or cost more;
// every pass of the optimizer needs a case of both kinds. `query=tpch/q01` takes the text from
// bench/queries. The tables of TPC-H have the statistics of scale factor 1. To rewrite the plans after
// reading the differences: go test ./test/plan -rewrite.
package plan
