package statement

import (
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
)

// fillFunctions lists the overloads that can be called by name.
func (r *run) fillFunctions(l *listing) {
	for _, name := range r.config.Registry.Names() {
		if strings.HasPrefix(name, "$") || !isWord(name) {
			continue
		}
		for _, o := range r.config.Registry.ByName(name) {
			l.addTexts(o.Name, resultText(o), argumentsText(o), kindOfFunction(o), o.Doc)
		}
	}
}

func isWord(name string) bool {
	c := name[0]
	return c == '_' || c >= 'a' && c <= 'z'
}

func resultText(o *fn.Overload) string {
	if table, ok := o.Impl.(fn.Table); ok && table.Columns != nil {
		return "setof record"
	}
	if o.Result != nil {
		for _, p := range o.Params {
			switch p.Family {
			case fn.Element, fn.ArrayOf:
				return "anyelement"
			case fn.Common:
				return "anycompatible"
			case fn.Numeric:
				return "numeric"
			}
		}
		return "any"
	}
	return o.ResultType.String()
}

func argumentsText(o *fn.Overload) string {
	parts := make([]string, len(o.Params))
	for i, p := range o.Params {
		text := map[fn.Family]string{fn.Any: "any", fn.Element: "anyelement", fn.ArrayOf: "anyarray", fn.Common: "anycompatible",
			fn.Numeric: "numeric", fn.Function: "function"}[p.Family]
		if p.Family == fn.Exact {
			text = p.Type.String()
		}
		if p.Default != nil {
			text = p.Name + " " + text
		}
		if o.Variadic && i == len(o.Params)-1 {
			text = "VARIADIC " + text
		}
		parts[i] = text
	}
	return strings.Join(parts, ", ")
}

func kindOfFunction(o *fn.Overload) string {
	switch o.Impl.(type) {
	case fn.Aggregate:
		return "aggregate"
	case fn.Window:
		return "window"
	case fn.Table:
		return "table"
	}
	return "scalar"
}
