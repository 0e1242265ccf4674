package ast

// Inspect calls visit for e and, while visit answers true, for the expressions below it, left to
// right. It does not enter sub-queries: visit sees the Exists, InSubquery … node and may go on
// itself. A nil e is skipped.
func Inspect(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, child := range Children(e) {
		Inspect(child, visit)
	}
}

// Children gives the direct sub-expressions of e, without sub-queries, in the order of the text
// where the tree keeps it.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Unary:
		return []Expr{e.X}
	case *Binary:
		return []Expr{e.Left, e.Right}
	case *Logical:
		return e.Args
	case *Not:
		return []Expr{e.X}
	case *IsTest:
		return []Expr{e.X}
	case *IsDistinct:
		return []Expr{e.Left, e.Right}
	case *Between:
		return []Expr{e.X, e.Low, e.High}
	case *Like:
		return present(e.X, e.Pattern, e.Escape)
	case *InList:
		return append([]Expr{e.X}, e.List...)
	case *InSubquery:
		return []Expr{e.X}
	case *Quantified:
		return present(e.Left, e.Array)
	case *ArrayLiteral:
		return e.Elems
	case *RowLiteral:
		return e.Fields
	case *Subscript:
		return []Expr{e.X, e.Index}
	case *Slice:
		return present(e.X, e.Low, e.High)
	case *FieldAccess:
		return []Expr{e.X}
	case *FieldStar:
		return []Expr{e.X}
	case *Case:
		return caseChildren(e)
	case *Cast:
		return []Expr{e.X}
	case *Collate:
		return []Expr{e.X}
	case *AtTimeZone:
		return present(e.X, e.Zone)
	case *FuncCall:
		return callChildren(e)
	case *NamedArg:
		return []Expr{e.Value}
	case *Lambda:
		return []Expr{e.Body}
	case *Conditional:
		return e.Args
	case *Grouping:
		return e.Args
	}
	return nil
}

// Leftmost gives the first character of e that any of its parts reports: where PostgreSQL points
// when it rejects a whole expression.
func Leftmost(e Expr) Pos {
	least := NoPos
	Inspect(e, func(part Expr) bool {
		if at := part.Offset(); at >= 0 && (least < 0 || at < least) {
			least = at
		}
		return true
	})
	return least
}

func present(list ...Expr) []Expr {
	kept := list[:0]
	for _, e := range list {
		if e != nil {
			kept = append(kept, e)
		}
	}
	return kept
}

func caseChildren(e *Case) []Expr {
	list := present(e.Operand)
	for _, when := range e.Whens {
		list = append(list, when.Cond, when.Result)
	}
	if e.Else != nil {
		list = append(list, e.Else)
	}
	return list
}

func callChildren(e *FuncCall) []Expr {
	list := append([]Expr(nil), e.Args...)
	list = append(list, sortKeys(e.OrderBy)...)
	if e.Filter != nil {
		list = append(list, e.Filter)
	}
	if e.Over == nil {
		return list
	}
	list = append(list, e.Over.PartitionBy...)
	list = append(list, sortKeys(e.Over.OrderBy)...)
	if frame := e.Over.Frame; frame != nil {
		list = append(list, present(frame.Start.Offset, frame.End.Offset)...)
	}
	return list
}

func sortKeys(items []SortItem) []Expr {
	keys := make([]Expr, len(items))
	for i := range items {
		keys[i] = items[i].Expr
	}
	return keys
}
