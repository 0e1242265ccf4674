CREATE TABLE region (r_regionkey int NOT NULL, r_name text NOT NULL, r_comment text);
CREATE TABLE nation (n_nationkey int NOT NULL, n_name text NOT NULL, n_regionkey int NOT NULL, n_comment text);
CREATE TABLE supplier (s_suppkey bigint NOT NULL, s_name text, s_address text, s_nationkey int, s_phone text,
    s_acctbal decimal(15,2), s_comment text);
CREATE TABLE customer (c_custkey bigint NOT NULL, c_name text, c_address text, c_nationkey int, c_phone text,
    c_acctbal decimal(15,2), c_mktsegment text, c_comment text);
CREATE TABLE part (p_partkey bigint NOT NULL, p_name text, p_mfgr text, p_brand text, p_type text, p_size int,
    p_container text, p_retailprice decimal(15,2), p_comment text);
CREATE TABLE partsupp (ps_partkey bigint NOT NULL, ps_suppkey bigint NOT NULL, ps_availqty bigint,
    ps_supplycost decimal(15,2), ps_comment text);
CREATE TABLE orders (o_orderkey bigint NOT NULL, o_custkey bigint, o_orderstatus text, o_totalprice decimal(15,2),
    o_orderdate date, o_orderpriority text, o_clerk text, o_shippriority int, o_comment text);
CREATE TABLE lineitem (l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber bigint,
    l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2),
    l_returnflag text, l_linestatus text, l_shipdate date, l_commitdate date, l_receiptdate date,
    l_shipinstruct text, l_shipmode text, l_comment text);
