// Package app puts the program together: it opens the parts in order, gives each what it needs, and closes them in the
// reverse order. Nothing else sees everything.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/connect/kafka"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/identity/review"
	"github.com/tailorbird/tailorbird/internal/redis"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/stream"
	"github.com/tailorbird/tailorbird/ui"
)

// Config is what a user chooses. DataDir is required.
type Config struct {
	DataDir   string
	Listen    string    // default 127.0.0.1:8080
	PublicURL string    // links in mail start with it; default http:// and the address listened on
	SMTPURL   string    // where mail leaves; default the built-in sink
	Now       time.Time // where the clock starts; default the true time
	APIKey    string    // a management key of one's own choice
	WriteKey  string    // a write key of one's own choice
	// AllowNetwork lists the addresses that sources may call beside public ones: ranges, addresses, names, with or without a
	// port.
	AllowNetwork []string
	Version      string
	Log          *slog.Logger
	Backups      Backups
	Limits       Limits
	DatabaseURL  string           // of PostgreSQL; default SQLite in DataDir
	MasterKey    []byte           // under which secrets are sealed; default that in DataDir
	StreamURL    string           // of the Kafka topic that events go through; default none
	DrainDelay   time.Duration    // between "not ready" and the end of listening; default none
	Metrics      string           // a second address, for /metrics without a key; default none
	RedisURL     string           // shares limits among nodes; default: each has its part
	Demo         http.Handler     // serves /demo/; default none
	Ready        func(url string) // called once, when requests are taken; without it, the program is not meant to Serve
}

// Keys are secrets for the program's own use of its API.
type Keys struct{ API, Write string }

// App is the opened program.
type App struct {
	config          Config
	log             *slog.Logger
	now             func() time.Time
	store           *store.Store
	guard           *access.Guard
	issued          []access.Issued
	registry        *definition.Registry
	engine          *engine.Engine
	producer        *stream.Producer // nil without a stream
	consumer        *stream.Consumer
	sink            *deliver.Sink
	relay           *deliver.Relay
	sender          *deliver.Sender
	casts           *campaign.Broadcaster
	matcher         *review.Matcher
	sources         *kafka.Sources
	queries         *query.Runner
	outbox          *store.Outbox
	feedback        *feedback
	backups         *backup.Keeper
	redis           *redis.Redis
	limits          server.Limits
	known           sparing[expr.Seen] // properties of events
	nodes           atomic.Int64       // that use the database, when they were counted last
	listener        net.Listener
	metricsListener net.Listener // nil: /metrics is among the rest alone
	handler         *server.Site
	healed          atomic.Int64 // when the last events came that could not be committed, while others could since; nanoseconds
	draining        sync.Once
	drained         chan struct{}
	closing         sync.Once
	closeErr        error
}

// Open opens the data and makes the program ready to answer in-process. Mail is sent, and the network listened to, only
// while Serve runs.
func Open(ctx context.Context, config Config) (_ *App, err error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Listen == "" {
		config.Listen = "127.0.0.1:8080"
	}
	if err := checkOrigin(config.PublicURL); err != nil {
		return nil, err
	}
	a := &App{config: config, log: config.Log, now: clock(config.Now), drained: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if config.Ready != nil { // it will serve: links in mail need the address, whose port may be the system's choice
		if err := a.listen(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.database(ctx); err != nil {
		return nil, err
	}
	a.log = slog.New(quiet{config.Log.Handler(), a.store.Away})
	if a.guard, err = access.Open(ctx, a.store, a.now, rand.Reader, a.log); err != nil {
		return nil, err
	}
	if a.issued, err = a.guard.FirstStart(ctx, config.APIKey, config.WriteKey); err != nil {
		return nil, err
	}
	templates := newTemplates(a.store, a.now)
	a.registry = definition.New(definition.Config{
		Store: a.store, Now: a.now, Rules: definitionRules(templates, a.store), OnChange: a.follow, Alone: a.aloneDefining,
	})
	a.engine = engine.New(engine.Config{
		Store: a.store, Rules: a.store, Nodes: a.store.Shared(), Reload: a.reload, Policy: identity.DefaultPolicy(), Clock: a.now, Log: a.log,
		MessageID: func(public string) (int64, bool) { return a.store.InternalID(store.MessageKind, public) },
	})
	defined, err := a.registry.All(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := compileRules(defined)
	if err != nil {
		return nil, err
	}
	a.queries = query.New(query.Config{Source: a.store, Ledger: a.store, Giver: a.engine, Now: a.now, Log: a.log})
	if err := a.followQueries(ctx, defined); err != nil {
		return nil, err
	}
	if err := a.engine.Start(ctx, rules); err != nil {
		return nil, err
	}
	a.store.SetSettler(a.engine)
	a.backups = a.keeper()
	if err := a.openSources(defined); err != nil {
		return nil, err
	}
	if err := a.openStream(ctx); err != nil {
		return nil, err
	}
	if err := a.openLimits(ctx); err != nil {
		return nil, err
	}
	a.matcher = &review.Matcher{Profiles: a.store, Ledger: a.store, Claims: a.store, Merger: a.engine, Now: a.now, Log: a.log}
	return a, a.openMail(ctx, templates)
}

// checkOrigin refuses a public URL that is not scheme, host and port alone: links could not start with it.
func checkOrigin(public string) error {
	if public == "" {
		return nil
	}
	u, err := url.Parse(strings.TrimSuffix(public, "/"))
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && *u == (url.URL{Scheme: u.Scheme, Host: u.Host}) &&
		!strings.ContainsAny(public, "?#") {
		return nil
	}
	return fault.Setting("public_url", "%.200q must look like https://mail.shop.example", public)
}

// clock starts at a given time and runs on; without one it is the true time.
func clock(start time.Time) func() time.Time {
	if start.IsZero() {
		return time.Now
	}
	begun := time.Now()
	return func() time.Time { return start.Add(time.Since(begun)) }
}

// listen binds the addresses, so that the public URL is known before the first mail is written, and nothing begins where one is taken.
func (a *App) listen(ctx context.Context) (err error) {
	if a.listener != nil {
		return nil
	}
	if a.listener, err = bind(ctx, a.config.Listen, "--listen"); err != nil || a.config.Metrics == "" {
		return err
	}
	a.metricsListener, err = bind(ctx, a.config.Metrics, "--metrics-listen")
	return err
}

func bind(ctx context.Context, address, option string) (net.Listener, error) {
	var tcp net.ListenConfig
	l, err := tcp.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "cannot listen on %s; choose another address with %s", address, option)
	}
	return l, nil
}

// publicURL is where customers reach the program, without a slash at its end.
func (a *App) publicURL() string {
	if a.config.PublicURL != "" {
		return strings.TrimSuffix(a.config.PublicURL, "/")
	}
	if a.listener != nil {
		return "http://" + a.listener.Addr().String()
	}
	return "http://" + a.config.Listen
}

// NewKeys lists the keys that this start made. Their secrets cannot be read again.
func (a *App) NewKeys() []access.Issued { return a.issued }

// Keys lends secrets that work as long as the program is open.
func (a *App) Keys() (keys Keys, err error) {
	if keys.API, err = a.guard.Lend("this process", access.Scopes()); err != nil {
		return Keys{}, err
	}
	keys.Write, err = a.guard.Lend("this process", []access.Scope{access.Track})
	return keys, err
}

// Handler answers all requests.
func (a *App) Handler() http.Handler { return a.handler }

// Verify recomputes every membership and computed trait from the stored events; see engine.Verify.
func (a *App) Verify(ctx context.Context) (*engine.Verification, error) { return a.engine.Verify(ctx) }

// PublicProfileID is how the outside calls a profile.
func (a *App) PublicProfileID(id int64) string { return a.store.PublicID(store.ProfileKind, id) }

// Serve listens, sends mail and broadcasts until ctx ends; then it stops taking requests, finishes those under way, and
// returns. That it was stopped is no error, however early.
func (a *App) Serve(ctx context.Context) error {
	err := a.serve(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (a *App) serve(ctx context.Context) error {
	if err := a.listen(ctx); err != nil {
		return err
	}
	if err := a.store.Serve(ctx); err != nil {
		return err
	}
	http := server.HTTP(a.handler, a.log)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(a.feedback.outcomes)
		return a.sender.Run(ctx)
	})
	group.Go(func() error { a.feedback.run(context.WithoutCancel(ctx)); return nil })
	group.Go(func() error { return a.casts.Run(ctx) })
	group.Go(func() error { return a.matcher.Run(ctx) })
	group.Go(func() error { return a.backups.Run(ctx) })
	group.Go(func() error { return a.sources.Run(ctx) })
	group.Go(func() error { return a.readStream(ctx) })
	group.Go(func() error { return a.queries.Run(ctx) })
	group.Go(func() error { return a.followNodes(ctx) })
	group.Go(func() error { return a.serveMetrics(ctx) })
	group.Go(func() error {
		if a.config.Ready != nil {
			a.config.Ready("http://" + a.listener.Addr().String())
		}
		if err := http.Serve(a.listener); err != nil && ctx.Err() == nil {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		a.draining.Do(func() { close(a.drained) })
		<-time.After(a.config.DrainDelay) // whoever looks at /readyz sends others elsewhere meanwhile
		const patience = 20 * time.Second
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return http.Shutdown(stop)
	})
	return group.Wait()
}

// Close finishes what is under way and closes the data. It may be called twice.
func (a *App) Close() error {
	a.closing.Do(func() {
		if a.backups != nil {
			a.backups.Close()
		}
		if a.matcher != nil {
			a.matcher.Close()
		}
		if a.queries != nil {
			a.queries.Close()
		}
		if a.producer != nil {
			stop, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			a.closeErr = errors.Join(a.closeErr, a.producer.Close(stop))
			cancel()
		}
		if a.engine != nil && a.handler != nil {
			a.engine.Close()
			a.store.SetSettler(nil)
		}
		if a.relay != nil {
			a.closeErr = errors.Join(a.closeErr, a.relay.Close())
		}
		if a.sink != nil {
			a.closeErr = errors.Join(a.closeErr, a.sink.Close())
		}
		if a.redis != nil {
			a.closeErr = errors.Join(a.closeErr, a.redis.Close())
		}
		for _, l := range []net.Listener{a.listener, a.metricsListener} {
			if l != nil {
				_ = l.Close() // Serve has closed it already when it ran
			}
		}
		if a.store != nil {
			a.closeErr = errors.Join(a.closeErr, a.store.Close())
		}
	})
	return a.closeErr
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newHandler wires the HTTP server.
func (a *App) newHandler(templates *templates, tokens *deliver.Tokens) *server.Site {
	mail := "smtp"
	var mailbox server.Mailbox
	if a.sink != nil {
		mail, mailbox = "sink", a.store
	}
	return server.New(server.Config{
		Version: a.config.Version, PublicURL: a.publicURL(), Demo: a.config.Demo != nil, Mail: mail,
		Now: a.now, Ready: a.ready, NewID: newID, Log: a.log,
		Guard: a.guard, Definitions: a.registry, Ingest: a.door(), Loop: loop{a}, Overview: a.store, Profiles: a.store,
		Identity: a.store, Decider: a.engine, Memberships: a.store, Explainer: explainer{a},
		Matcher: a.matcher, Candidates: a.store, Conditions: conditions{a}, Queries: queries{a}, Templates: templates, Campaigns: campaigns{a}, Reports: a.store,
		Suppressions: a.store, Domains: a.store, Tokens: tokens, Recipients: a.store, Mailbox: mailbox,
		Backups: a.shownBackups(), Sources: a.sources, Quarantine: a.store, Secrets: secrets{a},
		Requests: a.store, Limits: a.limits, Collectors: a.collectors(),
		UI: ui.Files(), Extra: a.config.Demo,
	})
}
