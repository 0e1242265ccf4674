package generator

import "github.com/tarnlake/tarn/internal/vec"

const (
	orderKey = iota
	orderCustomer
	orderStatus
	orderTotalPrice
	orderDate
	orderPriority
	orderClerk
	orderShipPriority
	orderComment
)

// Days, as counted from 1970-01-01.
const (
	firstOrderDay = 8035 // 1992-01-01
	orderDays     = 2406 // until 1998-08-02
	today         = 9298 // 1995-06-17, the specification's current date
)

func orderColumns() []ColumnInfo {
	return []ColumnInfo{
		orderKey:          key("o_orderkey"),
		orderCustomer:     key("o_custkey"),
		orderStatus:       oneOf("o_orderstatus", 1, wordsOf(orderStatuses)),
		orderTotalPrice:   money("o_totalprice"),
		orderDate:         day("o_orderdate"),
		orderPriority:     oneOf("o_orderpriority", 15, wordsOf(orderPriorities)),
		orderClerk:        text("o_clerk", 15),
		orderShipPriority: integer("o_shippriority"),
		orderComment:      text("o_comment", 79),
	}
}

func fillOrders(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case orderKey:
		for i := range long {
			long[i] = sparseKey(c.from + 1 + int64(i))
		}
	case orderCustomer:
		customers := c.scale.customers()
		draw(long, stream{851767375, 1}.at(c.from), 1, customers)
		for i, key := range long {
			long[i] = orderingCustomer(key, customers)
		}
	case orderStatus:
		c.orderStatuses(short)
	case orderTotalPrice:
		c.totalPrices(long)
	case orderDate:
		draw(short, orderDateStream().at(c.from), firstOrderDay, orderDays)
	case orderPriority:
		draw(short, stream{591449447, 1}.at(c.from), 0, 5)
	case orderClerk:
		c.clerks(out)
	case orderShipPriority:
		clear(short)
	case orderComment:
		c.comment(out, 276090261, 49)
	}
}

// clerks writes names like Clerk#000000001.
func (c *chunk) clerks(out *vec.Vector) {
	x := stream{1171034773, 1}.at(c.from)
	clerks := c.scale.clerks()
	t := newTexts(out, c.rows*15)
	for range c.rows {
		x = x.next()
		t.add("Clerk#")
		t.addNumber(1+x.pick(clerks), 9)
		t.end()
	}
	t.close()
}

func orderDateStream() stream { return stream{1066728069, 1} }

// sparseKey spreads the orders' numbers: of 32 keys the first eight are used.
func sparseKey(order int64) int64 { return order>>3<<5 | order&7 }

// unitOfKey gives the unit of the first order whose key is at least the given one.
func unitOfKey(key int64) int64 {
	if low := key & 31; low < 8 {
		return key>>5<<3 + low - 1
	}
	return (key>>5+1)<<3 - 1
}

// orderingCustomer gives the nearest customer who orders at all: every third never does.
func orderingCustomer(key, customers int64) int64 {
	for step := int64(1); key%3 == 0; step = -step {
		key = min(key+step, customers)
	}
	return key
}

// orderLines gives the lines of the chunk's orders.
func (c *chunk) orderLines() *chunk {
	if c.lines == nil {
		lines := newChunk(c.generator, LineItem, c.scale, c.capacity*maxLines)
		c.lines = &lines
	}
	if c.lines.from != c.from || c.lines.units != c.units {
		c.lines.start(c.from, c.from+int64(c.units))
	}
	return c.lines
}

// orderStatuses writes F where all lines were shipped, O where none was, and P else.
func (c *chunk) orderStatuses(out []int32) {
	lines := c.orderLines()
	open := lines.int32s(lineStatus)
	for i, count := range lines.counts {
		sum := int32(0)
		for _, status := range open[:count] {
			sum += status
		}
		open = open[count:]
		switch sum {
		case 0:
			out[i] = 0
		case int32(count):
			out[i] = 1
		default:
			out[i] = 2
		}
	}
}

// totalPrices sums the lines' prices less discount plus tax, each cut off to cents twice as dbgen does.
func (c *chunk) totalPrices(out []int64) {
	lines := c.orderLines()
	prices := lines.int64s(lineExtendedPrice)
	discounts := lines.int64s(lineDiscount)
	taxes := lines.int64s(lineTax)
	at := 0
	for i, count := range lines.counts {
		total := int64(0)
		for range count {
			total += prices[at] * (100 - discounts[at]) / 100 * (100 + taxes[at]) / 100
			at++
		}
		out[i] = total
	}
}
