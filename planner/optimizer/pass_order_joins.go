package optimizer

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// exactRelations is the largest join graph that is ordered exactly, by dynamic programming over its
// connected subsets; larger ones are joined greedily.
const exactRelations = 12

// orderJoins reorders every tree of inner joins. Bushy trees are allowed, cross products only where
// the graph is not connected. The cost of a join is its output plus what building and probing cost.
func orderJoins(c *Context) error {
	c.Plan.Root = c.orderBelow(c.Plan.Root)
	return nil
}

func (c *Context) orderBelow(n logical.Node) logical.Node {
	if j, ok := n.(*logical.Join); ok && j.Kind == plan.Inner && !j.Dependent {
		return c.orderGraph(j)
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	out := make([]logical.Node, len(inputs))
	changed := false
	for i, in := range inputs {
		out[i] = c.orderBelow(in)
		changed = changed || out[i] != in
	}
	if !changed {
		return n
	}
	return n.WithInputs(out)
}

// joinGraph is a set of relations and the conjuncts between them.
type joinGraph struct {
	c         *Context
	estimator *estimate.Estimator
	relations []logical.Node
	rows      []float64
	of        map[logical.ColID]int // the relation of a column
	classes   []joinClass
	others    []predicate // conjuncts that are no plain column equalities
	memo      map[uint64]float64
	best      map[uint64]*joinTree
}

// joinClass is a set of columns made equal by the conjuncts.
type joinClass struct {
	members   []logical.ColID
	relations uint64
}

type predicate struct {
	expr      expr.Expr
	relations uint64
	selective float64
}

type joinTree struct {
	set         uint64
	left, right *joinTree // nil: a relation
	cost, rows  float64
}

func (c *Context) orderGraph(root *logical.Join) logical.Node {
	g := &joinGraph{c: c, of: map[logical.ColID]int{}, memo: map[uint64]float64{}, best: map[uint64]*joinTree{}}
	var conjuncts []expr.Expr
	g.collect(root, &conjuncts)
	if len(g.relations) > 64 {
		return root
	}
	for i := range g.relations {
		g.relations[i] = c.orderBelow(g.relations[i])
	}
	g.estimator = c.estimator()
	g.rows = make([]float64, len(g.relations))
	for i, r := range g.relations {
		g.rows[i] = math.Max(1, g.estimator.Rows(r))
	}
	constant := g.classify(conjuncts)
	var tree *joinTree
	if len(g.relations) <= exactRelations {
		tree = g.exact()
	} else {
		tree = g.greedy()
	}
	return c.stay(g.build(tree), constant)
}

func (g *joinGraph) collect(n logical.Node, conjuncts *[]expr.Expr) {
	if j, ok := n.(*logical.Join); ok && j.Kind == plan.Inner && !j.Dependent {
		g.collect(j.Left, conjuncts)
		g.collect(j.Right, conjuncts)
		*conjuncts = append(*conjuncts, expr.Conjuncts(j.Condition)...)
		return
	}
	for _, id := range n.Columns() {
		g.of[id] = len(g.relations)
	}
	g.relations = append(g.relations, n)
}

// classify sorts the conjuncts: equalities of columns into classes, others by the relations they
// need; those over at most one relation are returned, but for filters of one relation, applied there.
func (g *joinGraph) classify(conjuncts []expr.Expr) (constant []expr.Expr) {
	class := map[logical.ColID]int{}
	for _, p := range conjuncts {
		relations := g.relationsOf(p)
		if a, b, ok := columnEquality(p); ok && bits.OnesCount64(relations) == 2 {
			g.unite(class, a, b)
			continue
		}
		switch bits.OnesCount64(relations) {
		case 0:
			constant = append(constant, p)
		case 1:
			i := bits.TrailingZeros64(relations)
			g.relations[i] = g.c.stay(g.relations[i], []expr.Expr{p})
			g.rows[i] = math.Max(1, g.estimator.Rows(g.relations[i]))
		default:
			g.others = append(g.others, predicate{p, relations, g.selectivity(p, relations)})
		}
	}
	for _, class := range g.classes {
		g.equateInside(class)
	}
	return constant
}

// equateInside filters the relations that have several columns of a class: a join compares only one
// of each side.
func (g *joinGraph) equateInside(class joinClass) {
	first := map[int]logical.ColID{}
	for _, id := range class.members {
		i := g.of[id]
		other, twice := first[i]
		if !twice {
			first[i] = id
			continue
		}
		columns := g.c.Plan.Columns
		g.relations[i] = g.c.stay(g.relations[i], []expr.Expr{&expr.Compare{Op: expr.Equal, Left: columns.Ref(other), Right: columns.Ref(id)}})
		g.rows[i] = math.Max(1, g.estimator.Rows(g.relations[i]))
	}
}

func (g *joinGraph) selectivity(p expr.Expr, relations uint64) float64 {
	largest := 1.0
	for i := range g.relations {
		if relations>>i&1 != 0 {
			largest = math.Max(largest, g.rows[i])
		}
	}
	return g.estimator.Selectivity(p, largest)
}

func (g *joinGraph) unite(class map[logical.ColID]int, a, b logical.ColID) {
	ca, okA := class[a]
	cb, okB := class[b]
	switch {
	case okA && okB && ca == cb:
	case okA && okB:
		for _, id := range g.classes[cb].members {
			class[id] = ca
		}
		g.classes[ca].members = append(g.classes[ca].members, g.classes[cb].members...)
		g.classes[ca].relations |= g.classes[cb].relations
		g.classes[cb] = joinClass{}
	case okA:
		g.join(class, ca, b)
	case okB:
		g.join(class, cb, a)
	default:
		g.classes = append(g.classes, joinClass{})
		g.join(class, len(g.classes)-1, a)
		g.join(class, len(g.classes)-1, b)
	}
}

func (g *joinGraph) join(class map[logical.ColID]int, at int, id logical.ColID) {
	class[id] = at
	g.classes[at].members = append(g.classes[at].members, id)
	g.classes[at].relations |= 1 << g.of[id]
}

func (g *joinGraph) relationsOf(p expr.Expr) uint64 {
	var set uint64
	for id := range columnsOf(p) {
		if i, ok := g.of[id]; ok {
			set |= 1 << i
		}
	}
	return set
}

// size estimates the rows of the join of a set of relations, the same for every order.
func (g *joinGraph) size(set uint64) float64 {
	if known, ok := g.memo[set]; ok {
		return known
	}
	rows, matching := 1.0, slices.Clone(g.rows)
	pairs := map[uint64]int{}
	for _, class := range g.classes {
		shared := class.relations & set
		if bits.OnesCount64(shared) < 2 {
			continue
		}
		pairs[shared]++
		distinct := g.distinctValues(class, set, matching)
		for _, d := range distinct[1:] {
			factor := 1 / d
			if pairs[shared] > 1 {
				factor = math.Sqrt(factor) // composite keys: columns are not independent
			}
			rows *= factor
		}
	}
	for i, n := range matching {
		if set>>i&1 != 0 {
			rows *= n
		}
	}
	for _, p := range g.others {
		if p.relations&^set == 0 {
			rows *= p.selective
		}
	}
	rows = math.Max(rows, 1)
	g.memo[set] = rows
	return rows
}

// distinctValues gives each relation's distinct values of the class's column, ascending, and lowers
// matching to the rows that can have partners: of a unique column, no more than it has values.
func (g *joinGraph) distinctValues(class joinClass, set uint64, matching []float64) []float64 {
	var ids []logical.ColID
	var rows []float64
	var done uint64
	for _, id := range class.members {
		i := g.of[id]
		if set>>i&1 == 0 || done>>i&1 != 0 {
			continue
		}
		done |= 1 << i
		ids, rows = append(ids, id), append(rows, g.rows[i])
	}
	out := g.estimator.KeyDistinct(ids, rows)
	largest := slices.Max(out)
	for _, id := range ids {
		if g.estimator.UniqueKey(id) {
			i := g.of[id]
			matching[i] = math.Min(matching[i], largest)
		}
	}
	slices.Sort(out)
	return out
}

func (g *joinGraph) connected(a, b uint64) bool {
	for _, class := range g.classes {
		if class.relations&a != 0 && class.relations&b != 0 {
			return true
		}
	}
	for _, p := range g.others {
		if p.relations&a != 0 && p.relations&b != 0 && p.relations&^(a|b) == 0 {
			return true
		}
	}
	return false
}

func (g *joinGraph) leaf(i int) *joinTree {
	return &joinTree{set: 1 << i, rows: g.rows[i]}
}

// combine makes the join of two trees, the smaller side building.
func (g *joinGraph) combine(a, b *joinTree) *joinTree {
	if a.rows < b.rows {
		a, b = b, a
	}
	rows := g.size(a.set | b.set)
	cost := a.cost + b.cost + rows + a.rows + 2.5*b.rows
	if !g.connected(a.set, b.set) {
		cost += a.rows * b.rows
	}
	return &joinTree{set: a.set | b.set, left: a, right: b, cost: cost, rows: rows}
}

func (g *joinGraph) exact() *joinTree {
	all := uint64(1)<<len(g.relations) - 1
	for i := range g.relations {
		g.best[1<<i] = g.leaf(i)
	}
	for set := uint64(1); set <= all; set++ {
		if bits.OnesCount64(set) < 2 {
			continue
		}
		lowest := set & -set
		for part := (set - 1) & set; part > 0; part = (part - 1) & set {
			if part&lowest == 0 {
				continue // each split once
			}
			a, b := g.best[part], g.best[set^part]
			if a == nil || b == nil || !g.connected(part, set^part) {
				continue
			}
			if t := g.combine(a, b); g.best[set] == nil || t.cost < g.best[set].cost {
				g.best[set] = t
			}
		}
	}
	if t := g.best[all]; t != nil {
		return t
	}
	return g.merge(g.components(all))
}

// components gives the best trees of the graph's connected parts.
func (g *joinGraph) components(all uint64) []*joinTree {
	var out []*joinTree
	for rest := all; rest != 0; {
		part := rest & -rest
		for grown := true; grown; {
			grown = false
			for i := range g.relations {
				bit := uint64(1) << i
				if rest&bit != 0 && part&bit == 0 && g.best[part|bit] != nil {
					part |= bit
					grown = true
				}
			}
		}
		out = append(out, g.best[part])
		rest &^= part
	}
	return out
}

// merge joins trees by the smallest result first.
func (g *joinGraph) merge(trees []*joinTree) *joinTree {
	for len(trees) > 1 {
		bestA, bestB := 0, 1
		var chosen *joinTree
		for a := range trees {
			for b := a + 1; b < len(trees); b++ {
				linked := g.connected(trees[a].set, trees[b].set)
				if chosen != nil && !linked && g.connected(chosen.left.set, chosen.right.set) {
					continue
				}
				t := g.combine(trees[a], trees[b])
				if chosen == nil || t.rows < chosen.rows || linked && !g.connected(chosen.left.set, chosen.right.set) {
					bestA, bestB, chosen = a, b, t
				}
			}
		}
		trees[bestA] = chosen
		trees = append(trees[:bestB], trees[bestB+1:]...)
	}
	return trees[0]
}

// greedy is Fegaras' operator ordering: always the pair with the smallest result.
func (g *joinGraph) greedy() *joinTree {
	trees := make([]*joinTree, len(g.relations))
	for i := range g.relations {
		trees[i] = g.leaf(i)
	}
	return g.merge(trees)
}

// build makes the joins of a tree, each with the conjuncts that become decidable there.
func (g *joinGraph) build(t *joinTree) logical.Node {
	if t.left == nil {
		return g.relations[bits.TrailingZeros64(t.set)]
	}
	left, right := g.build(t.left), g.build(t.right)
	var conjuncts []expr.Expr
	for _, class := range g.classes {
		a, okA := g.member(class, t.left.set)
		b, okB := g.member(class, t.right.set)
		if okA && okB {
			conjuncts = append(conjuncts, &expr.Compare{Op: expr.Equal, Left: g.c.Plan.Columns.Ref(a), Right: g.c.Plan.Columns.Ref(b)})
		}
	}
	for _, p := range g.others {
		if p.relations&^t.set == 0 && p.relations&^t.left.set != 0 && p.relations&^t.right.set != 0 {
			conjuncts = append(conjuncts, p.expr)
		}
	}
	return &logical.Join{Kind: plan.Inner, Left: left, Right: right, Condition: expr.Conjoin(conjuncts)}
}

func (g *joinGraph) member(class joinClass, set uint64) (logical.ColID, bool) {
	for _, id := range class.members {
		if set>>g.of[id]&1 != 0 {
			return id, true
		}
	}
	return 0, false
}
