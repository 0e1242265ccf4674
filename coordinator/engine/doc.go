// Package engine runs statements for sessions: it binds, optimizes, plans and executes queries and
// writes, and hands every other statement to coordinator/statement. It joins the planner, the
// catalog and the runner of fragments, none of which know each other.
package engine
