package statement_test

import (
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestAlterTable(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int, b text, v varchar(3), d decimal(5,2), ds date) PARTITIONED BY (ds); INSERT INTO t VALUES (1, 'x', 'abc', 1.5, '2018-08-01')")
	c.run("ALTER TABLE t ADD COLUMN c bigint, ADD COLUMN e text")
	c.tagged("ALTER TABLE")
	c.gives("SELECT a, c, e FROM t", "1|NULL|NULL")
	c.run("ALTER TABLE t ADD COLUMN IF NOT EXISTS c int")
	c.noticed(`column "c" of relation "t" already exists, skipping`)
	c.fails("ALTER TABLE t ADD COLUMN c int", sqlerr.DuplicateColumn, `column "c" of relation "t" already exists @26`)
	c.fails("ALTER TABLE t ADD COLUMN f int DEFAULT 1", sqlerr.FeatureNotSupported, "a column with a default cannot be added to a table that has rows @40")
	c.run("ALTER TABLE t RENAME COLUMN b TO bb")
	c.gives("SELECT bb FROM t", "x")
	c.fails("ALTER TABLE t RENAME COLUMN b TO z", sqlerr.UndefinedColumn, `column "b" does not exist @29`)
	c.run("ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN v TYPE varchar(10), ALTER COLUMN d SET DATA TYPE decimal(10,2)")
	c.gives("SELECT a, v, d FROM t", "1|abc|1.50")
	c.fails("ALTER TABLE t ALTER COLUMN a TYPE int", sqlerr.FeatureNotSupported, `cannot change the type of column "a" from bigint to integer @28`)
	c.fails("ALTER TABLE t ALTER COLUMN a TYPE text USING a::text", sqlerr.FeatureNotSupported, "ALTER COLUMN TYPE ... USING is not supported @46")
	c.fails("ALTER TABLE t DROP COLUMN ds", sqlerr.InvalidTableDefinition, `cannot drop column "ds" because it is part of the partition key of relation "t" @27`)
	c.run("ALTER TABLE t DROP COLUMN e, DROP COLUMN IF EXISTS nosuch")
	c.noticed(`column "nosuch" of relation "t" does not exist, skipping`)
	c.run("ALTER TABLE t ALTER COLUMN a SET DEFAULT 9; INSERT INTO t (bb, ds) VALUES ('y', '2018-08-02')")
	c.gives("SELECT a FROM t WHERE bb = 'y'", "9")
	c.fails("ALTER TABLE t ALTER COLUMN c SET NOT NULL", sqlerr.NotNullViolation, `column "c" of relation "t" contains null values @28`)
	c.run("ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN a DROP DEFAULT")
	c.gives("DESCRIBE t", "a|bigint|not null|", "bb|text||", "v|character varying(10)||", "d|numeric(10,2)||", "ds|date|partition key|", "c|bigint||")
	c.fails("INSERT INTO t (bb) VALUES ('z')", sqlerr.NotNullViolation, `null value in column "a" of relation "t" violates not-null constraint`)
	c.run("ALTER TABLE t SET (retention = '90 days'), SET (compression = 'snappy')")
	c.gives("SHOW PROPERTIES FROM t LIKE 'retention'", "retention|90 days")
	c.run("ALTER TABLE t SET PROPERTIES compression = 'zstd'; ALTER TABLE t RESET (retention)")
	c.gives("SHOW PROPERTIES FROM t LIKE 'compression'", "compression|zstd")
	c.gives("SHOW PROPERTIES FROM t LIKE 'retention'")
	c.fails("ALTER TABLE t SET (nosuch = 1)", sqlerr.InvalidParameterValue, `unrecognized table property "nosuch" @20`)
	c.run("ALTER TABLE IF EXISTS nosuch ADD COLUMN a int")
	c.noticed(`relation "nosuch" does not exist, skipping`)
	c.fails("ALTER TABLE nosuch ADD COLUMN a int", sqlerr.UndefinedTable, `relation "nosuch" does not exist @13`)
	c.run("ALTER TABLE t RENAME TO u")
	c.fails("SELECT * FROM t", sqlerr.UndefinedTable, `relation "t" does not exist @15`)
	c.run("CREATE SCHEMA s; ALTER TABLE u SET SCHEMA s")
	c.gives("SELECT count(*) FROM s.u", "2")
	c.fails("ALTER TABLE s.u OWNER TO nobody", sqlerr.UndefinedObject, `role "nobody" does not exist`)
}

func TestComments(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; COMMENT ON TABLE t IS 'things'; COMMENT ON COLUMN t.a IS 'the a'; COMMENT ON VIEW v IS 'seen'")
	c.gives("DESCRIBE t", "a|integer||the a")
	c.gives("SHOW CREATE TABLE t", "CREATE TABLE public.t (\n  a integer COMMENT 'the a'\n)\nCOMMENT 'things'\nSTORED AS PARQUET")
	c.fails("COMMENT ON TABLE v IS 'x'", sqlerr.WrongObjectType, `"v" is not a table @18`)
	c.fails("COMMENT ON COLUMN t.nosuch IS 'x'", sqlerr.UndefinedColumn, `column "nosuch" of relation "t" does not exist @19`)
	c.run("COMMENT ON TABLE t IS NULL")
	c.gives("SHOW CREATE TABLE t", "CREATE TABLE public.t (\n  a integer COMMENT 'the a'\n)\nSTORED AS PARQUET")
}

func TestTruncateAndPartitions(t *testing.T) {
	c := connect(t)
	c.run(`CREATE TABLE t (a int, ds date, h int) PARTITIONED BY (ds, h);
		INSERT INTO t VALUES (1, '2018-08-01', 1), (2, '2018-08-01', 2), (3, '2018-08-02', 1), (4, NULL, 1)`)
	c.gives("SHOW PARTITIONS t PARTITION (ds = DATE '2018-08-01') ORDER BY h DESC LIMIT 1", c.run("SHOW PARTITIONS t")[1])
	if rows := c.run("SHOW PARTITIONS FROM t WHERE ds = '2018-08-02' OR ds IS NULL"); len(rows) != 2 {
		t.Errorf("partitions %q", rows)
	}
	if rows := c.run("SHOW PARTITIONS t LIKE 'ds=2018-08-01/%'"); len(rows) != 2 {
		t.Errorf("partitions %q", rows)
	}
	c.run("ALTER TABLE t DROP PARTITION (ds = '2018-08-01')")
	c.gives("SELECT a FROM t ORDER BY a", "3", "4")
	c.fails("ALTER TABLE t DROP PARTITION (ds = '2018-08-01')", sqlerr.UndefinedObject, `partition ds=2018-08-01 of relation "t" does not exist @20`)
	c.run("ALTER TABLE t DROP IF EXISTS PARTITION (ds = '2018-08-01')")
	c.noticed(`partition ds=2018-08-01 of relation "t" does not exist, skipping`)
	c.fails("ALTER TABLE t DROP PARTITION (a = 1)", sqlerr.UndefinedColumn, `column "a" is not a partition column of relation "t" @31`)
	c.run("TRUNCATE t")
	c.tagged("TRUNCATE TABLE")
	c.gives("SELECT count(*) FROM t", "0")
	c.fails("TRUNCATE nosuch", sqlerr.UndefinedTable, `relation "nosuch" does not exist @10`)
	c.run("CREATE VIEW v AS SELECT 1 AS a")
	c.fails("TRUNCATE v", sqlerr.WrongObjectType, `"v" is not a table @10`)
}

func TestVersions(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int)")
	c.run("INSERT INTO t VALUES (1)")
	c.run("INSERT INTO t VALUES (2)")
	if rows := c.run("SHOW VERSIONS FROM t"); len(rows) != 3 {
		t.Errorf("versions %q", rows)
	}
	c.run("ROLLBACK TABLE t TO VERSION 2")
	c.tagged("ROLLBACK TABLE")
	c.gives("SELECT a FROM t", "1")
	c.gives("SELECT a FROM t FOR VERSION AS OF 3 ORDER BY a", "1", "2")
	c.run("ROLLBACK TABLE t TO VERSION 3")
	c.gives("SELECT sum(a) FROM t", "3")
	c.fails("ROLLBACK TABLE t TO VERSION 99", sqlerr.InvalidParameterValue, `table "t" has no version 99 @29`)
	c.fails("ROLLBACK TABLE t TO TIMESTAMP '2001-01-01'", sqlerr.InvalidParameterValue, `table "t" has no version at that time @31`)
}

func TestTransactionsStageDefinitions(t *testing.T) {
	s := newServer(t)
	c, other := s.connect("ada"), s.connect("bob")
	c.run("CREATE TABLE t AS SELECT 1 AS a")
	c.run("BEGIN; CREATE TABLE t_new AS SELECT 2 AS a; ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t; DROP TABLE t_old")
	c.gives("SELECT a FROM t", "2")
	other.gives("SELECT a FROM t", "1")
	c.run("COMMIT")
	other.gives("SELECT a FROM t", "2")
	c.run("BEGIN; CREATE TABLE gone (a int); SAVEPOINT s; DROP TABLE t")
	c.fails("SELECT a FROM t", sqlerr.UndefinedTable, `relation "t" does not exist @15`)
	c.run("ROLLBACK TO s")
	c.gives("SELECT a FROM t", "2")
	c.run("ROLLBACK")
	c.fails("SELECT * FROM gone", sqlerr.UndefinedTable, `relation "gone" does not exist @15`)
	c.run("BEGIN READ ONLY")
	c.fails("CREATE TABLE x (a int)", sqlerr.ReadOnlySQLTransaction, "cannot execute CREATE TABLE in a read-only transaction")
	c.run("ROLLBACK")
}

func TestDropsOfWhatIsNotThere(t *testing.T) {
	c := connect(t)
	c.fails("DROP TABLE nosuch", sqlerr.UndefinedTable, `table "nosuch" does not exist @12`)
	c.fails("DROP TABLE nosuch.t", sqlerr.InvalidSchemaName, `schema "nosuch" does not exist @12`)
	c.run("CREATE TABLE a (x int); CREATE TABLE b (x int)")
	c.run("DROP TABLE IF EXISTS a, nosuch, nosuch.t, b")
	c.tagged("DROP TABLE")
	c.noticed(`table "nosuch" does not exist, skipping`, `schema "nosuch" does not exist, skipping`)
	c.run("DROP MATERIALIZED VIEW IF EXISTS m; DROP INDEX IF EXISTS i; DROP SEQUENCE IF EXISTS s")
	c.noticed(`materialized view "m" does not exist, skipping`, `index "i" does not exist, skipping`, `sequence "s" does not exist, skipping`)
	c.fails("DROP INDEX i", sqlerr.UndefinedObject, `index "i" does not exist`)
	c.run("CREATE TABLE orders (x int)")
	e := c.fails("DROP TABLE oders", sqlerr.UndefinedTable, `table "oders" does not exist @12`)
	if e.Hint != `Perhaps you meant the table "orders".` {
		t.Errorf("hint %q", e.Hint)
	}
}
