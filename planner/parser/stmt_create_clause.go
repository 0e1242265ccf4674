package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// tableClause reads one clause behind the columns of CREATE TABLE, in PostgreSQL's, Trino's, Hive's
// or Spark's spelling; false when none begins here.
func (c *cursor) tableClause(s *ast.CreateTable) bool {
	switch {
	case c.accept("comment"):
		c.acceptSymbol("=")
		s.Comment = c.stringLiteral()
	case c.accept("partitioned", "by"), c.accept("partition", "by"):
		c.partitionedBy(s)
	case c.accept("clustered", "by"):
		s.ClusteredBy = c.columnList()
	case c.accept("sorted", "by"), c.accept("sort", "by"):
		s.SortedBy = c.sortKeys()
	case c.accept("into"):
		s.Buckets = c.simpleLiteral(c.at + 1)
		c.expect("buckets")
	case c.accept("row", "format"):
		c.rowFormat(s)
	case c.accept("stored", "as"), c.accept("using"):
		s.StoredAs = c.fileFormat()
	case c.accept("location"):
		s.Location = c.stringLiteral()
	case c.accept("with", "serdeproperties"):
		s.RowFormat = append(s.RowFormat, c.properties()...)
	case c.sees("with") && c.peek(1).Is("("):
		s.Properties = append(s.Properties, c.optionalWith()...)
	case c.accept("tblproperties"), c.accept("options"):
		s.Properties = append(s.Properties, c.properties()...)
	case c.accept("without", "oids"):
	case c.accept("on", "commit"):
		c.onCommit(s)
	case c.accept("tablespace"):
		c.name()
	case c.sees("like"):
		c.likeClause(s)
	case c.sees("from") && c.peek(1).Kind == lexer.String:
		c.next()
		s.FromPath = c.stringLiteral()
	default:
		return false
	}
	return true
}

func (c *cursor) fileFormat() string {
	if c.sees("inputformat") {
		c.unsupported(c.pos(), "STORED AS INPUTFORMAT")
		return ""
	}
	return asciiLower(c.label())
}

// partitionedBy reads names, definitions of further columns (Hive), or Iceberg's transforms.
func (c *cursor) partitionedBy(s *ast.CreateTable) {
	c.accept("spec")
	c.expectSymbol("(")
	for c.err == nil {
		at := c.pos()
		if c.token().Name() && c.peek(1).Is("(") && !isNestedType(c.token(), c.peek(1)) {
			start := c.at
			transform, ok := c.untilComma().(*ast.FuncCall)
			if !ok && c.err == nil {
				c.at = start
				c.unexpected()
				return
			}
			s.Partitions = append(s.Partitions, ast.PartitionColumn{Pos: at, Transform: transform})
		} else {
			column := c.columnDef(true)
			s.Partitions = append(s.Partitions, ast.PartitionColumn{Pos: at, Name: column.Name, Type: column.Type, Comment: column.Comment})
		}
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
}

// sortKeys reads (a [ASC | DESC], …).
func (c *cursor) sortKeys() []ast.SortItem {
	c.expectSymbol("(")
	var list []ast.SortItem
	for c.err == nil {
		name := c.identifier()
		item := ast.SortItem{Pos: name.Pos, Expr: &ast.ColumnRef{Pos: name.Pos, Parts: []string{name.Name}}}
		item.Desc = c.acceptOne("asc", "desc") == "desc"
		list = append(list, item)
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

// rowFormat reads Hive's description of text files.
func (c *cursor) rowFormat(s *ast.CreateTable) {
	add := func(at ast.Pos, name string) {
		s.RowFormat = append(s.RowFormat, ast.Property{Pos: at, Name: name,
			Value: &ast.Literal{Pos: c.pos(), Kind: ast.LitString, Text: c.stringLiteral()}})
	}
	if at := c.pos(); c.accept("serde") {
		add(at, "serde")
		return
	}
	c.expect("delimited")
	for c.err == nil {
		at := c.pos()
		switch {
		case c.accept("fields", "terminated", "by"):
			add(at, "fields_terminated_by")
		case c.accept("escaped", "by"):
			add(at, "escaped_by")
		case c.accept("lines", "terminated", "by"):
			add(at, "lines_terminated_by")
		case c.accept("collection", "items", "terminated", "by"):
			add(at, "collection_items_terminated_by")
		case c.accept("map", "keys", "terminated", "by"):
			add(at, "map_keys_terminated_by")
		case c.accept("null", "defined", "as"):
			add(at, "null_defined_as")
		default:
			return
		}
	}
}

func (c *cursor) onCommit(s *ast.CreateTable) {
	switch {
	case c.accept("preserve", "rows"):
		s.OnCommit = "preserve rows"
	case c.accept("delete", "rows"):
		s.OnCommit = "delete rows"
	case c.accept("drop"):
		s.OnCommit = "drop"
	default:
		c.unexpected()
	}
}

func (c *cursor) createView(s *ast.CreateView) ast.Statement {
	s.Recursive = c.accept("recursive")
	s.Materialized = c.accept("materialized")
	c.expect("view")
	s.IfNotExists = c.ifNotExists()
	s.Name = c.qualified()
	if c.acceptSymbol("(") {
		c.viewColumns(s)
	}
	for c.err == nil && !c.sees("as") {
		switch {
		case c.accept("comment"):
			s.Comment = c.stringLiteral()
		case c.accept("security", "invoker"):
			s.SecurityInvoker = true
		case c.accept("security", "definer"):
		case c.sees("with"):
			s.Properties = append(s.Properties, c.optionalWith()...)
		case c.accept("tblproperties"):
			s.Properties = append(s.Properties, c.properties()...)
		default:
			c.unexpected()
		}
	}
	c.expect("as")
	if c.err != nil {
		return nil
	}
	c.viewQuery(s)
	return s
}

func (c *cursor) viewColumns(s *ast.CreateView) {
	for c.err == nil {
		name := c.identifier()
		column := ast.ColumnDef{Pos: name.Pos, Name: name.Name}
		if c.accept("comment") {
			column.Comment = c.stringLiteral()
		}
		s.Columns = append(s.Columns, column)
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
}

func (c *cursor) viewQuery(s *ast.CreateView) {
	s.QueryStart = c.pos()
	end := c.last()
	if n := end - c.at; n > 3 && c.tokens[end-1].Word("option") && c.tokens[end-2].Word("check") {
		kind := c.tokens[end-3]
		s.CheckOption = "cascaded"
		end -= 3
		if kind.WordIn("local", "cascaded") {
			s.CheckOption = kind.Text
			end--
		}
		if !c.tokens[end].Word("with") {
			c.at = end
			c.unexpected()
			return
		}
		s.QueryEnd = ast.Pos(c.tokens[max(end-1, 0)].End)
		s.Query = c.query(end)
		if c.err == nil {
			c.at = c.last()
		}
		return
	}
	start := c.at
	s.Query, s.WithNoData = c.queryWithData()
	if c.err != nil {
		return
	}
	if s.WithNoData {
		end -= 3
	} else if end-start > 2 && c.tokens[end-1].Word("data") && c.tokens[end-2].Word("with") {
		end -= 2
	}
	s.QueryEnd = ast.Pos(c.tokens[end-1].End)
}

func (c *cursor) createSchema() ast.Statement {
	s := &ast.CreateSchema{IfNotExists: c.ifNotExists()}
	if !c.sees("authorization") {
		s.Name = c.qualified()
	}
	for c.err == nil && !c.end() {
		switch {
		case c.accept("authorization"):
			s.Owner = c.name()
			if len(s.Name.Parts) == 0 {
				s.Name = ast.Name{Pos: c.pos(), Parts: []string{s.Owner}}
			}
		case c.accept("comment"):
			s.Comment = c.stringLiteral()
		case c.accept("location"):
			s.Location = c.stringLiteral()
		case c.accept("with", "dbproperties"), c.sees("with") && c.peek(1).Is("(") && c.accept("with"):
			s.Properties = append(s.Properties, c.properties()...)
		default:
			c.unexpected()
		}
	}
	return s
}

func (c *cursor) createIndex() ast.Statement {
	s := &ast.CreateIndex{Unique: c.accept("unique")}
	c.expect("index")
	c.accept("concurrently")
	s.IfNotExists = c.ifNotExists()
	if !c.sees("on") {
		s.Name = c.name()
	}
	c.expect("on")
	c.accept("only")
	s.Table = c.qualified()
	if c.accept("using") {
		s.Method = c.name()
	}
	c.expectSymbol("(")
	for c.err == nil {
		s.Columns = append(s.Columns, c.indexColumn())
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	if c.accept("include") {
		c.columnList()
	}
	c.optionalWith()
	if c.accept("tablespace") {
		c.name()
	}
	if c.accept("where") {
		s.Where = c.expressionUntil(func() bool { return false })
	}
	return s
}

func (c *cursor) indexColumn() ast.SortItem {
	item := ast.SortItem{Pos: c.pos()}
	item.Expr = c.expressionUntil(func() bool {
		return c.token().Is(",") || c.token().WordIn("asc", "desc", "nulls", "collate")
	})
	if c.accept("collate") {
		c.qualified()
	}
	item.Desc = c.acceptOne("asc", "desc") == "desc"
	switch {
	case c.accept("nulls", "first"):
		item.Nulls = ast.NullsFirst
	case c.accept("nulls", "last"):
		item.Nulls = ast.NullsLast
	}
	return item
}

// createUser reads CREATE and ALTER USER | ROLE | GROUP.
func (c *cursor) createUser(s *ast.CreateUser) ast.Statement {
	s.Role = c.next().Text != "user"
	s.IfNotExists = c.ifNotExists()
	s.Name = c.roleName()
	if s.Alter && (c.sees("set") || c.sees("reset")) {
		if setting, ok := c.ownStatement().(*ast.Set); ok {
			s.Setting = setting
		}
		return s
	}
	c.accept("with")
	for c.err == nil && !c.end() {
		s.Options = append(s.Options, c.userOption())
	}
	return s
}

// roleName reads a role, where CURRENT_USER and the like are names too.
func (c *cursor) roleName() string {
	if word := c.acceptOne("current_user", "session_user", "current_role", "user"); word != "" {
		return word
	}
	return c.name()
}

func (c *cursor) userOption() ast.Property {
	p := ast.Property{Pos: c.pos()}
	literal := func(kind ast.LiteralKind, text string) ast.Expr {
		return &ast.Literal{Pos: p.Pos, Kind: kind, Text: text}
	}
	c.acceptOne("encrypted", "unencrypted")
	switch {
	case c.accept("password"):
		p.Name = "password"
		if !c.accept("null") {
			p.Value = literal(ast.LitString, c.stringLiteral())
		}
	case c.accept("valid", "until"):
		p.Name, p.Value = "valid_until", literal(ast.LitString, c.stringLiteral())
	case c.accept("connection", "limit"):
		p.Name, p.Value = "connection_limit", c.signedNumber()
	case c.accept("in", "role"), c.accept("in", "group"):
		p.Name = "in_role"
		roles := &ast.ArrayLiteral{Pos: c.pos()}
		for c.err == nil {
			roles.Elems = append(roles.Elems, literal(ast.LitString, c.roleName()))
			if !c.acceptSymbol(",") {
				break
			}
		}
		p.Value = roles
	default:
		p.Name, p.Value = c.userFlag(literal)
	}
	return p
}

func (c *cursor) userFlag(literal func(ast.LiteralKind, string) ast.Expr) (string, ast.Expr) {
	for _, flag := range [...]string{"login", "superuser", "createdb", "createrole", "inherit", "replication", "bypassrls"} {
		if c.accept(flag) {
			return flag, literal(ast.LitBool, "true")
		}
		if c.accept("no" + flag) {
			return flag, literal(ast.LitBool, "false")
		}
	}
	c.unexpected()
	return "", nil
}

func (c *cursor) signedNumber() ast.Expr {
	at, sign := c.pos(), ""
	if c.acceptSymbol("-") {
		sign = "-"
	} else {
		c.acceptSymbol("+")
	}
	token := c.token()
	if c.err != nil || token.Kind != lexer.Integer && token.Kind != lexer.Decimal {
		c.unexpected()
		return nil
	}
	c.next()
	kind, text := numberLiteral(token.Text)
	return &ast.Literal{Pos: at, Kind: kind, Text: sign + text}
}
