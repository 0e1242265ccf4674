package binder

import "github.com/tarnlake/tarn/internal/types"

// selectCandidate decides among candidates that all fit, by the rules of PostgreSQL's
// func_select_candidate; nil when the call stays ambiguous.
func (b *binder) selectCandidate(list []*candidate, args []argument) *candidate {
	if len(list) == 1 {
		return list[0]
	}
	list = mostMatches(list, args, func(s slot, t types.Type) bool { return !s.polymorphic && sameKind(s.t, t) })
	if len(list) == 1 {
		return list[0]
	}
	list = mostMatches(list, args, func(s slot, t types.Type) bool {
		return !s.polymorphic && (sameKind(s.t, t) || preferred(s.t) && category(s.t) == category(t))
	})
	if len(list) == 1 {
		return list[0]
	}
	unknowns := 0
	for _, a := range args {
		if a.kind().Kind == types.Unknown {
			unknowns++
		}
	}
	if unknowns == 0 {
		return fixedArity(list)
	}
	if list = byUnknownCategory(list, args); len(list) == 1 {
		return list[0]
	}
	if unknowns < len(args) {
		if c := b.assumeKnown(list, args); c != nil {
			return c
		}
	}
	return fixedArity(list)
}

// fixedArity prefers the one overload that is not variadic.
func fixedArity(list []*candidate) *candidate {
	var only *candidate
	for _, c := range list {
		if c.overload != nil && c.overload.Variadic {
			continue
		}
		if only != nil {
			return nil
		}
		only = c
	}
	if only != nil && len(list) > 1 {
		return only
	}
	return nil
}

// mostMatches keeps the candidates with the highest number of known arguments that match.
func mostMatches(list []*candidate, args []argument, match func(slot, types.Type) bool) []*candidate {
	best := -1
	var kept []*candidate
	for _, c := range list {
		n := 0
		for i, s := range c.slots {
			if t := args[i].kind(); t.Kind != types.Unknown && match(s, t) {
				n++
			}
		}
		if n > best {
			best, kept = n, nil
		}
		if n == best {
			kept = append(kept, c)
		}
	}
	return kept
}

// byUnknownCategory keeps the candidates whose parameters at untyped arguments lie in one category:
// string if any candidate takes a string there, and of the preferred type if any takes that.
func byUnknownCategory(list []*candidate, args []argument) []*candidate {
	categories := make([]byte, len(args))
	hasPreferred := make([]bool, len(args))
	for i, a := range args {
		if a.kind().Kind != types.Unknown {
			continue
		}
		var ok bool
		if categories[i], hasPreferred[i], ok = unknownCategory(list, i); !ok {
			return list
		}
	}
	var kept []*candidate
	for _, c := range list {
		if keepsCategories(c, categories, hasPreferred) {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return list
	}
	return kept
}

func unknownCategory(list []*candidate, i int) (chosen byte, hasPreferred, ok bool) {
	conflict := false
	for _, c := range list {
		s := c.slots[i]
		switch {
		case chosen == 0:
			chosen, hasPreferred = s.category(), s.preferred()
		case s.category() == chosen:
			hasPreferred = hasPreferred || s.preferred()
		case s.category() == 'S':
			chosen, hasPreferred = 'S', s.preferred()
		default:
			conflict = true
		}
	}
	return chosen, hasPreferred, !conflict || chosen == 'S'
}

func keepsCategories(c *candidate, categories []byte, hasPreferred []bool) bool {
	for i, want := range categories {
		if want != 0 && (c.slots[i].category() != want || hasPreferred[i] && !c.slots[i].preferred()) {
			return false
		}
	}
	return true
}

// assumeKnown tries the type of the known arguments, if it is one, for the untyped ones.
func (b *binder) assumeKnown(list []*candidate, args []argument) *candidate {
	known := -1
	for i, a := range args {
		switch {
		case a.kind().Kind == types.Unknown:
		case known < 0:
			known = i
		case !sameKind(args[known].kind(), a.kind()):
			return nil
		}
	}
	assumed := append([]argument(nil), args...)
	for i, a := range assumed {
		if a.kind().Kind == types.Unknown {
			assumed[i].operand = args[known].operand
		}
	}
	var only *candidate
	for _, c := range list {
		switch {
		case !b.matches(c, assumed):
		case only != nil:
			return nil
		default:
			only = c
		}
	}
	return only
}
