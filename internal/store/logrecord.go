package store

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/wire"
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
	engine.ByEvent, engine.ByTime, engine.ByMerge, engine.ByUnmerge, engine.ByDefinition, engine.ByOverride, engine.BySQL,
	engine.ByDeletion,
}

// addTransitions packs the transitions of a commit: one record for those of a profile that have one moment and one cause.
func addTransitions(to *packed, transitions []engine.Transition) {
	var key, value []byte
	for begin := 0; begin < len(transitions); {
		t := &transitions[begin]
		// Those of one moment stay in the order of their happening, behind half of the moment's events.
		key = appendKey(key[:0], t.ProfileID, t.At, 1<<63|uint64(begin)<<32|uint64(segmentTie(t.Segment)))
		cause := slices.Index(storedCauses[:], t.Cause.Kind)
		value = append(value[:0], transitionKind, byte(max(cause, 0)))
		value = wire.AppendText(value, t.Cause.MessageID)
		end := begin
		for ; end < len(transitions) && transitions[end].ProfileID == t.ProfileID && transitions[end].At == t.At && transitions[end].Cause == t.Cause; end++ {
			one := &transitions[end]
			flags := byte(0)
			if one.Entered {
				flags |= enteredFlag
			}
			value = binary.AppendVarint(wire.AppendText(append(value, flags), one.Segment), one.At-one.Since)
		}
		to.add(record{key, value})
		begin = end
	}
}

func segmentTie(segment string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(segment))
	return h.Sum32()
}

// decodeTransitions reads the transitions of a record, in the order of their happening.
func decodeTransitions(r record) (transitions []engine.Transition, err error) {
	if len(r.key) != eventKeySize || len(r.value) < 2 || r.value[0] != transitionKind || int(r.value[1]) >= len(storedCauses) {
		return nil, errPage
	}
	d := wire.NewDecoder(r.value[2:])
	cause := engine.Cause{Kind: storedCauses[r.value[1]], MessageID: d.Text()}
	for d.More() {
		t := engine.Transition{ProfileID: keyProfile(r.key), At: keyTime(r.key), Cause: cause}
		t.Entered = d.Byte()&enteredFlag != 0
		t.Segment = d.Name()
		t.Since = t.At - d.Varint()
		transitions = append(transitions, t)
	}
	if d.Err() != nil {
		return nil, errPage
	}
	return transitions, nil
}

// blockOf is what a batch appends to the log.
func (l *blockLog) blockOf(b *engine.Batch) *block {
	logged := &block{at: b.Now, hashes: make([][idSize]byte, len(b.Events))}
	logged.records = pack(func(to *packed) {
		var key, value []byte
		for i, a := range b.Events {
			key = appendKey(key[:0], a.ProfileID, a.Event.Timestamp.UnixMicro(), event.Tie(a.Event.MessageID))
			value = appendEvent(value[:0], a.Event)
			to.add(record{key, value})
			logged.hashes[i] = idHash(a.Event.MessageID)
		}
		if b.Changes != nil {
			addTransitions(to, b.Changes.Transitions)
		}
		if b.Split != nil {
			for _, m := range b.Split.Moved {
				l.move(logged, to, m)
			}
		}
	})
	return logged
}

// move gives an event another owner: the copy under the old one is buried, and a new one is written, unless the new
// owner had the event before, whose copy is then raised.
func (l *blockLog) move(into *block, to *packed, m engine.Moved) {
	into.buried = append(into.buried, eventKey(m.From, m.Event))
	key := eventKey(m.To, m.Event)
	if l.isBuried(key) {
		into.raised = append(into.raised, key)
		return
	}
	value := encodeEvent(m.Event)
	value[1] |= movedFlag
	to.add(record{key, value})
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
	return appendKey(make([]byte, 0, eventKeySize), profileID, at, tie)
}

func appendKey(buf []byte, profileID, at int64, tie uint64) []byte {
	buf = binary.BigEndian.AppendUint64(buf, uint64(profileID))
	buf = binary.BigEndian.AppendUint64(buf, uint64(at)^(1<<63))
	return binary.BigEndian.AppendUint64(buf, tie)
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
func (l *blockLog) bury(b *block) {
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

func (l *blockLog) isBuried(key []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, is := l.buried[[eventKeySize]byte(key)]
	return is
}

func (l *blockLog) loadBuried(ctx context.Context) error {
	var all block
	err := l.db.view(ctx, anyone, func(c *Conn) error {
		return c.Query(`SELECT key FROM buried_events`, nil, func(r Row) error {
			all.buried = append(all.buried, r.Bytes(0))
			return nil
		})
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total += int64(len(l.buried))
	l.buried = map[[eventKeySize]byte]struct{}{}
	l.bury(&all)
	return err
}
