package types

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func appendArray(dst []byte, t Type, d Datum, zone *time.Location) []byte {
	dst = append(dst, '{')
	for i, item := range d.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendItem(dst, *t.Elem, item, zone, "{},")
	}
	return append(dst, '}')
}

// appendItem appends an element of an array or map, quoted where the reader needs it.
func appendItem(dst []byte, t Type, d Datum, zone *time.Location, special string) []byte {
	if d.Null {
		return append(dst, "NULL"...)
	}
	if t.Kind == Array {
		return appendArray(dst, t, d, zone)
	}
	start := len(dst)
	dst = AppendText(dst, t, d, zone)
	if text := string(dst[start:]); needsQuotes(text, special) || strings.EqualFold(text, "null") {
		dst = appendQuoted(dst[:start], text, '\\')
	}
	return dst
}

func needsQuotes(text, special string) bool {
	if text == "" {
		return true
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || isSpace(c) || strings.IndexByte(special, c) >= 0 {
			return true
		}
	}
	return false
}

// appendQuoted appends text in double quotes; escape 0 doubles quotes and backslashes instead.
func appendQuoted(dst []byte, text string, escape byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' {
			if escape == 0 {
				dst = append(dst, c)
			} else {
				dst = append(dst, escape)
			}
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

// appendMap appends {key=value,…}, quoted as arrays are.
func appendMap(dst []byte, t Type, d Datum, zone *time.Location) []byte {
	dst = append(dst, '{')
	for i := 0; i+1 < len(d.Items); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendItem(dst, *t.Key, d.Items[i], zone, "{},="), '=')
		dst = appendItem(dst, *t.Elem, d.Items[i+1], zone, "{},=")
	}
	return append(dst, '}')
}

func appendRow(dst []byte, t Type, d Datum, zone *time.Location) []byte {
	dst = append(dst, '(')
	for i, item := range d.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if item.Null {
			continue
		}
		start := len(dst)
		dst = AppendText(dst, t.Fields[i].Type, item, zone)
		if text := string(dst[start:]); needsQuotes(text, "(),") {
			dst = appendQuoted(dst[:start], text, 0)
		}
	}
	return append(dst, ')')
}

// itemReader reads the comma-separated items of array, map and row texts.
type itemReader struct {
	text string
	at   int
	zone *time.Location
}

func (r *itemReader) skipSpace() {
	for r.at < len(r.text) && isSpace(r.text[r.at]) {
		r.at++
	}
}

func (r *itemReader) take(c byte) bool {
	r.skipSpace()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// token reads up to one of stops, resolving quotes and backslashes; quoted tells that some part was.
func (r *itemReader) token(stops string, trim bool) (text string, quoted, ok bool) {
	var out []byte
	keep := 0 // length up to which trailing blanks are part of the token
	if trim {
		r.skipSpace()
	}
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case c == '"':
			quoted = true
			for r.at++; ; r.at++ {
				if r.at >= len(r.text) {
					return "", true, false
				}
				if c = r.text[r.at]; c == '"' {
					if !trim && r.at+1 < len(r.text) && r.text[r.at+1] == '"' {
						r.at++
					} else {
						break
					}
				} else if c == '\\' {
					r.at++
					if r.at >= len(r.text) {
						return "", true, false
					}
				}
				out = append(out, r.text[r.at])
			}
			keep = len(out)
		case c == '\\':
			r.at++
			if r.at >= len(r.text) {
				return "", quoted, false
			}
			quoted = true
			out = append(out, r.text[r.at])
			keep = len(out)
		case strings.IndexByte(stops, c) >= 0:
			if trim {
				out = out[:keep]
			}
			return string(out), quoted, true
		default:
			out = append(out, c)
			if !isSpace(c) {
				keep = len(out)
			}
		}
		r.at++
	}
	return "", quoted, false
}

func malformedLiteral(what, text string) error {
	return sqlerr.New(sqlerr.InvalidTextRepresentation, "malformed %s literal: \"%s\"", what, text)
}

func parseArray(t Type, s string, zone *time.Location) (Datum, error) {
	r := &itemReader{text: s, zone: zone}
	r.skipSpace()
	if r.at == len(s) || s[r.at] != '{' {
		return Datum{}, malformedLiteral("array", s).(*sqlerr.Error).
			WithDetail("Array value must start with \"{\" or dimension information.")
	}
	d, err := r.array(t)
	if err != nil {
		return Datum{}, err
	}
	if r.skipSpace(); r.at != len(s) {
		return Datum{}, malformedLiteral("array", s).(*sqlerr.Error).WithDetail("Junk after closing right brace.")
	}
	return d, nil
}

func (r *itemReader) array(t Type) (Datum, error) {
	if !r.take('{') {
		return Datum{}, r.unexpected()
	}
	d := Datum{Items: []Datum{}}
	if r.take('}') {
		return d, nil
	}
	for {
		item, err := r.element(*t.Elem, ",}", t.Elem.Kind == Array)
		if err != nil {
			return Datum{}, err
		}
		d.Items = append(d.Items, item)
		if r.take('}') {
			return d, nil
		}
		if !r.take(',') {
			return Datum{}, r.unexpected()
		}
	}
}

// unexpected is the error for what stands at the reader's place in an array.
func (r *itemReader) unexpected() error {
	err := malformedLiteral("array", r.text).(*sqlerr.Error)
	switch {
	case r.at >= len(r.text):
		return err.WithDetail("Unexpected end of input.")
	case strings.IndexByte("{},\"", r.text[r.at]) >= 0:
		return err.WithDetail("Unexpected \"%c\" character.", r.text[r.at])
	}
	return err.WithDetail("Unexpected array element.")
}

func (r *itemReader) element(t Type, stops string, nested bool) (Datum, error) {
	if nested {
		return r.array(t)
	}
	text, quoted, ok := r.token(stops, true)
	if !ok || text == "" && !quoted || !quoted && strings.IndexByte(text, '{') >= 0 {
		return Datum{}, r.unexpected()
	}
	if !quoted && strings.EqualFold(text, "null") {
		return NullDatum(), nil
	}
	return Parse(t, text, r.zone)
}

func parseMap(t Type, s string, zone *time.Location) (Datum, error) {
	r := &itemReader{text: s, zone: zone}
	bad := malformedLiteral("map", s)
	if !r.take('{') {
		return Datum{}, bad
	}
	d := Datum{Items: []Datum{}}
	for more := !r.take('}'); more; {
		key, err := r.element(*t.Key, "=", t.Key.Kind == Array)
		if err != nil {
			return Datum{}, err
		}
		if !r.take('=') || key.Null {
			return Datum{}, bad
		}
		value, err := r.element(*t.Elem, ",}", t.Elem.Kind == Array)
		if err != nil {
			return Datum{}, err
		}
		d.Items = append(d.Items, key, value)
		if r.take('}') {
			break
		}
		if !r.take(',') {
			return Datum{}, bad
		}
	}
	if r.skipSpace(); r.at != len(s) {
		return Datum{}, bad
	}
	return d, nil
}

func parseRow(t Type, s string, zone *time.Location) (Datum, error) {
	r := &itemReader{text: s, zone: zone}
	bad := malformedLiteral("record", s).(*sqlerr.Error)
	if !r.take('(') {
		return Datum{}, bad.WithDetail("Missing left parenthesis.")
	}
	d := Datum{Items: make([]Datum, len(t.Fields))}
	for i, f := range t.Fields {
		text, quoted, ok := r.token(",)", false)
		if !ok {
			return Datum{}, bad.WithDetail("Unexpected end of input.")
		}
		if last := i == len(t.Fields)-1; last != (s[r.at] == ')') {
			if last {
				return Datum{}, bad.WithDetail("Too many columns.")
			}
			return Datum{}, bad.WithDetail("Too few columns.")
		}
		r.at++
		if text == "" && !quoted {
			d.Items[i] = NullDatum()
			continue
		}
		item, err := Parse(f.Type, text, zone)
		if err != nil {
			return Datum{}, err
		}
		d.Items[i] = item
	}
	if r.skipSpace(); r.at != len(s) {
		return Datum{}, bad.WithDetail("Junk after right parenthesis.")
	}
	return d, nil
}
