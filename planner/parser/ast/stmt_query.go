package ast

// Select is a query as a statement, with SELECT … INTO's target when there is one.
type Select struct {
	Source
	Query *Query
	Into  *IntoClause
}

// IntoClause is INTO [TEMP] [TABLE] name of a SELECT: a CREATE TABLE AS.
type IntoClause struct {
	Pos
	Name Name
	Temp bool
}

// PartitionValue is one item of PARTITION (col [= value], …). Value is nil for a dynamic one.
type PartitionValue struct {
	Pos
	Column string
	Value  Expr
}

// Insert is INSERT INTO and INSERT OVERWRITE.
type Insert struct {
	Source
	With      *With // WITH written before INSERT
	Overwrite bool
	Table     *TableRef // alias only of INSERT INTO t AS a
	Partition []PartitionValue
	Columns   []Identifier
	// Query is nil for INSERT … DEFAULT VALUES; a Values body may hold *Default.
	Query     *Query
	Returning []Target
	// OnConflict is true when ON CONFLICT was written; its parts are not kept.
	OnConflict bool
}

// Delete is DELETE FROM table [USING …] [WHERE …].
type Delete struct {
	Source
	With      *With
	Table     *TableRef
	Using     []FromItem
	Where     Expr
	Returning []Target
}

// Assignment is column = value; several Columns for (a, b) = value.
type Assignment struct {
	Pos
	Columns []Identifier
	// Value may be *Default, and for several columns a *RowLiteral or *ScalarSubquery.
	Value Expr
}

// Update is UPDATE table SET … [FROM …] [WHERE …].
type Update struct {
	Source
	With      *With
	Table     *TableRef
	Set       []Assignment
	From      []FromItem
	Where     Expr
	Returning []Target
}

// MergeAction is what a WHEN clause of MERGE does.
type MergeAction uint8

// The actions.
const (
	MergeNothing MergeAction = iota
	MergeUpdate
	MergeDelete
	MergeInsert
)

// MergeMatch is when a WHEN clause of MERGE applies.
type MergeMatch uint8

// The cases; WHEN NOT MATCHED is MergeNotMatched (by target).
const (
	MergeMatched MergeMatch = iota
	MergeNotMatched
	MergeNotMatchedBySource
)

// MergeWhen is one WHEN clause.
type MergeWhen struct {
	Pos
	Match   MergeMatch
	Cond    Expr
	Action  MergeAction
	Set     []Assignment // MergeUpdate
	Columns []Identifier // MergeInsert
	Values  []Expr       // MergeInsert; nil for DEFAULT VALUES
}

// Merge is MERGE INTO target USING source ON … WHEN ….
type Merge struct {
	Source
	With      *With
	Table     *TableRef
	Using     FromItem
	On        Expr
	Whens     []MergeWhen
	Returning []Target
}

// Truncate is TRUNCATE [TABLE] a, b.
type Truncate struct {
	Source
	Tables  []Name
	Cascade bool
	// RestartIdentity is accepted and means nothing without sequences.
	RestartIdentity bool
}

// CopyDirection is TO or FROM.
type CopyDirection uint8

// The directions.
const (
	CopyFrom CopyDirection = iota
	CopyTo
)

// Copy is COPY. Exactly one of Table and Query is set; Path is empty for STDIN and STDOUT.
type Copy struct {
	Source
	Table     *Name
	Columns   []Identifier
	Query     *Query
	Direction CopyDirection
	Path      string
	Program   bool // Path is a command: refused by the binder
	// Options of either syntax, by the new syntax's names in lower case: format, header,
	// delimiter, null, quote, escape, encoding, force_quote, freeze … A flag has a nil Value; lists
	// are ArrayLiterals of strings, * is a Star.
	Options []Property
	Where   Expr // COPY … FROM … WHERE
}

// Property is name [= value] of WITH (…), SET (…), TBLPROPERTIES and option lists. Names are in
// lower case with dots where they were qualified. Value is nil when none was written; a bare word
// is a *Literal string.
type Property struct {
	Pos
	Name  string
	Value Expr
}
