package store

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

const (
	queriesAtOnce  = 2
	queryCompiles  = 2 * time.Second // how long compiling may take
	nowParameter   = "now"
	parametersHint = "has parameters; there is only :now, the moment of the run in microseconds since 1970"
)

// question is a query that is not ours. Without each it is compiled and not run.
type question struct {
	text  string
	now   time.Time
	limit time.Duration
	begin func(columns []string) error
	each  func(row []any) error
}

// turns lets some queries run at a time.
type turns chan struct{}

// take waits for a turn, which release gives back.
func (t turns) take(ctx context.Context) (release func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "other queries are running")
	}
}

// CheckQuery implements query.Source.
func (s *Store) CheckQuery(ctx context.Context, text string) (columns []string, err error) {
	err = s.db.ask(ctx, question{text: text, limit: queryCompiles, begin: func(names []string) error {
		columns = names
		return nil
	}})
	return columns, err
}

// Query implements query.Source.
func (s *Store) Query(ctx context.Context, text string, now time.Time, limit time.Duration, begin func(columns []string) error, each func(row []any) error) error {
	if err := s.Settle(ctx); err != nil {
		return err
	}
	return s.db.ask(ctx, question{text, now, limit, begin, each})
}

// queryTables are the tables and columns that a query may read.
var queryTables = func() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, t := range query.Tables() {
		all[t.Name] = map[string]bool{}
		for _, c := range t.Columns {
			all[t.Name][c.Name] = true
		}
	}
	return all
}()

// at is a fault at a byte of the text; with no place where that is negative.
func at(text string, offset int, format string, args ...any) error {
	f := fault.Field("sql", format, args...)
	if offset >= 0 && offset <= len(text) {
		before := text[:offset]
		f.Line = strings.Count(before, "\n") + 1
		f.Column = utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
	}
	return f
}

// onlyStatement refuses a text that goes on after its first statement, whose end is a byte of it.
func onlyStatement(text string, end int) error {
	if rest := comments.ReplaceAllString(text[end:], ""); strings.Trim(rest, "; \t\r\n") != "" {
		return at(text, end, "has a second statement; a query is one SELECT")
	}
	return nil
}

var comments = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?(?:\*/|$)`)
