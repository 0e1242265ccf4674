package functions

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

// categories lists the headings of docs/functions.md in order.
var categories = [...]string{categoryArithmetic, categoryMath, categoryString, categoryPattern, categoryBinary, categoryTime, categoryConditional,
	categoryJSON, categoryArray, categoryTable, categoryAggregate, categoryStatistics, categoryWindow, categorySystem}

// WriteMarkdown writes the reference of all functions: docs/functions.md.
func WriteMarkdown(w io.Writer, r *fn.Registry) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# Functions and operators\n\nGenerated from the function registry by `make docs`; `SELECT * FROM system.functions` shows the same.\n"+
		"Unless a row says otherwise, a NULL argument makes the result NULL.\n")
	byCategory := map[string][]*fn.Overload{}
	for i := range r.All() {
		o := &r.All()[i]
		if !strings.HasPrefix(o.Name, "$") {
			byCategory[o.Category] = append(byCategory[o.Category], o)
		}
	}
	order := append([]string{}, categories[:]...)
	for c := range byCategory {
		if !contains(order, c) {
			order = append(order, c)
		}
	}
	sort.Strings(order[len(categories):])
	for _, c := range order {
		if len(byCategory[c]) > 0 {
			writeCategory(out, c, byCategory[c])
		}
	}
	return out.Flush()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// writeCategory writes one table; overloads with the same description share a row.
func writeCategory(out io.Writer, category string, list []*fn.Overload) {
	sort.SliceStable(list, func(a, b int) bool {
		if list[a].Name != list[b].Name {
			return list[a].Name < list[b].Name
		}
		return list[a].Doc < list[b].Doc
	})
	fmt.Fprintf(out, "\n## %s%s\n\n| function | description | example |\n|---|---|---|\n", strings.ToUpper(category[:1]), category[1:])
	for i := 0; i < len(list); {
		j := i
		var signatures []string
		for j < len(list) && list[j].Name == list[i].Name && list[j].Doc == list[i].Doc {
			if s := "`" + Signature(list[j]) + "`"; !contains(signatures, s) {
				signatures = append(signatures, s)
			}
			j++
		}
		example := ""
		if list[i].Example != "" {
			example = cell("`" + list[i].Example + "`")
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", cell(strings.Join(signatures, "<br>")), cell(list[i].Doc), example)
		i = j
	}
}

// cell escapes what would end a table cell.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", "↵")
}

// Signature writes an overload as "name(parameter type, …) → result", or as an operator.
func Signature(o *fn.Overload) string {
	result := ""
	switch o.Impl.(type) {
	case fn.Table:
		result = " → rows"
	default:
		if t := resultName(o); t != "" {
			result = " → " + t
		}
	}
	if isSymbol(o.Name) {
		if len(o.Params) == 1 {
			return o.Name + " " + paramType(o.Params[0]) + result
		}
		return paramType(o.Params[0]) + " " + o.Name + " " + paramType(o.Params[1]) + result
	}
	var b strings.Builder
	b.WriteString(o.Name)
	b.WriteByte('(')
	for i, p := range o.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name + " " + paramType(p))
		if p.Default != nil {
			b.WriteString(" DEFAULT " + types.Format(p.Type, *p.Default, nil))
		}
	}
	if o.Variadic {
		b.WriteString(", …")
	}
	if _, aggregate := o.Impl.(fn.Aggregate); aggregate && len(o.Params) == 0 {
		b.WriteByte('*')
	}
	return b.String() + ")" + result
}

func isSymbol(name string) bool {
	c := name[0]
	return c != '_' && (c < 'a' || c > 'z')
}

func paramType(p fn.Param) string {
	switch p.Family {
	case fn.Exact:
		return p.Type.Base()
	case fn.Element:
		return "element"
	case fn.ArrayOf:
		return "element[]"
	case fn.Common:
		return "any (one type)"
	case fn.Numeric:
		return "numeric"
	case fn.Function:
		return "function"
	case fn.AnyMap:
		return "map"
	}
	return "any"
}

// resultName tries element types out where the result depends on the arguments.
func resultName(o *fn.Overload) string {
	if o.Result == nil && o.ResultOf == nil {
		return o.ResultType.Base()
	}
	var args []types.Type
	for _, p := range o.Params {
		args = append(args, sampleType(p))
	}
	var t types.Type
	var err error
	if o.ResultOf != nil {
		t, err = o.ResultOf(args, make([]*types.Datum, len(args)))
	} else {
		t, err = o.Result(args)
	}
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(t.Base(), sampleElement.Base(), "element"), sampleKey.Base(), "key")
}

// Types that no function has of its own, to stand for what arguments decide.
var sampleElement, sampleKey = types.Of(types.InternalChar), types.Of(types.RegProc)

func sampleType(p fn.Param) types.Type {
	switch p.Family {
	case fn.Exact:
		return p.Type
	case fn.ArrayOf:
		return types.ArrayOf(sampleElement)
	case fn.AnyMap:
		return types.MapOf(sampleKey, sampleElement)
	case fn.Numeric:
		return types.DecimalOf(18, 2)
	}
	return sampleElement
}
