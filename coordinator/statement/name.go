package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// split cuts a name into schema ("" when unqualified) and name. A database before them must be the
// session's.
func (r *run) split(name ast.Name) (schema, object string, err error) {
	parts := name.Parts
	if len(parts) == 3 {
		if parts[0] != r.tx.State.Database {
			return "", "", r.fail(name.Pos, sqlerr.FeatureNotSupported,
				"cross-database references are not implemented: \"%s.%s.%s\"", parts[0], parts[1], parts[2])
		}
		parts = parts[1:]
	}
	switch len(parts) {
	case 1:
		return "", parts[0], nil
	case 2:
		return parts[0], parts[1], nil
	}
	return "", "", r.fail(name.Pos, sqlerr.SyntaxError, "improper qualified name (too many dotted names): %s", ast.Format(name))
}

// schemaName reads the name of a schema, perhaps with the database before it.
func (r *run) schemaName(name ast.Name) (string, error) {
	switch {
	case len(name.Parts) == 1:
		return name.Parts[0], nil
	case len(name.Parts) == 2 && name.Parts[0] == r.tx.State.Database:
		return name.Parts[1], nil
	case len(name.Parts) == 2:
		return "", r.fail(name.Pos, sqlerr.FeatureNotSupported, "cross-database references are not implemented: %q", ast.Format(name))
	}
	return "", r.fail(name.Pos, sqlerr.SyntaxError, "improper qualified name (too many dotted names): %s", ast.Format(name))
}

// target gives the full name of an object to be made.
func (r *run) target(name ast.Name, temporary bool) (catalog.Name, error) {
	schema, object, err := r.split(name)
	if err != nil {
		return catalog.Name{}, err
	}
	switch {
	case temporary && schema != "" && schema != catalog.TempSchema:
		return catalog.Name{}, r.fail(name.Pos, sqlerr.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema")
	case temporary:
		return catalog.Name{Schema: catalog.TempSchema, Name: object}, nil
	case schema == "":
		if schema, err = r.tx.CreationSchema(); err != nil {
			return catalog.Name{}, r.locate(err, name.Pos)
		}
	case isSystemSchema(schema):
		return catalog.Name{}, r.fail(name.Pos, sqlerr.InsufficientPrivilege, "permission denied to create \"%s.%s\"", schema, object).
			WithDetail("System catalog modifications are currently disallowed.")
	case schema != catalog.TempSchema && r.tx.Schema(schema) == nil:
		return catalog.Name{}, r.missingSchema(schema, name.Pos)
	}
	return catalog.Name{Schema: schema, Name: object}, nil
}

func isSystemSchema(name string) bool {
	return name == "pg_catalog" || name == "information_schema" || name == "system"
}

func (r *run) missingSchema(schema string, at ast.Pos) error {
	e := r.fail(at, sqlerr.InvalidSchemaName, "schema %q does not exist", schema)
	var known []string
	for _, s := range r.tx.Schemas() {
		known = append(known, s.Name)
	}
	if near := sqlerr.Nearest(schema, known); near != "" {
		return e.WithHint("Perhaps you meant the schema %q.", near)
	}
	return e
}

// find gives the definition that a name stands for, nil if there is none; name is then what it would
// be called.
func (r *run) find(name ast.Name) (*catalog.Table, catalog.Name, error) {
	schema, object, err := r.split(name)
	if err != nil {
		return nil, catalog.Name{}, err
	}
	if schema != "" {
		return r.tx.Definition(schema, object), catalog.Name{Schema: schema, Name: object}, nil
	}
	full := catalog.Name{Name: object}
	for _, schema := range r.tx.SearchPath() {
		if t := r.tx.Definition(schema, object); t != nil {
			return t, catalog.Name{Schema: schema, Name: object}, nil
		}
		if full.Schema == "" && r.tx.Schema(schema) != nil {
			full.Schema = schema
		}
	}
	return nil, full, nil
}

// existing gives the definition that a name stands for, or the error that there is none of that kind.
func (r *run) existing(ctx context.Context, kind string, name ast.Name) (*catalog.Table, catalog.Name, error) {
	t, full, err := r.find(name)
	if err != nil || t != nil {
		return t, full, err
	}
	return nil, full, r.missing(ctx, kind, name)
}

// missing gives the error that a relation does not exist, or why it cannot be changed.
func (r *run) missing(ctx context.Context, kind string, name ast.Name) error {
	schema, object, err := r.split(name)
	if err != nil {
		return err
	}
	if virtual, err := r.tx.Resolve(ctx, name.Parts, nil); err != nil {
		return r.locate(err, name.Pos)
	} else if virtual != nil && virtual.Kind == connectors.Virtual {
		return r.fail(name.Pos, sqlerr.InsufficientPrivilege, "permission denied: %q is a system catalog", object)
	}
	if schema != "" && schema != catalog.TempSchema && r.tx.Schema(schema) == nil {
		return r.missingSchema(schema, name.Pos)
	}
	e := r.fail(name.Pos, sqlerr.UndefinedTable, "%s %q does not exist", kind, written(schema, object, kind))
	if near := r.tx.NearestRelation(ctx, name.Parts); near != "" {
		return e.WithHint("Perhaps you meant the %s %q.", kind, near)
	}
	return e
}

// written shows a name as PostgreSQL's messages do: "relation" with its schema, others without.
func written(schema, object, kind string) string {
	if schema != "" && kind == "relation" {
		return schema + "." + object
	}
	return object
}

// table gives an existing table of the catalog, not a view.
func (r *run) table(ctx context.Context, name ast.Name) (*catalog.Table, catalog.Name, error) {
	t, full, err := r.existing(ctx, "relation", name)
	if err != nil {
		return nil, full, err
	}
	if t.Kind == connectors.View {
		return nil, full, r.fail(name.Pos, sqlerr.WrongObjectType, "%q is not a table", t.Name)
	}
	return t, full, nil
}

// relation gives what a name stands for, tables outside the catalog included.
func (r *run) relation(ctx context.Context, name ast.Name) (*connectors.Table, error) {
	t, err := r.tx.Resolve(ctx, name.Parts, nil)
	if err != nil {
		return nil, r.locate(err, name.Pos)
	}
	if t == nil {
		return nil, r.missing(ctx, "relation", name)
	}
	return t, nil
}
