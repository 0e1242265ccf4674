package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// testFunctions declares the overloads that the tests call: kind, name, parameters, result. Families
// are written any, element, array, common, numeric, lambda; same, elem, arrayof and decimal results
// follow the arguments.
const testFunctions = `
s + int2 int2 > int2
s + int4 int4 > int4
s + int8 int8 > int8
s + float4 float4 > float4
s + float8 float8 > float8
s + numeric numeric > sum
s + date int4 > date
s + int4 date > date
s + date interval > timestamp
s + timestamp interval > timestamp
s + timestamptz interval > timestamptz
s + interval interval > interval
s + date time > timestamp
s + interval date > timestamp
s + interval timestamp > timestamp
s + interval timestamptz > timestamptz
s ^ float8 float8 > float8
s ^ numeric numeric > same
s + time interval > time
s - int2 int2 > int2
s - int4 int4 > int4
s - int8 int8 > int8
s - float4 float4 > float4
s - float8 float8 > float8
s - numeric numeric > sum
s - date int4 > date
s - date date > int4
s - date interval > timestamp
s - timestamp interval > timestamp
s - timestamp timestamp > interval
s - timestamptz interval > timestamptz
s - timestamptz timestamptz > interval
s - interval interval > interval
s - time time > interval
s - time interval > time
s - int2 > int2
s - int4 > int4
s - int8 > int8
s - float4 > float4
s - float8 > float8
s - numeric > same
s - interval > interval
s * int2 int2 > int2
s * int4 int4 > int4
s * int8 int8 > int8
s * float4 float4 > float4
s * float8 float8 > float8
s * numeric numeric > product
s * interval float8 > interval
s * float8 interval > interval
s / int2 int2 > int2
s / int4 int4 > int4
s / int8 int8 > int8
s / float4 float4 > float4
s / float8 float8 > float8
s / numeric numeric > quotient
s / interval float8 > interval
s % int2 int2 > int2
s % int4 int4 > int4
s % int8 int8 > int8
s % numeric numeric > sum
s || text text > text
s || any text > text
s || text any > text
s || array array > same
s || array element > same
s || element array > arrayof
s || bytea bytea > bytea
s ~~ text text > bool
s ~~ bytea bytea > bool
s ~~* text text > bool
s ~ text text > bool
s ~ int4 > int4
s ~ int8 > int8
s ~* text text > bool
s & int4 int4 > int4
s -> json text > json
s -> json int4 > json
s ->> json text > text
s ->> json int4 > text
s like_escape text text > text
s rpad text int4 > text
s similar_to_escape text > text
s similar_to_escape text text > text
s timezone text timestamp > timestamptz
s timezone text timestamptz > timestamp
s timezone interval timestamp > timestamptz
s greatest common... > same
s least common... > same
s $array common... > arrayof
s $row any... > void
s $field any int4 > void
s $subscript array int4 > elem
s $slice array int4 int4 > same
s any_match array lambda > bool
s all_match array lambda > bool
s filter array lambda > same
s transform array lambda > lambdaresult
s lower text > text
s upper text > text
s length text > int4
s length bytea > int4
s concat any... > text
s substring text int4 > text
s substring text int4 int4 > text
s substring text text > text
s substr text int4 > text
s substr text int4 int4 > text
s btrim text > text
s btrim text text > text
s replace text text text > text
s round float8 > float8
s round numeric > same
s round numeric int4 > same
s floor float8 > float8
s floor numeric > same
s ceil float8 > float8
s ceil numeric > same
s abs int2 > int2
s abs int4 > int4
s abs int8 > int8
s abs float4 > float4
s abs float8 > float8
s abs numeric > same
s sqrt float8 > float8
s sqrt numeric > same
s power float8 float8 > float8
v random > float8
s mod int4 int4 > int4
s mod int8 int8 > int8
s mod numeric numeric > sum
s extract text date > numeric
s extract text time > numeric
s extract text timestamp > numeric
s extract text timestamptz > numeric
s extract text interval > numeric
s date_part text date > float8
s date_part text timestamp > float8
s date_part text timestamptz > float8
s date_part text interval > float8
s date_trunc text timestamp > timestamp
s date_trunc text timestamptz > timestamptz
s date_trunc text interval > interval
s to_char timestamp text > text
s to_char timestamptz text > text
s to_char int4 text > text
s to_char numeric text > text
s to_char float8 text > text
s to_date text text > date
s age timestamp timestamp > interval
s age timestamptz timestamptz > interval
t now > timestamptz
t current_date > date
t current_timestamp > timestamptz
t localtimestamp > timestamp
t current_user > name
t session_user > name
t user > name
t current_schema > name
t current_catalog > name
s array_length array int4 > int4
s cardinality array > int4
s array_to_string array text > text
s string_to_array text text > text[]
s pg_typeof any > regtype
s position text text > int4
s latest_partition text > text
s json_build_object any... > json
s format_type oid int4 > text
s width_bucket float8 float8 float8 int4 > int4
a count > int8
a count any > int8
a sum int2 > int8
a sum int4 > int8
a sum int8 > numeric
a sum float4 > float4
a sum float8 > float8
a sum numeric > same
a sum interval > interval
a avg int2 > numeric
a avg int4 > numeric
a avg int8 > numeric
a avg float4 > float8
a avg float8 > float8
a avg numeric > same
a avg interval > interval
a min int2 > int2
a min int4 > int4
a min int8 > int8
a min float8 > float8
a min numeric > same
a min text > text
a min date > date
a min timestamp > timestamp
a min timestamptz > timestamptz
a min interval > interval
a max int2 > int2
a max int4 > int4
a max int8 > int8
a max float8 > float8
a max numeric > same
a max text > text
a max date > date
a max timestamp > timestamp
a max timestamptz > timestamptz
a max interval > interval
a bool_and bool > bool
a bool_or bool > bool
a string_agg text text > text
a string_agg bytea bytea > bytea
a array_agg any > arrayof
a stddev float8 > float8
a stddev numeric > same
a stddev_samp float8 > float8
a stddev_samp numeric > same
a corr float8 float8 > float8
a percentile_cont float8 float8 > float8
a percentile_cont float8 interval > interval
a percentile_disc float8 element > elementresult
a mode element > same
w row_number > int8
w rank > int8
w dense_rank > int8
w percent_rank > float8
w cume_dist > float8
w ntile int4 > int4
w lag element > same
w lag element int4 > same
w lag element int4 element > same
w lead element > same
w lead element int4 > same
w lead element int4 element > same
w first_value element > same
w last_value element > same
w nth_value element int4 > same
f generate_series int4 int4 > int4
f generate_series int4 int4 int4 > int4
f generate_series int8 int8 > int8
f generate_series int8 int8 int8 > int8
f generate_series numeric numeric > numeric
f generate_series timestamp timestamp interval > timestamp
f generate_series timestamptz timestamptz interval > timestamptz
f unnest array > elem
f regexp_split_to_table text text > text
f json_each text > two
f generate_subscripts array int4 > int4
`

func testRegistry() *fn.Registry {
	var list []fn.Overload
	for _, line := range strings.Split(strings.TrimSpace(testFunctions), "\n") {
		list = append(list, testOverload(line))
	}
	return fn.NewRegistry(list)
}

func testOverload(line string) fn.Overload {
	left, result, _ := strings.Cut(line, " > ")
	words := strings.Fields(left)
	o := fn.Overload{Name: words[1], Impl: map[string]fn.Impl{"s": fn.Scalar{}, "v": fn.Scalar{}, "t": fn.Scalar{},
		"a": fn.Aggregate{EmptyIsZero: words[1] == "count"}, "w": fn.Window{}, "f": fn.Table{}}[words[0]]}
	switch words[0] {
	case "v":
		o.Volatility = fn.Volatile
	case "t":
		o.Volatility = fn.Stable
	}
	for _, w := range words[2:] {
		name, variadic := strings.CutSuffix(w, "...")
		o.Variadic = o.Variadic || variadic
		o.Params = append(o.Params, testParam(name))
	}
	o.Result = testResult(result)
	if words[0] == "f" {
		o.Impl = fn.Table{Columns: testColumns(words[1], result)}
		o.Result, o.ResultType = nil, types.Of(types.Void)
	}
	return o
}

func testParam(name string) fn.Param {
	switch name {
	case "any":
		return fn.Param{Family: fn.Any}
	case "element":
		return fn.Param{Family: fn.Element}
	case "array":
		return fn.Param{Family: fn.ArrayOf}
	case "common":
		return fn.Param{Family: fn.Common}
	case "numeric":
		return fn.Param{Family: fn.Numeric}
	case "lambda":
		return fn.Param{Family: fn.Function}
	}
	return fn.Param{Type: testType(name)}
}

func testType(name string) types.Type {
	if element, ok := strings.CutSuffix(name, "[]"); ok {
		return types.ArrayOf(testType(element))
	}
	kind, ok := typeKind(name)
	if !ok {
		panic("no type " + name)
	}
	return types.Of(kind)
}

func testColumns(name, result string) func(fn.Call) (types.Schema, error) {
	return func(call fn.Call) (types.Schema, error) {
		if result == "two" {
			return types.Schema{{Name: "key", Type: textType, Nullable: true}, {Name: "value", Type: types.Of(types.JSON), Nullable: true}}, nil
		}
		t, err := testResult(result)(call.Args)
		return types.Schema{{Name: name, Type: t, Nullable: true}}, err
	}
}

// testResult gives decimals enough of the real rules for plans to be well typed.
func testResult(result string) func([]types.Type) (types.Type, error) {
	return func(args []types.Type) (types.Type, error) {
		scale := func(s int) types.Type { return types.DecimalOf(types.MaxDecimalPrecision, s) }
		switch result {
		case "same":
			return args[0], nil
		case "sum":
			return scale(int(max(args[0].Scale, args[1].Scale))), nil
		case "product":
			return scale(int(args[0].Scale + args[1].Scale)), nil
		case "quotient":
			return scale(max(16, int(args[0].Scale), int(args[1].Scale))), nil
		case "numeric":
			return scale(16), nil
		case "elem":
			if args[0].Kind != types.Array {
				return args[0], sqlerr.New(sqlerr.DatatypeMismatch, "not an array")
			}
			return *args[0].Elem, nil
		case "elementresult":
			return args[1], nil
		case "arrayof":
			return types.ArrayOf(args[0]), nil
		case "lambdaresult":
			return types.ArrayOf(args[1]), nil
		}
		return testType(result), nil
	}
}
