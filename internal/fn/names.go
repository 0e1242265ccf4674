package fn

// Names by which the binder finds overloads that no call in the SQL text names. An operator is an
// overload whose Name is its symbol as PostgreSQL spells it ("+", "||", "~~" for LIKE, "~~*" for
// ILIKE, "~" for a regex match with two parameters and bitwise NOT with one, "->>", …), with one
// parameter when prefix and two when infix. Negations (!~~, !~, …) and comparisons (=, <, …) need no
// overloads: the binder makes Not and Compare of them.
//
// Further names that the binder itself calls, by PostgreSQL's or Presto's spelling:
// like_escape(pattern, escape), similar_to_escape(pattern[, escape]), timezone(zone, t) for AT TIME
// ZONE, greatest and least (Common, Called, NULLs ignored), any_match and all_match (array, lambda →
// boolean, with SQL's NULL rules) for op ANY (array) and op ALL (array), array_agg for ARRAY(query),
// count without parameters for count(*).
//
// Names that begin with $ cannot be written in SQL and stay out of the documentation. The binder
// gives their calls the result type itself where the overload's Result cannot know it.
const (
	// ArrayConstructor is ARRAY[a, b, …]: all arguments of the element type, result T[]. Variadic, Called.
	ArrayConstructor = "$array"
	// RowConstructor is ROW(a, b, …). Variadic over Any, Called.
	RowConstructor = "$row"
	// FieldOf is (row).field: a row and the field's 0-based ordinal as an integer literal.
	FieldOf = "$field"
	// SubscriptOf is array[integer] (1-based, NULL outside) and map[key] (NULL when absent). Strict.
	SubscriptOf = "$subscript"
	// SliceOf is array[low:high] with integer bounds, clamped to the array; an omitted bound arrives as 1
	// or 2147483647. Strict.
	SliceOf = "$slice"
)
