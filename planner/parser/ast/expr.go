package ast

// ColumnRef is a name in an expression: a column, possibly qualified, or a whole row of a FROM
// item; the binder decides.
type ColumnRef struct {
	Pos
	Parts []string
}

// Star is *, t.* or schema.t.* in a select list, in RETURNING and in ROW(t.*).
type Star struct {
	Pos
	Qualifier []string
}

// LiteralKind is the form of a constant.
type LiteralKind uint8

// The forms of constants. Text holds: nothing for LitNull; "true" or "false"; digits for LitInteger
// (already decimal, any size: the binder picks integer, bigint or numeric); digits with point or
// exponent for LitDecimal (numeric in PostgreSQL); the unescaped value for LitString; 0s and 1s for
// LitBit; hex digits for LitHexBit.
const (
	LitNull LiteralKind = iota
	LitBool
	LitInteger
	LitDecimal
	LitString
	LitBit
	LitHexBit
)

// Literal is an untyped constant; a sign is part of Text for a negative number.
type Literal struct {
	Pos
	Kind LiteralKind
	Text string
}

// TypedLiteral is DATE '2020-01-01', numeric '1.5' and the like; INTERVAL has its own node.
type TypedLiteral struct {
	Pos
	Type *TypeName
	Text string
}

// IntervalLiteral is INTERVAL '1' DAY. A leading sign (INTERVAL -'1' DAY) is Negative.
type IntervalLiteral struct {
	Pos
	Text      string
	Fields    string // "", "YEAR", "DAY TO SECOND", … in upper case
	Precision int    // of the seconds; -1 for none
	Negative  bool
}

// Param is $n, n ≥ 1.
type Param struct {
	Pos
	Number int
}

// Operator is an operator's name: "+", "~~", with the schema of OPERATOR(schema.op).
type Operator struct {
	Schema string
	Name   string
}

// Unary is a prefix operator: -x, +x, ~x, @ x. NOT is Not.
type Unary struct {
	Pos
	Op Operator
	X  Expr
}

// Binary is an infix operator of any name, comparisons included. AND, OR, LIKE and others have
// their own nodes.
type Binary struct {
	Pos
	Op          Operator
	Left, Right Expr
}

// Logical is AND or OR of two or more arguments.
type Logical struct {
	Pos
	Or   bool
	Args []Expr
}

// Not is NOT x.
type Not struct {
	Pos
	X Expr
}

// TestKind is what an IsTest tests.
type TestKind uint8

// The tests.
const (
	TestNull TestKind = iota
	TestTrue
	TestFalse
	TestUnknown
)

// IsTest is x IS [NOT] NULL | TRUE | FALSE | UNKNOWN.
type IsTest struct {
	Pos
	Test TestKind
	Not  bool
	X    Expr
}

// IsDistinct is a IS [NOT] DISTINCT FROM b; a <=> b is the form with Not.
type IsDistinct struct {
	Pos
	Not         bool
	Left, Right Expr
}

// Between is x [NOT] BETWEEN [SYMMETRIC] low AND high.
type Between struct {
	Pos
	Not       bool
	Symmetric bool
	X         Expr
	Low, High Expr
}

// LikeKind is the kind of a pattern match.
type LikeKind uint8

// The kinds: RLIKE and REGEXP are regular expression searches (PostgreSQL's ~), IREGEXP ignores
// case (~*).
const (
	LikePlain LikeKind = iota
	LikeILike
	LikeSimilar
	LikeRegexp
	LikeIRegexp
)

// Like is x [NOT] LIKE | ILIKE | SIMILAR TO | RLIKE | IREGEXP pattern [ESCAPE e].
type Like struct {
	Pos
	Kind       LikeKind
	Not        bool
	X, Pattern Expr
	Escape     Expr // nil for the default, backslash
}

// InList is x [NOT] IN (a, b, …).
type InList struct {
	Pos
	Not  bool
	X    Expr
	List []Expr
}

// InSubquery is x [NOT] IN (query). X is a *RowLiteral for several columns.
type InSubquery struct {
	Pos
	Not   bool
	X     Expr
	Query *Query
}

// Quantified is left op ANY | ALL (array or query); exactly one of Array and Query is set. LIKE ANY
// has Op "~~", NOT LIKE "!~~", ILIKE "~~*", NOT ILIKE "!~~*".
type Quantified struct {
	Pos
	Op    Operator
	All   bool
	Left  Expr
	Array Expr
	Query *Query
}

// Exists is EXISTS (query).
type Exists struct {
	Pos
	Query *Query
}

// ScalarSubquery is a query in parentheses used as a value.
type ScalarSubquery struct {
	Pos
	Query *Query
}

// ArraySubquery is ARRAY(query).
type ArraySubquery struct {
	Pos
	Query *Query
}

// ArrayLiteral is ARRAY[a, b]; nested arrays are elements.
type ArrayLiteral struct {
	Pos
	Elems []Expr
}

// RowLiteral is ROW(a, b) or, with Implicit, (a, b).
type RowLiteral struct {
	Pos
	Implicit bool
	Fields   []Expr
}

// Subscript is x[i], of an array or a map.
type Subscript struct {
	Pos
	X, Index Expr
}

// Slice is x[low:high]; either bound may be nil.
type Slice struct {
	Pos
	X         Expr
	Low, High Expr
}

// FieldAccess is (x).field.
type FieldAccess struct {
	Pos
	X     Expr
	Field string
}

// FieldStar is (x).*, every field of a row.
type FieldStar struct {
	Pos
	X Expr
}

// When is one arm of a Case.
type When struct {
	Pos
	Cond, Result Expr
}

// Case is CASE [operand] WHEN … THEN … ELSE … END.
type Case struct {
	Pos
	Operand Expr // nil for the searched form
	Whens   []When
	Else    Expr // nil for none
}

// Cast is CAST(x AS t), x::t or TRY_CAST(x AS t).
type Cast struct {
	Pos
	Try  bool
	X    Expr
	Type *TypeName
}

// Collate is x COLLATE name.
type Collate struct {
	Pos
	X         Expr
	Collation Name
}

// AtTimeZone is x AT TIME ZONE zone; Zone is nil for AT LOCAL.
type AtTimeZone struct {
	Pos
	X, Zone Expr
}

// NullTreatment is IGNORE NULLS or RESPECT NULLS of a window function.
type NullTreatment uint8

// NullsUnspecified means RESPECT NULLS.
const (
	NullsUnspecified NullTreatment = iota
	NullsRespect
	NullsIgnore
)

// FuncCall is a call of a scalar, aggregate, window or table function.
//
// SQL's special spellings are calls too, with Special set and an unqualified name: EXTRACT(f FROM
// x) is extract('f', x), POSITION(a IN b) is position(b, a) as PostgreSQL has it, SUBSTRING(s FROM
// a FOR n) is substring(s, a, n), SUBSTRING(s SIMILAR p ESCAPE e) is substring(s, p, e), TRIM
// is btrim, ltrim or rtrim, OVERLAY is overlay, NORMALIZE is normalize, and CURRENT_DATE,
// CURRENT_TIMESTAMP(p), LOCALTIME, CURRENT_USER and their like are calls with no or one argument.
type FuncCall struct {
	Pos
	Name Name
	// Args may hold *NamedArg and *Lambda. Empty with Star for count(*).
	Args []Expr
	Star bool
	// Distinct and OrderBy stand inside the parentheses, or OrderBy after WITHIN GROUP.
	Distinct    bool
	OrderBy     []SortItem
	WithinGroup bool
	// Variadic: the last argument is an array of arguments.
	Variadic bool
	Filter   Expr
	Nulls    NullTreatment
	Over     *WindowSpec // nil when not a window call
	// Overflow is listagg's ON OVERFLOW clause, nil for none.
	Overflow *Overflow
	Special  bool
}

// Overflow is ON OVERFLOW ERROR | TRUNCATE [filler] WITH | WITHOUT COUNT.
type Overflow struct {
	Pos
	Truncate  bool
	Filler    Expr // nil for '...'
	WithCount bool
}

// NamedArg is name => value among a call's arguments.
type NamedArg struct {
	Pos
	Name  string
	Value Expr
}

// Lambda is x -> body or (x, y) -> body among a call's arguments. Its parameters are ColumnRefs in
// the body.
type Lambda struct {
	Pos
	Params []Identifier
	Body   Expr
}

// ConditionalKind is the kind of a Conditional.
type ConditionalKind uint8

// The kinds; the spelling is the name in lower case.
const (
	CondCoalesce ConditionalKind = iota
	CondNullif
	CondGreatest
	CondLeast
)

// Conditional is COALESCE, NULLIF (two arguments), GREATEST or LEAST.
type Conditional struct {
	Pos
	Kind ConditionalKind
	Args []Expr
}

// Grouping is GROUPING(a, b): which of its arguments are not part of the current grouping set.
type Grouping struct {
	Pos
	Args []Expr
}

// Default is DEFAULT as a value of INSERT, UPDATE or MERGE.
type Default struct{ Pos }

func (*ColumnRef) expr()       {}
func (*Star) expr()            {}
func (*Literal) expr()         {}
func (*TypedLiteral) expr()    {}
func (*IntervalLiteral) expr() {}
func (*Param) expr()           {}
func (*Unary) expr()           {}
func (*Binary) expr()          {}
func (*Logical) expr()         {}
func (*Not) expr()             {}
func (*IsTest) expr()          {}
func (*IsDistinct) expr()      {}
func (*Between) expr()         {}
func (*Like) expr()            {}
func (*InList) expr()          {}
func (*InSubquery) expr()      {}
func (*Quantified) expr()      {}
func (*Exists) expr()          {}
func (*ScalarSubquery) expr()  {}
func (*ArraySubquery) expr()   {}
func (*ArrayLiteral) expr()    {}
func (*RowLiteral) expr()      {}
func (*Subscript) expr()       {}
func (*Slice) expr()           {}
func (*FieldAccess) expr()     {}
func (*FieldStar) expr()       {}
func (*Case) expr()            {}
func (*Cast) expr()            {}
func (*Collate) expr()         {}
func (*AtTimeZone) expr()      {}
func (*FuncCall) expr()        {}
func (*NamedArg) expr()        {}
func (*Lambda) expr()          {}
func (*Conditional) expr()     {}
func (*Grouping) expr()        {}
func (*Default) expr()         {}
