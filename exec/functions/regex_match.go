package functions

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// prepare compiles a translated pattern. PostgreSQL takes the longest match, or the shortest when the
// first quantifier that counts is a reluctant one; Go knows the longest and the first.
func (p *pattern) prepare(translated string) error {
	var err error
	if p.Regexp, err = regexp.Compile(translated); err != nil {
		return err
	}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return err
	}
	p.needle = requiredLiteral(tree.Simplify())
	if tree, err = syntax.Parse(translated, syntax.Perl); err != nil {
		return err
	}
	p.empty, p.context = matchesEmpty(tree), looksBehind(tree)
	reluctant := eagerness(tree) < 0
	if reluctant {
		makeReluctant(tree)
		translated = tree.String()
		if p.Regexp, err = regexp.Compile(translated); err != nil {
			return err
		}
	}
	if p.context {
		if p.inside, err = regexp.Compile(`\A(?s:.)(?:` + translated + `)`); err != nil {
			return err
		}
	}
	if !reluctant {
		p.Longest()
		if p.inside != nil {
			p.inside.Longest()
		}
	}
	return nil
}

// eagerness is what PostgreSQL says of a pattern as a whole: above 0 the longest match is taken,
// below 0 the shortest, 0 where no quantifier decides.
func eagerness(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		switch {
		case re.Op == syntax.OpRepeat && re.Min == re.Max:
			return eagerness(re.Sub[0])
		case re.Flags&syntax.NonGreedy != 0:
			return -1
		}
		return 1
	case syntax.OpCapture:
		return eagerness(re.Sub[0])
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if e := eagerness(s); e != 0 {
				return e
			}
		}
	case syntax.OpAlternate:
		return 1
	}
	return 0
}

func makeReluctant(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		re.Flags |= syntax.NonGreedy
	}
	for _, s := range re.Sub {
		makeReluctant(s)
	}
}

// matchesEmpty tells whether a pattern may match no characters.
func matchesEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpQuest, syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText,
		syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return matchesEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || matchesEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if !matchesEmpty(s) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, s := range re.Sub {
			if matchesEmpty(s) {
				return true
			}
		}
	}
	return false
}

// looksBehind tells whether a match depends on what stands before it.
func looksBehind(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, s := range re.Sub {
		if looksBehind(s) {
			return true
		}
	}
	return false
}

// find gives the first match that begins at byte from or behind it, nil for none.
func (p *pattern) find(s []byte, from int) []int {
	switch {
	case from == 0:
		return p.FindSubmatchIndex(s)
	case from > len(s):
		return nil
	case !p.context:
		return movedMatch(p.FindSubmatchIndex(s[from:]), from)
	}
	for {
		_, size := utf8.DecodeLastRune(s[:from])
		if match := movedMatch(p.inside.FindSubmatchIndex(s[from-size:]), from-size); match != nil {
			match[0] = from
			return match
		}
		if from == len(s) {
			return nil
		}
		_, size = utf8.DecodeRune(s[from:])
		from += size
	}
}

func movedMatch(match []int, by int) []int {
	for i := range match {
		if match[i] >= 0 {
			match[i] += by
		}
	}
	return match
}

// all gives at most n matches from byte from on, all for n < 0. Unlike Go's, an empty match may follow
// another match at once.
func (p *pattern) all(s []byte, from, n int) [][]int {
	if from == 0 && !p.empty {
		return p.FindAllSubmatchIndex(s, n)
	}
	var out [][]int
	for len(out) != n {
		match := p.find(s, from)
		if match == nil {
			break
		}
		out = append(out, match)
		if from = match[1]; match[0] < match[1] {
			continue
		}
		if from == len(s) {
			break
		}
		_, size := utf8.DecodeRune(s[from:])
		from += size
	}
	return out
}
