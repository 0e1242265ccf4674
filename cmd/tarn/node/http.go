package node

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tarnlake/tarn/connectors/system"
	"github.com/tarnlake/tarn/coordinator/pgwire"
	"github.com/tarnlake/tarn/coordinator/session"
)

func (n *Node) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /health", n.health)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// health answers 200 while clients are served and 503 while the node is stopping.
func (n *Node) health(w http.ResponseWriter, _ *http.Request) {
	status, code := "ok", http.StatusOK
	if n.draining.Load() {
		status, code = "stopping", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "version": n.options.Version,
		"sessions": len(n.manager.Sessions())})
}

// metrics is what /metrics shows.
type metrics struct {
	registry   *prometheus.Registry
	statements *prometheus.CounterVec
	seconds    prometheus.Histogram
	rows       prometheus.Counter
	bytes      prometheus.Counter
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		statements: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tarn_statements_total",
			Help: "Statements that have ended, by SQLSTATE (00000 is success)."}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tarn_statement_seconds",
			Help: "Time from a statement's arrival to its last row.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 14)}),
		rows:  prometheus.NewCounter(prometheus.CounterOpts{Name: "tarn_rows_sent_total", Help: "Rows sent to clients."}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "tarn_bytes_sent_total", Help: "Bytes sent to clients."}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tarn_build_info", Help: "The version in a label.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
	m.registry.MustRegister(m.statements, m.seconds, m.rows, m.bytes, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) statement(s pgwire.Observation) {
	m.statements.WithLabelValues(string(s.Code)).Inc()
	m.seconds.Observe(s.Took.Seconds())
	m.rows.Add(float64(s.Rows))
	m.bytes.Add(float64(s.Bytes))
}

// observeSessions shows how many sessions there are, by what they do.
func (m *metrics) observeSessions(manager *session.Manager) {
	for doing, label := range map[session.Doing]string{session.Active: "active", session.Idle: "idle",
		session.IdleInTransaction: "idle_in_transaction", session.IdleInFailed: "idle_in_failed_transaction"} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tarn_sessions", Help: "Connected clients.",
			ConstLabels: prometheus.Labels{"state": label}}, func() float64 {
			count := 0
			for _, a := range manager.Sessions() {
				if a.Doing == doing {
					count++
				}
			}
			return float64(count)
		}))
	}
}

// observeLoad shows what queries hold.
func (m *metrics) observeLoad(load func() Load) {
	gauge := func(name, help string, labels prometheus.Labels, value func(Load) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return value(load()) }))
	}
	gauge("tarn_memory_reserved_bytes", "Memory that queries hold.", nil, func(l Load) float64 { return float64(l.Memory) })
	const name, help = "tarn_cluster_queries", "Queries spread over the cluster: those with tasks on this node, and those that it coordinates."
	gauge(name, help, prometheus.Labels{"part": "worker"}, func(l Load) float64 { return float64(l.Worked) })
	gauge(name, help, prometheus.Labels{"part": "coordinator"}, func(l Load) float64 { return float64(l.Coordinated) })
}

// Metrics gives what /metrics shows: a histogram as its count and sum.
func (n *Node) Metrics() ([]system.Metric, error) {
	families, err := n.metrics.registry.Gather()
	if err != nil {
		return nil, err
	}
	var out []system.Metric
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			row := system.Metric{Name: f.GetName(), Labels: strings.Join(labels, ","), Kind: strings.ToLower(f.GetType().String()), Doc: f.GetHelp()}
			add := func(suffix string, value float64) {
				r := row
				r.Name, r.Value = row.Name+suffix, value
				out = append(out, r)
			}
			switch {
			case m.GetCounter() != nil:
				add("", m.GetCounter().GetValue())
			case m.GetGauge() != nil:
				add("", m.GetGauge().GetValue())
			case m.GetHistogram() != nil:
				add("_count", float64(m.GetHistogram().GetSampleCount()))
				add("_sum", m.GetHistogram().GetSampleSum())
			case m.GetSummary() != nil:
				add("_count", float64(m.GetSummary().GetSampleCount()))
				add("_sum", m.GetSummary().GetSampleSum())
			default:
				add("", m.GetUntyped().GetValue())
			}
		}
	}
	return out, nil
}
