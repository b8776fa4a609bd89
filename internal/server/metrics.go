package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// metrics is what the program measures of itself, under its own registry.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	accepted prometheus.Counter
	rejected *prometheus.CounterVec
	limited  *prometheus.CounterVec
	failures unmeasured
}

func newMetrics(s *server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tailorbird_http_request_duration_seconds", Help: "Time to answer, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "status"}),
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tailorbird_events_accepted_total", Help: "Events acknowledged by the tracking API.",
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tailorbird_tracking_rejected_total", Help: "Tracking requests refused, by code.",
		}, []string{"code"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tailorbird_requests_limited_total", Help: "Requests refused because their key made too many, by limit.",
		}, []string{"limit"}),
		failures: unmeasured{s.config.Log},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tailorbird_build_info", Help: "1, with the release in a label.", ConstLabels: prometheus.Labels{"version": s.config.Version},
	})
	build.Set(1)
	m.registry.MustRegister(s.config.Collectors...)
	m.registry.MustRegister(build, m.requests, m.accepted, m.rejected, m.limited, &gauges{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// unmeasured is told of what cannot be measured, while the rest is. It implements promhttp.Logger.
type unmeasured struct{ log *slog.Logger }

func (u unmeasured) Println(said ...any) {
	u.log.Error("metrics are left out", "error", fmt.Sprint(said...))
}

// page is the answer to whoever may read the metrics.
func (m *metrics) page() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 2, Timeout: 10 * time.Second, ErrorHandling: promhttp.ContinueOnError, ErrorLog: m.failures,
	})
}

// scrape gives the metrics to a Bearer key with the scope for them. Where a request comes from says nothing: behind a proxy,
// all come from this machine.
func (s *server) scrape(w http.ResponseWriter, r *http.Request) {
	err := error(fault.New(fault.Unauthorized, "a key with the scope metrics is needed; send the header Authorization: Bearer KEY"))
	if secret, given := bearer(r.Header.Get("Authorization")); given {
		var key access.Key
		if key, err = s.config.Guard.Authenticate(r.Context(), secret); err == nil && !key.Allows(access.Metrics) {
			err = fault.New(fault.Forbidden, "the key %q lacks the scope metrics", key.Name)
		}
	}
	if err != nil {
		s.turnAway(r.Context(), w, err)
		return
	}
	s.metrics.page().ServeHTTP(w, r)
}

// observe counts by the route's pattern, never by the path: the number of series stays bounded.
func (m *metrics) observe(r *http.Request, status int, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "unknown"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// gauges asks the engine and the store when somebody looks.
type gauges struct{ server *server }

var (
	queueDepth    = prometheus.NewDesc("tailorbird_queue_events", "Events waiting for the engine.", nil, nil)
	queueCapacity = prometheus.NewDesc("tailorbird_queue_capacity_events", "Events that may wait; beyond it the door answers 503.", nil, nil)
	commitLatency = prometheus.NewDesc("tailorbird_commit_duration_seconds", "Recent mean time of a commit.", nil, nil)
	timersOverdue = prometheus.NewDesc("tailorbird_timers_overdue_seconds", "How late the oldest timer is.", nil, nil)
	profileCount  = prometheus.NewDesc("tailorbird_profiles", "Profiles.", nil, nil)
	memberCount   = prometheus.NewDesc("tailorbird_segment_members", "Members, by segment.", []string{"segment"}, nil)
	sourceUp      = prometheus.NewDesc("tailorbird_source_running", "1 while a source is read.", []string{"source"}, nil)
	streamLag     = prometheus.NewDesc("tailorbird_stream_lag_events", "Events that wait in the topic that the tracking API writes to.", []string{"partition"}, nil)
	streamBehind  = prometheus.NewDesc("tailorbird_stream_lag_seconds", "How old the first event is that waits; absent where that is not known.", []string{"partition"}, nil)
	sourceLag     = prometheus.NewDesc("tailorbird_source_lag_messages", "Messages that wait.", []string{"source", "partition"}, nil)
	sourceBehind  = prometheus.NewDesc("tailorbird_source_lag_seconds", "How old the last message read is; absent where another process reads the partition.", []string{"source", "partition"}, nil)
	sourceRead    = prometheus.NewDesc("tailorbird_source_messages_total", "Messages that were read, by what became of them.", []string{"source", "outcome"}, nil)
	heldCount     = prometheus.NewDesc("tailorbird_quarantine_messages", "Messages in quarantine.", []string{"source"}, nil)
	messageCount  = prometheus.NewDesc("tailorbird_messages", "Messages, by status.", []string{"status"}, nil)
)

// Describe sends nothing: which gauges there are depends on what is defined.
func (g *gauges) Describe(chan<- *prometheus.Desc) {}

// ScrapePatience is how long the database may take for the metrics. What it does not tell until then is left out of them: the
// rest is wanted most when it is away.
const ScrapePatience = 2 * time.Second

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	loop := g.server.config.Loop.Pulse()
	gauge(queueDepth, float64(loop.QueueDepth))
	gauge(queueCapacity, float64(loop.QueueCapacity))
	gauge(commitLatency, loop.CommitMS/1000)
	gauge(timersOverdue, loop.TimersOverdue)
	if loop.Stream != nil {
		for _, p := range loop.Stream.Partitions {
			partition := strconv.Itoa(int(p.Partition))
			gauge(streamLag, float64(p.Lag), partition)
			if p.Behind != nil {
				gauge(streamBehind, *p.Behind, partition)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), ScrapePatience)
	defer cancel()
	failed := func(desc *prometheus.Desc, err error) {
		if fault.CodeOf(err) != fault.Unavailable { // which other metrics tell
			out <- prometheus.NewInvalidMetric(desc, err)
		}
	}
	totals, err := g.server.config.Overview.Totals(ctx)
	if err != nil {
		failed(profileCount, err)
		return
	}
	gauge(profileCount, float64(totals.Profiles))
	for segment, n := range totals.Segments {
		gauge(memberCount, float64(n), segment)
	}
	for status, n := range totals.Messages {
		gauge(messageCount, float64(n), status)
	}
	if err := g.sources(ctx, out, gauge); err != nil {
		failed(sourceUp, err)
	}
}

func (g *gauges) sources(ctx context.Context, out chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) error {
	all, err := g.server.config.Definitions.All(ctx)
	if err != nil {
		return err
	}
	sizes, err := g.server.config.Quarantine.QuarantineSizes(ctx)
	if err != nil {
		return err
	}
	for name, n := range sizes {
		gauge(heldCount, float64(n), name)
	}
	for _, d := range all.Of(definition.Source) {
		status := g.server.config.Sources.Status(d.Name)
		up := 0.0
		if status.State == source.Running {
			up = 1
		}
		gauge(sourceUp, up, d.Name)
		for outcome, n := range map[string]int64{"accepted": status.Accepted, "passed": status.Passed, "quarantined": status.Rejected, "lost": status.Lost} {
			out <- prometheus.MustNewConstMetric(sourceRead, prometheus.CounterValue, float64(n), d.Name, outcome)
		}
		for _, p := range status.Partitions {
			partition := strconv.Itoa(int(p.Partition))
			gauge(sourceLag, float64(p.Lag), d.Name, partition)
			if p.Behind >= 0 {
				gauge(sourceBehind, p.Behind.Seconds(), d.Name, partition)
			}
		}
	}
	return nil
}
