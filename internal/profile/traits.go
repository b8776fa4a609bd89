package profile

import (
	"encoding/binary"
	"iter"

	"github.com/tailorbird/tailorbird/internal/wire"
)

const maxTraits = 500 // of one profile

// Trait is a value with the moment at which it was said. Of two values the later one stands.
type Trait struct {
	Value any   // plain JSON; nil: taken back
	At    int64 // µs
	Tie   uint64
}

func (t Trait) before(u Trait) bool { return t.At < u.At || t.At == u.At && t.Tie <= u.Tie }

// append stores the trait.
func (t Trait) append(buf []byte) []byte { return appendSaid(wire.AppendValue(buf, t.Value), t) }

// appendSaid stores when it was said.
func appendSaid(buf []byte, t Trait) []byte {
	return wire.AppendFixed(binary.AppendVarint(buf, t.At), t.Tie)
}

// decodeSaid reads what appendSaid wrote, of a trait of this value.
func decodeSaid(d *wire.Decoder, value any) Trait { return Trait{value, d.Varint(), d.Fixed()} }

func decodeTrait(d *wire.Decoder) Trait { return decodeSaid(d, d.Value()) }

func passTrait(d *wire.Decoder) {
	d.Pass()
	decodeSaid(d, nil)
}

func skipTrait(data []byte) []byte { return skipVarint(wire.Skip(data))[8:] }

// Traits are what a customer told, by name: at most 500, further ones are passed over.
type Traits struct{ table }

// Value is the value of a trait, nil where there is none.
func (t *Traits) Value(name string) any {
	_, value, end, found := t.find(name, skipTrait)
	if !found {
		return nil
	}
	return wire.NewDecoder(t.raw[value:end]).Value()
}

// Set takes what was said under a name, unless something later was, and reports whether it did.
func (t *Traits) Set(name string, said Trait) bool {
	_, value, end, found := t.find(name, skipTrait)
	var room [128]byte
	switch {
	case found && !decodeSaid(wire.NewDecoder(wire.Skip(t.raw[value:end])), nil).before(said), !found && t.n >= maxTraits:
		return false
	case found:
		t.replace(value, end, said.append(room[:0]))
	default:
		t.insert(name, said.append(room[:0]), skipTrait)
	}
	return true
}

// absorb takes what was said to another.
func (t *Traits) absorb(other *Traits) {
	for name, value := range other.all(skipTrait) {
		t.Set(string(name), decodeTrait(wire.NewDecoder(value)))
	}
}

// Names goes through all of which something was said, though it may have been taken back.
func (t *Traits) Names() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for name := range t.all(skipTrait) {
			if !yield(name) {
				return
			}
		}
	}
}

// Values are the plain values by name, without those taken back.
func (t *Traits) Values() map[string]any {
	values := make(map[string]any, t.n)
	for name, value := range t.all(skipTrait) {
		if v := wire.NewDecoder(value).Value(); v != nil {
			values[string(name)] = v
		}
	}
	return values
}
