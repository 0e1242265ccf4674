package pgcatalog

import (
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
)

// Oids of the catalogs that descriptions and dependencies refer to.
const (
	classRelation  = 1259
	classNamespace = 2615
	classRewrite   = 2618
	classDatabase  = 1262
	classFunction  = 1255
)

func relationProducers() map[string]producer {
	return map[string]producer{
		"pg_catalog.pg_namespace": {columns: "oid nspname nspowner", rows: namespaceRows},
		"pg_catalog.pg_class": {columns: "oid relname relnamespace reltype relowner relam relpages reltuples relhasindex relpersistence relkind relnatts relhasrules",
			defaults: "reloftype=0 relfilenode=0 reltablespace=0 relallvisible=0 reltoastrelid=0 relisshared=f relchecks=0 relhastriggers=f " +
				"relhassubclass=f relrowsecurity=f relforcerowsecurity=f relispopulated=t relreplident=d relispartition=f relrewrite=0 relfrozenxid=0 relminmxid=0",
			rows: classRows},
		"pg_catalog.pg_attribute": {columns: "attrelid attname atttypid attlen attnum attndims atttypmod attbyval attalign attstorage attnotnull atthasdef attcollation",
			defaults: "attstattarget=-1 attcacheoff=-1 attcompression= atthasmissing=f attidentity= attgenerated= attisdropped=f attislocal=t attinhcount=0",
			rows:     attributeRows},
		"pg_catalog.pg_attrdef":     {columns: "oid adrelid adnum adbin", rows: defaultRows},
		"pg_catalog.pg_description": {columns: "objoid classoid objsubid description", rows: descriptionRows},
		"pg_catalog.pg_rewrite":     {columns: "oid ev_class", defaults: "rulename=_RETURN ev_type=1 ev_enabled=O is_instead=t ev_qual=<> ev_action=<>", rows: rewriteRows},
		"pg_catalog.pg_depend":      {columns: "classid objid objsubid refclassid refobjid refobjsubid deptype", rows: dependRows},
		"pg_catalog.pg_tables": {columns: "schemaname tablename tableowner", defaults: "hasindexes=f hasrules=f hastriggers=f rowsecurity=f",
			rows: namedRows("r")},
		"pg_catalog.pg_views":            {columns: "schemaname viewname viewowner definition", rows: viewRows},
		"pg_catalog.pg_stat_user_tables": {columns: statColumns, defaults: statDefaults, rows: statRows(true, false)},
		"pg_catalog.pg_stat_all_tables":  {columns: statColumns, defaults: statDefaults, rows: statRows(true, true)},
		"pg_catalog.pg_stat_sys_tables":  {columns: statColumns, defaults: statDefaults, rows: statRows(false, true)},
	}
}

func namespaceRows(r *read, row emit) error {
	for i := range r.objects.Schemas {
		s := &r.objects.Schemas[i]
		if !row(oid(s.oid), str(s.Name), oid(userOID(s.Owner))) {
			break
		}
	}
	return nil
}

// each visits the relations whose oid a query wants in a column.
func (r *read) each(column string, visit func(o *Relation) (more bool, err error)) error {
	for i := range r.objects.Relations {
		o := &r.objects.Relations[i]
		if column != "" && !r.wants(column, o.oid) {
			continue
		}
		if more, err := visit(o); err != nil || !more {
			return err
		}
	}
	return nil
}

func classRows(r *read, row emit) error {
	sized := r.reads("reltuples") || r.reads("relpages")
	return r.each("oid", func(o *Relation) (bool, error) {
		rows, bytes := int64(-1), int64(0)
		if sized && o.relkind() == "r" && o.Kind != connectors.Virtual {
			var err error
			if rows, bytes, err = r.catalog.source.Size(r.ctx, r.transaction, o); err != nil {
				return false, err
			}
		}
		access, persistence := uint32(0), "p"
		if o.relkind() == "r" {
			access = 2
		}
		if o.Kind == connectors.Temporary {
			persistence = "t"
		}
		return row(oid(o.oid), str(o.Name), oid(o.namespace), oid(o.rowType()), oid(userOID(o.Owner)), oid(access), num((max(bytes, 0)+8191)/8192),
			types.FloatDatum(float64(rows)), truth(false), str(persistence), str(o.relkind()), num(int64(len(o.Columns))), truth(o.relkind() == "v")), nil
	})
}

func attributeRows(r *read, row emit) error {
	return r.each("attrelid", func(o *Relation) (bool, error) {
		for i := range o.Columns {
			column := &o.Columns[i]
			number := column.Type.OID()
			t := r.catalog.typeByOID[number]
			if t == nil {
				t = r.catalog.typeByOID[types.OIDText]
			}
			dimensions := int64(0)
			for e := column.Type; e.Kind == types.Array; e = *e.Elem {
				dimensions++
			}
			if !row(oid(o.oid), str(column.Name), oid(number), num(t.length), num(int64(i+1)), num(dimensions), num(int64(column.Type.Typmod())),
				truth(t.byValue == "t"), str(t.align), str(t.storage), truth(column.NotNull), truth(column.Default != ""), oid(t.collation)) {
				return false, nil
			}
		}
		return true, nil
	})
}

// defaultOID is pg_attrdef's oid of a column's default.
func (r *Relation) defaultOID(column int) uint32 {
	return defaultBit | (r.oid*1664+uint32(column))&0x7fff_ffff
}

func defaultRows(r *read, row emit) error {
	return r.each("adrelid", func(o *Relation) (bool, error) {
		for i := range o.Columns {
			if d := o.Columns[i].Default; d != "" && !row(oid(o.defaultOID(i)), oid(o.oid), num(int64(i+1)), str(d)) {
				return false, nil
			}
		}
		return true, nil
	})
}

func descriptionRows(r *read, row emit) error {
	for i := range r.objects.Schemas {
		if s := &r.objects.Schemas[i]; s.Comment != "" && !row(oid(s.oid), oid(classNamespace), num(0), str(s.Comment)) {
			return nil
		}
	}
	err := r.each("objoid", func(o *Relation) (bool, error) {
		if o.Comment != "" && !row(oid(o.oid), oid(classRelation), num(0), str(o.Comment)) {
			return false, nil
		}
		for i := range o.Columns {
			if text := o.Columns[i].Comment; text != "" && !row(oid(o.oid), oid(classRelation), num(int64(i+1)), str(text)) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for i := range r.catalog.functions {
		f := &r.catalog.functions[i]
		if f.doc != "" && r.wants("objoid", f.oid) && !row(oid(f.oid), oid(classFunction), num(0), str(f.doc)) {
			return nil
		}
	}
	return nil
}

// ruleOID is the oid of a view's rewrite rule.
func (r *Relation) ruleOID() uint32 { return r.oid | defaultBit }

func rewriteRows(r *read, row emit) error {
	return r.each("ev_class", func(o *Relation) (bool, error) {
		return o.Kind != connectors.View || row(oid(o.ruleOID()), oid(o.oid)), nil
	})
}

func dependRows(r *read, row emit) error {
	byID := map[int64]*Relation{}
	for i := range r.objects.Relations {
		if o := &r.objects.Relations[i]; o.ID != 0 {
			byID[o.ID] = o
		}
	}
	return r.each("", func(o *Relation) (bool, error) {
		if o.Kind == connectors.View && !row(oid(classRewrite), oid(o.ruleOID()), num(0), oid(classRelation), oid(o.oid), num(0), str("i")) {
			return false, nil
		}
		for _, id := range o.DependsOn {
			if on := byID[id]; on != nil && !row(oid(classRewrite), oid(o.ruleOID()), num(0), oid(classRelation), oid(on.oid), num(0), str("n")) {
				return false, nil
			}
		}
		return true, nil
	})
}

// namedRows gives schema, name and owner of the relations of a kind.
func namedRows(kind string) func(r *read, row emit) error {
	return func(r *read, row emit) error {
		return r.each("", func(o *Relation) (bool, error) {
			return o.relkind() != kind || row(str(o.Schema), str(o.Name), str(ownerOf(o.Owner))), nil
		})
	}
}

func ownerOf(name string) string {
	if name == "" {
		return bootstrapUser
	}
	return name
}

func viewRows(r *read, row emit) error {
	return r.each("", func(o *Relation) (bool, error) {
		return o.relkind() != "v" || row(str(o.Schema), str(o.Name), str(ownerOf(o.Owner)), viewText(o)), nil
	})
}

// viewText is a view's query as pg_get_viewdef shows it.
func viewText(o *Relation) types.Datum {
	if o.ViewSQL == "" {
		return null()
	}
	return str(" " + strings.TrimSuffix(strings.TrimSpace(o.ViewSQL), ";") + ";")
}

const statColumns = "relid schemaname relname n_live_tup"

const statDefaults = "seq_scan=0 seq_tup_read=0 n_tup_ins=0 n_tup_upd=0 n_tup_del=0 n_tup_hot_upd=0 n_tup_newpage_upd=0 n_dead_tup=0 " +
	"n_mod_since_analyze=0 n_ins_since_vacuum=0 vacuum_count=0 autovacuum_count=0 analyze_count=0 autoanalyze_count=0"

func statRows(user, system bool) func(r *read, row emit) error {
	return func(r *read, row emit) error {
		return r.each("relid", func(o *Relation) (bool, error) {
			if o.relkind() != "r" || (o.builtin == nil && !user) || (o.builtin != nil && !system) {
				return true, nil
			}
			rows := int64(0)
			if o.Kind != connectors.Virtual && r.reads("n_live_tup") {
				var err error
				if rows, _, err = r.catalog.source.Size(r.ctx, r.transaction, o); err != nil {
					return false, err
				}
			}
			return row(oid(o.oid), str(o.Schema), str(o.Name), num(max(rows, 0))), nil
		})
	}
}
