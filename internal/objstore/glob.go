package objstore

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// IsPattern tells whether a path holds wildcards.
func IsPattern(pattern string) bool { return strings.ContainsAny(pattern, "*?[{") }

// maxAlternatives bounds what {a,b} may expand to, maxBraces how many there may be.
const (
	maxAlternatives = 10_000
	maxBraces       = 1_000
)

// Glob lists the objects whose keys match pattern, in key order: * and ? within a path segment,
// [a-z] a character, {a,b} alternatives, ** any number of segments. Wildcards do not match a
// leading dot. A pattern without wildcards gives the object or nothing.
func Glob(ctx context.Context, store Store, pattern string) ([]Object, error) {
	if strings.Count(pattern, "{") > maxBraces {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "too many alternatives in file pattern")
	}
	alternatives, err := expandBraces(pattern, nil)
	if err != nil {
		return nil, err
	}
	g := glob{store: store, found: map[string]Object{}}
	for _, alternative := range alternatives {
		if err := g.descend(ctx, "", strings.Split(alternative, "/")); err != nil {
			return nil, err
		}
	}
	out := make([]Object, 0, len(g.found))
	for _, object := range g.found {
		out = append(out, object)
	}
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func expandBraces(pattern string, into []string) ([]string, error) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		if len(into) >= maxAlternatives {
			return nil, sqlerr.New(sqlerr.InvalidParameterValue, "too many alternatives in file pattern")
		}
		return append(into, pattern), nil
	}
	depth, start := 0, open+1
	var options []string
	for at := open; at < len(pattern); at++ {
		switch c := pattern[at]; {
		case c == '{':
			depth++
		case c == ',' && depth == 1:
			options = append(options, pattern[start:at])
			start = at + 1
		case c == '}':
			if depth--; depth > 0 {
				continue
			}
			options = append(options, pattern[start:at])
			var err error
			for _, option := range options {
				if into, err = expandBraces(pattern[:open]+option+pattern[at+1:], into); err != nil {
					return nil, err
				}
			}
			return into, nil
		}
	}
	return nil, sqlerr.New(sqlerr.InvalidParameterValue, "unbalanced { in file pattern %q", pattern)
}

type glob struct {
	store Store
	found map[string]Object
}

// descend matches the remaining segments below base, which is "" or ends in "/".
func (g *glob) descend(ctx context.Context, base string, segments []string) error {
	for len(segments) > 1 && !IsPattern(segments[0]) {
		base += segments[0] + "/"
		segments = segments[1:]
	}
	segment, rest := segments[0], segments[1:]
	switch {
	case segment == "**":
		return g.anyDepth(ctx, base, rest)
	case !IsPattern(segment):
		object, err := g.store.Stat(ctx, base+segment)
		if sqlerr.CodeOf(err) == sqlerr.UndefinedFile {
			return nil
		}
		if err == nil {
			g.found[object.Path] = object
		}
		return err
	}
	request := ListRequest{Prefix: base + segment[:strings.IndexAny(segment, "*?[")], Delimiter: "/"}
	for {
		page, err := g.store.ListPage(ctx, request)
		if err != nil {
			return err
		}
		if len(rest) == 0 {
			for _, object := range page.Objects {
				if matchSegment(segment, path.Base(object.Path)) {
					g.found[object.Path] = object
				}
			}
		} else {
			for _, prefix := range page.Prefixes {
				if matchSegment(segment, path.Base(prefix)) {
					if err := g.descend(ctx, prefix, rest); err != nil {
						return err
					}
				}
			}
		}
		if page.Next == "" {
			return nil
		}
		request.StartAfter = page.Next
	}
}

// anyDepth matches rest against every suffix of the segments of each key below base.
func (g *glob) anyDepth(ctx context.Context, base string, rest []string) error {
	for len(rest) > 0 && rest[0] == "**" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		rest = []string{"*"}
	}
	return Walk(ctx, g.store, base, func(object Object) error {
		if matchSegments(append([]string{"**"}, rest...), strings.Split(object.Path[len(base):], "/")) {
			g.found[object.Path] = object
		}
		return nil
	})
}

// matchSegments follows all ways to match at once: each for itself would be far too many where several
// ** stand before long paths.
func matchSegments(patterns, names []string) bool {
	matched := make([]bool, len(patterns)+1) // whether so many patterns match the names up to here
	next := make([]bool, len(patterns)+1)
	matched[0] = true
	none(matched, patterns)
	for _, name := range names {
		clear(next)
		for i, pattern := range patterns {
			switch {
			case !matched[i]:
			case pattern == "**":
				next[i] = next[i] || !strings.HasPrefix(name, ".")
			case matchSegment(pattern, name):
				next[i+1] = true
			}
		}
		none(next, patterns)
		matched, next = next, matched
	}
	return matched[len(patterns)]
}

// none lets each ** match no name at all.
func none(matched []bool, patterns []string) {
	for i, pattern := range patterns {
		if matched[i] && pattern == "**" {
			matched[i+1] = true
		}
	}
}

func matchSegment(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
