package profile

import (
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	buf := make([]byte, 0, 64+24*len(p.Traits)+len(p.Computed.raw)+12*p.Computed.n)
	told := p.Traits
	if len(p.Overrides)+len(p.Given) > 0 {
		told = map[string]Trait{}
		for name, v := range p.Told() {
			told[name] = Trait{Value: v}
		}
	}
	if buf, err = appendTold(buf, told, p.Ordered); err != nil {
		return "", "", "", err
	}
	toldTo := len(buf)
	if buf, err = p.Computed.appendJSON(buf); err != nil {
		return "", "", "", err
	}
	computedTo := len(buf)
	if buf, err = appendTold(buf, p.Preferences, p.Ordered); err != nil {
		return "", "", "", err
	}
	all := string(buf)
	return all[:toldTo], all[toldTo:computedTo], all[computedTo:], nil
}

// appendTold adds a JSON object of what there is a value of.
func appendTold(buf []byte, traits map[string]Trait, ordered bool) (_ []byte, err error) {
	begin := len(buf)
	buf = append(buf, '{')
	var room [16]string
	for _, name := range names(room[:0], traits, ordered) {
		v := traits[name].Value
		if v == nil {
			continue
		}
		if buf, err = wire.AppendJSON(appendMember(buf, begin, name), v); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// appendJSON adds a JSON object of all.
func (c *Computed) appendJSON(buf []byte) (_ []byte, err error) {
	begin := len(buf)
	buf = append(buf, '{')
	for name, value := range c.all(wire.Skip) {
		if buf, err = wire.AppendStoredJSON(appendMember(buf, begin, name), value); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// appendMember begins a member of the JSON object that begins at a place of buf.
func appendMember[T string | []byte](buf []byte, begin int, name T) []byte {
	if len(buf) > begin+1 {
		buf = append(buf, ',')
	}
	return append(wire.AppendJSONText(buf, name), ':')
}

// names appends the names of what she told, in order where the profile is Ordered.
func names[V any](to []string, members map[string]V, ordered bool) []string {
	for name := range members {
		to = append(to, name)
	}
	if ordered {
		slices.Sort(to)
	}
	return to
}
