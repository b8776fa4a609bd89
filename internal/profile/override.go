package profile

import (
	"encoding/binary"
	"slices"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/wire"
)

// The kinds of what can be overridden.
const (
	OverrideSegment = "segment"
	OverrideTrait   = "trait"
)

// Override is somebody's word that wins over events until it is lifted: whether she is in a segment, or what a trait,
// told or computed, says. Times are µs.
type Override struct {
	Kind  string // OverrideSegment or OverrideTrait
	Name  string
	Value any    // a bool for a segment; plain JSON for a trait, nil: none
	At    int64  // since when
	Until int64  // when it ends by itself; 0: when it is lifted
	By    string // who said so
	Note  string // why
}

// Is reports whether two are the same word: of the same, since the same moment.
func (o Override) Is(p Override) bool { return o.Kind == p.Kind && o.Name == p.Name && o.At == p.At }

// maxOverrides bounds what one profile may have.
const maxOverrides = 100

// reserved are traits that cannot be overridden: a customer is known and reached by them, or the engine keeps them, or
// they are the customer's own word.
var reserved = append([]string{identity.Email, identity.Phone, GivenTrait}, Kept...)

// Overridable reports whether a trait of that name can be overridden.
func Overridable(trait string) bool { return !slices.Contains(reserved, trait) }

// Override finds the override of a segment or trait; nil for none.
func (p *Profile) Override(kind, name string) *Override {
	for i := range p.Overrides {
		if o := &p.Overrides[i]; o.Name == name && o.Kind == kind {
			return o
		}
	}
	return nil
}

// SetOverride makes an override, in place of another of the same; false where there are too many.
func (p *Profile) SetOverride(o Override) bool {
	if have := p.Override(o.Kind, o.Name); have != nil {
		*have = o
		return true
	}
	if len(p.Overrides) >= maxOverrides {
		return false
	}
	p.Overrides = append(slices.Clip(p.Overrides), o)
	return true
}

// LiftOverride ends an override; false where there is none.
func (p *Profile) LiftOverride(kind, name string) bool {
	before := len(p.Overrides)
	p.Overrides = slices.DeleteFunc(slices.Clone(p.Overrides), func(o Override) bool { return o.Kind == kind && o.Name == name })
	return len(p.Overrides) < before
}

// NextOverrideEnd is when the first override ends by itself; 0 for never.
func (p *Profile) NextOverrideEnd() (at int64) {
	for _, o := range p.Overrides {
		if o.Until != 0 && (at == 0 || o.Until < at) {
			at = o.Until
		}
	}
	return at
}

// EndOverrides lifts those that end by now, and lists them.
func (p *Profile) EndOverrides(now int64) (ended []Override) {
	for _, o := range p.Overrides {
		if o.Until != 0 && o.Until <= now {
			ended = append(ended, o)
		}
	}
	for _, o := range ended {
		p.LiftOverride(o.Kind, o.Name)
	}
	return ended
}

// Told are the traits as conditions and templates see them, without the computed ones.
func (p *Profile) Told() map[string]any {
	told := p.Traits.Values()
	if len(p.Given) > 0 {
		told[GivenTrait] = p.given()
	}
	for _, o := range p.Overrides {
		if o.Kind != OverrideTrait || p.Computed.Has(o.Name) {
			continue
		}
		if o.Value == nil {
			delete(told, o.Name)
		} else {
			told[o.Name] = o.Value
		}
	}
	return told
}

func appendOverrides(buf []byte, overrides []Override) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(overrides)))
	for _, o := range overrides {
		buf = wire.AppendValue(wire.AppendText(wire.AppendText(buf, o.Kind), o.Name), o.Value)
		buf = binary.AppendVarint(binary.AppendVarint(buf, o.At), o.Until)
		buf = wire.AppendText(wire.AppendText(buf, o.By), o.Note)
	}
	return buf
}

func decodeOverrides(d *wire.Decoder) (overrides []Override) {
	for range d.Length() {
		overrides = append(overrides, Override{
			Kind: d.Text(), Name: d.Text(), Value: d.Value(), At: d.Varint(), Until: d.Varint(), By: d.Text(), Note: d.Text(),
		})
	}
	return overrides
}
