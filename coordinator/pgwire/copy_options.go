package pgwire

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// copyFormat is how rows are written in COPY.
type copyFormat uint8

const (
	copyText copyFormat = iota
	copyCSV
	copyBinary
)

// copyOptions are the options of a COPY over the connection.
type copyOptions struct {
	format     copyFormat
	delimiter  byte
	null       string
	header     bool
	match      bool // HEADER MATCH: the header must name the columns
	quote      byte
	escape     byte
	forceQuote map[string]bool // by column; "*" is all
	forceNull  map[string]bool // CSV input: quoted null strings are NULL too
	notNull    map[string]bool // CSV input: unquoted null strings are no NULL
}

func badOption(format string, args ...any) error {
	return sqlerr.New(sqlerr.FeatureNotSupported, format, args...)
}

// readCopyOptions reads a COPY's options with PostgreSQL's defaults and checks.
func readCopyOptions(tree *ast.Copy) (*copyOptions, error) {
	o := &copyOptions{}
	given := map[string]ast.Property{}
	for _, p := range tree.Options {
		if _, twice := given[p.Name]; twice {
			return nil, sqlerr.New(sqlerr.SyntaxError, "conflicting or redundant options")
		}
		given[p.Name] = p
	}
	if p, ok := given["format"]; ok {
		switch strings.ToLower(optionText(p)) {
		case "text":
		case "csv":
			o.format = copyCSV
		case "binary":
			o.format = copyBinary
		default:
			return nil, sqlerr.New(sqlerr.InvalidParameterValue, "COPY format %q not recognized", optionText(p))
		}
	}
	o.delimiter, o.null = '\t', `\N`
	if o.format == copyCSV {
		o.delimiter, o.null, o.quote, o.escape = ',', "", '"', '"'
	}
	for _, p := range tree.Options {
		if err := o.read(p); err != nil {
			return nil, err
		}
	}
	if _, ok := given["escape"]; !ok {
		o.escape = o.quote
	}
	return o, o.check(given)
}

func (o *copyOptions) read(p ast.Property) error {
	text := optionText(p)
	switch p.Name {
	case "format", "freeze":
	case "encoding":
		if name := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(text)); name != "utf8" && name != "unicode" && name != "sqlascii" {
			return badOption("COPY encoding %q is not supported", text)
		}
	case "delimiter":
		if len(text) != 1 {
			return badOption("COPY delimiter must be a single one-byte character")
		}
		o.delimiter = text[0]
	case "null":
		o.null = text
	case "header":
		if strings.EqualFold(text, "match") {
			o.header, o.match = true, true
			return nil
		}
		on, ok := optionBool(p)
		if !ok {
			return sqlerr.New(sqlerr.SyntaxError, "header requires a Boolean value or \"match\"")
		}
		o.header = on
	case "quote":
		if len(text) != 1 {
			return badOption("COPY quote must be a single one-byte character")
		}
		o.quote = text[0]
	case "escape":
		if len(text) != 1 {
			return badOption("COPY escape must be a single one-byte character")
		}
		o.escape = text[0]
	case "force_quote":
		o.forceQuote = optionColumns(p)
	case "force_null":
		o.forceNull = optionColumns(p)
	case "force_not_null":
		o.notNull = optionColumns(p)
	default:
		return sqlerr.New(sqlerr.SyntaxError, "option %q not recognized", p.Name).
			WithHint("COPY over the connection takes format, delimiter, null, header, quote, escape, force_quote, force_null and force_not_null.")
	}
	return nil
}

func (o *copyOptions) check(given map[string]ast.Property) error {
	if o.format == copyBinary {
		for _, name := range []string{"delimiter", "null", "header"} {
			if _, ok := given[name]; ok {
				return sqlerr.New(sqlerr.SyntaxError, "cannot specify %s in BINARY mode", strings.ToUpper(name))
			}
		}
	}
	if o.format != copyCSV {
		for _, name := range []string{"quote", "escape", "force_quote", "force_null", "force_not_null"} {
			if _, ok := given[name]; ok {
				return badOption("COPY %s available only in CSV mode", strings.ReplaceAll(name, "_", " "))
			}
		}
	}
	switch {
	case o.delimiter == '\n' || o.delimiter == '\r':
		return sqlerr.New(sqlerr.InvalidParameterValue, "COPY delimiter cannot be newline or carriage return")
	case strings.ContainsAny(o.null, "\r\n"):
		return sqlerr.New(sqlerr.InvalidParameterValue, "COPY null representation cannot use newline or carriage return")
	case o.format == copyText && strings.IndexByte("\\.abcdefghijklmnopqrstuvwxyz0123456789", o.delimiter) >= 0:
		return sqlerr.New(sqlerr.InvalidParameterValue, "COPY delimiter cannot be %q", string(o.delimiter))
	case o.format == copyCSV && o.delimiter == o.quote:
		return sqlerr.New(sqlerr.InvalidParameterValue, "COPY delimiter and quote must be different")
	case strings.IndexByte(o.null, o.delimiter) >= 0:
		return sqlerr.New(sqlerr.InvalidParameterValue, "COPY delimiter character must not appear in the NULL specification")
	case o.format == copyCSV && strings.IndexByte(o.null, o.quote) >= 0:
		return sqlerr.New(sqlerr.InvalidParameterValue, "CSV quote character must not appear in the NULL specification")
	}
	return nil
}

func optionText(p ast.Property) string {
	if literal, ok := p.Value.(*ast.Literal); ok {
		return literal.Text
	}
	return ""
}

func optionBool(p ast.Property) (on, ok bool) {
	if p.Value == nil {
		return true, true
	}
	switch strings.ToLower(optionText(p)) {
	case "true", "on", "1":
		return true, true
	case "false", "off", "0":
		return false, true
	}
	return false, false
}

func optionColumns(p ast.Property) map[string]bool {
	columns := map[string]bool{}
	switch v := p.Value.(type) {
	case *ast.Star:
		columns["*"] = true
	case *ast.ArrayLiteral:
		for _, item := range v.Elems {
			if literal, ok := item.(*ast.Literal); ok {
				columns[literal.Text] = true
			}
		}
	case *ast.Literal:
		columns[v.Text] = true
	}
	return columns
}

// appendCopyResponse appends CopyInResponse ('G') or CopyOutResponse ('H').
func appendCopyResponse(dst []byte, kind byte, o *copyOptions, columns int) []byte {
	format := 0
	if o.format == copyBinary {
		format = 1
	}
	dst, start := startMessage(dst, kind)
	dst = append16(append(dst, byte(format)), columns)
	for range columns {
		dst = append16(dst, format)
	}
	return endMessage(dst, start)
}

// binaryCopyHeader starts a binary COPY: signature, flags, length of the extension.
const binaryCopyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
