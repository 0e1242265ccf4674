package ast

// SetScope is for how long a setting holds.
type SetScope uint8

// The scopes; plain SET is ScopeSession.
const (
	ScopeSession SetScope = iota
	ScopeLocal
)

// Set is SET name = value, SET TIME ZONE, SET NAMES, SET ROLE and RESET, by the setting's name:
// "timezone", "client_encoding", "role", "session_authorization", "search_path" …
type Set struct {
	Source
	Scope SetScope
	Name  string
	// Default is SET … TO DEFAULT and RESET; RESET ALL has the name "all".
	Default bool
	// Values are literals, one mostly; bare words are strings, INTERVAL literals stay.
	Values []Expr
}

// IsolationLevel is what a transaction asked for; an engine may give a stronger one.
type IsolationLevel uint8

// The levels.
const (
	IsolationUnset IsolationLevel = iota
	ReadUncommitted
	ReadCommitted
	RepeatableRead
	Serializable
)

// Access is READ ONLY or READ WRITE.
type Access uint8

// The access modes.
const (
	AccessUnset Access = iota
	ReadOnly
	ReadWrite
)

// Deferrable is DEFERRABLE or NOT DEFERRABLE.
type Deferrable uint8

// The modes.
const (
	DeferrableUnset Deferrable = iota
	DeferrableOn
	DeferrableOff
)

// TransactionModes are the modes of BEGIN, SET TRANSACTION and SET SESSION CHARACTERISTICS.
type TransactionModes struct {
	Isolation  IsolationLevel
	Access     Access
	Deferrable Deferrable
}

// SetTransaction is SET TRANSACTION or, with Session, SET SESSION CHARACTERISTICS AS TRANSACTION.
type SetTransaction struct {
	Source
	Session  bool
	Snapshot string // SET TRANSACTION SNAPSHOT 'id'
	Modes    TransactionModes
}

// TransactionKind is what a Transaction statement does.
type TransactionKind uint8

// The kinds.
const (
	Begin TransactionKind = iota
	Commit
	Rollback
	Savepoint
	ReleaseSavepoint
	RollbackToSavepoint
)

// Transaction is BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE and
// ROLLBACK TO.
type Transaction struct {
	Source
	Kind      TransactionKind
	Savepoint string
	Modes     TransactionModes // Begin
	Chain     bool             // AND CHAIN
	Start     bool             // START TRANSACTION: its command tag differs from BEGIN's
}

// ShowKind is what SHOW shows.
type ShowKind uint8

// The kinds.
const (
	ShowSetting ShowKind = iota // SHOW name; Setting holds it, "all" for SHOW ALL
	ShowTables
	ShowViews
	ShowSchemas
	ShowCatalogs
	ShowColumns
	ShowPartitions
	ShowCreateTable
	ShowCreateView
	ShowCreateSchema
	ShowStats
	ShowColumnStats
	ShowFunctions
	ShowSession
	ShowResourceGroups
	ShowFiles
	ShowQueries
	ShowNodes
	ShowVersions
	ShowGrants
	ShowRoles
	ShowProperties
)

// Show is SHOW in all its forms.
type Show struct {
	Source
	Kind    ShowKind
	Setting string
	// Target is the table, view or schema after FROM, IN, FOR or ON; nil for none.
	Target *Name
	Query  *Query // SHOW STATS FOR (query)
	Like   *string
	Escape string
	// Partition is SHOW FILES IN t PARTITION (…).
	Partition []PartitionValue
	Where     Expr
	OrderBy   []SortItem
	Limit     Expr
}

// Describe is DESCRIBE table; Formatted for Hive's DESCRIBE FORMATTED | EXTENDED.
type Describe struct {
	Source
	Table     Name
	Formatted bool
	// Query is DESCRIBE of a query; Input and Output are Trino's DESCRIBE INPUT | OUTPUT name.
	Query         *Query
	Input, Output string
}

// Use is USE schema or USE catalog.schema.
type Use struct {
	Source
	Name Name
}

// Explain is EXPLAIN. Options in lower case: analyze, verbose, costs, timing, summary, buffers …
// with nil Value or a literal; format ("text", "json", "dot", "plan"), type.
type Explain struct {
	Source
	Analyze   bool
	Verbose   bool
	Format    string // "" for the default
	Options   []Property
	Statement Statement
}

// Analyze is ANALYZE [table [(columns)]], COMPUTE STATS; nothing means every table.
type Analyze struct {
	Source
	Verbose   bool
	Tables    []AnalyzeTarget
	Partition []PartitionValue
	Options   []Property
}

// AnalyzeTarget is one table of ANALYZE or VACUUM.
type AnalyzeTarget struct {
	Name    Name
	Columns []Identifier
}

// Vacuum is VACUUM [(options)] [tables].
type Vacuum struct {
	Source
	Full, Verbose, Analyze, Freeze bool
	Tables                         []AnalyzeTarget
	Options                        []Property
}

// Prepare is PREPARE name [(types)] AS statement, or FROM statement.
type Prepare struct {
	Source
	Name      string
	Types     []*TypeName
	Statement Statement
}

// Execute is EXECUTE name [(args)], or USING args. Immediate is EXECUTE IMMEDIATE 'sql', whose
// statement is parsed: its positions count inside that string.
type Execute struct {
	Source
	Name      string
	Args      []Expr
	Immediate Statement
}

// Deallocate is DEALLOCATE name; an empty name means ALL.
type Deallocate struct {
	Source
	Name string
}

// DeclareCursor is DECLARE name CURSOR FOR query.
type DeclareCursor struct {
	Source
	Name   string
	Binary bool
	Hold   bool
	// Scroll is SCROLL, NoScroll is NO SCROLL; neither leaves it to the engine.
	Scroll, NoScroll bool
	Insensitive      bool
	Query            *Query
}

// FetchDirection is how FETCH moves.
type FetchDirection uint8

// The directions. Count belongs to Forward, Backward, Absolute and Relative; All to the first two.
const (
	FetchForward  FetchDirection = iota // NEXT is 1, ALL is All
	FetchBackward                       // PRIOR is 1
	FetchAbsolute                       // FIRST is 1, LAST is −1
	FetchRelative
)

// Fetch is FETCH or, with Move, MOVE.
type Fetch struct {
	Source
	Move      bool
	Direction FetchDirection
	Count     int64
	All       bool
	Cursor    string
}

// CloseCursor is CLOSE name; an empty name means ALL.
type CloseCursor struct {
	Source
	Name string
}

// Discard is DISCARD ALL | PLANS | SEQUENCES | TEMP; What in upper case.
type Discard struct {
	Source
	What string
}

// Listen is LISTEN channel.
type Listen struct {
	Source
	Channel string
}

// Unlisten is UNLISTEN channel; an empty channel means *.
type Unlisten struct {
	Source
	Channel string
}

// Notify is NOTIFY channel, 'payload'.
type Notify struct {
	Source
	Channel, Payload string
}

// SyncTable is SYNC TABLE, and REFRESH, INVALIDATE METADATA, MSCK REPAIR TABLE: files are listed
// again. No Table means all.
type SyncTable struct {
	Source
	Table     *Name
	Partition []PartitionValue
	// MetadataOnly is INVALIDATE METADATA.
	MetadataOnly bool
}

// Optimize is OPTIMIZE TABLE t [PARTITION (…)] [WHERE …]: small files are rewritten.
type Optimize struct {
	Source
	Table      Name
	Partition  []PartitionValue
	Where      Expr
	Properties []Property
}

// RollbackTable is ROLLBACK TABLE t TO VERSION n | TIMESTAMP t.
type RollbackTable struct {
	Source
	Table Name
	To    AsOf
}

// LockTable is LOCK TABLE, which snapshots make a no-op.
type LockTable struct {
	Source
	Tables []Name
	Mode   string
}

// Checkpoint is CHECKPOINT.
type Checkpoint struct{ Source }

// Call is CALL procedure(args).
type Call struct {
	Source
	Name Name
	Args []Expr
}

// LoadData is Impala's LOAD DATA INPATH 'path' [OVERWRITE] INTO TABLE t [PARTITION (…)].
type LoadData struct {
	Source
	Path      string
	Overwrite bool
	Table     Name
	Partition []PartitionValue
}

// Kill is KILL QUERY 'id'.
type Kill struct {
	Source
	Query string
}
