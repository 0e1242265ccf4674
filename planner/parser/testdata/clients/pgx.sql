-- @ s000
SELECT count(*), sum(amount)::text FROM sales.orders WHERE qty > $1 AND day = $2::date;
-- @ s001
SELECT $1::int8;
-- @ s002
SELECT count(*), sum(amount)::text FROM sales.orders WHERE qty >  '2'  AND day =  '2026-02-02' ::date;
-- @ s003
SELECT  '0' ::int8
;SELECT  '1' ::int8
;SELECT  '2' ::int8;
-- @ s004
CREATE TEMP TABLE t(a int, b text);
-- @ s005
copy "t" ( "a", "b" ) from stdin binary;;
