// Package optimizer rewrites logical plans. The whole optimizer is the ordered list in passes.go: one
// pass a file, each a function from plan to plan that can be switched off by name, is timed, and is
// followed by a verification of the plan. A pass that fails fails the query; none is ever skipped
// silently.
package optimizer
