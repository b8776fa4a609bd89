package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Transitions lists when a profile, or one that merged into it, entered and left segments, newest first; of one segment
// where its name is given. before continues after the page that gave it as next; next is empty at the end.
func (s *Store) Transitions(ctx context.Context, profileID int64, segment, before string, limit int) (page []engine.Transition, next string, err error) {
	p, err := s.Profile(ctx, profileID)
	if err != nil {
		return nil, "", err
	}
	parts := p.Parts()
	h := s.historyOf(parts)
	defer h.Close()
	var all []pastTransition
	for _, id := range parts {
		err := h.records(ctx, id, id+1, func(r record) error {
			if isEvent(r) {
				return nil
			}
			transitions, err := decodeTransitions(r)
			for i, t := range transitions {
				if segment == "" || t.Segment == segment {
					place := append(slices.Clone(r.key[8:]), r.key[:8]...)
					all = append(all, pastTransition{binary.BigEndian.AppendUint16(place, uint16(i)), t})
				}
			}
			return err
		})
		if err != nil {
			return nil, "", err
		}
	}
	return transitionPage(all, before, limit)
}

// pastTransition is a transition with its place in the order of all: the key of its record, the profile's id last, and which
// of the record's it is.
type pastTransition struct {
	place []byte
	engine.Transition
}

// transitionPage cuts a page out of transitions; a cursor is the place of the last one of the page before.
func transitionPage(all []pastTransition, before string, limit int) (page []engine.Transition, next string, err error) {
	slices.SortFunc(all, func(a, b pastTransition) int { return bytes.Compare(b.place, a.place) })
	if before != "" {
		place, err := hex.DecodeString(before)
		if err != nil || len(place) != eventKeySize+2 {
			return nil, "", fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
		all = slices.DeleteFunc(all, func(t pastTransition) bool { return bytes.Compare(t.place, place) >= 0 })
	}
	if len(all) > limit {
		all = all[:limit]
		next = hex.EncodeToString(all[limit-1].place)
	}
	for _, t := range all {
		page = append(page, t.Transition)
	}
	return page, next, nil
}

const day = 24 * time.Hour

// writeSegmentCounts counts who entered and left segments by the day on which it was found, and how many are in each. What is
// counted of a segment that was deleted is gone with it.
func writeSegmentCounts(c *Conn, transitions []engine.Transition) error {
	type key struct {
		segment string
		day     int64
	}
	type count struct{ entered, left int64 }
	counts, grown := map[key]count{}, map[string]int64{}
	for _, t := range transitions {
		if t.Cause.Kind == engine.ByDeletion {
			continue
		}
		k := key{t.Segment, t.At / day.Microseconds()}
		n := counts[k]
		if t.Entered {
			n.entered++
			grown[t.Segment]++
		} else {
			n.left++
			grown[t.Segment]--
		}
		counts[k] = n
	}
	inOrder := func(a, b key) int { return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.day, b.day)) }
	var days, sizes [][]any
	for _, k := range slices.SortedFunc(maps.Keys(counts), inOrder) {
		days = append(days, []any{k.segment, k.day, counts[k].entered, counts[k].left})
	}
	for _, name := range slices.Sorted(maps.Keys(grown)) {
		if grown[name] != 0 {
			sizes = append(sizes, []any{name, grown[name]})
		}
	}
	return errors.Join(
		c.ExecEach(`INSERT INTO segment_days (segment, day, entered, left_it) VALUES ($1, $2, $3, $4)
			ON CONFLICT (segment, day) DO UPDATE SET entered = segment_days.entered + excluded.entered,
				left_it = segment_days.left_it + excluded.left_it`, days),
		c.ExecEach(`INSERT INTO segment_sizes (segment, members) VALUES ($1, $2)
			ON CONFLICT (segment) DO UPDATE SET members = segment_sizes.members + excluded.members`, sizes))
}

// SegmentCounts counts the members of each segment that has any.
func (s *Store) SegmentCounts(ctx context.Context) (counts map[string]int, err error) {
	err = s.View(ctx, func(c *Conn) error {
		counts, err = segmentSizes(c)
		return err
	})
	return counts, err
}

func segmentSizes(c *Conn) (map[string]int, error) {
	sizes := map[string]int{}
	err := c.Query(`SELECT segment, members FROM segment_sizes WHERE members > 0`, nil, func(r Row) error {
		sizes[r.Text(0)] = int(r.Int(1))
		return nil
	})
	return sizes, err
}

// membersOf counts the members of one segment.
func membersOf(c *Conn, segment string) (int64, error) {
	return c.Int(`SELECT members FROM segment_sizes WHERE segment = $1`, segment)
}

// SegmentHistory lists the days on which customers entered or left a segment, newest first, each with how many were in
// it at the day's end. before continues after the page that gave it as next; next is empty at the end.
func (s *Store) SegmentHistory(ctx context.Context, name, before string, limit int) (days []segment.Day, next string, err error) {
	last := int64(1<<63 - 1)
	if before != "" {
		if last, err = strconv.ParseInt(before, 10, 64); err != nil {
			return nil, "", fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
	}
	err = s.View(ctx, func(c *Conn) error {
		members, err := membersOf(c, name)
		if err != nil {
			return err
		}
		since, err := c.Int(`SELECT coalesce(sum(entered - left_it), 0) FROM segment_days WHERE segment = $1 AND day >= $2`, name, last)
		if err != nil {
			return err
		}
		members -= since
		var oldest int64
		return c.Query(`SELECT day, entered, left_it FROM segment_days WHERE segment = $1 AND day < $2 ORDER BY day DESC LIMIT $3`,
			[]any{name, last, limit + 1}, func(r Row) error {
				if len(days) == limit {
					next = strconv.FormatInt(oldest, 10)
					return nil
				}
				oldest = r.Int(0)
				one := segment.Day{Day: time.UnixMicro(oldest * day.Microseconds()).UTC(), Entered: r.Int(1), Left: r.Int(2), Members: members}
				days = append(days, one)
				members -= one.Entered - one.Left
				return nil
			})
	})
	return days, next, err
}
