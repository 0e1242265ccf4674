-- @ s000
SELECT count(*) n, sum(amount) s FROM sales.orders WHERE qty > $1 AND day = $2;
-- @ s002
select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid;
-- @ s003
SELECT region, count(*)::int n FROM sales.v_orders WHERE qty > $1 GROUP BY 1 ORDER BY 1;
-- @ s004
select version();;
-- @ s005
select count(*) from "sales"."orders" where "qty" > $1;
-- @ s006
select * from information_schema.columns where table_name = $1 and table_catalog = current_database() and table_schema = $2;
