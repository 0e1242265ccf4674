package exchange

// signal wakes all that wait for a change. Its methods are called under the lock that guards what changes.
type signal struct{ changed chan struct{} }

// wait gives what is closed by the next change.
func (s *signal) wait() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// wake announces a change.
func (s *signal) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
