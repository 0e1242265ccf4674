package fn

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Volatility says when two calls with equal arguments give equal results.
type Volatility uint8

// Immutable: always. Stable: within one statement. Volatile: never assumed.
const (
	Immutable Volatility = iota
	Stable
	Volatile
)

// NullRule says what NULL arguments do.
type NullRule uint8

// Strict: any NULL argument makes the result NULL; the evaluator sees to it, and the kernel need not
// look at validity but must not fail on the garbage in null lanes: rows excludes them. Called: the
// kernel gets NULLs and sets validity itself.
const (
	Strict NullRule = iota
	Called
)

// Signature is an overload's match for a call: the types the arguments must be cast to, and the result.
type Signature struct {
	Args   []types.Type
	Result types.Type
}

// Overload is one row of the registry.
type Overload struct {
	ID       uint32 // stable position in the registry; plans carry it
	Name     string
	Params   []Param
	Variadic bool // the last Param repeats, zero or more times
	// Result gives the result type from the arguments' types after coercion; nil: ResultType.
	Result     func(args []types.Type) (types.Type, error)
	ResultType types.Type
	// ResultOf, when not nil, goes before Result: it also sees the arguments that are literals
	// (constants[i] is nil for the others), for results whose scale a constant decides, as in
	// round(x, 2) and extract(second FROM t).
	ResultOf   func(args []types.Type, constants []*types.Datum) (types.Type, error)
	Volatility Volatility
	Nulls      NullRule
	Category   string // heading in docs/functions.md: "string", "date and time", …
	Doc        string // one or two sentences
	Example    string // "upper('tarn') → TARN"
	// MayFail tells that the kernel can raise an error for some arguments, so that rows which a
	// filter excluded must not be evaluated.
	MayFail bool
	// AtSession tells that the function needs the session itself (Session.Lookup, its settings) and so
	// runs only on the query's coordinator.
	AtSession bool
	Impl      Impl
}

// Param is a formal parameter: a fixed kind, or a family.
type Param struct {
	Name   string
	Family Family
	Type   types.Type // Family Exact
	// Default makes the parameter optional and named (table functions' options).
	Default *types.Datum
}

// Family says which argument types a parameter takes.
type Family uint8

// The families. Element and ArrayOf of one overload must agree on the element type, as
// PostgreSQL's anyelement and anyarray do; Common arguments are brought to one common type.
const (
	Exact    Family = iota // Type's kind, by implicit cast; modifiers are kept as they come
	Any                    // any type, as it comes
	Element                // anyelement
	ArrayOf                // anyarray
	Common                 // all Common arguments are cast to their common type
	Numeric                // any decimal, as it comes (integers are cast to decimal)
	Function               // a lambda
	AnyMap                 // any map, as it comes
)

// Impl is Scalar, Aggregate, Window or Table.
type Impl interface{ implementation() }

// Call describes one use of an overload to the implementation that is being prepared for it.
type Call struct {
	Name   string
	Args   []types.Type
	Result types.Type
	// Constants[i] is the value of argument i when it is known before execution, else nil.
	Constants []*types.Datum
	// Lambdas[i] is argument i when it is a lambda; the kernel then gets a nil vector for it. Nil
	// when there is none.
	Lambdas []Lambda
	// Distinct and OrderBy concern aggregates; the operator feeds them accordingly.
	Session *Session
}

// Lambda is a function argument such as x -> x + 1, bound to the batch that the kernel runs on.
type Lambda interface {
	// Apply evaluates the body n times: params[k] holds the k-th parameter's values (Flat or Const, n
	// long), outer[i] the row of the kernel's batch that evaluation i belongs to, for the columns that
	// the body captures. The result, in any encoding, is valid until the next Apply.
	Apply(params []*vec.Vector, n int, outer []int32) (*vec.Vector, error)
}

// Session is what stable functions may see of the statement that runs them.
type Session struct {
	User, Database, Application string
	SearchPath                  []string
	TimeZone                    string // IANA name
	StatementTime               int64  // microseconds since 1970 UTC; now()
	TransactionTime             int64
	BackendPID                  int32
	Settings                    map[string]string // lower-case names
	// Lookup answers catalog questions of pg_catalog functions (regclass, pg_get_viewdef …): kind names the question.
	Lookup func(kind string, args ...types.Datum) (types.Datum, error)
	// Room fails with 53200 when the query may not have so many bytes more just now; it takes none.
	// Nil: memory is not bounded. Functions whose results are long ask before they make them.
	Room func(bytes int64) error
}

// HasRoom is Room for sessions that may lack it.
func (s *Session) HasRoom(bytes int64) error {
	if s == nil || s.Room == nil {
		return nil
	}
	return s.Room(bytes)
}

// Scalar makes kernels. New runs once for each driver before execution and may compile constants
// (patterns, formats); it returns user errors for bad ones.
type Scalar struct {
	New func(call Call) (Kernel, error)
}

// Kernel computes out, Resized by the caller to n rows of the result type, for the rows listed (nil:
// all n). Arguments are Flat or Const; under Strict no listed row has a NULL argument. A kernel that
// yields NULL clears bits through out.SetNull. It keeps no reference to its arguments but may share
// their Buffers. One kernel is used by one goroutine at a time.
type Kernel func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error

// Aggregate makes accumulators.
type Aggregate struct {
	New func(call Call) (Accumulator, error)
	// Partial gives the types of the columns by which partial states travel and spill.
	Partial func(call Call) []types.Type
	// IgnoresOrder is false for array_agg, string_agg and the like.
	IgnoresOrder bool
	// DistinctIsNoop marks min, max, bool_and …: DISTINCT changes nothing.
	DistinctIsNoop bool
	// EmptyIsZero marks count: no rows give 0 instead of NULL.
	EmptyIsZero bool
}

// Accumulator holds the states of all groups of one aggregate, numbered 0 … n-1. It is used by one
// goroutine at a time. groups[i] is the group of the i-th listed row (of row i when rows is nil).
type Accumulator interface {
	// Resize makes room for n groups; new ones are empty.
	Resize(n int)
	// Update adds rows. Arguments come Flat, Const or Dict with nulls in them.
	Update(groups []int32, args []*vec.Vector, rows []int32) error
	// Merge adds partial states, one a row.
	Merge(groups []int32, partial []*vec.Vector, rows []int32) error
	// Partial writes the states of groups from … from+n-1 into out (Resized by the callee), one vector a partial column.
	Partial(from, n int, out []*vec.Vector) error
	// Final writes the results of the same groups into out (Resized by the callee).
	Final(from, n int, out *vec.Vector) error
	// Bytes is the memory held.
	Bytes() int64
	// Reset forgets all groups, keeping memory.
	Reset()
}

// Prefixes is an Accumulator that can make running results of the results of single groups: Prefix
// adds to each of the groups 1 … n-1 the state of all groups before it.
type Prefixes interface {
	Prefix(n int) error
}

// Window makes evaluators of pure window functions (row_number, rank, lag …); aggregates are used
// over frames as they are.
type Window struct {
	New func(call Call) (WindowEvaluator, error)
}

// WindowEvaluator computes a window function over one whole partition at a time.
type WindowEvaluator interface {
	Evaluate(p *WindowPartition, out *vec.Vector) error
}

// WindowPartition is one partition, sorted. PeerStart[i] and PeerEnd[i] bound row i's peers;
// FrameStart[i] and FrameEnd[i] (exclusive) its frame; both nil unless asked for.
type WindowPartition struct {
	Rows                 int
	Args                 []*vec.Vector // Flat or Const, Rows long
	PeerStart, PeerEnd   []int32
	FrameStart, FrameEnd []int32
	// Excluded[i] tells what EXCLUDE takes away from row i's frame.
	Exclude     Exclusion
	IgnoreNulls bool
}

// Exclusion is a frame's EXCLUDE clause.
type Exclusion uint8

// The exclusions.
const (
	ExcludeNothing Exclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// Table makes the rows of a set-returning function (generate_series, unnest …), also for LATERAL use.
type Table struct {
	Columns func(call Call) (types.Schema, error)
	New     func(call Call) (TableKernel, error)
}

// TableKernel expands one row of arguments into rows of out columns (Flat, appended with Extend).
// more = true asks to be called again for the same row; at most about vec.BatchSize rows a call.
type TableKernel interface {
	Expand(args []*vec.Vector, row int, out []*vec.Vector) (more bool, err error)
}

func (Scalar) implementation()    {}
func (Aggregate) implementation() {}
func (Window) implementation()    {}
func (Table) implementation()     {}
