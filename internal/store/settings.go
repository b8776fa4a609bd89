package store

import (
	"log/slog"
	"time"
)

// settings are what Option changes.
type settings struct {
	postgres        string // the address of a database there; "": SQLite
	masterKey       []byte // under which secrets are sealed; nil: that of the data directory
	vfs             string // of SQLite; "": the system's files
	tailEvents      int    // events of the tail at which it is sorted into a run
	eventFanOut     int    // runs of events of one level that become one of the next
	checkpointPages int    // of the write-ahead log, at which it is moved into the database
	name            string // of this node, for people
	log             *slog.Logger

	monthsSince time.Time // the oldest month of events that Migrate makes a partition of; zero: by itself

	pause time.Duration // before events are sorted into a run
}

// A page that several saves change is moved into the database once. 32,000 pages are 128 MB.
var defaults = settings{tailEvents: 50_000, eventFanOut: eventFanOut, checkpointPages: 32_000, log: slog.New(slog.DiscardHandler)}

// Option changes how Open sets a store up.
type Option func(*settings)

// OnPostgres keeps everything in a database of PostgreSQL, by its address: postgres://user:password@host:port/database.
// "" is SQLite.
func OnPostgres(address string) Option { return func(s *settings) { s.postgres = address } }

// MonthsSince has Migrate make the partitions of events of all months since a time, at most twenty years ago.
func MonthsSince(t time.Time) Option { return func(s *settings) { s.monthsSince = t } }

// WithMasterKey seals secrets under a key of 32 bytes, instead of one in the data directory.
func WithMasterKey(key []byte) Option { return func(s *settings) { s.masterKey = key } }

// OnVFS keeps the database on another of SQLite's file layers, by the name that it is registered under.
func OnVFS(name string) Option { return func(s *settings) { s.vfs = name } }

// Upkeep sorts events into a run a pause after so many wait, and moves the write-ahead log into the database whenever it
// has so many pages.
func Upkeep(events, pages int, pause time.Duration) Option {
	return func(s *settings) { s.tailEvents, s.checkpointPages, s.pause = events, pages, pause }
}

// FanOut merges so many runs of events of one level into one of the next.
func FanOut(runs int) Option { return func(s *settings) { s.eventFanOut = runs } }

// Named says what this node is called where nodes are listed.
func Named(name string) Option { return func(s *settings) { s.name = name } }

// Logged says where it is logged that the database goes away and comes back.
func Logged(log *slog.Logger) Option { return func(s *settings) { s.log = log } }

// dsn opens the database at path, every commit synced.
func (s settings) dsn(path string) string {
	dsn := "file:" + path + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000"
	if s.vfs != "" {
		dsn += "&vfs=" + s.vfs
	}
	return dsn
}
