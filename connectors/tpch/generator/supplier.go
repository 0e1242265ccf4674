package generator

import "github.com/tarnlake/tarn/internal/vec"

const (
	supplierKey = iota
	supplierName
	supplierAddress
	supplierNation
	supplierPhone
	supplierBalance
	supplierComment
)

func supplierColumns() []ColumnInfo {
	return []ColumnInfo{
		supplierKey:     key("s_suppkey"),
		supplierName:    text("s_name", 25),
		supplierAddress: text("s_address", 40),
		supplierNation:  integer("s_nationkey"),
		supplierPhone:   text("s_phone", 15),
		supplierBalance: money("s_acctbal"),
		supplierComment: text("s_comment", 101),
	}
}

func fillSupplier(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case supplierKey:
		sequence(long, c.from+1)
	case supplierName:
		c.names(out, "Supplier#")
	case supplierAddress:
		c.addresses(out, stream{706178559, 9})
	case supplierNation:
		draw(short, stream{110356601, 1}.at(c.from), 0, 25)
	case supplierPhone:
		c.phones(out, stream{884434366, 3}.at(c.from), c.int32s(supplierNation))
	case supplierBalance:
		draw(long, stream{962338209, 1}.at(c.from), minBalance, balanceRange)
	case supplierComment:
		c.supplierComments(out)
	}
}

// supplierComments writes comments, over a few of which the Better Business Bureau has written its verdict: "Customer "
// and, after some of the comment, "Complaints" or "Recommends".
func (c *chunk) supplierComments(out *vec.Vector) {
	const (
		subject       = "Customer "
		verdictLength = int64(len("Complaints"))
		length        = int64(len(subject)) + verdictLength
		perTenMille   = 10
		complaints    = 50 // percent
	)
	drawSpans(c.newSpans(), stream{1341315363, 2}.at(c.from), 63)
	reviewed := stream{202794285, 1}.at(c.from)
	kind := stream{753643799, 1}.at(c.from)
	gap := stream{263032577, 1}.at(c.from)
	place := stream{715851524, 1}.at(c.from)
	pool := c.pool.bytes()
	t := newTexts(out, c.rows*101)
	for _, s := range c.spans {
		t.buffer = append(t.buffer, pool[s.start:s.start+s.length]...)
		reviewed, kind, gap, place = reviewed.next(), kind.next(), gap.next(), place.next()
		if 1+reviewed.pick(10_000) <= perTenMille {
			between := gap.pick(int64(s.length) - length + 1)
			offset := place.pick(int64(s.length) - length - between + 1)
			verdict := "Recommends"
			if kind.pick(101) < complaints {
				verdict = "Complaints"
			}
			text := t.buffer[t.begun:]
			copy(text[offset:], subject)
			copy(text[offset+int64(len(subject))+between:], verdict)
		}
		t.end()
	}
	t.close()
}
