package csv

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Format says how a file is written.
type Format struct {
	Delimiter byte
	Quote     byte // 0: nothing is quoted
	Escape    byte // makes the next character in quotes literal; equal to Quote: quotes are doubled
	Newline   byte // '\n', before which a '\r' is dropped, or '\r'
	Header    bool // the first record holds names
	Skip      int  // lines before the header
	Null      []string
	Encoding  Encoding
	// Compressed files are read by one driver.
	Compression  stream.Compression
	IgnoreErrors bool
	NullPadding  bool // fields missing at a record's end are NULL
	// Multiline: quoted fields hold line breaks, or records must be numbered. To cut a file it is read
	// through, as only so its records are found for certain.
	Multiline bool `json:",omitempty"`
	// Sampled: the columns' types are what Sniff made of the first records, which errors point out.
	Sampled bool `json:",omitempty"`
	// Serial: files are not cut.
	Serial bool `json:",omitempty"`
}

// DefaultFormat is PostgreSQL's CSV: commas, double quotes, the unquoted empty string is NULL.
func DefaultFormat() Format {
	return Format{Delimiter: ',', Quote: '"', Escape: '"', Newline: '\n', Null: []string{""}}
}

// options maps the names of options, as tables and functions spell them, to their effect.
func options() map[string]func(f *Format, value string) error {
	character := func(set func(*Format, byte)) func(*Format, string) error {
		return func(f *Format, value string) error {
			c, err := oneCharacter(value)
			if err == nil {
				set(f, c)
			}
			return err
		}
	}
	boolean := func(set func(*Format, bool)) func(*Format, string) error {
		return func(f *Format, value string) error {
			b, err := types.ParseBool([]byte(value))
			if err == nil {
				set(f, b)
			}
			return err
		}
	}
	skip := func(f *Format, value string) error {
		n, err := strconv.Atoi(value)
		if err == nil && n < 0 {
			err = strconv.ErrRange
		}
		f.Skip = n
		return err
	}
	null := func(f *Format, value string) error {
		f.Null = []string{value}
		return nil
	}
	return map[string]func(*Format, string) error{
		"delimiter": character(func(f *Format, c byte) { f.Delimiter = c }),
		"quote":     character(func(f *Format, c byte) { f.Quote = c }),
		"escape":    character(func(f *Format, c byte) { f.Escape = c }),
		"header":    boolean(func(f *Format, b bool) { f.Header = b }),
		"skip":      skip, "skip_header_line_count": skip,
		"null_string": null, "nullstr": null, "null": null,
		"ignore_errors": boolean(func(f *Format, b bool) { f.IgnoreErrors = b }),
		"null_padding":  boolean(func(f *Format, b bool) { f.NullPadding = b }),
		"parallel":      boolean(func(f *Format, b bool) { f.Serial = !b }),
		"encoding": func(f *Format, value string) error {
			var ok bool
			if f.Encoding, ok = parseEncoding(value); !ok {
				return strconv.ErrSyntax
			}
			return nil
		},
		"compression": func(f *Format, value string) error {
			c, err := stream.ParseCompression(value)
			f.Compression = c
			return err
		},
	}
}

// ParseFormat applies named options to f. Names that are not CSV's are left alone and listed.
func ParseFormat(f Format, given map[string]string) (_ Format, unknown []string, err error) {
	known := options()
	aliases := map[string]string{"delim": "delimiter", "sep": "delimiter"}
	escaped := false
	for name, value := range given {
		name = strings.ToLower(name)
		if full, ok := aliases[name]; ok {
			name = full
		}
		apply, ok := known[name]
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if err := apply(&f, value); err != nil {
			return f, nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for CSV option %q: %q", name, value)
		}
		escaped = escaped || name == "escape"
	}
	if !escaped {
		f.Escape = f.Quote
	}
	return f, unknown, f.check()
}

// oneCharacter reads a single byte: itself, \t and the like, or nothing for 0.
func oneCharacter(value string) (byte, error) {
	switch value {
	case "":
		return 0, nil
	case `\t`:
		return '\t', nil
	case `\\`:
		return '\\', nil
	case `\0`:
		return 0, nil
	}
	if code, ok := strings.CutPrefix(value, `\x`); ok {
		n, err := strconv.ParseUint(code, 16, 7)
		return byte(n), err
	}
	if code, ok := strings.CutPrefix(value, `\u00`); ok {
		n, err := strconv.ParseUint(code, 16, 7)
		return byte(n), err
	}
	if len(value) != 1 || value[0] >= 0x80 {
		return 0, strconv.ErrSyntax
	}
	return value[0], nil
}

func (f *Format) check() error {
	bad := func(format string, args ...any) error {
		return sqlerr.New(sqlerr.InvalidParameterValue, format, args...)
	}
	switch {
	case f.Delimiter == 0:
		return bad("CSV delimiter must be a single one-byte character")
	case f.Delimiter == '\n' || f.Delimiter == '\r':
		return bad("CSV delimiter cannot be newline or carriage return")
	case f.Delimiter == f.Quote:
		return bad("CSV delimiter and quote must be different")
	case f.Quote == '\n' || f.Quote == '\r':
		return bad("CSV quote cannot be newline or carriage return")
	}
	return nil
}

// splittable tells whether a file at path can be read by several drivers.
func (f *Format) splittable(path string) bool {
	return f.Compression.Of(path) == stream.None && f.Encoding == UTF8 && !f.Serial
}
