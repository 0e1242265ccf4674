package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// show reads SHOW: settings as PostgreSQL has them, and listings of other engines.
func (c *cursor) show() ast.Statement {
	c.expect("show")
	s := &ast.Show{}
	switch {
	case c.accept("all"):
		s.Setting = "all"
	case c.accept("time", "zone"):
		s.Setting = "timezone"
	case c.accept("transaction", "isolation", "level"):
		s.Setting = "transaction_isolation"
	case c.accept("session", "authorization"):
		s.Setting = "session_authorization"
	case c.showListing(s):
	default:
		s.Setting = c.settingName()
	}
	return s
}

// showListing reads a listing; false, with nothing passed, when it is a setting.
func (c *cursor) showListing(s *ast.Show) bool {
	switch {
	case c.accept("create"):
		c.showCreate(s)
	case c.accept("stats"):
		s.Kind = ast.ShowStats
		c.expect("for")
		c.showStats(s)
	case c.accept("table", "stats"), c.accept("column", "stats"):
		s.Kind = ast.ShowStats
		if c.tokens[c.at-2].Word("column") {
			s.Kind = ast.ShowColumnStats
		}
		s.Target = c.showTarget()
	case c.accept("resource", "groups"):
		s.Kind = ast.ShowResourceGroups
		c.showLike(s)
	case c.accept("grants"):
		s.Kind = ast.ShowGrants
		if c.accept("on") {
			c.accept("table")
			s.Target = c.showTarget()
		}
	default:
		return c.showPlural(s)
	}
	return true
}

func (c *cursor) showTarget() *ast.Name {
	name := c.qualified()
	return &name
}

func (c *cursor) showCreate(s *ast.Show) {
	switch {
	case c.accept("table"):
		s.Kind = ast.ShowCreateTable
	case c.accept("view"), c.accept("materialized", "view"):
		s.Kind = ast.ShowCreateView
	case c.acceptOne("schema", "database") != "":
		s.Kind = ast.ShowCreateSchema
	default:
		c.unexpected()
	}
	s.Target = c.showTarget()
}

func (c *cursor) showStats(s *ast.Show) {
	if !c.token().Is("(") {
		s.Target = c.showTarget()
		return
	}
	s.Query = c.query(c.last())
}

// showPlural reads SHOW TABLES [FROM x] [LIKE 'p'] and its relatives.
func (c *cursor) showPlural(s *ast.Show) bool {
	kinds := map[string]ast.ShowKind{"tables": ast.ShowTables, "views": ast.ShowViews, "schemas": ast.ShowSchemas,
		"databases": ast.ShowSchemas, "catalogs": ast.ShowCatalogs, "columns": ast.ShowColumns,
		"partitions": ast.ShowPartitions, "functions": ast.ShowFunctions, "session": ast.ShowSession,
		"files": ast.ShowFiles, "queries": ast.ShowQueries, "nodes": ast.ShowNodes, "versions": ast.ShowVersions,
		"roles": ast.ShowRoles, "tblproperties": ast.ShowProperties, "properties": ast.ShowProperties}
	if c.err != nil || c.token().Kind != lexer.Ident {
		return false
	}
	kind, ok := kinds[c.token().Text]
	if !ok || c.peek(1).Is(".") {
		return false
	}
	c.next()
	s.Kind = kind
	if c.acceptOne("from", "in", "for", "of") != "" {
		s.Target = c.showTarget()
	} else if c.seesName() && !c.sees("partition") {
		switch kind {
		case ast.ShowPartitions, ast.ShowColumns, ast.ShowFiles, ast.ShowProperties, ast.ShowVersions:
			s.Target = c.showTarget()
		default:
		}
	}
	// Hive's second name: SHOW COLUMNS FROM t IN db.
	if kind == ast.ShowColumns && c.acceptOne("from", "in") != "" && s.Target != nil {
		database := c.qualified()
		s.Target.Parts = append(database.Parts, s.Target.Parts...)
	}
	s.Partition = c.optionalPartition()
	c.showLike(s)
	c.showFilter(s)
	if s.Target == nil && (kind == ast.ShowPartitions || kind == ast.ShowColumns || kind == ast.ShowFiles) {
		c.unexpected()
	}
	return true
}

func (c *cursor) showLike(s *ast.Show) {
	if !c.accept("like") && !c.seesString() {
		return
	}
	pattern := c.stringLiteral()
	s.Like = &pattern
	if c.accept("escape") {
		s.Escape = c.stringLiteral()
	}
}

// showFilter reads WHERE, ORDER BY and LIMIT of SHOW PARTITIONS by way of a query that has them.
func (c *cursor) showFilter(s *ast.Show) {
	if c.err != nil || !c.token().WordIn("where", "order", "limit") {
		return
	}
	f, node := c.runRewritten(c.at, c.last(), "SELECT 1 FROM t ", "")
	if node == nil {
		return
	}
	convert := &converter{fragment: f}
	q := convert.subquery(node, c.pos())
	if convert.err != nil {
		c.fail(convert.err)
		return
	}
	core, ok := q.Body.(*ast.SelectCore)
	if !ok || core.GroupBy != nil || core.Having != nil || q.Offset != nil || len(core.Windows) > 0 {
		c.unexpected()
		return
	}
	s.Where, s.OrderBy, s.Limit = core.Where, q.OrderBy, q.Limit
	c.at = c.last()
}

func (c *cursor) describe() ast.Statement {
	c.next()
	s := &ast.Describe{}
	switch {
	case c.accept("input"):
		s.Input = c.name()
	case c.accept("output"):
		s.Output = c.name()
	case c.sees("select"), c.sees("with"), c.sees("values"), c.token().Is("("):
		s.Query = c.query(c.last())
	default:
		if (c.sees("formatted") || c.sees("extended")) && c.peek(1).Name() {
			c.next()
			s.Formatted = true
		}
		if c.sees("table") {
			c.next()
		}
		s.Table = c.qualified()
	}
	return s
}

func (c *cursor) explain() ast.Statement {
	c.expect("explain")
	s := &ast.Explain{}
	if c.token().Is("(") && c.peek(1).Kind == lexer.Ident && !c.peek(1).WordIn("select", "with", "values", "table") {
		s.Options = c.optionList()
	}
	for _, option := range s.Options {
		switch option.Name {
		case "analyze", "analyse":
			s.Analyze = optionIsOn(option.Value)
		case "verbose":
			s.Verbose = optionIsOn(option.Value)
		case "format":
			if literal, ok := option.Value.(*ast.Literal); ok {
				s.Format = asciiLower(literal.Text)
			}
		}
	}
	if len(s.Options) == 0 {
		s.Analyze = c.acceptOne("analyze", "analyse") != ""
		s.Verbose = c.accept("verbose")
		if c.token().Is("(") && s.Analyze && c.peek(1).Word("format") {
			s.Options = c.optionList()
			if literal, ok := s.Options[0].Value.(*ast.Literal); ok {
				s.Format = asciiLower(literal.Text)
			}
		}
	}
	if c.err != nil {
		return nil
	}
	start := c.at
	s.Statement = c.statement()
	switch s.Statement.(type) {
	case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge, *ast.CreateTable, *ast.CreateView,
		*ast.Execute, *ast.DeclareCursor, *ast.Copy, nil:
	default:
		c.at = start
		c.unexpected()
	}
	return s
}

// optionIsOn reads a boolean option; one without a value is on.
func optionIsOn(value ast.Expr) bool {
	literal, ok := value.(*ast.Literal)
	if !ok {
		return true
	}
	switch asciiLower(literal.Text) {
	case "false", "off", "0", "no":
		return false
	}
	return true
}
