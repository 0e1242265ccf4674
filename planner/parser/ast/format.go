package ast

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// Format gives SQL text for a node: a Statement, an Expr, a FromItem, a *TypeName or a Name. Parsing the text gives an equal tree but for positions. Names are quoted where needed,
// keywords are in upper case, the text is one line.
func Format(node Node) string {
	p := &printer{}
	switch n := node.(type) {
	case Statement:
		p.statement(n)
	case Expr:
		p.expr(n)
	case FromItem:
		p.fromItem(n)
	case *TypeName:
		p.typeName(n)
	case Name:
		p.name(n.Parts)
	case *Name:
		p.name(n.Parts)
	default:
		panic(fmt.Sprintf("ast: Format of %T", node))
	}
	return p.String()
}

// FormatQuery gives SQL text for a query.
func FormatQuery(q *Query) string {
	p := &printer{}
	p.query(q)
	return p.String()
}

// QuoteName gives a name as it must be written.
func QuoteName(name string) string {
	plain := name != "" && (name[0] == '_' || name[0] >= 'a' && name[0] <= 'z')
	for i := 0; plain && i < len(name); i++ {
		c := name[i]
		plain = c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	if plain && lexer.ClassOf(name) == lexer.ClassNone && name != "qualify" {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteString gives a string literal.
func QuoteString(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	return quoted
}

type printer struct {
	strings.Builder
	into *IntoClause // to be printed by the next SELECT
}

func (p *printer) text(parts ...string) {
	for _, part := range parts {
		p.WriteString(part)
	}
}

func (p *printer) name(parts []string) {
	for i, part := range parts {
		if i > 0 {
			p.text(".")
		}
		p.text(QuoteName(part))
	}
}

// list prints n items with commas between them.
func (p *printer) list(n int, item func(i int)) {
	for i := range n {
		if i > 0 {
			p.text(", ")
		}
		item(i)
	}
}

func (p *printer) names(names []string) {
	p.list(len(names), func(i int) { p.text(QuoteName(names[i])) })
}

func (p *printer) identifiers(list []Identifier) {
	p.list(len(list), func(i int) { p.text(QuoteName(list[i].Name)) })
}

func (p *printer) exprs(list []Expr) {
	p.list(len(list), func(i int) { p.argument(list[i]) })
}

// argument prints an argument; JSON's arrow needs brackets, lest it be read as a lambda's.
func (p *printer) argument(e Expr) {
	if arrow, ok := e.(*Binary); ok && arrow.Op.Name == "->" {
		p.text("(")
		p.expr(e)
		p.text(")")
		return
	}
	p.expr(e)
}

func (p *printer) typeName(t *TypeName) {
	switch {
	case len(t.Args) > 0:
		p.text(strings.ToUpper(t.Name), "(")
		p.list(len(t.Args), func(i int) {
			if t.Args[i].Name != "" {
				p.text(QuoteName(t.Args[i].Name), " ")
			}
			p.typeName(t.Args[i].Type)
		})
		p.text(")")
	case t.Schema == "pg_catalog" && standardTypeName(t.Name) != "":
		p.standardType(t)
	default:
		if t.Schema != "" {
			p.text(QuoteName(t.Schema), ".")
		}
		p.text(QuoteName(t.Name))
		p.modifiers(t.Modifiers)
	}
	p.text(strings.Repeat("[]", t.ArrayDims))
}

func (p *printer) modifiers(list []int64) {
	if len(list) == 0 {
		return
	}
	p.text("(")
	p.list(len(list), func(i int) { p.text(strconv.FormatInt(list[i], 10)) })
	p.text(")")
}

func (p *printer) standardType(t *TypeName) {
	p.text(standardTypeName(t.Name))
	if t.IntervalFields != "" {
		p.text(" ", t.IntervalFields)
	}
	if t.Name == "bpchar" && len(t.Modifiers) == 1 && t.Modifiers[0] == 1 || t.Name == "json" {
		return
	}
	p.modifiers(t.Modifiers)
	switch t.Name {
	case "timestamptz", "timetz":
		p.text(" with time zone")
	}
}

// standardTypeName spells an internal type name as SQL does.
func standardTypeName(name string) string {
	switch name {
	case "int2":
		return "smallint"
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	case "float4":
		return "real"
	case "float8":
		return "double precision"
	case "bool":
		return "boolean"
	case "bpchar":
		return "char"
	case "varbit":
		return "bit varying"
	case "timestamptz":
		return "timestamp"
	case "timetz":
		return "time"
	case "numeric", "varchar", "bit", "timestamp", "time", "interval", "json":
		return name
	}
	return ""
}
