package ast

// TypeName is a type as written.
//
// SQL's own spellings arrive under PostgreSQL's internal names with Schema "pg_catalog": int4,
// int8, int2, float4, float8 (also for float(p)), numeric (decimal), bool, varchar, bpchar (char;
// its modifier is always present), bit, varbit, timestamp, timestamptz, time, timetz, interval.
// Any other name is kept as written, folded: text, string, tinyint, double, varbinary, regclass …
type TypeName struct {
	Pos
	Schema string
	Name   string
	// Modifiers are the numbers in parentheses: numeric(10, 2), varchar(20), timestamp(3).
	Modifiers []int64
	// IntervalFields is the qualifier of INTERVAL DAY TO SECOND, in upper case.
	IntervalFields string
	// Args are the parameters of ARRAY(T), MAP(K, V) and ROW(name T, …) (also in Hive's spelling
	// with < >); Name is then "array", "map" or "row".
	Args []TypeArg
	// ArrayDims counts the [] that follow.
	ArrayDims int
}

// TypeArg is one parameter of a nested type; Name is set for row fields that have one.
type TypeArg struct {
	Pos
	Name string
	Type *TypeName
}
