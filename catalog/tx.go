package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Tx reads one snapshot of the catalog and stages changes to it in memory. Statements of one
// session use it one after the other; scans that they started may list files at the same time.
type Tx struct {
	c     *Catalog
	base  *directory
	token string
	user  string
	temp  *Temp
	// searchPath is Session.SearchPath.
	searchPath func() []string
	// tempBase is the session's temporary tables when the transaction began.
	tempBase *tempState

	mu         sync.Mutex
	state      *staged
	savepoints []savepoint
	done       bool
	past       []int64                     // older commits that it reads as well
	resolved   map[int64]*connectors.Table // of the present state
	overlaid   map[int64][]*Partition      // of the present state
}

type savepoint struct {
	name  string
	state *staged
}

// staged is what a transaction has changed. Values in its maps are immutable, so that a shallow
// copy of the maps is a savepoint.
type staged struct {
	count    int               // grows with every change
	schemas  map[int64]*Schema // nil: dropped
	tables   map[int64]*Table  // nil: dropped
	writes   map[int64]*tableWrites
	users    map[string]*User       // nil: dropped
	settings map[settingKey]*string // nil: reset
	// tolerant marks objects whose creator can do without them: IF NOT EXISTS, OR REPLACE, a rename.
	tolerant   map[int64]bool
	operations map[int64]string
	sketches   map[int64][]byte // by ANALYZE
}

type settingKey struct{ user, name string }

func newStaged() *staged {
	return &staged{schemas: map[int64]*Schema{}, tables: map[int64]*Table{}, writes: map[int64]*tableWrites{},
		users: map[string]*User{}, settings: map[settingKey]*string{}, tolerant: map[int64]bool{},
		operations: map[int64]string{}, sketches: map[int64][]byte{}}
}

func (s *staged) clone() *staged {
	return &staged{count: s.count, schemas: maps.Clone(s.schemas), tables: maps.Clone(s.tables), writes: maps.Clone(s.writes),
		users: maps.Clone(s.users), settings: maps.Clone(s.settings), tolerant: maps.Clone(s.tolerant),
		operations: maps.Clone(s.operations), sketches: maps.Clone(s.sketches)}
}

// Session says on whose behalf a transaction runs.
type Session struct {
	User string
	Temp *Temp // nil: no temporary tables
	// SearchPath tells which schemas' relations messages name without the schema; nil: public.
	SearchPath func() []string
}

// Begin fixes a snapshot: the newest commit. The transaction must be ended by Commit or Rollback,
// and until then protects its snapshot from VACUUM.
func (c *Catalog) Begin(ctx context.Context, session Session) (*Tx, error) {
	for {
		base, err := c.refresh(ctx)
		if err != nil {
			return nil, err
		}
		tx := &Tx{c: c, base: base, token: newToken(), user: session.User, temp: session.Temp, searchPath: session.SearchPath, state: newStaged(),
			tempBase: emptyTemp(), resolved: map[int64]*connectors.Table{}, overlaid: map[int64][]*Partition{}}
		if tx.searchPath == nil {
			tx.searchPath = func() []string { return []string{"public"} }
		}
		if session.Temp != nil {
			tx.tempBase = session.Temp.state.Load()
		}
		if c.enter(tx) {
			return tx, nil
		}
	}
}

// Snapshot is the number of the commit that the transaction reads.
func (tx *Tx) Snapshot() int64 { return tx.base.commit }

// Changes grows whenever the transaction stages something; with Snapshot it tells whether a plan
// made earlier still holds.
func (tx *Tx) Changes() int {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.state.count
}

// Savepoint remembers the present state under a name, hiding an older savepoint of that name.
func (tx *Tx) Savepoint(name string) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.savepoints = append(tx.savepoints, savepoint{name, tx.state})
	tx.state = tx.state.clone()
}

// RollbackTo restores the state at a savepoint, which stays; later ones are gone.
func (tx *Tx) RollbackTo(name string) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	at, err := tx.findSavepoint(name)
	if err != nil {
		return err
	}
	count := tx.state.count
	tx.savepoints = tx.savepoints[:at+1]
	tx.state = tx.savepoints[at].state.clone()
	tx.state.count = count
	tx.changed()
	return nil
}

// Release forgets a savepoint and all later ones, keeping their changes.
func (tx *Tx) Release(name string) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	at, err := tx.findSavepoint(name)
	if err == nil {
		tx.savepoints = tx.savepoints[:at]
	}
	return err
}

func (tx *Tx) findSavepoint(name string) (int, error) {
	for at := len(tx.savepoints) - 1; at >= 0; at-- {
		if tx.savepoints[at].name == name {
			return at, nil
		}
	}
	return 0, sqlerr.New(sqlerr.InvalidSavepointSpecification, "savepoint %q does not exist", name)
}

// Rollback ends the transaction and forgets what it staged. After Commit it does nothing.
func (tx *Tx) Rollback() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.end()
}

// end is called with mu held.
func (tx *Tx) end() {
	if !tx.done {
		tx.done = true
		tx.c.leave(tx)
	}
}

// changed must follow every change of state, with mu held.
func (tx *Tx) changed() {
	tx.state.count++
	clear(tx.resolved)
	clear(tx.overlaid)
}

// stage runs change with mu held; when it fails the state is as before.
func (tx *Tx) stage(change func(s *staged) error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return sqlerr.Internal("transaction has ended")
	}
	before, count := tx.state, tx.state.count
	tx.state = before.clone()
	if err := change(tx.state); err != nil {
		tx.state = before
		tx.state.count = count
		clear(tx.overlaid)
		return err
	}
	tx.changed()
	return nil
}

// schemaNamed finds a schema by name in the present state; nil if there is none.
func (tx *Tx) schemaNamed(name string) *Schema {
	for _, s := range tx.state.schemas {
		if s != nil && s.Name == name {
			return s
		}
	}
	if name == TempSchema {
		return tempSchema()
	}
	id, ok := tx.base.schemaByName[name]
	if _, changed := tx.state.schemas[id]; !ok || changed {
		return nil
	}
	return tx.base.schemas[id]
}

func (tx *Tx) schemaByID(id int64) *Schema {
	if s, changed := tx.state.schemas[id]; changed {
		return s
	}
	if id == tempSchemaID {
		return tempSchema()
	}
	return tx.base.schemas[id]
}

// tableNamed finds a table or view by name in the present state; nil if there is none.
func (tx *Tx) tableNamed(schema int64, name string) *Table {
	for _, t := range tx.state.tables {
		if t != nil && t.SchemaID == schema && t.Name == name {
			return t
		}
	}
	if schema == tempSchemaID {
		id, ok := tx.tempBase.byName[name]
		if _, changed := tx.state.tables[id]; !ok || changed {
			return nil
		}
		return tx.tempBase.tables[id]
	}
	id, ok := tx.base.byName[tableName{schema, name}]
	if _, changed := tx.state.tables[id]; !ok || changed {
		return nil
	}
	return tx.base.tables[id]
}

// tableByID finds a table in the present state; nil if it is gone.
func (tx *Tx) tableByID(id int64) *Table {
	if t, changed := tx.state.tables[id]; changed {
		return t
	}
	return tx.baseTable(id)
}

// baseTable finds a table as it was when the transaction began.
func (tx *Tx) baseTable(id int64) *Table {
	if id < 0 {
		return tx.tempBase.tables[id]
	}
	return tx.base.tables[id]
}

// Schemas lists the schemas of the present state by name, the temporary one not among them.
func (tx *Tx) Schemas() []*Schema {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	var out []*Schema
	for id, s := range tx.base.schemas {
		if _, changed := tx.state.schemas[id]; !changed {
			out = append(out, s)
		}
	}
	for _, s := range tx.state.schemas {
		if s != nil {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Schema) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Schema finds a schema by name; nil if there is none.
func (tx *Tx) Schema(name string) *Schema {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.schemaNamed(name)
}

// Definitions lists the tables and views of a schema by name.
func (tx *Tx) Definitions(schema string) []*Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	s := tx.schemaNamed(schema)
	if s == nil {
		return nil
	}
	return tx.definitions(s.ID)
}

func (tx *Tx) definitions(schema int64) []*Table {
	var out []*Table
	keep := func(id int64, t *Table) {
		if _, changed := tx.state.tables[id]; !changed && t.SchemaID == schema {
			out = append(out, t)
		}
	}
	for id, t := range tx.base.tables {
		keep(id, t)
	}
	for id, t := range tx.tempBase.tables {
		keep(id, t)
	}
	for _, t := range tx.state.tables {
		if t != nil && t.SchemaID == schema {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Definition finds a table or view; nil if there is none.
func (tx *Tx) Definition(schema, name string) *Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	s := tx.schemaNamed(schema)
	if s == nil {
		return nil
	}
	return tx.tableNamed(s.ID, name)
}

// DefinitionByID finds a table or view by its ID; nil if it is gone.
func (tx *Tx) DefinitionByID(id int64) *Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.tableByID(id)
}

// SchemaName gives the name of the schema that holds a table.
func (tx *Tx) SchemaName(t *Table) string {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.schemaName(t)
}

func (tx *Tx) schemaName(t *Table) string {
	if s := tx.schemaByID(t.SchemaID); s != nil {
		return s.Name
	}
	return ""
}
