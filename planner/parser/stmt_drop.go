package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// objectKind passes the words for a kind of object.
func (c *cursor) objectKind() (ast.ObjectKind, bool) {
	switch {
	case c.accept("table"):
		return ast.ObjectTable, true
	case c.accept("view"):
		return ast.ObjectView, true
	case c.accept("materialized", "view"):
		return ast.ObjectMaterializedView, true
	case c.accept("schema"):
		return ast.ObjectSchema, true
	case c.accept("database"):
		return ast.ObjectDatabase, true
	case c.accept("column"):
		return ast.ObjectColumn, true
	case c.accept("index"):
		return ast.ObjectIndex, true
	case c.accept("sequence"):
		return ast.ObjectSequence, true
	case c.accept("function"):
		return ast.ObjectFunction, true
	case c.accept("type"):
		return ast.ObjectType, true
	case c.accept("foreign", "table"):
		return ast.ObjectForeignTable, true
	case c.accept("extension"):
		return ast.ObjectExtension, true
	case c.accept("resource", "group"):
		return ast.ObjectResourceGroup, true
	case c.accept("role"):
		return ast.ObjectRole, true
	}
	return 0, false
}

func (c *cursor) dropStatement() ast.Statement {
	start := c.pos()
	c.expect("drop")
	if c.sees("user") || c.sees("role") || c.sees("group") {
		return c.dropUser()
	}
	kind, ok := c.objectKind()
	if !ok || kind == ast.ObjectColumn {
		if c.token().Kind != lexer.Ident {
			c.unexpected()
			return nil
		}
		c.unsupported(start, "DROP "+upperWord(c.token()))
		return nil
	}
	if kind == ast.ObjectIndex {
		c.accept("concurrently")
	}
	s := &ast.Drop{Kind: kind, IfExists: c.ifExists()}
	for c.err == nil {
		s.Names = append(s.Names, c.qualified())
		if kind == ast.ObjectFunction && c.token().Is("(") {
			c.skipBrackets()
		}
		if !c.acceptSymbol(",") {
			break
		}
	}
	s.Cascade = c.restrictOrCascade()
	s.Purge = c.accept("purge")
	return s
}

func (c *cursor) dropUser() ast.Statement {
	c.next()
	s := &ast.DropUser{IfExists: c.ifExists()}
	for c.err == nil {
		s.Names = append(s.Names, c.roleName())
		if !c.acceptSymbol(",") {
			break
		}
	}
	return s
}

func (c *cursor) commentOn() ast.Statement {
	start := c.pos()
	c.expect("comment", "on")
	kind, ok := c.objectKind()
	if !ok {
		if c.token().Kind == lexer.Ident && c.err == nil {
			c.unsupported(start, "COMMENT ON "+upperWord(c.token()))
		}
		c.unexpected()
		return nil
	}
	s := &ast.CommentOn{Kind: kind, Name: c.qualified()}
	if kind == ast.ObjectFunction && c.token().Is("(") {
		c.skipBrackets()
	}
	c.expect("is")
	if s.Drop = c.accept("null"); !s.Drop {
		s.Text = c.stringLiteral()
	}
	return s
}

func (c *cursor) grant() ast.Statement {
	s := &ast.Grant{Revoke: c.next().Text == "revoke"}
	if s.Revoke {
		s.GrantOption = c.accept("grant", "option", "for") || c.accept("admin", "option", "for")
	}
	for c.err == nil {
		s.Privileges = append(s.Privileges, c.privilege())
		if !c.acceptSymbol(",") {
			break
		}
	}
	if c.accept("on") {
		c.grantObjects(s)
	} else {
		s.Roles = true
	}
	if s.Revoke {
		c.expect("from")
	} else {
		c.expect("to")
	}
	for c.err == nil {
		c.acceptOne("role", "user", "group")
		s.Grantees = append(s.Grantees, c.roleName())
		if !c.acceptSymbol(",") {
			break
		}
	}
	if c.accept("with", "grant", "option") || c.accept("with", "admin", "option") {
		s.GrantOption = true
	}
	s.Cascade = c.restrictOrCascade()
	return s
}

func (c *cursor) privilege() string {
	if c.accept("all") {
		c.accept("privileges")
		return "all"
	}
	word := c.label()
	if c.token().Is("(") {
		c.unsupported(c.pos(), "a privilege on columns")
	}
	return word
}

func (c *cursor) grantObjects(s *ast.Grant) {
	if c.accept("all", "tables", "in", "schema") {
		s.AllIn, s.Names = true, c.qualifiedList()
		return
	}
	if kind, ok := c.objectKind(); ok {
		s.Kind = kind
	}
	s.Names = c.qualifiedList()
}
