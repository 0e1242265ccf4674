// Package session holds what a connected client owns: its settings, its transaction, its prepared
// statements and its portals.
//
//	pgwire ─▶ Session ─▶ Engine (plan, execute, transactions)
//	             │
//	          Manager: every session of this process, by backend pid: limits, cancel, progress
//
// A Session belongs to one goroutine, the connection's; only Manager's methods and the Progress
// counters may be used by others. The Session answers by itself what concerns the session alone
// (SET, SHOW, BEGIN, PREPARE, DECLARE, FETCH, DISCARD …) and asks the Engine, an interface declared
// here by its consumer, for everything else.
//
// A statement's way: Parse gives trees, Prepare a *Statement (parameter types and columns known),
// Bind a *Portal (parameter values known), Portal.Next its rows, Portal.Finish its command tag.
// Every statement runs inside a transaction: the block that BEGIN opened, or an implicit one that
// the Session opens and EndImplicit ends, at the end of a simple query message or at Sync.
package session
