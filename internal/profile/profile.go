// Package profile is who customers are: what they told us (traits, preferences), what we worked out (computed traits,
// segments), and the aggregates that keep both current.
package profile

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/report"
)

const maxTouches = 50 // messages remembered for attribution

// Profile is one customer. Only the engine changes it. Times are microseconds since 1970, UTC.
type Profile struct {
	ID          int64
	CreatedAt   int64 // the first event's time
	UpdatedAt   int64 // the last change
	FirstSeenAt int64
	LastSeenAt  int64
	MergedInto  int64 // the profile that took this one; 0 for none

	Traits       Traits
	Preferences  Traits
	Subscription Trait // Value true or false; nil: never said, which counts as subscribed
	Withdrawn    bool  // she unsubscribed at our own door
	Computed     Computed
	Withdrawals  []Withdrawal // that were told to others and hold for her, too
	Identifiers  []identity.Identifier
	Absorbed     []int64    // profiles merged into this one, whose events are its own
	Apart        []int64    // profiles that no event may join with this one
	Overrides    []Override // what a person said, which wins over events
	Given        []Given    // what the results of SQL segments say, by segment and row
	Segments     Segments
	Aggregates   Aggregates
	Timers       Timers
	Touches      []report.Touch // messages that she opened or clicked lately

	// Later are the rules that are still to say what they come to, as of LaterAt (µs), before the profile is stored or shown. It is
	// theirs to tell what each bit is.
	Later   []uint64
	LaterAt int64

	due    due      // when the store names her; see Schedule
	whose  int32    // see Offer
	stored int      // bytes of the stored form, as far as known
	added  Addition // that it was read with
}

// New begins a profile.
func New(id, at int64) *Profile {
	return &Profile{ID: id, CreatedAt: at, UpdatedAt: at}
}

// Kept are the names of the traits that the engine keeps of everybody.
var Kept = []string{"created_at", "first_seen_at", "last_seen_at", "subscribed"}

// Trait is the value that conditions and templates see under a name: overridden, else computed, else told, else kept by the
// engine; under GivenTrait what queries say.
func (p *Profile) Trait(name string) (any, bool) {
	if len(p.Overrides) > 0 {
		if o := p.Override(OverrideTrait, name); o != nil {
			return o.Value, o.Value != nil
		}
	}
	if v := p.Computed.Get(name); v != nil {
		return v, true
	}
	if name == GivenTrait {
		return p.given(), len(p.Given) > 0
	}
	if v := p.Traits.Value(name); v != nil {
		return v, true
	}
	switch name {
	case "created_at":
		return expr.FormatTime(time.UnixMicro(p.CreatedAt)), true
	case "first_seen_at":
		return expr.FormatTime(time.UnixMicro(p.FirstSeenAt)), p.FirstSeenAt != 0
	case "last_seen_at":
		return expr.FormatTime(time.UnixMicro(p.LastSeenAt)), p.LastSeenAt != 0
	case "subscribed":
		return p.Subscribed(), true
	}
	return nil, false
}

// Preference is a preference by name.
func (p *Profile) Preference(name string) (any, bool) {
	v := p.Preferences.Value(name)
	return v, v != nil
}

// Subscribed reports whether she may be sent marketing mail as far as she said.
func (p *Profile) Subscribed() bool { return p.Subscription.Value != false }

// Consent reports whether she allows mail for a purpose of expr.Purposes; for any other it knows nothing.
func (p *Profile) Consent(purpose string) (given any, known bool) {
	return p.Subscribed(), slices.Contains(expr.Purposes, purpose)
}

// InSegment reports whether she is in a segment.
func (p *Profile) InSegment(name string) bool {
	_, in := p.Segments.Since(name)
	return in
}

// Address is the e-mail address that mail goes to: the trait, else the first identifier of that type.
func (p *Profile) Address() string {
	if s, ok := p.Traits.Value(identity.Email).(string); ok && s != "" {
		if id, ok := identity.New(identity.Email, s); ok {
			return id.Value
		}
	}
	for _, id := range p.Identifiers {
		if id.Type == identity.Email {
			return id.Value
		}
	}
	return ""
}

// Tell takes what an event says about her and lists the names of the traits that changed.
func (p *Profile) Tell(e *event.Event) (changed []string, preferences bool) {
	at := Trait{At: e.Timestamp.UnixMicro(), Tie: event.Tie(e.MessageID)}
	switch e.Name {
	case event.NameUnsubscribed, event.NameEmailComplained:
		p.consent(e.ProfileID != 0, at, false, &changed)
	case event.NameSubscribed:
		p.consent(e.ProfileID != 0, at, true, &changed)
	}
	if e.Type != event.Identify {
		return changed, false
	}
	for name, v := range e.Properties() {
		if name == GivenTrait {
			continue
		}
		if told, ok := v.(map[string]any); ok && name == "preferences" {
			for key, v := range told {
				preferences = p.Preferences.Set(key, Trait{v, at.At, at.Tie}) || preferences
			}
			continue
		}
		if p.Traits.Set(name, Trait{v, at.At, at.Tie}) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed, preferences
}

// consent takes a subscription or its withdrawal. What she says at our own door (an event that names its profile) counts
// from the moment she says it, and what she withdrew there is given again only there: an event that the shop tracks under
// the same name is no consent.
func (p *Profile) consent(own bool, t Trait, given bool, changed *[]string) {
	t.Value = given
	switch {
	case own:
		t.At = max(t.At, p.Subscription.At+1)
		p.Withdrawn = !given
	case p.Withdrawn && given:
		return
	}
	if p.Subscription.before(t) {
		p.Subscription = t
		*changed = append(*changed, "subscribed")
	}
}

// Withdrawal is a withdrawal of consent that was told to a profile of which she was a part. No event of hers says it.
type Withdrawal struct {
	At   int64  `json:"at"`   // when it was made, µs
	Told int64  `json:"told"` // when it became known, µs
	Tie  uint64 `json:"tie"`
	Own  bool   `json:"own,omitempty"` // at our own door
}

// WithdrawalBy is what an event withdraws.
func WithdrawalBy(e *event.Event) Withdrawal {
	return Withdrawal{e.Timestamp.UnixMicro(), e.ReceivedAt.UnixMicro(), event.Tie(e.MessageID), e.ProfileID != 0}
}

// Withdraw has a withdrawal that was told to another hold for her, too.
func (p *Profile) Withdraw(w Withdrawal) {
	p.keepWithdrawals(w)
	p.consent(w.Own, Trait{At: w.At, Tie: w.Tie}, false, &[]string{})
}

func (p *Profile) keepWithdrawals(all ...Withdrawal) {
	for _, w := range all {
		if !slices.Contains(p.Withdrawals, w) {
			p.Withdrawals = append(slices.Clip(p.Withdrawals), w)
		}
	}
}

// See keeps the first and last time that she was seen, and lists the traits that changed by it. What a mail server or a
// scanner does is not her.
func (p *Profile) See(e *event.Event) (changed []string) {
	at := e.Timestamp.UnixMicro()
	if at < p.CreatedAt {
		p.CreatedAt = at
		changed = append(changed, "created_at")
	}
	if e.Name == event.NameEmailDelivered || e.Name == event.NameEmailBounced || e.Machine() {
		return changed
	}
	if p.FirstSeenAt == 0 || at < p.FirstSeenAt {
		p.FirstSeenAt = at
		changed = append(changed, "first_seen_at")
	}
	if at > p.LastSeenAt {
		p.LastSeenAt = at
		changed = append(changed, "last_seen_at")
	}
	return changed
}

// Touch remembers what she did with a message; opens and clicks of machines are not hers.
func (p *Profile) Touch(messageID int64, campaign string, at time.Time, clicked bool) {
	i := slices.IndexFunc(p.Touches, func(t report.Touch) bool { return t.MessageID == messageID })
	if i < 0 {
		if len(p.Touches) == maxTouches {
			p.Touches = slices.Delete(p.Touches, 0, 1)
		}
		p.Touches = append(p.Touches, report.Touch{MessageID: messageID, Campaign: campaign, SentAt: at})
		i = len(p.Touches) - 1
	}
	t := &p.Touches[i]
	if clicked && at.After(t.ClickedAt) {
		t.ClickedAt = at
	}
	if !clicked && at.After(t.OpenedAt) {
		t.OpenedAt = at
	}
}

// Absorb takes over everything of other, except what the engine recomputes: computed traits and segments. Aggregates
// are merged by mergeAggregate; timers are for the engine to set anew.
func (p *Profile) Absorb(other *Profile, mergeAggregate func(term int64, into, from *expr.Aggregate)) {
	p.Traits.absorb(&other.Traits)
	p.Preferences.absorb(&other.Preferences)
	if other.Subscription.Value != nil && p.Subscription.before(other.Subscription) {
		p.Subscription = other.Subscription
	}
	p.Withdrawn = p.Withdrawn || other.Withdrawn
	if p.Withdrawn {
		p.Subscription.Value = false
	}
	p.keepWithdrawals(other.Withdrawals...)
	p.Identifiers = append(p.Identifiers, other.Identifiers...)
	for _, id := range other.Parts() {
		if !slices.Contains(p.Absorbed, id) {
			p.Absorbed = append(p.Absorbed, id)
		}
	}
	p.KeepApart(other.Apart...)
	p.absorbGiven(other.Given)
	for _, o := range other.Overrides {
		if have := p.Override(o.Kind, o.Name); have == nil || have.At < o.At {
			p.SetOverride(o)
		}
	}
	p.CreatedAt = min(p.CreatedAt, other.CreatedAt)
	if p.FirstSeenAt == 0 || other.FirstSeenAt != 0 && other.FirstSeenAt < p.FirstSeenAt {
		p.FirstSeenAt = other.FirstSeenAt
	}
	p.LastSeenAt = max(p.LastSeenAt, other.LastSeenAt)
	p.Aggregates.Absorb(&other.Aggregates, mergeAggregate)
	p.Touches = append(p.Touches, other.Touches...)
	slices.SortStableFunc(p.Touches, func(a, b report.Touch) int { return a.SentAt.Compare(b.SentAt) })
	if extra := len(p.Touches) - maxTouches; extra > 0 {
		p.Touches = slices.Delete(p.Touches, 0, extra)
	}
}

// Data is what a template can say of her: every trait by its name, computed ones first, and her preferences.
func (p *Profile) Data() map[string]any {
	data := p.Told()
	maps.Insert(data, p.Computed.All())
	data["preferences"] = p.Preferences.Values()
	return data
}

// Label is how a person would call her.
func Label(traits map[string]any, identifiers []identity.Identifier) string {
	text := func(name string) string {
		s, _ := traits[name].(string)
		return strings.TrimSpace(s)
	}
	if name := text("name"); name != "" {
		return name
	}
	for _, pair := range [][2]string{{"first_name", "last_name"}, {"firstName", "lastName"}} {
		if name := strings.TrimSpace(text(pair[0]) + " " + text(pair[1])); name != "" {
			return name
		}
	}
	for _, kind := range []string{identity.Email, identity.UserID, identity.Phone} {
		for _, id := range identifiers {
			if id.Type == kind {
				return id.Value
			}
		}
	}
	if len(identifiers) > 0 {
		v := identifiers[0].Value
		if len(v) > 8 {
			v = v[:8]
		}
		return "Anonymous " + v
	}
	return "Anonymous"
}
