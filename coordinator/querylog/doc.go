// Package querylog keeps the statements that have ended: the last ones in memory, for
// system.query_log, and on disk, so that a server that starts again still knows them.
//
// Entries are lines of JSON in queries.jsonl, which becomes queries.1.jsonl when it is large. They
// are not synced: a machine that loses power may lose the last of them, and a torn line is skipped.
package querylog
