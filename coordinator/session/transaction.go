package session

import (
	"context"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// blockState is where the session stands with respect to transaction blocks.
type blockState uint8

const (
	noBlock     blockState = iota // no transaction
	implicit                      // a transaction that ends with the command
	inBlock                       // after BEGIN
	blockFailed                   // after an error in a block
)

// savepoint is one SAVEPOINT of the block.
type savepoint struct {
	name           string
	mark, settings int
}

// Status is the state that ReadyForQuery tells: 'I' idle, 'T' in a block, 'E' in a failed one.
func (s *Session) Status() byte {
	switch s.block {
	case inBlock:
		return 'T'
	case blockFailed:
		return 'E'
	}
	return 'I'
}

// ensureTransaction opens an implicit transaction when none is open.
func (s *Session) ensureTransaction(ctx context.Context) error {
	if s.block != noBlock {
		return nil
	}
	if err := s.openTransaction(ctx, ast.TransactionModes{}); err != nil {
		return err
	}
	s.block = implicit
	return nil
}

func (s *Session) openTransaction(ctx context.Context, modes ast.TransactionModes) error {
	tx, err := s.manager.config.Engine.Begin(ctx, &s.state, modes)
	if err != nil {
		return err
	}
	s.state.Tx, s.modes, s.queried = tx, modes, false
	s.state.TransactionTime = s.manager.config.Clock()
	s.state.StatementTime = s.state.TransactionTime
	s.setAccess(modes.Access)
	return nil
}

func (s *Session) setAccess(access ast.Access) {
	switch access {
	case ast.ReadOnly:
		s.state.ReadOnly = true
	case ast.ReadWrite:
		s.state.ReadOnly = false
	default:
		s.state.ReadOnly = s.state.Settings.Bool("default_transaction_read_only")
	}
	value := "off"
	if s.state.ReadOnly {
		value = "on"
	}
	if s.state.Settings.Get("transaction_read_only") != value {
		s.state.Settings.force("transaction_read_only", value)
	}
}

// EndImplicit commits the implicit transaction, if one is open: at Sync, and before the last
// command tag of a simple query message. After an error nothing is left open.
func (s *Session) EndImplicit(ctx context.Context) error {
	switch s.block {
	case noBlock:
		s.state.Settings.commit()
		s.closePortals(func(p *Portal) bool { return !p.held })
		return nil
	case implicit:
		return s.commit(ctx)
	}
	return nil
}

// commit ends the open transaction. Held cursors take their rows with them.
func (s *Session) commit(ctx context.Context) error {
	if err := s.holdCursors(ctx); err != nil {
		s.rollback(context.WithoutCancel(ctx))
		return err
	}
	s.closePortals(func(p *Portal) bool { return !p.held })
	tx := s.state.Tx
	s.state.Tx, s.block, s.savepoints = nil, noBlock, nil
	if tx == nil {
		return nil
	}
	if err := tx.Commit(ctx); err != nil {
		s.state.Settings.rollbackTo(0)
		s.closed()
		return err
	}
	s.state.Settings.commit()
	s.closed()
	return nil
}

// rollback drops the open transaction, if any; what the catalog makes of it is not the client's
// concern, so it cannot fail.
func (s *Session) rollback(ctx context.Context) {
	if s.state.Tx == nil {
		return
	}
	s.closePortals(func(p *Portal) bool { return !p.held })
	tx := s.state.Tx
	s.state.Tx, s.block, s.savepoints = nil, noBlock, nil
	_ = tx.Rollback(context.WithoutCancel(ctx))
	s.state.Settings.rollbackTo(0)
	s.closed()
}

func (s *Session) closed() { s.state.ReadOnly = false }

// Fail notes that a statement failed: an implicit transaction is rolled back, a block waits for its
// end. It is called once for every error that is sent to the client.
func (s *Session) Fail(ctx context.Context) {
	switch s.block {
	case noBlock:
		s.state.Settings.rollbackTo(0)
		s.closePortals(func(p *Portal) bool { return !p.held })
	case implicit:
		s.rollback(ctx)
	case inBlock:
		s.block = blockFailed
		depth := len(s.savepoints)
		s.closePortals(func(p *Portal) bool { return !p.held && p.depth >= depth })
	}
}

// runTransaction is BEGIN, COMMIT, ROLLBACK and the savepoints. It gives the tag.
func (s *Session) runTransaction(ctx context.Context, st *ast.Transaction) (string, error) {
	tag := tagOfTransaction(st)
	switch st.Kind {
	case ast.Begin:
		return tag, s.beginBlock(ctx, st.Modes)
	case ast.Commit:
		return s.endBlock(ctx, st, tag)
	case ast.Rollback:
		return s.abortBlock(ctx, st, tag)
	}
	if s.block != inBlock && s.block != blockFailed {
		return "", sqlerr.New(sqlerr.NoActiveSQLTransaction, "%s can only be used in transaction blocks", blockWords[st.Kind])
	}
	switch st.Kind {
	case ast.Savepoint:
		mark, err := s.state.Tx.Savepoint(ctx)
		if err != nil {
			return "", err
		}
		s.savepoints = append(s.savepoints, savepoint{st.Savepoint, mark, s.state.Settings.mark()})
		return tag, nil
	case ast.ReleaseSavepoint:
		at, err := s.findSavepoint(st.Savepoint)
		if err != nil {
			return "", err
		}
		s.savepoints = s.savepoints[:at]
		for _, p := range s.portals {
			p.depth = min(p.depth, at)
		}
		return tag, nil
	}
	return tag, s.rollbackToSavepoint(ctx, st.Savepoint)
}

var blockWords = map[ast.TransactionKind]string{
	ast.Savepoint: "SAVEPOINT", ast.ReleaseSavepoint: "RELEASE SAVEPOINT", ast.RollbackToSavepoint: "ROLLBACK TO SAVEPOINT",
}

func (s *Session) beginBlock(ctx context.Context, modes ast.TransactionModes) error {
	switch s.block {
	case inBlock:
		s.warn(sqlerr.ActiveSQLTransaction, "there is already a transaction in progress")
		return nil
	case implicit:
		s.block = inBlock
		s.setAccess(modes.Access)
		return nil
	}
	if err := s.openTransaction(ctx, modes); err != nil {
		return err
	}
	s.block = inBlock
	return nil
}

func (s *Session) endBlock(ctx context.Context, st *ast.Transaction, tag string) (string, error) {
	if s.block == blockFailed {
		return s.abortBlock(ctx, st, "ROLLBACK")
	}
	outside := s.block != inBlock
	if outside {
		if st.Chain {
			return "", sqlerr.New(sqlerr.NoActiveSQLTransaction, "COMMIT AND CHAIN can only be used in transaction blocks")
		}
		s.warn(sqlerr.NoActiveSQLTransaction, "there is no transaction in progress")
	}
	modes := s.modes
	if err := s.commit(ctx); err != nil {
		return "", err
	}
	return tag, s.chain(ctx, st, modes)
}

func (s *Session) abortBlock(ctx context.Context, st *ast.Transaction, tag string) (string, error) {
	if s.block != inBlock && s.block != blockFailed {
		if st.Chain {
			return "", sqlerr.New(sqlerr.NoActiveSQLTransaction, "ROLLBACK AND CHAIN can only be used in transaction blocks")
		}
		s.warn(sqlerr.NoActiveSQLTransaction, "there is no transaction in progress")
	}
	modes := s.modes
	s.rollback(ctx)
	return tag, s.chain(ctx, st, modes)
}

func (s *Session) chain(ctx context.Context, st *ast.Transaction, modes ast.TransactionModes) error {
	if !st.Chain {
		return nil
	}
	return s.beginBlock(ctx, modes)
}

func (s *Session) findSavepoint(name string) (int, error) {
	for i := len(s.savepoints) - 1; i >= 0; i-- {
		if s.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, sqlerr.New(sqlerr.InvalidSavepointSpecification, "savepoint %q does not exist", name)
}

func (s *Session) rollbackToSavepoint(ctx context.Context, name string) error {
	at, err := s.findSavepoint(name)
	if err != nil {
		return err
	}
	s.closePortals(func(p *Portal) bool { return !p.held && p.depth > at })
	point := s.savepoints[at]
	if err := s.state.Tx.RollbackTo(ctx, point.mark); err != nil {
		return err
	}
	s.state.Settings.rollbackTo(point.settings)
	s.savepoints = s.savepoints[:at+1]
	s.block = inBlock
	return nil
}

// runSetTransaction is SET TRANSACTION and SET SESSION CHARACTERISTICS.
func (s *Session) runSetTransaction(st *ast.SetTransaction) error {
	if st.Session {
		if st.Modes.Access != ast.AccessUnset {
			value := "off"
			if st.Modes.Access == ast.ReadOnly {
				value = "on"
			}
			return s.state.Settings.Set("default_transaction_read_only", value, false)
		}
		return nil
	}
	if s.block != inBlock {
		s.warn(sqlerr.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks")
		return nil
	}
	if st.Snapshot != "" {
		return sqlerr.New(sqlerr.FeatureNotSupported, "SET TRANSACTION SNAPSHOT is not supported").
			WithHint("Read an older state with FOR VERSION AS OF or FOR TIMESTAMP AS OF.")
	}
	if st.Modes.Isolation != ast.IsolationUnset && s.queried {
		return sqlerr.New(sqlerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
	}
	if st.Modes.Access == ast.ReadWrite && s.state.ReadOnly && s.queried {
		return sqlerr.New(sqlerr.ActiveSQLTransaction, "transaction read-write mode must be set before any query")
	}
	if st.Modes.Access != ast.AccessUnset {
		s.setAccess(st.Modes.Access)
	}
	return nil
}

func (s *Session) warn(code sqlerr.Code, message string) {
	s.state.Notify(Notice{Severity: SeverityWarning, Code: code, Message: message})
}
