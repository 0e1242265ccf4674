package ast

// Query is a whole query: WITH, a body, and what applies to the body's result.
type Query struct {
	Pos
	With    *With // nil without WITH
	Body    QueryBody
	OrderBy []SortItem
	Limit   Expr // nil for none and for LIMIT ALL
	Offset  Expr
	// WithTies is FETCH FIRST n ROWS WITH TIES; Limit is n.
	WithTies bool
	// Locks are FOR UPDATE and its like, which an engine of snapshots may ignore.
	Locks []LockClause
}

// LockClause is FOR UPDATE | NO KEY UPDATE | SHARE | KEY SHARE [OF table, …].
type LockClause struct {
	Pos
	Strength   string // "UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"
	Of         []Name
	NoWait     bool
	SkipLocked bool
}

// With is the WITH clause.
type With struct {
	Pos
	Recursive bool
	CTEs      []*CTE
}

// Materialization is what the user wrote about a CTE.
type Materialization uint8

// The three spellings.
const (
	MaterializeDefault Materialization = iota
	MaterializeAlways
	MaterializeNever
)

// CTE is one common table expression.
type CTE struct {
	Pos
	Name         string
	Columns      []string
	Materialized Materialization
	Query        *Query
}

// SelectCore is one SELECT without ORDER BY and LIMIT.
type SelectCore struct {
	Pos
	// Distinct is DISTINCT or DISTINCT ON; DistinctOn holds the latter's expressions.
	Distinct   bool
	DistinctOn []Expr
	Targets    []Target // empty is legal: SELECT FROM t
	From       []FromItem
	Where      Expr
	GroupBy    *GroupBy // nil without GROUP BY
	Having     Expr
	Windows    []NamedWindow
	Qualify    Expr // rows kept after the window functions
}

// Target is one item of the select list. Expr is a *Star for * and t.*.
type Target struct {
	Pos
	Expr  Expr
	Alias string // "" when none is written
}

// GroupBy is the GROUP BY clause.
type GroupBy struct {
	Pos
	// All is GROUP BY ALL: group by every select item without an aggregate; Items is empty then.
	All bool
	// Distinct is GROUP BY DISTINCT: duplicate grouping sets count once.
	Distinct bool
	Items    []GroupItem
}

// GroupKind tells the forms of a grouping item apart.
type GroupKind uint8

// The forms of a grouping item.
const (
	GroupExpr GroupKind = iota // one expression, possibly a RowLiteral
	GroupEmpty
	GroupRollup
	GroupCube
	GroupSets
)

// GroupItem is an expression, (), ROLLUP (…), CUBE (…) or GROUPING SETS (…).
type GroupItem struct {
	Pos
	Kind  GroupKind
	Expr  Expr        // GroupExpr; a *RowLiteral is a set of columns
	Items []GroupItem // GroupRollup, GroupCube, GroupSets
}

// NamedWindow is one definition of the WINDOW clause.
type NamedWindow struct {
	Pos
	Name string
	Spec *WindowSpec
}

// SetOperator is UNION, INTERSECT or EXCEPT.
type SetOperator uint8

// The set operators.
const (
	Union SetOperator = iota
	Intersect
	Except
)

// SetOperation combines two queries. An arm has WITH, ORDER BY or LIMIT only when it was written
// in parentheses.
type SetOperation struct {
	Pos
	Op          SetOperator
	All         bool
	Left, Right *Query
}

// Values is VALUES (…), (…); in INSERT an item may be a *Default. The rows' lengths are not
// checked to be equal.
type Values struct {
	Pos
	Rows [][]Expr
}

// SortItem is one key of ORDER BY.
type SortItem struct {
	Pos
	Expr  Expr
	Desc  bool
	Nulls NullsOrder
	// Using is the operator of ORDER BY x USING >; nil otherwise.
	Using *Operator
}

// NullsOrder is where NULLs sort.
type NullsOrder uint8

// NullsDefault is last when ascending and first when descending.
const (
	NullsDefault NullsOrder = iota
	NullsFirst
	NullsLast
)

func (*SelectCore) queryBody()   {}
func (*SetOperation) queryBody() {}
func (*Values) queryBody()       {}
