package generator

import "github.com/tarnlake/tarn/internal/vec"

const (
	customerKey = iota
	customerName
	customerAddress
	customerNation
	customerPhone
	customerBalance
	customerSegment
	customerComment
)

// The bounds of a customer's or supplier's balance, in cents.
const (
	minBalance   = -99_999
	balanceRange = 1_099_999
)

func customerColumns() []ColumnInfo {
	return []ColumnInfo{
		customerKey:     key("c_custkey"),
		customerName:    text("c_name", 25),
		customerAddress: text("c_address", 40),
		customerNation:  integer("c_nationkey"),
		customerPhone:   text("c_phone", 15),
		customerBalance: money("c_acctbal"),
		customerSegment: oneOf("c_mktsegment", 10, wordsOf(marketSegments)),
		customerComment: text("c_comment", 117),
	}
}

func fillCustomer(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case customerKey:
		sequence(long, c.from+1)
	case customerName:
		c.names(out, "Customer#")
	case customerAddress:
		c.addresses(out, stream{881155353, 9})
	case customerNation:
		draw(short, stream{1489529863, 1}.at(c.from), 0, 25)
	case customerPhone:
		c.phones(out, stream{1521138112, 3}.at(c.from), c.int32s(customerNation))
	case customerBalance:
		draw(long, stream{298370230, 1}.at(c.from), minBalance, balanceRange)
	case customerSegment:
		draw(short, stream{1140279430, 1}.at(c.from), 0, 5)
	case customerComment:
		c.comment(out, 1335826707, 73)
	}
}
