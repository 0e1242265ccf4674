package expr

import (
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/types"
)

// Format shows an expression as SQL for EXPLAIN and messages. Columns appear by name; name, if not
// nil, may give a better one.
func Format(e Expr, name func(*Column) string) string {
	p := printer{name: name}
	p.expr(e, 0)
	return p.out.String()
}

// Binding strengths, weakest first.
const (
	orLevel = iota + 1
	andLevel
	notLevel
	compareLevel
	operatorLevel
	castLevel
)

type printer struct {
	out  strings.Builder
	name func(*Column) string
}

func (p *printer) level(level, outer int, write func()) {
	if level < outer {
		p.out.WriteByte('(')
		write()
		p.out.WriteByte(')')
		return
	}
	write()
}

func (p *printer) list(args []Expr, separator string, outer int) {
	for i, a := range args {
		if i > 0 {
			p.out.WriteString(separator)
		}
		p.expr(a, outer)
	}
}

func (p *printer) expr(e Expr, outer int) {
	switch e := e.(type) {
	case nil:
		p.out.WriteString("NULL")
	case *Column:
		p.column(e)
	case *Literal:
		p.literal(e)
	case *Parameter:
		p.out.WriteString("$" + strconv.Itoa(e.Index))
	case *And:
		p.level(andLevel, outer, func() { p.list(e.Args, " AND ", andLevel+1) })
	case *Or:
		p.level(orLevel, outer, func() { p.list(e.Args, " OR ", orLevel+1) })
	case *Not:
		p.not(e, outer)
	case *Compare:
		p.level(compareLevel, outer, func() {
			p.expr(e.Left, compareLevel+1)
			p.out.WriteString(" " + e.Op.String() + " ")
			p.expr(e.Right, compareLevel+1)
		})
	case *IsNull:
		p.level(compareLevel, outer, func() {
			p.expr(e.Arg, compareLevel+1)
			p.out.WriteString(" IS NULL")
		})
	case *In:
		p.level(compareLevel, outer, func() {
			p.expr(e.Arg, compareLevel+1)
			p.out.WriteString(" IN (")
			if len(e.List) > 20 {
				p.list(e.List[:20], ", ", 0)
				p.out.WriteString(", … " + strconv.Itoa(len(e.List)-20) + " more")
			} else {
				p.list(e.List, ", ", 0)
			}
			p.out.WriteByte(')')
		})
	default:
		p.other(e, outer)
	}
}

func (p *printer) other(e Expr, outer int) {
	switch e := e.(type) {
	case *Call:
		p.call(e, outer)
	case *Cast:
		if e.Try {
			p.out.WriteString("TRY_CAST(")
			p.expr(e.Arg, 0)
			p.out.WriteString(" AS " + e.To.String() + ")")
			return
		}
		p.expr(e.Arg, castLevel)
		p.out.WriteString("::" + e.To.String())
	case *Case:
		p.out.WriteString("CASE")
		for _, w := range e.Whens {
			p.out.WriteString(" WHEN ")
			p.expr(w.Condition, 0)
			p.out.WriteString(" THEN ")
			p.expr(w.Result, 0)
		}
		if e.Else != nil {
			p.out.WriteString(" ELSE ")
			p.expr(e.Else, 0)
		}
		p.out.WriteString(" END")
	case *Coalesce:
		p.out.WriteString("COALESCE(")
		p.list(e.Args, ", ", 0)
		p.out.WriteByte(')')
	case *Try:
		p.out.WriteString("TRY(")
		p.expr(e.Arg, 0)
		p.out.WriteByte(')')
	case *Lambda:
		p.out.WriteByte('(')
		for i := range e.Params {
			if i > 0 {
				p.out.WriteString(", ")
			}
			p.out.WriteString("#" + strconv.Itoa(int(e.FirstParam)+i))
		}
		p.out.WriteString(") -> ")
		p.expr(e.Body, 0)
	}
}

func (p *printer) column(e *Column) {
	switch {
	case p.name != nil:
		p.out.WriteString(p.name(e))
	case e.Name == "":
		p.out.WriteString("#" + strconv.Itoa(int(e.ID)))
	default:
		p.out.WriteString(e.Name)
	}
}

func (p *printer) not(e *Not, outer int) {
	if isNull, ok := e.Arg.(*IsNull); ok {
		p.level(compareLevel, outer, func() {
			p.expr(isNull.Arg, compareLevel+1)
			p.out.WriteString(" IS NOT NULL")
		})
		return
	}
	p.level(notLevel, outer, func() {
		p.out.WriteString("NOT ")
		p.expr(e.Arg, notLevel+1)
	})
}

func (p *printer) call(e *Call, outer int) {
	symbol := e.Name != "" && !isLetter(e.Name[0])
	switch {
	case symbol && len(e.Args) == 2 && e.Name[0] != '$':
		p.level(operatorLevel, outer, func() {
			p.expr(e.Args[0], operatorLevel)
			p.out.WriteString(" " + e.Name + " ")
			p.expr(e.Args[1], operatorLevel+1)
		})
	case symbol && len(e.Args) == 1 && e.Name[0] != '$':
		p.level(operatorLevel, outer, func() {
			p.out.WriteString(e.Name)
			p.expr(e.Args[0], operatorLevel+1)
		})
	default:
		p.out.WriteString(strings.TrimPrefix(e.Name, "$") + "(")
		p.list(e.Args, ", ", 0)
		p.out.WriteByte(')')
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func (p *printer) literal(e *Literal) {
	switch {
	case e.Value.Null:
		p.out.WriteString("NULL")
		return
	case e.T.Kind == types.Bool:
		p.out.WriteString(strconv.FormatBool(e.Value.Bool()))
		return
	}
	text := string(types.AppendText(nil, e.T, e.Value, time.UTC))
	switch {
	case e.T.IsNumeric():
		p.out.WriteString(text)
	case e.T.IsString() || e.T.Kind == types.Unknown:
		p.out.WriteString("'" + strings.ReplaceAll(text, "'", "''") + "'")
	default:
		p.out.WriteString("'" + strings.ReplaceAll(text, "'", "''") + "'::" + e.T.String())
	}
}
