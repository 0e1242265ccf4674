package wiring

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/pgcatalog"
	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// virtualRelations offers the server's own tables: schemas system, pg_catalog and information_schema.
type virtualRelations struct{ connector *system.Connector }

func (v virtualRelations) Table(_ context.Context, tx *engine.Tx, database, schema, name string) (*connectors.Table, error) {
	if database != "" {
		return nil, nil
	}
	return v.connector.Resolve(tx.Token(), schema, name), nil
}

func (v virtualRelations) Stats(t *connectors.Table) (connectors.TableStats, bool) {
	return connectors.TableStats{Rows: 1000}, t.Connector == system.ConnectorName
}

// described is the source of pg_catalog: what a transaction's snapshot of the catalog and its
// session hold.
type described struct {
	system *System
	own    map[string][]connectors.VirtualTable // of schema system

	mu     sync.Mutex
	recent []snapshot // newest last
}

type snapshot struct {
	token   string
	changes int
	objects *pgcatalog.Objects
}

// keptSnapshots is how many transactions' objects are kept: statements read several tables, and call
// functions for every row.
const keptSnapshots = 16

func (d *described) live(token string) (*engine.Tx, error) {
	tx := d.system.Engine.Live(token)
	if tx == nil {
		return nil, sqlerr.Internal("the reading transaction has ended")
	}
	return tx, nil
}

// Objects gives what a transaction sees.
func (d *described) Objects(ctx context.Context, token string) (*pgcatalog.Objects, error) {
	tx, err := d.live(token)
	if err != nil {
		return nil, err
	}
	changes := tx.Changes()
	d.mu.Lock()
	for i := range d.recent {
		if d.recent[i].token == token && d.recent[i].changes == changes {
			defer d.mu.Unlock()
			return d.recent[i].objects, nil
		}
	}
	d.mu.Unlock()
	objects, err := d.list(ctx, tx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.recent) >= keptSnapshots {
		d.recent = slices.Delete(d.recent, 0, 1)
	}
	d.recent = append(d.recent, snapshot{token, changes, objects})
	return objects, nil
}

func (d *described) list(ctx context.Context, tx *engine.Tx) (*pgcatalog.Objects, error) {
	o := &pgcatalog.Objects{}
	names := []string{catalog.TempSchema}
	for _, s := range tx.Schemas() {
		o.Schemas = append(o.Schemas, pgcatalog.Schema{ID: s.ID, Name: s.Name, Owner: s.Owner, Comment: s.Comment})
		names = append(names, s.Name)
	}
	o.Schemas = append(o.Schemas, pgcatalog.Schema{Name: catalog.TempSchema})
	for _, schema := range names {
		for _, t := range tx.Definitions(schema) {
			o.Relations = append(o.Relations, relationOf(schema, t))
		}
	}
	for schema, tables := range d.own {
		o.Schemas = append(o.Schemas, pgcatalog.Schema{Name: schema, Comment: "the server's own tables"})
		for i := range tables {
			o.Relations = append(o.Relations, pgcatalog.Relation{Schema: schema, Name: tables[i].Name, Kind: connectors.Virtual,
				Comment: tables[i].Comment, Columns: tables[i].Columns})
		}
	}
	users, err := tx.Users(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		o.Users = append(o.Users, pgcatalog.User{Name: u.Name, Superuser: u.Superuser, Login: u.Login})
	}
	if me := tx.State.User; !slices.ContainsFunc(users, func(u catalog.User) bool { return u.Name == me }) {
		o.Users = append(o.Users, pgcatalog.User{Name: me, Superuser: true, Login: true})
	}
	return o, nil
}

func relationOf(schema string, t *catalog.Table) pgcatalog.Relation {
	r := pgcatalog.Relation{ID: t.ID, Schema: schema, Name: t.Name, Kind: t.Kind, Owner: t.Owner, Comment: t.Comment, ViewSQL: t.ViewSQL}
	for _, c := range t.Columns {
		r.Columns = append(r.Columns, connectors.Column{ID: c.ID, Name: c.Name, Type: c.Type, NotNull: c.NotNull, Comment: c.Comment, Default: c.Default})
	}
	for _, id := range t.Partition {
		for _, c := range t.Columns {
			if c.ID == id {
				r.Partition = append(r.Partition, c.Name)
			}
		}
	}
	for _, on := range t.DependsOn {
		r.DependsOn = append(r.DependsOn, on.Table)
	}
	return r
}

// Session describes the session of a transaction.
func (d *described) Session(token string) pgcatalog.Session {
	tx, err := d.live(token)
	if err != nil {
		return pgcatalog.Session{}
	}
	return pgcatalog.Session{User: tx.State.User, Database: tx.State.Database, SearchPath: tx.SearchPath()}
}

// Backends lists the live sessions.
func (d *described) Backends() []pgcatalog.Backend {
	var out []pgcatalog.Backend
	for _, a := range d.system.activities() {
		out = append(out, pgcatalog.Backend{PID: a.PID, User: a.User, Database: a.Database, Application: a.ApplicationName, Client: a.Client,
			State: string(a.Doing), Query: a.Query, Started: a.Started, TransactionStarted: a.TransactionStart, QueryStarted: a.QueryStarted, Changed: a.Changed})
	}
	return out
}

// Settings lists the settings as a transaction's session sees them.
func (d *described) Settings(token string) []pgcatalog.Setting {
	tx, err := d.live(token)
	if err != nil {
		return nil
	}
	var out []pgcatalog.Setting
	for _, s := range tx.State.Settings.Table().All() {
		out = append(out, pgcatalog.Setting{Name: s.Name, Value: tx.State.Settings.Get(s.Name), Default: s.Default, Doc: s.Doc, Type: s.Kind.String(),
			Choices: s.Choices, Fixed: s.Fixed})
	}
	return out
}

// Size sums the partitions of a table.
func (d *described) Size(ctx context.Context, token string, r *pgcatalog.Relation) (rows, bytes int64, err error) {
	tx, err := d.live(token)
	if err != nil {
		return 0, 0, err
	}
	partitions, err := tx.Partitions(ctx, r.ID)
	for _, p := range partitions {
		rows, bytes = rows+p.Rows, bytes+p.Bytes
	}
	return rows, bytes, err
}

// ownTables are the tables of schema system.
func (s *System) ownTables() map[string][]connectors.VirtualTable {
	tables := append(s.Catalog.VirtualTables(), system.Functions(s.Registry),
		system.Queries(s.queries), system.Stages(s.stages), system.QueryLog(s.endedQueries), system.Settings(s.settings), system.Metrics(s.metrics), system.Nodes(s.nodes),
		system.ResourceGroups(s.resourceGroups))
	return map[string][]connectors.VirtualTable{system.SchemaName: tables}
}

// UseSessions tells who knows the live sessions: pg_stat_activity and system.queries show none
// before. It may be called while queries run.
func (s *System) UseSessions(m *session.Manager) { s.sessions.Store(m) }

func (s *System) activities() []session.Activity {
	if m := s.sessions.Load(); m != nil {
		return m.Sessions()
	}
	return nil
}

// endBackend is pg_cancel_backend and pg_terminate_backend.
func (s *System) endBackend(state *session.State, pid int64, end func(*session.Manager, int32) bool) types.Datum {
	m := s.sessions.Load()
	if m != nil && pid == int64(int32(pid)) && end(m, int32(pid)) {
		return types.BoolDatum(true)
	}
	state.Notify(session.Notice{Severity: session.SeverityWarning, Message: fmt.Sprintf("PID %d is not a PostgreSQL server process", pid)})
	return types.BoolDatum(false)
}

// virtual makes the connector of the server's own tables, and what answers catalog functions.
func (s *System) virtual() (*system.Connector, *pgcatalog.Catalog, error) {
	own := s.ownTables()
	pg, err := pgcatalog.New(&described{system: s, own: own}, s.Registry)
	if err != nil {
		return nil, nil, err
	}
	schemas, err := pg.Tables()
	if err != nil {
		return nil, nil, err
	}
	for schema, tables := range own {
		schemas[schema] = tables
	}
	return system.New("", schemas), pg, nil
}

// lookup answers the questions of catalog functions.
func (s *System) lookup(pg *pgcatalog.Catalog) func(context.Context, *session.State, *catalog.Tx, string, []types.Datum) (types.Datum, error) {
	return func(ctx context.Context, state *session.State, tx *catalog.Tx, kind string, args []types.Datum) (types.Datum, error) {
		if answer, known, err := pg.Lookup(ctx, tx.Token(), kind, args); known {
			return answer, err
		}
		switch kind {
		case "cancel backend":
			return s.endBackend(state, args[0].I64, (*session.Manager).CancelBackend), nil
		case "terminate backend":
			return s.endBackend(state, args[0].I64, (*session.Manager).TerminateBackend), nil
		}
		return sessionLookup(state, kind, args)
	}
}

// sessionLookup answers what only the session knows.
func sessionLookup(state *session.State, kind string, args []types.Datum) (types.Datum, error) {
	switch kind {
	case "setting":
		_, value, err := state.Settings.Show(args[0].Str)
		return types.StringDatum(value), err
	case "set setting":
		if err := state.Settings.Set(args[0].Str, args[1].Str, args[2].I64 != 0); err != nil {
			return types.NullDatum(), err
		}
		_, value, err := state.Settings.Show(args[0].Str)
		return types.StringDatum(value), err
	case "started":
		return types.IntDatum(state.Started.UnixMicro()), nil
	}
	return types.NullDatum(), sqlerr.Internal("no answer to %q", kind)
}
