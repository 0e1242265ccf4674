package shell

import (
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/tarnlake/tarn/internal/types"
)

// Formats are the names of the result formats.
var Formats = []string{"table", "vertical", "csv", "tsv", "json", "markdown"}

func knownFormat(name string) bool { return slices.Contains(Formats, name) }

// column is one column of a result.
type column struct {
	name string
	oid  uint32
}

// numeric columns are aligned to the right, and bare in JSON.
func (c column) numeric() bool {
	switch c.oid {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDFloat4, types.OIDFloat8, types.OIDNumeric, types.OIDOID:
		return true
	}
	return false
}

// rowWriter prints one result. Values are valid during the call only; nil is NULL.
type rowWriter interface {
	row(values [][]byte) error
	end(rows int64) error
}

func newRowWriter(format string, w io.Writer, columns []column, counts bool) rowWriter {
	switch format {
	case "vertical":
		return newVerticalWriter(w, columns, counts)
	case "csv":
		return &separatedWriter{w: w, columns: columns, separator: ',', csv: true}
	case "tsv":
		return &separatedWriter{w: w, columns: columns, separator: '\t'}
	case "json":
		return &jsonWriter{w: w, columns: columns}
	case "markdown":
		return &markdownWriter{w: w, columns: columns}
	}
	return &tableWriter{w: w, columns: columns, counts: counts}
}

// displayWidth is the number of terminal columns that s takes.
func displayWidth(s string) int {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return len(s)
	}
	return runewidth.StringWidth(s)
}

// printable shows control characters as escapes, so that a value stays on its line.
func printable(b []byte) string {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return escapeControls(b)
		}
	}
	return string(b)
}

func escapeControls(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		switch {
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\t':
			out.WriteString(`\t`)
		case c == '\r':
			out.WriteString(`\r`)
		case c < ' ' || c == 0x7f:
			const digits = "0123456789abcdef"
			out.WriteString(`\x`)
			out.WriteByte(digits[c>>4])
			out.WriteByte(digits[c&15])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// nullText is how people see NULL.
const nullText = "NULL"

func textOf(value []byte) string {
	if value == nil {
		return nullText
	}
	return printable(value)
}
