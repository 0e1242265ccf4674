package pgcatalog

import (
	_ "embed" // the two texts
	"fmt"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
)

//go:embed relations.txt
var relationsText string

//go:embed rows.txt
var rowsText string

// relation is a relation of pg_catalog or information_schema.
type relation struct {
	schema, name string
	oid          uint32
	kind         string // relkind in PostgreSQL
	columns      []connectors.Column
	ordinals     map[string]int
}

// columnTypes gives the types that stand for PostgreSQL's. Those that Tarn lacks are shown as text.
var columnTypes = map[string]types.Kind{
	"oid": types.OID, "xid": types.OID, "name": types.Name, "char": types.InternalChar, "bool": types.Bool,
	"int2": types.Int16, "int4": types.Int32, "int8": types.Int64, "float4": types.Float32, "float8": types.Float64,
	"regproc": types.RegProc, "regtype": types.RegType, "timestamptz": types.TimestampTZ, "interval": types.Interval, "bytea": types.Bytea,
	"text": types.Text, "varchar": types.Text, "pg_node_tree": types.Text, "pg_lsn": types.Text, "inet": types.Text, "aclitem": types.Text,
	"pg_statistic": types.Text, "pg_ndistinct": types.Text, "pg_dependencies": types.Text, "pg_mcv_list": types.Text,
}

func columnType(name string) (types.Type, error) {
	switch name {
	case "numeric":
		return types.DecimalOf(types.MaxDecimalPrecision, 6), nil
	case "anyarray":
		return types.ArrayOf(types.Of(types.Text)), nil
	case "int2vector":
		return types.ArrayOf(types.Of(types.Int16)), nil
	case "oidvector":
		return types.ArrayOf(types.Of(types.OID)), nil
	}
	element, array := strings.CutSuffix(name, "[]")
	kind, ok := columnTypes[element]
	if !ok {
		return types.Type{}, fmt.Errorf("no type %q", name)
	}
	if array {
		return types.ArrayOf(types.Of(kind)), nil
	}
	return types.Of(kind), nil
}

// readRelations reads lines of "schema.name oid relkind column:type …".
func readRelations() ([]relation, error) {
	var out []relation
	for line := range strings.Lines(relationsText) {
		words := strings.Fields(line)
		if len(words) < 4 {
			return nil, fmt.Errorf("relations: %q", line)
		}
		r := relation{kind: words[2], ordinals: map[string]int{}}
		r.schema, r.name, _ = strings.Cut(words[0], ".")
		oid, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			return nil, err
		}
		r.oid = uint32(oid)
		for i, word := range words[3:] {
			name, typeName, _ := strings.Cut(word, ":")
			t, err := columnType(typeName)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", words[0], err)
			}
			r.columns = append(r.columns, connectors.Column{ID: int32(i + 1), Name: name, Type: t})
			r.ordinals[name] = i
		}
		out = append(out, r)
	}
	return out, nil
}

// readRows reads the sections of rows.txt: "@ name count", then lines of values as COPY writes them.
func readRows() (map[string][][]string, error) {
	out := map[string][][]string{}
	section := ""
	for line := range strings.Lines(rowsText) {
		line = strings.TrimSuffix(line, "\n")
		if header, ok := strings.CutPrefix(line, "@ "); ok {
			section, _, _ = strings.Cut(header, " ")
			continue
		}
		if section == "" {
			return nil, fmt.Errorf("rows: %q", line)
		}
		out[section] = append(out[section], strings.Split(line, "\t"))
	}
	return out, nil
}

// value reads a value of rows.txt or of a producer's defaults.
func value(t types.Type, text string) (types.Datum, error) {
	if text == `\N` {
		return types.NullDatum(), nil
	}
	if t.Kind == types.Array && !strings.HasPrefix(text, "{") { // a vector: words
		text = "{" + strings.Join(strings.Fields(text), ",") + "}"
	}
	if t.Kind == types.RegProc || t.Kind == types.RegType {
		t = types.Of(types.OID)
	}
	return types.Parse(t, text, nil)
}
