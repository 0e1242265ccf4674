package catalog

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Name is a qualified name; the schema is known by then.
type Name struct{ Schema, Name string }

// reservedSchemas are served by other connectors.
var reservedSchemas = [...]string{"information_schema", "pg_catalog", "system"}

func missingSchema(name string) *sqlerr.Error {
	return sqlerr.New(sqlerr.InvalidSchemaName, "schema %q does not exist", name)
}

// CreateSchema stages a schema; its ID is given by the catalog. With ifNotExists an existing one is
// left alone and created is false.
func (tx *Tx) CreateSchema(ctx context.Context, s Schema, ifNotExists bool) (created bool, err error) {
	if err := checkSchemaName(s.Name); err != nil {
		return false, err
	}
	if s.ID, err = tx.c.newID(ctx); err != nil {
		return false, err
	}
	if s.Owner == "" {
		s.Owner = tx.user
	}
	s.Properties, s.Location = maps.Clone(s.Properties), objstore.Canonical(s.Location)
	err = tx.stage(func(state *staged) error {
		if tx.schemaNamed(s.Name) != nil {
			if ifNotExists {
				return nil
			}
			return sqlerr.New(sqlerr.DuplicateSchema, "schema %q already exists", s.Name)
		}
		created = true
		state.schemas[s.ID] = &s
		state.tolerant[s.ID] = ifNotExists
		return nil
	})
	return created, err
}

func checkSchemaName(name string) error {
	for _, reserved := range reservedSchemas {
		if name == reserved {
			return sqlerr.New(sqlerr.DuplicateSchema, "schema %q already exists", name)
		}
	}
	if strings.HasPrefix(name, "pg_") {
		return sqlerr.New(sqlerr.ReservedName, "unacceptable schema name %q", name).
			WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	return nil
}

// RenameSchema stages a new name for a schema; its tables go with it, their files stay.
func (tx *Tx) RenameSchema(from, to string) error {
	if err := checkSchemaName(to); err != nil {
		return err
	}
	return tx.stage(func(state *staged) error {
		old := tx.schemaNamed(from)
		if old == nil || old.ID == tempSchemaID {
			return missingSchema(from)
		}
		if tx.schemaNamed(to) != nil {
			return sqlerr.New(sqlerr.DuplicateSchema, "schema %q already exists", to)
		}
		renamed := *old
		renamed.Name = to
		state.schemas[old.ID] = &renamed
		state.tolerant[old.ID] = true
		return nil
	})
}

// AlterSchema stages a change of a schema's comment, owner, location or properties.
func (tx *Tx) AlterSchema(name string, change func(s *Schema)) error {
	return tx.stage(func(state *staged) error {
		old := tx.schemaNamed(name)
		if old == nil || old.ID == tempSchemaID {
			return missingSchema(name)
		}
		changed := *old
		if changed.Properties = maps.Clone(old.Properties); changed.Properties == nil {
			changed.Properties = map[string]string{}
		}
		change(&changed)
		changed.Location = objstore.Canonical(changed.Location)
		changed.ID, changed.Name = old.ID, old.Name
		state.schemas[old.ID] = &changed
		state.tolerant[old.ID] = true
		return nil
	})
}

// DropSchema stages the end of a schema, with cascade of all that it holds. Notices say what else went.
func (tx *Tx) DropSchema(name string, ifExists, cascade bool) (notices []string, err error) {
	err = tx.stage(func(state *staged) error {
		s := tx.schemaNamed(name)
		if s == nil || s.ID == tempSchemaID {
			if ifExists {
				notices = append(notices, fmt.Sprintf("schema %q does not exist, skipping", name))
				return nil
			}
			return missingSchema(name)
		}
		held := tx.definitions(s.ID)
		doomed := map[int64]bool{}
		var order []*Table
		for _, t := range held {
			tx.withDependents(t, doomed, &order)
		}
		if len(order) > 0 && !cascade {
			var lines []string
			for _, t := range order {
				lines = append(lines, tx.describe(t)+" depends on "+tx.reason(t, s, doomed))
			}
			return dependents("schema "+name, lines)
		}
		notices = append(notices, tx.cascadeNotices(order)...) // while the schema still has its name
		for _, t := range order {
			tx.dropTable(t)
		}
		state.schemas[s.ID] = nil
		return nil
	})
	return notices, err
}

// reason says what keeps t from being dropped with s.
func (tx *Tx) reason(t *Table, s *Schema, doomed map[int64]bool) string {
	if t.SchemaID == s.ID {
		return "schema " + s.Name
	}
	for _, on := range t.DependsOn {
		if doomed[on.Table] {
			return tx.describe(tx.tableByID(on.Table))
		}
	}
	return "schema " + s.Name
}

func dependents(what string, lines []string) error {
	const most = 100
	shown := lines[:min(len(lines), most)]
	detail := strings.Join(shown, "\n")
	if more := len(lines) - len(shown); more > 0 {
		detail += fmt.Sprintf("\nand %d other objects", more)
	}
	return sqlerr.New(sqlerr.DependentObjectsStillExist, "cannot drop %s because other objects depend on it", what).
		WithDetail("%s", detail).WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
}

// describe names a relation as PostgreSQL's messages do.
func (tx *Tx) describe(t *Table) string {
	kind := "table"
	switch t.Kind {
	case connectors.View:
		kind = "view"
	case connectors.External:
		kind = "foreign table"
	}
	return kind + " " + tx.displayName(t)
}

// displayName leaves the schema out where the search path finds the relation without it.
func (tx *Tx) displayName(t *Table) string {
	schema := tx.schemaName(t)
	if schema == TempSchema || schema == "" {
		return t.Name
	}
	for _, name := range tx.searchPath() {
		s := tx.schemaNamed(name)
		if s == nil {
			continue
		}
		if found := tx.tableNamed(s.ID, t.Name); found != nil {
			if found.ID == t.ID {
				return t.Name
			}
			break
		}
	}
	return schema + "." + t.Name
}

// withDependents adds t and the views that read it, directly or not, t first.
func (tx *Tx) withDependents(t *Table, seen map[int64]bool, order *[]*Table) {
	if seen[t.ID] {
		return
	}
	seen[t.ID] = true
	*order = append(*order, t)
	for _, view := range tx.viewsOn(t.ID) {
		tx.withDependents(view, seen, order)
	}
}

// viewsOn lists the views that read a relation in the present state.
func (tx *Tx) viewsOn(id int64) []*Table {
	var out []*Table
	for _, view := range tx.base.dependents[id] {
		if _, changed := tx.state.tables[view]; !changed {
			out = append(out, tx.base.tables[view])
		}
	}
	for _, held := range []map[int64]*Table{tx.tempBase.tables, tx.state.tables} {
		for viewID, view := range held {
			if view == nil || tx.tableByID(viewID) != view {
				continue
			}
			for _, on := range view.DependsOn {
				if on.Table == id {
					out = append(out, view)
					break
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return cmp.Compare(max(a.ID, -a.ID), max(b.ID, -b.ID)) })
	return out
}

// cascadeNotices says what else went. What follows the first line is a notice's detail.
func (tx *Tx) cascadeNotices(dropped []*Table) []string {
	switch len(dropped) {
	case 0:
		return nil
	case 1:
		return []string{"drop cascades to " + tx.describe(dropped[0])}
	}
	lines := []string{fmt.Sprintf("drop cascades to %d other objects", len(dropped))}
	for _, t := range dropped {
		lines = append(lines, "drop cascades to "+tx.describe(t))
	}
	return []string{strings.Join(lines, "\n")}
}

// dropTable stages the end of a relation. mu is held.
func (tx *Tx) dropTable(t *Table) {
	tx.state.tables[t.ID] = nil
	tx.state.operations[t.ID] = "DROP"
	delete(tx.state.writes, t.ID)
	delete(tx.state.sketches, t.ID)
}
