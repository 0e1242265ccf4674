package functions

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// pattern is a compiled regular expression with the longest literal that every match contains.
type pattern struct {
	*regexp.Regexp
	needle  []byte
	global  bool           // flag g
	empty   bool           // may match no characters
	context bool           // a match depends on what stands before it
	inside  *regexp.Regexp // with context: one character, and then the pattern
}

// compilePattern translates PostgreSQL's dialect and flags to Go's.
func compilePattern(source, flags string) (*pattern, error) {
	p := &pattern{}
	caseless, dotAll, lines, expanded := false, true, false, false
	for _, f := range flags {
		switch f {
		case 'g':
			p.global = true
		case 'i':
			caseless = true
		case 'c':
			caseless = false
		case 's':
			dotAll, lines = true, false
		case 'n', 'm':
			dotAll, lines = false, true
		case 'p':
			dotAll = false
		case 'w':
			lines = true
		case 'x':
			expanded = true
		case 't', 'e':
		case 'q':
			source = regexp.QuoteMeta(source)
		default:
			return nil, errorf(sqlerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", f)
		}
	}
	if rest, ok := strings.CutPrefix(source, "***="); ok {
		source = regexp.QuoteMeta(rest)
	} else {
		source = strings.TrimPrefix(source, "***:")
	}
	if strings.HasPrefix(source, "(?") {
		if at := strings.IndexByte(source, ')'); at > 0 && strings.Trim(source[2:at], "bceimnpqstwx") == "" {
			caseless = caseless || strings.Contains(source[2:at], "i")
			expanded = expanded || strings.Contains(source[2:at], "x")
			if strings.ContainsAny(source[2:at], "nm") {
				dotAll, lines = false, true
			}
			source = source[at+1:]
		}
	}
	translated, err := translatePattern(source, expanded)
	if err != nil {
		return nil, err
	}
	prefix := "(?"
	for _, option := range []struct {
		on     bool
		letter string
	}{{caseless, "i"}, {dotAll, "s"}, {lines, "m"}} {
		if option.on {
			prefix += option.letter
		}
	}
	if prefix != "(?" {
		translated = prefix + ")" + translated
	}
	if err = p.prepare(translated); err != nil {
		return nil, errorf(sqlerr.InvalidRegularExpression, "invalid regular expression: %s", patternFault(err))
	}
	return p, nil
}

func patternFault(err error) string {
	fault, ok := err.(*syntax.Error)
	if !ok {
		return err.Error()
	}
	switch fault.Code {
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		return "parentheses () not balanced"
	case syntax.ErrMissingBracket:
		return "brackets [] not balanced"
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return "quantifier operand invalid"
	case syntax.ErrInvalidRepeatSize:
		return "invalid repetition count(s)"
	case syntax.ErrInvalidCharRange:
		return "invalid character range"
	case syntax.ErrTrailingBackslash, syntax.ErrInvalidEscape:
		return "invalid escape \\ sequence"
	}
	return fault.Code.String()
}

// translatePattern rewrites escapes that Go spells differently.
func translatePattern(source string, expanded bool) (string, error) {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case c == '\\' && i+1 < len(source):
			i++
			escape, err := translateEscape(source[i], inClass)
			if err != nil {
				return "", err
			}
			out.WriteString(escape)
		case c == '[' && !inClass:
			inClass = true
			out.WriteByte(c)
			if i+1 < len(source) && source[i+1] == '^' {
				i++
				out.WriteByte('^')
			}
			if i+1 < len(source) && source[i+1] == ']' {
				i++
				out.WriteString(`\]`)
			}
		case c == '[' && inClass:
			if end := strings.Index(source[i:], ":]"); end > 0 && i+1 < len(source) && source[i+1] == ':' {
				out.WriteString(characterClass(source[i : i+end+2]))
				i += end + 1
			} else {
				out.WriteString(`\[`)
			}
		case c == ']' && inClass:
			inClass = false
			out.WriteByte(c)
		case expanded && !inClass && (c == ' ' || c >= '\t' && c <= '\r'):
		case expanded && !inClass && c == '#':
			for i+1 < len(source) && source[i+1] != '\n' {
				i++
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

func translateEscape(c byte, inClass bool) (string, error) {
	switch {
	case inClass && c == 'w':
		return wordCharacters, nil
	case inClass && c == 's':
		return spaces, nil
	case c == 's':
		return "[" + spaces + "]", nil
	case c == 'S':
		return "[^" + spaces + "]", nil
	case c >= '1' && c <= '9':
		return "", errorf(sqlerr.FeatureNotSupported, "back references in regular expressions are not supported")
	case c == 'm' || c == 'M' || c == 'y':
		return `\b`, nil
	case c == 'Y':
		return `\B`, nil
	case c == 'Z':
		return `\z`, nil
	case c == 'e':
		return `\x1b`, nil
	case c == 'w':
		return "[" + wordCharacters + "]", nil
	case c == 'W':
		return "[^" + wordCharacters + "]", nil
	}
	return `\` + string(c), nil
}

// Members of a bracket expression. Go's own classes know ASCII only.
const (
	wordCharacters = `\pL\pN_`
	spaces         = `\s\v\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{2028}\x{2029}\x{205f}\x{3000}`
)

// characterClass gives what [:alpha:] and its like stand for in a bracket expression.
func characterClass(name string) string {
	switch name {
	case "[:alpha:]":
		return `\pL`
	case "[:alnum:]":
		return `\pL\pN`
	case "[:upper:]":
		return `\p{Lu}`
	case "[:lower:]":
		return `\p{Ll}`
	case "[:space:]":
		return spaces
	case "[:punct:]":
		return `[:punct:]\pP\pS`
	case "[:graph:]":
		return `[:graph:]\pL\pM\pN\pP\pS`
	case "[:print:]":
		return `[:print:]\pL\pM\pN\pP\pS`
	}
	return name
}

// requiredLiteral gives a literal of at least three bytes that every match contains, nil for none.
func requiredLiteral(re *syntax.Regexp) []byte {
	var best []byte
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			best = []byte(string(re.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus:
		best = requiredLiteral(re.Sub[0])
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if b := requiredLiteral(s); len(b) > len(best) {
				best = b
			}
		}
	}
	if len(best) < 3 {
		return nil
	}
	return best
}

func (p *pattern) matches(b []byte) bool {
	if p.needle != nil && !bytes.Contains(b, p.needle) {
		return false
	}
	return p.Match(b)
}

// patternCache keeps the patterns of a call: mostly one.
type patternCache map[[2]string]*pattern

func (c patternCache) get(source, flags string) (*pattern, error) {
	if p, ok := c[[2]string{source, flags}]; ok {
		return p, nil
	}
	source, flags = strings.Clone(source), strings.Clone(flags)
	p, err := compilePattern(source, flags)
	if err != nil {
		return nil, err
	}
	if len(c) > 256 {
		clear(c)
	}
	c[[2]string{source, flags}] = p
	return p, nil
}

// withPattern makes a kernel from one that needs patterns; a constant pattern (argument at) is checked
// before any row is seen.
func withPattern(at int, flags string, build func(cache patternCache) fn.Scalar) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		cache := patternCache{}
		if d := call.Constants[at]; d != nil && !d.Null && len(call.Args) == 2 {
			if _, err := cache.get(d.Str, flags); err != nil {
				return nil, err
			}
		}
		return build(cache).New(call)
	}}
}

func patternRow(name, doc, example string, p []fn.Param, o fn.Overload) fn.Overload {
	o.Name, o.Doc, o.Example, o.Params, o.Category, o.MayFail = name, doc, example, p, categoryPattern, true
	return o
}

// matchRow is a boolean function of a string and a pattern; flagsAt < 0 uses the fixed flags.
func matchRow(name, doc, example, fixedFlags string, flagsAt int) fn.Overload {
	p := params("s", text, "pattern", text)
	if flagsAt > 0 {
		p = params("s", text, "pattern", text, "flags", text)
	}
	impl := withPattern(1, fixedFlags, func(cache patternCache) fn.Scalar {
		return toFixed(func(r row) (uint8, bool, error) {
			flags := fixedFlags
			if flagsAt > 0 {
				flags = r.str(flagsAt)
			}
			p, err := cache.get(r.str(1), flags)
			if err != nil {
				return 0, false, err
			}
			return asFlag(p.matches(r.bytes(0))), true, nil
		})
	})
	return patternRow(name, doc, example, p, fn.Overload{ResultType: boolean, Impl: impl})
}

func regexFunctions() []fn.Overload {
	out := []fn.Overload{
		matchRow("~", "Tells whether a regular expression matches somewhere in s.", "'thomas' ~ 't.*ma' → true", "", -1),
		matchRow("~*", "The same without regard to case.", "'thomas' ~* 'T.*ma' → true", "i", -1),
		matchRow("regexp_like", "Tells whether a regular expression matches somewhere in s.", "regexp_like('Hello World', 'world$', 'i') → true", "", 2),
		matchRow("regexp_like", "Tells whether a regular expression matches somewhere in s.", "regexp_like('1a 2b', '\\d+b') → true", "", -1),
	}
	out = append(out, regexReplaceFunctions()...)
	out = append(out, regexExtractFunctions()...)
	return append(out, similarFunctions()...)
}

// similarFunctions rewrite SIMILAR TO's patterns as regular expressions.
func similarFunctions() []fn.Overload {
	convert := func(dst []byte, r row) ([]byte, bool, error) {
		escape := `\`
		if r.given(1) {
			escape = r.str(1)
		}
		out, err := similarToRegex(r.str(0), escape)
		return append(dst, out...), true, err
	}
	const doc = "Rewrites a SIMILAR TO pattern as a regular expression."
	return []fn.Overload{
		patternRow("similar_to_escape", doc, "similar_to_escape('a%') → ^(?:a.*)$", params("pattern", text), fn.Overload{ResultType: text, Impl: toText(convert)}),
		patternRow("similar_to_escape", doc, "similar_to_escape('a#%', '#') → ^(?:a%)$", params("pattern", text, "escape", text), fn.Overload{ResultType: text, Impl: toText(convert)}),
	}
}

func similarToRegex(source, escape string) (string, error) {
	var out strings.Builder
	out.WriteString("^(?:")
	inClass, escaped := false, false
	for _, c := range source {
		s := string(c)
		switch {
		case escaped:
			out.WriteString(regexp.QuoteMeta(s))
			escaped = false
		case s == escape:
			escaped = true
		case inClass:
			if c == '\\' {
				out.WriteByte('\\')
			}
			inClass = c != ']'
			out.WriteRune(c)
		case c == '[':
			inClass = true
			out.WriteRune(c)
		case c == '%':
			out.WriteString(".*")
		case c == '_':
			out.WriteByte('.')
		case c == '(':
			out.WriteString("(?:")
		case strings.ContainsRune(`\.^$`, c):
			out.WriteByte('\\')
			out.WriteRune(c)
		default:
			out.WriteRune(c)
		}
	}
	if escaped {
		return "", errorf(sqlerr.InvalidEscapeSequence, "invalid escape string")
	}
	return out.String() + ")$", nil
}
