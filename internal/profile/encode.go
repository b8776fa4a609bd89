package profile

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/report"
	"github.com/tailorbird/tailorbird/internal/wire"
)

// stateForm is the first byte of a stored profile.
const stateForm = 2

const (
	withdrawnFlag = 1 << iota
	subscriptionFlag
)

// State is the stored form of the whole profile. It is not to be changed: the profile goes on with parts of it.
func (p *Profile) State() []byte {
	p.added = nil
	return p.pack()
}

func (p *Profile) pack() []byte {
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
		buf = p.Subscription.append(buf)
	}
	buf = p.Traits.append(buf)
	traits := len(buf)
	buf = p.Preferences.append(buf)
	preferences := len(buf)
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
	buf = binary.AppendUvarint(buf, uint64(len(p.Withdrawals)))
	for _, w := range p.Withdrawals {
		buf = wire.AppendFixed(binary.AppendVarint(binary.AppendVarint(buf, w.At), w.Told), w.Tie)
		buf = wire.AppendValue(buf, w.Own)
	}
	buf = appendOverrides(buf, p.Overrides)
	buf = appendGiven(buf, p.Given)
	buf = p.Segments.append(buf)
	segments := len(buf)
	buf = p.Computed.append(buf)
	computed := len(buf)
	buf = binary.AppendUvarint(buf, uint64(len(p.Touches)))
	for _, t := range p.Touches {
		buf = wire.AppendText(binary.AppendVarint(buf, t.MessageID), t.Campaign)
		for _, at := range [...]time.Time{t.SentAt, t.OpenedAt, t.ClickedAt} {
			buf = appendTime(buf, at)
		}
	}
	touches := len(buf)
	buf = p.Timers.append(buf)
	timers := len(buf)
	buf = p.Aggregates.append(buf)
	p.Traits.share(buf[:traits])
	p.Preferences.share(buf[:preferences])
	p.Segments.share(buf[:segments])
	p.Computed.share(buf[:computed])
	p.Timers.share(buf[touches:timers:timers])
	p.Aggregates.share(buf, timers)
	p.stored = len(buf)
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
const keepOpen = 1024

// append adds the aggregates that hold anything, each with its length, to the profile's stored form, which ends with them.
func (a *Aggregates) append(buf []byte) []byte {
	if len(a.live) == 0 && a.unread != nil {
		return append(buf, a.unread...)
	}
	a.read()
	a.dropEmpty()
	buf = binary.AppendUvarint(buf, uint64(len(a.kept)))
	looked := a.live
	var open []liveAggregate
	for _, k := range a.kept {
		buf = binary.AppendVarint(buf, k.term)
		size := int(k.end - k.begin)
		live := len(looked) > 0 && looked[0].term == k.term
		if live && looked[0].changed {
			buf, size = wire.AppendMade(buf, looked[0].Append)
		} else {
			buf = wire.AppendBytes(buf, a.stored[k.begin:k.end])
		}
		if live && size >= keepOpen {
			open = append(open, liveAggregate{k.term, false, looked[0].Aggregate})
		}
		if live {
			looked = looked[1:]
		}
	}
	a.live = open
	return buf
}

// share makes do with what they were stored in, from a place on, which nobody changes.
func (a *Aggregates) share(stored []byte, from int) {
	a.kept, a.room, a.stored, a.unread = nil, nil, stored, stored[from:]
}

// dropEmpty drops the aggregates that hold nothing any more.
func (a *Aggregates) dropEmpty() {
	if !slices.ContainsFunc(a.live, liveAggregate.Empty) {
		return
	}
	a.kept = slices.DeleteFunc(a.kept, func(k keptAggregate) bool {
		i, looked := a.findLive(k.term)
		return looked && a.live[i].Empty()
	})
	a.live = slices.DeleteFunc(a.live, liveAggregate.Empty)
}

// decode reads what append wrote, at the end of a profile's stored form.
func (a *Aggregates) decode(d *wire.Decoder, stored []byte) {
	a.stored, a.unread = stored, d.Span(func() {
		for range d.Length() {
			d.Varint()
			d.Bytes()
		}
	})
}

// FromState reads a profile back. It keeps data.
func FromState(id int64, data []byte) (*Profile, error) {
	d := wire.NewDecoder(data)
	if form := d.Byte(); form != stateForm {
		return nil, fmt.Errorf("profile: stored in the form %d, which this release does not know: %w", form, wire.ErrDamaged)
	}
	flags := d.Byte()
	p := &Profile{ID: id}
	for _, at := range [...]*int64{&p.CreatedAt, &p.UpdatedAt, &p.FirstSeenAt, &p.LastSeenAt, &p.MergedInto} {
		*at = d.Varint()
	}
	p.Withdrawn = flags&withdrawnFlag != 0
	if flags&subscriptionFlag != 0 {
		p.Subscription = decodeTrait(d)
	}
	p.Traits.decode(d, passTrait)
	p.Preferences.decode(d, passTrait)
	for range d.Length() {
		p.Identifiers = append(p.Identifiers, identity.Identifier{Type: d.Name(), Value: d.Text()})
	}
	for _, ids := range [...]*[]int64{&p.Absorbed, &p.Apart} {
		for range d.Length() {
			*ids = append(*ids, d.Varint())
		}
	}
	for range d.Length() {
		w := Withdrawal{At: d.Varint(), Told: d.Varint(), Tie: d.Fixed()}
		w.Own = d.Value() == true
		p.Withdrawals = append(p.Withdrawals, w)
	}
	p.Overrides = decodeOverrides(d)
	p.Given = decodeGiven(d)
	p.Segments.decode(d, func(d *wire.Decoder) { d.Varint() })
	p.Computed.decode(d, (*wire.Decoder).Pass)
	for range d.Length() {
		t := report.Touch{MessageID: d.Varint(), Campaign: d.Name()}
		for _, at := range [...]*time.Time{&t.SentAt, &t.OpenedAt, &t.ClickedAt} {
			if us := d.Varint(); us != 0 {
				*at = time.UnixMicro(us).UTC()
			}
		}
		p.Touches = append(p.Touches, t)
	}
	p.Timers.decode(d)
	p.Aggregates.decode(d, data)
	p.stored = len(data)
	return p, d.Err()
}
