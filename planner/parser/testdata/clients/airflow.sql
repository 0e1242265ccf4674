-- @ s001
DELETE FROM sales.daily_revenue WHERE day = DATE '2026-02-03';;
-- @ s002
INSERT INTO sales.daily_revenue
        SELECT day, region, sum(amount), count(*) FROM sales.v_orders WHERE day = DATE '2026-02-03' GROUP BY day, region;;
-- @ s004
SELECT count(*) FROM sales.daily_revenue WHERE day = $1;
-- @ s005
SELECT count(*) > 0 FROM sales.daily_revenue WHERE day = DATE '2026-02-03';
-- @ s006
SELECT col_name, check_type, check_result FROM (
        SELECT 'revenue' AS col_name, 'min' AS check_type, revenue_min AS check_result
        FROM (SELECT MIN(revenue) AS revenue_min FROM sales.daily_revenue ) AS sq
    UNION ALL
        SELECT 'revenue' AS col_name, 'null_check' AS check_type, revenue_null_check AS check_result
        FROM (SELECT SUM(CASE WHEN revenue IS NULL THEN 1 ELSE 0 END) AS revenue_null_check FROM sales.daily_revenue ) AS sq
    ) AS check_columns;
