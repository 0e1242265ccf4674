// Package pgwire speaks PostgreSQL's wire protocol, version 3, to clients.
//
//	server.go    accepts connections, drains
//	startup.go   TLS, protocol version, start-up message, cancel requests
//	auth.go      trust, SCRAM-SHA-256 with and without channel binding, cleartext over TLS
//	conn.go      the message loop of one connection, errors, ReadyForQuery
//	simple.go    Query: several statements in one message
//	extended.go  Parse, Bind, Describe, Execute, Close, Flush, Sync
//	encode.go    rows of vec.Batch to DataRow messages, text and binary
//	decode.go    parameters from text and binary
//	copy_*.go    COPY TO STDOUT and FROM STDIN
//	watch.go     notices a client that vanishes while its query runs
//
// One goroutine serves a connection: it reads a message, runs it against the connection's
// session.Session, and appends the answer to one output buffer that goes out when it is large, at
// Flush and at Sync. Writing blocks when the client is slow, and so does the query behind it: nothing
// is buffered beyond that. Messages are decoded with pgproto3's structs, output is our own.
package pgwire
