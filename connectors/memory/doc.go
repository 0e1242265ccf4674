// Package memory is the connector of tables that live in this process: temporary tables, and tables of tests.
//
// What a connectors.Table of this package refers to is a content: an immutable list of batches. A write never changes a
// content. Its sinks stage pieces, and Append or Replace joins pieces to a new content, which the returned Table refers
// to; the old Table stays readable until it is dropped. A transaction therefore keeps the Table it began with, and a
// rollback drops the new one.
//
//	Write ─▶ sink ─▶ piece ─▶ Fragment ─▶ Append(table, fragments) ─▶ content {piece, piece, …} ─▶ Splits ─▶ Read
//
// Bytes are reserved in the connector's pool as they are staged, and given back with the last content that holds the piece.
package memory
