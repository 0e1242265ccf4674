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
