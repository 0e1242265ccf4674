package plan

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

// Node is a physical operator. The set of implementations is closed; the codec and exec's builder
// list them all.
type Node interface {
	Inputs() []Node
	WithInputs([]Node) Node
	// Schema gives the output columns.
	Schema() types.Schema
	// Head gives the part that all nodes share, to be read and set in place.
	Head() *Header
	sealed()
}

// Header is common to all nodes.
type Header struct {
	ID   int          // unique in the plan, in EXPLAIN's order
	Rows float64      // estimated output rows; negative is unknown
	Cost float64      // estimated cost up to here, in arbitrary units
	Out  types.Schema // output columns
}

func (h *Header) Head() *Header        { return h }
func (h *Header) Schema() types.Schema { return h.Out }
func (*Header) sealed()                {}

type (
	// Scan reads a table. Filter sees the scan's columns; Output lists the ones that are handed on.
	Scan struct {
		Header
		Scan    connectors.Scan
		Filter  expr.Expr // nil: none
		Output  []int
		Dynamic []DynamicUse // filters that other operators produce while running
	}
	// Values gives constant rows; an expression reads no columns.
	Values struct {
		Header
		Rows [][]expr.Expr
	}
	// Filter keeps the rows for which Predicate is true.
	Filter struct {
		Header
		Input     Node
		Predicate expr.Expr
	}
	// Project computes one expression an output column.
	Project struct {
		Header
		Input Node
		Exprs []expr.Expr
	}
	// Expand gives each input row once for every grouping set: those of the columns Keys that are not
	// in the set become NULL, and a bigint column with the set's number is appended.
	Expand struct {
		Header
		Input Node
		Keys  []int
		Sets  [][]int
	}
	// Aggregate groups by Keys and gives the keys followed by one column an aggregate. Without keys
	// it gives exactly one row. The Phase tells where it takes or gives the aggregates' partial
	// columns instead.
	Aggregate struct {
		Header
		Input Node
		Keys  []int
		Calls []AggregateCall
		Phase Phase
	}
	// HashJoin builds on Right and probes with Left.
	HashJoin struct {
		Header
		Kind        JoinKind
		Left, Right Node
		LeftKeys    []int
		RightKeys   []int
		NullEqual   []bool    // per key: NULL matches NULL
		Residual    expr.Expr // further condition over left then right columns, nil: none
		Filters     []DynamicSource
		RightUnique bool // the planner knows that right keys are unique
		// NullAware, of Mark: the mark is the condition OR-ed over all right rows under three-valued
		// logic, as IN and ANY want it; else a condition that is NULL counts as false. NullAwareAnti
		// keeps the left rows for which that value is false. Keys with NullEqual never yield NULL.
		NullAware bool
		// Output lists the columns to hand on, as ordinals in left columns then right columns (then the
		// mark): nil is all that the kind gives. The residual sees all columns regardless.
		Output []int
	}
	// NestedLoopJoin joins on any condition; Right is materialized. Condition nil is a cross join.
	NestedLoopJoin struct {
		Header
		Kind        JoinKind
		Left, Right Node
		Condition   expr.Expr
		NullAware   bool  // as in HashJoin
		Output      []int // as in HashJoin
	}
	// Sort orders all rows.
	Sort struct {
		Header
		Input Node
		Keys  []SortKey
	}
	// TopN gives rows Offset … Offset+Limit-1 of the order. WithTies adds the peers of the last.
	TopN struct {
		Header
		Input    Node
		Keys     []SortKey
		Limit    int64
		Offset   int64
		WithTies bool
		Filter   *DynamicSource // publishes the threshold of the first key
	}
	// Limit gives at most Limit rows (negative: all) after skipping Offset.
	Limit struct {
		Header
		Input  Node
		Limit  int64
		Offset int64
	}
	// Window appends one column a function; rows of one partition come out in Order's order.
	Window struct {
		Header
		Input     Node
		Partition []int
		Order     []SortKey
		Functions []WindowCall
	}
	// Union gives the rows of all inputs, which have equal column types.
	Union struct {
		Header
		All []Node
	}
	// Unnest runs a table function for every input row and gives the input's columns followed by
	// each function's. Several functions run side by side, the shorter ones padded with NULLs.
	Unnest struct {
		Header
		Input      Node
		Functions  []TableCall
		Ordinality bool // appends a bigint counting from 1
		Outer      bool // an input row without result rows gives one with NULLs
	}
	// With computes each of Definitions at most once and makes it available below Body as Shared.
	With struct {
		Header
		Definitions []Definition
		Body        Node
	}
	// Shared reads a definition of an enclosing With, or the working table of an enclosing Recursive.
	Shared struct {
		Header
		Name int
	}
	// Recursive gives Base and then, as long as there are new rows, Step over Shared{Name} holding the
	// rows of the last round. Distinct drops rows that were given before (UNION).
	Recursive struct {
		Header
		Name     int
		Base     Node
		Step     Node
		Distinct bool
	}
	// Write stages its input in a table and gives one row for each fragment: rows bigint, payload json.
	Write struct {
		Header
		Input  Node
		Target connectors.Target
	}
	// Exchange moves rows between tasks. Once a plan is cut into fragments it has no input: it reads
	// what fragment Source gives, as that fragment's reader number Reader.
	Exchange struct {
		Header
		Input  Node // nil: cut
		Kind   ExchangeKind
		Keys   []int     // Hash: rows whose keys are equal (NULLs too) come to the same task
		Order  []SortKey // Merge: each task's rows come in this order, and so do all
		Source int
		Reader int
	}
)

// Phase says which part of an aggregation a node does.
type Phase uint8

// The phases.
const (
	Complete Phase = iota // rows to results
	Partial               // rows to partial states
	Final                 // partial states to results
	Combine               // partial states to fewer partial states
	// Finish is Final where every row is a group of its own: nothing is held back or grouped.
	Finish
)

// TakesStates tells that the calls' arguments are partial columns.
func (p Phase) TakesStates() bool { return p == Final || p == Combine || p == Finish }

// GivesStates tells that the calls give their partial columns, not their results.
func (p Phase) GivesStates() bool { return p == Partial || p == Combine }

// AggregateCall is one aggregate of an Aggregate node, or an aggregate over a window's frame.
type AggregateCall struct {
	Function  uint32
	Name      string
	Args      []int
	Constants []*types.Datum `json:",omitempty"` // per argument, nil where it varies
	Filter    int            // ordinal of a boolean column, -1: none
	Distinct  bool
	OrderBy   []SortKey `json:",omitempty"`
	ArgTypes  []types.Type
	Result    types.Type
}

// WindowCall is one function of a Window node. Aggregate tells that Function is an aggregate.
type WindowCall struct {
	AggregateCall
	Aggregate   bool
	IgnoreNulls bool
	Frame       Frame
}

// Frame is a window frame.
type Frame struct {
	Unit       FrameUnit
	Start, End Bound
	Exclude    uint8 // an fn.Exclusion
}

// FrameUnit is ROWS, RANGE or GROUPS.
type FrameUnit uint8

// The frame units.
const (
	Rows FrameUnit = iota
	Range
	Groups
)

// BoundKind is how a frame's edge is given.
type BoundKind uint8

// The bounds, in their natural order.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is an edge of a frame. Offset, for Preceding and Following, is the ordinal of a column:
// bigint for ROWS and GROUPS. For RANGE it holds the already computed bound itself (key − or +
// offset), of the order key's type.
type Bound struct {
	Kind   BoundKind
	Offset int
}

// TableCall is a set-returning function in Unnest; its arguments see the input's columns.
type TableCall struct {
	Function uint32
	Name     string
	Args     []expr.Expr
	Columns  types.Schema
}

// Definition is a common sub-plan.
type Definition struct {
	Name int
	Plan Node
}

// SortKey is an ordering column.
type SortKey struct {
	Column     int
	Descending bool
	NullsFirst bool
}

// JoinKind says which rows a join gives.
type JoinKind uint8

// The joins. Semi, Anti, NullAwareAnti, Mark and Single give left columns only (Mark one boolean
// more, Single the right columns too); RightSemi and RightAnti give right columns only.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi
	Anti          // NOT EXISTS: NULL keys never match
	NullAwareAnti // NOT IN
	Mark          // appends the value of IN / EXISTS: true, false or NULL
	Single        // Left, but 21000 when a left row has two matches
	RightSemi
	RightAnti
)

// ExchangeKind says who gets a row.
type ExchangeKind uint8

// The exchanges.
const (
	Gather ExchangeKind = iota
	Merge
	Hash
	Broadcast
	RoundRobin
	Forward // task i gets what task i of the other fragment gives; both run on the same node
)

// DynamicSource names the filter that an operator publishes from its build key number Key (or, for
// TopN, its first sort key).
type DynamicSource struct {
	Filter int
	Key    int
}

// DynamicUse applies filter number Filter to scan column Column.
type DynamicUse struct {
	Filter int
	Column int
}
