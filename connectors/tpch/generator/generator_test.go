package generator

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// shared is used by all tests, for the sake of its text pool.
var shared = New()

func scale(t testing.TB, text string) Scale {
	t.Helper()
	s, err := ParseScale(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func allColumns(table Table) []int {
	var all []int
	for i := range table.Columns() {
		all = append(all, i)
	}
	return all
}

// textForm gives a value as SQL prints it.
func textForm(v *vec.Vector, row int) string {
	if v.Enc == vec.Dict || v.Type.Physical() == types.PhysString {
		return strings.Clone(v.Str(row))
	}
	n := v.Datum(row).I64
	switch v.Type.Kind {
	case types.Date:
		return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
	case types.Decimal:
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
	}
	return strconv.FormatInt(n, 10)
}

// TestChecksums compares every column at scale 0.01 with other generators of the same rows. The sums are FNV-1a over
// the values' text forms in row order, each followed by a line feed. They were computed from the tables of DuckDB
// 1.0.0's CALL dbgen(sf = 0.01), and for the ten columns of free text (comments, addresses), where DuckDB departs from
// dbgen, from the first rows of go-tpc 1.0.12's tables at scale 1, whose free text does not depend on the scale.
func TestChecksums(t *testing.T) {
	small := scale(t, "0.01")
	for _, want := range checksums() {
		table := tableNamed(t, want.table)
		sums := make([]uint64, len(want.columns))
		rows := 0
		for column := range want.columns {
			hash := fnv.New64a()
			rows = 0
			r := shared.Reader(table, small, 0, table.Units(small), 2048)
			for n := r.Next(); n > 0; n = r.Next() {
				for i := range n {
					hash.Write(append([]byte(textForm(r.Column(column), i)), '\n'))
				}
				rows += n
			}
			sums[column] = hash.Sum64()
			if name := table.Columns()[column].Name; sums[column] != want.columns[column] {
				t.Errorf("%s: sum 0x%016x, want 0x%016x", name, sums[column], want.columns[column])
			}
		}
		if said, exact := table.Rows(small); rows != want.rows || said != int64(rows) || !exact {
			t.Errorf("%s: generated %d rows, announced %d, want %d", want.table, rows, said, want.rows)
		}
	}
}

func tableNamed(t *testing.T, name string) Table {
	t.Helper()
	for _, table := range Tables() {
		if table.Name() == name {
			return table
		}
	}
	t.Fatalf("no table %s", name)
	return 0
}

// TestRanges reads each table in ranges and batches of odd sizes, all columns at once and backwards, which must give
// the rows of one pass over single columns.
func TestRanges(t *testing.T) {
	tiny := scale(t, "0.001")
	for _, table := range Tables() {
		columns := allColumns(table)
		whole := make([][]string, len(columns))
		for column := range columns {
			whole[column] = collect(shared.Reader(table, tiny, 0, table.Units(tiny), 4096), []int{column})[0]
		}
		pieces := make([][]string, len(columns))
		for from := int64(0); from < table.Units(tiny); from += 777 {
			reversed := make([]int, len(columns))
			for i := range columns {
				reversed[i] = len(columns) - 1 - i
			}
			for i, values := range collect(shared.Reader(table, tiny, from, from+777, 7), reversed) {
				at := reversed[i]
				pieces[at] = append(pieces[at], values...)
			}
		}
		for column := range columns {
			if said, _ := table.Rows(tiny); len(whole[column]) != int(said) {
				t.Errorf("%s: %d rows, announced %d", table.Name(), len(whole[column]), said)
			}
			for row := range whole[column] {
				if pieces[column][row] != whole[column][row] {
					t.Fatalf("%s, column %d, row %d: %q in pieces, %q in one pass",
						table.Name(), column, row, pieces[column][row], whole[column][row])
				}
			}
		}
	}
}

func collect(r *Reader, columns []int) [][]string {
	out := make([][]string, len(columns))
	for n := r.Next(); n > 0; n = r.Next() {
		for i, column := range columns {
			for row := range n {
				out[i] = append(out[i], textForm(r.Column(column), row))
			}
		}
	}
	return out
}

// TestFarRows checks rows of scale 1 that the specification's answers to its queries show, and others far from the start.
func TestFarRows(t *testing.T) {
	one := scale(t, "1")
	for _, want := range []struct {
		table  Table
		number int64
		text   string
	}{
		// Query 10's first answer.
		{Customer, 57040, "57040|Customer#000057040|Eioyzjf4pp|12|22-895-641-3466|632.87|AUTOMOBILE|sits. slyly regular requests sleep alongside of the regular inst"},
		// Query 15's answer.
		{Supplier, 8449, "8449|Supplier#000008449|Wp34zim9qYFbVctdW|10|20-469-856-8873|"},
		// Query 2's first answer.
		{Supplier, 5359, "5359|Supplier#000005359|QKuHYh,vZGiwu2FWEJoLDx04|23|33-429-790-6131|9938.53|uriously regular requests hag"},
		{Part, 185358, "185358|drab salmon turquoise yellow rosy|Manufacturer#4|Brand#45|"},
	} {
		row := ""
		r := shared.Reader(want.table, one, want.number-1, want.number, 7)
		for c, values := range collect(r, allColumns(want.table)) {
			if c > 0 {
				row += "|"
			}
			row += values[0]
		}
		if !strings.HasPrefix(row, want.text) {
			t.Errorf("%s %d is %q, want %q", want.table.Name(), want.number, row, want.text)
		}
	}
}

func TestLineCount(t *testing.T) {
	if got := countLines(0, 1_500_000); got != 6_001_215 {
		t.Errorf("scale 1 has %d lines", got)
	}
	if a, b := countLines(0, 999), countLines(999, 15_000); a+b != 60_175 {
		t.Errorf("scale 0.01 has %d + %d lines", a, b)
	}
}

func TestParseScale(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "0.01": "0.01", "100": "100", "0.001": "0.001", "1.50": "1.5", "29999": "29999", "007": "7",
	} {
		if s, err := ParseScale(text); err != nil || s.String() != want {
			t.Errorf("ParseScale(%q) = %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "0", ".5", "1.", "-1", "1e3", "0.0001", "30000", "+1", "1_000", "99999999999999999999"} {
		if s, err := ParseScale(text); err == nil {
			t.Errorf("ParseScale(%q) = %v, want an error", text, s)
		}
	}
	if parts := scale(t, "0.001").parts(); parts != 200 {
		t.Errorf("scale 0.001 has %d parts", parts)
	}
}

// TestNoAllocationPerRow: reading costs a fixed number of allocations a batch.
func TestNoAllocationPerRow(t *testing.T) {
	one := scale(t, "1")
	for _, table := range []Table{LineItem, Orders, PartSupp} {
		r := shared.Reader(table, one, 0, table.Units(one), 2048)
		next := func() {
			r.Next()
			for _, column := range allColumns(table) {
				r.Column(column)
			}
		}
		next()
		if n := testing.AllocsPerRun(20, next); n > 30 {
			t.Errorf("%s: %v allocations a batch", table.Name(), n)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	one := scale(b, "1")
	for _, table := range []Table{LineItem, Orders, PartSupp, Part, Customer} {
		b.Run(table.Name(), func(b *testing.B) {
			benchmarkReader(b, table, one, allColumns(table))
		})
	}
	b.Run("lineitem without comment", func(b *testing.B) {
		benchmarkReader(b, LineItem, one, allColumns(LineItem)[:lineComment])
	})
}

func benchmarkReader(b *testing.B, table Table, s Scale, columns []int) {
	shared.pool.bytes()
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		r := shared.Reader(table, s, 0, 50_000, 2048)
		for n := r.Next(); n > 0; n = r.Next() {
			for _, column := range columns {
				r.Column(column)
			}
			rows += n
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkTextPool(b *testing.B) {
	for b.Loop() {
		writeText(poolSize)
	}
}

// TestFirstUnit asks for each key and for the keys between, whose unit is the next key's.
func TestFirstUnit(t *testing.T) {
	tiny := scale(t, "0.001")
	for _, table := range Tables() {
		keys := collect(shared.Reader(table, tiny, 0, table.Units(tiny), 2048), []int{0})[0]
		if table == LineItem {
			keys = slices.Compact(keys)
		}
		next := int64(-5)
		for unit, text := range keys {
			for key, _ := strconv.ParseInt(text, 10, 64); next <= key; next++ {
				if got := table.FirstUnit(next); got != int64(unit) {
					t.Fatalf("%s: the first unit of key %d is %d, want %d", table.Name(), next, got, unit)
				}
			}
		}
	}
}
