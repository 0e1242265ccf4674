package functions

import (
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

var (
	nameType = types.Of(types.Name)
	oidType  = types.Of(types.OID)
	regclass = types.Of(types.RegClass)
	regtype  = types.Of(types.RegType)
)

// catalogFunctions are the functions that clients call to read pg_catalog. They ask the session's
// Lookup, and so run where the session is.
func catalogFunctions() []fn.Overload {
	var out []fn.Overload
	out = append(out, catalogLookups()...)
	out = append(out, visibility()...)
	out = append(out, privileges()...)
	out = append(out, relationSizes()...)
	out = append(out, absentObjects()...)
	out = append(out, catalogTables()...)
	return append(out, sessionFunctions()...)
}

// systemRow is a stable function that may fail.
func systemRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Impl) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Volatility: fn.Stable, MayFail: true, AtSession: true, Category: categorySystem, Doc: doc, Example: example, Impl: impl}
}

// lookup asks the session a question; without a session there is no answer.
func lookup(r row, kind string, args ...types.Datum) (types.Datum, error) {
	s := r.call.Session
	if s == nil || s.Lookup == nil {
		return types.NullDatum(), sqlerr.New(sqlerr.FeatureNotSupported, "%s() cannot be used here", r.call.Name)
	}
	return s.Lookup(kind, args...)
}

// asks makes a function that hands its arguments to the session.
func asks(kind string) fn.Scalar {
	return toDatum(func(r row) (types.Datum, error) {
		args := make([]types.Datum, len(r.args))
		for i := range args {
			args[i] = types.NullDatum()
			if !r.null(i) {
				args[i] = r.datum(i)
			}
		}
		return lookup(r, kind, args...)
	})
}

// constant makes a function that always gives one value.
func constant(d types.Datum) fn.Scalar {
	return toDatum(func(row) (types.Datum, error) { return d, nil })
}

// withOptions repeats a function with further parameters that change nothing: pretty-printing and
// the like.
func withOptions(name, doc, example string, p, options []fn.Param, result types.Type, impl fn.Impl) []fn.Overload {
	var out []fn.Overload
	for n := range len(options) + 1 {
		out = append(out, systemRow(name, doc, example, append(p[:len(p):len(p)], options[:n]...), result, impl))
	}
	return out
}

func catalogLookups() []fn.Overload {
	one, pretty := params("oid", oidType), params("pretty", boolean)
	out := []fn.Overload{
		systemRow("pg_get_userbyid", "The name of a role.", "pg_get_userbyid(10) → tarn", one, nameType, asks("pg_get_userbyid")),
		called(systemRow("format_type", "The SQL name of a type with its modifier.", "format_type(1043, 14) → character varying(10)",
			params("type", oidType, "typmod", integer), text, toDatum(func(r row) (types.Datum, error) {
				if r.null(0) {
					return types.NullDatum(), nil
				}
				modifier := types.IntDatum(-1)
				if !r.null(1) {
					modifier = r.datum(1)
				}
				return lookup(r, "format_type", r.datum(0), modifier)
			}))),
		systemRow("obj_description", "The comment on an object.", "obj_description('t'::regclass, 'pg_class')", params("oid", oidType, "catalog", nameType), text, asks("obj_description")),
		systemRow("obj_description", "The same, without the catalog's name.", "", one, text, asks("obj_description")),
		systemRow("shobj_description", "The comment on a database or a role.", "", params("oid", oidType, "catalog", nameType), text, constant(types.NullDatum())),
		systemRow("col_description", "The comment on a column.", "col_description('t'::regclass, 1)", params("table", oidType, "column", integer), text, asks("col_description")),
		systemRow("pg_get_function_result", "The result type of a function.", "", one, text, asks("pg_get_function_result")),
		systemRow("pg_get_function_arguments", "The parameters of a function.", "", one, text, asks("pg_get_function_arguments")),
		systemRow("pg_get_function_identity_arguments", "The parameters that name a function.", "", one, text, asks("pg_get_function_arguments")),
		systemRow("pg_get_partkeydef", "How a table is partitioned.", "pg_get_partkeydef('orders'::regclass) → LIST (ds)", one, text, asks("pg_get_partkeydef")),
		systemRow("pg_get_viewdef", "The query of a view given by name.", "pg_get_viewdef('v')", params("view", text), text, asks("pg_get_viewdef")),
		systemRow("pg_get_viewdef", "The query of a view given by name.", "pg_get_viewdef('v', true)", params("view", text, "pretty", boolean), text, asks("pg_get_viewdef")),
		systemRow("pg_get_viewdef", "The query of a view, in lines of a width.", "", params("view", oidType, "width", integer), text, asks("pg_get_viewdef")),
	}
	out = append(out, withOptions("pg_get_viewdef", "The query of a view.", "", params("view", oidType), pretty, text, asks("pg_get_viewdef"))...)
	for _, t := range []struct {
		name   string
		result types.Type
	}{{"regclass", regclass}, {"regtype", regtype}, {"regproc", types.Of(types.RegProc)}, {"regnamespace", types.Of(types.RegNamespace)}} {
		out = append(out, systemRow("to_"+t.name, "The oid of a name, NULL when there is none.", "to_regclass('no_such_table') → NULL", params("name", text), t.result, asks("to_"+t.name)))
	}
	for _, name := range []string{"pg_typeof"} {
		out = append(out, called(systemRow(name, "The type of the argument.", "pg_typeof(1) → integer", []fn.Param{family("x", fn.Any)}, regtype,
			toDatum(func(r row) (types.Datum, error) { return types.IntDatum(int64(r.call.Args[0].OID())), nil }))))
	}
	return out
}

func visibility() []fn.Overload {
	const doc = "Whether the search path finds the object by its name alone."
	out := []fn.Overload{systemRow("pg_table_is_visible", doc, "pg_table_is_visible('t'::regclass) → t", params("table", oidType), boolean, asks("relation is visible"))}
	for _, what := range strings.Fields("type function operator opclass opfamily conversion collation statistics_obj ts_config ts_dict ts_parser ts_template") {
		out = append(out, systemRow("pg_"+what+"_is_visible", doc, "", params("oid", oidType), boolean, constant(types.BoolDatum(true))))
	}
	return out
}

// privileges: whoever may connect may do everything, so an answer depends on the object's existence.
func privileges() []fn.Overload {
	const doc = "Whether a user holds a privilege."
	var out []fn.Overload
	add := func(name, example string, object fn.Scalar, more ...fn.Param) {
		any1 := []fn.Param{family("object", fn.Any)}
		any2 := []fn.Param{family("user", fn.Any), family("object", fn.Any)}
		privilege := append(append([]fn.Param{}, more...), params("privilege", text)...)
		out = append(out,
			systemRow(name, doc+" The user is the current one.", example, append(any1, privilege...), boolean, object),
			systemRow(name, doc, "", append(any2, privilege...), boolean, object))
	}
	relation := toDatum(func(r row) (types.Datum, error) {
		object := len(r.args) - 2
		if r.call.Name == "has_column_privilege" {
			object--
		}
		if t := r.args[object].Type; t.IsString() {
			if _, err := lookup(r, "regclass", r.datum(object)); err != nil {
				return types.NullDatum(), err
			}
		}
		return types.BoolDatum(true), nil
	})
	schema := toDatum(func(r row) (types.Datum, error) {
		object := len(r.args) - 2
		if r.args[object].Type.IsString() {
			if _, err := lookup(r, "regnamespace", types.StringDatum(quoteName(r.str(object)))); err != nil {
				return types.NullDatum(), err
			}
		}
		return types.BoolDatum(true), nil
	})
	yes := constant(types.BoolDatum(true))
	add("has_table_privilege", "has_table_privilege('t', 'SELECT') → t", relation)
	add("has_any_column_privilege", "has_any_column_privilege('t', 'SELECT') → t", relation)
	add("has_sequence_privilege", "", yes)
	add("has_schema_privilege", "has_schema_privilege('public', 'USAGE') → t", schema)
	for _, what := range []string{"database", "function", "language", "type", "tablespace", "server", "foreign_data_wrapper", "parameter"} {
		add("has_"+what+"_privilege", "", yes)
	}
	add("has_column_privilege", "has_column_privilege('t', 'id', 'SELECT') → t", relation, family("column", fn.Any))
	return append(out,
		systemRow("pg_has_role", "Whether the current user is a member of a role.", "", []fn.Param{family("role", fn.Any), {Name: "privilege", Type: text}}, boolean, yes),
		systemRow("pg_has_role", "Whether a user is a member of a role.", "", []fn.Param{family("user", fn.Any), family("role", fn.Any), {Name: "privilege", Type: text}}, boolean, yes))
}

// quoteName quotes an identifier always.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func relationSizes() []fn.Overload {
	var out []fn.Overload
	size := asks("relation size")
	for _, name := range []string{"pg_relation_size", "pg_table_size", "pg_total_relation_size"} {
		const doc = "The bytes of a table's files."
		out = append(out,
			systemRow(name, doc, name+"('t')", params("table", regclass), bigint, size))
	}
	zero := constant(types.IntDatum(0))
	return append(out,
		systemRow("pg_relation_size", "The bytes of a table's files, of its main fork.", "", params("table", regclass, "fork", text), bigint,
			toDatum(func(r row) (types.Datum, error) {
				if r.str(1) != "main" {
					return types.IntDatum(0), nil
				}
				return lookup(r, "relation size", r.datum(0))
			})),
		systemRow("pg_indexes_size", "The bytes of a table's indexes: there are none.", "", params("table", regclass), bigint, zero),
		systemRow("pg_database_size", "The bytes of all tables: not counted.", "", params("database", oidType), bigint, constant(types.NullDatum())),
		systemRow("pg_database_size", "The bytes of all tables: not counted.", "", params("database", nameType), bigint, constant(types.NullDatum())),
		systemRow("pg_tablespace_size", "The bytes of a tablespace: not counted.", "", params("tablespace", oidType), bigint, constant(types.NullDatum())),
		systemRow("pg_relation_filenode", "The number of a table's file: it has none.", "", params("table", regclass), oidType, constant(types.NullDatum())),
		systemRow("pg_relation_filepath", "The path of a table's file: it has none.", "", params("table", regclass), text, constant(types.NullDatum())),
		systemRow("pg_relation_is_publishable", "Whether a table can be replicated: none can.", "", params("table", regclass), boolean, constant(types.BoolDatum(false))),
		systemRow("pg_relation_is_updatable", "What may be done with a view's rows, as a set of bits.", "", params("table", regclass, "triggers", boolean), integer, zero),
		systemRow("pg_column_is_updatable", "Whether a column can be updated in place.", "", params("table", regclass, "column", smallint, "triggers", boolean), boolean, constant(types.BoolDatum(false))),
	)
}

// absentObjects tell of things that Tarn does not have: indexes, constraints, rules, triggers.
func absentObjects() []fn.Overload {
	none, one, pretty := constant(types.NullDatum()), params("oid", oidType), params("pretty", boolean)
	var out []fn.Overload
	for name, what := range map[string]string{"pg_get_constraintdef": "constraint", "pg_get_ruledef": "rule", "pg_get_triggerdef": "trigger",
		"pg_get_partition_constraintdef": "partition's constraint", "pg_get_statisticsobjdef": "statistics object",
		"pg_get_statisticsobjdef_columns": "statistics object's columns", "pg_get_functiondef": "function", "pg_get_function_sqlbody": "function's body"} {
		out = append(out, withOptions(name, "The definition of a "+what+": NULL, there is none.", "", one, pretty, text, none)...)
	}
	sortByName(out)
	out = append(out, withOptions("pg_get_indexdef", "The definition of an index: NULL, there is none.", "", one, params("column", integer, "pretty", boolean), text, none)...)
	out = append(out, withOptions("pg_get_expr", "The text of a stored expression.", "", params("expression", text, "table", oidType), pretty, text,
		appendText(func(dst []byte, r row) []byte { return append(dst, r.bytes(0)...) }))...)
	return append(out,
		systemRow("pg_get_serial_sequence", "The sequence of a column: NULL, there is none.", "", params("table", text, "column", text), text, none),
		systemRow("pg_get_replica_identity_index", "The index that identifies rows: NULL, there is none.", "", params("table", regclass), regclass, none),
		called(systemRow("acldefault", "The privileges that new objects have: NULL, everybody may do everything.", "", params("kind", types.Of(types.InternalChar), "owner", oidType), types.ArrayOf(text), none)),
		systemRow("pg_tablespace_location", "Where a tablespace lies.", "", one, text, constant(types.StringDatum(""))),
		systemRow("pg_stat_get_numscans", "How often a table was scanned: not counted.", "", one, bigint, constant(types.IntDatum(0))),
		systemRow("pg_stat_get_live_tuples", "The rows of a table: see system.tables.", "", one, bigint, constant(types.IntDatum(0))),
		systemRow("pg_sequence_last_value", "The last value of a sequence: NULL, there are none.", "", one, bigint, none),
		systemRow("row_security_active", "Whether row security holds for a table: never.", "", params("table", oidType), boolean, constant(types.BoolDatum(false))),
		systemRow("pg_encoding_to_char", "The name of an encoding.", "pg_encoding_to_char(6) → UTF8", params("encoding", integer), nameType,
			appendText(func(dst []byte, r row) []byte {
				switch r.int32(0) {
				case 0:
					return append(dst, "SQL_ASCII"...)
				case 6:
					return append(dst, "UTF8"...)
				}
				return dst
			})),
		systemRow("pg_char_to_encoding", "The number of an encoding.", "pg_char_to_encoding('UTF8') → 6", params("name", nameType), integer,
			value(func(r row) int32 {
				switch strings.ToUpper(strings.ReplaceAll(r.str(0), "-", "")) {
				case "SQL_ASCII":
					return 0
				case "UTF8", "UNICODE":
					return 6
				}
				return -1
			})),
	)
}
