-- @ s001
SELECT $1::int, $2::numeric, $3::date;
-- @ s002
SELECT $1::int;
-- @ s003
COPY (SELECT order_id, amount FROM sales.orders LIMIT 1000) TO STDOUT;
-- @ s004
DECLARE "srv" CURSOR FOR SELECT * FROM sales.orders LIMIT 10;
-- @ s005
FETCH FORWARD ALL FROM "srv";
