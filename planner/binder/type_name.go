package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// ResolveType gives the type that a name means as a column's type: numeric without modifiers is
// numeric(38,16). Errors carry no position; the caller knows the text.
func ResolveType(name *ast.TypeName) (types.Type, error) {
	t, err := resolveType(name)
	return storedType(t), err
}

// storedType replaces bare numerics by the widest.
func storedType(t types.Type) types.Type { return settle(t, textType) }

// typeName resolves a type inside an expression, where numeric may be bare.
func (b *binder) typeName(name *ast.TypeName) (types.Type, error) {
	t, err := resolveType(name)
	if err != nil {
		return t, b.locate(err, name.Pos)
	}
	return t, nil
}

func resolveType(name *ast.TypeName) (types.Type, error) {
	t, err := resolveElement(name)
	if err != nil {
		return t, err
	}
	for range name.ArrayDims {
		t = types.ArrayOf(t)
	}
	return t, nil
}

func resolveElement(name *ast.TypeName) (types.Type, error) {
	if len(name.Args) > 0 {
		return resolveNested(name)
	}
	if name.Schema != "" && name.Schema != "pg_catalog" && name.Schema != "information_schema" {
		return unknownType, sqlerr.New(sqlerr.InvalidSchemaName, "schema %q does not exist", name.Schema)
	}
	kind, ok := typeKind(name.Name)
	if !ok {
		if len(name.Name) > 1 && name.Name[0] == '_' {
			if element, ok := typeKind(name.Name[1:]); ok {
				return types.ArrayOf(types.Of(element)), nil
			}
		}
		return unknownType, undefinedType(name.Name)
	}
	return withModifiers(kind, name)
}

func undefinedType(name string) error {
	err := sqlerr.New(sqlerr.UndefinedObject, "type %q does not exist", name)
	if near := nearest(name, typeNames); near != "" {
		return err.WithHint("Perhaps you meant the type %q.", near)
	}
	return err
}

var typeNames = []string{"boolean", "smallint", "integer", "bigint", "real", "double", "numeric", "decimal", "text",
	"varchar", "string", "char", "bytea", "date", "time", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb"}

// typeKind knows PostgreSQL's names, internal ones included, and those of Presto, Hive and Impala.
func typeKind(name string) (types.Kind, bool) {
	switch name {
	case "bool", "boolean":
		return types.Bool, true
	case "int2", "smallint", "tinyint":
		return types.Int16, true
	case "int4", "int", "integer":
		return types.Int32, true
	case "int8", "bigint":
		return types.Int64, true
	case "hugeint":
		return types.Int128Kind, true
	case "float4", "real", "float":
		return types.Float32, true
	case "float8", "double", "double precision":
		return types.Float64, true
	case "numeric", "decimal", "dec":
		return types.Decimal, true
	case "text", "varchar", "string", "character varying", "citext", "sql_identifier", "character_data", "yes_or_no":
		return types.Text, true
	case "bpchar", "char", "character":
		return types.Char, true
	case "bytea", "varbinary", "binary", "blob":
		return types.Bytea, true
	case "date":
		return types.Date, true
	case "time", "time without time zone":
		return types.Time, true
	case "timestamp", "datetime", "timestamp without time zone":
		return types.Timestamp, true
	case "timestamptz", "timestamp with time zone", "time_stamp":
		return types.TimestampTZ, true
	case "interval":
		return types.Interval, true
	case "uuid":
		return types.UUID, true
	case "json":
		return types.JSON, true
	case "jsonb":
		return types.JSONB, true
	case "record":
		return types.Row, true
	case "void":
		return types.Void, true
	case "unknown":
		return types.Unknown, true
	case "cardinal_number":
		return types.Int32, true
	}
	return systemKind(name)
}

func systemKind(name string) (types.Kind, bool) {
	switch name {
	case "oid", "xid", "cid", "regrole", "regconfig", "regdictionary", "regcollation":
		return types.OID, true
	case "name":
		return types.Name, true
	case `"char"`:
		return types.InternalChar, true
	case "regclass":
		return types.RegClass, true
	case "regtype":
		return types.RegType, true
	case "regproc", "regprocedure", "regoper", "regoperator":
		return types.RegProc, true
	case "regnamespace":
		return types.RegNamespace, true
	}
	return types.Unknown, false
}

func withModifiers(kind types.Kind, name *ast.TypeName) (types.Type, error) {
	m := name.Modifiers
	switch kind {
	case types.Decimal:
		return decimalModifiers(m)
	case types.Text:
		if len(m) == 0 || name.Name == "text" || name.Name == "string" {
			return textType, nil
		}
		return lengthModifier(types.Text, "varchar", m)
	case types.Char:
		if name.Name == "char" && len(m) == 0 { // "char" in quotes; the unquoted word arrives as bpchar(1)
			return types.Of(types.InternalChar), nil
		}
		if len(m) == 0 {
			return types.Type{Kind: types.Char, Length: 1}, nil
		}
		return lengthModifier(types.Char, "char", m)
	case types.Time, types.Timestamp, types.TimestampTZ:
		return fractionModifier(types.Of(kind), m)
	}
	return types.Of(kind), nil
}

func decimalModifiers(m []int64) (types.Type, error) {
	if len(m) == 0 {
		return bareDecimal, nil
	}
	if len(m) > 2 {
		return bareDecimal, sqlerr.New(sqlerr.InvalidParameterValue, "invalid NUMERIC type modifier")
	}
	scale := int64(0)
	if len(m) == 2 {
		scale = m[1]
	}
	if m[0] < 1 || m[0] > types.MaxDecimalPrecision {
		return bareDecimal, sqlerr.New(sqlerr.InvalidParameterValue, "NUMERIC precision %d must be between 1 and %d",
			m[0], types.MaxDecimalPrecision)
	}
	if scale < 0 || scale > m[0] {
		return bareDecimal, sqlerr.New(sqlerr.InvalidParameterValue, "NUMERIC scale %d must be between 0 and precision %d",
			scale, m[0])
	}
	return types.DecimalOf(int(m[0]), int(scale)), nil
}

func fractionModifier(t types.Type, m []int64) (types.Type, error) {
	switch {
	case len(m) == 0:
		return t, nil
	case len(m) > 1:
		return t, sqlerr.New(sqlerr.InvalidParameterValue, "invalid type modifier")
	case m[0] < 0:
		zone := ""
		if t.Kind == types.TimestampTZ {
			zone = " WITH TIME ZONE"
		}
		name, _, _ := strings.Cut(t.Kind.String(), " ")
		return t, sqlerr.New(sqlerr.InvalidParameterValue, "%s(%d)%s precision must not be negative", strings.ToUpper(name), m[0], zone)
	}
	return t.WithFraction(int(min(m[0], types.MaxFractionDigits))), nil
}

const maxLength = 10485760

func lengthModifier(kind types.Kind, label string, m []int64) (types.Type, error) {
	t := types.Of(kind)
	switch {
	case len(m) > 1:
		return t, sqlerr.New(sqlerr.InvalidParameterValue, "invalid type modifier")
	case m[0] < 1:
		return t, sqlerr.New(sqlerr.InvalidParameterValue, "length for type %s must be at least 1", label)
	case m[0] > maxLength:
		return t, sqlerr.New(sqlerr.InvalidParameterValue, "length for type %s cannot exceed %d", label, maxLength)
	}
	t.Length = int32(m[0])
	return t, nil
}

func resolveNested(name *ast.TypeName) (types.Type, error) {
	args := make([]types.Type, len(name.Args))
	for i, a := range name.Args {
		t, err := resolveType(a.Type)
		if err != nil {
			return t, err
		}
		args[i] = t
	}
	switch {
	case name.Name == "array" && len(args) == 1:
		return types.ArrayOf(args[0]), nil
	case name.Name == "map" && len(args) == 2:
		return types.MapOf(args[0], args[1]), nil
	case name.Name == "row" || name.Name == "struct":
		fields := make([]types.Field, len(args))
		for i := range args {
			fields[i] = types.Field{Name: name.Args[i].Name, Type: args[i], Nullable: true}
		}
		return types.RowOf(fields...), nil
	}
	return unknownType, undefinedType(name.Name)
}
