// Package server is everything that speaks HTTP: the tracking API, the management API, the links in mail, health and
// metrics, and the web application. It turns requests into calls of the subjects and their answers and faults into HTTP;
// it decides nothing.
package server

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/deliver"
)

// Config is what the server needs. Every field is required, save those that say otherwise.
type Config struct {
	Version   string
	PublicURL string // links in mail start with it; no slash at its end
	Demo      bool
	Mail      string // where mail goes: "sink" or "smtp"

	Now   func() time.Time
	Ready func(context.Context) error // nil fault while events of tracking requests would be made durable, otherwise and while draining Unavailable; may be nil
	NewID func() string               // ids of events that have none; unique for all time
	Log   *slog.Logger

	Guard        *access.Guard
	Definitions  *definition.Registry
	Ingest       Ingester
	Loop         Loop
	Overview     Overview
	Profiles     Profiles
	Identity     Identity
	Decider      Decider
	Memberships  Memberships
	Explainer    Explainer
	Matcher      Matcher
	Candidates   Candidates
	Conditions   Conditions
	Queries      Queries
	Templates    Templates
	Campaigns    Campaigns
	Reports      Reports
	Suppressions Suppressions
	Sources      Sources
	Quarantine   Quarantine
	Secrets      Secrets
	Domains      Domains
	Tokens       *deliver.Tokens
	Recipients   Recipients
	Mailbox      Mailbox // nil where mail really leaves
	Backups      Backups
	Requests     access.Requests
	Limits       Limits // zero: none

	Collectors []prometheus.Collector // further metrics

	UI    fs.FS        // the built web application; may be empty
	Extra http.Handler // serves /demo/; nil for none
}

type server struct {
	config   Config
	mux      *http.ServeMux
	api      huma.API
	metrics  *metrics
	attempts *attempts
	notes    chan struct{} // one for each open or click that waits for a busy engine
}

// Site answers all requests, and shows its metrics to whoever asks the one that is for them alone.
type Site struct {
	http.Handler
	Metrics http.Handler // /metrics without a key: for an address that only the monitoring reaches
}

// New makes the handlers of everything.
func New(config Config) *Site {
	s := &server{config: config, mux: http.NewServeMux(), attempts: newAttempts(config.Now), notes: make(chan struct{}, maxNotes)}
	s.metrics = newMetrics(s)
	s.api = newAPI(s)
	s.routes()
	alone := http.NewServeMux()
	alone.Handle("GET /metrics", s.metrics.page())
	return &Site{Handler: s.observe(s.secure(s.sameOrigin(s.mux))), Metrics: alone}
}

const writeTimeout = 120 * time.Second

// HTTP wraps the handler in a server with the time limits that keep slow or silent clients from holding on to it. The
// caller listens, serves and shuts down.
func HTTP(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
