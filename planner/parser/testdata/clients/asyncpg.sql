-- @ s000
SELECT * FROM sales.orders WHERE day = $1 AND qty > $2;
-- @ s002
SELECT * FROM sales.orders LIMIT 500;
