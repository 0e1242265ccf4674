package lexer

// Class says where a word of PostgreSQL's grammar may stand unquoted.
type Class uint8

// The classes of words; ordinary names are ClassNone.
const (
	ClassNone     Class = iota // no keyword, or one that may be any name
	ClassColumn                // a column or table, not a function or type
	ClassFunction              // a function or type, not a column or table
	ClassReserved              // only a column label after AS
)

// ClassOf gives the class of a folded word.
func ClassOf(word string) Class {
	switch word {
	case "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
		"check", "collate", "column", "constraint", "create", "current_catalog", "current_date", "current_role",
		"current_time", "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do",
		"else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in",
		"initially", "intersect", "into", "lateral", "leading", "limit", "localtime", "localtimestamp", "not",
		"null", "offset", "on", "only", "or", "order", "placing", "primary", "references", "returning", "select",
		"session_user", "some", "symmetric", "system_user", "table", "then", "to", "trailing", "true", "union",
		"unique", "user", "using", "variadic", "when", "where", "window", "with":
		return ClassReserved
	case "authorization", "binary", "collation", "concurrently", "cross", "current_schema", "freeze", "full",
		"ilike", "inner", "is", "isnull", "join", "left", "like", "natural", "notnull", "outer", "overlaps",
		"right", "similar", "tablesample", "verbose":
		return ClassFunction
	case "between", "bigint", "bit", "boolean", "char", "character", "coalesce", "dec", "decimal", "exists",
		"extract", "float", "greatest", "grouping", "inout", "int", "integer", "interval", "json", "json_array",
		"json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar",
		"json_serialize", "json_table", "json_value", "least", "merge_action", "national", "nchar", "none",
		"normalize", "nullif", "numeric", "out", "overlay", "position", "precision", "real", "row", "setof",
		"smallint", "substring", "time", "timestamp", "treat", "trim", "values", "varchar", "xmlattributes",
		"xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
		"xmlserialize", "xmltable":
		return ClassColumn
	}
	return ClassNone
}
