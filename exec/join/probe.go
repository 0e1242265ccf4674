package join

import (
	"context"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Probe makes the stage through which the left rows go.
func (j *Join) Probe() pipeline.Operator { return &prober{j} }

type prober struct{ join *Join }

func (p *prober) New(d *pipeline.Driver) (pipeline.Transform, error) {
	if p.join.spilled.Load() {
		return p.join.newScatter(), nil
	}
	return newProbe(p.join.whole, d.Environment)
}

// Close frees nothing: the table belongs to the build's pipeline.
func (p *prober) Close() error { return nil }

// Idle tells that an empty right side makes left rows useless.
func (p *prober) Idle() bool {
	switch p.join.spec.Shape.Kind {
	case plan.Inner, plan.Semi, plan.Right, plan.RightSemi, plan.RightAnti:
		return p.join.total.Load() == 0
	}
	return false
}

// probe joins one driver's left rows with a right side.
type probe struct {
	join     *Join
	built    *built
	shape    op.JoinShape
	lookup   lookup
	residual *eval.Predicate
	used     []int // right columns that the residual reads
	given    []int // right columns that are handed on
	marks    vec.Bitmap
	groups   *rows.Groups // reader of the correlation
	pieces   *pieces      // nil: the right side is whole

	keys      []*vec.Vector
	all       []int32
	in        *vec.Batch
	list      []int32 // left rows of the batch
	active    []int32 // positions in list with a row to look at
	heads     []uint32
	rows      []int32 // of a round: left rows …
	numbers   []uint32
	byRow     []uint32 // … and the right row for each left row
	matched   vec.Bitmap
	right     []vec.Vector
	gathered  []vec.Vector
	candidate vec.Batch
	out       vec.Batch
}

func newProbe(b *built, e *pipeline.Environment) (*probe, error) {
	j := b.join
	p := &probe{join: j, built: b, shape: j.spec.Shape, lookup: lookup{table: b.table},
		given: j.spec.Shape.RightColumns(), right: make([]vec.Vector, len(j.spec.Shape.Right)),
		gathered: make([]vec.Vector, len(j.spec.Shape.Left)), keys: make([]*vec.Vector, len(j.spec.LeftKeys))}
	if b.correlated != nil {
		p.groups = b.correlated.groups.Reader()
	}
	if j.spec.Residual == nil {
		return p, nil
	}
	var err error
	if p.residual, err = eval.CompilePredicate(j.spec.Residual, p.shape.Both(), e.Expressions()); err != nil {
		return nil, err
	}
	p.used = columnsOf(j.spec.Residual, len(p.shape.Left), len(p.shape.Right))
	return p, nil
}

func (p *probe) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	p.start(in)
	for round := 0; len(p.active) > 0; round++ {
		if round&63 == 63 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := p.round(emit); err != nil {
			return err
		}
	}
	return p.leftRows(emit)
}

// round looks at one right row for each left row that has one left to look at.
func (p *probe) round(emit pipeline.Emit) error {
	p.rows, p.numbers = p.rows[:0], p.numbers[:0]
	for _, i := range p.active {
		p.rows = append(p.rows, p.list[i])
		p.numbers = append(p.numbers, p.heads[i])
	}
	if p.residual != nil {
		if err := p.filter(); err != nil {
			return err
		}
	}
	if err := p.matches(emit); err != nil {
		return err
	}
	p.advance()
	return nil
}

// start looks up the batch's keys.
func (p *probe) start(in *vec.Batch) {
	p.in = in
	p.list = in.Sel
	if p.list == nil {
		for i := len(p.all); i < in.Len; i++ {
			p.all = append(p.all, int32(i))
		}
		p.list = p.all[:in.Len]
	}
	if p.shape.MarksRight() && p.marks == nil {
		p.marks = p.built.matches.New(int(p.built.store.Limit()))
	}
	if words := vec.BitmapWords(max(in.Len, 1)); cap(p.matched) < words {
		p.matched = make(vec.Bitmap, words)
	} else {
		p.matched = p.matched[:words]
		clear(p.matched)
	}
	for k, c := range p.join.spec.LeftKeys {
		p.keys[k] = &in.Cols[c]
	}
	p.active, p.heads = p.lookup.find(p.keys, p.list)
	if p.pieces != nil {
		p.pieces.recall(in.Len, p.matched)
		p.drop()
	}
}

// filter keeps the pairs of the round that pass the residual.
func (p *probe) filter() error {
	if cap(p.byRow) < p.in.Len {
		p.byRow = make([]uint32, p.in.Len)
	}
	p.byRow = p.byRow[:p.in.Len]
	for i, r := range p.rows {
		p.byRow[r] = p.numbers[i]
	}
	for _, c := range p.used {
		p.built.store.GatherAt(p.join.column[c], p.numbers, p.rows, p.in.Len, &p.right[c])
	}
	p.candidate.Cols = append(append(p.candidate.Cols[:0], p.in.Cols...), p.right...)
	p.candidate.Len, p.candidate.Sel = p.in.Len, p.rows
	passed, err := p.residual.Select(&p.candidate, p.rows)
	if err != nil {
		return err
	}
	p.rows = append(p.rows[:0], passed...)
	p.numbers = p.numbers[:0]
	for _, r := range p.rows {
		p.numbers = append(p.numbers, p.byRow[r])
	}
	return nil
}

// matches notes and emits the pairs of a round, in which every left row occurs at most once.
func (p *probe) matches(emit pipeline.Emit) error {
	if len(p.rows) == 0 {
		return nil
	}
	if p.marks != nil {
		for _, n := range p.numbers {
			p.marks.Set(int(n))
		}
	}
	switch p.shape.Kind {
	case plan.Inner, plan.Right, plan.RightSemi, plan.RightAnti:
	case plan.Single:
		for _, r := range p.rows {
			if p.matched.Get(int(r)) {
				return sqlerr.New(sqlerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
			}
			p.matched.Set(int(r))
		}
	default:
		for _, r := range p.rows {
			p.matched.Set(int(r))
		}
	}
	if !p.shape.Pairs() {
		return nil
	}
	return p.emitPairs(emit)
}

// emitPairs hands on the round's pairs: under a selection of the left batch when most of it is
// selected, else gathered.
func (p *probe) emitPairs(emit pipeline.Emit) error {
	dense := len(p.rows)*4 >= p.in.Len
	left := p.in.Cols
	if dense {
		p.out.Len, p.out.Sel = p.in.Len, p.rows
		if len(p.rows) == p.in.Len {
			p.out.Sel = nil
		}
		for _, c := range p.given {
			p.built.store.GatherAt(p.join.column[c], p.numbers, p.rows, p.in.Len, &p.right[c])
		}
	} else {
		p.out.Len, p.out.Sel = len(p.rows), nil
		for _, o := range p.shape.Output {
			if o < len(p.shape.Left) {
				vec.Gather(&p.gathered[o], &p.in.Cols[o], p.rows)
			}
		}
		left = p.gathered
		for _, c := range p.given {
			p.built.store.Gather(p.join.column[c], p.numbers, &p.right[c])
		}
	}
	p.shape.Assemble(&p.out, left, p.right, nil)
	return emit(&p.out)
}

// advance goes to the next row of each chain.
func (p *probe) advance() {
	chain := p.built.table.chain
	if chain == nil {
		p.active = p.active[:0]
		return
	}
	for _, i := range p.active {
		p.heads[i] = chain[p.heads[i]]
	}
	p.drop()
}

// drop takes out left rows without a row to look at, or whose fate is decided.
func (p *probe) drop() {
	decided := false
	switch p.shape.Kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark:
		decided = true
	}
	n := 0
	for _, i := range p.active {
		p.active[n] = i
		if p.heads[i] != 0 && !(decided && p.matched.Get(int(p.list[i]))) {
			n++
		}
	}
	p.active = p.active[:n]
}

// leftRows emits what the kind gives for left rows once their matches are known.
func (p *probe) leftRows(emit pipeline.Emit) error {
	var mark *vec.Vector
	var unknown vec.Bitmap
	if p.join.nullAware() {
		unknown = p.unknown()
	}
	if p.pieces != nil {
		p.pieces.note(p.in.Len, p.matched, unknown)
		if !p.pieces.last {
			return nil
		}
	}
	switch p.shape.Kind {
	case plan.Inner, plan.Right, plan.RightSemi, plan.RightAnti:
		return nil
	case plan.Mark:
		p.rows = append(p.rows[:0], p.list...)
		mark = p.mark(unknown)
	case plan.Semi:
		p.keep(true)
	case plan.NullAwareAnti:
		p.keep(false)
		p.dropUnknown(unknown)
	default:
		p.keep(false)
	}
	if len(p.rows) == 0 {
		return nil
	}
	var right []vec.Vector
	if p.shape.Pairs() {
		right = op.Nulls(p.shape.Right, p.in.Len)
	}
	p.shape.Assemble(&p.out, p.in.Cols, right, mark)
	p.out.Len, p.out.Sel = p.in.Len, p.rows
	if len(p.rows) == p.in.Len {
		p.out.Sel = nil
	}
	return emit(&p.out)
}

// keep lists the left rows that found a match, or that found none.
func (p *probe) keep(matched bool) {
	p.rows = p.rows[:0]
	for _, r := range p.list {
		if p.matched.Get(int(r)) == matched {
			p.rows = append(p.rows, r)
		}
	}
}

// mark computes the value of IN or EXISTS for each left row.
func (p *probe) mark(unknown vec.Bitmap) *vec.Vector {
	mark := vec.NewFlat(types.Of(types.Bool), p.in.Len)
	values := vec.Values[uint8](mark)
	for _, r := range p.list {
		switch {
		case p.matched.Get(int(r)):
			values[r] = 1
		case unknown != nil && unknown.Get(int(r)):
			mark.SetNull(int(r))
		}
	}
	return mark
}

func (p *probe) dropUnknown(unknown vec.Bitmap) {
	kept := p.rows[:0]
	for _, r := range p.rows {
		if !unknown.Get(int(r)) {
			kept = append(kept, r)
		}
	}
	p.rows = kept
}

// unknown tells for left rows without a match whether comparing with NULL leaves the answer open:
// there are right rows to compare with, and the left key or one of theirs is NULL.
func (p *probe) unknown() vec.Bitmap {
	unknown := make(vec.Bitmap, vec.BitmapWords(max(p.in.Len, 1)))
	if p.join.total.Load() == 0 {
		return unknown
	}
	var groups []int32
	if p.groups != nil {
		groups = make([]int32, len(p.list))
		keys := make([]*vec.Vector, len(p.built.correlated.keys))
		for i, k := range p.built.correlated.keys {
			keys[i] = p.keys[k]
		}
		p.groups.Lookup(keys, p.list, groups)
	}
	for i, r := range p.list {
		null := p.join.nullKey.Load()
		if groups != nil {
			if groups[i] < 0 {
				continue
			}
			null = p.built.correlated.null[groups[i]]
		}
		for k, v := range p.keys {
			null = null || !p.join.spec.NullEqual[k] && v.IsNull(int(r))
		}
		if null {
			unknown.Set(int(r))
		}
	}
	return unknown
}

// Finish has nothing to add: all rows of a batch are emitted with it.
func (p *probe) Finish(context.Context, pipeline.Emit) error { return nil }

// Close frees nothing.
func (p *probe) Close() error { return nil }
