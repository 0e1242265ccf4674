package session

import (
	"context"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// describeOwn gives the shape of a statement that the session runs by itself; nil for the engine's.
func (s *Session) describeOwn(ctx context.Context, st *Statement) (*Prepared, error) {
	switch tree := st.Tree.(type) {
	case *ast.Set, *ast.SetTransaction, *ast.Transaction, *ast.Use, *ast.Prepare, *ast.Deallocate, *ast.CloseCursor,
		*ast.Discard, *ast.Listen, *ast.Unlisten, *ast.Notify, *ast.LockTable, *ast.Checkpoint:
		return &Prepared{}, nil
	case *ast.Show:
		return s.describeShow(tree)
	case *ast.Fetch:
		return s.describeFetch(tree)
	case *ast.Execute:
		return s.describeExecute(ctx, st, tree)
	case *ast.DeclareCursor:
		return s.describeDeclare(ctx, st, tree)
	}
	return nil, nil
}

func textColumns(names ...string) types.Schema {
	out := make(types.Schema, len(names))
	for i, name := range names {
		out[i] = types.Field{Name: name, Type: types.Of(types.Text), Nullable: true}
	}
	return out
}

func (s *Session) describeShow(tree *ast.Show) (*Prepared, error) {
	if tree.Kind != ast.ShowSetting {
		return nil, nil
	}
	if tree.Setting == "all" {
		return &Prepared{Columns: textColumns("name", "setting", "description")}, nil
	}
	title, _, err := s.state.Settings.Show(tree.Setting)
	if err != nil {
		return nil, err
	}
	return &Prepared{Columns: textColumns(title)}, nil
}

// runOwn runs a statement of the session's own. done is false for the engine's. A statement that
// gives rows leaves them in the portal.
func (s *Session) runOwn(ctx context.Context, p *Portal) (done bool, err error) {
	tag := ""
	switch tree := p.Statement.Tree.(type) {
	case *ast.Show:
		if tree.Kind != ast.ShowSetting {
			return false, nil
		}
		return true, s.runShow(p, tree)
	case *ast.Fetch:
		return true, s.runFetch(ctx, p, tree)
	case *ast.Execute:
		return true, s.runExecute(ctx, p, tree)
	case *ast.DeclareCursor:
		err = s.runDeclare(ctx, p, tree)
	case *ast.Transaction:
		tag, err = s.runTransaction(ctx, tree)
	case *ast.SetTransaction:
		err = s.runSetTransaction(tree)
	case *ast.Set:
		err = s.runSet(tree)
	case *ast.Use:
		err = s.state.Settings.Set("search_path", quoteName(tree.Name.Last()), false)
	case *ast.Prepare:
		err = s.runPrepare(ctx, p, tree)
	case *ast.Deallocate:
		err = s.runDeallocate(tree)
	case *ast.CloseCursor:
		err = s.runCloseCursor(p, tree)
	case *ast.Discard:
		err = s.runDiscard(ctx, p, tree)
	case *ast.Listen, *ast.Unlisten, *ast.Notify, *ast.LockTable, *ast.Checkpoint:
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if tag == "" {
		tag = p.Statement.Tag.Word
	}
	p.tag, p.phase = tag, portalFinished
	return true, nil
}

func (s *Session) runShow(p *Portal, tree *ast.Show) error {
	var rows [][]string
	if tree.Setting == "all" {
		for _, d := range s.state.Settings.table.ordered {
			rows = append(rows, []string{d.Name, s.state.Settings.Get(d.Name), d.Doc})
		}
	} else {
		_, value, err := s.state.Settings.Show(tree.Setting)
		if err != nil {
			return err
		}
		rows = [][]string{{value}}
	}
	p.result = &Result{Source: textRows(p.Statement.Prepared.Columns, rows)}
	return nil
}

// runSet is SET, SET LOCAL and RESET.
func (s *Session) runSet(tree *ast.Set) error {
	settings := s.state.Settings
	local := tree.Scope == ast.ScopeLocal
	if local && s.block != inBlock {
		s.warn(sqlerr.NoActiveSQLTransaction, "SET LOCAL can only be used in transaction blocks")
	}
	if tree.Default {
		if tree.Name == "all" {
			settings.ResetAll()
			return nil
		}
		return settings.Reset(tree.Name, local)
	}
	d, err := settings.table.Lookup(tree.Name)
	if err != nil {
		return err
	}
	value, err := settingText(d, tree.Values)
	if err != nil {
		return err
	}
	switch strings.ToLower(d.Name) {
	case "session_authorization":
		if value != s.state.User && value != "default" {
			return sqlerr.New(sqlerr.InsufficientPrivilege, "permission denied to set session authorization %q", value)
		}
		return nil
	case "transaction_read_only":
		access := ast.ReadWrite
		if v, err := d.parse(value, ""); err != nil {
			return err
		} else if v == "on" {
			access = ast.ReadOnly
		}
		return s.runSetTransaction(&ast.SetTransaction{Modes: ast.TransactionModes{Access: access}})
	}
	return settings.Set(d.Name, value, local)
}

// settingText joins the values of SET into the text that the setting reads.
func settingText(d *Setting, values []ast.Expr) (string, error) {
	texts := make([]string, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case *ast.Literal:
			texts[i] = v.Text
		case *ast.TypedLiteral:
			texts[i] = v.Text
		case *ast.IntervalLiteral:
			hours, err := intervalHours(v)
			if err != nil {
				return "", err
			}
			texts[i] = hours
		case *ast.ColumnRef:
			texts[i] = strings.Join(v.Parts, ".")
		default:
			return "", sqlerr.New(sqlerr.InvalidParameterValue, "SET %s takes constants only", d.Name)
		}
	}
	if d.Kind == KindNames {
		return joinNames(texts), nil
	}
	if len(texts) > 1 && d.Name != "DateStyle" {
		return "", sqlerr.New(sqlerr.InvalidParameterValue, "SET %s takes only one argument", d.Name)
	}
	return strings.Join(texts, ", "), nil
}

// intervalHours turns INTERVAL '+02:00' HOUR TO MINUTE into the zone "<+02>-02".
func intervalHours(v *ast.IntervalLiteral) (string, error) {
	text := strings.TrimSpace(v.Text)
	if v.Negative {
		text = "-" + text
	}
	west, ok := posixOffset(text)
	if !ok {
		return "", sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for parameter %q: %q", "TimeZone", v.Text)
	}
	return fixedZone(-west).String(), nil
}

func (s *Session) runDiscard(ctx context.Context, p *Portal, tree *ast.Discard) error {
	switch strings.ToUpper(tree.What) {
	case "ALL":
		if s.block != noBlock {
			return sqlerr.New(sqlerr.ActiveSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
		}
		s.closePortals(func(other *Portal) bool { return other != p })
		clear(s.statements)
		s.state.Settings.ResetAll()
		return s.manager.config.Engine.Discard(ctx, &s.state)
	case "TEMP", "TEMPORARY":
		if s.block != noBlock {
			return sqlerr.New(sqlerr.ActiveSQLTransaction, "DISCARD TEMP cannot run inside a transaction block")
		}
		return s.manager.config.Engine.Discard(ctx, &s.state)
	}
	return nil
}
