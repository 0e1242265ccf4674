package generator

import (
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/types"
)

// Facts is what is known of a column's values without generating them.
type Facts struct {
	// Distinct is the number of different values: exact where it follows from the table's definition, else what is to be
	// expected of as many random draws.
	Distinct float64
	// Minimum and Maximum bound the values, tightly where the table is large enough for every value to be drawn. They are
	// nil for texts cut from the pool and for addresses.
	Minimum, Maximum *types.Datum
	// Width is the average length of a text.
	Width float64
}

// between tells the facts of a number or date that takes some of the values low … high.
func between(distinct float64, low, high int64) Facts {
	minimum, maximum := types.IntDatum(low), types.IntDatum(high)
	return Facts{Distinct: distinct, Minimum: &minimum, Maximum: &maximum}
}

// drawn tells the facts of a column whose rows each drew one of low … high.
func drawn(rows, low, high int64) Facts { return between(expected(rows, high-low+1), low, high) }

// expected gives the number of different values to be expected of rows draws out of span.
func expected(rows, span int64) float64 {
	n := float64(span)
	return math.Round(-n * math.Expm1(float64(rows)*math.Log1p(-1/n)))
}

// wordFacts tells the facts of a column of words, all drawn alike.
func wordFacts(rows int64, words []string) Facts {
	low, high := types.StringDatum(slices.Min(words)), types.StringDatum(slices.Max(words))
	total := 0
	for _, word := range words {
		total += len(word)
	}
	count := int64(len(words))
	distinct := float64(count)
	if count > 1 {
		distinct = expected(rows, count)
	}
	return Facts{Distinct: distinct, Minimum: &low, Maximum: &high, Width: float64(total) / float64(count)}
}

// texture tells the facts of a text of which so many are different.
func texture(distinct, width float64) Facts {
	return Facts{Distinct: math.Round(distinct), Width: width}
}

// commentFacts tells the facts of a comment. Short pieces of the pool repeat each other, because its sentences do: among
// as many rows as halved gives, half are different. Those figures fit counts at scales 0.01 to 1.
func commentFacts(rows int64, average, halved float64) Facts {
	return texture(float64(rows)/(1+math.Sqrt(float64(rows)/halved)), average)
}

// numbered tells the facts of names like Customer#000000001, of numbers drawn or counted up to last.
func numbered(distinct float64, prefix string, last int64) Facts {
	low, high := numberedName(prefix, 1), numberedName(prefix, last)
	minimum, maximum := types.StringDatum(low), types.StringDatum(high)
	if len(high) > len(low) { // beyond 999,999,999 the longer names sort among the shorter
		maximum = types.StringDatum(prefix + "9999999999")
	}
	return Facts{Distinct: distinct, Minimum: &minimum, Maximum: &maximum, Width: float64(len(low))}
}

func numberedName(prefix string, number int64) string {
	t := texts{}
	t.add(prefix)
	t.addNumber(number, 9)
	return string(t.buffer)
}

// Facts gives the facts of all columns of a table, in order. It may take some milliseconds.
func (t Table) Facts(s Scale) []Facts {
	rows, _ := t.Rows(s)
	words := t.Columns()
	switch t {
	case Part:
		return partFacts(s, words)
	case PartSupp:
		return []Facts{
			partSuppPart:     between(float64(s.parts()), 1, s.parts()),
			partSuppSupplier: between(float64(min(s.suppliers(), rows)), 1, s.suppliers()),
			partSuppQuantity: drawn(rows, 1, 9999),
			partSuppCost:     drawn(rows, 100, 100_000),
			partSuppComment:  commentFacts(rows, 124, 7e11),
		}
	case Supplier:
		return supplierFacts(rows)
	case Customer:
		return customerFacts(rows, words)
	case Orders:
		return orderFacts(s, words)
	case LineItem:
		return lineFacts(s, rows, words)
	case Nation:
		return []Facts{
			nationKey:     between(25, 0, 24),
			nationName:    exactly(25, wordFacts(rows, words[nationName].Words)),
			nationRegion:  between(5, 0, 4),
			nationComment: commentFacts(rows, 72, 3e12),
		}
	}
	return []Facts{
		regionKey:     between(5, 0, 4),
		regionName:    exactly(5, wordFacts(rows, words[regionName].Words)),
		regionComment: commentFacts(rows, 72, 3e12),
	}
}

// exactly corrects the number of different values.
func exactly(distinct float64, f Facts) Facts {
	f.Distinct = distinct
	return f
}

func partFacts(s Scale, words []ColumnInfo) []Facts {
	rows := s.parts()
	distinct, low, high := retailPrices(rows)
	return []Facts{
		partKey:          between(float64(rows), 1, rows),
		partName:         texture(float64(rows)*0.9999, 32.7),
		partManufacturer: wordFacts(rows, words[partManufacturer].Words),
		partBrand:        wordFacts(rows, words[partBrand].Words),
		partType:         wordFacts(rows, words[partType].Words),
		partSize:         drawn(rows, 1, 50),
		partContainer:    wordFacts(rows, words[partContainer].Words),
		partRetailPrice:  between(distinct, low, high),
		partComment:      commentFacts(rows, 13.5, 745e3),
	}
}

// retailPrices counts the different prices of the parts, and bounds them. They repeat themselves after 20,001,000 parts
// and hardly any is new after two million.
func retailPrices(parts int64) (distinct float64, low, high int64) {
	const lowest, highest = 90_000, 90_000 + 20_000 + 99_900
	seen := make([]bool, highest-lowest+1)
	low, high = highest, lowest
	for part := int64(1); part <= min(parts, 2_000_000); part++ {
		price := retailPrice(part)
		if !seen[price-lowest] {
			seen[price-lowest] = true
			distinct++
			low, high = min(low, price), max(high, price)
		}
	}
	if parts > 2_000_000 {
		low, high = lowest, highest
	}
	return distinct, low, high
}

func supplierFacts(rows int64) []Facts {
	return []Facts{
		supplierKey:     between(float64(rows), 1, rows),
		supplierName:    numbered(float64(rows), "Supplier#", rows),
		supplierAddress: texture(float64(rows), addressAverage),
		supplierNation:  drawn(rows, 0, 24),
		supplierPhone:   phoneFacts(rows),
		supplierBalance: drawn(rows, minBalance, minBalance+balanceRange-1),
		supplierComment: commentFacts(rows, 62.5, 1e12),
	}
}

// phoneFacts tells the facts of phone numbers, which begin with 10 to 34.
func phoneFacts(rows int64) Facts {
	low, high := types.StringDatum("10-100-100-1000"), types.StringDatum("34-999-999-9999")
	return Facts{Distinct: float64(rows), Minimum: &low, Maximum: &high, Width: 15}
}

func customerFacts(rows int64, words []ColumnInfo) []Facts {
	return []Facts{
		customerKey:     between(float64(rows), 1, rows),
		customerName:    numbered(float64(rows), "Customer#", rows),
		customerAddress: texture(float64(rows), addressAverage),
		customerNation:  drawn(rows, 0, 24),
		customerPhone:   phoneFacts(rows),
		customerBalance: drawn(rows, minBalance, minBalance+balanceRange-1),
		customerSegment: wordFacts(rows, words[customerSegment].Words),
		customerComment: commentFacts(rows, 72.5, 3e12),
	}
}

func orderFacts(s Scale, words []ColumnInfo) []Facts {
	rows := s.orders()
	ordering := s.customers() - s.customers()/3
	return []Facts{
		orderKey:          between(float64(rows), 1, sparseKey(rows)),
		orderCustomer:     between(expected(rows, ordering), 1, s.customers()),
		orderStatus:       exactly(3, wordFacts(rows, words[orderStatus].Words)),
		orderTotalPrice:   between(expected(rows, 30_000_000), 80_000, 60_000_000),
		orderDate:         drawn(rows, firstOrderDay, firstOrderDay+orderDays-1),
		orderPriority:     wordFacts(rows, words[orderPriority].Words),
		orderClerk:        numbered(expected(rows, s.clerks()), "Clerk#", s.clerks()),
		orderShipPriority: between(1, 0, 0),
		orderComment:      commentFacts(rows, 48.5, 1e10),
	}
}

func lineFacts(s Scale, rows int64, words []ColumnInfo) []Facts {
	prices, low, high := retailPrices(s.parts())
	const lastOrder = firstOrderDay + orderDays - 1
	return []Facts{
		lineOrder:           between(float64(s.orders()), 1, sparseKey(s.orders())),
		linePart:            drawn(rows, 1, s.parts()),
		lineSupplier:        drawn(rows, 1, s.suppliers()),
		lineNumber:          between(maxLines, 1, maxLines),
		lineQuantity:        between(expected(rows, 50), 100, 5000),
		lineExtendedPrice:   between(expected(rows, int64(prices)*45), low, high*50),
		lineDiscount:        drawn(rows, 0, 10),
		lineTax:             drawn(rows, 0, 8),
		lineReturnFlag:      exactly(3, wordFacts(rows, words[lineReturnFlag].Words)),
		lineStatus:          wordFacts(rows, words[lineStatus].Words),
		lineShipDate:        drawn(rows, firstOrderDay+1, lastOrder+121),
		lineCommitDate:      drawn(rows, firstOrderDay+30, lastOrder+90),
		lineReceiptDate:     drawn(rows, firstOrderDay+2, lastOrder+151),
		lineShipInstruction: wordFacts(rows, words[lineShipInstruction].Words),
		lineShipMode:        wordFacts(rows, words[lineShipMode].Words),
		lineComment:         commentFacts(rows, 26.5, 62e6),
	}
}
