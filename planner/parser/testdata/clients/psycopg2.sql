-- @ s001
DECLARE "srv" CURSOR WITHOUT HOLD FOR SELECT * FROM sales.orders WHERE qty = 3;
-- @ s002
FETCH FORWARD 500 FROM "srv";
-- @ s003
CLOSE "srv";
-- @ s005
INSERT INTO sales.daily_revenue VALUES ('1999-01-01','x',1,1),('1999-01-01','x',1,1),('1999-01-01','x',1,1);
-- @ s006
DELETE FROM sales.daily_revenue WHERE day = '1999-01-01';
