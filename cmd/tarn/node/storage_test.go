package node

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tarnlake/tarn/internal/objstore"
)

func TestStorageMetrics(t *testing.T) {
	var counters objstore.Counters
	objstore.Count(context.Background(), &counters, objstore.Event{Kind: objstore.GetRequest, Requests: 2000, BytesRead: 77})
	objstore.Count(context.Background(), &counters, objstore.Event{Kind: objstore.ListRequests, Requests: 1, Throttled: 3})
	registry := prometheus.NewRegistry()
	registry.MustRegister(storageCollector(func() map[string]objstore.Usage { return map[string]objstore.Usage{"lake": counters.Usage()} }))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			key := f.GetName()
			for _, l := range m.Label {
				if l.GetName() != "bucket" {
					key += " " + l.GetValue()
				} else if l.GetValue() != "lake" {
					t.Errorf("bucket %q", l.GetValue())
				}
			}
			got[key] = m.Counter.GetValue()
		}
	}
	for key, want := range map[string]float64{"tarn_storage_requests_total get": 2000, "tarn_storage_requests_total list": 1, "tarn_storage_bytes_total read": 77,
		"tarn_storage_events_total throttled": 3, "tarn_storage_requests_total put": 0, "tarn_storage_dollars_total": 0.0008 + 0.000005} {
		if v, found := got[key]; !found || v < want*0.999999 || v > want*1.000001 {
			t.Errorf("%s is %v, want %v", key, v, want)
		}
	}
}
