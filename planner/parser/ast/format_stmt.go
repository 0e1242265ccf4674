package ast

import (
	"fmt"
	"strings"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *Select:
		p.selectInto(s)
	case *Insert:
		p.insert(s)
	case *Delete:
		p.with(s.With)
		p.text("DELETE FROM ")
		p.tableRef(s.Table)
		p.fromList(" USING ", s.Using)
		p.where(s.Where)
		p.returning(s.Returning)
	case *Update:
		p.with(s.With)
		p.text("UPDATE ")
		p.tableRef(s.Table)
		p.text(" SET ")
		p.assignments(s.Set)
		p.fromList(" FROM ", s.From)
		p.where(s.Where)
		p.returning(s.Returning)
	case *Merge:
		p.merge(s)
	case *Truncate:
		p.text("TRUNCATE ")
		p.nameList(s.Tables)
		p.flag(s.RestartIdentity, " RESTART IDENTITY")
		p.flag(s.Cascade, " CASCADE")
	case *Copy:
		p.copy(s)
	default:
		if !p.definition(s) && !p.session(s) && !p.maintenance(s) {
			panic(fmt.Sprintf("ast: Format of %T", s))
		}
	}
}

func (p *printer) flag(on bool, text string) {
	if on {
		p.text(text)
	}
}

func (p *printer) nameList(list []Name) {
	p.list(len(list), func(i int) { p.name(list[i].Parts) })
}

func (p *printer) fromList(keyword string, list []FromItem) {
	if len(list) > 0 {
		p.text(keyword)
		p.list(len(list), func(i int) { p.fromItem(list[i]) })
	}
}

// selectInto prints a query, whose INTO stands in its leftmost SELECT.
func (p *printer) selectInto(s *Select) {
	p.with(s.Query.With)
	p.into = s.Into
	rest := *s.Query
	rest.With = nil
	p.query(&rest)
}

func (p *printer) insert(s *Insert) {
	p.with(s.With)
	if s.Overwrite {
		p.text("INSERT OVERWRITE ")
	} else {
		p.text("INSERT INTO ")
	}
	table := *s.Table
	table.Alias = nil
	p.tableRef(&table)
	p.partition(s.Partition)
	p.alias(s.Table.Alias)
	if len(s.Columns) > 0 {
		p.text(" (")
		p.identifiers(s.Columns)
		p.text(")")
	}
	if s.Query == nil {
		p.text(" DEFAULT VALUES")
	} else {
		p.text(" ")
		p.query(s.Query)
	}
	p.flag(s.OnConflict, " ON CONFLICT DO NOTHING")
	p.returning(s.Returning)
}

func (p *printer) partition(list []PartitionValue) {
	if len(list) == 0 {
		return
	}
	p.text(" PARTITION (")
	p.list(len(list), func(i int) {
		p.text(QuoteName(list[i].Column))
		if list[i].Value != nil {
			p.text(" = ")
			p.expr(list[i].Value)
		}
	})
	p.text(")")
}

func (p *printer) assignments(list []Assignment) {
	p.list(len(list), func(i int) {
		if len(list[i].Columns) == 1 {
			p.text(QuoteName(list[i].Columns[0].Name))
		} else {
			p.text("(")
			p.identifiers(list[i].Columns)
			p.text(")")
		}
		p.text(" = ")
		p.expr(list[i].Value)
	})
}

func (p *printer) merge(s *Merge) {
	p.with(s.With)
	p.text("MERGE INTO ")
	p.tableRef(s.Table)
	p.text(" USING ")
	p.fromItem(s.Using)
	p.text(" ON ")
	p.expr(s.On)
	for _, when := range s.Whens {
		p.text(" WHEN ", [...]string{"MATCHED", "NOT MATCHED", "NOT MATCHED BY SOURCE"}[when.Match])
		if when.Cond != nil {
			p.text(" AND ")
			p.operand(when.Cond)
		}
		p.text(" THEN ")
		p.mergeAction(when)
	}
	p.returning(s.Returning)
}

func (p *printer) mergeAction(when MergeWhen) {
	switch when.Action {
	case MergeUpdate:
		p.text("UPDATE SET ")
		p.assignments(when.Set)
	case MergeDelete:
		p.text("DELETE")
	case MergeInsert:
		p.text("INSERT")
		if len(when.Columns) > 0 {
			p.text(" (")
			p.identifiers(when.Columns)
			p.text(")")
		}
		if when.Values == nil {
			p.text(" DEFAULT VALUES")
			return
		}
		p.text(" VALUES (")
		p.exprs(when.Values)
		p.text(")")
	default:
		p.text("DO NOTHING")
	}
}

func (p *printer) copy(s *Copy) {
	p.text("COPY ")
	if s.Query != nil {
		p.bracketed(s.Query)
	} else {
		p.name(s.Table.Parts)
	}
	if len(s.Columns) > 0 {
		p.text(" (")
		p.identifiers(s.Columns)
		p.text(")")
	}
	standard := "STDIN"
	if s.Direction == CopyTo {
		p.text(" TO ")
		standard = "STDOUT"
	} else {
		p.text(" FROM ")
	}
	p.flag(s.Program, "PROGRAM ")
	if s.Path == "" {
		p.text(standard)
	} else {
		p.text(QuoteString(s.Path))
	}
	if len(s.Options) > 0 {
		p.text(" ")
		p.options(s.Options)
	}
	p.where(s.Where)
}

// options prints (name value, …); lists are bracketed names.
func (p *printer) options(list []Property) {
	p.text("(")
	p.list(len(list), func(i int) {
		p.text(optionName(list[i].Name))
		if list[i].Value == nil {
			return
		}
		p.text(" ")
		if array, ok := list[i].Value.(*ArrayLiteral); ok {
			p.text("(")
			p.exprs(array.Elems)
			p.text(")")
			return
		}
		p.expr(list[i].Value)
	})
	p.text(")")
}

// optionName gives an option's name; keywords need no quotes there.
func optionName(name string) string {
	if QuoteName(name) == name || lexer.ClassOf(name) != lexer.ClassNone || name == "qualify" {
		return strings.ToUpper(name)
	}
	return QuoteName(name)
}

// properties prints (name = value, …).
func (p *printer) properties(list []Property) {
	p.text("(")
	p.list(len(list), func(i int) {
		p.text(QuoteName(list[i].Name))
		if list[i].Value != nil {
			p.text(" = ")
			p.expr(list[i].Value)
		}
	})
	p.text(")")
}

func (p *printer) withProperties(keyword string, list []Property) {
	if len(list) > 0 {
		p.text(keyword)
		p.properties(list)
	}
}
