-- @ s005
SAVEPOINT "_pg3_1";
-- @ s006
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid;
-- @ s007
RELEASE "_pg3_1";
-- @ s009
SELECT region, count(*) n FROM sales.v_orders GROUP BY 1 ORDER BY 1;
