package generator

// checksums gives the sums of TestChecksums.
func checksums() []struct {
	table   string
	rows    int
	columns []uint64
} {
	return []struct {
		table   string
		rows    int
		columns []uint64
	}{
		{"part", 2000, []uint64{
			0x7dc93ead369d994f, // p_partkey
			0x94202d9ca48aefa1, // p_name
			0xb583f71b3e135907, // p_mfgr
			0x8792bcd1e2e0982f, // p_brand
			0xd3c3229ef0997361, // p_type
			0x0853ff88d2bada8b, // p_size
			0xe2285d93d1a561eb, // p_container
			0x9a52b0b3eb9d5e98, // p_retailprice
			0xca5f2486dc3ff433, // p_comment
		}},
		{"partsupp", 8000, []uint64{
			0xc1ca4dbe45b9ea71, // ps_partkey
			0xf03ad3ea8d9ee8c1, // ps_suppkey
			0x154a4feaf726451f, // ps_availqty
			0xcc67daaae4c35fa9, // ps_supplycost
			0x30f0c8eb7b78b61b, // ps_comment
		}},
		{"supplier", 100, []uint64{
			0x706c028b5eb82172, // s_suppkey
			0xd50baf423f2cf7c6, // s_name
			0xe55d97835af9118f, // s_address
			0x128715211ade94e3, // s_nationkey
			0x6816999f661e22c6, // s_phone
			0x8b9544a1e3075f7a, // s_acctbal
			0x69cb6920453be528, // s_comment
		}},
		{"customer", 1500, []uint64{
			0x97d370ab2901a149, // c_custkey
			0x8210bb81c21933c9, // c_name
			0x72db80551d24b558, // c_address
			0x9674189f2dd642f2, // c_nationkey
			0x072d8a58b1cd3a78, // c_phone
			0xbe13fd26a4a4f6b1, // c_acctbal
			0x0ef67482654a67ef, // c_mktsegment
			0xe124efbd9db96734, // c_comment
		}},
		{"orders", 15000, []uint64{
			0xc9f100bef6213777, // o_orderkey
			0x07889abeceb96d2d, // o_custkey
			0x45085d0e3fc9c7ca, // o_orderstatus
			0x28a8925baf4157c2, // o_totalprice
			0x0a3f6aeaf406fe4b, // o_orderdate
			0x97fbde0e7e724345, // o_orderpriority
			0x561672b8fb5ccd18, // o_clerk
			0x6ad0c08342573c65, // o_shippriority
			0xadae7a32bac1606a, // o_comment
		}},
		{"lineitem", 60175, []uint64{
			0x05a51da528ba0f51, // l_orderkey
			0xf12d9091f4b15b81, // l_partkey
			0x34ba7cf9034ab797, // l_suppkey
			0x3e71066a93927a6d, // l_linenumber
			0x52b213cd04787385, // l_quantity
			0xbb978f5d90524800, // l_extendedprice
			0x2a3301f61804c440, // l_discount
			0x0be795b67588cc56, // l_tax
			0x57ba2f214b21f745, // l_returnflag
			0x6e001b5c8de66e4c, // l_linestatus
			0x6f6f2b4f43caf45d, // l_shipdate
			0x40ed6672fb27a27f, // l_commitdate
			0xf7b33af27ebbca12, // l_receiptdate
			0x352ba495024851aa, // l_shipinstruct
			0x48d92225e44ec80f, // l_shipmode
			0x8957e350f428de8d, // l_comment
		}},
		{"nation", 25, []uint64{
			0x5b6d2c00d4378139, // n_nationkey
			0x9faf7201172c4185, // n_name
			0x34d5ea96b741a3ab, // n_regionkey
			0x38e5a157a6745967, // n_comment
		}},
		{"region", 5, []uint64{
			0xaa3b20e112c0acf3, // r_regionkey
			0x85152aac92d046cd, // r_name
			0xb0940dc9d81e0792, // r_comment
		}},
	}
}
