package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// word is the name of an event or a trait that has been seen.
type word struct{ kind, name string }

const (
	eventWord = "event"
	traitWord = "trait"
	maxWords  = 10_000 // names beyond are not kept
)

// words are the known ones, so that a commit writes only new ones.
type words struct {
	mu    sync.Mutex
	known map[word]bool
}

func (s *Store) loadWords(ctx context.Context) error {
	s.words.known = map[word]bool{}
	return s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT kind, name FROM words`, nil, func(r Row) error {
			s.words.known[word{r.Text(0), r.Text(1)}] = true
			return nil
		})
	})
}

// fresh adds the names of events that are not known yet.
func (w *words) fresh(events map[string]bool, to map[word]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range events {
		w.note(word{eventWord, name}, to)
	}
}

// freshOf adds the names of traits that are not known yet.
func (w *words) freshOf(traits *profile.Traits, to map[word]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range traits.Names() {
		w.note(word{traitWord, string(name)}, to)
	}
}

func (w *words) note(one word, to map[word]bool) {
	if !w.known[one] && len(w.known)+len(to) < maxWords {
		to[one] = true
	}
}

func (w *words) keep(fresh map[word]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range fresh {
		w.known[one] = true
	}
}

func writeWords(c *Conn, fresh map[word]bool) error {
	inOrder := func(a, b word) int { return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name)) }
	var rows [][]any
	for _, one := range slices.SortedFunc(maps.Keys(fresh), inOrder) {
		rows = append(rows, []any{one.kind, one.name})
	}
	return c.ExecEach(`INSERT INTO words (kind, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, rows)
}

// Words lists the names of events and of traits that have been seen or said by hand, by name, and tells whether these are all.
func (s *Store) Words(ctx context.Context) (events, traits []string, all bool, err error) {
	err = s.View(ctx, func(c *Conn) error {
		return c.Query(`SELECT kind, name FROM words ORDER BY kind, name LIMIT $1`, []any{maxWords}, func(r Row) error {
			if r.Text(0) == eventWord {
				events = append(events, r.Text(1))
			} else {
				traits = append(traits, r.Text(1))
			}
			return nil
		})
	})
	return events, traits, len(events)+len(traits) < maxWords, err
}
