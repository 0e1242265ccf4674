// Package schedule runs queries of several fragments on a cluster.
//
//	fragments ─▶ tasks: one on every worker, Single ones on this node ─▶ start ─▶ watch ─▶ release
//	scans     ─▶ one queue of splits each, from which the workers pull
//
// The root fragment runs in this process and pulls everything else. Each worker is watched by a long
// poll, which is also how workers know that their coordinator lives. The first error ends the query
// everywhere. A worker that does not answer is lost: the query fails with 08006, or is run once more
// on the others if it writes nothing and its client has seen nothing.
package schedule
