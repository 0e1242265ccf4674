package logical

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// ColID numbers a column of a Plan.
type ColID = expr.ColumnID

// Plan is a bound query.
type Plan struct {
	Root    Node
	Columns *Columns
	// Output names the result's columns, in order; their IDs are among Root.Columns().
	Output []OutputColumn
	// Parameters holds the types of $1, $2, …
	Parameters []types.Type
}

// OutputColumn is a column of a query's result.
type OutputColumn struct {
	ID   ColID
	Name string
}

// Columns describes every column of a plan; IDs start at 1.
type Columns struct{ all []ColumnInfo }

// ColumnInfo describes a column.
type ColumnInfo struct {
	Name     string // for EXPLAIN and error messages
	Type     types.Type
	Nullable bool
}

// Add makes a new column.
func (c *Columns) Add(name string, t types.Type, nullable bool) ColID {
	c.all = append(c.all, ColumnInfo{name, t, nullable})
	return ColID(len(c.all))
}

// MaxColumns bounds a plan: what copies views or common table expressions again and again must stop
// before memory does.
const MaxColumns = 200_000

// Check fails with 54001 when the plan has too many columns.
func (c *Columns) Check() error {
	if len(c.all) <= MaxColumns {
		return nil
	}
	return sqlerr.New(sqlerr.StatementTooComplex, "the statement has more than %d columns in all its views and subqueries", MaxColumns).
		WithHint("MATERIALIZED common table expressions are computed once, however often they are named.")
}

// Info describes a column.
func (c *Columns) Info(id ColID) *ColumnInfo { return &c.all[id-1] }

// Ref makes an expression that reads a column.
func (c *Columns) Ref(id ColID) *expr.Column {
	info := c.Info(id)
	return &expr.Column{ID: id, Name: info.Name, T: info.Type}
}

// Node is a relational operator, immutable. The set of implementations is closed.
type Node interface {
	Inputs() []Node
	WithInputs([]Node) Node
	// Columns lists what the node gives, in order.
	Columns() []ColID
	sealed()
}

// Computed is a column and the expression that gives its value.
type Computed struct {
	ID   ColID
	Expr expr.Expr
}

type (
	// Scan reads columns Ordinals of Table, as columns IDs. Filter holds what was pushed down.
	Scan struct {
		Table    *connectors.Table
		Alias    string
		Ordinals []int
		IDs      []ColID
		Filter   expr.Expr // nil: none
		Options  map[string]string
		Limit    int64 // > 0: no more rows are needed
		Dynamic  []DynamicUse
		// Subfields gives, for row columns of which not all is read, the paths of field ordinals that are.
		Subfields map[ColID][][]int
	}
	// Values gives constant rows.
	Values struct {
		IDs  []ColID
		Rows [][]expr.Expr
	}
	// Filter keeps rows for which Predicate is true.
	Filter struct {
		Input     Node
		Predicate expr.Expr
	}
	// Project gives exactly Exprs; passing a column through is a Computed whose Expr is that column
	// under its own ID.
	Project struct {
		Input Node
		Exprs []Computed
	}
	// Join gives left then right columns, as far as its kind does; Mark gives MarkID after the left.
	Join struct {
		Kind        plan.JoinKind
		Left, Right Node
		Condition   expr.Expr // nil: true
		MarkID      ColID
		// Dependent tells that Right reads columns of Left (a correlated subquery, LATERAL).
		Dependent bool
		// NullAware, of Mark: the mark is the condition OR-ed over all right rows under three-valued
		// logic (IN, ANY); else a condition that is NULL counts as false (EXISTS).
		NullAware bool
		Dynamic   []plan.DynamicSource
	}
	// Aggregate groups by the columns Keys. With Sets, each set lists the keys (by position in Keys)
	// that count and SetID is a bigint column with the set's number; the keys outside it are NULL.
	// Phase is Complete but where a pass has cut the aggregation in steps; sets have only that.
	Aggregate struct {
		Input Node
		Phase plan.Phase
		Keys  []ColID
		Sets  [][]int
		SetID ColID
		// KeyIDs are the output columns for Keys: the keys' own IDs, but for grouping sets, where
		// values change, new ones.
		KeyIDs []ColID
		Calls  []AggregateCall
	}
	// Window appends one column a call; all calls share partitioning and order.
	Window struct {
		Input     Node
		Partition []ColID
		Order     []SortKey
		Calls     []WindowCall
	}
	// Sort orders; Limit cuts. The optimizer joins both to TopN.
	Sort struct {
		Input Node
		Keys  []SortKey
	}
	// Limit gives Limit rows (nil: all) after Offset (nil: 0): expressions without columns.
	Limit struct {
		Input         Node
		Limit, Offset expr.Expr
		WithTies      bool
	}
	// TopN is Limit over Sort.
	TopN struct {
		Input         Node
		Keys          []SortKey
		Limit, Offset int64
		WithTies      bool
		Dynamic       *plan.DynamicSource
	}
	// DistinctOn keeps the first row of each group of equal Keys, first by Order.
	DistinctOn struct {
		Input Node
		Keys  []ColID
		Order []SortKey
	}
	// SetOperation combines inputs by position: Arms[i] lists input i's columns for IDs.
	SetOperation struct {
		Kind SetKind
		All  bool
		In   []Node
		Arms [][]ColID
		IDs  []ColID
	}
	// Unnest runs table functions for each input row and appends their columns.
	Unnest struct {
		Input        Node
		Functions    []TableCall
		OrdinalityID ColID // 0: none
		Outer        bool
	}
	// With makes Definitions available below Body as CTERefs. Definitions may refer to earlier ones.
	With struct {
		Definitions []Definition
		Body        Node
	}
	// CTERef reads a definition, or, in a Recursive's step, the last round's rows. IDs[i] stands for
	// the definition's column Source[i].
	CTERef struct {
		Name   int
		IDs    []ColID
		Source []ColID
	}
	// Recursive is WITH RECURSIVE: arms by position as in SetOperation.
	Recursive struct {
		Name     int
		Base     Node
		Step     Node
		BaseIDs  []ColID
		StepIDs  []ColID
		IDs      []ColID
		Distinct bool
	}
	// Write stages the input's columns Source in Target and gives a fragment row each.
	Write struct {
		Input     Node
		Target    connectors.Target
		Source    []ColID
		RowsID    ColID
		PayloadID ColID
	}
)

// DynamicUse applies dynamic filter Filter to column Column of a Scan.
type DynamicUse struct {
	Filter int
	Column ColID
}

// SortKey is an ordering column.
type SortKey struct {
	Column     ColID
	Descending bool
	NullsFirst bool
}

// AggregateCall is one aggregate. Args are columns; constants reach the implementation through the
// Project below, as literals there. In a phase that takes states, Args are the columns of the state.
type AggregateCall struct {
	ID       ColID
	Function uint32
	Name     string
	Args     []ColID
	Filter   ColID // 0: none
	Distinct bool
	OrderBy  []SortKey
	Type     types.Type
	// States are the columns that the call gives instead of ID in a phase that gives states.
	States []ColID
	// ArgTypes are the types of the arguments that the states come from, in a phase that takes states.
	ArgTypes []types.Type
}

// Gives lists the columns that the call gives in a phase.
func (c *AggregateCall) Gives(phase plan.Phase) []ColID {
	if phase.GivesStates() {
		return c.States
	}
	return []ColID{c.ID}
}

// WindowCall is one window function or aggregate over a frame. The Offset of the frame's bounds is
// a ColID in StartOffset and EndOffset here.
type WindowCall struct {
	AggregateCall
	Aggregate              bool
	IgnoreNulls            bool
	Frame                  plan.Frame
	StartOffset, EndOffset ColID
}

// TableCall is a set-returning function call.
type TableCall struct {
	Function uint32
	Name     string
	Args     []expr.Expr
	IDs      []ColID
}

// SetKind is the kind of a SetOperation.
type SetKind uint8

// The set operations.
const (
	Union SetKind = iota
	Intersect
	Except
)

// Definition is a common table expression. Materialize follows the user's hint: nil leaves it to cost.
type Definition struct {
	Name        int
	Label       string
	Input       Node
	Materialize *bool
}

// Clone gives an independent copy, to which columns may be added.
func (c *Columns) Clone() *Columns { return &Columns{all: append([]ColumnInfo(nil), c.all...)} }
