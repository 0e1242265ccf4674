// Package s3 keeps objects in Amazon S3 or a server that speaks its protocol.
//
//	ReadRanges ─▶ coalesce ─▶ pieces, in parallel ─▶ do ─▶ hedged GET ─▶ the caller's buffers
//	Put, List … ────────────────────────────────────▶ do ─▶ SDK client ─▶ counting transport
//
// do is the one loop through which every request goes: it takes a slot of the limiter (which halves
// the number of requests under way when the server asks to slow down and lets it grow again), gives
// the attempt a timeout, and repeats what failed for a passing reason after a random pause, as long
// as attempts and the retry budget last. The SDK's own retries are off. The transport counts
// attempts, so that the counts equal the server's log.
//
// Memory: reads go to the caller's buffers; a Writer holds one part and at most a few parts under way.
package s3
