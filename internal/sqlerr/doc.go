// Package sqlerr is the one error type that reaches a user.
//
// An Error carries what a PostgreSQL client shows: SQLSTATE, message (PostgreSQL's wording, lower
// case, no full stop), detail, hint and the position in the user's SQL. Any other error that
// reaches the wire is an internal defect and is reported as XX000.
//
// Codes combine by one rule: the inner code wins unless the outer one is of class XX. Never match
// on message text; use CodeOf.
package sqlerr
