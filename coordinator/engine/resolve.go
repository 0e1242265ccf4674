package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/binder"
)

// names answers the binder's questions in one statement's snapshot.
type names struct {
	tx    *Tx
	write *binder.WriteSpec // the write that was begun
	// given holds tables that have no name in SQL: they are written as "".name.
	given map[string]*connectors.Table
	// direct lists the relations that the statement itself names, those inside views not among them.
	direct []*connectors.Table
}

// ResolveTable finds a relation by its name as written.
func (n *names) ResolveTable(ctx context.Context, name binder.TableName) (*connectors.Table, error) {
	if len(name.Parts) == 2 && name.Parts[0] == "" {
		return n.given[name.Parts[1]], nil
	}
	t, err := n.resolve(ctx, name)
	if t != nil && name.View == 0 && !slices.Contains(n.direct, t) {
		n.direct = append(n.direct, t)
	}
	return t, err
}

func (n *names) resolve(ctx context.Context, name binder.TableName) (*connectors.Table, error) {
	t, err := n.find(ctx, name)
	if err != nil || t == nil || name.AsOf == nil {
		return t, err
	}
	if t.Connector != catalog.ConnectorName {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "relation %q has no versions", t.Name)
	}
	if name.AsOf.Timestamp {
		return n.tx.AtTime(ctx, t.ID, time.UnixMicro(name.AsOf.Value.I64))
	}
	return n.tx.AtVersion(ctx, t.ID, name.AsOf.Value.I64)
}

// find gives what a name means now, and inside a view what it meant when the view was made.
func (n *names) find(ctx context.Context, name binder.TableName) (*connectors.Table, error) {
	if name.View == 0 {
		return n.tx.Resolve(ctx, name.Parts, name.SearchPath)
	}
	path := name.SearchPath
	if len(name.Parts) > 1 {
		path = name.Parts[len(name.Parts)-2 : len(name.Parts)-1]
	}
	for _, schema := range path {
		if t := n.tx.ResolveDependency(name.View, schema, name.Parts[len(name.Parts)-1]); t != nil {
			return t, nil
		}
	}
	if name.View > 0 { // temporary tables are nothing to a view that is not temporary itself
		path = slices.DeleteFunc(slices.Clone(name.SearchPath), func(s string) bool { return s == catalog.TempSchema })
	}
	return n.tx.Resolve(ctx, name.Parts, path)
}

// Resolve finds a relation: nil if there is none. A nil path is the session's.
func (tx *Tx) Resolve(ctx context.Context, parts, path []string) (*connectors.Table, error) {
	if path == nil {
		path = tx.SearchPath()
	}
	switch len(parts) {
	case 1:
		for _, schema := range path {
			if t, err := tx.lookUp(ctx, "", schema, parts[0]); t != nil || err != nil {
				return t, err
			}
		}
		return nil, nil
	case 2:
		return tx.lookUp(ctx, "", parts[0], parts[1])
	case 3:
		database := parts[0]
		if database == tx.State.Database {
			database = ""
		}
		t, err := tx.lookUp(ctx, database, parts[1], parts[2])
		if t == nil && err == nil && database != "" {
			return nil, sqlerr.New(sqlerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"", parts[0], parts[1], parts[2])
		}
		return t, err
	}
	return nil, sqlerr.New(sqlerr.SyntaxError, "improper qualified name (too many dotted names)")
}

func (tx *Tx) lookUp(ctx context.Context, database, schema, name string) (*connectors.Table, error) {
	if database == "" {
		if t := tx.Tx.Resolve(schema, name); t != nil {
			return t, nil
		}
	}
	for _, r := range tx.Engine.config.Relations {
		if t, err := r.Table(ctx, tx, database, schema, name); t != nil || err != nil {
			return t, err
		}
	}
	return nil, nil
}

// ResolveTableFunction finds what a file function stands for.
func (n *names) ResolveTableFunction(ctx context.Context, call binder.TableFunctionCall) (*connectors.Table, error) {
	functions := n.tx.Engine.config.Functions
	if functions == nil {
		return nil, nil
	}
	args := make([]TableArgument, len(call.Args))
	for i, a := range call.Args {
		args[i] = TableArgument(a)
	}
	return functions.Resolve(ctx, call.Name, args)
}

// LatestPartition gives the greatest value of a table's first partition column.
func (n *names) LatestPartition(ctx context.Context, name binder.TableName) (types.Datum, types.Type, error) {
	t, err := n.find(ctx, name)
	switch {
	case err != nil:
		return types.Datum{}, types.Type{}, err
	case t == nil:
		missing := sqlerr.New(sqlerr.UndefinedTable, "relation %q does not exist", strings.Join(name.Parts, "."))
		if near := n.tx.NearestRelation(ctx, name.Parts); near != "" {
			return types.Datum{}, types.Type{}, missing.WithHint("Perhaps you meant to reference the table %q.", near)
		}
		return types.Datum{}, types.Type{}, missing
	case t.Connector != catalog.ConnectorName || t.Kind == connectors.View:
		return types.Datum{}, types.Type{}, sqlerr.New(sqlerr.WrongObjectType, "%q is not a partitioned table", t.Name)
	}
	if name.View == 0 && !slices.Contains(n.direct, t) {
		n.direct = append(n.direct, t)
	}
	return n.tx.LatestPartition(ctx, t.Schema, t.Name)
}

// NearestTable suggests a relation whose name is spelt much like the one sought.
func (n *names) NearestTable(ctx context.Context, name binder.TableName) string {
	return n.tx.NearestRelation(ctx, name.Parts)
}

// NearestRelation suggests a relation for a name that does not exist, as it should be written; "" for none.
func (tx *Tx) NearestRelation(_ context.Context, parts []string) string {
	wanted := parts[len(parts)-1]
	path := tx.SearchPath()
	if len(parts) > 1 {
		path = []string{parts[len(parts)-2]}
	}
	best, distance := "", len(wanted)/3+1
	for _, s := range tx.Schemas() {
		onPath := slices.Contains(path, s.Name)
		for _, t := range tx.Definitions(s.Name) {
			d := editDistance(wanted, t.Name)
			if !onPath {
				d++
			}
			if d > distance || d == distance && best != "" {
				continue
			}
			best, distance = t.Name, d
			if len(parts) > 1 || !onPath {
				best = s.Name + "." + t.Name
			}
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			previous, row[j+1] = row[j+1], min(previous+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// BeginWrite says where an INSERT's rows go.
func (n *names) BeginWrite(_ context.Context, write binder.WriteSpec) (connectors.Target, error) {
	t := write.Table
	if t.Connector != catalog.ConnectorName || t.Kind != connectors.BaseTable && t.Kind != connectors.Temporary {
		return connectors.Target{}, sqlerr.New(sqlerr.WrongObjectType, "cannot insert into %q", t.Name).
			WithDetail("Rows can be written to tables of the catalog that own their files.")
	}
	if n.tx.State.ReadOnly && t.Kind != connectors.Temporary {
		return connectors.Target{}, sqlerr.New(sqlerr.ReadOnlySQLTransaction, "cannot execute INSERT in a read-only transaction")
	}
	n.write = &write
	return t.Target(), nil
}
