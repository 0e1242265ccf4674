CREATE TABLE t (a int, b text, c numeric(12,2), d date, e bigint NOT NULL, f double precision, g boolean,
    h timestamp, i interval, j smallint, k varchar(10), l timestamptz, m real, n uuid, o json, p int[],
    q char(5), r bytea, s time);
CREATE TABLE u (a int, x text, y timestamp, z int);
CREATE TABLE s1.w (a int, v text);
CREATE TABLE orders (id bigint, customer_id int, amount numeric(12,2), placed timestamp);
