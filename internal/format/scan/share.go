package scan

// Share is a run of parts of a file that was cut into Parts parts of as many rows each: Span of them (0 is one) from
// Part on. The zero value is the whole file.
type Share struct {
	Part  int `json:",omitempty"`
	Span  int `json:",omitempty"`
	Parts int `json:",omitempty"`
}

// Holds tells whether a run of the file's rows (a row group, a stripe) that begins at first belongs to the share: each
// run belongs to the part that its middle row is in.
func (s Share) Holds(first, rows, total int64) bool {
	if s.Parts <= 1 {
		return true
	}
	part := min(int((first+rows/2)*int64(s.Parts)/max(total, 1)), s.Parts-1)
	return s.Part <= part && part < s.Part+max(s.Span, 1)
}
