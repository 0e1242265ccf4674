-- @ s000
begin transaction;
-- @ s001
SELECT count(*) FROM sales.orders WHERE qty > $1;
