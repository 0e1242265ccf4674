-- @ s000
SELECT count(*), sum(amount)::float8 FROM sales.orders WHERE qty > $1;
