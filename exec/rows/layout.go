package rows

import (
	"github.com/tarnlake/tarn/internal/types"
)

// Layout says where the columns of a row lie.
type Layout struct {
	Types   []types.Type
	Offsets []int32
	Width   int // bytes a row, a multiple of 8
	nullAt  int // offset of the null bits, column c at bit c
	kinds   []slotKind
}

// slotKind is how a column is stored.
type slotKind uint8

const (
	slotNone slotKind = iota // always NULL
	slot1
	slot2
	slot4
	slot8
	slot16
	slotString
	slotNested // a serialized value, held as a string
)

func (k slotKind) width() int {
	return [...]int{0, 1, 2, 4, 8, 16, 16, 16}[k]
}

func slotOf(t types.Type) slotKind {
	switch p := t.Physical(); p {
	case types.PhysString:
		return slotString
	case types.PhysList, types.PhysRow:
		return slotNested
	default:
		switch p.Width() {
		case 1:
			return slot1
		case 2:
			return slot2
		case 4:
			return slot4
		case 8:
			return slot8
		case 16:
			return slot16
		}
	}
	return slotNone
}

// NewLayout places the columns, widest first.
func NewLayout(columns []types.Type) *Layout {
	l := &Layout{Types: columns, Offsets: make([]int32, len(columns)), kinds: make([]slotKind, len(columns))}
	at := 0
	for _, width := range [...]int{16, 8, 4, 2, 1} {
		for c, t := range columns {
			if l.kinds[c] = slotOf(t); l.kinds[c].width() == width {
				l.Offsets[c] = int32(at)
				at += width
			}
		}
	}
	l.nullAt = at
	at += (len(columns) + 7) / 8
	l.Width = max((at+7)&^7, 8)
	return l
}
