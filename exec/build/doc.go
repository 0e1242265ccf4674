// Package build turns a physical plan into pipelines.
//
// A flow is an unfinished pipeline whose rows still go nowhere. Streaming nodes append a stage to
// their input's flow; blocking nodes end it with a sink and start a new flow that reads what the sink
// holds; a join ends its right input's flow and appends a stage to its left one's.
package build
