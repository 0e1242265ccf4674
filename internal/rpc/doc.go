// Package rpc is what coordinators and workers say to each other: strict JSON over pooled HTTP/1.1
// connections, and pages of rows as they are.
//
//	coordinator ─▶ worker       start, status (long poll, also the sign of life), release, filters
//	worker      ─▶ worker       pages, by sequence number; stop, when no more are wanted
//	worker      ─▶ coordinator  splits, in small batches
//
// Every request carries the plan version and, when the cluster has a secret, a keyed digest of
// itself. A request may arrive twice: all of them are safe to repeat. With an Identity, nodes talk TLS
// and show each other certificates of the cluster's authority.
package rpc
