package ast

import "strings"

func (p *printer) funcCall(e *FuncCall) {
	if e.Special {
		p.specialCall(e)
	} else {
		p.name(e.Name.Parts)
		p.text("(")
		p.callArguments(e)
		p.text(")")
	}
	if e.WithinGroup {
		p.text(" WITHIN GROUP (ORDER BY ")
		p.sortItems(e.OrderBy)
		p.text(")")
	}
	if e.Filter != nil {
		p.text(" FILTER (WHERE ")
		p.expr(e.Filter)
		p.text(")")
	}
	switch e.Nulls {
	case NullsIgnore:
		p.text(" IGNORE NULLS")
	case NullsRespect:
		p.text(" RESPECT NULLS")
	default:
	}
	if e.Over != nil {
		p.text(" OVER ")
		p.windowSpec(e.Over)
	}
}

func (p *printer) callArguments(e *FuncCall) {
	if e.Star {
		p.text("*")
		return
	}
	if e.Distinct {
		p.text("DISTINCT ")
	}
	p.list(len(e.Args), func(i int) {
		if e.Variadic && i == len(e.Args)-1 {
			p.text("VARIADIC ")
		}
		p.argument(e.Args[i])
	})
	if o := e.Overflow; o != nil {
		p.overflow(o)
	}
	if len(e.OrderBy) > 0 && !e.WithinGroup {
		p.text(" ORDER BY ")
		p.sortItems(e.OrderBy)
	}
}

func (p *printer) overflow(o *Overflow) {
	if !o.Truncate {
		p.text(" ON OVERFLOW ERROR")
		return
	}
	p.text(" ON OVERFLOW TRUNCATE ")
	if o.Filler != nil {
		p.expr(o.Filler)
		p.text(" ")
	}
	if o.WithCount {
		p.text("WITH COUNT")
	} else {
		p.text("WITHOUT COUNT")
	}
}

// specialCall prints SQL's own spellings.
func (p *printer) specialCall(e *FuncCall) {
	name := e.Name.Last()
	switch name {
	case "extract":
		p.keyworded("EXTRACT", e.Args, " FROM ")
		return
	case "position":
		p.keyworded("POSITION", []Expr{e.Args[1], e.Args[0]}, " IN ")
		return
	case "substring":
		p.keyworded("SUBSTRING", e.Args, " FROM ", " FOR ")
		return
	case "overlay":
		p.keyworded("OVERLAY", e.Args, " PLACING ", " FROM ", " FOR ")
		return
	case "btrim", "ltrim", "rtrim":
		p.trim(e)
		return
	case "overlaps":
		if len(e.Args) == 4 {
			p.text("(")
			p.exprs(e.Args[:2])
			p.text(") OVERLAPS (")
			p.exprs(e.Args[2:])
			p.text(")")
			return
		}
	case "is_normalized":
		p.operand(e.Args[0])
		p.text(" IS")
		p.normalForm(" ", e.Args[1:])
		p.text(" NORMALIZED")
		return
	case "normalize":
		p.text("NORMALIZE(")
		p.expr(e.Args[0])
		p.normalForm(", ", e.Args[1:])
		p.text(")")
		return
	case "pg_collation_for":
		p.text("COLLATION FOR (")
		p.exprs(e.Args)
		p.text(")")
		return
	}
	p.text(strings.ToUpper(name))
	if len(e.Args) > 0 {
		p.text("(")
		p.callArguments(e)
		p.text(")")
	}
}

func (p *printer) normalForm(before string, args []Expr) {
	if len(args) == 0 {
		return
	}
	if form, ok := args[0].(*Literal); ok {
		p.text(before, form.Text)
	}
}

// keyworded prints name(a KEYWORD b KEYWORD c).
func (p *printer) keyworded(name string, args []Expr, words ...string) {
	p.text(name, "(")
	for i, arg := range args {
		if i > 0 && i <= len(words) {
			p.text(words[i-1])
		}
		p.operand(arg)
	}
	p.text(")")
}

func (p *printer) trim(e *FuncCall) {
	p.text("TRIM(", map[string]string{"btrim": "BOTH ", "ltrim": "LEADING ", "rtrim": "TRAILING "}[e.Name.Last()])
	subjects := e.Args
	if n := len(e.Args); n > 1 {
		p.operand(e.Args[n-1])
		p.text(" ")
		subjects = e.Args[:n-1]
	}
	p.text("FROM ")
	p.exprs(subjects)
	p.text(")")
}

func (p *printer) windowSpec(w *WindowSpec) {
	if w.NameOnly {
		p.text(QuoteName(w.Ref))
		return
	}
	p.text("(")
	space := ""
	part := func(text string) {
		p.text(space, text)
		space = " "
	}
	if w.Ref != "" {
		part(QuoteName(w.Ref))
	}
	if len(w.PartitionBy) > 0 {
		part("PARTITION BY ")
		p.exprs(w.PartitionBy)
	}
	if len(w.OrderBy) > 0 {
		part("ORDER BY ")
		p.sortItems(w.OrderBy)
	}
	if f := w.Frame; f != nil {
		part([...]string{"ROWS", "RANGE", "GROUPS"}[f.Unit])
		p.text(" BETWEEN ")
		p.bound(f.Start)
		p.text(" AND ")
		p.bound(f.End)
		p.text([...]string{"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"}[f.Exclude])
	}
	p.text(")")
}

func (p *printer) bound(b FrameBound) {
	switch b.Kind {
	case UnboundedPreceding:
		p.text("UNBOUNDED PRECEDING")
	case UnboundedFollowing:
		p.text("UNBOUNDED FOLLOWING")
	case CurrentRow:
		p.text("CURRENT ROW")
	case OffsetPreceding:
		p.operand(b.Offset)
		p.text(" PRECEDING")
	default:
		p.operand(b.Offset)
		p.text(" FOLLOWING")
	}
}
