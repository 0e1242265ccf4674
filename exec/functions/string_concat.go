package functions

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// appendValue appends argument i as a cast to text writes it.
func appendValue(dst []byte, r row, i int, zone *time.Location) []byte {
	t := r.args[i].Type
	switch {
	case t.IsString(), t.Kind == types.JSON, t.Kind == types.JSONB:
		return append(dst, r.bytes(i)...)
	case t.Kind == types.Bool:
		if r.bool(i) {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	}
	return types.AppendText(dst, t, r.datum(i), zone)
}

// outputValue is appendValue as the type's output function writes: booleans as t and f, char(n) with its
// blanks.
func outputValue(dst []byte, r row, i int, zone *time.Location) []byte {
	switch t := r.args[i].Type; t.Kind {
	case types.Bool:
		return types.AppendBool(dst, r.bool(i))
	case types.Char:
		return types.AppendPadded(dst, r.str(i), max(int(t.Length), 1))
	}
	return appendValue(dst, r, i, zone)
}

// withZone makes a text function that knows the session's time zone.
func withZone(f func(dst []byte, r row, zone *time.Location) (out []byte, ok bool, err error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		return toText(func(dst []byte, r row) ([]byte, bool, error) { return f(dst, r, zone) }).New(call)
	}}
}

func concatFunctions() []fn.Overload {
	joined := func(a, b fn.Param, v fn.Volatility) fn.Overload {
		return fn.Overload{Name: "||", Params: []fn.Param{a, b}, ResultType: text, Category: categoryString, Volatility: v,
			Doc: "Joins two strings; another type is written as text first.", Example: "'lake' || 'house' → lakehouse",
			Impl: withZone(func(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
				return appendValue(appendValue(dst, r, 0, zone), r, 1, zone), true, nil
			})}
	}
	s := fn.Param{Name: "a", Type: text}
	t := fn.Param{Name: "b", Type: text}
	variadic := func(name, doc, example string, p []fn.Param, impl fn.Scalar) fn.Overload {
		return fn.Overload{Name: name, Params: p, Variadic: true, ResultType: text, Nulls: fn.Called, Category: categoryString, Volatility: fn.Stable,
			Doc: doc, Example: example, Impl: impl}
	}
	format := variadic("format", "Fills %s (text), %I (quoted name) and %L (quoted literal) of a format with the arguments.", "format('%s has %L', 'x', 3) → x has '3'",
		[]fn.Param{{Name: "format", Type: text}, family("x", fn.Any)}, withZone(appendFormat))
	format.MayFail = true
	return []fn.Overload{
		joined(s, t, fn.Immutable), joined(s, family("b", fn.Any), fn.Stable), joined(family("a", fn.Any), t, fn.Stable),
		{Name: "||", Params: params("a", bytea, "b", bytea), ResultType: bytea, Category: categoryBinary, Doc: "Joins two byte strings.",
			Example: `'\x12'::bytea || '\x34'::bytea → \x1234`,
			Impl:    appendText(func(dst []byte, r row) []byte { return append(append(dst, r.bytes(0)...), r.bytes(1)...) })},
		variadic("concat", "Joins the arguments as text, leaving out NULLs.", "concat('a', NULL, 2) → a2", []fn.Param{family("x", fn.Any)},
			withZone(func(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
				for i := range r.args {
					if r.null(i) {
						continue
					}
					if dst = outputValue(dst, r, i, zone); len(dst) > maxText {
						return dst, false, tooLongText()
					}
				}
				return dst, true, nil
			})),
		variadic("concat_ws", "Joins the arguments as text with a separator between them, leaving out NULLs.", "concat_ws(',', 'a', NULL, 2) → a,2",
			[]fn.Param{{Name: "separator", Type: text}, family("x", fn.Any)},
			withZone(func(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
				if r.null(0) {
					return dst, false, nil
				}
				separated := false
				for i := 1; i < len(r.args); i++ {
					if r.null(i) {
						continue
					}
					if separated {
						dst = append(dst, r.bytes(0)...)
					}
					if dst, separated = outputValue(dst, r, i, zone), true; len(dst) > maxText {
						return dst, false, tooLongText()
					}
				}
				return dst, true, nil
			})),
		format,
	}
}

// appendFormat is format(): %[position$][-][width]type.
func appendFormat(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
	if r.null(0) {
		return dst, false, nil
	}
	f := r.str(0)
	next := 1
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			dst = append(dst, f[i])
			continue
		}
		spec, used, err := readFormatSpec(f[i+1:], r, &next)
		if err != nil {
			return dst, false, err
		}
		i += used
		if spec.kind == '%' {
			dst = append(dst, '%')
			continue
		}
		if dst, err = spec.append(dst, r, zone); err == nil && len(dst) > maxText {
			err = tooLongText()
		}
		if err != nil {
			return dst, false, err
		}
	}
	return dst, true, nil
}

type formatSpec struct {
	kind  byte
	arg   int
	width int
	left  bool
}

func formatError(message string) *sqlerr.Error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "%s", message)
}

// readFormatSpec reads what follows a percent sign; next is the argument to take by default.
func readFormatSpec(f string, r row, next *int) (spec formatSpec, used int, err error) {
	unterminated := formatError("unterminated format() type specifier").WithHint("For a single \"%%%%\" use \"%%%%%%%%\".")
	i, position := 0, 0
	number := func() int {
		n := 0
		for i < len(f) && f[i] >= '0' && f[i] <= '9' {
			n = min(n*10+int(f[i]-'0'), maxText+1)
			i++
		}
		return n
	}
	n := number()
	if i > 0 && i < len(f) && f[i] == '$' {
		if position = n; position == 0 {
			return spec, 0, formatError("format specifies argument 0, but arguments are numbered from 1")
		}
		i++
		n = 0
	} else if i > 0 {
		spec.width = n
	}
	for i < len(f) && f[i] == '-' {
		spec.left = true
		i++
	}
	if i < len(f) && f[i] == '*' {
		i++
		if spec.width, err = formatWidth(r, next); err != nil {
			return spec, 0, err
		}
		if spec.width < 0 {
			spec.left, spec.width = true, -spec.width
		}
	} else if w := number(); w > 0 {
		spec.width = w
	}
	if i >= len(f) {
		return spec, 0, unterminated
	}
	spec.kind = f[i]
	switch spec.kind {
	case '%':
		return spec, i + 1, nil
	case 's', 'I', 'L':
	default:
		c, _ := utf8.DecodeRuneInString(f[i:])
		return spec, 0, formatError("unrecognized format() type specifier \"" + string(c) + "\"").WithHint("For a single \"%%%%\" use \"%%%%%%%%\".")
	}
	if spec.arg = position; position == 0 {
		spec.arg = *next
	}
	*next = spec.arg + 1
	if !r.given(spec.arg) {
		return spec, 0, formatError("too few arguments for format()")
	}
	return spec, i + 1, nil
}

func formatWidth(r row, next *int) (int, error) {
	if !r.given(*next) {
		return 0, formatError("too few arguments for format()")
	}
	d := r.datum(*next)
	*next++
	if d.Null {
		return 0, nil
	}
	return int(d.I64), nil
}

func (s formatSpec) append(dst []byte, r row, zone *time.Location) ([]byte, error) {
	start := len(dst)
	null := r.null(s.arg)
	switch {
	case s.kind == 'I' && null:
		return dst, errorf(sqlerr.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case s.kind == 'L' && null:
		dst = append(dst, "NULL"...)
	case null:
	case s.kind == 'I':
		dst = appendQuotedName(dst, string(outputValue(nil, r, s.arg, zone)))
	case s.kind == 'L':
		dst = appendQuotedLiteral(dst, string(outputValue(nil, r, s.arg, zone)))
	default:
		dst = outputValue(dst, r, s.arg, zone)
	}
	if missing := s.width - utf8.RuneCount(dst[start:]); missing > 0 {
		blanks := strings.Repeat(" ", missing)
		if s.left {
			return append(dst, blanks...), nil
		}
		written := string(dst[start:])
		return append(append(dst[:start], blanks...), written...), nil
	}
	return dst, nil
}

// appendQuotedLiteral writes s as an SQL string literal.
func appendQuotedLiteral(dst []byte, s string) []byte {
	if strings.Contains(s, `\`) {
		dst = append(dst, 'E')
	}
	dst = append(dst, '\'')
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' || s[i] == '\\' {
			dst = append(dst, s[i])
		}
		dst = append(dst, s[i])
	}
	return append(dst, '\'')
}

// appendQuotedName writes s as an SQL name, in quotes where it needs them.
func appendQuotedName(dst []byte, s string) []byte {
	plain := s != "" && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z') && !isReserved(s)
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	if plain {
		return append(dst, s...)
	}
	return append(append(append(dst, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

// isReserved tells whether a lower-case word is a keyword that cannot stand for a column unquoted.
func isReserved(word string) bool {
	const words = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char " +
		"character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role " +
		"current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists " +
		"extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int " +
		"integer intersect interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural " +
		"nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision " +
		"primary real references returning right row select session_user setof similar smallint some substring symmetric table tablesample " +
		"then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with " +
		"xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable "
	return strings.Contains(words, " "+word+" ")
}
