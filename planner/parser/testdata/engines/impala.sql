-- @ insert_overwrite_part
INSERT OVERWRITE TABLE dw.daily PARTITION (ds='2018-01-01') SELECT user_id, count(*) FROM raw.events WHERE ds='2018-01-01' GROUP BY user_id
-- @ insert_overwrite_dyn
INSERT OVERWRITE dw.daily PARTITION (ds, hr=10) SELECT user_id, cnt, ds FROM tmp
-- @ insert_into_part
INSERT INTO TABLE dw.daily PARTITION (ds='2018-01-01') VALUES (1, 2), (3, 4)
-- @ insert_hint
INSERT INTO dw.daily PARTITION (ds) /* +SHUFFLE */ SELECT * FROM tmp
-- @ compute_stats
COMPUTE STATS dw.daily
-- @ compute_inc
COMPUTE INCREMENTAL STATS dw.daily PARTITION (ds='2018-01-01')
-- @ show_partitions
SHOW PARTITIONS dw.daily
-- @ show_table_stats
SHOW TABLE STATS dw.daily
-- @ show_column_stats
SHOW COLUMN STATS dw.daily
-- @ show_files
SHOW FILES IN dw.daily PARTITION (ds='2018-01-01')
-- @ create_parquet
CREATE TABLE dw.daily (user_id BIGINT, cnt BIGINT) PARTITIONED BY (ds STRING) STORED AS PARQUET LOCATION 's3a://bucket/dw/daily'
-- @ create_external_csv
CREATE EXTERNAL TABLE IF NOT EXISTS raw.events (id BIGINT COMMENT 'id', name STRING, amt DECIMAL(10,2), tags ARRAY<STRING>, props MAP<STRING,INT>, loc STRUCT<lat:DOUBLE,lon:DOUBLE>) COMMENT 'raw' PARTITIONED BY (ds STRING, hr INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\' LINES TERMINATED BY '\n' STORED AS TEXTFILE LOCATION 's3a://bucket/raw/events' TBLPROPERTIES ('skip.header.line.count'='1')
-- @ create_orc_ctas
CREATE TABLE dw.x PARTITIONED BY (ds) STORED AS ORC AS SELECT id, name, ds FROM raw.events
-- @ create_like
CREATE TABLE dw.y LIKE dw.daily STORED AS PARQUET
-- @ create_like_file
CREATE EXTERNAL TABLE dw.z LIKE PARQUET 's3a://bucket/x/part-0.parq' STORED AS PARQUET LOCATION 's3a://bucket/x'
-- @ alter_add_part
ALTER TABLE dw.daily ADD IF NOT EXISTS PARTITION (ds='2018-01-02') LOCATION 's3a://bucket/dw/daily/ds=2018-01-02'
-- @ alter_drop_part
ALTER TABLE dw.daily DROP IF EXISTS PARTITION (ds='2018-01-02') PURGE
-- @ alter_recover
ALTER TABLE dw.daily RECOVER PARTITIONS
-- @ alter_add_cols
ALTER TABLE dw.daily ADD COLUMNS (x INT, y STRING)
-- @ alter_props
ALTER TABLE dw.daily SET TBLPROPERTIES ('numRows'='100')
-- @ refresh
REFRESH dw.daily
-- @ refresh_part
REFRESH dw.daily PARTITION (ds='2018-01-02')
-- @ invalidate
INVALIDATE METADATA
-- @ invalidate_t
INVALIDATE METADATA dw.daily
-- @ msck
MSCK REPAIR TABLE dw.daily
-- @ describe_formatted
DESCRIBE FORMATTED dw.daily
-- @ show_create
SHOW CREATE TABLE dw.daily
-- @ show_databases
SHOW DATABASES LIKE 'd*'
-- @ create_database
CREATE DATABASE IF NOT EXISTS dw LOCATION 's3a://bucket/dw'
-- @ use
USE dw
-- @ select_backtick
SELECT `user`.`id`, `count` FROM dw.`daily` WHERE `ds` = '2018-01-01' LIMIT 10
-- @ straight_join
SELECT STRAIGHT_JOIN a.x FROM a JOIN /* +BROADCAST */ b ON a.id = b.id LEFT SEMI JOIN c ON a.id = c.id LEFT ANTI JOIN d ON a.id = d.id
-- @ regexp_div
SELECT a DIV 2, a REGEXP '^x', b RLIKE 'y', c IREGEXP 'z', a <=> b FROM t
-- @ cast_string
SELECT CAST(x AS STRING), CAST(y AS TINYINT), CAST('2018-01-01' AS TIMESTAMP), now() + INTERVAL 1 DAY, "double quoted" FROM t
-- @ load_data
LOAD DATA INPATH 's3a://bucket/in' OVERWRITE INTO TABLE dw.daily PARTITION (ds='2018-01-01')
-- @ set_opt
SET MEM_LIMIT=2g
-- @ explain
EXPLAIN SELECT count(*) FROM dw.daily
-- @ drop_purge
DROP TABLE IF EXISTS dw.daily PURGE
-- @ tablesample
SELECT count(*) FROM dw.daily TABLESAMPLE SYSTEM(10) REPEATABLE(1234)
