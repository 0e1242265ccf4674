// Package pipeline runs a query's operators: pull from a source, push through transforms, end in a sink.
//
//	branch: Source ─▶ stage ─▶ stage ─┐
//	branch: Source ─▶ stage ──────────┴▶ stage ─▶ Sink      × N drivers
//
// A Pipeline is a tree of stages that all lead to one Sink. Its Sources hand out work (splits,
// batches, partitions) to N drivers, one goroutine each; every driver has its own instance of each
// Transform and its own LocalSink, so that no operator locks per batch. A pipeline starts when those
// that it comes After have finished: a join's build before its probe, a sort's input before its output.
//
// Drivers check the context and offer their CPU slot at every batch edge, recover panics into XX000
// errors of the one query, and count rows, batches and time per plan node.
package pipeline
