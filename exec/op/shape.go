package op

import (
	"sync"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// JoinShape says which columns a join hands on. Its ordinals number left columns, right columns and
// then the mark.
type JoinShape struct {
	Kind        plan.JoinKind
	Left, Right []types.Type
	Output      []int // never nil
}

// NewJoinShape makes the shape; a nil output means all that the kind gives.
func NewJoinShape(kind plan.JoinKind, left, right []types.Type, output []int) JoinShape {
	s := JoinShape{Kind: kind, Left: left, Right: right, Output: output}
	if output != nil {
		return s
	}
	s.Output = []int{}
	if kind != plan.RightSemi && kind != plan.RightAnti {
		for i := range left {
			s.Output = append(s.Output, i)
		}
	}
	switch kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti:
	case plan.Mark:
		s.Output = append(s.Output, len(left)+len(right))
	default:
		for i := range right {
			s.Output = append(s.Output, len(left)+i)
		}
	}
	return s
}

// Both gives the types of the left columns followed by the right ones: what conditions see.
func (s JoinShape) Both() []types.Type {
	return append(append(make([]types.Type, 0, len(s.Left)+len(s.Right)), s.Left...), s.Right...)
}

// RightColumns lists the right columns that are handed on, without repetition.
func (s JoinShape) RightColumns() []int {
	var list []int
	seen := map[int]bool{}
	for _, o := range s.Output {
		if c := o - len(s.Left); c >= 0 && c < len(s.Right) && !seen[c] {
			seen[c] = true
			list = append(list, c)
		}
	}
	return list
}

// KeepsLeft tells whether left rows without a match are handed on, with NULLs on the right.
func (s JoinShape) KeepsLeft() bool {
	return s.Kind == plan.Left || s.Kind == plan.Full || s.Kind == plan.Single
}

// MarksRight tells whether the join must know which right rows found a match.
func (s JoinShape) MarksRight() bool {
	switch s.Kind {
	case plan.Right, plan.Full, plan.RightSemi, plan.RightAnti:
		return true
	}
	return false
}

// Pairs tells whether pairs of matching rows are handed on.
func (s JoinShape) Pairs() bool {
	switch s.Kind {
	case plan.Inner, plan.Left, plan.Right, plan.Full, plan.Single:
		return true
	}
	return false
}

// Assemble fills out with the output columns; left, right and mark are what the ordinals refer to.
// Sides that the output does not mention may be nil.
func (s JoinShape) Assemble(out *vec.Batch, left, right []vec.Vector, mark *vec.Vector) {
	if cap(out.Cols) < len(s.Output) {
		out.Cols = make([]vec.Vector, len(s.Output))
	}
	out.Cols = out.Cols[:len(s.Output)]
	for i, o := range s.Output {
		switch {
		case o < len(s.Left):
			out.Cols[i].Alias(&left[o])
		case o < len(s.Left)+len(s.Right):
			out.Cols[i].Alias(&right[o-len(s.Left)])
		default:
			out.Cols[i].Alias(mark)
		}
	}
}

// Nulls gives n rows of NULL in each of the columns.
func Nulls(columns []types.Type, n int) []vec.Vector {
	out := make([]vec.Vector, len(columns))
	for i, t := range columns {
		out[i] = *vec.NewConst(t, types.NullDatum(), n)
	}
	return out
}

// Matches collects which right rows found a match. Every driver marks a bitmap of its own.
type Matches struct {
	mu    sync.Mutex
	parts []vec.Bitmap
}

// New gives a driver's bitmap of n rows.
func (m *Matches) New(n int) vec.Bitmap {
	part := make(vec.Bitmap, vec.BitmapWords(max(n, 1)))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts = append(m.parts, part)
	return part
}

// All joins the drivers' bitmaps of n rows, once all drivers are done. It is nil when no driver made one.
func (m *Matches) All(n int) vec.Bitmap {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.parts) > 1 {
		for _, part := range m.parts[1:] {
			for i, w := range part {
				m.parts[0][i] |= w
			}
		}
		m.parts = m.parts[:1]
	}
	if len(m.parts) == 0 {
		m.parts = append(m.parts, make(vec.Bitmap, vec.BitmapWords(max(n, 1))))
	}
	return m.parts[0]
}
