package ast

import (
	"fmt"
	"strings"
)

func (p *printer) query(q *Query) {
	p.with(q.With)
	p.queryBody(q.Body)
	if len(q.OrderBy) > 0 {
		p.text(" ORDER BY ")
		p.sortItems(q.OrderBy)
	}
	if q.Offset != nil {
		p.text(" OFFSET ")
		p.operand(q.Offset)
	}
	if q.Limit != nil && q.WithTies {
		p.text(" FETCH FIRST ")
		p.operand(q.Limit)
		p.text(" ROWS WITH TIES")
	} else if q.Limit != nil {
		p.text(" LIMIT ")
		p.operand(q.Limit)
	}
	for _, lock := range q.Locks {
		p.lock(lock)
	}
}

func (p *printer) lock(lock LockClause) {
	p.text(" FOR ", lock.Strength)
	if len(lock.Of) > 0 {
		p.text(" OF ")
		p.list(len(lock.Of), func(i int) { p.name(lock.Of[i].Parts) })
	}
	if lock.NoWait {
		p.text(" NOWAIT")
	}
	if lock.SkipLocked {
		p.text(" SKIP LOCKED")
	}
}

func (p *printer) with(w *With) {
	if w == nil {
		return
	}
	p.text("WITH ")
	if w.Recursive {
		p.text("RECURSIVE ")
	}
	p.list(len(w.CTEs), func(i int) {
		cte := w.CTEs[i]
		p.text(QuoteName(cte.Name))
		p.columnNames(cte.Columns)
		p.text(" AS ", [...]string{"", "MATERIALIZED ", "NOT MATERIALIZED "}[cte.Materialized])
		p.bracketed(cte.Query)
	})
	p.text(" ")
}

func (p *printer) columnNames(names []string) {
	if len(names) > 0 {
		p.text(" (")
		p.names(names)
		p.text(")")
	}
}

func (p *printer) queryBody(body QueryBody) {
	switch b := body.(type) {
	case *SelectCore:
		p.selectCore(b)
	case *Values:
		p.text("VALUES ")
		p.list(len(b.Rows), func(i int) {
			p.text("(")
			p.exprs(b.Rows[i])
			p.text(")")
		})
	case *SetOperation:
		p.setArm(b.Left, b.Op, false)
		p.text(" ", [...]string{"UNION", "INTERSECT", "EXCEPT"}[b.Op], " ")
		if b.All {
			p.text("ALL ")
		}
		p.setArm(b.Right, b.Op, true)
	default:
		panic(fmt.Sprintf("ast: Format of %T", body))
	}
}

// setArm prints one side of a set operation, in brackets unless the operators' own binding says so.
func (p *printer) setArm(q *Query, outer SetOperator, right bool) {
	plain := q.With == nil && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil && len(q.Locks) == 0
	if inner, ok := q.Body.(*SetOperation); ok && plain {
		strongerInner := inner.Op == Intersect && outer != Intersect
		same := (inner.Op == Intersect) == (outer == Intersect)
		plain = strongerInner || !right && same
	}
	if plain {
		p.query(q)
		return
	}
	p.bracketed(q)
}

func (p *printer) selectCore(s *SelectCore) {
	into := p.into
	p.into = nil
	p.text("SELECT")
	if s.Distinct {
		p.text(" DISTINCT")
	}
	if len(s.DistinctOn) > 0 {
		p.text(" ON (")
		p.exprs(s.DistinctOn)
		p.text(")")
	}
	if len(s.Targets) > 0 {
		p.text(" ")
		p.targets(s.Targets)
	}
	if into != nil {
		p.text(" INTO ")
		p.flag(into.Temp, "TEMP ")
		p.name(into.Name.Parts)
	}
	if len(s.From) > 0 {
		p.text(" FROM ")
		p.list(len(s.From), func(i int) { p.fromItem(s.From[i]) })
	}
	p.where(s.Where)
	if s.GroupBy != nil {
		p.groupBy(s.GroupBy)
	}
	if s.Having != nil {
		p.text(" HAVING ")
		p.expr(s.Having)
	}
	if len(s.Windows) > 0 {
		p.text(" WINDOW ")
		p.list(len(s.Windows), func(i int) {
			p.text(QuoteName(s.Windows[i].Name), " AS ")
			p.windowSpec(s.Windows[i].Spec)
		})
	}
	if s.Qualify != nil {
		p.text(" QUALIFY ")
		p.expr(s.Qualify)
	}
}

func (p *printer) where(e Expr) {
	if e != nil {
		p.text(" WHERE ")
		p.expr(e)
	}
}

func (p *printer) targets(list []Target) {
	p.list(len(list), func(i int) {
		p.expr(list[i].Expr)
		if list[i].Alias != "" {
			p.text(" AS ", QuoteName(list[i].Alias))
		}
	})
}

func (p *printer) groupBy(g *GroupBy) {
	p.text(" GROUP BY ")
	if g.All {
		p.text("ALL")
		return
	}
	if g.Distinct {
		p.text("DISTINCT ")
	}
	p.groupItems(g.Items)
}

func (p *printer) groupItems(items []GroupItem) {
	p.list(len(items), func(i int) {
		item := items[i]
		switch item.Kind {
		case GroupExpr:
			p.expr(item.Expr)
		case GroupEmpty:
			p.text("()")
		default:
			p.text(map[GroupKind]string{GroupRollup: "ROLLUP", GroupCube: "CUBE", GroupSets: "GROUPING SETS"}[item.Kind], " (")
			p.groupItems(item.Items)
			p.text(")")
		}
	})
}

func (p *printer) sortItems(list []SortItem) {
	p.list(len(list), func(i int) {
		item := list[i]
		p.expr(item.Expr)
		switch {
		case item.Using != nil:
			p.text(" USING ")
			p.operator(*item.Using)
		case item.Desc:
			p.text(" DESC")
		}
		p.text([...]string{"", " NULLS FIRST", " NULLS LAST"}[item.Nulls])
	})
}

func (p *printer) alias(a *Alias) {
	if a == nil {
		return
	}
	p.text(" AS ", QuoteName(a.Name))
	p.columnNames(a.Columns)
}

func (p *printer) lateral(on bool) {
	if on {
		p.text("LATERAL ")
	}
}

func (p *printer) fromItem(item FromItem) {
	switch t := item.(type) {
	case *TableRef:
		p.tableRef(t)
	case *FileTable:
		p.text(QuoteString(t.Path))
		p.alias(t.Alias)
	case *SubqueryTable:
		p.lateral(t.Lateral)
		p.bracketed(t.Query)
		p.alias(t.Alias)
	case *UnnestTable:
		p.lateral(t.Lateral)
		p.text("unnest(")
		p.exprs(t.Args)
		p.text(")")
		p.ordinality(t.Ordinality)
		p.alias(t.Alias)
	case *FunctionTable:
		p.functionTable(t)
	case *Join:
		p.join(t)
	default:
		panic(fmt.Sprintf("ast: Format of %T", item))
	}
}

func (p *printer) ordinality(on bool) {
	if on {
		p.text(" WITH ORDINALITY")
	}
}

func (p *printer) tableRef(t *TableRef) {
	if t.Only {
		p.text("ONLY ")
	}
	p.name(t.Name.Parts)
	if t.AsOf != nil {
		p.text(" FOR ")
		p.asOf(t.AsOf)
	}
	p.alias(t.Alias)
	if s := t.Sample; s != nil {
		p.text(" TABLESAMPLE ", QuoteName(s.Method), "(")
		p.exprs(s.Args)
		p.text(")")
		if s.Seed != nil {
			p.text(" REPEATABLE (")
			p.expr(s.Seed)
			p.text(")")
		}
	}
}

func (p *printer) asOf(a *AsOf) {
	if a.Timestamp {
		p.text("TIMESTAMP AS OF ")
	} else {
		p.text("VERSION AS OF ")
	}
	p.operand(a.Value)
}

func (p *printer) functionTable(t *FunctionTable) {
	p.lateral(t.Lateral)
	if len(t.Functions) == 1 && len(t.Functions[0].ColumnDefs) == 0 {
		p.expr(t.Functions[0].Call)
	} else {
		p.text("ROWS FROM (")
		p.list(len(t.Functions), func(i int) {
			p.expr(t.Functions[i].Call)
			if defs := t.Functions[i].ColumnDefs; len(defs) > 0 {
				p.text(" AS (")
				p.columnDefs(defs)
				p.text(")")
			}
		})
		p.text(")")
	}
	p.ordinality(t.Ordinality)
	if len(t.ColumnDefs) == 0 {
		p.alias(t.Alias)
		return
	}
	p.text(" AS ")
	if t.Alias != nil {
		p.text(QuoteName(t.Alias.Name))
	}
	p.text("(")
	p.columnDefs(t.ColumnDefs)
	p.text(")")
}

func (p *printer) columnDefs(defs []ColumnDef) {
	p.list(len(defs), func(i int) {
		p.text(QuoteName(defs[i].Name), " ")
		p.typeName(defs[i].Type)
	})
}

func (p *printer) join(j *Join) {
	if j.Alias != nil {
		p.text("(")
	}
	p.fromItem(j.Left)
	p.text(" ")
	if j.Natural {
		p.text("NATURAL ")
	}
	p.text([...]string{"", "LEFT ", "RIGHT ", "FULL ", "CROSS ", "LEFT SEMI ", "LEFT ANTI ", "RIGHT SEMI ", "RIGHT ANTI "}[j.Kind], "JOIN ")
	if right, nested := j.Right.(*Join); nested && right.Alias == nil {
		p.text("(")
		p.fromItem(right)
		p.text(")")
	} else {
		p.fromItem(j.Right)
	}
	switch {
	case len(j.Using) > 0:
		p.text(" USING (")
		p.names(j.Using)
		p.text(")")
		if j.UsingAlias != "" {
			p.text(" AS ", QuoteName(j.UsingAlias))
		}
	case j.On != nil:
		p.text(" ON ")
		p.expr(j.On)
	}
	if j.Alias != nil {
		p.text(")")
		p.alias(j.Alias)
	}
}

func (p *printer) returning(list []Target) {
	if len(list) > 0 {
		p.text(" RETURNING ")
		p.targets(list)
	}
}

func upper(text string) string { return strings.ToUpper(text) }
