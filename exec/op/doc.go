// Package op holds the streaming operators, one file each: scan, values, filter, project, limit,
// expand, unnest, write, shared sub-plans, recursion and the nested-loop join.
//
// Each file offers constructors that exec/build calls with a plan node's fields; what they return are
// pipeline Sources, Operators and Sinks. Joins, aggregation and ordering have packages of their own.
package op
