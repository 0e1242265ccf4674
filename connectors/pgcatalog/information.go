package pgcatalog

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
)

func informationProducers() map[string]producer {
	const grantColumns = "grantor grantee table_catalog table_schema table_name privilege_type with_hierarchy"
	return map[string]producer{
		"information_schema.information_schema_catalog_name": {columns: "catalog_name", rows: func(r *read, row emit) error {
			row(str(r.session.Database))
			return nil
		}},
		"information_schema.schemata": {columns: "catalog_name schema_name schema_owner", rows: func(r *read, row emit) error {
			for i := range r.objects.Schemas {
				s := &r.objects.Schemas[i]
				if !row(str(r.session.Database), str(s.Name), str(ownerOf(s.Owner))) {
					break
				}
			}
			return nil
		}},
		"information_schema.tables": {columns: "table_catalog table_schema table_name table_type is_insertable_into commit_action", defaults: "is_typed=NO", rows: tableRows},
		"information_schema.views": {columns: "table_catalog table_schema table_name view_definition", defaults: "check_option=NONE is_updatable=NO is_insertable_into=NO " +
			"is_trigger_updatable=NO is_trigger_deletable=NO is_trigger_insertable_into=NO", rows: informationViewRows},
		"information_schema.columns": {columns: "table_catalog table_schema table_name column_name ordinal_position column_default is_nullable data_type character_maximum_length " +
			"character_octet_length numeric_precision numeric_precision_radix numeric_scale datetime_precision udt_catalog udt_name dtd_identifier is_updatable",
			defaults: "udt_schema=pg_catalog is_self_referencing=NO is_identity=NO identity_cycle=NO is_generated=NEVER", rows: columnRows},
		"information_schema.table_privileges":  {columns: grantColumns, defaults: "is_grantable=YES", rows: privilegeRows},
		"information_schema.role_table_grants": {columns: grantColumns, defaults: "is_grantable=YES", rows: privilegeRows},
		"information_schema.column_privileges": {columns: "grantor grantee table_catalog table_schema table_name column_name privilege_type",
			defaults: "is_grantable=YES", rows: columnPrivilegeRows},
		"information_schema.character_sets": {columns: "default_collate_catalog", defaults: "character_set_name=UTF8 character_repertoire=UCS form_of_use=UTF8 " +
			"default_collate_schema=pg_catalog default_collate_name=C", rows: func(r *read, row emit) error {
			row(str(r.session.Database))
			return nil
		}},
		"information_schema.collations": {columns: "collation_catalog collation_name", defaults: "collation_schema=pg_catalog",
			rows: func(r *read, row emit) error {
				for _, line := range r.catalog.builtin["pg_collation"] {
					if !row(str(r.session.Database), str(line[1])) {
						break
					}
				}
				return nil
			}},
		"information_schema.enabled_roles": {columns: "role_name", rows: func(r *read, row emit) error {
			for i := range r.objects.Users {
				if !row(str(r.objects.Users[i].Name)) {
					break
				}
			}
			return nil
		}},
	}
}

func tableRows(r *read, row emit) error {
	return r.each("", func(o *Relation) (bool, error) {
		kind, commit := "BASE TABLE", null()
		switch {
		case o.relkind() == "v":
			kind = "VIEW"
		case o.Kind == connectors.Temporary:
			kind, commit = "LOCAL TEMPORARY", str("PRESERVE")
		}
		return row(str(r.session.Database), str(o.Schema), str(o.Name), str(kind), yesNo(insertable(o)), commit), nil
	})
}

func insertable(o *Relation) bool {
	return o.Kind == connectors.BaseTable || o.Kind == connectors.Temporary
}

func informationViewRows(r *read, row emit) error {
	return r.each("", func(o *Relation) (bool, error) {
		return o.relkind() != "v" || row(str(r.session.Database), str(o.Schema), str(o.Name), viewText(o)), nil
	})
}

func columnRows(r *read, row emit) error {
	database := str(r.session.Database)
	return r.each("", func(o *Relation) (bool, error) {
		for i := range o.Columns {
			c := &o.Columns[i]
			name, udt := r.catalog.typeWords(c.Type.OID())
			length, octets := null(), null()
			if c.Type.Kind == types.Text || c.Type.Kind == types.Char {
				octets = num(1 << 30)
				if n := int64(c.Type.Length); n > 0 {
					length, octets = num(n), num(4*n)
				}
			}
			precision, radix, scale, fraction := null(), null(), null(), null()
			if p, x, s, ok := numericPrecision(c.Type); ok {
				precision, radix = num(p), num(x)
				if s >= 0 {
					scale = num(s)
				}
			}
			switch {
			case c.Type.Kind == types.Date:
				fraction = num(0)
			case c.Type.IsTemporal() || c.Type.Kind == types.Interval:
				digits, _ := c.Type.FractionDigits()
				fraction = num(int64(digits))
			}
			if !row(database, str(o.Schema), str(o.Name), str(c.Name), num(int64(i+1)), strOrNull(c.Default), yesNo(!c.NotNull), str(name), length, octets,
				precision, radix, scale, fraction, database, str(udt), str(types.Format(types.Of(types.Int64), num(int64(i+1)), nil)), yesNo(insertable(o))) {
				return false, nil
			}
		}
		return true, nil
	})
}

// privilegesOf lists what may be done with a relation, in PostgreSQL's words.
func privilegesOf(o *Relation) []string {
	if insertable(o) {
		return []string{"INSERT", "SELECT", "DELETE", "TRUNCATE"}
	}
	return []string{"SELECT"}
}

func privilegeRows(r *read, row emit) error {
	database := str(r.session.Database)
	return r.each("", func(o *Relation) (bool, error) {
		owner := str(ownerOf(o.Owner))
		for _, p := range privilegesOf(o) {
			if !row(owner, owner, database, str(o.Schema), str(o.Name), str(p), yesNo(p == "SELECT")) {
				return false, nil
			}
		}
		return true, nil
	})
}

func columnPrivilegeRows(r *read, row emit) error {
	database := str(r.session.Database)
	return r.each("", func(o *Relation) (bool, error) {
		owner := str(ownerOf(o.Owner))
		for i := range o.Columns {
			for _, p := range privilegesOf(o) {
				if p != "SELECT" && p != "INSERT" {
					continue
				}
				if !row(owner, owner, database, str(o.Schema), str(o.Name), str(o.Columns[i].Name), str(p)) {
					return false, nil
				}
			}
		}
		return true, nil
	})
}
