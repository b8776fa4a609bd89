// Package shop simulates a shop and its customers: what they look at and buy, and how they answer mail. It is a pure
// function of its seed, in virtual time: the same Config gives the same events, byte for byte. Nothing in it reads a
// clock or does I/O.
//
// Every customer runs two independent processes. The baseline is what they do of their own accord: visits form a Poisson
// process that follows the season, each visit converts with a fixed chance, and after each order the customer may drop out
// for good (the BG/NBD model of Fader, Hardie and Lee 2005, thinned from visits). Mail adds to it or takes from it: see
// React. Because the baseline draws from its own stream of randomness, the orders that a customer would have placed without
// any mail are known exactly: see Truth.
package shop

import (
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// The name and the currency of the shop.
const (
	Name     = "Nest & Field"
	Currency = "EUR"
)

// Limits of a Config.
const (
	MaxCustomers = 1_000_000
	MaxDays      = 10 * 366
)

// Config says which shop. The zero value of each field but Start has a default.
type Config struct {
	Seed      uint64
	Customers int       // who join before or during the history; default 5,000
	Start     time.Time // of the history
	Days      int       // of history; default 365
	URL       string    // where the shop stands, without a final slash; default "https://shop.example"
	NoMail    bool      // no newsletters were sent: the counterfactual history
}

// Shop is a simulated shop. It is immutable and safe for concurrent use.
type Shop struct {
	config     Config
	seed       uint64
	start, end time.Time
	catalogue  *Catalogue
}

// New makes the shop of a configuration. An Invalid fault names the field that is out of range.
func New(config Config) (*Shop, error) {
	if config.Customers == 0 {
		config.Customers = 5000
	}
	if config.Days == 0 {
		config.Days = 365
	}
	if config.URL == "" {
		config.URL = "https://shop.example"
	}
	if config.Customers < 1 || config.Customers > MaxCustomers {
		return nil, fault.Field("customers", "is %d; it must be 1 to %d", config.Customers, MaxCustomers)
	}
	if config.Days < 1 || config.Days > MaxDays {
		return nil, fault.Field("days", "is %d; it must be 1 to %d", config.Days, MaxDays)
	}
	if config.Start.IsZero() {
		return nil, fault.Field("start", "is missing; say when the history begins")
	}
	s := &Shop{config: config, seed: mix(config.Seed + 0x7461696c6f72), start: config.Start.UTC().Truncate(time.Second)}
	s.end = s.start.Add(time.Duration(config.Days) * day)
	s.catalogue = newCatalogue(s.seed)
	return s, nil
}

// Catalogue is what the shop sells.
func (s *Shop) Catalogue() *Catalogue { return s.catalogue }

// Config is the configuration with its defaults filled in.
func (s *Shop) Config() Config { return s.config }

// Start and End bound the history: Start ≤ time < End.
func (s *Shop) Start() time.Time { return s.start }

// End is the end of the history.
func (s *Shop) End() time.Time { return s.end }
