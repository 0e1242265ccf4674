package functions

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// likePattern is a compiled LIKE pattern: literal parts between %, anchored at either end or not.
// Patterns with _ keep the pattern itself and are matched step by step.
type likePattern struct {
	parts               [][]byte
	openStart, openEnd  bool // a % stands first, last
	steps               []likeStep
	caseless, allPassed bool
	scratch             []byte
}

type likeStep struct {
	kind    byte // 0 literal, '_' one character, '%' any
	literal []byte
}

// compileLike reads a pattern in which a backslash escapes.
func compileLike(pattern string, caseless bool) (*likePattern, error) {
	if caseless {
		pattern = strings.ToLower(pattern)
	}
	p := &likePattern{caseless: caseless}
	var current []byte
	flush := func() {
		if len(current) > 0 {
			p.steps = append(p.steps, likeStep{literal: current})
			current = nil
		}
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '%', '_':
			flush()
			p.steps = append(p.steps, likeStep{kind: c})
		case '\\':
			i++
			if i == len(pattern) {
				return nil, errorf(sqlerr.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
			}
			current = append(current, pattern[i])
		default:
			current = append(current, c)
		}
	}
	flush()
	for _, s := range p.steps {
		if s.kind == '_' {
			return p, nil
		}
	}
	p.simplify()
	return p, nil
}

// simplify turns steps without _ into parts.
func (p *likePattern) simplify() {
	p.openStart = len(p.steps) > 0 && p.steps[0].kind == '%'
	p.openEnd = len(p.steps) > 0 && p.steps[len(p.steps)-1].kind == '%'
	for _, s := range p.steps {
		if s.kind == 0 {
			p.parts = append(p.parts, s.literal)
		}
	}
	p.allPassed = len(p.parts) == 0 && p.openStart
	p.steps = nil
}

func (p *likePattern) match(b []byte) bool {
	if p.caseless {
		b = p.lower(b)
	}
	if p.steps != nil {
		return matchSteps(b, p.steps)
	}
	parts := p.parts
	if len(parts) == 0 {
		return p.openStart || len(b) == 0
	}
	if !p.openStart {
		if !bytes.HasPrefix(b, parts[0]) {
			return false
		}
		b, parts = b[len(parts[0]):], parts[1:]
		if len(parts) == 0 {
			return p.openEnd || len(b) == 0
		}
	}
	if !p.openEnd {
		last := parts[len(parts)-1]
		if !bytes.HasSuffix(b, last) {
			return false
		}
		b, parts = b[:len(b)-len(last)], parts[:len(parts)-1]
	}
	for _, part := range parts {
		at := bytes.Index(b, part)
		if at < 0 {
			return false
		}
		b = b[at+len(part):]
	}
	return true
}

// lower folds b into the pattern's scratch memory.
func (p *likePattern) lower(b []byte) []byte {
	p.scratch = appendLower(p.scratch[:0], b)
	return p.scratch
}

// matchSteps backtracks to the last % only, which suffices.
func matchSteps(b []byte, steps []likeStep) bool {
	at, star, starAt := 0, -1, 0
	i := 0
	for {
		if at == len(steps) {
			if i == len(b) {
				return true
			}
		} else {
			switch s := steps[at]; s.kind {
			case '%':
				star, starAt = at, i
				at++
				continue
			case '_':
				if i < len(b) {
					_, size := utf8.DecodeRune(b[i:])
					i += size
					at++
					continue
				}
			default:
				if bytes.HasPrefix(b[i:], s.literal) {
					i += len(s.literal)
					at++
					continue
				}
			}
		}
		if star < 0 || starAt >= len(b) {
			return false
		}
		_, size := utf8.DecodeRune(b[starAt:])
		starAt += size
		i, at = starAt, star+1
	}
}

// newLike makes the kernel of ~~ and ~~*: a constant pattern is compiled once and gets a loop for its
// shape.
func newLike(caseless bool) func(fn.Call) (fn.Kernel, error) {
	return func(call fn.Call) (fn.Kernel, error) {
		if d := call.Constants[1]; d != nil && !d.Null {
			p, err := compileLike(d.Str, caseless)
			if err != nil {
				return nil, err
			}
			return p.kernel(), nil
		}
		last, compiled := "", (*likePattern)(nil)
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			o := vec.Values[uint8](out)
			for k := range kernel.Count(rows, n) {
				r := row{args: args, at: rowAt(rows, k)}
				if pattern := r.str(1); compiled == nil || pattern != last {
					var err error
					if compiled, err = compileLike(pattern, caseless); err != nil {
						return err
					}
					last = strings.Clone(pattern)
				}
				o[r.at] = asFlag(compiled.match(r.bytes(0)))
			}
			return nil
		}, nil
	}
}

func (p *likePattern) kernel() fn.Kernel {
	single := p.steps == nil && len(p.parts) == 1 && !p.caseless
	switch {
	case single && p.openStart && p.openEnd:
		return containsKernel(p.parts[0])
	case single && p.openEnd:
		return prefixKernel(p.parts[0])
	}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		views, o, m := vec.Values[vec.View](args[0]), vec.Values[uint8](out), mask(args[0])
		buffers := args[0].Buffers
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			o[r] = asFlag(p.match(views[r&m].Bytes(buffers)))
		}
		return nil
	}
}

func containsKernel(part []byte) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		views, o, m := vec.Values[vec.View](args[0]), vec.Values[uint8](out), mask(args[0])
		buffers := args[0].Buffers
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			o[r] = asFlag(bytes.Contains(views[r&m].Bytes(buffers), part))
		}
		return nil
	}
}

// prefixKernel compares the up to four bytes that every view holds before it looks further.
func prefixKernel(prefix []byte) fn.Kernel {
	head := vec.InlineView(prefix[:min(len(prefix), 4)]).Head >> 32
	window := uint64(1)<<(8*min(len(prefix), 4)) - 1
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		views, o, m := vec.Values[vec.View](args[0]), vec.Values[uint8](out), mask(args[0])
		buffers := args[0].Buffers
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			v := &views[r&m]
			o[r] = asFlag((v.Head>>32^head)&window == 0 && v.Len() >= len(prefix) &&
				(len(prefix) <= 4 || bytes.HasPrefix(v.Bytes(buffers), prefix)))
		}
		return nil
	}
}

// escapeLike rewrites a pattern with another escape character into one with a backslash.
func escapeLike(dst []byte, pattern, escape string) ([]byte, error) {
	if utf8.RuneCountInString(escape) > 1 {
		return dst, errorf(sqlerr.InvalidEscapeSequence, "invalid escape string").(*sqlerr.Error).
			WithHint("Escape string must be empty or one character.")
	}
	for len(pattern) > 0 {
		_, size := utf8.DecodeRuneInString(pattern)
		c := pattern[:size]
		pattern = pattern[size:]
		switch {
		case escape != "" && c == escape:
			dst = append(dst, '\\')
			if len(pattern) > 0 {
				_, size = utf8.DecodeRuneInString(pattern)
				dst = append(dst, pattern[:size]...)
				pattern = pattern[size:]
			}
		case c == `\`:
			dst = append(dst, `\\`...)
		default:
			dst = append(dst, c...)
		}
	}
	return dst, nil
}

func patternFunctions() []fn.Overload {
	like := func(name, doc, example string, caseless bool) fn.Overload {
		return fn.Overload{Name: name, Params: params("s", text, "pattern", text), ResultType: boolean, Category: categoryPattern,
			Doc: doc, Example: example, MayFail: true, Impl: fn.Scalar{New: newLike(caseless)}}
	}
	return []fn.Overload{
		like("~~", "LIKE: % stands for any characters, _ for one; a backslash escapes.", "'tarn' LIKE 't_r%' → true", false),
		like("~~*", "ILIKE: LIKE without regard to case.", "'Tarn' ILIKE 'tA%' → true", true),
		{Name: "like_escape", Params: params("pattern", text, "escape", text), ResultType: text, Category: categoryPattern,
			Doc: "Rewrites a LIKE pattern with another escape character into one with a backslash.", Example: `like_escape('a#%', '#') → a\%`,
			MayFail: true, Impl: toText(func(dst []byte, r row) ([]byte, bool, error) {
				out, err := escapeLike(dst, r.str(0), r.str(1))
				return out, true, err
			})},
	}
}
