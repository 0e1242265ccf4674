package generator

import (
	"strconv"

	"github.com/tarnlake/tarn/internal/vec"
)

const suppliersPerPart = 4

const (
	partKey = iota
	partName
	partManufacturer
	partBrand
	partType
	partSize
	partContainer
	partRetailPrice
	partComment
)

func partColumns() []ColumnInfo {
	return []ColumnInfo{
		partKey:          key("p_partkey"),
		partName:         text("p_name", 55),
		partManufacturer: oneOf("p_mfgr", 25, wordsOf(manufacturers)),
		partBrand:        oneOf("p_brand", 10, brands()),
		partType:         oneOf("p_type", 25, combine(typeClasses, typeFinishes, typeMaterials)),
		partSize:         integer("p_size"),
		partContainer:    oneOf("p_container", 10, combine(containerSizes, containerForms)),
		partRetailPrice:  money("p_retailprice"),
		partComment:      text("p_comment", 23),
	}
}

// brands lists Brand#11 to Brand#55: the first digit is the manufacturer's.
func brands() []string {
	var words []string
	for manufacturer := 1; manufacturer <= 5; manufacturer++ {
		for brand := 1; brand <= 5; brand++ {
			words = append(words, "Brand#"+strconv.Itoa(10*manufacturer+brand))
		}
	}
	return words
}

func fillPart(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case partKey:
		sequence(long, c.from+1)
	case partName:
		c.partNames(out)
	case partManufacturer:
		draw(short, stream{1, 1}.at(c.from), 0, 5)
	case partBrand:
		draw(short, stream{46831694, 1}.at(c.from), 0, 5)
		for i, manufacturer := range c.int32s(partManufacturer) {
			short[i] += 5 * manufacturer
		}
	case partType:
		draw(short, stream{1841581359, 1}.at(c.from), 0, 150)
	case partSize:
		draw(short, stream{1193163244, 1}.at(c.from), 1, 50)
	case partContainer:
		draw(short, stream{727633698, 1}.at(c.from), 0, 40)
	case partRetailPrice:
		for i := range long {
			long[i] = retailPrice(c.from + 1 + int64(i))
		}
	case partComment:
		c.comment(out, 804159733, 14)
	}
}

// retailPrice gives a part's price in cents.
func retailPrice(part int64) int64 { return 90000 + part/10%20001 + part%1000*100 }

// partNames writes five different colours each: the head of a permutation of all of them.
func (c *chunk) partNames(out *vec.Vector) {
	const chosen = 5
	words := wordsOf(colours)
	order := make([]uint8, len(words))
	sequence(order, 0)
	s := stream{709314158, uint64(len(words))}
	perRow := power(s.allowed)
	row := s.at(c.from)
	t := newTexts(out, c.rows*40)
	for range c.rows {
		var swapped [chosen]int
		x := row
		for j := range chosen {
			x = x.next()
			k := j + int(x.pick(int64(len(words)-j)))
			order[j], order[k] = order[k], order[j]
			swapped[j] = k
			if j > 0 {
				t.add(" ")
			}
			t.add(words[order[j]])
		}
		t.end()
		for j := chosen - 1; j >= 0; j-- { // back to the list's own order
			k := swapped[j]
			order[j], order[k] = order[k], order[j]
		}
		row = row.times(perRow)
	}
	t.close()
}

const (
	partSuppPart = iota
	partSuppSupplier
	partSuppQuantity
	partSuppCost
	partSuppComment
)

func partSuppColumns() []ColumnInfo {
	return []ColumnInfo{
		partSuppPart:     key("ps_partkey"),
		partSuppSupplier: key("ps_suppkey"),
		partSuppQuantity: integer("ps_availqty"),
		partSuppCost:     money("ps_supplycost"),
		partSuppComment:  text("ps_comment", 199),
	}
}

// fillPartSupp may treat the suppliers of a part as rows of their own: each uses its whole allotment of draws.
func fillPartSupp(c *chunk, column int, out *vec.Vector) {
	long, short := values(out)
	switch column {
	case partSuppPart:
		for i := range long {
			long[i] = (c.from+int64(i))/suppliersPerPart + 1
		}
	case partSuppSupplier:
		suppliers := c.scale.suppliers()
		for i := range long {
			row := c.from + int64(i)
			long[i] = supplierOf(row/suppliersPerPart+1, row%suppliersPerPart, suppliers)
		}
	case partSuppQuantity:
		draw(short, stream{1671059989, 1}.at(c.from), 1, 9999)
	case partSuppCost:
		draw(long, stream{1051288424, 1}.at(c.from), 100, 99_901)
	case partSuppComment:
		c.comment(out, 1961692154, 124)
	}
}

// supplierOf gives the which-th (0 to 3) supplier of a part.
func supplierOf(part, which, suppliers int64) int64 {
	return (part+which*(suppliers/suppliersPerPart+(part-1)/suppliers))%suppliers + 1
}
