package functions

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// appendExpanded writes a replacement: \1 … \9 and \& stand for what matched.
func appendExpanded(dst []byte, replacement string, s []byte, match []int) []byte {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '\\' || i+1 == len(replacement) {
			dst = append(dst, c)
			continue
		}
		i++
		group := -1
		switch c = replacement[i]; {
		case c >= '1' && c <= '9':
			group = int(c - '0')
		case c == '&':
			group = 0
		case c == '\\':
			dst = append(dst, '\\')
			continue
		default:
			dst = append(dst, '\\', c)
			continue
		}
		if 2*group+1 < len(match) && match[2*group] >= 0 {
			dst = append(dst, s[match[2*group]:match[2*group+1]]...)
		}
	}
	return dst
}

// appendRegexReplaced replaces the n-th match after offset from; n = 0 is all of them.
func appendRegexReplaced(dst, s []byte, p *pattern, replacement string, from, n int) ([]byte, bool, error) {
	if p.needle != nil && !p.matches(s) {
		return append(dst, s...), true, nil
	}
	most := n
	if n == 0 {
		most = -1
	}
	last := 0
	for k, match := range p.all(s, from, most) {
		if n > 0 && k != n-1 {
			continue
		}
		dst = append(dst, s[last:match[0]]...)
		dst = appendExpanded(dst, replacement, s, match)
		if last = match[1]; len(dst) > maxText {
			return dst, false, tooLongText()
		}
	}
	return append(dst, s[last:]...), true, nil
}

// startOffset turns a 1-based character position into a byte offset.
func startOffset(s string, start int32) (int, error) {
	if start <= 0 {
		return 0, errorf(sqlerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", "start", start)
	}
	return types.CharacterOffset(s, int(start)-1), nil
}

func notNegative(name string, n int32) error {
	if n < 0 {
		return errorf(sqlerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", name, n)
	}
	return nil
}

func regexReplaceFunctions() []fn.Overload {
	const doc = "Replaces what a regular expression matches: the first match, with flag g all; \\1 … \\9 and \\& in the replacement stand for groups and the match."
	row3 := func(p []fn.Param, flagsAt, startAt, countAt int, example string) fn.Overload {
		impl := withPattern(1, "", func(cache patternCache) fn.Scalar {
			return toText(func(dst []byte, r row) ([]byte, bool, error) {
				flags, from, n := "", 0, 1
				if flagsAt > 0 {
					flags = r.str(flagsAt)
				}
				p, err := cache.get(r.str(1), flags)
				if err != nil {
					return dst, false, err
				}
				if p.global && countAt < 0 {
					n = 0
				}
				if startAt > 0 {
					if from, err = startOffset(r.str(0), r.int32(startAt)); err != nil {
						return dst, false, err
					}
				}
				if countAt > 0 {
					if err := notNegative("n", r.int32(countAt)); err != nil {
						return dst, false, err
					}
					n = int(r.int32(countAt))
				}
				if err := r.room(len(r.bytes(0))); err != nil {
					return dst, false, err
				}
				return appendRegexReplaced(dst, r.bytes(0), p, r.str(2), from, n)
			})
		})
		return patternRow("regexp_replace", doc, example, p, fn.Overload{ResultType: text, Impl: impl})
	}
	base := func(more ...any) []fn.Param {
		return append(params("s", text, "pattern", text, "replacement", text), params(more...)...)
	}
	remove := patternRow("regexp_replace", "Removes everything that a regular expression matches.", "regexp_replace('a1b2', '\\d') → ab", params("s", text, "pattern", text),
		fn.Overload{ResultType: text, Impl: withPattern(1, "", func(cache patternCache) fn.Scalar {
			return toText(func(dst []byte, r row) ([]byte, bool, error) {
				p, err := cache.get(r.str(1), "")
				if err != nil {
					return dst, false, err
				}
				return appendRegexReplaced(dst, r.bytes(0), p, "", 0, 0)
			})
		})})
	return []fn.Overload{
		row3(base(), -1, -1, -1, "regexp_replace('Thomas', '.[mN]a.', 'M') → ThM"),
		row3(base("flags", text), 3, -1, -1, "regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g') → fooXarYXazY"),
		row3(base("start", integer), -1, 3, -1, "regexp_replace('Thomas', '.', 'X', 3) → ThXmas"),
		row3(base("start", integer, "n", integer), -1, 3, 4, "regexp_replace('Thomas', '.', 'X', 3, 2) → ThoXas"),
		row3(base("start", integer, "n", integer, "flags", text), 5, 3, 4, "regexp_replace('Thomas', 'A', 'X', 1, 1, 'i') → ThomXs"),
		remove,
	}
}
