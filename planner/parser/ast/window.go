package ast

// WindowSpec is what follows OVER: a bare name sets Ref only and NameOnly; otherwise Ref is the
// window that the specification copies, "" for none.
type WindowSpec struct {
	Pos
	NameOnly    bool
	Ref         string
	PartitionBy []Expr
	OrderBy     []SortItem
	Frame       *Frame // nil for the default
}

// FrameUnit is how a frame counts.
type FrameUnit uint8

// The units.
const (
	FrameRows FrameUnit = iota
	FrameRange
	FrameGroups
)

// BoundKind is one end of a frame.
type BoundKind uint8

// The ends.
const (
	UnboundedPreceding BoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// FrameBound is one end of a frame; Offset is set for the Offset kinds.
type FrameBound struct {
	Kind   BoundKind
	Offset Expr
}

// FrameExclusion is the EXCLUDE clause.
type FrameExclusion uint8

// The exclusions; ExcludeNone is EXCLUDE NO OTHERS too.
const (
	ExcludeNone FrameExclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// Frame is ROWS | RANGE | GROUPS BETWEEN start AND end.
type Frame struct {
	Pos
	Unit       FrameUnit
	Start, End FrameBound
	Exclude    FrameExclusion
}
