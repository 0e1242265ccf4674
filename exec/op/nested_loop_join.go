package op

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NestedLoopJoin compares every left row with every materialized right row, a vector of pairs at a
// time: the shorter side of two batches is taken row by row as constants.
type NestedLoopJoin struct {
	shape     JoinShape
	condition expr.Expr
	nullAware bool // of Mark: a condition that is NULL makes the mark NULL
	right     *Materialize
	matches   Matches
}

// NewNestedLoopJoin makes the operator of the left rows; the right side must be finished when it runs.
func NewNestedLoopJoin(shape JoinShape, condition expr.Expr, nullAware bool, right *Materialize) *NestedLoopJoin {
	return &NestedLoopJoin{shape: shape, condition: condition, nullAware: nullAware, right: right}
}

// New makes a driver's transform.
func (j *NestedLoopJoin) New(d *pipeline.Driver) (pipeline.Transform, error) {
	t := &nestedLoop{join: j, shape: j.shape, buffer: j.right.Buffer()}
	if j.condition != nil {
		both := j.shape.Both()
		var err error
		if t.condition, err = eval.CompilePredicate(j.condition, both, d.Environment.Expressions()); err != nil {
			return nil, err
		}
		if j.shape.Kind == plan.Mark && j.nullAware || j.shape.Kind == plan.NullAwareAnti {
			t.unknown, err = eval.CompilePredicate(&expr.IsNull{Arg: j.condition}, both, d.Environment.Expressions())
			if err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// Close frees nothing: the right side belongs to its own pipeline.
func (j *NestedLoopJoin) Close() error { return nil }

// Idle tells that an empty right side makes left rows useless.
func (j *NestedLoopJoin) Idle() bool {
	switch j.shape.Kind {
	case plan.Inner, plan.Semi, plan.Right, plan.RightSemi, plan.RightAnti:
		return j.right.Rows() == 0
	}
	return false
}

// nestedLoop is one driver's instance.
type nestedLoop struct {
	stateless
	join      *NestedLoopJoin
	shape     JoinShape
	buffer    *spill.Buffer
	condition *eval.Predicate // nil: every pair matches
	unknown   *eval.Predicate // pairs for which the condition is NULL
	marks     vec.Bitmap      // right rows that matched

	active     []int32 // left rows still to be compared
	leftMatch  vec.Bitmap
	leftNull   vec.Bitmap
	all        []int32
	candidates vec.Batch
	out        vec.Batch
	scratch    vec.Batch
}

func (t *nestedLoop) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	if t.shape.MarksRight() && t.marks == nil {
		t.marks = t.join.matches.New(int(t.buffer.Rows()))
	}
	t.all = sequence(t.all, in.Len)
	if in.Sel != nil {
		t.active = append(t.active[:0], in.Sel...)
	} else {
		t.active = append(t.active[:0], t.all[:in.Len]...)
	}
	words := vec.BitmapWords(max(in.Len, 1))
	t.leftMatch = append(t.leftMatch[:0], make(vec.Bitmap, words)...)
	t.leftNull = append(t.leftNull[:0], make(vec.Bitmap, words)...)
	first := 0
	for i := 0; i < t.buffer.Len() && len(t.active) > 0; i++ {
		right, err := t.buffer.Batch(i, &t.scratch)
		if err != nil {
			return err
		}
		if err := t.compare(ctx, in, right, first, emit); err != nil {
			return err
		}
		first += right.Len
	}
	return t.leftRows(in, emit)
}

// compare joins the active left rows with one right batch whose first row has number first.
func (t *nestedLoop) compare(ctx context.Context, in, right *vec.Batch, first int, emit pipeline.Emit) error {
	byRight := right.Len <= len(t.active)
	n := right.Len
	if !byRight {
		n = len(t.active)
	}
	rows := append([]int32(nil), t.active...)
	for i := range n {
		if i&15 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if byRight {
			err = t.oneRight(in, right, i, first, emit)
		} else {
			err = t.oneLeft(in, right, rows[i], first, emit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// oneRight compares all active left rows with right row number row.
func (t *nestedLoop) oneRight(in, right *vec.Batch, row, first int, emit pipeline.Emit) error {
	if len(t.active) == 0 {
		return nil
	}
	t.pair(in.Len, in.Cols, nil, right.Cols, []int32{int32(row)})
	t.candidates.Sel = t.active
	if t.unknown != nil {
		nulls, err := t.unknown.Select(&t.candidates, t.candidates.Sel)
		if err != nil {
			return err
		}
		for _, r := range nulls {
			t.leftNull.Set(int(r))
		}
	}
	selected, err := t.selectPairs(t.condition)
	if err != nil {
		return err
	}
	if len(selected) == 0 {
		return nil
	}
	if t.marks != nil {
		t.marks.Set(first + row)
	}
	for _, r := range selected {
		if t.shape.Kind == plan.Single && t.leftMatch.Get(int(r)) {
			return moreThanOne()
		}
		t.leftMatch.Set(int(r))
	}
	if err := t.emitPairs(selected, emit); err != nil {
		return err
	}
	t.dropMatched()
	return nil
}

// oneLeft compares left row number row with all rows of the right batch.
func (t *nestedLoop) oneLeft(in, right *vec.Batch, row int32, first int, emit pipeline.Emit) error {
	t.pair(right.Len, in.Cols, []int32{row}, right.Cols, nil)
	t.candidates.Sel = nil
	if t.unknown != nil {
		nulls, err := t.unknown.Select(&t.candidates, t.candidates.Sel)
		if err != nil {
			return err
		}
		if len(nulls) > 0 {
			t.leftNull.Set(int(row))
		}
	}
	selected, err := t.selectPairs(t.condition)
	if err != nil || len(selected) == 0 {
		return err
	}
	if t.shape.Kind == plan.Single && (len(selected) > 1 || t.leftMatch.Get(int(row))) {
		return moreThanOne()
	}
	t.leftMatch.Set(int(row))
	if t.marks != nil {
		for _, r := range selected {
			t.marks.Set(first + int(r))
		}
	}
	if err := t.emitPairs(selected, emit); err != nil {
		return err
	}
	t.dropMatched()
	return nil
}

func moreThanOne() error {
	return sqlerr.New(sqlerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
}

// pair makes the candidate batch of n pairs; a side with a list of one row is constant.
func (t *nestedLoop) pair(n int, left []vec.Vector, leftRow []int32, right []vec.Vector, rightRow []int32) {
	t.candidates.Len = n
	if t.candidates.Cols == nil {
		t.candidates.Cols = make([]vec.Vector, len(left)+len(right))
	}
	side(t.candidates.Cols[:len(left)], left, leftRow, n)
	side(t.candidates.Cols[len(left):], right, rightRow, n)
}

func side(dst, src []vec.Vector, row []int32, n int) {
	for c := range src {
		if row == nil {
			dst[c].Alias(&src[c])
			continue
		}
		ConstantAt(&dst[c], &src[c], row, n)
	}
}

// ConstantAt makes dst the value of src's row as a constant of n rows.
func ConstantAt(dst, src *vec.Vector, row []int32, n int) {
	var one, flat vec.Vector
	vec.Gather(&one, src, row[:1])
	if one.Enc == vec.Dict {
		vec.Flatten(&flat, &one)
		one = flat
	}
	dst.Alias(&one)
	dst.Enc, dst.Len = vec.Const, n
}

// selectPairs gives the candidates that pass, all for want of a predicate.
func (t *nestedLoop) selectPairs(p *eval.Predicate) ([]int32, error) {
	switch {
	case p != nil:
		return p.Select(&t.candidates, t.candidates.Sel)
	case t.candidates.Sel != nil:
		return t.candidates.Sel, nil
	}
	t.all = sequence(t.all, t.candidates.Len)
	return t.all[:t.candidates.Len], nil
}

func (t *nestedLoop) emitPairs(selected []int32, emit pipeline.Emit) error {
	if !t.shape.Pairs() {
		return nil
	}
	split := len(t.shape.Left)
	t.shape.Assemble(&t.out, t.candidates.Cols[:split], t.candidates.Cols[split:], nil)
	t.out.Len, t.out.Sel = t.candidates.Len, selected
	return emit(&t.out)
}

// dropMatched ends the comparing of left rows whose fate is decided.
func (t *nestedLoop) dropMatched() {
	switch t.shape.Kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark:
	default:
		return
	}
	kept := t.active[:0]
	for _, r := range t.active {
		if !t.leftMatch.Get(int(r)) {
			kept = append(kept, r)
		}
	}
	t.active = kept
}

// leftRows emits what the kind gives for left rows after all pairs.
func (t *nestedLoop) leftRows(in *vec.Batch, emit pipeline.Emit) error {
	list := in.Sel
	if list == nil {
		list = t.all[:in.Len]
	}
	var selected []int32
	for _, r := range list {
		matched, null := t.leftMatch.Get(int(r)), t.leftNull.Get(int(r))
		keep := false
		switch t.shape.Kind {
		case plan.Left, plan.Full, plan.Single, plan.Anti:
			keep = !matched
		case plan.Semi:
			keep = matched
		case plan.NullAwareAnti:
			keep = !matched && !null
		case plan.Mark:
			keep = true
		}
		if keep {
			selected = append(selected, r)
		}
	}
	if len(selected) == 0 {
		return nil
	}
	var mark *vec.Vector
	var right []vec.Vector
	if t.shape.Kind == plan.Mark {
		mark = t.markColumn(in.Len, list)
	} else if t.shape.Pairs() {
		right = Nulls(t.shape.Right, in.Len)
	}
	t.shape.Assemble(&t.out, in.Cols, right, mark)
	t.out.Len, t.out.Sel = in.Len, selected
	return emit(&t.out)
}

func (t *nestedLoop) markColumn(n int, list []int32) *vec.Vector {
	mark := vec.NewFlat(types.Of(types.Bool), n)
	for _, r := range list {
		switch {
		case t.leftMatch.Get(int(r)):
			vec.Values[uint8](mark)[r] = 1
		case t.leftNull.Get(int(r)):
			mark.SetNull(int(r))
		}
	}
	return mark
}

// RightRows gives what the join's kind gives for right rows, once all drivers have compared.
func (j *NestedLoopJoin) RightRows() pipeline.Source { return &rightRows{join: j} }

type rightRows struct {
	join *NestedLoopJoin
	next atomic.Int64
}

func (s *rightRows) Open(context.Context, *pipeline.Driver) (vec.Source, error) {
	buffer := s.join.right.Buffer()
	return &rightRowStream{source: s, buffer: buffer, marks: s.join.matches.All(int(buffer.Rows()))}, nil
}

func (s *rightRows) Close() error { return nil }

type rightRowStream struct {
	source  *rightRows
	buffer  *spill.Buffer
	marks   vec.Bitmap
	scratch vec.Batch
	out     vec.Batch
	batch   int
	first   int
}

func (r *rightRowStream) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		at := int(r.source.next.Add(1)) - 1
		if at >= r.buffer.Len() {
			return nil, nil
		}
		for ; r.batch < at; r.batch++ {
			r.first += r.buffer.BatchRows(r.batch)
		}
		b, err := r.buffer.Batch(at, &r.scratch)
		if err != nil {
			return nil, err
		}
		wanted := r.source.join.shape.Kind == plan.RightSemi
		selected := []int32{}
		for i := range b.Len {
			if r.marks.Get(r.first+i) == wanted {
				selected = append(selected, int32(i))
			}
		}
		if len(selected) == 0 {
			continue
		}
		shape := r.source.join.shape
		shape.Assemble(&r.out, Nulls(shape.Left, b.Len), b.Cols, nil)
		r.out.Len, r.out.Sel = b.Len, selected
		return &r.out, nil
	}
}

func (r *rightRowStream) Close() error { return nil }
