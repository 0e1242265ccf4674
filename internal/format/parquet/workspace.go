package parquet

// Workspace is what writers share that one goroutine uses in turn: the compressor and scratch memory,
// and what was learned of the columns, which must be the same for all of them.
type Workspace struct {
	codec    *compressor
	identity []int32
	index    []int32
	words    []uint64
	image    []byte
	packed   []byte
	columns  []columnChoice // by the stored column's ordinal
}

// columnChoice is how a column's values are stored that are in no dictionary.
type columnChoice struct {
	pages int
	plain bool
}

// choiceHolds is for how many pages a choice between encodings holds before both are tried again.
const choiceHolds = 64

// NewWorkspace makes a workspace for files of one compression.
func NewWorkspace(c Compression, level int) (*Workspace, error) {
	codec, err := newCompressor(c, level)
	if err != nil {
		return nil, err
	}
	return &Workspace{codec: codec}, nil
}

// Close releases the compressor. No writer may be using the workspace.
func (s *Workspace) Close() { s.codec.Close() }

// Memory is what the workspace holds.
func (s *Workspace) Memory() int64 {
	return int64(4*cap(s.identity)+4*cap(s.index)+8*cap(s.words)+cap(s.image)+cap(s.packed)) + s.codec.Memory()
}

// rows gives the numbers from 0 to n-1.
func (s *Workspace) rows(n int) []int32 {
	for len(s.identity) < n {
		s.identity = append(s.identity, int32(len(s.identity)))
	}
	return s.identity[:n]
}

// choice gives what is known of a column.
func (s *Workspace) choice(ordinal int) *columnChoice {
	for len(s.columns) <= ordinal {
		s.columns = append(s.columns, columnChoice{})
	}
	return &s.columns[ordinal]
}
