package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Alter is one change of a relation's definition. It changes t, a private copy.
type Alter func(tx *Tx, t *Table) error

// AlterRelation stages changes of a table (kind "table"), a view ("view") or either ("relation").
func (tx *Tx) AlterRelation(kind string, name Name, changes ...Alter) error {
	return tx.stage(func(state *staged) error {
		old, err := tx.find(kind, name)
		if err != nil {
			if sqlerr.CodeOf(err) == sqlerr.UndefinedTable {
				return sqlerr.New(sqlerr.UndefinedTable, "relation %q does not exist", name.Name)
			}
			return err
		}
		t := old.clone()
		for _, change := range changes {
			if err := change(tx, t); err != nil {
				return err
			}
			state.tables[t.ID] = t
		}
		if _, named := state.operations[t.ID]; !named {
			state.operations[t.ID] = "ALTER " + strings.ToUpper(kindWord(t))
		}
		return nil
	})
}

func kindWord(t *Table) string {
	if t.Kind == connectors.View {
		return "view"
	}
	return "table"
}

// RenameTo gives a relation another name, in another schema if that is not "".
func RenameTo(schema, name string) Alter {
	return func(tx *Tx, t *Table) error {
		target := t.SchemaID
		if schema != "" {
			s := tx.schemaNamed(schema)
			if s == nil {
				return missingSchema(schema)
			}
			if (s.ID == tempSchemaID) != (t.SchemaID == tempSchemaID) {
				return sqlerr.New(sqlerr.FeatureNotSupported, "cannot move objects into or out of temporary schemas")
			}
			target = s.ID
		}
		if name == "" {
			name = t.Name
		}
		if other := tx.tableNamed(target, name); other != nil {
			return duplicateRelation(name)
		}
		t.SchemaID, t.Name = target, name
		tx.state.tolerant[t.ID] = true
		return nil
	}
}

func missingColumn(t *Table, name string) error {
	e := sqlerr.New(sqlerr.UndefinedColumn, "column %q of relation %q does not exist", name, t.Name)
	var known []string
	for _, c := range t.Columns {
		known = append(known, c.Name)
	}
	if near := nearest(name, known); near != "" {
		e = e.WithHint("Perhaps you meant %q.", near)
	}
	return e
}

// AddColumn appends a column; rows that exist have NULL in it. Its ID and storage name are given here.
func AddColumn(c Column, ifNotExists bool) Alter {
	return func(tx *Tx, t *Table) error {
		if t.Kind == connectors.View {
			return sqlerr.New(sqlerr.WrongObjectType, "%q is not a table", t.Name)
		}
		if t.ColumnByName(c.Name) >= 0 {
			if ifNotExists {
				return nil
			}
			return sqlerr.New(sqlerr.DuplicateColumn, "column %q of relation %q already exists", c.Name, t.Name)
		}
		if c.NotNull {
			return sqlerr.New(sqlerr.NotNullViolation, "column %q of relation %q contains null values", c.Name, t.Name).
				WithHint("Add the column without NOT NULL: rows that are there already have NULL in it.")
		}
		c.ID, c.StorageName = t.NextColumn, c.Name
		// Files may hold a column that was dropped or renamed under this very name.
		dropped := int(t.NextColumn)-1 > len(t.Columns)
		taken := slices.ContainsFunc(t.Columns, func(other Column) bool { return strings.EqualFold(other.StorageName, c.Name) })
		if t.Kind != connectors.External && (dropped || taken) {
			c.StorageName = fmt.Sprintf("%s_%d", c.Name, c.ID)
		}
		t.NextColumn++
		t.Columns = append(t.Columns, c)
		return nil
	}
}

// DropColumn removes a column; views that read it go too with cascade, else they refuse it.
func DropColumn(name string, ifExists, cascade bool) Alter {
	return func(tx *Tx, t *Table) error {
		at := t.ColumnByName(name)
		if at < 0 {
			if ifExists {
				return nil
			}
			return missingColumn(t, name)
		}
		id := t.Columns[at].ID
		if slices.Contains(t.Partition, id) {
			return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot drop column %q because it is part of the partition key of relation %q", name, t.Name)
		}
		if len(t.Columns)-len(t.Partition) == 1 {
			return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot drop column %q because it is the only column of relation %q", name, t.Name)
		}
		if t.Format == "csv" && t.Properties["header"] != "true" {
			return sqlerr.New(sqlerr.FeatureNotSupported, "cannot drop column %q of relation %q", name, t.Name).
				WithDetail("Its CSV files have no header: their columns are found by position.").
				WithHint("Create a new table from a query.")
		}
		readers := tx.readers(t.ID, id)
		if len(readers) > 0 && !cascade {
			var lines []string
			for _, view := range readers {
				on := fmt.Sprintf("column %s of %s", name, tx.describe(t))
				if !slices.ContainsFunc(view.DependsOn, func(d Dependency) bool { return d.Table == t.ID && slices.Contains(d.Columns, id) }) {
					on = tx.dependsOn(view, t, readers)
				}
				lines = append(lines, tx.describe(view)+" depends on "+on)
			}
			return dependents(fmt.Sprintf("column %s of %s", name, tx.describe(t)), lines)
		}
		for _, view := range readers {
			tx.dropTable(view)
		}
		t.Columns = slices.Delete(t.Columns, at, at+1)
		t.SortedBy = slices.DeleteFunc(t.SortedBy, func(other int32) bool { return other == id })
		dropFromList(t, "bloom_filter_columns", name)
		return nil
	}
}

// readers lists the views that read a column, and those that read such views.
func (tx *Tx) readers(table int64, column int32) []*Table {
	var out []*Table
	seen := map[int64]bool{}
	for _, view := range tx.viewsOn(table) {
		for _, on := range view.DependsOn {
			if on.Table == table && slices.Contains(on.Columns, column) {
				tx.withDependents(view, seen, &out)
			}
		}
	}
	return out
}

func dropFromList(t *Table, property, name string) {
	if list := t.Properties[property]; list != "" {
		left := slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == name })
		if t.Properties[property] = strings.Join(left, ","); len(left) == 0 {
			delete(t.Properties, property)
		}
	}
}

// RenameColumn gives a column another name; files keep the one they were written with.
func RenameColumn(from, to string) Alter {
	return func(tx *Tx, t *Table) error {
		at := t.ColumnByName(from)
		if at < 0 {
			return missingColumn(t, from)
		}
		if t.ColumnByName(to) >= 0 {
			return sqlerr.New(sqlerr.DuplicateColumn, "column %q of relation %q already exists", to, t.Name)
		}
		t.Columns[at].Name = to
		if list := t.Properties["bloom_filter_columns"]; list != "" {
			names := strings.Split(list, ",")
			for i := range names {
				if names[i] == from {
					names[i] = to
				}
			}
			t.Properties["bloom_filter_columns"] = strings.Join(names, ",")
		}
		return nil
	}
}

// ColumnType widens a column's type; files are read through the wider one.
func ColumnType(name string, to types.Type) Alter {
	return func(tx *Tx, t *Table) error {
		at := t.ColumnByName(name)
		if at < 0 {
			return missingColumn(t, name)
		}
		c := &t.Columns[at]
		switch {
		case c.Type.Equal(to):
			return nil
		case slices.Contains(t.Partition, c.ID):
			return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot alter column %q because it is part of the partition key of relation %q", name, t.Name)
		case !Widens(c.Type, to):
			return sqlerr.New(sqlerr.FeatureNotSupported, "cannot change the type of column %q from %s to %s", name, c.Type, to).
				WithHint("Types can only be widened in place: smallint to integer to bigint, real to double precision, numeric to more digits before the point, varchar to a greater length. For others, create a new table from a query.")
		}
		if readers := tx.readers(t.ID, c.ID); len(readers) > 0 {
			return sqlerr.New(sqlerr.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
				WithDetail("rule _RETURN on %s depends on column %q", tx.describe(readers[0]), name)
		}
		c.Type = to
		return nil
	}
}

// Widens tells whether every value of type from is one of type to, in the same order and, as far as
// files go, readable as such.
func Widens(from, to types.Type) bool {
	switch {
	case from.IsInteger() && to.IsInteger():
		return from.Kind < to.Kind
	case from.Kind == types.Float32:
		return to.Kind == types.Float64
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		return from.Scale == to.Scale && from.Precision <= to.Precision
	case from.Kind == types.Text && to.Kind == types.Text:
		return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
	case from.Kind == to.Kind && (from.Kind == types.Time || from.Kind == types.Timestamp || from.Kind == types.TimestampTZ):
		return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
	}
	return false
}

// ColumnNotNull marks a column as NOT NULL or not. Rows are not looked at: the caller has done so.
func ColumnNotNull(name string, notNull bool) Alter {
	return alterColumn(name, func(c *Column) { c.NotNull = notNull })
}

// ColumnDefault sets the SQL text of a column's default; "" is none.
func ColumnDefault(name, sql string) Alter {
	return alterColumn(name, func(c *Column) { c.Default = sql })
}

// ColumnComment sets a column's comment.
func ColumnComment(name, comment string) Alter {
	return alterColumn(name, func(c *Column) { c.Comment = comment })
}

func alterColumn(name string, change func(c *Column)) Alter {
	return func(tx *Tx, t *Table) error {
		at := t.ColumnByName(name)
		if at < 0 {
			return missingColumn(t, name)
		}
		change(&t.Columns[at])
		return nil
	}
}

// Comment sets a relation's comment.
func Comment(text string) Alter {
	return func(tx *Tx, t *Table) error {
		t.Comment = text
		return nil
	}
}

// OwnedBy changes a relation's owner.
func OwnedBy(owner string) Alter {
	return func(tx *Tx, t *Table) error {
		t.Owner = owner
		return nil
	}
}

// SetProperties changes properties of a table; those in reset return to their defaults.
func SetProperties(set map[string]string, reset []string) Alter {
	return func(tx *Tx, t *Table) error {
		if t.Kind == connectors.View {
			return sqlerr.New(sqlerr.WrongObjectType, "%q is not a table", t.Name)
		}
		properties, layout, err := checkProperties(set)
		if err != nil {
			return err
		}
		if layout.format != "" || layout.location != "" || layout.partitionedBy != nil {
			return sqlerr.New(sqlerr.FeatureNotSupported, "format, location and partitioned_by of an existing table cannot be changed").
				WithHint("Create a new table from a query.")
		}
		if layout.sortedBy != nil {
			if t.SortedBy, err = t.columnIDs(layout.sortedBy, "sort order"); err != nil {
				return err
			}
		}
		if blooms := properties["bloom_filter_columns"]; blooms != "" {
			if _, err := t.columnIDs(strings.Split(blooms, ","), "bloom_filter_columns"); err != nil {
				return err
			}
		}
		for _, fixed := range []string{"header", "delimiter", "quote", "escape", "null_string"} {
			if value, changed := properties[fixed]; changed && value != t.Properties[fixed] && t.Kind != connectors.External {
				return sqlerr.New(sqlerr.FeatureNotSupported, "property %q of an existing table cannot be changed", fixed).
					WithDetail("It says how the table's files are written.").WithHint("Create a new table from a query.")
			}
		}
		if t.Properties == nil {
			t.Properties = map[string]string{}
		}
		for name, value := range properties {
			t.Properties[name] = value
		}
		for _, name := range reset {
			if name == "sorted_by" {
				t.SortedBy = nil
			} else if _, known := propertyChecks()[name]; !known {
				return unknownProperty(name)
			}
			delete(t.Properties, name)
		}
		return nil
	}
}
