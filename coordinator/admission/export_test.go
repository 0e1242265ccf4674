package admission

import "time"

// SetClock replaces the time.
func (c *Controller) SetClock(now func() time.Time) { c.now = now }
