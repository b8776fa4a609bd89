package store

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"maps"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// The log holds records of two kinds under keys of one form: events, and the transitions into and out of segments. The
// first byte of a value tells them apart: the type of an event, or transitionKind.
const transitionKind = 0x40

// isEvent reports whether a record is an event, and not a transition.
func isEvent(r record) bool { return len(r.value) > 0 && int(r.value[0]) < len(storedTypes) }

// What a transition's flags say.
const enteredFlag = 1

// The kinds of causes, by their stored number. Append only.
var storedCauses = [...]string{
	engine.ByEvent, engine.ByTime, engine.ByMerge, engine.ByUnmerge, engine.ByDefinition, engine.ByOverride,
}

// transitionRecord stores the transition that is the nth of its commit.
func transitionRecord(t engine.Transition, nth int) record {
	// Transitions of one moment stay in the order of their happening, behind half of the moment's events.
	key := recordKey(t.ProfileID, t.At, 1<<63|uint64(nth)<<32|uint64(segmentTie(t.Segment)))
	flags := byte(0)
	if t.Entered {
		flags |= enteredFlag
	}
	cause := byte(0)
	for i, kind := range storedCauses {
		if kind == t.Cause.Kind {
			cause = byte(i)
		}
	}
	buf := append(make([]byte, 0, 32+len(t.Segment)+len(t.Cause.MessageID)), transitionKind, flags, cause)
	buf = binary.AppendVarint(buf, t.Since)
	for _, s := range [...]string{t.Segment, t.Cause.MessageID} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	return record{key, buf}
}

func segmentTie(segment string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(segment))
	return h.Sum32()
}

func decodeTransition(r record) (t engine.Transition, err error) {
	data := r.value
	if len(r.key) != eventKeySize || len(data) < 3 || data[0] != transitionKind || int(data[2]) >= len(storedCauses) {
		return t, errPage
	}
	t = engine.Transition{
		ProfileID: keyProfile(r.key), At: keyTime(r.key), Entered: data[1]&enteredFlag != 0, Cause: engine.Cause{Kind: storedCauses[data[2]]},
	}
	since, n := binary.Varint(data[3:])
	if n <= 0 {
		return t, errPage
	}
	t.Since = since
	data = data[3+n:]
	for _, field := range [...]*string{&t.Segment, &t.Cause.MessageID} {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return t, errPage
		}
		*field = string(data[n : n+int(size)])
		data = data[n+int(size):]
	}
	return t, nil
}

// blockOf is what a batch appends to the log.
func (l *eventLog) blockOf(b *engine.Batch) *block {
	logged := &block{at: b.Now, records: make([]record, len(b.Events)), hashes: make([][idSize]byte, len(b.Events))}
	for i, a := range b.Events {
		logged.records[i] = record{eventKey(a.ProfileID, a.Event), encodeEvent(a.Event)}
		logged.hashes[i] = idHash(a.Event.MessageID)
	}
	if b.Changes != nil {
		for i, t := range b.Changes.Transitions {
			logged.records = append(logged.records, transitionRecord(t, i))
		}
	}
	if b.Split != nil {
		for _, m := range b.Split.Moved {
			l.move(logged, m)
		}
	}
	return logged
}

// move gives an event another owner: the copy under the old one is buried, and a new one is written, unless the new
// owner had the event before, whose copy is then raised.
func (l *eventLog) move(into *block, m engine.Moved) {
	into.buried = append(into.buried, eventKey(m.From, m.Event))
	key := eventKey(m.To, m.Event)
	if l.isBuried(key) {
		into.raised = append(into.raised, key)
		return
	}
	value := encodeEvent(m.Event)
	value[1] |= movedFlag
	into.records = append(into.records, record{key, value})
	into.hashes = append(into.hashes, idHash(m.Event.MessageID))
}

// writeMoves keeps which copies of events count no more.
func writeMoves(c *Conn, b *block) error {
	for _, key := range b.raised {
		if _, err := c.Exec(`DELETE FROM buried_events WHERE key = $1`, key); err != nil {
			return err
		}
	}
	for _, key := range b.buried {
		if _, err := c.Exec(`INSERT INTO buried_events (key) VALUES ($1)`, key); err != nil {
			return err
		}
	}
	return nil
}

// recordKey orders records by profile, time and tie.
func recordKey(profileID, at int64, tie uint64) []byte {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, eventKeySize), uint64(profileID))
	key = binary.BigEndian.AppendUint64(key, uint64(at)^(1<<63))
	return binary.BigEndian.AppendUint64(key, tie)
}

// eventKey orders events by profile, time and tie.
func eventKey(profileID int64, e *event.Event) []byte {
	return recordKey(profileID, e.Timestamp.UnixMicro(), event.Tie(e.MessageID))
}

// profileKey is the least key of a profile.
func profileKey(profileID int64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, eventKeySize), uint64(profileID))
}

func keyProfile(key []byte) int64 { return int64(binary.BigEndian.Uint64(key)) }

func keyTime(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[8:]) ^ (1 << 63)) }

// bury notes which copies of events count no more, or again.
func (l *eventLog) bury(b *block) {
	if len(b.buried)+len(b.raised) == 0 {
		return
	}
	buried := maps.Clone(l.buried)
	for _, key := range b.raised {
		delete(buried, [eventKeySize]byte(key))
	}
	for _, key := range b.buried {
		buried[[eventKeySize]byte(key)] = struct{}{}
	}
	l.total += int64(len(l.buried) - len(buried))
	l.buried = buried
}

func (l *eventLog) isBuried(key []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, is := l.buried[[eventKeySize]byte(key)]
	return is
}

func (s *Store) loadBuried(ctx context.Context, l *eventLog) error {
	l.buried = map[[eventKeySize]byte]struct{}{}
	var all block
	err := s.View(ctx, func(c *Conn) error {
		return c.Query(`SELECT key FROM buried_events`, nil, func(r Row) error {
			all.buried = append(all.buried, r.Bytes(0))
			return nil
		})
	})
	l.bury(&all)
	return err
}
