package binder

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Env is what a statement is bound against. All of it is read only.
type Env struct {
	Catalog  Catalog
	Registry *fn.Registry
	Session  *fn.Session
	// SQL is the text that the tree's offsets count in.
	SQL string
	// ParameterTypes holds the types that the client gave for $1, $2, …; Unknown where it gave none.
	ParameterTypes []types.Type
	// Fold evaluates an expression without columns. Errors are user errors.
	Fold func(expr.Expr) (types.Datum, error)
	// ParseQuery parses one query: a view's text, or SELECT around a column's default.
	ParseQuery func(sql string) (*ast.Query, error)
}

// Catalog answers what names stand for, in the snapshot of the statement.
type Catalog interface {
	// ResolveTable gives (nil, nil) when there is no such relation.
	ResolveTable(ctx context.Context, name TableName) (*connectors.Table, error)
	// ResolveTableFunction gives the table that a file function or a path in FROM stands for, and
	// (nil, nil) when there is no such function.
	ResolveTableFunction(ctx context.Context, call TableFunctionCall) (*connectors.Table, error)
	// NearestTable suggests a relation for a misspelt name, as it should be written; "" for none.
	NearestTable(ctx context.Context, name TableName) string
	// BeginWrite opens a write of rows into a table.
	BeginWrite(ctx context.Context, write WriteSpec) (connectors.Target, error)
}

// Partitions is what a Catalog may know besides: latest_partition('schema.table') is a constant.
type Partitions interface {
	// LatestPartition gives the greatest value of a table's first partition column, NULL for none.
	LatestPartition(ctx context.Context, name TableName) (types.Datum, types.Type, error)
}

// TableName is a relation's name as written.
type TableName struct {
	Parts      []string // outermost qualifier first
	SearchPath []string // where an unqualified name is sought; nil: the session's
	AsOf       *AsOf    // nil: now
	View       int64    // the view whose text names it, 0 for the statement's own
}

// AsOf asks for an earlier version: Value is a bigint, or a timestamptz when Timestamp is set.
type AsOf struct {
	Timestamp bool
	Value     types.Datum
}

// TableFunctionCall is a table function with constant arguments. Name is empty for a path in FROM.
type TableFunctionCall struct {
	Name string
	Args []TableFunctionArgument
}

// TableFunctionArgument is one argument; Name is empty for a positional one.
type TableFunctionArgument struct {
	Name  string
	Value types.Datum
	Type  types.Type
}

// WriteSpec says what an INSERT does. The rows have all columns of Table, in its order.
type WriteSpec struct {
	Table     *connectors.Table
	Overwrite bool
	// Static holds the values that PARTITION (…) fixes, by column ordinal: with Overwrite the partition
	// is replaced even when there are no rows.
	Static map[int]types.Datum
}

// Kind is what a bound statement does.
type Kind uint8

// The kinds of bound statements.
const (
	Query Kind = iota
	Insert
	Delete
)

// Bound is a bound statement.
type Bound struct {
	Kind Kind
	// Plan computes the result; for Insert its root is a Write; nil for Delete.
	Plan *logical.Plan
	// Parameters holds the types of $1, $2, …, given or inferred.
	Parameters []types.Type
	// Tables lists the relations read, views included, each once.
	Tables []*connectors.Table
	// Target is the table that Insert and Delete change.
	Target *connectors.Table
	// Overwrite tells INSERT OVERWRITE.
	Overwrite bool
	// Predicate tells for Delete which partitions go, nil for all: its columns are numbered by their
	// place in Target.Partition, from 0.
	Predicate expr.Expr
}
