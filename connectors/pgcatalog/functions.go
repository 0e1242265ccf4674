package pgcatalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

// function is a row of pg_proc.
type function struct {
	oid, result uint32
	name        string
	args        []uint32
	argNames    []string
	kind        string // prokind: f, a, w
	volatility  string
	strict, set bool
	variadic    bool
	doc         string
}

// firstFunctionOID begins the oids of functions that PostgreSQL does not have.
const firstFunctionOID = 0x0700_0000

// Oids of the pseudo-types that parameters have.
const (
	oidAny        = 2276
	oidAnyElement = 2283
	oidAnyArray   = 2277
	oidInternal   = 2281
)

// readFunctions joins PostgreSQL's functions behind types and operators with the registry's.
func (c *Catalog) readFunctions(registry *fn.Registry) error {
	taken := map[string]bool{}
	signature := func(name string, args []uint32) string { return fmt.Sprint(name, args) }
	for _, row := range c.builtin["pg_proc"] {
		if len(row) != 7 {
			return fmt.Errorf("pg_proc: %q", row)
		}
		f := function{name: row[1], kind: "f", volatility: row[2], strict: row[3] == "t", set: row[4] == "t"}
		if f.name == "count" {
			f.kind = "a"
		}
		for _, word := range append([]string{row[0], row[5]}, strings.Fields(row[6])...) {
			n, err := strconv.ParseUint(word, 10, 32)
			if err != nil {
				return err
			}
			f.args = append(f.args, uint32(n))
		}
		f.oid, f.result, f.args = f.args[0], f.args[1], f.args[2:]
		taken[signature(f.name, f.args)] = true
		c.functions = append(c.functions, f)
	}
	overloads := registry.All()
	for i := range overloads {
		o := &overloads[i]
		if o.Name == "" || !isName(o.Name) {
			continue
		}
		if f := describe(o); !taken[signature(f.name, f.args)] {
			taken[signature(f.name, f.args)] = true
			c.functions = append(c.functions, f)
		}
	}
	c.funcByOID = map[uint32]*function{}
	for i := range c.functions {
		c.funcByOID[c.functions[i].oid] = &c.functions[i]
	}
	return nil
}

func isName(s string) bool { return s[0] >= 'a' && s[0] <= 'z' || s[0] == '_' }

func describe(o *fn.Overload) function {
	f := function{oid: firstFunctionOID + o.ID, name: o.Name, kind: "f", volatility: "i", strict: o.Nulls == fn.Strict, variadic: o.Variadic, doc: o.Doc}
	switch o.Volatility {
	case fn.Stable:
		f.volatility = "s"
	case fn.Volatile:
		f.volatility = "v"
	}
	switch o.Impl.(type) {
	case fn.Aggregate, *fn.Aggregate:
		f.kind = "a"
	case fn.Window, *fn.Window:
		f.kind = "w"
	case fn.Table, *fn.Table:
		f.set = true
	}
	for _, p := range o.Params {
		f.args = append(f.args, parameterOID(p))
		f.argNames = append(f.argNames, p.Name)
	}
	f.result = o.ResultType.OID()
	switch {
	case f.set:
		f.result = types.OIDRecord
	case o.Result != nil || o.ResultOf != nil:
		f.result = oidAny
		if slices.ContainsFunc(o.Params, func(p fn.Param) bool { return p.Family == fn.Element || p.Family == fn.ArrayOf }) {
			f.result = oidAnyElement
		}
	}
	return f
}

func parameterOID(p fn.Param) uint32 {
	switch p.Family {
	case fn.Any, fn.Common, fn.AnyMap:
		return oidAny
	case fn.Element:
		return oidAnyElement
	case fn.ArrayOf:
		return oidAnyArray
	case fn.Numeric:
		return types.OIDNumeric
	case fn.Function:
		return oidInternal
	}
	return p.Type.OID()
}

func functionProducers() map[string]producer {
	return map[string]producer{
		"pg_catalog.pg_proc": {columns: "oid proname prokind proisstrict proretset provolatile pronargs prorettype proargtypes proargnames provariadic prosrc",
			defaults: "pronamespace=11 proowner=10 prolang=12 procost=1 prorows=0 prosupport=0 prosecdef=f proleakproof=f proparallel=s pronargdefaults=0",
			rows:     procRows},
		"information_schema.routines": {columns: "specific_name routine_name routine_type data_type type_udt_name specific_catalog routine_catalog type_udt_catalog",
			defaults: "specific_schema=pg_catalog routine_schema=pg_catalog type_udt_schema=pg_catalog routine_body=EXTERNAL external_language=INTERNAL " +
				"parameter_style=GENERAL is_deterministic=NO sql_data_access=MODIFIES is_null_call=YES security_type=INVOKER is_udt_dependent=NO",
			rows: routineRows},
		"information_schema.parameters": {columns: "specific_name ordinal_position parameter_name data_type udt_name specific_catalog udt_catalog",
			defaults: "specific_schema=pg_catalog parameter_mode=IN is_result=NO as_locator=NO udt_schema=pg_catalog", rows: parameterRows},
	}
}

func procRows(r *read, row emit) error {
	for i := range r.catalog.functions {
		f := &r.catalog.functions[i]
		if !r.wants("oid", f.oid) {
			continue
		}
		args, names := types.Datum{Items: []types.Datum{}}, null()
		for _, a := range f.args {
			args.Items = append(args.Items, oid(a))
		}
		if slices.ContainsFunc(f.argNames, func(n string) bool { return n != "" }) {
			names = types.Datum{}
			for _, n := range f.argNames {
				names.Items = append(names.Items, str(n))
			}
		}
		variadic := uint32(0)
		if f.variadic && len(f.args) > 0 {
			variadic = f.args[len(f.args)-1]
		}
		if !row(oid(f.oid), str(f.name), str(f.kind), truth(f.strict), truth(f.set), str(f.volatility), num(int64(len(f.args))), oid(f.result), args, names,
			oid(variadic), str(f.name)) {
			break
		}
	}
	return nil
}

func routineRows(r *read, row emit) error {
	database := str(r.session.Database)
	for i := range r.catalog.functions {
		f := &r.catalog.functions[i]
		name, udt := r.catalog.typeWords(f.result)
		if !row(str(f.specificName()), str(f.name), str("FUNCTION"), str(name), str(udt), database, database, database) {
			break
		}
	}
	return nil
}

func (f *function) specificName() string { return fmt.Sprintf("%s_%d", f.name, f.oid) }

// typeWords gives a type's names for information_schema: data_type and udt_name.
func (c *Catalog) typeWords(number uint32) (name, udt string) {
	t := c.typeByOID[number]
	if t == nil {
		return "USER-DEFINED", ""
	}
	if t.category == "A" && t.element != 0 && t.length == -1 {
		return "ARRAY", t.name
	}
	return sqlName(t.name), t.name
}

func parameterRows(r *read, row emit) error {
	database := str(r.session.Database)
	for i := range r.catalog.functions {
		f := &r.catalog.functions[i]
		for k, a := range f.args {
			name, udt := r.catalog.typeWords(a)
			label := null()
			if k < len(f.argNames) {
				label = strOrNull(f.argNames[k])
			}
			if !row(str(f.specificName()), num(int64(k+1)), label, str(name), str(udt), database, database) {
				return nil
			}
		}
	}
	return nil
}

// arguments writes a function's parameters as pg_get_function_arguments does.
func (c *Catalog) arguments(f *function) string {
	var out []string
	for i, a := range f.args {
		name, _ := c.typeName(a, -1, nil)
		if i < len(f.argNames) && f.argNames[i] != "" {
			name = quoted(f.argNames[i]) + " " + name
		}
		if f.variadic && i == len(f.args)-1 {
			name = "VARIADIC " + name
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func (c *Catalog) resultName(f *function) string {
	name, _ := c.typeName(f.result, -1, nil)
	if f.set {
		return "SETOF " + name
	}
	return name
}
