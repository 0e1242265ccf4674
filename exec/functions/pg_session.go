package functions

import (
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func sortByName(list []fn.Overload) {
	slices.SortStableFunc(list, func(a, b fn.Overload) int { return strings.Compare(a.Name, b.Name) })
}

// ofSession makes a function of the session alone.
func ofSession(f func(s *fn.Session) types.Datum) fn.Scalar {
	return toDatum(func(r row) (types.Datum, error) {
		if r.call.Session == nil {
			return types.NullDatum(), nil
		}
		return f(r.call.Session), nil
	})
}

// implicit tells the schemas that are searched without being in search_path.
func implicit(schema string) bool { return schema == "pg_catalog" || schema == "pg_temp" }

// sessionFunctions tell of the session and the server.
func sessionFunctions() []fn.Overload {
	var out []fn.Overload
	user := ofSession(func(s *fn.Session) types.Datum { return types.StringDatum(s.User) })
	for _, name := range []string{"current_user", "session_user", "user", "current_role"} {
		out = append(out, systemRow(name, "The user of the session.", name+" → ana", nil, nameType, user))
	}
	database := ofSession(func(s *fn.Session) types.Datum { return types.StringDatum(s.Database) })
	for _, name := range []string{"current_database", "current_catalog"} {
		out = append(out, systemRow(name, "The database of the session.", name+" → tarn", nil, nameType, database))
	}
	out = append(out,
		systemRow("current_schema", "The first schema of the search path that exists.", "current_schema() → public", nil, nameType, toDatum(func(r row) (types.Datum, error) {
			list, err := searchPath(r, false)
			if err != nil || len(list.Items) == 0 {
				return types.NullDatum(), err
			}
			return list.Items[0], nil
		})),
		systemRow("current_schemas", "The schemas of the search path that exist, with the implicit ones or without.", "current_schemas(true) → {pg_catalog,public}",
			params("implicit", boolean), types.ArrayOf(nameType), toDatum(func(r row) (types.Datum, error) { return searchPath(r, r.bool(0)) })),
		systemRow("version", "The version of PostgreSQL whose dialect is spoken, and Tarn's own.", "version() → PostgreSQL 16.4 (Tarn …)", nil, text,
			toDatum(func(r row) (types.Datum, error) {
				d, err := lookup(r, "setting", types.StringDatum("server_version"))
				d.Str = "PostgreSQL " + d.Str
				return d, err
			})),
		systemRow("pg_backend_pid", "The number of the session, for cancelling.", "pg_backend_pid() → 4711", nil, integer,
			ofSession(func(s *fn.Session) types.Datum { return types.IntDatum(int64(s.BackendPID)) })),
		systemRow("current_setting", "The value of a setting.", "current_setting('search_path') → public", params("name", text), text, asks("setting")),
		systemRow("current_setting", "The value of a setting, NULL when it does not exist and missing_ok.", "", params("name", text, "missing_ok", boolean), text,
			toDatum(func(r row) (types.Datum, error) {
				d, err := lookup(r, "setting", r.datum(0))
				if r.bool(1) && sqlerr.CodeOf(err) == sqlerr.UndefinedObject {
					return types.NullDatum(), nil
				}
				return d, err
			})),
		volatile(systemRow("set_config", "Changes a setting, for the transaction only when local, and gives its new value.", "set_config('search_path', 'dwh', false) → dwh",
			params("name", text, "value", text, "local", boolean), text, asks("set setting"))),
		systemRow("pg_postmaster_start_time", "When the session was opened.", "", nil, timestampTZ, asks("started")),
		systemRow("pg_conf_load_time", "When the session was opened.", "", nil, timestampTZ, asks("started")),
		systemRow("txid_current", "A number of the transaction.", "", nil, bigint,
			ofSession(func(s *fn.Session) types.Datum { return types.IntDatum(s.TransactionTime) })),
		systemRow("pg_client_encoding", "The encoding of the client.", "pg_client_encoding() → UTF8", nil, nameType, constant(types.StringDatum("UTF8"))),
		systemRow("getdatabaseencoding", "The encoding of the database.", "getdatabaseencoding() → UTF8", nil, nameType, constant(types.StringDatum("UTF8"))),
		systemRow("pg_is_in_recovery", "Whether the server is a standby: never.", "pg_is_in_recovery() → f", nil, boolean, constant(types.BoolDatum(false))),
		systemRow("pg_is_wal_replay_paused", "Whether replay is paused: there is none.", "", nil, boolean, constant(types.BoolDatum(false))),
		systemRow("pg_my_temp_schema", "The oid of the session's schema of temporary tables.", "", nil, oidType, constant(types.IntDatum(13998))),
		systemRow("pg_is_other_temp_schema", "Whether a schema holds another session's temporary tables: those are not shown.", "", params("schema", oidType), boolean,
			constant(types.BoolDatum(false))),
		volatile(systemRow("pg_advisory_unlock_all", "Releases advisory locks: there are none.", "", nil, void, constant(types.NullDatum()))),
		systemRow("pg_jit_available", "Whether plans are compiled to machine code.", "", nil, boolean, constant(types.BoolDatum(false))),
		systemRow("pg_blocking_pids", "The sessions that a session waits for: none, writers do not block.", "", params("pid", integer), types.ArrayOf(integer),
			constant(types.Datum{Items: []types.Datum{}})),
	)
	cancel := volatile(systemRow("pg_cancel_backend", "Cancels what a session runs.", "", params("pid", integer), boolean, asks("cancel backend")))
	terminate := volatile(systemRow("pg_terminate_backend", "Ends a session.", "", params("pid", integer), boolean, asks("terminate backend")))
	waiting := volatile(systemRow("pg_terminate_backend", "Ends a session; the time to wait for it is not used.", "", params("pid", integer, "timeout", bigint), boolean, asks("terminate backend")))
	out = append(out, cancel, terminate, waiting)
	for _, name := range []string{"inet_server_addr", "inet_client_addr"} {
		out = append(out, systemRow(name, "NULL: addresses are not shown to SQL.", "", nil, text, constant(types.NullDatum())))
	}
	for _, name := range []string{"inet_server_port", "inet_client_port"} {
		out = append(out, systemRow(name, "NULL: ports are not shown to SQL.", "", nil, integer, constant(types.NullDatum())))
	}
	return out
}

func volatile(o fn.Overload) fn.Overload {
	o.Volatility = fn.Volatile
	return o
}

// searchPath lists the schemas of the path that exist.
func searchPath(r row, withImplicit bool) (types.Datum, error) {
	out := types.Datum{Items: []types.Datum{}}
	s := r.call.Session
	if s == nil {
		return out, nil
	}
	for _, name := range s.SearchPath {
		if implicit(name) && (!withImplicit || name == "pg_temp") {
			continue
		}
		exists, err := lookup(r, "schema exists", types.StringDatum(name))
		if err != nil {
			return out, err
		}
		if exists.I64 != 0 {
			out.Items = append(out.Items, types.StringDatum(name))
		}
	}
	return out, nil
}

// catalogTables are the set-returning functions of the catalog.
func catalogTables() []fn.Overload {
	system := func(o fn.Overload) fn.Overload {
		o.Category, o.Volatility, o.AtSession = categorySystem, fn.Stable, true
		return o
	}
	empty := func(row) ([][]types.Datum, error) { return nil, nil }
	texts := []fn.Param{{Name: "options", Type: types.ArrayOf(text)}}
	return []fn.Overload{
		system(tableRow("pg_get_keywords", "The key words of SQL.", "pg_get_keywords()", nil,
			columns("word", text, "catcode", types.Of(types.InternalChar), "barelabel", boolean, "catdesc", text, "baredesc", text), keywordRows)),
		system(tableRow("pg_options_to_table", "Options given as name=value, a row each.", "pg_options_to_table(ARRAY['a=1'])", texts,
			columns("option_name", text, "option_value", text), optionRows)),
		system(tableRow("aclexplode", "The entries of an access list: none.", "", []fn.Param{{Name: "acl", Type: types.ArrayOf(text)}},
			columns("grantor", oidType, "grantee", oidType, "privilege_type", text, "is_grantable", boolean), empty)),
		system(tableRow("_pg_expandarray", "The elements of an array with their numbers.", "information_schema._pg_expandarray(ARRAY[7,8]) → (7,1) (8,2)",
			[]fn.Param{family("array", fn.ArrayOf)}, expandColumns, expandRows)),
		system(tableRow("pg_listening_channels", "The channels that the session listens to: none.", "", nil, columns("pg_listening_channels", text), empty)),
		system(tableRow("pg_partition_ancestors", "The tables above a partition: none, partitions are not tables.", "", params("table", regclass), columns("relid", regclass), empty)),
	}
}

func optionRows(r row) ([][]types.Datum, error) {
	if r.null(0) {
		return nil, nil
	}
	var out [][]types.Datum
	for _, item := range r.datum(0).Items {
		name, value, found := strings.Cut(item.Str, "=")
		option := types.StringDatum(value)
		if !found {
			option = types.NullDatum()
		}
		out = append(out, []types.Datum{types.StringDatum(name), option})
	}
	return out, nil
}

// keywordRows lists reserved words (R), and words that cannot be a function's or a type's name (C) or
// can only be one of those (T).
func keywordRows(row) ([][]types.Datum, error) {
	var out [][]types.Datum
	add := func(list, code, description string) {
		for _, w := range strings.Fields(list) {
			out = append(out, []types.Datum{types.StringDatum(w), types.StringDatum(code), types.BoolDatum(true), types.StringDatum(description), types.StringDatum("can be bare label")})
		}
	}
	add(reservedWords, "R", "reserved")
	add(columnWords, "C", "unreserved (cannot be function or type name)")
	add(typeWords, "T", "reserved (can be function or type name)")
	add(otherWords, "U", "unreserved")
	slices.SortFunc(out, func(a, b []types.Datum) int { return strings.Compare(a[0].Str, b[0].Str) })
	return out, nil
}

// expandColumns and expandRows make information_schema's own function, which drivers call.
func expandColumns(call fn.Call) (types.Schema, error) {
	element := text
	if call.Args[0].Kind == types.Array {
		element = *call.Args[0].Elem
	}
	return types.Schema{{Name: "x", Type: element, Nullable: true}, {Name: "n", Type: integer}}, nil
}

func expandRows(r row) ([][]types.Datum, error) {
	if r.null(0) {
		return nil, nil
	}
	var out [][]types.Datum
	for i, x := range r.datum(0).Items {
		out = append(out, []types.Datum{x, types.IntDatum(int64(i + 1))})
	}
	return out, nil
}
