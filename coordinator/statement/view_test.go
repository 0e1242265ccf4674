package statement_test

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestViews(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int, b text, c date); INSERT INTO t VALUES (1, 'x', '2018-08-01'), (2, 'y', '2018-08-02')")
	c.run("CREATE VIEW v AS SELECT a, upper(b) AS big FROM t WHERE c > DATE '2018-08-01'")
	c.tagged("CREATE VIEW")
	c.gives("SELECT * FROM v", "2|Y")
	c.gives("DESCRIBE v", "a|integer||", "big|text||")
	c.gives("SHOW CREATE VIEW v", "CREATE VIEW public.v (a, big) AS\nSELECT a, upper(b) AS big FROM t WHERE c > DATE '2018-08-01'")
	c.gives("SHOW VIEWS", "v")
	c.fails("CREATE VIEW v AS SELECT 1 AS a", sqlerr.DuplicateTable, `relation "v" already exists @13`)
	c.fails("CREATE OR REPLACE VIEW t AS SELECT 1 AS a", sqlerr.WrongObjectType, `"t" is not a view`)
	c.run("CREATE OR REPLACE VIEW v (x) AS SELECT a FROM t")
	c.gives("SELECT sum(x) FROM v", "3")
	c.fails("CREATE VIEW w (x, y) AS SELECT 1 AS a", sqlerr.SyntaxError, "CREATE VIEW specifies more column names than columns @19")
	c.fails("CREATE VIEW w AS SELECT nosuch FROM t", sqlerr.UndefinedColumn, `column "nosuch" does not exist @25`)
	c.fails("CREATE MATERIALIZED VIEW w AS SELECT 1", sqlerr.FeatureNotSupported, "materialized views are not supported @26")
	c.fails("INSERT INTO v VALUES (1)", sqlerr.ObjectNotInPrerequisiteState, `cannot insert into view "v"`)
	c.fails("DROP TABLE v", sqlerr.WrongObjectType, `"v" is not a table`)
	c.run("DROP VIEW IF EXISTS nosuch")
	c.noticed(`view "nosuch" does not exist, skipping`)
	c.run("CREATE RECURSIVE VIEW counted (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < 4")
	c.gives("SELECT sum(n) FROM counted", "10")
	c.run("DROP VIEW v")
	c.tagged("DROP VIEW")
}

func TestViewsKeepTheirMeaning(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'); CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT * FROM v")
	c.run("ALTER TABLE t ADD COLUMN c int")
	c.gives("SELECT * FROM w", "1|x")
	c.run("ALTER TABLE t RENAME COLUMN b TO bb; ALTER TABLE t RENAME TO moved; CREATE TABLE t (a int, b text)")
	c.gives("SELECT * FROM w", "1|x")
	c.run("CREATE SCHEMA s; ALTER TABLE moved SET SCHEMA s")
	c.gives("SELECT b FROM v", "x")
	c.run("CREATE TEMP TABLE t (a int, b text); INSERT INTO t VALUES (7, 'temp')")
	c.gives("SELECT * FROM w", "1|x")
	c.run("SET search_path = s")
	c.gives("SELECT * FROM public.w", "1|x")
	c.run("CREATE OR REPLACE VIEW public.v AS SELECT a, bb AS b, c FROM moved")
	c.gives("SELECT * FROM public.w", "1|x")
	e := c.fails("CREATE OR REPLACE VIEW public.v AS SELECT a FROM moved", sqlerr.InvalidTableDefinition, "cannot drop columns from view")
	if e.Code == "" {
		t.Error("no code")
	}
	c.fails("ALTER TABLE moved DROP COLUMN bb", sqlerr.DependentObjectsStillExist, "cannot drop column bb of table moved because other objects depend on it @31")
	c.fails("ALTER TABLE moved ALTER COLUMN a TYPE bigint", sqlerr.FeatureNotSupported, "cannot alter type of a column used by a view or rule @32")
	e = c.fails("DROP TABLE moved", sqlerr.DependentObjectsStillExist, "cannot drop table moved because other objects depend on it")
	if want := "view public.v depends on table moved\nview public.w depends on view public.v"; e.Detail != want {
		t.Errorf("detail %q", e.Detail)
	}
	c.run("DROP TABLE moved CASCADE")
	c.noticed("drop cascades to 2 other objects")
	c.fails("SELECT * FROM public.w", sqlerr.UndefinedTable, `relation "public.w" does not exist @15`)
}

func TestTemporaryViews(t *testing.T) {
	c := connect(t)
	c.run("CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT a FROM t")
	c.noticed(`view "v" will be a temporary view`)
	c.gives("SELECT * FROM v", "1")
	c.fails("SELECT * FROM public.v", sqlerr.UndefinedTable, `relation "public.v" does not exist @15`)
}

func TestLatestPartition(t *testing.T) {
	c := connect(t)
	c.run(`CREATE SCHEMA dwh; CREATE TABLE dwh.orders (id int, ds date) PARTITIONED BY (ds);
		CREATE OR REPLACE VIEW dwh.orders_latest AS SELECT * FROM dwh.orders WHERE ds = latest_partition('dwh.orders')`)
	c.gives("SELECT count(*) FROM dwh.orders_latest", "0")
	c.run("INSERT INTO dwh.orders VALUES (1, '2018-08-01'), (2, '2018-08-02'), (3, '2018-08-02')")
	c.gives("SELECT id FROM dwh.orders_latest ORDER BY 1", "2", "3")
	c.gives("SELECT latest_partition('dwh.orders'), latest_partition('dwh.orders') - 1", "2018-08-02|2018-08-01")
	c.gives("SELECT id FROM dwh.orders WHERE ds >= latest_partition('dwh.orders') - interval '1 day' ORDER BY 1", "1", "2", "3")
	c.fails("SELECT latest_partition('dwh.ordrs')", sqlerr.UndefinedTable, `relation "dwh.ordrs" does not exist @25`)
	c.run("CREATE TABLE plain (a int)")
	c.fails("SELECT latest_partition('plain')", sqlerr.WrongObjectType, `table "plain" is not partitioned @25`)
	c.fails("SELECT latest_partition(id::text) FROM dwh.orders", sqlerr.FeatureNotSupported, "latest_partition needs the name of a table as a constant @25")
}

func TestViewsSurviveReplacedTables(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int, b text, c int); INSERT INTO t VALUES (1, 'x', 5); ALTER TABLE t DROP COLUMN c; CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT b FROM v")
	c.run("CREATE OR REPLACE TABLE t AS SELECT a + 1 AS a, b, 9 AS more FROM t")
	c.gives("SELECT * FROM v", "2|x")
	c.gives("SELECT * FROM w", "x")
	c.run("ALTER TABLE t RENAME TO u")
	c.gives("SELECT * FROM w", "x")
	c.fails("CREATE OR REPLACE TABLE u AS SELECT 'text' AS a, 'b' AS b", sqlerr.DependentObjectsStillExist, "cannot drop table u because other objects depend on it")
	c.gives("SELECT * FROM v", "2|x")
	c.fails("DROP TABLE u", sqlerr.DependentObjectsStillExist, "cannot drop table u because other objects depend on it")
	c.fails("CREATE OR REPLACE TABLE v AS SELECT 1 AS a", sqlerr.WrongObjectType, `"v" is not a table`)
	c.run("CREATE VIEW system_view AS SELECT count(*) AS n FROM tpch.sf1.region; CREATE TABLE p (a int, ds date) PARTITIONED BY (ds)")
	c.gives("SELECT n FROM system_view", "5")
	c.run("CREATE VIEW newest AS SELECT latest_partition('p') AS ds")
	c.fails("DROP TABLE p", sqlerr.DependentObjectsStillExist, "cannot drop table p because other objects depend on it")
}
