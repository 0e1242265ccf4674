package statement_test

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func TestSchemas(t *testing.T) {
	c := connect(t)
	c.run("CREATE SCHEMA dwh")
	c.tagged("CREATE SCHEMA")
	c.fails("CREATE SCHEMA dwh", sqlerr.DuplicateSchema, `schema "dwh" already exists`)
	c.run("CREATE SCHEMA IF NOT EXISTS dwh")
	c.noticed(`schema "dwh" already exists, skipping`)
	c.fails("CREATE SCHEMA pg_mine", sqlerr.ReservedName, `unacceptable schema name "pg_mine"`)
	c.run("COMMENT ON SCHEMA dwh IS 'the warehouse'")
	c.tagged("COMMENT")
	c.gives("SHOW CREATE SCHEMA dwh", "CREATE SCHEMA dwh\nCOMMENT 'the warehouse'")
	c.run("ALTER SCHEMA dwh RENAME TO house")
	c.tagged("ALTER SCHEMA")
	c.gives("SHOW SCHEMAS LIKE 'h%'", "house")
	c.fails("DROP SCHEMA dwh", sqlerr.InvalidSchemaName, `schema "dwh" does not exist`)
	c.run("DROP SCHEMA IF EXISTS dwh")
	c.noticed(`schema "dwh" does not exist, skipping`)
	c.run("CREATE TABLE house.t (a int)")
	e := c.fails("DROP SCHEMA house", sqlerr.DependentObjectsStillExist, "cannot drop schema house because other objects depend on it")
	if e.Detail != "table house.t depends on schema house" || e.Hint != "Use DROP ... CASCADE to drop the dependent objects too." {
		t.Errorf("detail %q, hint %q", e.Detail, e.Hint)
	}
	c.run("DROP SCHEMA house CASCADE")
	c.noticed("drop cascades to table house.t")
	c.tagged("DROP SCHEMA")
	c.fails("CREATE TABLE nosuch.t (a int)", sqlerr.InvalidSchemaName, `schema "nosuch" does not exist @14`)
}

func TestCreateTable(t *testing.T) {
	c := connect(t)
	c.run(`CREATE TABLE orders (id bigint NOT NULL, amount decimal(12,2) DEFAULT 0, note text COMMENT 'free text', ds date)
		PARTITIONED BY (ds) STORED AS PARQUET WITH (sorted_by = 'id', compression = 'ZSTD', target_file_size = '256MB')`)
	c.tagged("CREATE TABLE")
	c.gives("DESCRIBE orders", "id|bigint|not null|", "amount|numeric(12,2)|default 0|", "note|text||free text", "ds|date|partition key|")
	c.gives("SHOW CREATE TABLE orders", `CREATE TABLE public.orders (
  id bigint NOT NULL,
  amount numeric(12,2) DEFAULT 0,
  note text COMMENT 'free text',
  ds date
)
PARTITIONED BY (ds)
SORTED BY (id)
STORED AS PARQUET
WITH (compression = 'zstd', target_file_size = '268435456')`)
	shown := c.run("SHOW CREATE TABLE orders")[0]
	c.run("DROP TABLE orders")
	c.run(shown)
	c.gives("SHOW CREATE TABLE orders", shown)

	c.fails("CREATE TABLE orders (a int)", sqlerr.DuplicateTable, `relation "orders" already exists @14`)
	c.run("CREATE TABLE IF NOT EXISTS orders (a int)")
	c.noticed(`relation "orders" already exists, skipping`)
	c.run("CREATE OR REPLACE TABLE orders (a int, b text)")
	c.gives("SHOW COLUMNS FROM orders", "a|integer||", "b|text||")

	c.fails("CREATE TABLE u (a nosuch)", sqlerr.UndefinedObject, `type "nosuch" does not exist @19`)
	c.fails("CREATE TABLE u (a int, a text)", sqlerr.DuplicateColumn, `column "a" specified more than once`)
	c.fails("CREATE TABLE u (a int DEFAULT 'x')", sqlerr.InvalidTextRepresentation, `invalid input syntax for type integer: "x" @31`)
	c.fails("CREATE TABLE u (a int DEFAULT true)", sqlerr.DatatypeMismatch, `column "a" is of type integer but default expression is of type boolean @31`)
	c.fails("CREATE TABLE u (a int, b int DEFAULT a)", sqlerr.FeatureNotSupported, `cannot use column reference in DEFAULT expression @38`)
	c.fails("CREATE TABLE u (a bigint DEFAULT count(*))", sqlerr.GroupingError, "aggregate functions are not allowed in DEFAULT expressions @34")
	c.fails("CREATE TABLE u (a bigint DEFAULT row_number() OVER ())", sqlerr.WindowingError, "window functions are not allowed in DEFAULT expressions @34")
	c.fails("CREATE TABLE u (a int DEFAULT generate_series(1, 2))", sqlerr.FeatureNotSupported, "set-returning functions are not allowed in DEFAULT expressions @31")
	c.fails("CREATE TABLE u (a int) PARTITIONED BY (dz)", sqlerr.UndefinedColumn, `column "dz" named in partition key does not exist @40`)
	c.fails("CREATE TABLE u (a int) WITH (retentoin = '1 day')", sqlerr.InvalidParameterValue, `unrecognized table property "retentoin" @30`)
	c.fails("CREATE TABLE u (a int) WITH (write_once = 'maybe')", sqlerr.InvalidParameterValue, `invalid value for table property "write_once": "maybe" @30`)
	c.fails("CREATE TABLE u (a int CHECK (a > 0))", sqlerr.FeatureNotSupported, `CHECK constraints are not supported @23`)
	c.fails("CREATE TABLE u (a text COLLATE \"de_DE\")", sqlerr.UndefinedObject, `collation "de_DE" for encoding "UTF8" does not exist @32`)
	c.fails("CREATE TABLE u (a serial)", sqlerr.FeatureNotSupported, `type "serial" is not supported @19`)
	c.run("CREATE TABLE u (a int PRIMARY KEY, b int UNIQUE)")
	c.noticed("PRIMARY KEY constraints are not enforced", "UNIQUE constraints are not enforced")
	c.gives("DESCRIBE u", "a|integer|not null|", "b|integer||")
}

func TestCreateTableInOtherSpellings(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE trino (a int, ds date) WITH (format = 'PARQUET', partitioned_by = ARRAY['ds'])")
	c.gives("DESCRIBE trino", "a|integer||", "ds|date|partition key|")
	c.run("CREATE TABLE hive (a int, b string) PARTITIONED BY (ds date COMMENT 'day') ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' STORED AS TEXTFILE")
	c.gives("DESCRIBE hive", "a|integer||", "b|text||", "ds|date|partition key|day")
	c.gives("SHOW PROPERTIES FROM hive LIKE 'd%'", "delimiter|\t")
	c.gives("SHOW PROPERTIES FROM hive LIKE 'null_string'", `null_string|\N`)
	c.run("CREATE TABLE copied LIKE hive")
	c.gives("DESCRIBE copied", "a|integer||", "b|text||", "ds|date|partition key|")
	c.gives("SHOW PROPERTIES FROM copied LIKE 'format'", "format|csv")
	c.run("CREATE TABLE wider (x int, LIKE trino, y int)")
	c.gives("DESCRIBE wider", "x|integer||", "a|integer||", "ds|date||", "y|integer||")
	c.run("CREATE TABLE keyed (a int NOT NULL DEFAULT 7 COMMENT 'c'); CREATE TABLE like_all (LIKE keyed INCLUDING ALL)")
	c.gives("DESCRIBE like_all", "a|integer|not null, default 7|c")
	c.fails("CREATE TABLE x (LIKE nosuch)", sqlerr.UndefinedTable, `relation "nosuch" does not exist @22`)
	c.fails("CREATE TABLE x (a int) PARTITIONED BY (bucket(16, a))", sqlerr.FeatureNotSupported, "partition transforms are not supported @40")
	c.fails("CREATE EXTERNAL TABLE x (a int)", sqlerr.InvalidTableDefinition, `external table "x" has no LOCATION @23`)
}

func TestTemporaryTables(t *testing.T) {
	s := newServer(t)
	c, other := s.connect("ada"), s.connect("bob")
	c.run("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2)")
	c.gives("SELECT sum(a) FROM t", "3")
	other.fails("SELECT * FROM t", sqlerr.UndefinedTable, `relation "t" does not exist @15`)
	c.run("BEGIN; CREATE TEMP TABLE gone (a int) ON COMMIT DROP; INSERT INTO gone VALUES (1)")
	c.gives("SELECT a FROM gone", "1")
	c.run("COMMIT")
	c.fails("SELECT * FROM gone", sqlerr.UndefinedTable, `relation "gone" does not exist @15`)
	c.run("CREATE TEMP TABLE emptied (a int) ON COMMIT DELETE ROWS; CREATE TEMP TABLE kept (a int) ON COMMIT PRESERVE ROWS; INSERT INTO emptied VALUES (1); INSERT INTO kept VALUES (1)")
	c.run("BEGIN; INSERT INTO emptied VALUES (2)")
	c.gives("SELECT a FROM emptied", "2")
	c.run("COMMIT")
	c.gives("SELECT (SELECT count(*) FROM emptied), (SELECT count(*) FROM kept)", "0|1")
	c.run("DROP TABLE emptied")
	c.fails("CREATE TABLE p (a int) ON COMMIT DROP", sqlerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables @14")
	c.fails("CREATE TEMP TABLE public.p (a int)", sqlerr.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema @19")
	c.run("DISCARD TEMP")
	c.fails("SELECT * FROM t", sqlerr.UndefinedTable, `relation "t" does not exist @15`)
}

func TestCreateTableAs(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE src AS SELECT * FROM (VALUES (1, 'a', DATE '2018-08-01'), (2, 'b', DATE '2018-08-01'), (3, NULL, DATE '2018-08-02')) v(id, name, ds)")
	c.tagged("SELECT 3")
	c.gives("DESCRIBE src", "id|integer||", "name|text||", "ds|date||")
	c.run("CREATE TABLE parts WITH (partitioned_by = ARRAY['ds']) AS SELECT * FROM src")
	c.gives("SELECT id, ds FROM parts ORDER BY id", "1|2018-08-01", "2|2018-08-01", "3|2018-08-02")
	c.run("CREATE TABLE named (x, y) AS SELECT id, name FROM src WITH NO DATA")
	c.tagged("CREATE TABLE AS")
	c.gives("DESCRIBE named", "x|integer||", "y|text||")
	c.gives("SELECT count(*) FROM named", "0")
	c.run("CREATE OR REPLACE TABLE src AS SELECT id + 10 AS id FROM src")
	c.gives("SELECT id FROM src ORDER BY 1", "11", "12", "13")
	c.run("SELECT id, id * 2 AS twice INTO TEMP doubled FROM src")
	c.tagged("SELECT 3")
	c.gives("SELECT sum(twice) FROM doubled", "72")
	c.run("CREATE TABLE IF NOT EXISTS src AS SELECT 1 AS a")
	c.noticed(`relation "src" already exists, skipping`)
	c.tagged("CREATE TABLE AS")
	c.fails("CREATE TABLE d AS SELECT 1 AS a, 2 AS a", sqlerr.DuplicateColumn, `column "a" specified more than once`)
	c.fails("CREATE TABLE d (x, y) AS SELECT 1 AS a", sqlerr.SyntaxError, "too many column names were specified @20")
	c.fails("CREATE TABLE src AS SELECT 1 AS a", sqlerr.DuplicateTable, `relation "src" already exists @14`)
	c.fails("CREATE TABLE d AS SELECT nosuch FROM src", sqlerr.UndefinedColumn, `column "nosuch" does not exist @26`)
	c.run("CREATE TABLE kinds AS SELECT NULL AS n, 1.5 AS d, sum(id) AS s, count(*) AS c FROM src")
	c.gives("DESCRIBE kinds", "n|text||", "d|numeric(2,1)||", "s|bigint||", "c|bigint||")
}

func TestCreateTableAsTakesParameters(t *testing.T) {
	c := connect(t)
	ctx := c.session.Begin()
	sql := "CREATE TABLE t AS SELECT $1::int AS a, $2 AS b"
	trees, err := c.session.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	st, err := c.session.Prepare(ctx, sql, trees[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Prepared.ParamTypes) != 2 || st.Prepared.ParamTypes[0].Kind != types.Int32 || st.Prepared.ParamTypes[1].Kind != types.Text {
		t.Errorf("parameters %v", st.Prepared.ParamTypes)
	}
	portal, err := c.session.Bind("", st, []types.Datum{types.IntDatum(7), types.StringDatum("x")})
	if err != nil {
		t.Fatal(err)
	}
	if err := portal.Run(ctx, 0); err != nil {
		t.Fatal(describe(err))
	}
	if err := c.session.EndImplicit(ctx); err != nil {
		t.Fatal(err)
	}
	c.session.End()
	c.gives("SELECT * FROM t", "7|x")
}
