package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// createStatement reads everything that begins with CREATE.
func (c *cursor) createStatement() ast.Statement {
	start := c.pos()
	c.next()
	replace := c.accept("or", "replace")
	external, temp := false, false
	for {
		word := c.acceptOne("external", "temp", "temporary", "local", "global", "unlogged")
		if word == "" {
			break
		}
		external = external || word == "external"
		temp = temp || word == "temp" || word == "temporary"
	}
	switch {
	case c.accept("table"):
		s := &ast.CreateTable{OrReplace: replace, External: external, Temp: temp}
		return c.createTable(s)
	case c.sees("view"), c.sees("recursive", "view"), c.sees("materialized", "view"):
		return c.createView(&ast.CreateView{OrReplace: replace, Temp: temp})
	case c.acceptOne("schema", "database") != "":
		return c.createSchema()
	case c.sees("index"), c.sees("unique", "index"):
		return c.createIndex()
	case c.sees("user"), c.sees("role"), c.sees("group"):
		return c.createUser(&ast.CreateUser{})
	case c.accept("resource", "group"):
		s := &ast.CreateResourceGroup{IfNotExists: c.ifNotExists(), Name: c.name()}
		s.Properties = c.optionalWith()
		return s
	}
	if c.token().Kind != lexer.Ident {
		c.unexpected()
		return nil
	}
	c.unsupported(start, "CREATE "+upperWord(c.token()))
	return nil
}

func (c *cursor) optionalWith() []ast.Property {
	if c.accept("with") {
		return c.properties()
	}
	return nil
}

func (c *cursor) createTable(s *ast.CreateTable) ast.Statement {
	s.IfNotExists = c.ifNotExists()
	s.Name = c.qualified()
	untyped := -1
	if c.token().Is("(") && !c.queryInBrackets() {
		untyped = c.tableElements(s)
	}
	for c.err == nil && !c.end() && c.tableClause(s) {
	}
	switch {
	case c.accept("as"):
		c.createTableAs(s)
	case c.token().Is("("), c.sees("select"), c.sees("with"), c.sees("values"):
		c.createTableAs(s) // AS is optional elsewhere
	}
	if untyped >= 0 && s.Query == nil && s.Execute == nil && c.err == nil {
		c.at = untyped
		c.unexpected()
	}
	if c.err == nil && len(s.Columns) == 0 && s.Query == nil && s.Execute == nil && len(s.Likes) == 0 && s.FromPath == "" &&
		len(s.Constraints) == 0 && !c.emptyColumnList() && s.Location == "" {
		c.unexpected()
	}
	return s
}

// emptyColumnList tells whether the statement wrote (), which PostgreSQL allows.
func (c *cursor) emptyColumnList() bool {
	for i := 0; i+1 < c.at; i++ {
		if c.tokens[i].Is("(") && c.tokens[i+1].Is(")") {
			return true
		}
	}
	return false
}

func (c *cursor) queryInBrackets() bool {
	i := 0
	for c.peek(i).Is("(") {
		i++
	}
	return c.peek(i).WordIn("select", "values") || c.peek(i).Word("with") && !c.peek(i+1).Is("(")
}

func (c *cursor) createTableAs(s *ast.CreateTable) {
	if c.sees("execute") {
		s.Execute, _ = c.execute().(*ast.Execute)
		return
	}
	s.Query, s.WithNoData = c.queryWithData()
}

// queryWithData reads the rest as a query with an optional WITH [NO] DATA behind it.
func (c *cursor) queryWithData() (*ast.Query, bool) {
	end, noData := c.last(), false
	if n := end - c.at; n > 2 && c.tokens[end-1].Word("data") {
		switch {
		case c.tokens[end-2].Word("with"):
			end -= 2
		case n > 3 && c.tokens[end-2].Word("no") && c.tokens[end-3].Word("with"):
			end -= 3
			noData = true
		}
	}
	q := c.query(end)
	if c.err == nil {
		c.at = c.last()
	}
	return q, noData
}

// tableElements reads the bracketed columns, constraints and LIKE clauses. It gives the token at
// which a missing type would be an error, −1 when every column has one.
func (c *cursor) tableElements(s *ast.CreateTable) int {
	untyped := -1
	c.expectSymbol("(")
	if c.acceptSymbol(")") {
		return untyped
	}
	for c.err == nil {
		switch {
		case c.sees("like") && !c.peek(1).Is(","):
			c.likeClause(s)
		case c.token().WordIn("constraint", "primary", "unique", "check", "foreign"):
			s.Constraints = append(s.Constraints, c.tableConstraint())
		default:
			column := c.columnDef(true)
			if column.Type == nil && untyped < 0 {
				untyped = c.at
			}
			s.Columns = append(s.Columns, column)
		}
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return untyped
}

func (c *cursor) likeClause(s *ast.CreateTable) {
	like := ast.LikeClause{Pos: c.pos(), At: len(s.Columns)}
	c.expect("like")
	if c.token().Name() && c.peek(1).Kind == lexer.String {
		like.FileFormat, like.Path = c.label(), c.stringLiteral()
	} else {
		like.Table = c.qualified()
	}
	for c.err == nil {
		if c.accept("including") {
			like.Including = append(like.Including, c.word())
		} else if c.accept("excluding") {
			c.word()
		} else {
			break
		}
	}
	s.Likes = append(s.Likes, like)
}

// columnDef reads name type constraints; the type may be missing when allowed.
func (c *cursor) columnDef(mayLackType bool) ast.ColumnDef {
	name := c.identifier()
	column := ast.ColumnDef{Pos: name.Pos, Name: name.Name}
	if mayLackType && (c.token().Is(",") || c.token().Is(")")) {
		return column
	}
	column.Type = c.typeName()
	for c.err == nil && c.columnConstraint(&column) {
	}
	return column
}

// columnConstraint reads one clause behind a column's type; false when there is none.
func (c *cursor) columnConstraint(column *ast.ColumnDef) bool {
	at, name := c.pos(), ""
	if c.accept("constraint") {
		name = c.name()
	}
	constraint := ast.Constraint{Pos: at, Name: name}
	switch {
	case c.accept("not", "null"):
		column.NotNull = true
		return true
	case c.accept("null"):
		return true
	case c.accept("default"):
		column.Default = c.columnDefault()
		return true
	case c.accept("comment"):
		column.Comment = c.stringLiteral()
		return true
	case c.accept("collate"):
		collation := c.qualified()
		column.Collation = &collation
		return true
	case c.sees("with") && c.peek(1).Is("("):
		column.Properties = append(column.Properties, c.optionalWith()...)
		return true
	case c.accept("primary", "key"):
		constraint.Kind = ast.ConstraintPrimaryKey
		column.NotNull = true
	case c.accept("unique"):
		constraint.Kind = ast.ConstraintUnique
	case c.accept("check"):
		constraint.Kind, constraint.Check = ast.ConstraintCheck, c.bracketedExpression()
	case c.accept("references"):
		constraint.Kind = ast.ConstraintForeignKey
		c.references(&constraint)
	case c.accept("generated"):
		constraint.Kind = ast.ConstraintGenerated
		c.generated(&constraint)
	default:
		if name != "" {
			c.unexpected()
		}
		return false
	}
	c.constraintAttributes()
	column.Constraints = append(column.Constraints, constraint)
	return true
}

func (c *cursor) columnDefault() ast.Expr {
	start := c.at
	return c.expressionUntil(func() bool {
		token := c.token()
		return token.Is(",") || c.at > start && (c.sees("not", "null") ||
			token.WordIn("null", "constraint", "primary", "unique", "check", "references", "generated") ||
			token.Word("comment") && c.peek(1).Kind == lexer.String)
	})
}

func (c *cursor) bracketedExpression() ast.Expr {
	c.expectSymbol("(")
	e := c.expressionUntil(func() bool { return false })
	c.expectSymbol(")")
	return e
}

func (c *cursor) references(constraint *ast.Constraint) {
	table := c.qualified()
	constraint.References = &table
	if c.token().Is("(") {
		constraint.RefColumns = c.columnList()
	}
	for c.err == nil {
		switch {
		case c.accept("match"):
			c.label()
		case c.accept("on", "delete"), c.accept("on", "update"):
			if c.acceptOne("cascade", "restrict") == "" && !c.accept("no", "action") {
				c.expect("set")
				c.label()
			}
		default:
			return
		}
	}
}

func (c *cursor) generated(constraint *ast.Constraint) {
	if !c.accept("always") {
		c.expect("by", "default")
	}
	c.expect("as")
	if c.accept("identity") {
		if c.token().Is("(") {
			c.skipBrackets()
		}
		return
	}
	constraint.Check = c.bracketedExpression()
	c.accept("stored")
}

// constraintAttributes passes DEFERRABLE and the like.
func (c *cursor) constraintAttributes() {
	for c.accept("not", "deferrable") || c.accept("deferrable") || c.accept("initially", "deferred") ||
		c.accept("initially", "immediate") || c.accept("not", "valid") || c.accept("not", "enforced") ||
		c.accept("enable") || c.accept("disable") || c.accept("novalidate") || c.accept("no", "inherit") {
	}
}

func (c *cursor) tableConstraint() ast.Constraint {
	constraint := ast.Constraint{Pos: c.pos()}
	if c.accept("constraint") {
		constraint.Name = c.name()
	}
	switch {
	case c.accept("primary", "key"):
		constraint.Kind, constraint.Columns = ast.ConstraintPrimaryKey, c.columnList()
	case c.accept("unique"):
		constraint.Kind, constraint.Columns = ast.ConstraintUnique, c.columnList()
	case c.accept("check"):
		constraint.Kind, constraint.Check = ast.ConstraintCheck, c.bracketedExpression()
	case c.accept("foreign", "key"):
		constraint.Kind, constraint.Columns = ast.ConstraintForeignKey, c.columnList()
		c.expect("references")
		c.references(&constraint)
	default:
		c.unexpected()
	}
	c.constraintAttributes()
	return constraint
}
