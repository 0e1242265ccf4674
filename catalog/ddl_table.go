package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// CreateTable describes a table to be made.
type CreateTable struct {
	Name
	Kind       connectors.TableKind // BaseTable, External or Temporary
	Columns    []Column             // without IDs and storage names
	Partition  []string             // column names
	SortedBy   []string
	Format     string // "" is parquet
	Location   string // "" is chosen
	Comment    string
	Owner      string
	Properties map[string]string // as the user wrote them
	// IfNotExists leaves an existing relation alone; OrReplace drops an existing table. Views on that
	// read the new one if it begins with the same columns, else they refuse it.
	IfNotExists, OrReplace bool
}

func duplicateRelation(name string) *sqlerr.Error {
	return sqlerr.New(sqlerr.DuplicateTable, "relation %q already exists", name)
}

// CreateTable stages a table. When a relation of that name exists and IfNotExists is set, the
// result is nil.
func (tx *Tx) CreateTable(ctx context.Context, create CreateTable) (*Table, error) {
	t, err := create.define()
	if err != nil {
		return nil, err
	}
	if t.Owner == "" {
		t.Owner = tx.user
	}
	if t.Kind == connectors.Temporary {
		if tx.temp == nil {
			return nil, sqlerr.New(sqlerr.FeatureNotSupported, "temporary tables need a session")
		}
		t.ID = tx.temp.newID()
		t.Location = fmt.Sprintf("%s/%s-%d", strings.TrimRight(tx.temp.location, "/"), partition.Escape(t.Name), -t.ID)
		create.Schema = TempSchema
	} else if t.ID, err = tx.c.newID(ctx); err != nil {
		return nil, err
	}
	if err := tx.chooseLocation(ctx, create.Schema, t); err != nil {
		return nil, err
	}
	var made *Table
	err = tx.stage(func(state *staged) error {
		s := tx.schemaNamed(create.Schema)
		if s == nil {
			return missingSchema(create.Schema)
		}
		if old := tx.tableNamed(s.ID, t.Name); old != nil {
			if create.IfNotExists {
				return nil
			}
			if !create.OrReplace {
				return duplicateRelation(t.Name)
			}
			if old.Kind == connectors.View {
				return sqlerr.New(sqlerr.WrongObjectType, "%q is not a table", t.Name)
			}
			for _, view := range tx.viewsOn(old.ID) {
				if moved := view.readInstead(old, t); moved != nil {
					state.tables[view.ID] = moved
				}
			}
			if err := tx.dropChecked([]*Table{old}, "table", false); err != nil {
				return err
			}
		}
		t.SchemaID = s.ID
		state.tables[t.ID] = t
		state.tolerant[t.ID] = create.IfNotExists || create.OrReplace
		state.operations[t.ID] = "CREATE TABLE"
		made = t
		return nil
	})
	return made, err
}

// readInstead gives the view v with another table in the place of one that it reads; nil when that
// one does not begin with the columns that the view knows.
func (v *Table) readInstead(old, other *Table) *Table {
	out := v.clone()
	for at := range out.DependsOn {
		on := &out.DependsOn[at]
		if on.Table != old.ID {
			continue
		}
		ids := map[int32]int32{}
		for i, c := range old.Columns {
			if len(on.Seen) > 0 && !slices.ContainsFunc(on.Seen, func(s SeenColumn) bool { return s.ID == c.ID }) {
				break // added after the view was made
			}
			if i >= len(other.Columns) || other.Columns[i].Name != c.Name || !other.Columns[i].Type.Equal(c.Type) {
				return nil
			}
			ids[c.ID] = other.Columns[i].ID
		}
		moved := Dependency{Table: other.ID, Schema: on.Schema, Name: on.Name}
		for _, id := range on.Columns {
			moved.Columns = append(moved.Columns, ids[id])
		}
		for _, s := range on.Seen {
			if id, ok := ids[s.ID]; ok {
				moved.Seen = append(moved.Seen, SeenColumn{id, s.Name})
			}
		}
		slices.Sort(moved.Columns)
		*on = moved
	}
	return out
}

// define checks what the user wrote and numbers the columns.
func (create *CreateTable) define() (*Table, error) {
	t := &Table{Name: create.Name.Name, Kind: create.Kind, Location: create.Location, Comment: create.Comment, Owner: create.Owner}
	seen := map[string]bool{}
	storage := map[string]bool{}
	for i, c := range create.Columns {
		if seen[c.Name] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "column %q specified more than once", c.Name)
		}
		seen[c.Name] = true
		if c.Type.Kind == types.Unknown || c.Type.Kind == types.Void || c.Type.Kind == types.Int128Kind {
			return nil, sqlerr.New(sqlerr.InvalidTableDefinition, "column %q has pseudo-type %s", c.Name, c.Type)
		}
		c.ID = int32(i + 1)
		c.StorageName = c.Name
		if folded := strings.ToLower(c.Name); storage[folded] && create.Kind != connectors.External {
			c.StorageName = fmt.Sprintf("%s_%d", c.Name, c.ID)
		}
		storage[strings.ToLower(c.StorageName)] = true
		t.Columns = append(t.Columns, c)
	}
	t.NextColumn = int32(len(t.Columns) + 1)
	if err := create.layOut(t); err != nil {
		return nil, err
	}
	return t, nil
}

// layOut resolves what WITH (…) and the clauses of their own say about format, partitions and order.
func (create *CreateTable) layOut(t *Table) error {
	properties, layout, err := checkProperties(create.Properties)
	if err != nil {
		return err
	}
	t.Properties = properties
	t.Format = strings.ToLower(firstOf(create.Format, layout.format, "parquet"))
	switch t.Format {
	case "textfile":
		t.Format = "csv"
	case "jsonfile":
		t.Format = "json"
	case "parquet", "orc", "csv", "json":
	default:
		return sqlerr.New(sqlerr.FeatureNotSupported, "table format %q is not supported", t.Format).
			WithHint("Supported formats are PARQUET, ORC, CSV and JSON.")
	}
	if c := t.Properties["compression"]; (t.Format == "csv" || t.Format == "json") && (c == "snappy" || c == "lz4") {
		return invalidProperty("compression", c, strings.ToUpper(t.Format)+" files can be compressed with gzip or zstd.")
	}
	if t.Format == "csv" {
		if err := t.checkCSV(); err != nil {
			return err
		}
	}
	t.Location = firstOf(t.Location, layout.location)
	partitions, sorted := create.Partition, create.SortedBy
	if len(partitions) == 0 {
		partitions = layout.partitionedBy
	}
	if len(sorted) == 0 {
		sorted = layout.sortedBy
	}
	if t.Partition, err = t.columnIDs(partitions, "partition key"); err != nil {
		return err
	}
	if t.SortedBy, err = t.columnIDs(sorted, "sort order"); err != nil {
		return err
	}
	if len(t.Partition) > 0 && len(t.Partition) == len(t.Columns) {
		return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot use all columns as partition columns")
	}
	for _, id := range t.Partition {
		if c := t.Columns[t.ordinal(id)]; !partition.Allowed(c.Type) {
			return sqlerr.New(sqlerr.InvalidTableDefinition, "column %q of type %s cannot be a partition column", c.Name, c.Type)
		}
	}
	if blooms := t.Properties["bloom_filter_columns"]; blooms != "" {
		if _, err := t.columnIDs(strings.Split(blooms, ","), "bloom_filter_columns"); err != nil {
			return err
		}
	}
	return nil
}

// checkCSV settles the properties of a CSV table. Files of our own have a header, unless it is
// refused: by it columns are found whatever becomes of the table's definition.
func (t *Table) checkCSV() error {
	if t.Kind == connectors.External {
		return nil
	}
	if n := t.Properties["skip_header_line_count"]; n != "" && n != "0" {
		t.Properties["header"] = "true"
	}
	delete(t.Properties, "skip_header_line_count")
	if t.Properties["header"] == "" {
		t.Properties["header"] = "true"
	}
	return nil
}

func (t *Table) columnIDs(names []string, where string) ([]int32, error) {
	out := []int32{}
	for _, name := range names {
		at := t.ColumnByName(name)
		if at < 0 {
			e := sqlerr.New(sqlerr.UndefinedColumn, "column %q named in %s does not exist", name, where)
			var known []string
			for _, c := range t.Columns {
				known = append(known, c.Name)
			}
			if near := nearest(name, known); near != "" {
				e = e.WithHint("Perhaps you meant %q.", near)
			}
			return nil, e
		}
		if slices.Contains(out, t.Columns[at].ID) {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "column %q appears twice in %s", name, where)
		}
		out = append(out, t.Columns[at].ID)
	}
	return out, nil
}

func firstOf(options ...string) string {
	for _, s := range options {
		if s != "" {
			return s
		}
	}
	return ""
}

// chooseLocation gives a table a directory that no other table has or had: the Hive way, with the
// table's ID appended when that place is taken.
func (tx *Tx) chooseLocation(ctx context.Context, schema string, t *Table) error {
	if t.Location != "" {
		t.Location = objstore.Canonical(t.Location)
		return nil
	}
	tx.mu.Lock()
	s := tx.schemaNamed(schema)
	taken := func(location string) bool {
		for _, other := range tx.state.tables {
			if other != nil && other.Location == location {
				return true
			}
		}
		return false
	}
	if s == nil {
		tx.mu.Unlock()
		return missingSchema(schema)
	}
	root := s.Location
	if root == "" {
		root = strings.TrimRight(tx.c.options.Warehouse, "/") + "/" + partition.Escape(s.Name)
	}
	t.Location = strings.TrimRight(root, "/") + "/" + partition.Escape(t.Name)
	used := taken(t.Location)
	tx.mu.Unlock()
	if !used {
		var count int64
		if err := tx.c.db.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM tarn_tables WHERE location = $1", t.Location).Scan(&count); err != nil {
			return tx.c.db.wrap(ctx, err)
		}
		used = count > 0
	}
	if used {
		t.Location = fmt.Sprintf("%s-%d", t.Location, t.ID)
	}
	return nil
}

// DropRelations stages the end of tables (kind "table") or views (kind "view"). Notices say what
// else went, and what did not exist; what follows a notice's first line is its detail.
func (tx *Tx) DropRelations(kind string, names []Name, ifExists, cascade bool) (notices []string, err error) {
	err = tx.stage(func(state *staged) error {
		var doomed []*Table
		for _, name := range names {
			t, missing := tx.find(kind, name)
			switch {
			case missing != nil && ifExists && sqlerr.CodeOf(missing) != sqlerr.WrongObjectType:
				notices = append(notices, missing.Error()+", skipping")
			case missing != nil:
				return missing
			case !slices.Contains(doomed, t):
				doomed = append(doomed, t)
			}
		}
		seen := map[int64]bool{}
		for _, t := range doomed {
			seen[t.ID] = true
		}
		var others []*Table
		for _, t := range doomed {
			for _, view := range tx.viewsOn(t.ID) {
				tx.withDependents(view, seen, &others)
			}
		}
		if cascade {
			notices = append(notices, tx.cascadeNotices(others)...)
		}
		return tx.dropChecked(doomed, kind, cascade)
	})
	return notices, err
}

// find gives a relation of a kind, or the error that says why not.
func (tx *Tx) find(kind string, name Name) (*Table, error) {
	s := tx.schemaNamed(name.Schema)
	if s == nil {
		return nil, missingSchema(name.Schema)
	}
	t := tx.tableNamed(s.ID, name.Name)
	if t == nil {
		return nil, sqlerr.New(sqlerr.UndefinedTable, "%s %q does not exist", kind, name.Name)
	}
	if isView := t.Kind == connectors.View; isView != (kind == "view") && kind != "relation" {
		other := "table"
		if isView {
			other = "view"
		}
		article := "a "
		return nil, sqlerr.New(sqlerr.WrongObjectType, "%q is not %s%s", name.Name, article, kind).
			WithHint("Use DROP %s to remove a %s.", strings.ToUpper(other), other)
	}
	return t, nil
}

// dropChecked drops relations, and the views on them when cascade is set; else those refuse it.
func (tx *Tx) dropChecked(doomed []*Table, kind string, cascade bool) error {
	seen := map[int64]bool{}
	for _, t := range doomed {
		seen[t.ID] = true
	}
	for _, t := range doomed {
		var others []*Table
		for _, view := range tx.viewsOn(t.ID) {
			tx.withDependents(view, seen, &others)
		}
		if len(others) > 0 && !cascade {
			var lines []string
			for _, view := range others {
				lines = append(lines, tx.describe(view)+" depends on "+tx.dependsOn(view, t, others))
			}
			return dependents(tx.describe(t), lines)
		}
		for _, view := range others {
			tx.dropTable(view)
		}
	}
	for _, t := range doomed {
		tx.dropTable(t)
	}
	return nil
}

// dependsOn describes what among t and others a view reads itself.
func (tx *Tx) dependsOn(view, t *Table, others []*Table) string {
	for _, on := range view.DependsOn {
		if on.Table == t.ID {
			return tx.describe(t)
		}
	}
	for _, on := range view.DependsOn {
		for _, other := range others {
			if on.Table == other.ID {
				return tx.describe(other)
			}
		}
	}
	return tx.describe(t)
}
