package parser

import (
	"strings"

	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// analyze reads ANALYZE as PostgreSQL, Trino and Hive write it.
func (c *cursor) analyze() ast.Statement {
	c.next()
	s := &ast.Analyze{}
	if c.token().Is("(") {
		s.Options = c.optionList()
		for _, option := range s.Options {
			s.Verbose = s.Verbose || option.Name == "verbose" && optionIsOn(option.Value)
		}
	} else {
		s.Verbose = c.accept("verbose")
	}
	c.accept("table")
	s.Tables = c.analyzeTargets()
	s.Partition = c.optionalPartition()
	if c.accept("compute", "statistics") {
		if c.accept("for", "columns") && c.seesName() && len(s.Tables) == 1 {
			s.Tables[0].Columns = append(s.Tables[0].Columns, c.identifier())
			for c.acceptSymbol(",") {
				s.Tables[0].Columns = append(s.Tables[0].Columns, c.identifier())
			}
		} else {
			c.accept("noscan")
		}
	}
	s.Options = append(s.Options, c.optionalWith()...)
	return s
}

func (c *cursor) analyzeTargets() []ast.AnalyzeTarget {
	var list []ast.AnalyzeTarget
	if c.err != nil || c.end() || c.sees("with") {
		return nil
	}
	for c.err == nil {
		target := ast.AnalyzeTarget{Name: c.qualified()}
		if c.token().Is("(") {
			target.Columns = c.columnList()
		}
		list = append(list, target)
		if !c.acceptSymbol(",") {
			break
		}
	}
	return list
}

func (c *cursor) computeStats() ast.Statement {
	c.expect("compute")
	c.accept("incremental")
	c.expect("stats")
	target := ast.AnalyzeTarget{Name: c.qualified()}
	if c.token().Is("(") {
		target.Columns = c.columnList()
	}
	return &ast.Analyze{Tables: []ast.AnalyzeTarget{target}, Partition: c.optionalPartition()}
}

func (c *cursor) vacuum() ast.Statement {
	c.expect("vacuum")
	s := &ast.Vacuum{}
	if c.token().Is("(") {
		s.Options = c.optionList()
		for _, option := range s.Options {
			on := optionIsOn(option.Value)
			switch option.Name {
			case "full":
				s.Full = on
			case "verbose":
				s.Verbose = on
			case "analyze":
				s.Analyze = on
			case "freeze":
				s.Freeze = on
			}
		}
	} else {
		s.Full = c.accept("full")
		s.Freeze = c.accept("freeze")
		s.Verbose = c.accept("verbose")
		s.Analyze = c.acceptOne("analyze", "analyse") != ""
	}
	c.accept("table")
	s.Tables = c.analyzeTargets()
	return s
}

func (c *cursor) lockTable() ast.Statement {
	c.expect("lock")
	c.accept("table")
	s := &ast.LockTable{Tables: c.qualifiedList()}
	if c.accept("in") {
		s.Mode = c.lockMode()
		c.expect("mode")
	}
	c.accept("nowait")
	return s
}

func (c *cursor) lockMode() string {
	for _, mode := range [...][]string{{"access", "share"}, {"access", "exclusive"}, {"row", "share"}, {"row", "exclusive"},
		{"share", "update", "exclusive"}, {"share", "row", "exclusive"}, {"share"}, {"exclusive"}} {
		if c.accept(mode...) {
			return strings.Join(mode, " ")
		}
	}
	c.unexpected()
	return ""
}

// syncStatement reads SYNC TABLE and what Impala and Hive call it.
func (c *cursor) syncStatement() ast.Statement {
	s := &ast.SyncTable{}
	switch c.next().Text {
	case "sync":
		c.expect("table")
	case "msck":
		c.expect("repair", "table")
	case "invalidate":
		c.expect("metadata")
		s.MetadataOnly = true
		if c.end() {
			return s
		}
	case "refresh":
		if c.accept("materialized", "view") {
			c.accept("concurrently")
			view := &ast.RefreshView{Name: c.qualified()}
			view.WithNoData = c.accept("with", "no", "data")
			if !view.WithNoData {
				c.accept("with", "data")
			}
			return view
		}
		c.accept("table")
	}
	name := c.qualified()
	s.Table = &name
	s.Partition = c.optionalPartition()
	if c.acceptOne("add", "drop", "sync") != "" {
		c.expect("partitions")
	}
	return s
}

func (c *cursor) optimize() ast.Statement {
	c.expect("optimize")
	c.accept("table")
	s := &ast.Optimize{Table: c.qualified(), Partition: c.optionalPartition()}
	if c.accept("where") {
		s.Where = c.expressionUntil(func() bool { return c.sees("with") && c.peek(1).Is("(") })
	}
	s.Properties = c.optionalWith()
	return s
}

func (c *cursor) loadData() ast.Statement {
	c.expect("load")
	if !c.accept("data") {
		c.unsupported(posOf(c.tokens[c.at-1]), "LOAD")
		return nil
	}
	c.expect("inpath")
	s := &ast.LoadData{Path: c.stringLiteral(), Overwrite: c.accept("overwrite")}
	c.expect("into", "table")
	s.Table = c.qualified()
	s.Partition = c.optionalPartition()
	return s
}

func (c *cursor) kill() ast.Statement {
	c.expect("kill")
	c.accept("query")
	if c.token().Kind == lexer.Integer {
		return &ast.Kill{Query: c.next().Text}
	}
	return &ast.Kill{Query: c.stringLiteral()}
}

// truncate reads TRUNCATE [TABLE] [ONLY] a, b.
func (c *cursor) truncate() ast.Statement {
	c.expect("truncate")
	c.accept("table")
	c.accept("only")
	s := &ast.Truncate{Tables: c.qualifiedList()}
	if c.accept("restart", "identity") {
		s.RestartIdentity = true
	} else {
		c.accept("continue", "identity")
	}
	s.Cascade = c.restrictOrCascade()
	return s
}
