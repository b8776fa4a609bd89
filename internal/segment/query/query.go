// Package query runs the queries of SQL segments: when, within which limits, and what of their results the engine must
// be told.
package query

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Limits of a query and its result.
const (
	runTime    = 30 * time.Second
	maxRows    = 1_000_000
	maxColumns = 20  // beside profile_id
	maxText    = 500 // bytes of one value
	maxBytes   = 64 << 20
)

// idColumn is the column that every query must have.
const idColumn = "profile_id"

// Source answers queries. It lets them read Tables and nothing else. What is wrong with a query is Invalid with Field
// "sql", with line and column where they are known.
type Source interface {
	// CheckQuery compiles a query without running it, and names what it selects.
	CheckQuery(ctx context.Context, sql string) (columns []string, err error)
	// Query runs a query at a moment, for no longer than the limit. It calls begin once, with the names of the columns, and
	// each with every row, which is valid during the call; values are int64, float64, string, []byte or nil.
	Query(ctx context.Context, sql string, now time.Time, limit time.Duration, begin func(columns []string) error, each func(row []any) error) error
	// ProfileNumber reads the id by which the outside calls a profile.
	ProfileNumber(public string) (int64, bool)
}

// Check says what is wrong with the query of a segment.
func Check(ctx context.Context, source Source, sql string) error {
	columns, err := source.CheckQuery(ctx, sql)
	if err != nil {
		return err
	}
	_, err = shapeOf(columns)
	return err
}

// shape is what the columns of a result are.
type shape struct {
	id    int // place of profile_id
	names []string
}

var columnPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func shapeOf(columns []string) (shape, error) {
	s := shape{id: slices.Index(columns, idColumn), names: columns}
	if s.id < 0 {
		return s, fault.Field("sql", "selects no column profile_id; name the customer, such as SELECT id AS profile_id FROM profiles")
	}
	if len(columns) > maxColumns+1 {
		return s, fault.Field("sql", "selects %d columns beside profile_id; there may be %d", len(columns)-1, maxColumns)
	}
	for i, name := range columns {
		switch {
		case slices.Index(columns, name) < i:
			return s, fault.Field("sql", "selects two columns called %.80s; give one another name with AS", name)
		case !columnPattern.MatchString(name):
			return s, fault.Field("sql", "selects a column called %.80q; name it with AS, in letters, digits and _", name)
		}
	}
	return s, nil
}

// further are the names of the columns beside profile_id.
func (s shape) further() []string {
	return slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return name == idColumn })
}

// profile is the id in a row; false where it has none.
func (s shape) profile(source Source, row []any) (id int64, ok bool, err error) {
	switch v := row[s.id].(type) {
	case nil:
		return 0, false, nil
	case int64:
		return v, true, nil
	case float64:
		if id := int64(v); float64(id) == v {
			return id, true, nil
		}
	case string:
		if id, ok := source.ProfileNumber(v); ok {
			return id, true, nil
		}
	}
	return 0, false, fault.Field("sql", "gives %.80q as profile_id, which is no customer's; select profiles.id, or the profile_id of another table", fmt.Sprint(row[s.id]))
}

// NoColumns is what is kept of a row without further columns.
const NoColumns = "{}"

// columns are the further values of a row, as JSON.
func (s shape) columns(row []any) (string, error) {
	var values map[string]any
	for i, v := range row {
		if i == s.id || v == nil {
			continue
		}
		plain, err := plainValue(s.names[i], v)
		if err != nil {
			return "", err
		}
		if values == nil {
			values = make(map[string]any, len(row))
		}
		values[s.names[i]] = plain
	}
	if values == nil {
		return NoColumns, nil
	}
	text, err := json.Marshal(values)
	return string(text), fault.Wrap(fault.Internal, err, "a row cannot be kept")
}

func plainValue(name string, v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, fault.Field("sql", "gives a number in %s that is not finite", name)
		}
		return v, nil
	case bool:
		return v, nil
	case string:
		if len(v) > maxText {
			return nil, fault.Field("sql", "gives a text of %d bytes in %s; there may be %d, see substr", len(v), name, maxText)
		}
		if utf8.ValidString(v) {
			return v, nil
		}
	}
	return nil, fault.Field("sql", "gives bytes in %s, which are no text", name)
}

// result is what a query says, by profile; the values are the further columns as JSON.
type result struct {
	columns []string
	rows    map[int64]string
	unnamed int // rows without a profile
	twice   int // rows that named a profile again
}

// read runs a query, and calls each with what it says of a customer, as it comes.
func read(ctx context.Context, source Source, sql string, now time.Time, limit time.Duration, each func(id int64, columns string) error) (*result, error) {
	r := &result{rows: map[int64]string{}}
	var s shape
	size := 0
	begin := func(columns []string) (err error) {
		s, err = shapeOf(columns)
		r.columns = s.further()
		return err
	}
	err := source.Query(ctx, sql, now, limit, begin, func(row []any) error {
		id, named, err := s.profile(source, row)
		if err != nil {
			return err
		}
		if !named {
			r.unnamed++
			return nil
		}
		if _, again := r.rows[id]; again {
			r.twice++
			return nil
		}
		columns, err := s.columns(row)
		if err != nil {
			return err
		}
		if size += len(columns); size > maxBytes || len(r.rows) >= maxRows {
			return fault.Field("sql", "gives more than %d customers, or more than %d MB of columns; narrow it down", maxRows, maxBytes>>20)
		}
		r.rows[id] = columns
		return each(id, columns)
	})
	return r, err
}
