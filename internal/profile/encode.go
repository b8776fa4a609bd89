package profile

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/report"
	"github.com/tailorbird/tailorbird/internal/wire"
)

// stateForm is the first byte of a stored profile.
const stateForm = 1

const (
	withdrawnFlag = 1 << iota
	subscriptionFlag
)

// State is the stored form of the whole profile. It is not to be changed: what it says of aggregates is kept for the next
// time.
func (p *Profile) State() []byte {
	buf := make([]byte, 0, max(512, p.stored+p.stored/16))
	flags := byte(0)
	if p.Withdrawn {
		flags |= withdrawnFlag
	}
	if p.Subscription.Value != nil {
		flags |= subscriptionFlag
	}
	buf = append(buf, stateForm, flags)
	for _, at := range [...]int64{p.CreatedAt, p.UpdatedAt, p.FirstSeenAt, p.LastSeenAt, p.MergedInto} {
		buf = binary.AppendVarint(buf, at)
	}
	if p.Subscription.Value != nil {
		buf = appendTrait(buf, p.Subscription)
	}
	buf = appendTraits(buf, p.Traits)
	buf = appendTraits(buf, p.Preferences)
	buf = binary.AppendUvarint(buf, uint64(len(p.Identifiers)))
	for _, id := range p.Identifiers {
		buf = wire.AppendText(wire.AppendText(buf, id.Type), id.Value)
	}
	for _, ids := range [...][]int64{p.Absorbed, p.Apart} {
		buf = binary.AppendUvarint(buf, uint64(len(ids)))
		for _, id := range ids {
			buf = binary.AppendVarint(buf, id)
		}
	}
	buf = appendOverrides(buf, p.Overrides)
	buf = binary.AppendUvarint(buf, uint64(len(p.Segments)))
	for name, since := range p.Segments {
		buf = binary.AppendVarint(wire.AppendText(buf, name), since)
	}
	buf = binary.AppendUvarint(buf, uint64(len(p.Computed)))
	for name, v := range p.Computed {
		buf = wire.AppendValue(wire.AppendText(buf, name), v)
	}
	buf = binary.AppendUvarint(buf, uint64(len(p.Touches)))
	for _, t := range p.Touches {
		buf = wire.AppendText(binary.AppendVarint(buf, t.MessageID), t.Campaign)
		for _, at := range [...]time.Time{t.SentAt, t.OpenedAt, t.ClickedAt} {
			buf = appendTime(buf, at)
		}
	}
	buf = binary.AppendUvarint(buf, uint64(len(p.Timers.set)))
	for _, t := range p.Timers.set {
		buf = binary.AppendVarint(binary.AppendVarint(buf, t.rule), t.at)
	}
	buf = p.Aggregates.append(buf)
	p.stored = len(buf)
	return buf
}

func appendTrait(buf []byte, t Trait) []byte {
	return wire.AppendFixed(binary.AppendVarint(wire.AppendValue(buf, t.Value), t.At), t.Tie)
}

func appendTraits(buf []byte, traits map[string]Trait) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(traits)))
	for name, t := range traits {
		buf = appendTrait(wire.AppendText(buf, name), t)
	}
	return buf
}

// appendTime writes a time in µs; the zero time is 0, a moment that nothing of ours happened at.
func appendTime(buf []byte, at time.Time) []byte {
	if at.IsZero() {
		return append(buf, 0)
	}
	return binary.AppendVarint(buf, at.UnixMicro())
}

// keepOpen is the size from which an aggregate stays open once it is stored: small ones are opened again faster than the
// collector follows them around.
const keepOpen = 256

// append adds the aggregates that hold anything, each with its length.
func (a *Aggregates) append(buf []byte) []byte {
	var scratch []byte
	ends := make([]int, len(a.kept))
	for i := range a.kept {
		k := &a.kept[i]
		if k.live != nil && k.live.Empty() {
			k.raw = nil
			continue
		}
		raw := k.raw
		if raw == nil {
			scratch = k.live.Append(scratch[:0])
			raw = scratch
		}
		buf = wire.AppendBytes(binary.AppendVarint(buf, k.term), raw)
		if k.raw == nil {
			ends[i] = len(buf)
			k.raw = raw[:len(raw):len(raw)] // its length, until buf moves no more
		}
	}
	for i, end := range ends {
		k := &a.kept[i]
		if n := len(k.raw); end > 0 {
			k.raw = buf[end-n : end : end]
		}
		if len(k.raw) > 0 && len(k.raw) < keepOpen {
			k.live = nil
		}
	}
	return buf
}

// FromState reads a profile back. It keeps data.
func FromState(id int64, data []byte) (*Profile, error) {
	d := wire.NewDecoder(data)
	if form := d.Byte(); form != stateForm {
		return nil, fmt.Errorf("profile: stored in the form %d, which this release does not know: %w", form, wire.ErrDamaged)
	}
	flags := d.Byte()
	p := New(id, 0)
	for _, at := range [...]*int64{&p.CreatedAt, &p.UpdatedAt, &p.FirstSeenAt, &p.LastSeenAt, &p.MergedInto} {
		*at = d.Varint()
	}
	p.Withdrawn = flags&withdrawnFlag != 0
	if flags&subscriptionFlag != 0 {
		p.Subscription = decodeTrait(d)
	}
	decodeTraits(d, p.Traits)
	decodeTraits(d, p.Preferences)
	for range d.Length() {
		p.Identifiers = append(p.Identifiers, identity.Identifier{Type: d.Text(), Value: d.Text()})
	}
	for _, ids := range [...]*[]int64{&p.Absorbed, &p.Apart} {
		for range d.Length() {
			*ids = append(*ids, d.Varint())
		}
	}
	p.Overrides = decodeOverrides(d)
	for range d.Length() {
		name := d.Text()
		p.Segments[name] = d.Varint()
	}
	for range d.Length() {
		name := d.Text()
		p.Computed[name] = d.Value()
	}
	for range d.Length() {
		t := report.Touch{MessageID: d.Varint(), Campaign: d.Text()}
		for _, at := range [...]*time.Time{&t.SentAt, &t.OpenedAt, &t.ClickedAt} {
			if us := d.Varint(); us != 0 {
				*at = time.UnixMicro(us).UTC()
			}
		}
		p.Touches = append(p.Touches, t)
	}
	for range d.Length() {
		p.Timers.set = append(p.Timers.set, timer{d.Varint(), d.Varint()})
	}
	for d.More() {
		p.Aggregates.kept = append(p.Aggregates.kept, keptAggregate{term: d.Varint(), raw: d.Bytes()})
	}
	p.stored = len(data)
	return p, d.Err()
}

func decodeTrait(d *wire.Decoder) Trait {
	return Trait{Value: d.Value(), At: d.Varint(), Tie: d.Fixed()}
}

func decodeTraits(d *wire.Decoder, into map[string]Trait) {
	for range d.Length() {
		name := d.Text()
		into[name] = decodeTrait(d)
	}
}
