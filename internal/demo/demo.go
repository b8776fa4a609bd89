// Package demo brings the simulated shop into a running Tailorbird, through the same doors as any customer's shop: it
// speaks HTTP and knows nothing of the server's inside. It applies the example definitions, loads a year of history, then
// lives on: visits and orders flow, and whoever gets mail opens, clicks, buys, or unsubscribes.
package demo

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/demo/shop"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Config says which server, and which shop. BaseURL, WriteKey and APIKey are required.
type Config struct {
	BaseURL   string // of the server, as the driver reaches it
	PublicURL string // as people reach it; links and pictures begin with it; default BaseURL
	WriteKey  string // of the tracking API
	APIKey    string // of the management API, with the scopes read and write

	Seed      uint64 // default 1; what a data directory already holds wins, here and below
	Customers int    // default 5,000
	Days      int    // of history; default 365

	// Speed is how many seconds pass in the shop for one of the server's, once the history is loaded. The default lets
	// about three events a second happen.
	Speed float64

	Progress func(done, total int) // days of history loaded; done = total at the end, also where nothing was to load; may be nil
	Now      func() time.Time      // default time.Now
	Log      *slog.Logger          // default: silent
	HTTP     *http.Client          // default: one that waits a minute for an answer
}

// eventsPerSecond is the pace of the live shop, and eventsPerCustomer how many one customer makes a year.
const (
	eventsPerSecond   = 3.0
	eventsPerCustomer = 60.0
)

func (c Config) withDefaults() (Config, error) {
	for _, required := range []struct{ field, value string }{{"base_url", c.BaseURL}, {"write_key", c.WriteKey}, {"api_key", c.APIKey}} {
		if required.value == "" {
			return c, fault.Field(required.field, "is missing")
		}
	}
	if c.Speed < 0 {
		return c, fault.Field("speed", "is %g; it must be more than 0, for example 250", c.Speed)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if c.PublicURL == "" {
		c.PublicURL = c.BaseURL
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.Progress == nil {
		c.Progress = func(int, int) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: time.Minute}
	}
	return c, nil
}

// shopURL is where the shop's pages and pictures are mounted: see Handler.
func (c *Config) shopURL() string { return c.PublicURL + "/demo" }

// Run drives the server until the context ends, which is no error. A second run against the same data finds its history
// there, loads nothing, and goes on. Faults: Invalid for the configuration, Unauthorized for the keys, and Unavailable where
// the server cannot be reached while loading; later failures are logged, and the shop goes on.
func Run(ctx context.Context, config Config) error {
	d, err := newDriver(config)
	if err != nil {
		return err
	}
	if err := d.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // ended on request while loading
		}
		return err
	}
	d.live(ctx)
	return nil
}

// Truth tells what is true of the customers whose history the server holds, and no event says. NotFound where it holds none.
func Truth(ctx context.Context, config Config) (iter.Seq[shop.Truth], error) {
	d, err := newDriver(config)
	if err != nil {
		return nil, err
	}
	books, err := d.readBooks(ctx)
	if err != nil {
		return nil, err
	}
	if books == nil {
		return nil, fault.New(fault.NotFound, "there is no shop in this data directory; run the demo on it first")
	}
	if err := d.openShop(books); err != nil {
		return nil, err
	}
	return d.shop.Truth(), nil
}

// driver is one run.
type driver struct {
	Config
	api  *client.Client
	shop *shop.Shop
}

func newDriver(config Config) (*driver, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	api, err := client.New(client.Config{URL: config.BaseURL, APIKey: config.APIKey, WriteKey: config.WriteKey, HTTP: config.HTTP})
	if err != nil {
		return nil, err
	}
	return &driver{Config: config, api: api}, nil
}

// openShop makes the shop that the books describe.
func (d *driver) openShop(b *books) (err error) {
	d.shop, err = shop.New(shop.Config{Seed: b.Seed, Customers: b.Customers, Days: b.Days, Start: b.Start, URL: d.shopURL()})
	return err
}

// load makes sure that the server holds the definitions and the history.
func (d *driver) load(ctx context.Context) error {
	books, err := d.readBooks(ctx)
	if err != nil {
		return err
	}
	if books == nil {
		if books, err = d.openBooks(ctx); err != nil {
			return err
		}
	}
	if err := d.openShop(books); err != nil {
		return err
	}
	if books.Loaded {
		d.Progress(books.Days, books.Days)
		return nil
	}
	if err := d.applyDefinitions(ctx); err != nil {
		return err
	}
	began := time.Now()
	count, err := d.loadHistory(ctx)
	if err != nil {
		return err
	}
	d.Log.Info("history loaded", "events", count, "customers", books.Customers, "days", books.Days, "seconds", time.Since(began).Seconds())
	return d.closeBooks(ctx, books)
}

// pace is the speed of the live shop.
func (d *driver) pace() float64 {
	if d.Speed > 0 {
		return d.Speed
	}
	return eventsPerSecond / (eventsPerCustomer * float64(d.shop.Config().Customers) / (365.25 * 86400))
}

// runName tells the events of this run from those of others.
func (d *driver) runName(t time.Time) string { return strconv.FormatInt(t.Unix(), 36) }
