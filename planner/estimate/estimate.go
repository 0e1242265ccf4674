package estimate

import (
	"math"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// Statistics tells what is known of a scan's rows once its partitions have been pruned by its filter.
type Statistics interface {
	Scan(scan *logical.Scan) connectors.TableStats
}

// Column is what is expected of a column.
type Column struct {
	Distinct     float64 // at least 1
	NullFraction float64
	Low, High    float64 // range on the number line, when Ranged
	Ranged       bool
	Unique       bool // of its table's rows
	Guessed      bool // the statistics do not say how many values there are
}

// Estimator caches estimates by node.
type Estimator struct {
	statistics Statistics
	columns    *logical.Columns
	rows       map[logical.Node]float64
	scans      map[*logical.Scan]connectors.TableStats
	facts      map[logical.ColID]Column // of base columns
	ctes       map[int]float64          // rows of definitions and of recursive references
	root       logical.Node
	// definitions holds what root's common table expressions compute; nil until one is asked for.
	definitions map[int]logical.Node
}

// New makes an Estimator for one plan.
func New(p *logical.Plan, statistics Statistics) *Estimator {
	return &Estimator{statistics: statistics, columns: p.Columns, root: p.Root, rows: map[logical.Node]float64{},
		scans: map[*logical.Scan]connectors.TableStats{}, facts: map[logical.ColID]Column{}, ctes: map[int]float64{}}
}

// defaultRows is assumed of a table of which nothing is known.
const defaultRows = 1000

// Rows gives the expected output rows of n, at least 0.
func (e *Estimator) Rows(n logical.Node) float64 {
	if known, ok := e.rows[n]; ok {
		return known
	}
	rows := e.compute(n)
	if math.IsNaN(rows) || rows < 0 {
		rows = 0
	}
	e.rows[n] = rows
	return rows
}

func (e *Estimator) compute(n logical.Node) float64 {
	switch n := n.(type) {
	case *logical.Scan:
		return e.scan(n)
	case *logical.Values:
		return float64(len(n.Rows))
	case *logical.Filter:
		rows := e.Rows(n.Input)
		return rows * e.Selectivity(n.Predicate, rows)
	case *logical.Project:
		e.project(n)
		return e.Rows(n.Input)
	case *logical.Join:
		return e.join(n)
	case *logical.Aggregate:
		return e.aggregate(n)
	case *logical.DistinctOn:
		return e.Groups(n.Keys, e.Rows(n.Input))
	case *logical.Limit:
		rows := e.Rows(n.Input)
		if l, ok := n.Limit.(*expr.Literal); ok && !l.Value.Null {
			rows = math.Min(rows, float64(l.Value.I64))
		}
		return rows
	case *logical.TopN:
		return math.Min(e.Rows(n.Input), float64(n.Limit))
	case *logical.SetOperation:
		return e.setOperation(n)
	case *logical.Unnest:
		return e.Rows(n.Input) * 10
	case *logical.With:
		for _, d := range n.Definitions {
			e.ctes[d.Name] = e.Rows(d.Input)
		}
		return e.Rows(n.Body)
	case *logical.CTERef:
		rows := e.definition(n.Name)
		for i, id := range n.IDs {
			if fact, ok := e.facts[n.Source[i]]; ok && id != n.Source[i] {
				e.facts[id] = fact
			}
		}
		return rows
	case *logical.Recursive:
		base := e.Rows(n.Base)
		e.ctes[n.Name] = base
		e.Rows(n.Step)
		return base * 10
	}
	return e.Rows(n.Inputs()[0]) // Sort, Window, Write
}

// definition gives the rows of a common table expression, and sees to its columns' facts.
func (e *Estimator) definition(name int) float64 {
	if rows, ok := e.ctes[name]; ok {
		return rows
	}
	if e.definitions == nil {
		e.definitions = map[int]logical.Node{}
		e.define(e.root)
	}
	e.ctes[name] = defaultRows // what a definition that reads itself gets
	if n := e.definitions[name]; n != nil {
		e.ctes[name] = e.Rows(n)
	}
	return e.ctes[name]
}

func (e *Estimator) define(root logical.Node) {
	for n := range logical.Nodes(root) {
		if w, ok := n.(*logical.With); ok {
			for _, d := range w.Definitions {
				e.definitions[d.Name] = d.Input
			}
		}
	}
}

// scan estimates before and after the filter, and records the columns' facts.
func (e *Estimator) scan(n *logical.Scan) float64 {
	stats, ok := e.scans[n]
	if !ok {
		stats = e.statistics.Scan(n)
		e.scans[n] = stats
	}
	rows := stats.Rows
	if rows <= 0 && !stats.Exact {
		rows = defaultRows
	}
	for i, id := range n.IDs {
		e.facts[id] = columnFact(stats.Columns[n.Ordinals[i]], n.Table.Columns[n.Ordinals[i]].Type, rows)
	}
	if n.Filter == nil {
		return rows
	}
	left := math.Max(rows*e.Selectivity(n.Filter, rows), math.Min(rows, 1))
	for _, conjunct := range expr.Conjuncts(n.Filter) {
		e.narrow(conjunct, rows)
	}
	return left
}

// narrow takes a filter on a column into the column's facts, for what is computed from it.
func (e *Estimator) narrow(conjunct expr.Expr, rows float64) {
	if id, low, high, ok := e.bounds(conjunct, rows); ok {
		f := e.facts[id]
		f.Distinct = math.Max(1, f.Distinct*fraction(f, math.Max(low, f.Low), math.Min(high, f.High)))
		f.Low, f.High = math.Max(low, f.Low), math.Min(high, f.High)
		f.Ranged = f.Low <= f.High
		e.facts[id] = f
		return
	}
	values := 0
	var col *expr.Column
	switch p := conjunct.(type) {
	case *expr.Compare:
		if col = column(p.Left); col == nil {
			col = column(p.Right)
		}
		if p.Op != expr.Equal || literalOf(p) == nil {
			return
		}
		values = 1
		if v, ok := Number(literalOf(p).T, literalOf(p).Value); ok && col != nil {
			if f, known := e.facts[col.ID]; known && f.Ranged {
				f.Low, f.High = v, v
				e.facts[col.ID] = f
			}
		}
	case *expr.In:
		col, values = column(p.Arg), len(p.List)
	}
	if col == nil {
		return
	}
	if f, known := e.facts[col.ID]; known {
		f.Distinct = math.Max(1, math.Min(f.Distinct, float64(values)))
		e.facts[col.ID] = f
	}
}

func columnFact(s connectors.ColumnStats, t types.Type, rows float64) Column {
	c := Column{Distinct: s.Distinct, NullFraction: s.NullFraction, Unique: rows > 1 && s.Distinct >= 0.95*rows}
	if s.Minimum != nil && s.Maximum != nil {
		low, ok1 := Number(t, *s.Minimum)
		high, ok2 := Number(t, *s.Maximum)
		if ok1 && ok2 {
			c.Low, c.High, c.Ranged = low, high, true
		}
	}
	if c.Distinct <= 0 {
		c.Distinct, c.Guessed = math.Max(1, rows/10), true
		if c.Ranged && wholeNumbers(t) {
			c.Distinct, c.Guessed = math.Max(1, math.Min(rows, c.High-c.Low+1)), false
		}
	}
	c.Distinct = math.Max(1, math.Min(c.Distinct, math.Max(rows, 1)))
	return c
}

func wholeNumbers(t types.Type) bool {
	return t.IsInteger() || t.Kind == types.Date || t.Kind == types.Bool
}

// Number places a value on the number line, where that makes sense.
func Number(t types.Type, d types.Datum) (float64, bool) {
	if d.Null {
		return 0, false
	}
	switch t.Physical() {
	case types.PhysBool, types.PhysInt16, types.PhysInt32, types.PhysInt64:
		v := float64(d.I64)
		if t.Kind == types.Decimal {
			v /= math.Pow10(int(t.Scale))
		}
		return v, true
	case types.PhysInt128:
		if t.Kind == types.Decimal {
			return d.I128.Float64() / math.Pow10(int(t.Scale)), true
		}
	case types.PhysFloat32, types.PhysFloat64:
		return d.F64, !math.IsNaN(d.F64)
	}
	return 0, false
}

// Column gives what is expected of a column among rows rows.
func (e *Estimator) Column(id logical.ColID, rows float64) Column {
	fact, ok := e.facts[id]
	if !ok {
		fact = Column{Distinct: math.Max(1, rows/10), Guessed: true}
		if e.columns.Info(id).Type.Kind == types.Bool {
			fact.Distinct, fact.Guessed = 2, false
		}
	}
	fact.Distinct = math.Max(1, math.Min(fact.Distinct, math.Max(rows, 1)))
	return fact
}

// KeyDistinct gives, for columns that a join makes equal, how many different values of each lie where
// the ranges of all overlap. rows are those of the columns' relations. A filter on a relation is taken
// to choose among these values: of a calendar of two centuries joined to five years of sales, the
// months that somebody asks for are among the five years.
func (e *Estimator) KeyDistinct(ids []logical.ColID, rows []float64) []float64 {
	low, high, ranged := math.Inf(-1), math.Inf(1), true
	for _, id := range ids {
		f := e.facts[id]
		ranged = ranged && f.Ranged
		low, high = math.Max(low, f.Low), math.Min(high, f.High)
	}
	out := make([]float64, len(ids))
	for i, id := range ids {
		f, known := e.facts[id]
		if !known {
			out[i] = e.Column(id, rows[i]).Distinct
			continue
		}
		out[i] = f.Distinct
		if ranged && low <= high {
			out[i] *= math.Min(1, (high-low+1)/(f.High-f.Low+1))
		}
		out[i] = math.Max(1, out[i])
	}
	return out
}

// Measured tells whether the statistics bound the number of a column's values.
func (e *Estimator) Measured(id logical.ColID) bool {
	f, known := e.facts[id]
	return known && !f.Guessed
}

// UniqueKey tells whether a column had, in its table, a value of its own for each row.
func (e *Estimator) UniqueKey(id logical.ColID) bool { return e.facts[id].Unique }

func (e *Estimator) project(n *logical.Project) {
	rows := e.Rows(n.Input)
	for _, c := range n.Exprs {
		if _, known := e.facts[c.ID]; known {
			continue
		}
		switch x := c.Expr.(type) {
		case *expr.Column:
			e.facts[c.ID] = e.Column(x.ID, rows)
		case *expr.Literal:
			e.facts[c.ID] = Column{Distinct: 1}
		default:
			// An expression has at most as many values as the combinations of its columns.
			distinct, guessed, columns := 1.0, false, map[logical.ColID]bool{}
			expr.Columns(c.Expr, columns)
			for id := range columns {
				fact := e.Column(id, rows)
				distinct, guessed = distinct*fact.Distinct, guessed || fact.Guessed
			}
			if cast, ok := x.(*expr.Cast); ok {
				if col, ok := cast.Arg.(*expr.Column); ok {
					e.facts[c.ID] = e.Column(col.ID, rows)
					continue
				}
			}
			if call, ok := x.(*expr.Call); ok {
				fewer := callDistinct(call.Name, distinct)
				distinct, guessed = math.Min(distinct, fewer), guessed || fewer < distinct
			}
			e.facts[c.ID] = Column{Distinct: math.Max(1, math.Min(distinct, rows)), Guessed: guessed}
		}
	}
}

func callDistinct(name string, distinct float64) float64 {
	switch name {
	case "extract", "date_part", "year", "month", "quarter", "day_of_week":
		return 12
	case "date_trunc":
		return math.Max(1, distinct/10)
	}
	return distinct
}

// Groups gives the expected number of distinct combinations of columns among rows rows: the product
// of distinct values, each further column counting by the root of what it adds.
func (e *Estimator) Groups(columns []logical.ColID, rows float64) float64 {
	if len(columns) == 0 {
		return 1
	}
	product := 1.0
	for _, id := range columns {
		product *= e.Column(id, rows).Distinct
		if product > rows {
			return math.Max(1, rows)
		}
	}
	return math.Max(1, math.Min(product, rows))
}

func (e *Estimator) aggregate(n *logical.Aggregate) float64 {
	rows := e.Rows(n.Input)
	if len(n.Sets) == 0 {
		groups := e.Groups(n.Keys, rows)
		for i, id := range n.KeyIDs {
			if id != n.Keys[i] {
				e.facts[id] = e.Column(n.Keys[i], rows)
			}
		}
		return groups
	}
	total := 0.0
	for _, set := range n.Sets {
		var keys []logical.ColID
		for _, k := range set {
			keys = append(keys, n.Keys[k])
		}
		total += e.Groups(keys, rows)
	}
	return total
}

func (e *Estimator) setOperation(n *logical.SetOperation) float64 {
	total := 0.0
	for i, in := range n.In {
		rows := e.Rows(in)
		e.unite(n, i, rows)
		switch {
		case n.Kind == logical.Union:
			total += rows
		case i == 0 || n.Kind == logical.Intersect && rows < total:
			total = rows
		}
	}
	return total
}

// unite takes what is known of an arm's columns, of which there are rows, into those of the result.
func (e *Estimator) unite(n *logical.SetOperation, arm int, rows float64) {
	if arm > 0 && rows <= 1 {
		return // a row of constants says nothing of ranges
	}
	for i, id := range n.IDs {
		fact := e.Column(n.Arms[arm][i], rows)
		fact.Unique = false
		if known, ok := e.facts[id]; ok && arm > 0 {
			fact.Distinct = math.Max(known.Distinct, fact.Distinct)
			fact.Guessed = fact.Guessed || known.Guessed
			fact.Ranged = fact.Ranged && known.Ranged
			fact.Low, fact.High = math.Min(fact.Low, known.Low), math.Max(fact.High, known.High)
		}
		e.facts[id] = fact
	}
}

// Unique tells whether columns surely identify the rows of n: they contain the keys of an aggregation
// or the like, which no join has multiplied.
func (e *Estimator) Unique(n logical.Node, columns []logical.ColID) bool { return Unique(n, columns) }

// Unique is Estimator.Unique: it needs no statistics.
func Unique(n logical.Node, columns []logical.ColID) bool {
	set := map[logical.ColID]bool{}
	for _, c := range columns {
		set[c] = true
	}
	return unique(n, set)
}

func unique(n logical.Node, set map[logical.ColID]bool) bool {
	switch n := n.(type) {
	case *logical.Aggregate:
		if len(n.Sets) > 0 || n.Phase.GivesStates() { // every process gives its own groups
			return false
		}
		for _, k := range n.KeyIDs {
			if !set[k] {
				return false
			}
		}
		return true
	case *logical.DistinctOn:
		for _, k := range n.Keys {
			if !set[k] {
				return false
			}
		}
		return true
	case *logical.Filter, *logical.Sort, *logical.Limit, *logical.TopN, *logical.Window:
		return unique(n.Inputs()[0], set)
	case *logical.Project:
		below := map[logical.ColID]bool{}
		for _, c := range n.Exprs {
			if col, ok := c.Expr.(*expr.Column); ok && set[c.ID] {
				below[col.ID] = true
			}
		}
		return unique(n.Input, below)
	case *logical.Join:
		switch n.Kind {
		case plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark, plan.Single:
			return unique(n.Left, set)
		}
	case *logical.SetOperation:
		if n.All {
			return false
		}
		for _, id := range n.IDs {
			if !set[id] {
				return false
			}
		}
		return true
	}
	return false
}
