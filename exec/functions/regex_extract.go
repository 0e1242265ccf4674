package functions

import (
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// groupsOf gives what a match's groups hold, or the whole match when there are no groups.
func groupsOf(s []byte, match []int) []types.Datum {
	if len(match) > 2 {
		match = match[2:]
	}
	out := make([]types.Datum, len(match)/2)
	for i := range out {
		if match[2*i] < 0 {
			out[i] = types.NullDatum()
		} else {
			out[i] = types.StringDatum(string(s[match[2*i]:match[2*i+1]]))
		}
	}
	return out
}

// flagsOf gives the optional flags argument.
func flagsOf(r row, at int) string {
	if r.given(at) {
		return r.str(at)
	}
	return ""
}

// optionalFlags makes two rows, without and with a flags argument.
func optionalFlags(name, doc, example string, result types.Type, build func(cache patternCache) fn.Scalar) []fn.Overload {
	impl := withPattern(1, "", build)
	return []fn.Overload{
		patternRow(name, doc, example, params("s", text, "pattern", text), fn.Overload{ResultType: result, Impl: impl}),
		patternRow(name, doc, example, params("s", text, "pattern", text, "flags", text), fn.Overload{ResultType: result, Impl: impl}),
	}
}

func regexExtractFunctions() []fn.Overload {
	texts := types.ArrayOf(text)
	out := optionalFlags("regexp_match", "The groups of the first match (the match itself without groups), NULL for none.",
		"regexp_match('foobarbequebaz', '(bar)(beque)') → {bar,beque}", texts, func(cache patternCache) fn.Scalar {
			return toDatum(func(r row) (types.Datum, error) {
				p, err := cache.get(r.str(1), flagsOf(r, 2))
				if err != nil {
					return types.NullDatum(), err
				}
				if p.global {
					return types.NullDatum(), errorf(sqlerr.InvalidParameterValue, "regexp_match() does not support the \"global\" option")
				}
				match := p.FindSubmatchIndex(r.bytes(0))
				if match == nil {
					return types.NullDatum(), nil
				}
				return types.Datum{Items: groupsOf(r.bytes(0), match)}, nil
			})
		})
	out = append(out, optionalFlags("regexp_split_to_array", "The parts of s between matches.", "regexp_split_to_array('hello world', '\\s+') → {hello,world}", texts,
		func(cache patternCache) fn.Scalar {
			return toDatum(func(r row) (types.Datum, error) {
				parts, err := splitByPattern(cache, r)
				return types.Datum{Items: parts}, err
			})
		})...)
	out = append(out, extractRows()...)
	return append(out, countRowsOf()...)
}

// splitByPattern cuts at matches; an empty match cuts between characters, not at the ends.
func splitByPattern(cache patternCache, r row) ([]types.Datum, error) {
	p, err := cache.get(r.str(1), flagsOf(r, 2))
	if err != nil {
		return nil, err
	}
	s, from := r.bytes(0), 0
	if err := r.room(len(s)); err != nil {
		return nil, err
	}
	parts := []types.Datum{}
	for _, match := range p.FindAllIndex(s, -1) {
		if match[0] == match[1] && (match[0] == from && from == 0 || match[0] == len(s)) {
			continue
		}
		parts = append(parts, types.StringDatum(string(s[from:match[0]])))
		from = match[1]
	}
	return append(parts, types.StringDatum(string(s[from:]))), nil
}

// extractRows are Presto's regexp_extract and PostgreSQL's regexp_substr and substring(s FROM pattern).
func extractRows() []fn.Overload {
	first := func(group func(r row, groups int) int) fn.Scalar {
		return withPattern(1, "", func(cache patternCache) fn.Scalar {
			return toText(func(dst []byte, r row) ([]byte, bool, error) {
				p, err := cache.get(r.str(1), "")
				if err != nil {
					return dst, false, err
				}
				g := group(r, p.NumSubexp())
				if g < 0 || g > p.NumSubexp() {
					return dst, false, errorf(sqlerr.InvalidParameterValue, "pattern has %d groups, cannot access group %d", p.NumSubexp(), g)
				}
				match := p.FindSubmatchIndex(r.bytes(0))
				if match == nil || match[2*g] < 0 {
					return dst, false, nil
				}
				return append(dst, r.bytes(0)[match[2*g]:match[2*g+1]]...), true, nil
			})
		})
	}
	whole := func(row, int) int { return 0 }
	chosen := func(r row, _ int) int { return int(r.int32(2)) }
	out := []fn.Overload{
		patternRow("regexp_extract", "The first match, NULL for none.", "regexp_extract('1a 2b', '\\d+[b]') → 2b", params("s", text, "pattern", text), fn.Overload{ResultType: text, Impl: first(whole)}),
		patternRow("regexp_extract", "A group of the first match, NULL for none.", "regexp_extract('1a 2b', '(\\d+)(b)', 1) → 2", params("s", text, "pattern", text, "group", integer),
			fn.Overload{ResultType: text, Impl: first(chosen)}),
		patternRow("substring", "The first group of the first match, or the match; written substring(s FROM pattern).", "substring('Thomas' from '...$') → mas", params("s", text, "pattern", text),
			fn.Overload{ResultType: text, Impl: first(func(_ row, groups int) int { return min(groups, 1) })}),
		patternRow("regexp_extract_all", "All matches.", "regexp_extract_all('1a 2b', '\\d') → {1,2}", params("s", text, "pattern", text),
			fn.Overload{ResultType: types.ArrayOf(text), Impl: withPattern(1, "", extractAll)}),
		patternRow("regexp_extract_all", "A group of all matches.", "regexp_extract_all('1a 2b', '(\\d)([a-z])', 2) → {a,b}", params("s", text, "pattern", text, "group", integer),
			fn.Overload{ResultType: types.ArrayOf(text), Impl: withPattern(1, "", extractAll)}),
		patternRow("substring", "The part of s that a SIMILAR TO pattern marks.", `substring('Thomas' similar '%#"o_a#"_' escape '#') → oma`,
			params("s", text, "pattern", text, "escape", text), fn.Overload{ResultType: text, Impl: toText(similarSubstring)}),
	}
	return append(out, substrRows()...)
}

func extractAll(cache patternCache) fn.Scalar {
	return toDatum(func(r row) (types.Datum, error) {
		p, err := cache.get(r.str(1), "")
		if err != nil {
			return types.NullDatum(), err
		}
		g := 0
		if r.given(2) {
			g = int(r.int32(2))
		}
		if g < 0 || g > p.NumSubexp() {
			return types.NullDatum(), errorf(sqlerr.InvalidParameterValue, "pattern has %d groups, cannot access group %d", p.NumSubexp(), g)
		}
		out := types.Datum{Items: []types.Datum{}}
		if err := r.room(len(r.bytes(0))); err != nil {
			return out, err
		}
		for _, match := range p.all(r.bytes(0), 0, -1) {
			if match[2*g] < 0 {
				out.Items = append(out.Items, types.NullDatum())
			} else {
				out.Items = append(out.Items, types.StringDatum(string(r.bytes(0)[match[2*g]:match[2*g+1]])))
			}
		}
		return out, nil
	})
}

// similarSubstring is substring(s SIMILAR pattern ESCAPE e): the part between the two escape-quotes.
func similarSubstring(dst []byte, r row) ([]byte, bool, error) {
	s, source, escape := r.str(0), r.str(1), r.str(2)
	mark := escape + `"`
	parts := splitMarks(source, mark)
	if len(parts) != 3 {
		return dst, false, errorf(sqlerr.InvalidEscapeSequence, "SQL regular expression must contain exactly two escape-double-quote separators")
	}
	joined := "^"
	for i, part := range parts {
		translated, err := similarToRegex(part, escape)
		if err != nil {
			return dst, false, err
		}
		body := translated[len("^(?:") : len(translated)-len(")$")]
		if i == 1 {
			joined += "(" + body + ")"
		} else {
			joined += "(?:" + body + ")"
		}
	}
	p, err := compilePattern(joined+"$", "")
	if err != nil {
		return dst, false, err
	}
	match := p.FindStringSubmatchIndex(s)
	if match == nil || match[2] < 0 {
		return dst, false, nil
	}
	return append(dst, s[match[2]:match[3]]...), true, nil
}

func splitMarks(source, mark string) []string {
	var parts []string
	start := 0
	for i := 0; i+len(mark) <= len(source); i++ {
		if source[i:i+len(mark)] == mark {
			parts = append(parts, source[start:i])
			start = i + len(mark)
			i = start - 1
		}
	}
	return append(parts, source[start:])
}

// nthMatch finds match number n from character start on, offsets in the whole string.
func nthMatch(p *pattern, r row, start, n int32) ([]int, error) {
	from, err := startOffset(r.str(0), start)
	if err != nil {
		return nil, err
	}
	if n <= 0 {
		return nil, errorf(sqlerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", "n", n)
	}
	all := p.all(r.bytes(0), from, int(n))
	if len(all) < int(n) {
		return nil, nil
	}
	return all[n-1], nil
}

// positional reads optional start and n arguments, both 1 by default.
func positional(r row) (start, n int32) {
	start, n = 1, 1
	if r.given(2) {
		start = r.int32(2)
	}
	if r.given(3) {
		n = r.int32(3)
	}
	return start, n
}

func substrRows() []fn.Overload {
	impl := withPattern(1, "", func(cache patternCache) fn.Scalar {
		return toText(func(dst []byte, r row) ([]byte, bool, error) {
			p, err := cache.get(r.str(1), flagsOf(r, 4))
			if err != nil {
				return dst, false, err
			}
			start, n := positional(r)
			match, err := nthMatch(p, r, start, n)
			if err != nil || match == nil {
				return dst, false, err
			}
			return append(dst, r.bytes(0)[match[0]:match[1]]...), true, nil
		})
	})
	var out []fn.Overload
	all := params("s", text, "pattern", text, "start", integer, "n", integer, "flags", text)
	for count := 2; count <= 5; count++ {
		out = append(out, patternRow("regexp_substr", "Match number n from character start on, NULL for none.", "regexp_substr('ABCDEF', 'c(.)(..)', 1, 1, 'i') → CDEF",
			all[:count:count], fn.Overload{ResultType: text, Impl: impl}))
	}
	return out
}

// countRowsOf are regexp_count and regexp_instr.
func countRowsOf() []fn.Overload {
	count := withPattern(1, "", func(cache patternCache) fn.Scalar {
		return toFixed(func(r row) (int32, bool, error) {
			p, err := cache.get(r.str(1), flagsOf(r, 3))
			if err != nil {
				return 0, false, err
			}
			from := 0
			if r.given(2) {
				if from, err = startOffset(r.str(0), r.int32(2)); err != nil {
					return 0, false, err
				}
			}
			return int32(len(p.all(r.bytes(0), from, -1))), true, nil
		})
	})
	place := withPattern(1, "", func(cache patternCache) fn.Scalar {
		return toFixed(func(r row) (int32, bool, error) {
			p, err := cache.get(r.str(1), flagsOf(r, 5))
			if err != nil {
				return 0, false, err
			}
			start, n := positional(r)
			match, err := nthMatch(p, r, start, n)
			if err != nil || match == nil {
				return 0, err == nil, err
			}
			at := match[0]
			if r.given(4) && r.int32(4) == 1 {
				at = match[1]
			}
			return int32(utf8.RuneCount(r.bytes(0)[:at])) + 1, true, nil
		})
	})
	var out []fn.Overload
	counting := params("s", text, "pattern", text, "start", integer, "flags", text)
	for n := 2; n <= 4; n++ {
		out = append(out, patternRow("regexp_count", "Number of matches.", "regexp_count('123456789012', '\\d\\d\\d', 2) → 3", counting[:n:n], fn.Overload{ResultType: integer, Impl: count}))
	}
	placing := params("s", text, "pattern", text, "start", integer, "n", integer, "endoption", integer, "flags", text)
	for n := 2; n <= 6; n++ {
		out = append(out, patternRow("regexp_instr", "Position of match number n, with endoption 1 of what follows it; 0 for none.", "regexp_instr('ABCDEF', 'c(.)(..)', 1, 1, 0, 'i') → 3",
			placing[:n:n], fn.Overload{ResultType: integer, Impl: place}))
	}
	return out
}
