package profile

import (
	"iter"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Form is a profile as it was when it was stored. It stays as it is while the profile changes.
type Form struct {
	State       []byte // of the whole
	Traits      Traits
	computed    Computed
	preferences Traits
	told        map[string]any // what counts in place of Traits; nil: these do
}

// Form stores the profile.
func (p *Profile) Form() Form {
	f := Form{State: p.State(), Traits: p.Traits, computed: p.Computed, preferences: p.Preferences}
	if len(p.Overrides)+len(p.Given) > 0 {
		f.told = p.Told()
	}
	return f
}

// Columns are the parts that analysts query: plain JSON objects. It makes them in *scratch, for the next profile to do so too.
func (f *Form) Columns(scratch *[]byte) (traits, computed, preferences string, err error) {
	buf := (*scratch)[:0]
	if f.told == nil {
		buf, err = appendObject(buf, f.Traits.all(skipTrait))
	} else {
		buf, err = appendObject(buf, storedValues(f.told))
	}
	if err != nil {
		return "", "", "", err
	}
	toldTo := len(buf)
	if buf, err = appendObject(buf, f.computed.all(wire.Skip)); err != nil {
		return "", "", "", err
	}
	computedTo := len(buf)
	if buf, err = appendObject(buf, f.preferences.all(skipTrait)); err != nil {
		return "", "", "", err
	}
	*scratch = buf
	all := string(buf)
	return all[:toldTo], all[toldTo:computedTo], all[computedTo:], nil
}

// storedValues are values in their stored form, in the order of their names.
func storedValues(values map[string]any) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !yield([]byte(name), wire.AppendValue(nil, values[name])) {
				return
			}
		}
	}
}

// appendObject adds a JSON object of values, each of which begins with its stored form, without those that are nil.
func appendObject(buf []byte, values iter.Seq2[[]byte, []byte]) (_ []byte, err error) {
	begin := len(buf)
	buf = append(buf, '{')
	for name, value := range values {
		if wire.IsNil(value) {
			continue
		}
		if len(buf) > begin+1 {
			buf = append(buf, ',')
		}
		if buf, err = wire.AppendStoredJSON(append(wire.AppendJSONText(buf, name), ':'), value); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}
