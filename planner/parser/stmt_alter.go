package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

func (c *cursor) alterStatement() ast.Statement {
	start := c.pos()
	c.expect("alter")
	switch {
	case c.sees("user"), c.sees("role"), c.sees("group"):
		return c.createUser(&ast.CreateUser{Alter: true})
	case c.accept("resource", "group"):
		s := &ast.CreateResourceGroup{Alter: true, Name: c.name()}
		if !c.sees("with") {
			c.accept("set")
			s.Properties = c.properties()
			return s
		}
		s.Properties = c.optionalWith()
		return s
	}
	kind, ok := c.objectKind()
	switch {
	case ok && kind == ast.ObjectDatabase:
		kind = ast.ObjectSchema
	case ok && (kind == ast.ObjectTable || kind == ast.ObjectView || kind == ast.ObjectMaterializedView || kind == ast.ObjectSchema):
	default:
		if second := c.tokens[1]; second.Kind == lexer.Ident {
			c.unsupported(start, "ALTER "+upperWord(second))
		}
		c.unexpected()
		return nil
	}
	s := &ast.AlterTable{Kind: kind, IfExists: c.ifExists()}
	c.accept("only")
	s.Name = c.qualified()
	for c.err == nil {
		if action := c.alterAction(); action != nil {
			s.Actions = append(s.Actions, action)
		}
		if !c.acceptSymbol(",") {
			break
		}
	}
	return s
}

func (c *cursor) alterAction() ast.AlterAction {
	at := c.pos()
	switch {
	case c.accept("add"):
		return c.alterAdd(at)
	case c.accept("drop"):
		return c.alterDrop(at)
	case c.accept("rename"):
		return c.alterRename(at)
	case c.accept("alter"):
		c.accept("column")
		return c.alterColumn(at)
	case c.accept("change"):
		return c.changeColumn(at)
	case c.accept("set"):
		return c.alterSet(at)
	case c.accept("reset"):
		return &ast.SetProperties{Pos: at, Reset: true, Properties: c.properties()}
	case c.accept("owner", "to"):
		return &ast.ChangeOwner{Pos: at, Role: c.roleName()}
	case c.accept("recover", "partitions"):
		return &ast.RecoverPartitions{Pos: at}
	case c.accept("execute"):
		return c.executeProcedure(at)
	}
	c.unexpected()
	return nil
}

func (c *cursor) alterAdd(at ast.Pos) ast.AlterAction {
	if c.token().WordIn("constraint", "primary", "unique", "check", "foreign") {
		return &ast.AddConstraint{Pos: at, Constraint: c.tableConstraint()}
	}
	if c.accept("columns") {
		return c.addColumnList(at)
	}
	column := c.accept("column")
	notExists := c.ifNotExists()
	if !column && c.sees("partition") && c.peek(1).Is("(") {
		return c.addPartitions(at, notExists)
	}
	if c.token().Is("(") {
		add := c.addColumnList(at)
		add.IfNotExists = notExists
		return add
	}
	return &ast.AddColumns{Pos: at, IfNotExists: notExists, Columns: []ast.ColumnDef{c.columnDef(false)}}
}

func (c *cursor) addColumnList(at ast.Pos) *ast.AddColumns {
	add := &ast.AddColumns{Pos: at}
	c.expectSymbol("(")
	for c.err == nil {
		add.Columns = append(add.Columns, c.columnDef(false))
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return add
}

func (c *cursor) addPartitions(at ast.Pos, notExists bool) ast.AlterAction {
	add := &ast.AddPartitions{Pos: at, IfNotExists: notExists}
	for c.sees("partition") {
		spec := ast.PartitionSpec{Pos: c.pos()}
		c.next()
		spec.Values = c.partitionValues()
		if c.accept("location") {
			spec.Location = c.stringLiteral()
		}
		add.Partitions = append(add.Partitions, spec)
	}
	return add
}

func (c *cursor) alterDrop(at ast.Pos) ast.AlterAction {
	if c.accept("constraint") {
		c.unsupported(at, "DROP CONSTRAINT")
		return nil
	}
	column := c.accept("column")
	exists := c.ifExists()
	if !column && c.sees("partition") && c.peek(1).Is("(") {
		drop := &ast.DropPartitions{Pos: at, IfExists: exists}
		for c.err == nil {
			spec := ast.PartitionSpec{Pos: c.pos()}
			c.expect("partition")
			spec.Values = c.partitionValues()
			drop.Partitions = append(drop.Partitions, spec)
			if !c.acceptSymbol(",") {
				break
			}
		}
		drop.Purge = c.accept("purge")
		return drop
	}
	drop := &ast.DropColumn{Pos: at, IfExists: exists, Column: c.identifier()}
	drop.Cascade = c.restrictOrCascade()
	return drop
}

func (c *cursor) alterRename(at ast.Pos) ast.AlterAction {
	if c.accept("to") {
		return &ast.RenameTo{Pos: at, Name: c.qualified()}
	}
	if c.sees("constraint") {
		c.unsupported(at, "RENAME CONSTRAINT")
		return nil
	}
	c.accept("column")
	rename := &ast.RenameColumn{Pos: at, From: c.identifier()}
	c.expect("to")
	rename.To = c.identifier()
	return rename
}

func (c *cursor) alterColumn(at ast.Pos) ast.AlterAction {
	column := c.identifier()
	switch {
	case c.accept("set", "data", "type"), c.accept("type"):
		change := &ast.AlterColumnType{Pos: at, Column: column, Type: c.typeName()}
		if c.accept("collate") {
			c.qualified()
		}
		if c.accept("using") {
			change.Using = c.untilComma()
		}
		return change
	case c.accept("set", "not", "null"):
		return &ast.AlterColumnNotNull{Pos: at, Column: column}
	case c.accept("drop", "not", "null"):
		return &ast.AlterColumnNotNull{Pos: at, Column: column, Drop: true}
	case c.accept("set", "default"):
		return &ast.AlterColumnDefault{Pos: at, Column: column, Value: c.untilComma()}
	case c.accept("drop", "default"):
		return &ast.AlterColumnDefault{Pos: at, Column: column}
	case c.sees("set"):
		c.unsupported(at, "this change of a column")
		return nil
	}
	c.unexpected()
	return nil
}

// changeColumn reads Hive's CHANGE [COLUMN] old new type; it renames or gives a new type.
func (c *cursor) changeColumn(at ast.Pos) ast.AlterAction {
	c.accept("column")
	from, to := c.identifier(), c.identifier()
	typ := c.typeName()
	if c.accept("comment") {
		c.stringLiteral()
	}
	if from.Name == to.Name {
		return &ast.AlterColumnType{Pos: at, Column: from, Type: typ}
	}
	c.unsupported(at, "CHANGE of a column's name and type at once")
	return nil
}

func (c *cursor) alterSet(at ast.Pos) ast.AlterAction {
	switch {
	case c.accept("schema"):
		return &ast.SetSchema{Pos: at, Schema: c.name()}
	case c.accept("location"):
		return &ast.SetLocation{Pos: at, Location: c.stringLiteral()}
	case c.accept("tblproperties"), c.accept("dbproperties"):
		return &ast.SetProperties{Pos: at, Properties: c.properties()}
	case c.accept("properties"):
		return &ast.SetProperties{Pos: at, Properties: c.bareProperties()}
	case c.token().Is("("):
		return &ast.SetProperties{Pos: at, Properties: c.properties()}
	case c.accept("authorization"):
		return &ast.ChangeOwner{Pos: at, Role: c.roleName()}
	case c.sees("tablespace"), c.sees("logged"), c.sees("unlogged"), c.sees("fileformat"), c.sees("serde"), c.sees("without"):
		c.unsupported(at, "SET "+upperWord(c.token()))
		return nil
	}
	c.unexpected()
	return nil
}

// bareProperties reads Trino's x = 'y', "foo bar" = DEFAULT without brackets.
func (c *cursor) bareProperties() []ast.Property {
	var list []ast.Property
	for c.err == nil {
		list = append(list, c.property())
		if !c.acceptSymbol(",") {
			break
		}
	}
	return list
}

func (c *cursor) executeProcedure(at ast.Pos) ast.AlterAction {
	run := &ast.ExecuteProcedure{Pos: at, Procedure: c.name()}
	if c.token().Is("(") {
		run.Args = c.arguments()
	}
	if c.accept("where") {
		run.Where = c.expressionUntil(func() bool { return false })
	}
	return run
}
