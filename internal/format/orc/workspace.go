package orc

// Workspace is what writers share that one goroutine uses in turn: the compressor.
type Workspace struct{ codec *compressor }

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
func (s *Workspace) Memory() int64 { return s.codec.Memory() }
