package ast

// Alias is the name of a FROM item and of its columns. Pos is NoPos where unknown.
type Alias struct {
	Pos
	Name    string
	Columns []string
}

// TableRef is a table, a view or a CTE by name.
type TableRef struct {
	Pos
	Name   Name
	Alias  *Alias
	AsOf   *AsOf        // time travel, nil for now
	Only   bool         // ONLY t
	Sample *TableSample // TABLESAMPLE
}

// AsOf is FOR VERSION AS OF n or FOR TIMESTAMP AS OF t.
type AsOf struct {
	Pos
	Timestamp bool // Value is a point in time, else a version
	Value     Expr
}

// TableSample is TABLESAMPLE method (arguments) [REPEATABLE (seed)].
type TableSample struct {
	Pos
	Method string // "bernoulli", "system"
	Args   []Expr
	Seed   Expr
}

// FileTable is a path or glob in quotes where a table is expected.
type FileTable struct {
	Pos
	Path  string
	Alias *Alias
}

// SubqueryTable is a query in parentheses; VALUES in FROM is one too.
type SubqueryTable struct {
	Pos
	Lateral bool
	Query   *Query
	Alias   *Alias
}

// FunctionTable is f(…) or ROWS FROM (f(…), …).
type FunctionTable struct {
	Pos
	Lateral    bool
	Functions  []TableFunction // one, more only for ROWS FROM
	Ordinality bool
	Alias      *Alias
	// ColumnDefs are the types given after AS t (a int, b text); then Alias.Columns is empty.
	ColumnDefs []ColumnDef
}

// TableFunction is one call of a FunctionTable.
type TableFunction struct {
	// Call is a *FuncCall mostly; SQL's own functions (current_date, coalesce …) may stand here too.
	Call       Expr
	ColumnDefs []ColumnDef
}

// UnnestTable is UNNEST(a, b, …) [WITH ORDINALITY]; it sees the items to its left.
type UnnestTable struct {
	Pos
	Lateral    bool // LATERAL was written; it makes no difference
	Args       []Expr
	Ordinality bool
	Alias      *Alias
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of joins. Semi and anti joins are written LEFT SEMI JOIN and LEFT ANTI JOIN (or RIGHT);
// their result has the kept side's columns only.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinCross
	JoinLeftSemi
	JoinLeftAnti
	JoinRightSemi
	JoinRightAnti
)

// Join is an explicit join. Exactly one of On, Using, Natural is set, none for JoinCross.
type Join struct {
	Pos
	Kind        JoinKind
	Left, Right FromItem
	Natural     bool
	Using       []string
	UsingAlias  string // JOIN … USING (a) AS x
	On          Expr
	Alias       *Alias // (a JOIN b …) AS x
}

func (*TableRef) fromItem()      {}
func (*FileTable) fromItem()     {}
func (*SubqueryTable) fromItem() {}
func (*FunctionTable) fromItem() {}
func (*UnnestTable) fromItem()   {}
func (*Join) fromItem()          {}
