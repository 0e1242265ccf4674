package generator

import "github.com/tarnlake/tarn/internal/vec"

const (
	lineOrder = iota
	linePart
	lineSupplier
	lineNumber
	lineQuantity
	lineExtendedPrice
	lineDiscount
	lineTax
	lineReturnFlag
	lineStatus
	lineShipDate
	lineCommitDate
	lineReceiptDate
	lineShipInstruction
	lineShipMode
	lineComment
)

// maxLines is the most lines of an order.
const maxLines = 7

func lineColumns() []ColumnInfo {
	return []ColumnInfo{
		lineOrder:           key("l_orderkey"),
		linePart:            key("l_partkey"),
		lineSupplier:        key("l_suppkey"),
		lineNumber:          integer("l_linenumber"),
		lineQuantity:        money("l_quantity"),
		lineExtendedPrice:   money("l_extendedprice"),
		lineDiscount:        money("l_discount"),
		lineTax:             money("l_tax"),
		lineReturnFlag:      oneOf("l_returnflag", 1, wordsOf(returnFlags)),
		lineStatus:          oneOf("l_linestatus", 1, wordsOf(lineStatuses)),
		lineShipDate:        day("l_shipdate"),
		lineCommitDate:      day("l_commitdate"),
		lineReceiptDate:     day("l_receiptdate"),
		lineShipInstruction: oneOf("l_shipinstruct", 25, wordsOf(shipInstructions)),
		lineShipMode:        oneOf("l_shipmode", 10, wordsOf(shipModes)),
		lineComment:         text("l_comment", 44),
	}
}

// lineStream gives a stream of which every line may draw once.
func lineStream(seed uint64) stream { return stream{seed, maxLines} }

func fillLines(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case lineOrder, lineNumber:
		c.numberLines(column, long, short)
	case linePart:
		drawLines(long, lineStream(1808217256), c, 1, c.scale.parts())
	case lineSupplier:
		drawLines(long, lineStream(2095021727), c, 0, suppliersPerPart)
		suppliers := c.scale.suppliers()
		for i, part := range c.int64s(linePart) {
			long[i] = supplierOf(part, long[i], suppliers)
		}
	case lineQuantity:
		drawLines(long, lineStream(209208115), c, 1, 50)
		for i := range long {
			long[i] *= 100
		}
	case lineExtendedPrice:
		quantities := c.int64s(lineQuantity)
		for i, part := range c.int64s(linePart) {
			long[i] = retailPrice(part) * (quantities[i] / 100)
		}
	case lineDiscount:
		drawLines(long, lineStream(554590007), c, 0, 11)
	case lineTax:
		drawLines(long, lineStream(721958466), c, 0, 9)
	case lineReturnFlag:
		c.returnFlags(short)
	case lineStatus:
		for i, shipped := range c.int32s(lineShipDate) {
			short[i] = 0
			if shipped > today {
				short[i] = 1
			}
		}
	case lineShipInstruction:
		drawLines(short, lineStream(1371272478), c, 0, 4)
	case lineShipMode:
		drawLines(short, lineStream(675466456), c, 0, 7)
	case lineComment:
		c.lineSpans(27)
		c.comments(out)
	default:
		c.lineDates(column, short)
	}
}

// countsWithin appends the counts of lines of the orders from the given one on, until end or until their sum would
// exceed capacity, and gives the sum.
func countsWithin(counts []uint8, from, end int64, capacity int) ([]uint8, int) {
	x := stream{1434868289, 1}.at(from)
	rows := 0
	for order := from; order < end; order++ {
		x = x.next()
		count := int(1 + x.pick(maxLines))
		if rows+count > capacity {
			break
		}
		rows += count
		counts = append(counts, uint8(count))
	}
	return counts, rows
}

// countLines gives the number of lines of the orders from … to-1.
func countLines(from, to int64) int64 {
	x := stream{1434868289, 1}.at(from)
	rows := to - from
	for range to - from {
		x = x.next()
		rows += x.pick(maxLines)
	}
	return rows
}

// drawLines fills a column that takes one draw a line: low … low+span-1.
func drawLines[T number](out []T, s stream, c *chunk, low T, span int64) {
	order := s.at(c.from)
	perOrder := power(s.allowed)
	at := 0
	for _, count := range c.counts {
		x := order
		for i := range out[at : at+int(count)] {
			x = x.next()
			out[at+i] = low + T(x.pick(span))
		}
		at += int(count)
		order = order.times(perOrder)
	}
}

func (c *chunk) numberLines(column int, long []int64, short []int32) {
	at := 0
	for i, count := range c.counts {
		key := sparseKey(c.from + 1 + int64(i))
		for number := range int32(count) {
			if column == lineOrder {
				long[at] = key
			} else {
				short[at] = number + 1
			}
			at++
		}
	}
}

// lineDates writes the ship, commit or receipt date: some days after the order, the last after the shipping.
func (c *chunk) lineDates(column int, out []int32) {
	if column == lineReceiptDate {
		drawLines(out, lineStream(373135028), c, 1, 30)
		for i, shipped := range c.int32s(lineShipDate) {
			out[i] += shipped
		}
		return
	}
	if column == lineShipDate {
		drawLines(out, lineStream(1769349045), c, 1, 121)
	} else {
		drawLines(out, lineStream(904914315), c, 30, 61)
	}
	if len(c.days) == 0 {
		c.days = append(c.days, make([]int32, c.units)...)
		draw(c.days, orderDateStream().at(c.from), firstOrderDay, orderDays)
	}
	at := 0
	for i, count := range c.counts {
		for range count {
			out[at] += c.days[i]
			at++
		}
	}
}

// returnFlags draws R or A for each line that has been received; the others draw nothing.
func (c *chunk) returnFlags(out []int32) {
	s := lineStream(717419739)
	order := s.at(c.from)
	perOrder := power(s.allowed)
	received := c.int32s(lineReceiptDate)
	at := 0
	for _, count := range c.counts {
		x := order
		for range count {
			out[at] = 2
			if received[at] <= today {
				x = x.next()
				out[at] = int32(x.pick(2))
			}
			at++
		}
		order = order.times(perOrder)
	}
}

// lineSpans draws the spans of the lines' comments.
func (c *chunk) lineSpans(average int64) {
	out := c.newSpans()
	s := stream{1095462486, 2 * maxLines}
	order := s.at(c.from)
	perOrder := power(s.allowed)
	at := 0
	for _, count := range c.counts {
		drawSpans(out[at:at+int(count)], order, average)
		at += int(count)
		order = order.times(perOrder)
	}
}
