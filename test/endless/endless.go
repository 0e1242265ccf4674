// Package endless lists statements that run until they are cancelled, one or more for each kind of
// plan node. Tests cancel them and look that nothing is left; the benchmark measures how soon.
package endless

// Statement runs for minutes at least, with most of its work in one kind of plan node.
type Statement struct {
	// Doing says what is under way.
	Doing string
	// Kind is the plan node's, as EXPLAIN (FORMAT PLAN) tags it.
	Kind string
	SQL  string
}

// Setup makes the tables that the statements name.
const Setup = `
CREATE TABLE numbers (n bigint, name text, day date) PARTITIONED BY (day);
INSERT INTO numbers SELECT g, 'n' || g, DATE '2018-08-01' + (g % 4)::int FROM generate_series(1, 200000) s(g);
CREATE TABLE sink (n bigint, name text)`

// Statements lists them.
var Statements = []Statement{
	{"generating a table's rows", "Scan", "SELECT sum(l_quantity) FROM tpch.sf1000.lineitem"},
	{"reading a table for every row", "Scan", "SELECT max(l.m) FROM generate_series(1, 1000000) s(g), LATERAL (SELECT max(name) AS m FROM numbers WHERE n > g) l"},
	{"generating numbers", "Unnest", "SELECT max(g) FROM generate_series(1, 1000000000000) s(g)"},
	{"filter", "Filter", "SELECT count(*) FROM generate_series(1, 1000000000000) s(g) WHERE md5(g::text) = 'x'"},
	{"project", "Project", "SELECT max(md5(md5(g::text))) FROM generate_series(1, 1000000000000) s(g)"},
	{"aggregating into groups", "Aggregate", "SELECT count(*) FROM (SELECT g, count(*) FROM generate_series(1, 1000000000000) s(g) GROUP BY g) q"},
	{"aggregating distinct values", "Aggregate", "SELECT count(DISTINCT md5(g::text)) FROM generate_series(1, 1000000000000) s(g)"},
	{"grouping sets", "Expand", "SELECT max(c) FROM (SELECT g % 10, g % 7, count(DISTINCT g % 5) AS c FROM generate_series(1, 1000000000000) s(g) GROUP BY CUBE (1, 2)) q"},
	{"grouping sets of sets", "Aggregate", "SELECT count(*) FROM (SELECT g % 10, g % 7, count(*) FROM generate_series(1, 1000000000000) s(g) GROUP BY CUBE (1, 2)) q"},
	{"building a join's table", "HashJoin", "SELECT count(*) FROM generate_series(1, 1000000000000) a(g) JOIN generate_series(1, 1000000000000) b(g) ON a.g = b.g"},
	{"probing a join's table", "HashJoin", "SELECT count(*) FROM generate_series(1, 1000000000000) a(g) JOIN generate_series(1, 1000) b(g) ON a.g % 1000 = b.g"},
	{"joining many to many", "HashJoin", "SELECT count(*) FROM numbers a JOIN numbers b ON a.n % 2 = b.n % 2 JOIN numbers c ON b.n % 2 = c.n % 2 WHERE a.n + b.n + c.n < 0"},
	{"nested loops", "NestedLoopJoin", "SELECT count(*) FROM generate_series(1, 10000000) a(g), generate_series(1, 10000000) b(g) WHERE a.g * b.g % 7 = 3"},
	{"gathering rows to number", "Window", "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY md5(g::text)) AS r FROM generate_series(1, 1000000000000) s(g)) q"},
	{"sort", "Sort", "SELECT g FROM generate_series(1, 1000000000000) s(g) ORDER BY md5(g::text)"},
	{"keeping the first rows", "TopN", "SELECT md5(g::text) FROM generate_series(1, 1000000000000) s(g) ORDER BY 1 LIMIT 10"},
	{"limit", "Limit", "SELECT count(*) FROM (SELECT g FROM generate_series(1, 1000000000000) s(g) LIMIT 900000000000) q"},
	{"window frames", "Window", "SELECT max(s) FROM (SELECT sum(g) OVER (ORDER BY g ROWS BETWEEN 100000 PRECEDING AND CURRENT ROW) AS s, string_agg(g::text, ',') OVER (ORDER BY g ROWS BETWEEN 100000 PRECEDING AND CURRENT ROW) FROM generate_series(1, 2000000) s(g)) q"},
	{"unnest", "Unnest", "SELECT count(*) FROM generate_series(1, 1000000000000) s(g), unnest(ARRAY[g, g + 1, g + 2]) u(x)"},
	{"recursion", "Recursive", "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"},
	{"recursion without duplicates", "Recursive", "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION SELECT n + g FROM r, generate_series(1, 1000) s(g)) SELECT max(n) FROM r"},
	{"union", "Union", "SELECT count(*) FROM (SELECT g FROM generate_series(1, 1000000000000) a(g) UNION ALL SELECT g FROM generate_series(1, 1000000000000) b(g)) q"},
	{"intersect", "HashJoin", "SELECT g FROM generate_series(1, 1000000000000) a(g) INTERSECT SELECT g FROM generate_series(1, 1000000000000) b(g)"},
	{"writing files", "Write", "INSERT INTO sink SELECT g, md5(g::text) FROM generate_series(1, 1000000000000) s(g)"},
	{"overwriting partitions", "Write", "INSERT OVERWRITE numbers SELECT g, md5(g::text), DATE '2018-08-01' + (g % 50)::int FROM generate_series(1, 1000000000000) s(g)"},
	{"reading a CTE twice", "With", "WITH c AS MATERIALIZED (SELECT g, md5(g::text) m FROM generate_series(1, 1000000000000) s(g)) SELECT count(*) FROM c a JOIN c b ON a.m = b.m"},
	{"waiting for the one row of a subquery", "NestedLoopJoin", "SELECT count(*) FROM numbers WHERE n > (SELECT g FROM generate_series(1, 1000000000000) s(g) WHERE md5(g::text) = 'x')"},
	{"a slow function", "Project", "SELECT max(length(repeat(md5(g::text), 1000))) FROM generate_series(1, 1000000000000) s(g)"},
	{"long lists", "Aggregate", "SELECT max(array_length(x, 1)) FROM (SELECT array_agg(g) AS x FROM generate_series(1, 1000000000000) s(g)) q"},
}
