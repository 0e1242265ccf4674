package functions

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// slowLike is LIKE by its definition.
func slowLike(text, pattern []rune) bool {
	reach := make([]bool, len(text)+1)
	reach[0] = true
	for i := 0; i < len(pattern); i++ {
		next := make([]bool, len(text)+1)
		switch c := pattern[i]; c {
		case '%':
			open := false
			for at := range reach {
				open = open || reach[at]
				next[at] = open
			}
		default:
			if c == '\\' {
				i++
			}
			for at := range text {
				next[at+1] = reach[at] && (c == '_' || text[at] == pattern[i])
			}
		}
		reach = next
	}
	return reach[len(text)]
}

// FuzzPatterns compares LIKE with its definition, with and without another escape character, and
// wants of any regular expression an answer, soon, that does not depend on the literal that is looked
// for first.
func FuzzPatterns(f *testing.F) {
	for _, seed := range [][3]string{{"abc", "a%c", `\`}, {"a_c%", `a\_c\%`, "!"}, {"ÄÖü", "_ö%", ""}, {"aaaaaaaaaaaaaaaaaaaaaaaa", "(a+)+$", "g"}, {"x1\ny", `^\d|[[:alpha:]]+?\M`, "n"},
		{"foobar", "(?i)FOO(?=bar)|\\mx", "x"}, {"aXbXc", "%X_X%", "X"}, {"", "%%__%%", `\`}, {"ab", "(a|ab)(c|bcd)?", "q"}, {"a{,5}", "a{2,1000}{3}", "i"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, text, source, option string) {
		if !utf8.ValidString(text) || !utf8.ValidString(source) || !utf8.ValidString(option) || len(text) > 1000 || len(source) > 300 {
			return
		}
		checkLike(t, text, source)
		if escaped, err := escapeLike(nil, source, option); err == nil {
			checkLike(t, text, string(escaped))
		} else {
			wantUserError(t, err)
		}
		begin := time.Now()
		for _, compile := range []func() (*pattern, error){
			func() (*pattern, error) { return compilePattern(source, option) },
			func() (*pattern, error) {
				translated, err := similarToRegex(source, option)
				if err != nil {
					return nil, err
				}
				return compilePattern(translated, "")
			},
		} {
			p, err := compile()
			if err != nil {
				wantUserError(t, err)
				continue
			}
			if got, want := p.matches([]byte(text)), p.Regexp.MatchString(text); got != want {
				t.Fatalf("%q matches %q: %v, without the literal %q: %v", text, source, got, p.needle, want)
			}
			_, _, _ = appendRegexReplaced(nil, []byte(text), p, `[\1\&]`, 0, 0)
		}
		if spent := time.Since(begin); spent > 20*time.Second {
			t.Fatalf("%q on %q takes %v", source, text, spent)
		}
	})
}

func wantUserError(t *testing.T, err error) {
	t.Helper()
	var user *sqlerr.Error
	if !errors.As(err, &user) || user.Code.Class() == "XX" || !utf8.ValidString(user.Message) {
		t.Fatalf("not a user's error: %v", err)
	}
}

func checkLike(t *testing.T, text, pattern string) {
	t.Helper()
	p, err := compileLike(pattern, false)
	if err != nil {
		wantUserError(t, err)
		return
	}
	if got, want := p.match([]byte(text)), slowLike([]rune(text), []rune(pattern)); got != want {
		t.Fatalf("%q LIKE %q is %v, want %v", text, pattern, got, want)
	}
	caseless, err := compileLike(pattern, true)
	if err != nil {
		t.Fatal(err)
	}
	folded := string(appendLower(nil, []byte(text)))
	if got, want := caseless.match([]byte(text)), slowLike([]rune(folded), []rune(strings.ToLower(pattern))); got != want {
		t.Fatalf("%q ILIKE %q is %v, want %v", text, pattern, got, want)
	}
}

// FuzzJSON compares the walk over JSON with encoding/json, and wants JSON from whatever makes JSON.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, {"b": null}], "a": "\u00e4\"\\"}`, `[[[]], {}, "x", -1.5e3, true, null]`, ` "a" `, `{"": {"": [0]}}`, `{"a b":1,"c":[{"d":2},3]}`} {
		f.Add(seed, "a", `"new"`)
	}
	f.Add(`{"a": [1,2,3]}`, `$.a[-1]["b"]`, `{"x": 1}`)
	f.Fuzz(func(t *testing.T, text, key, value string) {
		if !utf8.ValidString(text) || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return // no value of a text type
		}
		b := []byte(text)
		err := types.ValidateJSON(b)
		if err == nil && !json.Valid(b) {
			t.Fatalf("%q is taken for JSON", text)
		} else if err != nil {
			wantUserError(t, err)
			return
		}
		normal, err := types.AppendJSONB(nil, b)
		if err != nil {
			wantUserError(t, err)
			return
		}
		wantJSON := func(made []byte) {
			t.Helper()
			if types.ValidateJSON(made) != nil || !json.Valid(made) {
				t.Fatalf("of %q comes %q", text, made)
			}
		}
		wantJSON(normal)
		if again, err := types.AppendJSONB(nil, normal); err != nil || string(again) != string(normal) {
			t.Fatalf("%q, normal again %q (%v)", normal, again, err)
		}
		if !containsJSON(normal, normal, true) || !equalJSON(normal, normal) {
			t.Fatalf("%q does not contain itself", normal)
		}
		path := []types.Datum{types.StringDatum(key)}
		if more, ok := parsePath(key); ok {
			path = path[:0]
			for _, element := range more {
				path = append(path, types.StringDatum(element))
			}
		}
		edited := func(e pathEdit) {
			t.Helper()
			e.path = path
			made, err := e.edit(nil, normal)
			if err != nil {
				wantUserError(t, err)
				return
			}
			wantJSON(made)
		}
		wantJSON(stripNulls(nil, b, true))
		wantJSON(appendPretty(nil, b, 0))
		edited(pathEdit{})
		if kind := jsonKind(normal); kind == "object" || kind == "array" {
			wantJSON(dropMembers(nil, normal, func(k string, _, _ int) bool { return k == key }))
		}
		if types.ValidateJSON([]byte(value)) == nil {
			edited(pathEdit{value: []byte(value), option: true})
			edited(pathEdit{value: []byte(value), insert: true})
			_ = containsJSON(normal, []byte(value), true)
		}
		checkMember(t, b, key)
	})
}

// checkMember looks a key up by encoding/json too. Surrogates that pair with nothing are left out:
// encoding/json replaces them.
func checkMember(t *testing.T, b []byte, key string) {
	var reference map[string]json.RawMessage
	if jsonKind(b) != "object" || regexp.MustCompile(`(?i)\\ud`).Match(b) || json.Unmarshal(b, &reference) != nil {
		return
	}
	got, ok := member(b, key)
	want, exists := reference[key]
	if ok != exists || ok && strings.TrimSpace(string(got)) != strings.TrimSpace(string(want)) {
		t.Fatalf("%q in %q is %q, want %q", key, b, got, want)
	}
	count := map[string]bool{}
	eachMember(b, func(k, v []byte) bool {
		count[string(k)] = true
		if !json.Valid(v) {
			t.Fatalf("member %q of %q is %q", k, b, v)
		}
		return true
	})
	if len(count) != len(reference) {
		t.Fatalf("%q has %d members, want %d", b, len(count), len(reference))
	}
}

// FuzzTemplates writes and reads times and numbers by any template: no panic, users' errors only;
// and a template that names every part gives the same moment back.
func FuzzTemplates(f *testing.F) {
	for _, seed := range []string{"YYYY-MM-DD HH24:MI:SS.US TZ", "FMDay, DDth FMMonth Y,YYY BC \"at\" HH12 AM", "IYYY-IW-ID J Q CC TZH:TZM OF", "FM9,999.00 PR", "S0999V99 EEEE", "RN FMrn L$ MI SG TH pl",
		"%Y-%m-%d %H:%i:%s.%f %p", "DDDfm SSSS FF3 \\\"x\" y", "D9G9 ıſK 9.9", `"unclosed`,
		"V" + strings.Repeat("9", 100), "9D" + strings.Repeat("9", 60)} {
		f.Add(seed, "2018-08-01 04:05:06.789 -7", int64(1_533_096_306_789_000), 12.5)
	}
	full := parseTemplate("YYYY-MM-DD HH24:MI:SS.US")
	f.Fuzz(func(t *testing.T, template, text string, micros int64, number float64) {
		if !utf8.ValidString(template) || !utf8.ValidString(text) || len(template) > 1000 {
			return
		}
		micros %= 100_000 * 366 * types.MicrosPerDay
		m := momentOfTimestamp(micros)
		wantText := func(out []byte) {
			t.Helper()
			if !utf8.Valid(out) || len(out) > 200+60*len(template) {
				t.Fatalf("%q gives %d bytes: %.100q", template, len(out), out)
			}
		}
		templates := []string{template}
		if percent, err := percentTemplate(template); err == nil {
			templates = append(templates, percent)
		} else {
			wantUserError(t, err)
		}
		for _, tm := range templates {
			tokens := append(parseTemplate(tm), formatToken{})
			wantText(appendStamp(nil, stampOf(m, "EST"), tokens))
			if err := checkIntervalTemplate(tokens); err != nil {
				wantUserError(t, err)
			} else {
				wantText(appendStamp(nil, stampOfInterval(types.IntervalValue{Months: int32(micros), Days: int32(micros >> 8), Micros: micros}), tokens))
			}
			var s readStamp
			if err := s.read(text, tm, tokens); err != nil {
				wantUserError(t, err)
			} else if _, err := s.timestamp(text); err != nil {
				wantUserError(t, err)
			}
		}
		if m.days > -719162 && m.days < 2932896 { // four digits of a year after Christ
			written := appendStamp(nil, stampOf(m, ""), full)
			var s readStamp
			if err := s.read(string(written), "", append(parseTemplate("YYYY-MM-DD HH24:MI:SS.US"), formatToken{})); err != nil {
				t.Fatal(err)
			}
			if back, err := s.timestamp(string(written)); err != nil || back != micros {
				t.Fatalf("%d is written %s, which is %d (%v)", micros, written, back, err)
			}
		}
		n := parseNumberTemplate(template)
		wantText(n.append(nil, n.digits(types.Int128FromInt64(micros), int(uint64(micros)%19))))
		wantText(n.appendRoman(nil, micros))
		wantText(n.appendScientific(nil, number))
		if _, err := n.read(text); err != nil {
			wantUserError(t, err)
		}
	})
}
