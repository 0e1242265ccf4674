package objstore

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/memory"
)

// RequestKind is a class of requests to a remote store, as providers bill them.
type RequestKind uint8

// The kinds of requests.
const (
	GetRequest    RequestKind = iota // a read of an object's bytes
	HeadRequest                      // a question about one object
	ListRequests                     // a page of keys, or of unfinished uploads
	PutRequest                       // a write: PUT, and the POSTs of multipart uploads
	DeleteRequest                    // DELETE, and POST of many deletions
	requestKinds
)

var requestNames = [requestKinds]string{"GET", "HEAD", "LIST", "PUT", "DELETE"}

// String gives the name under which a kind is shown.
func (k RequestKind) String() string { return requestNames[k] }

// RequestKinds lists all kinds.
func RequestKinds() []RequestKind {
	return []RequestKind{GetRequest, HeadRequest, ListRequests, PutRequest, DeleteRequest}
}

// dollarsPerRequest are the list prices of S3 Standard in us-east-1; others are near. Traffic within
// a region costs nothing and is left out.
var dollarsPerRequest = [requestKinds]float64{0.0004 / 1000, 0.0004 / 1000, 0.005 / 1000, 0.005 / 1000, 0}

// Counters count the requests to remote stores. Every attempt counts, repeated and hedged ones too,
// so that the sums equal the server's own log. They are added to atomically; the zero value is ready.
type Counters struct {
	requests                   [requestKinds]atomic.Int64
	retried, hedged, throttled atomic.Int64
	bytesRead, bytesWritten    atomic.Int64

	metadataHits, metadataMisses               atomic.Int64
	cacheHits, cacheMisses                     atomic.Int64
	cacheBytesRead, cacheBytesMissed, prefetch atomic.Int64
}

// Usage is what Counters have counted.
type Usage struct {
	Requests                [requestKinds]int64
	Retried                 int64 // attempts that followed a failed one
	Hedged                  int64 // second requests for stragglers
	Throttled               int64 // answers that asked to slow down
	BytesRead, BytesWritten int64

	// What was found in memory, or on the local disk, and what was not.
	MetadataHits, MetadataMisses     int64 `json:",omitempty"` // footers, indexes, Bloom filters
	CacheHits, CacheMisses           int64 `json:",omitempty"` // ranges of files
	CacheBytesRead, CacheBytesMissed int64 `json:",omitempty"`
	Prefetched                       int64 `json:",omitempty"` // bytes fetched ahead of decoding
}

// Usage gives the present sums.
func (c *Counters) Usage() Usage {
	u := Usage{Retried: c.retried.Load(), Hedged: c.hedged.Load(), Throttled: c.throttled.Load(),
		BytesRead: c.bytesRead.Load(), BytesWritten: c.bytesWritten.Load(),
		MetadataHits: c.metadataHits.Load(), MetadataMisses: c.metadataMisses.Load(), CacheHits: c.cacheHits.Load(), CacheMisses: c.cacheMisses.Load(),
		CacheBytesRead: c.cacheBytesRead.Load(), CacheBytesMissed: c.cacheBytesMissed.Load(), Prefetched: c.prefetch.Load()}
	for kind := range c.requests {
		u.Requests[kind] = c.requests[kind].Load()
	}
	return u
}

// Plus gives the sums of both.
func (u Usage) Plus(o Usage) Usage {
	for kind := range u.Requests {
		u.Requests[kind] += o.Requests[kind]
	}
	u.Retried, u.Hedged, u.Throttled = u.Retried+o.Retried, u.Hedged+o.Hedged, u.Throttled+o.Throttled
	u.BytesRead, u.BytesWritten = u.BytesRead+o.BytesRead, u.BytesWritten+o.BytesWritten
	u.MetadataHits, u.MetadataMisses = u.MetadataHits+o.MetadataHits, u.MetadataMisses+o.MetadataMisses
	u.CacheHits, u.CacheMisses = u.CacheHits+o.CacheHits, u.CacheMisses+o.CacheMisses
	u.CacheBytesRead, u.CacheBytesMissed = u.CacheBytesRead+o.CacheBytesRead, u.CacheBytesMissed+o.CacheBytesMissed
	u.Prefetched += o.Prefetched
	return u
}

// Of gives the number of requests of one kind.
func (u Usage) Of(kind RequestKind) int64 { return u.Requests[kind] }

// Total gives the number of all requests.
func (u Usage) Total() int64 {
	total := int64(0)
	for _, n := range u.Requests {
		total += n
	}
	return total
}

// Dollars estimates the price of the requests.
func (u Usage) Dollars() float64 {
	sum := 0.0
	for kind, n := range u.Requests {
		sum += float64(n) * dollarsPerRequest[kind]
	}
	return sum
}

// String gives the counts that are not 0, as EXPLAIN ANALYZE shows them.
func (u Usage) String() string {
	var parts []string
	for kind, n := range u.Requests {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, requestNames[kind]))
		}
	}
	for _, extra := range []struct {
		n    int64
		name string
	}{{u.Retried, "retried"}, {u.Hedged, "hedged"}, {u.Throttled, "throttled"}} {
		if extra.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", extra.n, extra.name))
		}
	}
	return strings.Join(parts, ", ")
}

// Caches gives the shares of hits, as EXPLAIN ANALYZE shows them; "" where no cache was asked.
func (u Usage) Caches() string {
	var parts []string
	if all := u.MetadataHits + u.MetadataMisses; all > 0 {
		parts = append(parts, fmt.Sprintf("metadata %d of %d", u.MetadataHits, all))
	}
	if all := u.CacheBytesRead + u.CacheBytesMissed; all > 0 {
		parts = append(parts, fmt.Sprintf("disk %s of %s (%d %%)", memory.FormatBytes(u.CacheBytesRead), memory.FormatBytes(all), u.CacheBytesRead*100/all))
	}
	return strings.Join(parts, ", ")
}

// Event is something that stores count.
type Event struct {
	Kind                    RequestKind
	Requests                int64
	Retried, Hedged         int64
	Throttled               int64
	BytesRead, BytesWritten int64

	MetadataHits, MetadataMisses     int64
	CacheHits, CacheMisses           int64
	CacheBytesRead, CacheBytesMissed int64
	Prefetched                       int64
}

func (c *Counters) add(e Event) {
	if e.Requests != 0 {
		c.requests[e.Kind].Add(e.Requests)
	}
	for _, x := range []struct {
		counter *atomic.Int64
		n       int64
	}{{&c.retried, e.Retried}, {&c.hedged, e.Hedged}, {&c.throttled, e.Throttled}, {&c.bytesRead, e.BytesRead}, {&c.bytesWritten, e.BytesWritten},
		{&c.metadataHits, e.MetadataHits}, {&c.metadataMisses, e.MetadataMisses}, {&c.cacheHits, e.CacheHits}, {&c.cacheMisses, e.CacheMisses},
		{&c.cacheBytesRead, e.CacheBytesRead}, {&c.cacheBytesMissed, e.CacheBytesMissed}, {&c.prefetch, e.Prefetched}} {
		if x.n != 0 {
			x.counter.Add(x.n)
		}
	}
}

// countersKey is the context key of *counting.
type countersKey struct{}

// counting is a list of counters that all count the same requests.
type counting struct {
	counters *Counters
	outer    *counting
}

// WithCounters makes requests under the returned context count in c, and still in the counters that
// ctx had.
func WithCounters(ctx context.Context, c *Counters) context.Context {
	outer, _ := ctx.Value(countersKey{}).(*counting)
	return context.WithValue(ctx, countersKey{}, &counting{c, outer})
}

// Count adds an event to own, if there is one, and to the counters of ctx. It is for implementations
// of Store, and caches.
func Count(ctx context.Context, own *Counters, e Event) {
	if own != nil {
		own.add(e)
	}
	list, _ := ctx.Value(countersKey{}).(*counting)
	for ; list != nil; list = list.outer {
		list.counters.add(e)
	}
}
