package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/server"
)

// serveMetrics answers /metrics at an address of its own until ctx ends, where one is given.
func (a *App) serveMetrics(ctx context.Context) error {
	if a.metricsListener == nil {
		return nil
	}
	a.log.InfoContext(ctx, "metrics are open", "address", a.metricsListener.Addr().String())
	metrics := server.HTTP(a.handler.Metrics, a.log)
	stopped := context.AfterFunc(ctx, func() { _ = metrics.Close() })
	defer stopped()
	if err := metrics.Serve(a.metricsListener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// collectors measure what the server does not see.
func (a *App) collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	list := []prometheus.Collector{
		gauge("tailorbird_nodes", "Processes that share the database.", func() float64 { return float64(a.nodes.Load()) }),
		gauge("tailorbird_ready", "1 while events of tracking requests would be made durable.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), server.ScrapePatience)
			defer cancel()
			return number((a.producer != nil || !a.store.Away()) && a.ready(ctx) == nil)
		}),
		gauge("tailorbird_database_up", "1 while the database answers; what only it knows is left out meanwhile.", func() float64 { return number(!a.store.Away()) }),
		gauge("tailorbird_commits_waiting", "Changes that wait for a commit.", func() float64 { return float64(a.store.Stats().Queued) }),
		gauge("tailorbird_backup_last_success_timestamp_seconds", "When the newest backup was made; 0: never.", a.lastBackup),
	}
	if a.redis == nil {
		return list
	}
	return append(list,
		gauge("tailorbird_redis_up", "1 while Redis answers.", func() float64 { up, _ := a.redis.Stats(); return number(up) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "tailorbird_redis_errors_total", Help: "Calls that Redis did not answer."},
			func() float64 { _, failed := a.redis.Stats(); return float64(failed) }))
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// lastBackup is when the newest backup of the server was made, in seconds.
func (a *App) lastBackup() float64 {
	list, err := a.backups.List()
	if err != nil {
		return 0
	}
	for _, b := range list {
		if b.Status == backup.Done {
			return float64(b.CreatedAt.Unix())
		}
	}
	return 0
}
