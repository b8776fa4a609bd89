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
	var from []byte // the place of the last transition of the page before
	if before != "" {
		if from, err = hex.DecodeString(before); err != nil || len(from) != eventKeySize+2 {
			return nil, "", fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
	}
	p, err := s.Profile(ctx, profileID)
	if err != nil {
		return nil, "", err
	}
	h := s.historyOf(p.Parts())
	defer h.Close()
	var last []byte // the place of the page's last
	err = h.newest(ctx, p.Parts(), from, func(r record) error {
		if isEvent(r) {
			return nil
		}
		transitions, err := decodeTransitions(r)
		if err != nil {
			return err
		}
		for i := len(transitions) - 1; i >= 0; i-- {
			// The place of its record, and which of the record's it is.
			place := binary.BigEndian.AppendUint16(placeOf(r), uint16(i))
			if segment != "" && transitions[i].Segment != segment || from != nil && bytes.Compare(place, from) >= 0 {
				continue
			}
			if len(page) == limit {
				next = hex.EncodeToString(last)
				return errEnough
			}
			page, last = append(page, transitions[i]), place
		}
		return nil
	})
	return page, next, err
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
