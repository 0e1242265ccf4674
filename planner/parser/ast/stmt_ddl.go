package ast

// CreateSchema is CREATE SCHEMA or CREATE DATABASE.
type CreateSchema struct {
	Source
	IfNotExists bool
	Name        Name
	Owner       string // AUTHORIZATION
	Location    string
	Comment     string
	Properties  []Property
}

// ObjectKind is what DROP, COMMENT and GRANT speak about.
type ObjectKind uint8

// The kinds of objects.
const (
	ObjectTable ObjectKind = iota
	ObjectView
	ObjectMaterializedView
	ObjectSchema
	ObjectColumn
	ObjectDatabase
	ObjectIndex
	ObjectSequence
	ObjectFunction
	ObjectType
	ObjectForeignTable
	ObjectRole
	ObjectResourceGroup
	ObjectExtension
)

// Drop is DROP TABLE, VIEW, SCHEMA and the rest.
type Drop struct {
	Source
	Kind     ObjectKind
	IfExists bool
	Names    []Name
	Cascade  bool
	Purge    bool // Hive's PURGE: files go at once
}

// ColumnDef is one column of CREATE TABLE, ALTER TABLE ADD COLUMN or a FROM alias.
type ColumnDef struct {
	Pos
	Name      string
	Type      *TypeName // nil in CREATE TABLE t (a, b) AS query
	NotNull   bool
	Default   Expr
	Collation *Name
	Comment   string
	// Constraints other than NOT NULL; their Columns are empty.
	Constraints []Constraint
	Properties  []Property // WITH (…) after the column
}

// ConstraintKind is the kind of a Constraint.
type ConstraintKind uint8

// The kinds.
const (
	ConstraintPrimaryKey ConstraintKind = iota
	ConstraintUnique
	ConstraintCheck
	ConstraintForeignKey
	ConstraintGenerated // GENERATED … AS IDENTITY or AS (expression)
)

// Constraint of a table or a column; it is up to the binder what to make of it.
type Constraint struct {
	Pos
	Kind       ConstraintKind
	Name       string
	Columns    []Identifier
	Check      Expr
	References *Name
	RefColumns []Identifier
}

// LikeClause is LIKE table [INCLUDING …] in a CREATE TABLE.
type LikeClause struct {
	Pos
	Table Name
	// At is the number of column definitions before it.
	At int
	// Including are the words after INCLUDING in lower case: "properties", "all", "defaults" …
	Including []string
	// FileFormat and Path are Impala's LIKE PARQUET 'path'.
	FileFormat, Path string
}

// PartitionColumn is one item of PARTITIONED BY: a name, or with Type a definition of a further
// column (Hive), or with Transform Iceberg's bucket(16, a), day(ts).
type PartitionColumn struct {
	Pos
	Name      string
	Type      *TypeName
	Comment   string
	Transform Expr
}

// CreateTable is CREATE TABLE in all its forms.
type CreateTable struct {
	Source
	OrReplace   bool
	External    bool
	Temp        bool
	IfNotExists bool
	Name        Name
	Columns     []ColumnDef
	Constraints []Constraint
	Likes       []LikeClause
	Comment     string
	Partitions  []PartitionColumn
	// SortedBy and Buckets are Hive's CLUSTERED BY (…) SORTED BY (…) INTO n BUCKETS.
	ClusteredBy []Identifier
	SortedBy    []SortItem
	Buckets     Expr
	StoredAs    string // lower case: "orc", "parquet", "csv", "textfile" …
	// RowFormat holds ROW FORMAT DELIMITED's parts as properties: fields_terminated_by,
	// escaped_by, lines_terminated_by, null_defined_as, serde.
	RowFormat  []Property
	Location   string
	Properties []Property // WITH (…) and TBLPROPERTIES (…)
	// OnCommit of a temporary table: "", "preserve rows", "delete rows", "drop".
	OnCommit string
	// Query is CREATE TABLE … AS, whose columns may be named by Columns without types.
	Query      *Query
	Execute    *Execute // CREATE TABLE … AS EXECUTE
	WithNoData bool
	// FromPath is CREATE TABLE t FROM 'path'.
	FromPath string
}

// CreateView is CREATE VIEW; its text is the statement's, its query's the span QueryStart:QueryEnd
// of the original SQL.
type CreateView struct {
	Source
	OrReplace            bool
	Temp                 bool
	Materialized         bool
	IfNotExists          bool
	Recursive            bool
	Name                 Name
	Columns              []ColumnDef // names and comments
	Comment              string
	SecurityInvoker      bool
	Properties           []Property
	Query                *Query
	QueryStart, QueryEnd Pos
	WithNoData           bool
	CheckOption          string // "", "local", "cascaded"
}

// RefreshView is REFRESH MATERIALIZED VIEW.
type RefreshView struct {
	Source
	Name       Name
	WithNoData bool
}

// CreateIndex is CREATE INDEX; the binder decides what to make of it.
type CreateIndex struct {
	Source
	Unique      bool
	IfNotExists bool
	Name        string
	Table       Name
	Method      string
	Columns     []SortItem
	Where       Expr
}

// CreateResourceGroup is CREATE or ALTER RESOURCE GROUP name WITH (…).
type CreateResourceGroup struct {
	Source
	Alter       bool
	IfNotExists bool
	Name        string
	Properties  []Property
}

// AlterTable is ALTER TABLE | VIEW | MATERIALIZED VIEW | SCHEMA with one or more actions.
type AlterTable struct {
	Source
	Kind     ObjectKind // ObjectTable, ObjectView, ObjectMaterializedView, ObjectSchema
	IfExists bool
	Name     Name
	Actions  []AlterAction
}

// AlterAction is one action of AlterTable. The set of implementations is closed.
type AlterAction interface {
	Node
	alterAction()
}

// AddColumns is ADD COLUMN, and Hive's ADD COLUMNS (…).
type AddColumns struct {
	Pos
	IfNotExists bool
	Columns     []ColumnDef
}

// DropColumn is DROP COLUMN.
type DropColumn struct {
	Pos
	IfExists bool
	Column   Identifier
	Cascade  bool
}

// RenameColumn is RENAME COLUMN a TO b.
type RenameColumn struct {
	Pos
	From, To Identifier
}

// RenameTo is RENAME TO name; Hive and Trino allow a qualified name.
type RenameTo struct {
	Pos
	Name Name
}

// SetSchema is SET SCHEMA name.
type SetSchema struct {
	Pos
	Schema string
}

// SetProperties is SET (…), SET PROPERTIES …, SET TBLPROPERTIES (…) and with Reset RESET (…).
type SetProperties struct {
	Pos
	Reset      bool
	Properties []Property
}

// AlterColumnType is ALTER COLUMN c [SET DATA] TYPE t [USING e], and Hive's CHANGE.
type AlterColumnType struct {
	Pos
	Column Identifier
	Type   *TypeName
	Using  Expr
}

// AlterColumnNotNull is ALTER COLUMN c SET NOT NULL, or DROP NOT NULL.
type AlterColumnNotNull struct {
	Pos
	Column Identifier
	Drop   bool
}

// AlterColumnDefault is ALTER COLUMN c SET DEFAULT e; Value nil drops it.
type AlterColumnDefault struct {
	Pos
	Column Identifier
	Value  Expr
}

// AddPartitions is ADD [IF NOT EXISTS] PARTITION (…) [LOCATION '…'] ….
type AddPartitions struct {
	Pos
	IfNotExists bool
	Partitions  []PartitionSpec
}

// DropPartitions is DROP [IF EXISTS] PARTITION (…), ….
type DropPartitions struct {
	Pos
	IfExists   bool
	Partitions []PartitionSpec
	Purge      bool
}

// PartitionSpec names one partition.
type PartitionSpec struct {
	Pos
	Values   []PartitionValue
	Location string
}

// RecoverPartitions is Hive's RECOVER PARTITIONS.
type RecoverPartitions struct{ Pos }

// AddConstraint is ADD [CONSTRAINT …] ….
type AddConstraint struct {
	Pos
	Constraint Constraint
}

// ChangeOwner is OWNER TO role.
type ChangeOwner struct {
	Pos
	Role string
}

// SetLocation is Hive's SET LOCATION 'path'.
type SetLocation struct {
	Pos
	Location string
}

// ExecuteProcedure is Trino's ALTER TABLE t EXECUTE procedure(args) [WHERE …].
type ExecuteProcedure struct {
	Pos
	Procedure string
	Args      []Expr
	Where     Expr
}

func (*AddColumns) alterAction()         {}
func (*DropColumn) alterAction()         {}
func (*RenameColumn) alterAction()       {}
func (*RenameTo) alterAction()           {}
func (*SetSchema) alterAction()          {}
func (*SetProperties) alterAction()      {}
func (*AlterColumnType) alterAction()    {}
func (*AlterColumnNotNull) alterAction() {}
func (*AlterColumnDefault) alterAction() {}
func (*AddPartitions) alterAction()      {}
func (*DropPartitions) alterAction()     {}
func (*RecoverPartitions) alterAction()  {}
func (*AddConstraint) alterAction()      {}
func (*ChangeOwner) alterAction()        {}
func (*SetLocation) alterAction()        {}
func (*ExecuteProcedure) alterAction()   {}

// CommentOn is COMMENT ON kind name IS 'text'. The name of a column includes its table. Drop is IS
// NULL.
type CommentOn struct {
	Source
	Kind ObjectKind
	Name Name
	Text string
	Drop bool
}

// Grant is GRANT or, with Revoke, REVOKE: of privileges on objects, or of roles.
type Grant struct {
	Source
	Revoke      bool
	GrantOption bool     // WITH GRANT OPTION, GRANT OPTION FOR
	Privileges  []string // lower case; "all"; with Roles: role names
	Roles       bool     // GRANT role TO user
	Kind        ObjectKind
	AllIn       bool // ALL TABLES IN SCHEMA: Names are schemas
	Names       []Name
	Grantees    []string // "public" too
	Cascade     bool
}

// CreateUser is CREATE or ALTER USER | ROLE.
type CreateUser struct {
	Source
	Alter       bool
	Role        bool // ROLE was written: no LOGIN by default
	IfNotExists bool
	Name        string
	// Options in lower case: password (a string, or nil Value for PASSWORD NULL), login, superuser,
	// createdb … with a boolean literal, valid_until, connection_limit, in_role.
	Options []Property
	// Setting is ALTER USER u SET name = value.
	Setting *Set
}

// DropUser is DROP USER | ROLE.
type DropUser struct {
	Source
	IfExists bool
	Names    []string
}
