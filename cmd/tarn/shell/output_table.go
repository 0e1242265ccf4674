package shell

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// measuredRows are looked at to find the widths of columns; later rows that are wider stick out, so
// that a result of any size streams.
const measuredRows = 1000

// tableWriter prints aligned columns.
type tableWriter struct {
	w       io.Writer
	columns []column
	counts  bool
	waiting [][]string
	widths  []int // nil until the columns have been measured
	line    strings.Builder
}

func (t *tableWriter) row(values [][]byte) error {
	cells := make([]string, len(values))
	for i, value := range values {
		cells[i] = linesOf(value)
	}
	if t.widths != nil {
		return t.print(cells)
	}
	t.waiting = append(t.waiting, cells)
	if len(t.waiting) < measuredRows {
		return nil
	}
	return t.start()
}

// start prints the head and the rows that have waited for it.
func (t *tableWriter) start() error {
	t.widths = make([]int, len(t.columns))
	for i, c := range t.columns {
		t.widths[i] = displayWidth(c.name)
		for _, row := range t.waiting {
			for part := range strings.SplitSeq(row[i], "\n") {
				t.widths[i] = max(t.widths[i], displayWidth(part))
			}
		}
	}
	head := make([]string, len(t.columns))
	rule := make([]string, len(t.columns))
	for i, c := range t.columns {
		left := (t.widths[i] - displayWidth(c.name)) / 2
		head[i] = strings.Repeat(" ", left) + c.name + strings.Repeat(" ", t.widths[i]-displayWidth(c.name)-left)
		rule[i] = strings.Repeat("-", t.widths[i]+2)
	}
	if _, err := fmt.Fprintf(t.w, " %s\n%s\n", strings.TrimRight(strings.Join(head, " | "), " "), strings.Join(rule, "+")); err != nil {
		return err
	}
	for _, row := range t.waiting {
		if err := t.print(row); err != nil {
			return err
		}
	}
	t.waiting = nil
	return nil
}

// linesOf is textOf that keeps line feeds: such cells take several lines.
func linesOf(value []byte) string {
	if bytes.IndexByte(value, '\n') < 0 {
		return textOf(value)
	}
	parts := bytes.Split(value, []byte{'\n'})
	for i := range parts {
		parts[i] = []byte(printable(parts[i]))
	}
	return string(bytes.Join(parts, []byte{'\n'}))
}

// print prints a row: further lines of its cells go below, and a + marks that a cell goes on.
func (t *tableWriter) print(cells []string) error {
	for more := true; more; {
		more = false
		t.line.Reset()
		for i, cell := range cells {
			rest := ""
			goesOn := false
			if at := strings.IndexByte(cell, '\n'); at >= 0 {
				cell, rest, goesOn = cell[:at], cell[at+1:], true
				more = true
			}
			cells[i] = rest
			t.cell(i, cell, goesOn, i == len(cells)-1)
		}
		t.line.WriteByte('\n')
		if _, err := io.WriteString(t.w, t.line.String()); err != nil {
			return err
		}
	}
	return nil
}

// cell appends one line of one cell.
func (t *tableWriter) cell(i int, text string, goesOn, last bool) {
	if i > 0 {
		t.line.WriteByte('|')
	}
	pad := max(t.widths[i]-displayWidth(text), 0)
	end := " "
	if goesOn {
		end = "+"
	}
	t.line.WriteByte(' ')
	switch {
	case t.columns[i].numeric():
		t.line.WriteString(strings.Repeat(" ", pad) + text)
	case last && !goesOn:
		t.line.WriteString(text)
	default:
		t.line.WriteString(text + strings.Repeat(" ", pad))
	}
	if goesOn || !last {
		t.line.WriteString(end)
	}
}

func (t *tableWriter) end(rows int64) error {
	if t.widths == nil {
		if err := t.start(); err != nil {
			return err
		}
	}
	return printCount(t.w, rows, t.counts)
}

func printCount(w io.Writer, rows int64, wanted bool) error {
	if !wanted {
		return nil
	}
	noun := "rows"
	if rows == 1 {
		noun = "row"
	}
	_, err := fmt.Fprintf(w, "(%d %s)\n\n", rows, noun)
	return err
}

// verticalWriter prints a block of "name | value" lines a row.
type verticalWriter struct {
	w       io.Writer
	columns []column
	counts  bool
	width   int
	rows    int64
}

func newVerticalWriter(w io.Writer, columns []column, counts bool) *verticalWriter {
	v := &verticalWriter{w: w, columns: columns, counts: counts}
	for _, c := range columns {
		v.width = max(v.width, displayWidth(c.name))
	}
	return v
}

func (v *verticalWriter) row(values [][]byte) error {
	v.rows++
	head := fmt.Sprintf("-[ RECORD %d ]", v.rows)
	if _, err := fmt.Fprintf(v.w, "%s%s\n", head, strings.Repeat("-", max(v.width+10-len(head), 0))); err != nil {
		return err
	}
	for i, value := range values {
		name := v.columns[i].name
		if _, err := fmt.Fprintf(v.w, "%s%s | %s\n", name, strings.Repeat(" ", v.width-displayWidth(name)), textOf(value)); err != nil {
			return err
		}
	}
	return nil
}

func (v *verticalWriter) end(rows int64) error { return printCount(v.w, rows, v.counts) }

// markdownWriter prints a Markdown table.
type markdownWriter struct {
	w       io.Writer
	columns []column
	started bool
}

var markdownEscapes = strings.NewReplacer("|", `\|`, `\n`, "<br>")

func (m *markdownWriter) start() error {
	m.started = true
	head, rule := "|", "|"
	for _, c := range m.columns {
		head += " " + markdownEscapes.Replace(c.name) + " |"
		if c.numeric() {
			rule += " ---: |"
		} else {
			rule += " --- |"
		}
	}
	_, err := fmt.Fprintf(m.w, "%s\n%s\n", head, rule)
	return err
}

func (m *markdownWriter) row(values [][]byte) error {
	if !m.started {
		if err := m.start(); err != nil {
			return err
		}
	}
	line := "|"
	for _, value := range values {
		line += " " + markdownEscapes.Replace(textOf(value)) + " |"
	}
	_, err := fmt.Fprintln(m.w, line)
	return err
}

func (m *markdownWriter) end(int64) error {
	if !m.started {
		return m.start()
	}
	return nil
}
