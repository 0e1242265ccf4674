package statement

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

func (r *run) createSchema(ctx context.Context, st *ast.CreateSchema) error {
	name, err := r.schemaName(st.Name)
	if err != nil {
		return err
	}
	owner := st.Owner
	if owner == "current_user" || owner == "session_user" || owner == "current_role" {
		owner = r.tx.State.User
	}
	properties, err := r.properties(st.Properties)
	if err != nil {
		return err
	}
	location := st.Location
	if text, ok := properties["location"]; ok {
		location = text
		delete(properties, "location")
	}
	if err := r.mayUse(location); err != nil {
		return err
	}
	created, err := r.tx.CreateSchema(ctx, catalog.Schema{Name: name, Owner: owner, Location: location, Comment: st.Comment,
		Properties: properties}, st.IfNotExists)
	if err == nil && !created {
		r.notice(sqlerr.DuplicateSchema, fmt.Sprintf("schema %q already exists, skipping", name), "")
	}
	return err
}

// alterSchema is ALTER SCHEMA.
func (r *run) alterSchema(ctx context.Context, st *ast.AlterTable) error {
	name, err := r.schemaName(st.Name)
	if err != nil {
		return err
	}
	if r.tx.Schema(name) == nil {
		if st.IfExists {
			r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("schema %q does not exist, skipping", name), "")
			return nil
		}
		return r.missingSchema(name, st.Name.Pos)
	}
	for _, action := range st.Actions {
		switch a := action.(type) {
		case *ast.RenameTo:
			to, err := r.schemaName(a.Name)
			if err != nil {
				return err
			}
			if err := r.tx.RenameSchema(name, to); err != nil {
				return err
			}
			name = to
		case *ast.ChangeOwner:
			if err := r.checkRole(ctx, a.Role); err != nil {
				return err
			}
			if err := r.tx.AlterSchema(name, func(s *catalog.Schema) { s.Owner = r.role(a.Role) }); err != nil {
				return err
			}
		case *ast.SetProperties:
			if err := r.setSchemaProperties(name, a); err != nil {
				return err
			}
		default:
			return r.unsupported(action.Offset(), "this form of ALTER SCHEMA")
		}
	}
	return nil
}

func (r *run) setSchemaProperties(schema string, a *ast.SetProperties) error {
	properties, err := r.properties(a.Properties)
	if err != nil {
		return err
	}
	if !a.Reset {
		if err := r.mayUse(properties["location"]); err != nil {
			return err
		}
	}
	return r.tx.AlterSchema(schema, func(s *catalog.Schema) {
		for name, value := range properties {
			switch {
			case a.Reset:
				delete(s.Properties, name)
			case name == "location":
				s.Location = value
			default:
				s.Properties[name] = value
			}
		}
	})
}

// dropSchemas is DROP SCHEMA a, b.
func (r *run) dropSchemas(st *ast.Drop) error {
	for _, written := range st.Names {
		name, err := r.schemaName(written)
		if err != nil {
			return err
		}
		if isSystemSchema(name) {
			return r.fail(written.Pos, sqlerr.DependentObjectsStillExist, "cannot drop schema %s because it is required by the database system", name)
		}
		if r.tx.Schema(name) == nil && !st.IfExists {
			return r.missingSchema(name, ast.NoPos)
		}
		notices, err := r.tx.DropSchema(name, st.IfExists, st.Cascade)
		if err != nil {
			return err
		}
		r.noticeAll(notices)
	}
	return nil
}

// kindWord names a relation's kind in messages.
func kindWord(t *catalog.Table) string {
	if t.Kind == connectors.View {
		return "view"
	}
	return "table"
}
