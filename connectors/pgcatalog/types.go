package pgcatalog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/types"
)

// builtinType is a row of pg_type as far as other parts look at it.
type builtinType struct {
	oid, element, array uint32
	name                string
	length              int64
	byValue, align      string
	storage, category   string
	kind                string // typtype
	collation           uint32
	row                 []string
}

func (c *Catalog) readTypes() error {
	rows := c.builtin["pg_type"]
	c.types = make([]builtinType, len(rows))
	c.typeByOID, c.typeNames = map[uint32]*builtinType{}, map[string]*builtinType{}
	for i, row := range rows {
		if len(row) != len(strings.Fields(typeColumns)) {
			return fmt.Errorf("pg_type: %q", row)
		}
		numbers := make([]uint32, 5)
		for k, at := range []int{0, 9, 10, 20, 2} {
			n, err := strconv.ParseInt(row[at], 10, 64)
			if err != nil {
				return err
			}
			numbers[k] = uint32(n)
		}
		t := &c.types[i]
		*t = builtinType{oid: numbers[0], element: numbers[1], array: numbers[2], collation: numbers[3], length: int64(int32(numbers[4])),
			name: row[1], byValue: row[3], kind: row[4], category: row[5], align: row[18], storage: row[19], row: row}
		c.typeByOID[t.oid], c.typeNames[t.name] = t, t
	}
	return nil
}

// typeColumns are the columns of pg_type in rows.txt.
const typeColumns = "oid typname typlen typbyval typtype typcategory typispreferred typdelim typsubscript typelem typarray " +
	"typinput typoutput typreceive typsend typmodin typmodout typanalyze typalign typstorage typcollation"

func typeProducers() map[string]producer {
	return map[string]producer{
		"pg_catalog.pg_type": {columns: typeColumns + " typrelid typnamespace typowner",
			defaults: "typisdefined=t typnotnull=f typbasetype=0 typtypmod=-1 typndims=0", rows: typeRows},
	}
}

func typeRows(r *read, row emit) error {
	ordinals := make([]int, 0, 21)
	for _, name := range strings.Fields(typeColumns) {
		ordinals = append(ordinals, r.table.ordinals[name])
	}
	values := make([]types.Datum, len(ordinals)+3)
	for i := range r.catalog.types {
		t := &r.catalog.types[i]
		if !r.wants("oid", t.oid) {
			continue
		}
		for k, at := range ordinals {
			d, err := value(r.table.columns[at].Type, t.row[k])
			if err != nil {
				return err
			}
			values[k] = d
		}
		values[21], values[22], values[23] = oid(0), oid(oidPgCatalog), oid(oidBootstrapUser)
		if !row(values...) {
			return nil
		}
	}
	for i := range r.objects.Relations {
		o := &r.objects.Relations[i]
		if !r.wants("oid", o.rowType()) {
			continue
		}
		if !row(oid(o.rowType()), str(o.Name), num(-1), truth(false), str("c"), str("C"), truth(false), str(","), oid(0), oid(0), oid(0),
			oid(2290), oid(2291), oid(2402), oid(2403), oid(0), oid(0), oid(0), str("d"), str("x"), oid(0),
			oid(o.oid), oid(o.namespace), oid(userOID(o.Owner))) {
			return nil
		}
	}
	return nil
}

// typeName is PostgreSQL's format_type: the SQL name of a type with its modifier; known is false for
// a type that does not exist.
func (c *Catalog) typeName(number uint32, modifier int64, o *Objects) (name string, known bool) {
	t := c.typeByOID[number]
	if t == nil {
		if number&rowTypeBit != 0 && o != nil {
			if r := o.byOID[number&^rowTypeBit]; r != nil {
				return quoted(r.Name), true
			}
		}
		return "???", false
	}
	if t.category == "A" && t.element != 0 && t.length == -1 {
		name, known := c.typeName(t.element, modifier, o)
		return name + "[]", known
	}
	return sqlName(t.name) + modifierText(t.name, modifier), true
}

// sqlName gives the standard's name of a type, where it has another one.
func sqlName(name string) string {
	switch name {
	case "bool":
		return "boolean"
	case "char":
		return `"char"`
	case "int2":
		return "smallint"
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	case "float4":
		return "real"
	case "float8":
		return "double precision"
	case "bpchar":
		return "character"
	case "varchar":
		return "character varying"
	case "varbit":
		return "bit varying"
	case "time":
		return "time without time zone"
	case "timetz":
		return "time with time zone"
	case "timestamp":
		return "timestamp without time zone"
	case "timestamptz":
		return "timestamp with time zone"
	case "any":
		return `"any"`
	}
	return name
}

func modifierText(name string, modifier int64) string {
	if modifier < 0 {
		return ""
	}
	switch name {
	case "bpchar", "varchar":
		return fmt.Sprintf("(%d)", modifier-4)
	case "numeric":
		return fmt.Sprintf("(%d,%d)", (modifier-4)>>16&0xffff, (modifier-4)&0x7ff)
	}
	return ""
}

// numericPrecision and its like describe a type to information_schema; ok is false where NULL goes.
func numericPrecision(t types.Type) (precision, radix, scale int64, ok bool) {
	switch t.Kind {
	case types.Int16:
		return 16, 2, 0, true
	case types.Int32:
		return 32, 2, 0, true
	case types.Int64:
		return 64, 2, 0, true
	case types.Float32:
		return 24, 2, -1, true
	case types.Float64:
		return 53, 2, -1, true
	case types.Decimal:
		return int64(t.Precision), 10, int64(t.Scale), true
	}
	return 0, 0, 0, false
}
