// Package kafka reads topics of Kafka clusters: each source that is defined is a consumer group whose messages become
// events by the source's mapping. docs/sources.md describes sources for people.
//
// An offset is committed once the engine has made the events of the messages before it durable, or the quarantine the
// messages themselves. So after a crash some messages are read again; their events have ids made of topic, partition
// and offset, and the engine keeps one of each.
package kafka

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Ingester takes events. It returns once they are durable, all or none; one whose message id is known is passed over.
// Unavailable: none was taken, and they may be given again.
type Ingester interface {
	Ingest(ctx context.Context, events []*event.Event) error
}

// Quarantine keeps messages that could not become events.
type Quarantine interface {
	// Quarantine keeps messages durably. One that the source has there already stays as it is.
	Quarantine(ctx context.Context, messages []source.Quarantined) error
	// QuarantineSize counts the messages of a source.
	QuarantineSize(ctx context.Context, source string) (int, error)
	// DropQuarantined removes a message.
	DropQuarantined(ctx context.Context, id int64) error
	// NoteAttempt keeps why another attempt has failed.
	NoteAttempt(ctx context.Context, id int64, reason string) error
}

// Config is what Sources need.
type Config struct {
	Ingest     Ingester
	Quarantine Quarantine
	// Secret reads a secret that definitions name; NotFound where there is none.
	Secret func(ctx context.Context, name string) (string, error)
	Reach  reach.Policy // which addresses may be called
	Now    func() time.Time
	Log    *slog.Logger

	Every time.Duration // between looks at how far the reading is; default 5 s
}

// Sources reads what is defined, while Run runs. Its methods may be called from any goroutine.
type Sources struct {
	config Config
	mu     sync.Mutex
	base   context.Context // of Run; nil while it does not run
	wanted map[string]source.Source
	feeds  map[string]*feed
	group  sync.WaitGroup
}

// New makes Sources that read nothing yet.
func New(config Config) *Sources {
	if config.Every == 0 {
		config.Every = 5 * time.Second
	}
	return &Sources{config: config, wanted: map[string]source.Source{}, feeds: map[string]*feed{}}
}

// Check finds what is wrong with a definition whose defaults are filled in, its mapping and schema included, without
// calling anybody. Faults name fields.
func Check(d source.Definition) error {
	if err := d.Validate(); err != nil {
		return err
	}
	_, err := newReading(source.Source{Definition: d}, "", reach.Policy{})
	return err
}

// Follow makes the sources those that are given: what is new begins, what is no more ends, and what has changed begins
// anew where it was.
func (s *Sources) Follow(sources []source.Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := make(map[string]source.Source, len(sources))
	for _, one := range sources {
		wanted[one.Name] = one
	}
	s.wanted = wanted
	s.settle()
}

// Renew begins those sources anew that need a secret, because it is another one now.
func (s *Sources) Renew(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range s.feeds {
		if slices.Contains(f.source.Secrets(), secret) {
			s.end(name)
		}
	}
	s.settle()
}

// Poke has a source that waits for something try again at once.
func (s *Sources) Poke(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[name]; f != nil {
		f.poke()
	}
}

// Run reads until ctx ends, and returns when nothing is read any more.
func (s *Sources) Run(ctx context.Context) error {
	s.mu.Lock()
	s.base = ctx
	s.settle()
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.base = nil
	for name := range s.feeds {
		s.end(name)
	}
	s.mu.Unlock()
	s.group.Wait()
	return nil
}

// settle begins and ends feeds until they are what is wanted. mu is held.
func (s *Sources) settle() {
	if s.base == nil {
		return
	}
	for name, f := range s.feeds {
		if want, is := s.wanted[name]; !is || want.Paused || !reflect.DeepEqual(want, f.source) {
			s.end(name)
		}
	}
	for name, want := range s.wanted {
		if s.feeds[name] == nil && !want.Paused {
			s.begin(want)
		}
	}
}

func (s *Sources) begin(one source.Source) {
	ctx, cancel := context.WithCancel(s.base)
	f := newFeed(s.config, one, cancel)
	s.feeds[one.Name] = f
	s.group.Go(func() { f.run(ctx) })
}

func (s *Sources) end(name string) {
	s.feeds[name].cancel()
	delete(s.feeds, name)
}

// Status tells how a source is doing in this process; Paused where it is not read here.
func (s *Sources) Status(name string) source.Status {
	s.mu.Lock()
	f, want := s.feeds[name], s.wanted[name]
	s.mu.Unlock()
	if f != nil {
		return f.status()
	}
	status := source.Status{State: source.Paused}
	if !want.Paused {
		status.State = source.Starting
	}
	return status
}

// Retry makes the event of a message in quarantine by its source's mapping as it now is. Taken, the message leaves the
// quarantine; Invalid says what is still wrong, and it stays. Conflict where it cannot be tried again at all.
func (s *Sources) Retry(ctx context.Context, q source.Quarantined) error {
	s.mu.Lock()
	one, is := s.wanted[q.Source]
	s.mu.Unlock()
	switch {
	case !is:
		return fault.New(fault.Conflict, "there is no source %q any more; discard the message, or define the source again", q.Source)
	case q.Clipped():
		return fault.New(fault.Conflict, "the message has %d bytes, of which only the beginning is kept; it can only be discarded", q.Size)
	}
	err := s.retry(ctx, one, q)
	if fault.CodeOf(err) == fault.Invalid {
		if noted := s.config.Quarantine.NoteAttempt(ctx, q.ID, err.Error()); noted != nil {
			return noted
		}
	}
	if err != nil {
		return err
	}
	if err := s.config.Quarantine.DropQuarantined(ctx, q.ID); err != nil {
		return err
	}
	s.Poke(q.Source)
	return nil
}

func (s *Sources) retry(ctx context.Context, one source.Source, q source.Quarantined) error {
	read, err := openReading(ctx, s.config, one)
	if err != nil {
		return err
	}
	_, made, err := read.make(ctx, q.Message, s.config.Now())
	if err != nil || made == nil { // the mapping does not want it any more
		return err
	}
	return s.config.Ingest.Ingest(ctx, []*event.Event{made})
}

// Try makes the event of a message by a definition whose defaults are filled in, and gives it as it would be kept, in
// Segment's form; nil where the mapping does not want the message. Invalid says what is wrong with either.
func (s *Sources) Try(ctx context.Context, d source.Definition, m source.Message) (json.RawMessage, error) {
	if err := Check(d); err != nil {
		return nil, err
	}
	read, err := openReading(ctx, s.config, source.Source{Name: "try", Definition: d})
	if err != nil {
		return nil, err
	}
	raw, made, err := read.make(ctx, m, s.config.Now())
	if err != nil || made == nil {
		return nil, err
	}
	return raw, nil
}
