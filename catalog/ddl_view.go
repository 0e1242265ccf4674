package catalog

import (
	"context"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// CreateView describes a view to be made.
type CreateView struct {
	Name
	Columns    []Column // names, types and comments
	SQL        string   // of the query
	SearchPath []string // under which SQL was bound
	DependsOn  []Dependency
	Comment    string
	OrReplace  bool
	// IfNotExists leaves an existing relation alone.
	IfNotExists bool
}

// CreateView stages a view. Replacing one keeps its ID, so that views on it stay. The result is nil
// when IfNotExists is set and the name is taken.
func (tx *Tx) CreateView(ctx context.Context, create CreateView) (*Table, error) {
	id, err := tx.c.newID(ctx)
	if err != nil {
		return nil, err
	}
	v := &Table{ID: id, Name: create.Name.Name, Kind: connectors.View, Comment: create.Comment, Owner: tx.user,
		ViewSQL: create.SQL, SearchPath: slices.Clone(create.SearchPath), DependsOn: mergeDependencies(create.DependsOn)}
	for i, c := range create.Columns {
		if v.ColumnByName(c.Name) >= 0 {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "column %q specified more than once", c.Name)
		}
		c.ID, c.StorageName = int32(i+1), c.Name
		v.Columns = append(v.Columns, c)
	}
	v.NextColumn = int32(len(v.Columns) + 1)
	var made *Table
	err = tx.stage(func(state *staged) error {
		s := tx.schemaNamed(create.Schema)
		if s == nil {
			return missingSchema(create.Schema)
		}
		v.SchemaID = s.ID
		if s.ID == tempSchemaID {
			if tx.temp == nil {
				return sqlerr.New(sqlerr.FeatureNotSupported, "temporary views need a session")
			}
			v.ID = tx.temp.newID()
		} else if at := slices.IndexFunc(v.DependsOn, func(on Dependency) bool { return on.Table < 0 }); at >= 0 {
			return sqlerr.New(sqlerr.InvalidTableDefinition, "view %q cannot depend on the temporary relation %q", v.Name, v.DependsOn[at].Name).
				WithHint("Create a temporary view instead.")
		}
		if old := tx.tableNamed(s.ID, v.Name); old != nil {
			switch {
			case create.IfNotExists:
				return nil
			case !create.OrReplace:
				return duplicateRelation(v.Name)
			case old.Kind != connectors.View:
				return sqlerr.New(sqlerr.WrongObjectType, "%q is not a view", v.Name)
			}
			if err := tx.replaceView(old, v); err != nil {
				return err
			}
		}
		state.tables[v.ID] = v
		state.tolerant[v.ID] = create.OrReplace || create.IfNotExists
		state.operations[v.ID] = "CREATE VIEW"
		made = v
		return nil
	})
	return made, err
}

// replaceView gives v the identity of old. When other views read old, its columns must stay.
func (tx *Tx) replaceView(old, v *Table) error {
	v.ID, v.Owner = old.ID, old.Owner
	seen := map[int64]bool{}
	var readers []*Table
	tx.withDependents(old, seen, &readers)
	for _, on := range v.DependsOn {
		if seen[on.Table] {
			return sqlerr.New(sqlerr.InvalidRecursion, "view %q cannot read itself", v.Name)
		}
	}
	if len(readers) == 1 {
		return nil
	}
	if len(v.Columns) < len(old.Columns) {
		return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot drop columns from view").
			WithDetail("%s depends on it.", tx.describe(readers[1]))
	}
	for i, c := range old.Columns {
		switch now := v.Columns[i]; {
		case now.Name != c.Name:
			return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot change name of view column %q to %q", c.Name, now.Name).
				WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		case !now.Type.Equal(c.Type):
			return sqlerr.New(sqlerr.InvalidTableDefinition, "cannot change data type of view column %q from %s to %s", c.Name, c.Type, now.Type)
		}
	}
	return nil
}

// mergeDependencies makes one entry a relation.
func mergeDependencies(list []Dependency) []Dependency {
	var out []Dependency
	for _, on := range list {
		at := slices.IndexFunc(out, func(o Dependency) bool { return o.Table == on.Table })
		if at < 0 {
			on.Columns, on.Seen = slices.Clone(on.Columns), slices.Clone(on.Seen)
			out = append(out, on)
			at = len(out) - 1
		} else {
			out[at].Columns = append(out[at].Columns, on.Columns...)
		}
		slices.Sort(out[at].Columns)
		out[at].Columns = slices.Compact(out[at].Columns)
	}
	return out
}
