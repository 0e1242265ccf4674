package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// allVariable, when set, makes the tests of lost workers run all 22 queries of TPC-H, at the scale that
// it names: sf1, for example.
const allVariable = "TARN_TEST_LOST"

// plain lists the tables of TPC-H with all columns but the comments, which take long to generate.
var plain = map[string]string{
	"customer": "c_custkey, c_name, c_address, c_nationkey, c_phone, c_acctbal, c_mktsegment",
	"lineitem": "l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, " +
		"l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode",
	"nation":   "n_nationkey, n_name, n_regionkey",
	"orders":   "o_orderkey, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority, o_clerk, o_shippriority",
	"part":     "p_partkey, p_name, p_mfgr, p_brand, p_type, p_size, p_container, p_retailprice",
	"partsupp": "ps_partkey, ps_suppkey, ps_availqty, ps_supplycost",
	"region":   "r_regionkey, r_name",
	"supplier": "s_suppkey, s_name, s_address, s_nationkey, s_phone, s_acctbal",
}

// commented are the queries that need comments.
var commented = []string{"q02", "q10", "q13", "q16"}

// tpch makes tables of TPC-H (none named: all), with or without their comments. It gives the queries by
// name that do with these columns.
func tpch(t *testing.T, conn *pgconn.PgConn, scale string, comments bool, tables ...string) map[string]string {
	t.Helper()
	for table, columns := range plain {
		if len(tables) > 0 && !slices.Contains(tables, table) {
			continue
		}
		if comments {
			columns = "*"
		}
		must(t, conn, "CREATE TABLE "+table+" STORED AS PARQUET AS SELECT "+columns+" FROM tpch."+scale+"."+table, "")
	}
	files, err := filepath.Glob("../../bench/queries/tpch/*.sql")
	if err != nil || len(files) != 22 {
		t.Fatal(len(files), err)
	}
	queries := map[string]string{}
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name := strings.TrimSuffix(filepath.Base(file), ".sql"); comments || !slices.Contains(commented, name) {
			queries[name] = string(sql)
		}
	}
	return queries
}
