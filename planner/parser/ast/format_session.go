package ast

import (
	"strconv"
	"strings"
)

// session prints statements about the session; false when s is something else.
func (p *printer) session(s Statement) bool {
	switch s := s.(type) {
	case *Set:
		p.set(s)
	case *SetTransaction:
		p.text(map[bool]string{false: "SET TRANSACTION", true: "SET SESSION CHARACTERISTICS AS TRANSACTION"}[s.Session])
		p.optional(" SNAPSHOT ", s.Snapshot, QuoteString)
		p.modes(s.Modes)
	case *Transaction:
		p.transaction(s)
	case *Prepare:
		p.text("PREPARE ", QuoteName(s.Name))
		if len(s.Types) > 0 {
			p.text(" (")
			p.list(len(s.Types), func(i int) { p.typeName(s.Types[i]) })
			p.text(")")
		}
		p.text(" AS ")
		p.statement(s.Statement)
	case *Execute:
		p.execute(s)
	case *Deallocate:
		p.text("DEALLOCATE ", nameOrAll(s.Name))
	case *DeclareCursor:
		p.declare(s)
	case *Fetch:
		p.fetch(s)
	case *CloseCursor:
		p.text("CLOSE ", nameOrAll(s.Name))
	case *Discard:
		p.text("DISCARD ", s.What)
	case *Listen:
		p.text("LISTEN ", QuoteName(s.Channel))
	case *Unlisten:
		if s.Channel == "" {
			p.text("UNLISTEN *")
		} else {
			p.text("UNLISTEN ", QuoteName(s.Channel))
		}
	case *Notify:
		p.text("NOTIFY ", QuoteName(s.Channel))
		p.optional(", ", s.Payload, QuoteString)
	default:
		return false
	}
	return true
}

func nameOrAll(name string) string {
	if name == "" {
		return "ALL"
	}
	return QuoteName(name)
}

func (p *printer) dotted(name string) { p.name(strings.Split(name, ".")) }

func (p *printer) set(s *Set) {
	if s.Default && s.Scope == ScopeSession {
		p.text("RESET ")
		if s.Name == "all" {
			p.text("ALL")
		} else {
			p.dotted(s.Name)
		}
		return
	}
	p.text("SET ")
	p.flag(s.Scope == ScopeLocal, "LOCAL ")
	p.dotted(s.Name)
	p.text(" TO ")
	if s.Default {
		p.text("DEFAULT")
		return
	}
	p.exprs(s.Values)
}

func (p *printer) modes(m TransactionModes) {
	p.text([...]string{"", " ISOLATION LEVEL READ UNCOMMITTED", " ISOLATION LEVEL READ COMMITTED",
		" ISOLATION LEVEL REPEATABLE READ", " ISOLATION LEVEL SERIALIZABLE"}[m.Isolation])
	p.text([...]string{"", " READ ONLY", " READ WRITE"}[m.Access])
	p.text([...]string{"", " DEFERRABLE", " NOT DEFERRABLE"}[m.Deferrable])
}

func (p *printer) transaction(s *Transaction) {
	switch s.Kind {
	case Begin:
		p.text(map[bool]string{false: "BEGIN", true: "START TRANSACTION"}[s.Start])
		p.modes(s.Modes)
	case Commit:
		p.text("COMMIT")
	case Rollback:
		p.text("ROLLBACK")
	case Savepoint:
		p.text("SAVEPOINT ", QuoteName(s.Savepoint))
	case ReleaseSavepoint:
		p.text("RELEASE SAVEPOINT ", QuoteName(s.Savepoint))
	case RollbackToSavepoint:
		p.text("ROLLBACK TO SAVEPOINT ", QuoteName(s.Savepoint))
	}
	p.flag(s.Chain, " AND CHAIN")
}

func (p *printer) execute(s *Execute) {
	p.text("EXECUTE ")
	if s.Immediate != nil {
		p.text("IMMEDIATE ", QuoteString(Format(s.Immediate)))
		if len(s.Args) > 0 {
			p.text(" USING ")
			p.exprs(s.Args)
		}
		return
	}
	p.text(QuoteName(s.Name))
	if len(s.Args) > 0 {
		p.text("(")
		p.exprs(s.Args)
		p.text(")")
	}
}

func (p *printer) declare(s *DeclareCursor) {
	p.text("DECLARE ", QuoteName(s.Name))
	p.flag(s.Binary, " BINARY")
	p.flag(s.Insensitive, " INSENSITIVE")
	p.flag(s.Scroll, " SCROLL")
	p.flag(s.NoScroll, " NO SCROLL")
	p.text(" CURSOR")
	p.flag(s.Hold, " WITH HOLD")
	p.text(" FOR ")
	p.query(s.Query)
}

func (p *printer) fetch(s *Fetch) {
	p.text(map[bool]string{false: "FETCH", true: "MOVE"}[s.Move])
	p.text([...]string{" FORWARD", " BACKWARD", " ABSOLUTE", " RELATIVE"}[s.Direction], " ")
	if s.All {
		p.text("ALL")
	} else {
		p.text(strconv.FormatInt(s.Count, 10))
	}
	p.text(" FROM ", QuoteName(s.Cursor))
}
