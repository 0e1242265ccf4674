package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ConnectorName is the connector that reads and writes the catalog's tables.
const ConnectorName = "lake"

// Resolve finds a table or view in the transaction's snapshot with its staged changes; nil if there
// is none. The result is immutable and describes that state.
func (tx *Tx) Resolve(schema, name string) *connectors.Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	s := tx.schemaNamed(schema)
	if s == nil {
		return nil
	}
	return tx.relation(tx.tableNamed(s.ID, name))
}

// ResolveID finds a table or view by its ID; nil if it is gone.
func (tx *Tx) ResolveID(id int64) *connectors.Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.relation(tx.tableByID(id))
}

// ResolveWithin finds what a view means by a name: what had that name when the view was made, under
// whatever name it stands now, else what has the name now.
func (tx *Tx) ResolveWithin(view int64, schema, name string) *connectors.Table {
	if t := tx.ResolveDependency(view, schema, name); t != nil {
		return t
	}
	return tx.Resolve(schema, name)
}

// ResolveDependency finds the relation that a view has always meant by a name, with the columns, under
// the names, that it had when the view was made; nil when the view was not made with it.
func (tx *Tx) ResolveDependency(view int64, schema, name string) *connectors.Table {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	v := tx.tableByID(view)
	if v == nil {
		return nil
	}
	for _, on := range v.DependsOn {
		if on.Schema != schema || on.Name != name {
			continue
		}
		if t := tx.tableByID(on.Table); t != nil {
			return seen(tx.relation(t), on.Seen)
		}
	}
	return nil
}

// seen gives a relation without the columns that were added after a view on it had been made, and
// those that were there under their names of that time. Columns are added behind all others, so that
// ordinals stay what they are.
func seen(t *connectors.Table, columns []SeenColumn) *connectors.Table {
	if len(columns) == 0 {
		return t
	}
	out := *t
	out.Columns = nil
	for _, c := range t.Columns {
		at := slices.IndexFunc(columns, func(s SeenColumn) bool { return s.ID == c.ID })
		if at < 0 {
			break
		}
		c.Name = columns[at].Name
		out.Columns = append(out.Columns, c)
	}
	return &out
}

// relation is called with mu held; a nil table gives nil.
func (tx *Tx) relation(t *Table) *connectors.Table {
	if t == nil {
		return nil
	}
	if known := tx.resolved[t.ID]; known != nil {
		return known
	}
	handle := fileTable(t, tx.headCommit(t.ID))
	if t.ID < 0 || tx.state.writes[t.ID] != nil || tx.base.tables[t.ID] == nil {
		handle.Transaction = tx.token
	}
	out := relationOf(t, tx.schemaName(t), handle)
	tx.resolved[t.ID] = out
	return out
}

// headCommit is the last commit up to the snapshot that changed the table.
func (tx *Tx) headCommit(id int64) int64 {
	if h, ok := tx.base.heads[id]; ok {
		return h.commit
	}
	return tx.base.commit
}

func fileTable(t *Table, commit int64) *connectors.FileTable {
	out := &connectors.FileTable{ID: t.ID, Commit: commit, Location: t.Location, Format: t.Format,
		Partition: t.ordinals(t.Partition), SortedBy: t.ordinals(t.SortedBy), Properties: t.Properties}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, connectors.FileColumn{ID: c.ID, Name: c.Name, StorageName: c.StorageName, Type: c.Type, NotNull: c.NotNull})
	}
	return out
}

func relationOf(t *Table, schema string, handle *connectors.FileTable) *connectors.Table {
	out := &connectors.Table{Connector: ConnectorName, Schema: schema, Name: t.Name, ID: t.ID, Kind: t.Kind,
		Partition: t.ordinals(t.Partition), SortedBy: t.ordinals(t.SortedBy), Properties: maps.Clone(t.Properties),
		ViewSQL: t.ViewSQL, SearchPath: slices.Clone(t.SearchPath)}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, connectors.Column{ID: c.ID, Name: c.Name, Type: c.Type, NotNull: c.NotNull, Comment: c.Comment, Default: c.Default})
	}
	if t.Kind != connectors.View {
		out.Handle = handle.Encode()
	}
	return out
}

// Files implements connectors.FileLister: scans of snapshots and of live transactions.
func (c *Catalog) Files(ctx context.Context, scan connectors.Scan) (connectors.FileList, error) {
	handle, err := connectors.ParseFileTable(scan.Handle)
	if err != nil {
		return connectors.FileList{}, err
	}
	partitions, err := c.partitionsOf(ctx, handle)
	if err != nil {
		return connectors.FileList{}, err
	}
	return c.prunedFiles(ctx, handle, partitions, newPruner(handle, scan.Columns, scan.Domains))
}

// partitionsOf lists the partitions that a handle stands for.
func (c *Catalog) partitionsOf(ctx context.Context, handle *connectors.FileTable) ([]*Partition, error) {
	if handle.Transaction == "" {
		return c.partitionsAt(ctx, handle.ID, handle.Commit, handle.PartitionTypes())
	}
	tx := c.liveTx(handle.Transaction)
	if tx == nil {
		return nil, sqlerr.Internal("the transaction of table %d has ended", handle.ID)
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.partitions(ctx, handle.ID)
}

func (c *Catalog) prunedFiles(ctx context.Context, handle *connectors.FileTable, partitions []*Partition, p *pruner) (connectors.FileList, error) {
	var list connectors.FileList
	kept := make([]*Partition, 0, len(partitions))
	for _, each := range partitions {
		list.Total += int(each.Files)
		if p.partition(each) {
			kept = append(kept, each)
		}
	}
	files, err := c.filesOf(ctx, handle.ID, handle.Commit, kept)
	if err != nil {
		return list, err
	}
	list.Files, err = p.files(files)
	return list, err
}
