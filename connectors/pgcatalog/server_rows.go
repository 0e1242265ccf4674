package pgcatalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/types"
)

func roleProducers() map[string]producer {
	const roleColumns = "oid rolname rolsuper rolcreaterole rolcreatedb rolcanlogin rolbypassrls"
	const roleDefaults = "rolinherit=t rolreplication=f rolconnlimit=-1"
	const userColumns = "usesysid usename usesuper usecreatedb usebypassrls"
	return map[string]producer{
		"pg_catalog.pg_authid": {columns: roleColumns, defaults: roleDefaults, rows: roleRows},
		"pg_catalog.pg_roles":  {columns: roleColumns, defaults: roleDefaults + " rolpassword=********", rows: roleRows},
		"pg_catalog.pg_user":   {columns: userColumns, defaults: "userepl=f passwd=********", rows: userRows},
		"pg_catalog.pg_shadow": {columns: userColumns, defaults: "userepl=f", rows: userRows},
	}
}

func roleRows(r *read, row emit) error {
	for i := range r.objects.Users {
		u := &r.objects.Users[i]
		super := truth(u.Superuser)
		if !row(oid(u.oid), str(u.Name), super, super, super, truth(u.Login), super) {
			break
		}
	}
	return nil
}

func userRows(r *read, row emit) error {
	for i := range r.objects.Users {
		u := &r.objects.Users[i]
		super := truth(u.Superuser)
		if u.Login && !row(oid(u.oid), str(u.Name), super, super, super) {
			break
		}
	}
	return nil
}

func serverProducers() map[string]producer {
	return map[string]producer{
		"pg_catalog.pg_database": {columns: "datname",
			defaults: "oid=5 datdba=10 encoding=6 datlocprovider=c datistemplate=f datallowconn=t datconnlimit=-1 datfrozenxid=0 datminmxid=0 dattablespace=1663 datcollate=C datctype=C",
			rows: func(r *read, row emit) error {
				row(str(r.session.Database))
				return nil
			}},
		"pg_catalog.pg_stat_database": {columns: "datname", defaults: "datid=5 numbackends=0 xact_commit=0 xact_rollback=0 blks_read=0 blks_hit=0 tup_returned=0 " +
			"tup_fetched=0 tup_inserted=0 tup_updated=0 tup_deleted=0 conflicts=0 temp_files=0 temp_bytes=0 deadlocks=0",
			rows: func(r *read, row emit) error {
				row(str(r.session.Database))
				return nil
			}},
		"pg_catalog.pg_tablespace": {columns: "oid spcname", defaults: "spcowner=10", rows: func(_ *read, row emit) error {
			if row(oid(oidTablespace), str("pg_default")) {
				row(oid(1664), str("pg_global"))
			}
			return nil
		}},
		"pg_catalog.pg_settings": {columns: "name setting category short_desc context vartype source enumvals boot_val reset_val", defaults: "pending_restart=f",
			rows: settingRows},
		"pg_catalog.pg_stat_activity": {columns: "datname pid usesysid usename application_name client_addr backend_start xact_start query_start state_change state query",
			defaults: "datid=5 client_port=-1", rows: activityRows},
		"pg_catalog.pg_timezone_names": {columns: "name abbrev utc_offset is_dst", rows: zoneRows},
	}
}

func settingRows(r *read, row emit) error {
	for _, s := range r.catalog.source.Settings(r.transaction) {
		context, choices := "user", null()
		if s.Fixed {
			context = "internal"
		}
		if len(s.Choices) > 0 {
			choices = types.Datum{}
			for _, c := range s.Choices {
				choices.Items = append(choices.Items, str(c))
			}
		}
		source := "default"
		if s.Value != s.Default {
			source = "session"
		}
		if !row(str(s.Name), str(s.Value), str("Client Connection Defaults"), str(s.Doc), str(context), str(s.Type), str(source), choices, str(s.Default), str(s.Default)) {
			break
		}
	}
	return nil
}

func moment(t time.Time) types.Datum {
	if t.IsZero() {
		return null()
	}
	return num(t.UnixMicro())
}

func activityRows(r *read, row emit) error {
	for _, b := range r.catalog.source.Backends() {
		address, _, _ := strings.Cut(b.Client, ":")
		if !row(str(b.Database), num(int64(b.PID)), oid(userOID(b.User)), str(b.User), str(b.Application), strOrNull(address), moment(b.Started),
			moment(b.TransactionStarted), moment(b.QueryStarted), moment(b.Changed), str(b.State), str(b.Query)) {
			break
		}
	}
	return nil
}

// zoneRows lists a few zones: their full list is the system's.
func zoneRows(_ *read, row emit) error {
	for _, name := range []string{"UTC", "Europe/Berlin", "Europe/London", "Europe/Paris", "America/New_York", "America/Los_Angeles", "Asia/Tokyo", "Asia/Shanghai",
		"Asia/Kolkata", "Australia/Sydney"} {
		zone, err := types.LoadZone(name)
		if err != nil {
			return err
		}
		now := time.Now().In(zone)
		abbreviation, offset := now.Zone()
		if !row(str(name), str(abbreviation), types.Datum{Span: types.IntervalValue{Micros: int64(offset) * types.MicrosPerSecond}}, truth(now.IsDST())) {
			break
		}
	}
	return nil
}

// staticProducers serve the sections of rows.txt.
func staticProducers() map[string]producer {
	out := map[string]producer{}
	for name, s := range map[string][2]string{
		"pg_operator":  {"oid oprname oprkind oprcanmerge oprcanhash oprleft oprright oprresult oprcom oprnegate oprcode", "oprnamespace=11 oprowner=10 oprrest=0 oprjoin=0"},
		"pg_cast":      {"oid castsource casttarget castfunc castcontext castmethod", ""},
		"pg_am":        {"oid amname amhandler amtype", ""},
		"pg_language":  {"oid lanname lanowner lanispl lanpltrusted lanplcallfoid laninline lanvalidator", ""},
		"pg_collation": {"oid collname collnamespace collowner collprovider collisdeterministic collencoding collcollate collctype", ""},
		"pg_opfamily":  {"oid opfmethod opfname opfnamespace opfowner", ""},
		"pg_opclass":   {"oid opcmethod opcname opcnamespace opcowner opcfamily opcintype opcdefault opckeytype", ""},
	} {
		out["pg_catalog."+name] = producer{columns: s[0], defaults: s[1], rows: staticRows(name, strings.Fields(s[0]))}
	}
	return out
}

func staticRows(section string, columns []string) func(r *read, row emit) error {
	return func(r *read, row emit) error {
		values := make([]types.Datum, len(columns))
		for _, line := range r.catalog.builtin[section] {
			if len(line) != len(columns) {
				return fmt.Errorf("%s: %q", section, line)
			}
			for i, name := range columns {
				d, err := value(r.table.columns[r.table.ordinals[name]].Type, line[i])
				if err != nil {
					return err
				}
				values[i] = d
			}
			if !row(values...) {
				break
			}
		}
		return nil
	}
}
