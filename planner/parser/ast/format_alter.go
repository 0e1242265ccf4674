package ast

import "fmt"

func (p *printer) alterAction(action AlterAction) {
	switch a := action.(type) {
	case *AddColumns:
		p.addColumns(a)
	case *DropColumn:
		p.text("DROP COLUMN ")
		p.flag(a.IfExists, "IF EXISTS ")
		p.text(QuoteName(a.Column.Name))
		p.flag(a.Cascade, " CASCADE")
	case *RenameColumn:
		p.text("RENAME COLUMN ", QuoteName(a.From.Name), " TO ", QuoteName(a.To.Name))
	case *RenameTo:
		p.text("RENAME TO ")
		p.name(a.Name.Parts)
	case *SetSchema:
		p.text("SET SCHEMA ", QuoteName(a.Schema))
	case *SetProperties:
		p.text(map[bool]string{false: "SET ", true: "RESET "}[a.Reset])
		p.properties(a.Properties)
	case *AlterColumnType:
		p.text("ALTER COLUMN ", QuoteName(a.Column.Name), " TYPE ")
		p.typeName(a.Type)
		if a.Using != nil {
			p.text(" USING ")
			p.expr(a.Using)
		}
	case *AlterColumnNotNull:
		p.text("ALTER COLUMN ", QuoteName(a.Column.Name), map[bool]string{false: " SET", true: " DROP"}[a.Drop], " NOT NULL")
	case *AlterColumnDefault:
		p.text("ALTER COLUMN ", QuoteName(a.Column.Name))
		if a.Value == nil {
			p.text(" DROP DEFAULT")
			break
		}
		p.text(" SET DEFAULT ")
		p.expr(a.Value)
	default:
		p.alterStorage(action)
	}
}

func (p *printer) addColumns(a *AddColumns) {
	p.text("ADD ")
	if len(a.Columns) == 1 {
		p.text("COLUMN ")
	}
	p.flag(a.IfNotExists, "IF NOT EXISTS ")
	if len(a.Columns) == 1 {
		p.columnDef(a.Columns[0])
		return
	}
	p.text("(")
	p.list(len(a.Columns), func(i int) { p.columnDef(a.Columns[i]) })
	p.text(")")
}

func (p *printer) alterStorage(action AlterAction) {
	switch a := action.(type) {
	case *AddPartitions:
		p.text("ADD")
		p.flag(a.IfNotExists, " IF NOT EXISTS")
		for _, spec := range a.Partitions {
			p.partition(spec.Values)
			p.optional(" LOCATION ", spec.Location, QuoteString)
		}
	case *DropPartitions:
		p.text("DROP")
		p.flag(a.IfExists, " IF EXISTS")
		for i, spec := range a.Partitions {
			p.flag(i > 0, ",")
			p.partition(spec.Values)
		}
		p.flag(a.Purge, " PURGE")
	case *RecoverPartitions:
		p.text("RECOVER PARTITIONS")
	case *AddConstraint:
		p.text("ADD ")
		p.constraint(a.Constraint, true)
	case *ChangeOwner:
		p.text("OWNER TO ", QuoteName(a.Role))
	case *SetLocation:
		p.text("SET LOCATION ", QuoteString(a.Location))
	case *ExecuteProcedure:
		p.text("EXECUTE ", QuoteName(a.Procedure))
		if len(a.Args) > 0 {
			p.text("(")
			p.exprs(a.Args)
			p.text(")")
		}
		p.where(a.Where)
	default:
		panic(fmt.Sprintf("ast: Format of %T", action))
	}
}
