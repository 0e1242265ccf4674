package pgcatalog

import (
	"context"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// question is one call of Lookup.
type question struct {
	ctx         context.Context
	catalog     *Catalog
	objects     *Objects
	transaction string
	args        []types.Datum
}

// answers maps the kinds of questions to the methods that answer them. oid arguments are bigints,
// names are text.
func (c *Catalog) answers() map[string]func(q *question) (types.Datum, error) {
	return map[string]func(q *question) (types.Datum, error){
		"regclass": (*question).regclass, "regclass name": (*question).regclassName, "to_regclass": optional((*question).regclass),
		"regtype": (*question).regtype, "regtype name": (*question).regtypeName, "to_regtype": optional((*question).regtype),
		"regproc": (*question).regproc, "regproc name": (*question).regprocName, "to_regproc": optional((*question).regproc),
		"regnamespace": (*question).regnamespace, "regnamespace name": (*question).regnamespaceName, "to_regnamespace": optional((*question).regnamespace),
		"pg_get_userbyid": (*question).userName, "format_type": (*question).formatType, "relation is visible": (*question).visible,
		"pg_get_viewdef": (*question).viewDefinition, "obj_description": (*question).comment, "col_description": (*question).columnComment,
		"relation size": (*question).size, "pg_get_function_arguments": (*question).functionArguments, "pg_get_function_result": (*question).functionResult,
		"schema exists": (*question).schemaExists, "pg_get_partkeydef": (*question).partitionKey,
	}
}

// Lookup answers a question of a catalog function on behalf of a transaction; known is false for
// questions that are none of its own.
func (c *Catalog) Lookup(ctx context.Context, transaction, kind string, args []types.Datum) (answer types.Datum, known bool, err error) {
	f := c.questions[kind]
	if f == nil {
		return null(), false, nil
	}
	objects, err := c.objects(ctx, transaction)
	if err != nil {
		return null(), true, err
	}
	answer, err = f(&question{ctx, c, objects, transaction, args})
	return answer, true, err
}

// optional gives NULL where there is no such thing.
func optional(f func(q *question) (types.Datum, error)) func(q *question) (types.Datum, error) {
	return func(q *question) (types.Datum, error) {
		d, err := f(q)
		switch sqlerr.CodeOf(err) {
		case sqlerr.UndefinedTable, sqlerr.UndefinedObject, sqlerr.UndefinedFunction, sqlerr.InvalidSchemaName:
			return null(), nil
		}
		return d, err
	}
}

func (q *question) oid(i int) uint32 { return uint32(q.args[i].I64) }

func (q *question) path() []string { return q.catalog.source.Session(q.transaction).SearchPath }

// SplitName reads a qualified name: identifiers fold to lower case unless they are quoted.
func SplitName(text string) ([]string, error) {
	var parts []string
	rest := strings.TrimSpace(text)
	for {
		var part string
		if strings.HasPrefix(rest, `"`) {
			var b strings.Builder
			i := 1
			for ; i < len(rest); i++ {
				if rest[i] == '"' {
					if i+1 < len(rest) && rest[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(rest[i])
			}
			if i >= len(rest) {
				return nil, sqlerr.New(sqlerr.SyntaxError, "invalid name syntax")
			}
			part, rest = b.String(), strings.TrimSpace(rest[i+1:])
		} else {
			end := strings.IndexByte(rest, '.')
			if end < 0 {
				end = len(rest)
			}
			part, rest = strings.ToLower(strings.TrimSpace(rest[:end])), rest[end:]
		}
		if part == "" {
			return nil, sqlerr.New(sqlerr.SyntaxError, "invalid name syntax")
		}
		parts = append(parts, part)
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, sqlerr.New(sqlerr.SyntaxError, "invalid name syntax")
		}
		rest = strings.TrimSpace(rest[1:])
	}
}

// qualified splits a name into schema ("" for none) and name.
func qualified(text string) (schema, name string, err error) {
	parts, err := SplitName(text)
	if err != nil {
		return "", "", err
	}
	if len(parts) > 3 {
		return "", "", sqlerr.New(sqlerr.SyntaxError, "improper relation name (too many dotted names): %s", text)
	}
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	return schema, parts[len(parts)-1], nil
}

func (q *question) relation(text string) (*Relation, error) {
	schema, name, err := qualified(text)
	if err != nil {
		return nil, err
	}
	if r := q.objects.find(q.path(), schema, name); r != nil {
		return r, nil
	}
	if schema != "" {
		name = schema + "." + name
	}
	return nil, sqlerr.New(sqlerr.UndefinedTable, "relation %q does not exist", name)
}

func (q *question) regclass() (types.Datum, error) {
	r, err := q.relation(q.args[0].Str)
	if err != nil {
		return null(), err
	}
	return oid(r.oid), nil
}

func (q *question) regclassName() (types.Datum, error) {
	r := q.objects.byOID[q.oid(0)]
	if r == nil {
		return null(), nil
	}
	if q.objects.find(q.path(), "", r.Name) == r {
		return str(quoted(r.Name)), nil
	}
	return str(quoted(r.Schema) + "." + quoted(r.Name)), nil
}

func (q *question) visible() (types.Datum, error) {
	r := q.objects.byOID[q.oid(0)]
	if r == nil {
		return null(), nil
	}
	return truth(q.objects.find(q.path(), "", r.Name) == r), nil
}

func (q *question) regtype() (types.Datum, error) {
	number, err := q.catalog.typeNumber(q.args[0].Str, q)
	return oid(number), err
}

// typeNumber finds a type by a name as SQL or pg_type writes it; modifiers are left out of account.
func (c *Catalog) typeNumber(text string, q *question) (uint32, error) {
	bare := strings.TrimSpace(text)
	array := false
	for strings.HasSuffix(bare, "[]") {
		array, bare = true, strings.TrimSpace(strings.TrimSuffix(bare, "[]"))
	}
	if open := strings.IndexByte(bare, '('); open >= 0 {
		if end := strings.IndexByte(bare[open:], ')'); end >= 0 {
			bare = strings.TrimSpace(bare[:open] + bare[open+end+1:])
		}
	}
	t := c.typeNamed(bare)
	if t != nil && array {
		t = c.typeByOID[t.array]
	}
	if t != nil {
		return t.oid, nil
	}
	if schema, name, err := qualified(bare); err == nil && !array {
		if r := q.objects.find(q.path(), schema, name); r != nil {
			return r.rowType(), nil
		}
	}
	return 0, sqlerr.New(sqlerr.UndefinedObject, "type %q does not exist", text)
}

func (c *Catalog) typeNamed(text string) *builtinType {
	if words := strings.ToLower(strings.Join(strings.Fields(text), " ")); !strings.ContainsAny(text, `".`) {
		if name, ok := typeWords[words]; ok {
			return c.typeNames[name]
		}
		if words == "char" { // unquoted char is bpchar
			return c.typeNames["bpchar"]
		}
	}
	schema, name, err := qualified(text)
	if err != nil || schema != "" && schema != "pg_catalog" {
		return nil
	}
	return c.typeNames[name]
}

// typeWords maps SQL's names of types, and Presto's and Hive's, to those of pg_type.
var typeWords = map[string]string{
	"boolean": "bool", "smallint": "int2", "int": "int4", "integer": "int4", "bigint": "int8", "real": "float4", "float": "float8",
	"double precision": "float8", "double": "float8", "decimal": "numeric", "dec": "numeric", "character varying": "varchar", "character": "bpchar",
	"string": "text", "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
	"time without time zone": "time", "time with time zone": "timetz", "bit varying": "varbit", "varbinary": "bytea",
}

func (q *question) regtypeName() (types.Datum, error) {
	name, known := q.catalog.typeName(q.oid(0), -1, q.objects)
	if !known {
		return null(), nil
	}
	return str(name), nil
}

func (q *question) formatType() (types.Datum, error) {
	modifier := int64(-1)
	if len(q.args) > 1 && !q.args[1].Null {
		modifier = q.args[1].I64
	}
	if q.oid(0) == 0 {
		return str("-"), nil
	}
	name, _ := q.catalog.typeName(q.oid(0), modifier, q.objects)
	return str(name), nil
}

func (q *question) regproc() (types.Datum, error) {
	text, _, hasArguments := strings.Cut(q.args[0].Str, "(")
	schema, name, err := qualified(text)
	if err != nil {
		return null(), err
	}
	var found *function
	for i := range q.catalog.functions {
		f := &q.catalog.functions[i]
		if f.name != name || schema != "" && schema != "pg_catalog" || hasArguments && !q.sameArguments(f, q.args[0].Str) {
			continue
		}
		if found != nil {
			return null(), sqlerr.New(sqlerr.AmbiguousFunction, "more than one function named %q", q.args[0].Str)
		}
		found = f
	}
	if found == nil {
		return null(), sqlerr.New(sqlerr.UndefinedFunction, "function %q does not exist", q.args[0].Str)
	}
	return oid(found.oid), nil
}

// sameArguments tells whether a function has the arguments that name(type, …) lists.
func (q *question) sameArguments(f *function, signature string) bool {
	_, list, _ := strings.Cut(signature, "(")
	list = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(list), ")"))
	var wanted []string
	if list != "" {
		wanted = strings.Split(list, ",")
	}
	if len(wanted) != len(f.args) {
		return false
	}
	for i, text := range wanted {
		if number, err := q.catalog.typeNumber(text, q); err != nil || number != f.args[i] {
			return false
		}
	}
	return true
}

func (q *question) regprocName() (types.Datum, error) {
	f := q.catalog.funcByOID[q.oid(0)]
	if f == nil {
		return null(), nil
	}
	return str(quoted(f.name)), nil
}

func (q *question) regnamespace() (types.Datum, error) {
	parts, err := SplitName(q.args[0].Str)
	if err != nil {
		return null(), err
	}
	s := q.objects.schemas[parts[len(parts)-1]]
	if s == nil {
		return null(), sqlerr.New(sqlerr.InvalidSchemaName, "schema %q does not exist", q.args[0].Str)
	}
	return oid(s.oid), nil
}

func (q *question) regnamespaceName() (types.Datum, error) {
	for _, s := range q.objects.schemas {
		if s.oid == q.oid(0) {
			return str(quoted(s.Name)), nil
		}
	}
	return null(), nil
}

func (q *question) schemaExists() (types.Datum, error) {
	return truth(q.objects.schemas[q.args[0].Str] != nil), nil
}

func (q *question) userName() (types.Datum, error) {
	u := q.objects.userByOID[q.oid(0)]
	if u == nil {
		return str("unknown (OID=" + types.Format(types.Of(types.OID), q.args[0], nil) + ")"), nil
	}
	return str(u.Name), nil
}

// target is a relation given by oid or by name.
func (q *question) target() (*Relation, error) {
	if q.args[0].Str != "" {
		return q.relation(q.args[0].Str)
	}
	return q.objects.byOID[q.oid(0)], nil
}

func (q *question) viewDefinition() (types.Datum, error) {
	r, err := q.target()
	if err != nil || r == nil {
		return null(), err
	}
	return viewText(r), nil
}

func (q *question) comment() (types.Datum, error) {
	if r := q.objects.byOID[q.oid(0)]; r != nil {
		return strOrNull(r.Comment), nil
	}
	for _, s := range q.objects.schemas {
		if s.oid == q.oid(0) {
			return strOrNull(s.Comment), nil
		}
	}
	if f := q.catalog.funcByOID[q.oid(0)]; f != nil {
		return strOrNull(f.doc), nil
	}
	return null(), nil
}

func (q *question) columnComment() (types.Datum, error) {
	r, at := q.objects.byOID[q.oid(0)], int(q.args[1].I64)
	if r == nil || at < 1 || at > len(r.Columns) {
		return null(), nil
	}
	return strOrNull(r.Columns[at-1].Comment), nil
}

// size gives the bytes of a relation, 0 where it has none of its own.
func (q *question) size() (types.Datum, error) {
	r, err := q.target()
	if err != nil || r == nil {
		return null(), err
	}
	if r.relkind() != "r" || r.Kind == connectors.Virtual {
		return num(0), nil
	}
	_, bytes, err := q.catalog.source.Size(q.ctx, q.transaction, r)
	return num(max(bytes, 0)), err
}

func (q *question) functionArguments() (types.Datum, error) {
	if f := q.catalog.funcByOID[q.oid(0)]; f != nil {
		return str(q.catalog.arguments(f)), nil
	}
	return null(), nil
}

func (q *question) functionResult() (types.Datum, error) {
	if f := q.catalog.funcByOID[q.oid(0)]; f != nil {
		return str(q.catalog.resultName(f)), nil
	}
	return null(), nil
}

func (q *question) partitionKey() (types.Datum, error) {
	r := q.objects.byOID[q.oid(0)]
	if r == nil || len(r.Partition) == 0 {
		return null(), nil
	}
	var names []string
	for _, n := range r.Partition {
		names = append(names, quoted(n))
	}
	return str("LIST (" + strings.Join(names, ", ") + ")"), nil
}

// quoted writes a name as SQL needs it.
func quoted(name string) string {
	plain := name != ""
	for i := range len(name) {
		ch := name[i]
		if ch != '_' && (ch < 'a' || ch > 'z') && (i == 0 || ch != '$' && (ch < '0' || ch > '9')) {
			plain = false
		}
	}
	if plain && !reserved[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// reserved holds the key words that cannot stand for a name unquoted.
var reserved = words("all analyse analyze and any array as asc asymmetric authorization between binary bigint bit boolean both case cast char character check " +
	"coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time " +
	"current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full " +
	"grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join lateral leading least left like limit " +
	"localtime localtimestamp national natural nchar none not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position " +
	"precision primary real references returning right row select session_user setof similar smallint some substring symmetric table tablesample then time " +
	"timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat")

func words(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}
