-- @ ctas_hive
CREATE TABLE hive.web.request_logs (
  request_time timestamp,
  url varchar,
  ip varchar,
  user_agent varchar,
  ds varchar
)
WITH (
  format = 'ORC',
  external_location = 's3://my-bucket/data/logs/',
  partitioned_by = ARRAY['ds']
)
-- @ create_table_basic
CREATE TABLE orders (orderkey bigint, orderstatus varchar, totalprice double, orderdate date) WITH (format = 'ORC')
-- @ create_table_comment
CREATE TABLE IF NOT EXISTS orders (orderkey bigint, totalprice double COMMENT 'Price in cents.', orderdate date) COMMENT 'A table to keep track of orders.'
-- @ create_table_types
CREATE TABLE hive.default.t (id bigint, tags array(varchar), props map(varchar, double), loc row(lat double, lon double), amt decimal(38,2), ts timestamp(3) with time zone, b varbinary, ds varchar) WITH (format = 'PARQUET', partitioned_by = ARRAY['ds'], bucketed_by = ARRAY['id'], bucket_count = 50)
-- @ create_table_like
CREATE TABLE bigger_orders (another_orderkey bigint, LIKE orders INCLUDING PROPERTIES, another_orderdate date)
-- @ ctas
CREATE TABLE orders_by_date COMMENT 'Summary of orders by date' WITH (format = 'ORC') AS SELECT orderdate, sum(totalprice) AS price FROM orders GROUP BY orderdate
-- @ ctas_part
CREATE TABLE IF NOT EXISTS hive.tmp.daily WITH (format = 'ORC', partitioned_by = ARRAY['ds']) AS SELECT user_id, count(*) AS c, ds FROM events WHERE ds = '2018-01-01' GROUP BY user_id, ds
-- @ ctas_nodata
CREATE TABLE empty_nation AS SELECT * FROM nation WITH NO DATA
-- @ ctas_cols
CREATE TABLE orders_column_aliased (order_date, total_price) AS SELECT orderdate, totalprice FROM orders
-- @ insert_select
INSERT INTO hive.dw.daily_users SELECT user_id, count(*), '2018-01-01' AS ds FROM hive.raw.events WHERE ds = '2018-01-01' GROUP BY user_id
-- @ insert_cols
INSERT INTO nation (nationkey, name, regionkey, comment) VALUES (26, 'POLAND', 3, 'no comment')
-- @ insert_with
INSERT INTO t WITH x AS (SELECT 1 AS a) SELECT a FROM x
-- @ create_view
CREATE OR REPLACE VIEW test AS SELECT orderkey, orderstatus, totalprice / 4 AS quarter FROM orders
-- @ create_view_sec
CREATE VIEW v SECURITY INVOKER AS SELECT * FROM orders
-- @ create_mv
CREATE MATERIALIZED VIEW cancelled_orders AS SELECT orderkey, totalprice FROM orders WHERE orderstatus = 3
-- @ refresh_mv
REFRESH MATERIALIZED VIEW cancelled_orders
-- @ try_cast
SELECT TRY_CAST(x AS bigint), TRY(cast(y AS double) / z) FROM t
-- @ cast_types
SELECT CAST(a AS varchar(10)), CAST(b AS double), CAST(c AS decimal(18,4)), CAST(d AS varbinary), CAST(e AS timestamp(6) with time zone), CAST(f AS real), CAST(g AS tinyint) FROM t
-- @ cast_array
SELECT CAST(ARRAY[1,2] AS array(bigint))
-- @ cast_map
SELECT CAST(MAP(ARRAY['a'], ARRAY[1]) AS map(varchar, bigint))
-- @ cast_row
SELECT CAST(ROW(1, 2.0e0) AS ROW(x bigint, y double)).x
-- @ cast_json_nested
SELECT CAST(json_parse('[{"a":1}]') AS ARRAY(ROW(a bigint, b map(varchar, array(double)))))
-- @ lambda1
SELECT transform(numbers, n -> n * n) AS squared FROM t
-- @ lambda2
SELECT reduce(arr, 0, (s, x) -> s + x, s -> s) FROM t
-- @ lambda_filter
SELECT filter(ARRAY[5, -6, NULL, 7], x -> x IS NOT NULL AND x > 0), any_match(a, e -> e = 1), map_filter(m, (k, v) -> v > 10) FROM t
-- @ unnest
SELECT * FROM t CROSS JOIN UNNEST(tags) AS x (tag)
-- @ unnest_ord
SELECT numbers, n, a FROM (VALUES (ARRAY[2, 5]), (ARRAY[7, 8, 9])) AS x (numbers) CROSS JOIN UNNEST(numbers) WITH ORDINALITY AS t (n, a)
-- @ unnest_map
SELECT id, k, v FROM t CROSS JOIN UNNEST(props) AS u(k, v) WHERE k = 'x'
-- @ unnest_multi
SELECT * FROM t LEFT JOIN UNNEST(a, b) WITH ORDINALITY AS u(x, y, i) ON TRUE
-- @ grouping_sets
SELECT origin_state, origin_zip, sum(package_weight) FROM shipping GROUP BY GROUPING SETS ((origin_state), (origin_state, origin_zip), ())
-- @ cube
SELECT a, b, grouping(a, b), sum(c) FROM t GROUP BY CUBE (a, b)
-- @ rollup
SELECT a, b, sum(c) FROM t GROUP BY ROLLUP (a, b)
-- @ group_mixed
SELECT a, b, c, count(*) FROM t GROUP BY GROUPING SETS ((a, b), c), CUBE (c), ROLLUP (a)
-- @ group_by_auto
SELECT a, count(*) FROM t GROUP BY AUTO
-- @ approx
SELECT approx_distinct(user_id), approx_percentile(price, 0.99), approx_percentile(price, ARRAY[0.5, 0.9]) FROM t
-- @ agg_filter
SELECT count(*) FILTER (WHERE a > 1), sum(b) FILTER (WHERE c IS NULL) FROM t
-- @ agg_order
SELECT array_agg(x ORDER BY y DESC), listagg(v, ',') WITHIN GROUP (ORDER BY v), max_by(a, b, 3), min_by(a, b), count_if(a > 0), map_agg(k, v), histogram(x) FROM t
-- @ listagg_overflow
SELECT listagg(value, ',' ON OVERFLOW TRUNCATE '...' WITH COUNT) WITHIN GROUP (ORDER BY value) FROM t
-- @ window
SELECT orderkey, rank() OVER (PARTITION BY clerk ORDER BY totalprice DESC) AS rnk, sum(totalprice) OVER (PARTITION BY clerk ORDER BY orderdate ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM orders
-- @ window_range
SELECT avg(x) OVER (ORDER BY d RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW) FROM t
-- @ window_groups
SELECT array_agg(x) OVER (ORDER BY x DESC GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING) FROM t
-- @ window_named
SELECT lag(a, 1, 0) OVER w, first_value(b) IGNORE NULLS OVER w FROM t WINDOW w AS (PARTITION BY c ORDER BY d)
-- @ interval_arith
SELECT DATE '2018-01-01' + INTERVAL '1' DAY, TIMESTAMP '2018-01-01 00:00:00' - INTERVAL '2' HOUR, INTERVAL '3' YEAR, INTERVAL '1-2' YEAR TO MONTH, date_add('day', -1, current_date), date_diff('day', a, b) FROM t
-- @ interval_neg
SELECT * FROM t WHERE d >= current_date - INTERVAL '30' DAY AND e < now() - INTERVAL -'1' MONTH
-- @ attz
SELECT TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles', localtime, localtimestamp, current_timestamp(3)
-- @ extract
SELECT extract(year FROM orderdate), extract(dow FROM d), year(d), day_of_week(d), date_trunc('month', d), date_format(d, '%Y-%m'), from_unixtime(x), to_unixtime(y), at_timezone(ts, 'UTC') FROM orders
-- @ literals
SELECT X'65683F', U&'Hello winter \2603 !', 1.5E3, DECIMAL '12.34', DOUBLE '1.5', REAL '1.5', BIGINT '10', JSON '{"a":1}', TIME '01:02:03.456', VARCHAR 'x', true, NULL, 0x1F
-- @ match_recognize
SELECT * FROM orders MATCH_RECOGNIZE(
  PARTITION BY custkey
  ORDER BY orderdate
  MEASURES A.totalprice AS starting_price, LAST(B.totalprice) AS bottom_price, LAST(U.totalprice) AS top_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B+ C+ D+)
  SUBSET U = (C, D)
  DEFINE B AS totalprice < PREV(totalprice), C AS totalprice > PREV(totalprice) AND totalprice <= A.totalprice, D AS totalprice > PREV(totalprice)
)
-- @ tablesample
SELECT * FROM users TABLESAMPLE BERNOULLI (50)
-- @ tablesample2
SELECT o.*, i.* FROM orders o TABLESAMPLE SYSTEM (10) JOIN lineitem i TABLESAMPLE BERNOULLI (40) ON o.orderkey = i.orderkey
-- @ explain_analyze
EXPLAIN ANALYZE SELECT count(*), clerk FROM orders WHERE orderdate > date '1995-01-01' GROUP BY clerk
-- @ explain_opts
EXPLAIN (TYPE DISTRIBUTED, FORMAT JSON) SELECT regionkey, count(*) FROM nation GROUP BY 1
-- @ explain_analyze_verbose
EXPLAIN ANALYZE VERBOSE SELECT count(clerk) OVER() FROM orders
-- @ show_tables
SHOW TABLES FROM hive.default LIKE 'web%'
-- @ show_schemas
SHOW SCHEMAS FROM hive
-- @ show_catalogs
SHOW CATALOGS
-- @ show_create
SHOW CREATE TABLE sf1.orders
-- @ show_columns
SHOW COLUMNS FROM nation
-- @ show_stats
SHOW STATS FOR (SELECT * FROM orders WHERE ds = '2018-01-01')
-- @ show_session
SHOW SESSION LIKE 'query%'
-- @ show_functions
SHOW FUNCTIONS LIKE 'array%'
-- @ partitions_table
SELECT * FROM hive.web."page_views$partitions" WHERE ds >= '2018-01-01'
-- @ show_partitions
SHOW PARTITIONS FROM hive.web.page_views WHERE ds >= '2018-01-01' ORDER BY ds LIMIT 10
-- @ describe
DESCRIBE orders
-- @ alter_add
ALTER TABLE IF EXISTS users ADD COLUMN IF NOT EXISTS zip varchar COMMENT 'zip code'
-- @ alter_drop
ALTER TABLE users DROP COLUMN zip
-- @ alter_rename_col
ALTER TABLE users RENAME COLUMN id TO user_id
-- @ alter_rename
ALTER TABLE users RENAME TO people
-- @ alter_props
ALTER TABLE people SET PROPERTIES x = 'y', "foo bar" = 1
-- @ alter_execute
ALTER TABLE test_table EXECUTE optimize(file_size_threshold => '10MB') WHERE ds = '2018-01-01'
-- @ call
CALL hive.system.sync_partition_metadata('web', 'page_views', 'ADD')
-- @ call_named
CALL system.create_empty_partition(schema_name => 'web', table_name => 'page_views', partition_columns => ARRAY['ds'], partition_values => ARRAY['2018-01-01'])
-- @ merge
MERGE INTO accounts t USING monthly_accounts_update s
    ON (t.customer = s.customer)
    WHEN MATCHED AND s.address = 'Centreville' THEN DELETE
    WHEN MATCHED THEN UPDATE SET purchases = s.purchases + t.purchases, address = s.address
    WHEN NOT MATCHED THEN INSERT (customer, purchases, address) VALUES(s.customer, s.purchases, s.address)
-- @ delete
DELETE FROM hive.web.page_views WHERE ds = DATE '2016-07-14' AND country IN ('US', 'CA')
-- @ update
UPDATE purchases SET status = 'OVERDUE' WHERE ship_date IS NULL
-- @ tt_version
SELECT * FROM example.testdb.customer_orders FOR VERSION AS OF 8954597067493422955
-- @ tt_ts
SELECT * FROM example.testdb.customer_orders FOR TIMESTAMP AS OF TIMESTAMP '2022-03-23 09:59:29.803 Europe/Vienna'
-- @ tt_alias
SELECT c.id FROM customer_orders FOR VERSION AS OF 'prod_branch' AS c JOIN b ON c.id = b.id
-- @ analyze
ANALYZE hive.default.orders WITH (partitions = ARRAY[ARRAY['2018-01-01'], ARRAY['2018-01-02']])
-- @ use
USE hive.finance
-- @ set_session
SET SESSION hive.insert_existing_partitions_behavior = 'OVERWRITE'
-- @ set_session2
SET SESSION query_max_run_time = '10m'
-- @ set_tz
SET TIME ZONE INTERVAL '10' HOUR
-- @ prepare
PREPARE my_select1 FROM SELECT * FROM nation WHERE regionkey = ? AND nationkey > ?
-- @ execute
EXECUTE my_select1 USING 1, 'x'
-- @ exec_immediate
EXECUTE IMMEDIATE 'SELECT name FROM nation WHERE regionkey > ?' USING 1
-- @ subscripts
SELECT arr[1], m['k'], element_at(m, 'k'), split(s, ',')[2], r.x.y FROM t
-- @ row_compare
SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4)) AND a IS DISTINCT FROM b AND c NOT LIKE '%x!%' ESCAPE '!' AND d > ALL (SELECT 1)
-- @ json_fn
SELECT json_extract_scalar(j, '$.a.b'), json_query(d, 'lax $.x' WITH ARRAY WRAPPER), json_value(d, 'lax $.y' RETURNING bigint NULL ON EMPTY), json_exists(d, 'lax $.z') FROM t
-- @ limit_offset
SELECT name FROM nation ORDER BY name NULLS LAST OFFSET 5 ROWS FETCH FIRST 10 ROWS WITH TIES
-- @ offset_limit
SELECT name FROM nation ORDER BY 1 OFFSET 10 LIMIT 5
-- @ setops
(SELECT a FROM x EXCEPT ALL SELECT a FROM y) INTERSECT SELECT a FROM z UNION ALL (VALUES 1, 2, 3) ORDER BY 1 LIMIT ALL
-- @ values_bare
VALUES 1, 2, 3
-- @ from_values
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (id, name)
-- @ with_recursive
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n) FROM t
-- @ lateral
SELECT name, x, y FROM nation CROSS JOIN LATERAL (SELECT name || ' :-' AS x) CROSS JOIN LATERAL (SELECT x || ')' AS y)
-- @ table_fn
SELECT * FROM TABLE(sequence(start => 1000000, stop => -2000000, step => -3))
-- @ tf_table_arg
SELECT * FROM TABLE(exclude_columns(input => TABLE(orders), columns => DESCRIPTOR(clerk, comment)))
-- @ if_fn
SELECT if(a > 1, 'x', 'y'), if(b), nullif(a, 0), coalesce(a, b, 0), CASE WHEN a BETWEEN SYMMETRIC 1 AND 2 THEN 1 END FROM t
-- @ quoted_ident
SELECT "order"."Key", o."select", "日付" FROM "my schema"."Order Table" AS o
-- @ digit_ident
SELECT * FROM hive.tmp."2018_report" t WHERE t."$path" LIKE 's3://%' AND "$file_modified_time" > TIMESTAMP '2018-01-01 00:00:00 UTC'
-- @ concat_ops
SELECT 'a' || 'b', a % 2, -b, +c, a <> b, a != b FROM t
-- @ grant
GRANT SELECT, INSERT ON orders TO alice WITH GRANT OPTION
-- @ drop_table
DROP TABLE IF EXISTS hive.tmp.daily
-- @ create_schema
CREATE SCHEMA IF NOT EXISTS hive.web WITH (location = 's3://bucket/web/')
-- @ comment
COMMENT ON COLUMN hive.web.page_views.ds IS 'partition'
-- @ truncate
TRUNCATE TABLE orders
-- @ kill
CALL system.runtime.kill_query(query_id => '20151207_215727_00146_tx3nr', message => 'Using too many resources')
-- @ start_tx
START TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE
-- @ natural_using
SELECT * FROM a JOIN b USING (id) LEFT OUTER JOIN c ON a.x = c.x FULL JOIN d ON TRUE CROSS JOIN e NATURAL JOIN f
