package expr

import "github.com/tarnlake/tarn/internal/types"

// Expr is a bound scalar expression. The set of implementations is closed.
type Expr interface {
	Type() types.Type
	// Children gives the direct operands, in evaluation order.
	Children() []Expr
	// WithChildren gives a copy with other operands, as many and of the same types.
	WithChildren([]Expr) Expr
	sealed()
}

// ColumnID numbers a column: unique in a logical plan, an input ordinal in a physical one.
type ColumnID int32

// Column reads a column of the input.
type Column struct {
	ID   ColumnID
	Name string // for EXPLAIN only
	T    types.Type
}

// Literal is a constant.
type Literal struct {
	Value types.Datum
	T     types.Type
}

// Parameter is $Index (1-based) of a prepared statement, replaced by a Literal before execution.
type Parameter struct {
	Index int
	T     types.Type
}

// Call applies the overload numbered Function of the registry.
type Call struct {
	Function uint32
	Name     string
	Args     []Expr
	T        types.Type
	Position int // 1-based character in the statement, 0 unknown
}

// Cast converts Arg to To; Try gives NULL where the conversion fails. Assign tells that a value is
// being stored: a string longer than To's length raises 22001 (unless only blanks are too many),
// where a cast that the user wrote cuts it.
type Cast struct {
	Arg      Expr
	To       types.Type
	Try      bool
	Assign   bool
	Position int
}

// Operator is a comparison.
type Operator uint8

// The comparisons. Distinct and NotDistinct treat NULL as a value and never give NULL.
const (
	Equal Operator = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	Distinct
	NotDistinct
)

// Compare compares two operands of one type (modifiers aside).
type Compare struct {
	Op          Operator
	Left, Right Expr
}

// And is the conjunction of two or more booleans under SQL's three-valued logic.
type And struct{ Args []Expr }

// Or is the disjunction of two or more booleans.
type Or struct{ Args []Expr }

// Not negates a boolean; NULL stays NULL.
type Not struct{ Arg Expr }

// IsNull tells whether Arg is NULL; never NULL itself.
type IsNull struct{ Arg Expr }

// When is one arm of a Case.
type When struct{ Condition, Result Expr }

// Case gives the first arm whose condition is true, else Else (nil: NULL). Arms not chosen are not
// evaluated for a row.
type Case struct {
	Whens []When
	Else  Expr
	T     types.Type
}

// Coalesce gives the first operand that is not NULL; later ones are not evaluated for a row.
type Coalesce struct {
	Args []Expr
	T    types.Type
}

// In tells whether Arg equals one of List, under SQL's NULL rules; all of one type.
type In struct {
	Arg  Expr
	List []Expr
}

// Try gives NULL where evaluating Arg raises a data error (class 22).
type Try struct{ Arg Expr }

// Lambda is a function argument x -> body. Its parameters are Columns numbered from FirstParam on in
// Body; other columns of Body are captures.
type Lambda struct {
	FirstParam ColumnID
	Params     []types.Type
	Body       Expr
}

func (*Column) sealed()    {}
func (*Literal) sealed()   {}
func (*Parameter) sealed() {}
func (*Call) sealed()      {}
func (*Cast) sealed()      {}
func (*Compare) sealed()   {}
func (*And) sealed()       {}
func (*Or) sealed()        {}
func (*Not) sealed()       {}
func (*IsNull) sealed()    {}
func (*Case) sealed()      {}
func (*Coalesce) sealed()  {}
func (*In) sealed()        {}
func (*Try) sealed()       {}
func (*Lambda) sealed()    {}

var boolean = types.Of(types.Bool)

// Type is the column's type.
func (e *Column) Type() types.Type    { return e.T }
func (e *Literal) Type() types.Type   { return e.T }
func (e *Parameter) Type() types.Type { return e.T }
func (e *Call) Type() types.Type      { return e.T }
func (e *Cast) Type() types.Type      { return e.To }
func (e *Compare) Type() types.Type   { return boolean }
func (e *And) Type() types.Type       { return boolean }
func (e *Or) Type() types.Type        { return boolean }
func (e *Not) Type() types.Type       { return boolean }
func (e *IsNull) Type() types.Type    { return boolean }
func (e *Case) Type() types.Type      { return e.T }
func (e *Coalesce) Type() types.Type  { return e.T }
func (e *In) Type() types.Type        { return boolean }
func (e *Try) Type() types.Type       { return e.Arg.Type() }
func (e *Lambda) Type() types.Type    { return e.Body.Type() }

func (*Column) Children() []Expr     { return nil }
func (*Literal) Children() []Expr    { return nil }
func (*Parameter) Children() []Expr  { return nil }
func (e *Call) Children() []Expr     { return e.Args }
func (e *Cast) Children() []Expr     { return []Expr{e.Arg} }
func (e *Compare) Children() []Expr  { return []Expr{e.Left, e.Right} }
func (e *And) Children() []Expr      { return e.Args }
func (e *Or) Children() []Expr       { return e.Args }
func (e *Not) Children() []Expr      { return []Expr{e.Arg} }
func (e *IsNull) Children() []Expr   { return []Expr{e.Arg} }
func (e *Coalesce) Children() []Expr { return e.Args }
func (e *Try) Children() []Expr      { return []Expr{e.Arg} }
func (e *Lambda) Children() []Expr   { return []Expr{e.Body} }
func (e *In) Children() []Expr       { return append([]Expr{e.Arg}, e.List...) }

// Children gives condition and result of each arm, then Else if there is one.
func (e *Case) Children() []Expr {
	out := make([]Expr, 0, 2*len(e.Whens)+1)
	for _, w := range e.Whens {
		out = append(out, w.Condition, w.Result)
	}
	if e.Else != nil {
		out = append(out, e.Else)
	}
	return out
}

func (e *Column) WithChildren([]Expr) Expr    { return e }
func (e *Literal) WithChildren([]Expr) Expr   { return e }
func (e *Parameter) WithChildren([]Expr) Expr { return e }
func (e *Call) WithChildren(c []Expr) Expr {
	out := *e
	out.Args = c
	return &out
}
func (e *Cast) WithChildren(c []Expr) Expr {
	out := *e
	out.Arg = c[0]
	return &out
}
func (e *Compare) WithChildren(c []Expr) Expr { return &Compare{Op: e.Op, Left: c[0], Right: c[1]} }
func (e *And) WithChildren(c []Expr) Expr     { return &And{Args: c} }
func (e *Or) WithChildren(c []Expr) Expr      { return &Or{Args: c} }
func (e *Not) WithChildren(c []Expr) Expr     { return &Not{Arg: c[0]} }
func (e *IsNull) WithChildren(c []Expr) Expr  { return &IsNull{Arg: c[0]} }
func (e *Coalesce) WithChildren(c []Expr) Expr {
	return &Coalesce{Args: c, T: e.T}
}
func (e *Try) WithChildren(c []Expr) Expr { return &Try{Arg: c[0]} }
func (e *Lambda) WithChildren(c []Expr) Expr {
	out := *e
	out.Body = c[0]
	return &out
}
func (e *In) WithChildren(c []Expr) Expr { return &In{Arg: c[0], List: c[1:]} }
func (e *Case) WithChildren(c []Expr) Expr {
	out := &Case{Whens: make([]When, len(e.Whens)), T: e.T}
	for i := range e.Whens {
		out.Whens[i] = When{Condition: c[2*i], Result: c[2*i+1]}
	}
	if e.Else != nil {
		out.Else = c[len(c)-1]
	}
	return out
}

// Inverse gives the operator with its operands exchanged: a < b is b > a.
func (o Operator) Inverse() Operator {
	switch o {
	case Less:
		return Greater
	case LessEqual:
		return GreaterEqual
	case Greater:
		return Less
	case GreaterEqual:
		return LessEqual
	}
	return o
}

// Negate gives the operator that holds exactly when o does not (both NULL on NULL, but for the
// Distinct pair, which is never NULL).
func (o Operator) Negate() Operator {
	return [...]Operator{NotEqual, Equal, GreaterEqual, Greater, LessEqual, Less, NotDistinct, Distinct}[o]
}

// String gives the operator's SQL spelling.
func (o Operator) String() string {
	return [...]string{"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"}[o]
}
