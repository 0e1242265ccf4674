package node

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tarnlake/tarn/internal/objstore"
)

// storageCollector shows what buckets were asked for.
type storageCollector func() map[string]objstore.Usage

func storageDescription(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tarn_storage_"+name, help, append([]string{"bucket"}, labels...), nil)
}

// Describe implements prometheus.Collector: with no description, what is shown is not checked beforehand.
func (c storageCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c storageCollector) Collect(out chan<- prometheus.Metric) {
	requests := storageDescription("requests_total", "Requests to object storage, repeated and hedged ones too.", "kind")
	events := storageDescription("events_total", "Requests that were repeated or hedged, and answers that asked to slow down.", "event")
	bytes := storageDescription("bytes_total", "Bytes read from and written to object storage.", "direction")
	dollars := storageDescription("dollars_total", "Estimated price of the requests.")
	for bucket, usage := range c() {
		counter := func(d *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, append([]string{bucket}, labels...)...)
		}
		for _, kind := range objstore.RequestKinds() {
			counter(requests, float64(usage.Of(kind)), strings.ToLower(kind.String()))
		}
		counter(events, float64(usage.Retried), "retried")
		counter(events, float64(usage.Hedged), "hedged")
		counter(events, float64(usage.Throttled), "throttled")
		counter(bytes, float64(usage.BytesRead), "read")
		counter(bytes, float64(usage.BytesWritten), "written")
		counter(dollars, usage.Dollars())
	}
}

// cacheCollector shows what the caches of files have done.
type cacheCollector func() []objstore.CacheStats

// Describe implements prometheus.Collector; see storageCollector.
func (c cacheCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c cacheCollector) Collect(out chan<- prometheus.Metric) {
	description := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tarn_cache_"+name, help, append([]string{"cache"}, labels...), nil)
	}
	lookups := description("lookups_total", "Lookups in the caches of files.", "result")
	bytes := description("bytes_total", "Bytes of files asked of the cache on the local disk.", "result")
	events := description("events_total", "Entries that went for others, that were damaged or not readable, that were not written since the disk was slow or full.", "event")
	size := description("size_bytes", "Bytes that a cache holds.")
	pending := description("pending_bytes", "Bytes that wait to be written to the local disk.")
	limit := description("limit_bytes", "Bytes that a cache may hold.")
	entries := description("entries", "Entries of a cache.")
	for _, s := range c() {
		add := func(d *prometheus.Desc, kind prometheus.ValueType, value int64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, kind, float64(value), append([]string{s.Name}, labels...)...)
		}
		add(lookups, prometheus.CounterValue, s.Hits, "hit")
		add(lookups, prometheus.CounterValue, s.Misses, "miss")
		if s.Name == "disk" {
			add(bytes, prometheus.CounterValue, s.HitBytes, "hit")
			add(bytes, prometheus.CounterValue, s.MissBytes, "miss")
			add(pending, prometheus.GaugeValue, s.Pending)
		}
		add(events, prometheus.CounterValue, s.Evictions, "evicted")
		add(events, prometheus.CounterValue, s.Failures, "failed")
		add(events, prometheus.CounterValue, s.Skipped, "skipped")
		add(size, prometheus.GaugeValue, s.Bytes)
		add(limit, prometheus.GaugeValue, s.Limit)
		add(entries, prometheus.GaugeValue, s.Entries)
	}
}
