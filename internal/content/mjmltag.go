package content

import "strings"

// startTag is a component's start tag, rewritten.
type startTag struct {
	name       string
	attributes string // rewritten, each with a leading space
	closed     bool   // ends with />
	tail       string
}

// parseTag consumes the start tag at m.at.
func (m *mjmlSource) parseTag() (startTag, error) {
	start := m.at
	m.at++
	t := startTag{name: strings.ToLower(m.word(" \t\r\n/>"))}
	if t.name == "" {
		return t, m.fail(start, "a < that begins no tag; write &lt; for the character")
	}
	var attributes strings.Builder
	seen := map[string]bool{}
	for {
		m.skipSpace()
		if m.at >= len(m.src) {
			return t, m.fail(start, "<%s is never closed; add >", t.name)
		}
		switch {
		case m.src[m.at] == '>':
			m.at++
			t.attributes = attributes.String()
			return t, nil
		case strings.HasPrefix(m.src[m.at:], "/>"):
			m.at += 2
			t.closed, t.attributes = true, attributes.String()
			return t, nil
		}
		if _, ok := tagIn(m.src, m.at); ok {
			return t, m.fail(m.at, "Liquid may stand in an attribute's value, not between the attributes of <%s>", t.name)
		}
		at := m.at
		name := m.word(" \t\r\n=/><\"'")
		if name == "" {
			return t, m.fail(at, "<%s> has a stray %q here", t.name, m.src[at:at+1])
		}
		if seen[name] {
			return t, m.fail(at, "<%s> has the attribute %s twice", t.name, name)
		}
		seen[name] = true
		value, err := m.value(t.name, name)
		if err != nil {
			return t, err
		}
		attributes.WriteString(" " + name + `="` + value + `"`)
	}
}

// value consumes ="…" and hides what the compiler would change.
func (m *mjmlSource) value(tagName, name string) (string, error) {
	at := m.at
	m.skipSpace()
	if m.at >= len(m.src) || m.src[m.at] != '=' {
		return "", m.fail(at, "the attribute %s of <%s> has no value; write %s=\"…\"", name, tagName, name)
	}
	m.at++
	m.skipSpace()
	if m.at >= len(m.src) || (m.src[m.at] != '"' && m.src[m.at] != '\'') {
		return "", m.fail(m.at, "put the value of %s in quotes: %s=\"…\"", name, name)
	}
	quote := m.src[m.at]
	m.at++
	var b strings.Builder
	for m.at < len(m.src) {
		if t, ok := tagIn(m.src, m.at); ok {
			b.WriteString(m.hide(hidden{text: m.src[t.start:t.end], offset: t.start, inside: tagName + " " + name, must: true}))
			m.at = t.end
			continue
		}
		c := m.src[m.at]
		if c == quote {
			m.at++
			return b.String(), nil
		}
		switch c {
		case '"':
			b.WriteString(m.hide(hidden{text: "&quot;", offset: m.at}))
		case '&', '<':
			b.WriteString(m.hide(hidden{text: string(c), offset: m.at}))
		default:
			b.WriteByte(c)
		}
		m.at++
	}
	return "", m.fail(at, "the value of %s is never closed; add %c", name, quote)
}

// word consumes up to one of the bytes in stop.
func (m *mjmlSource) word(stop string) string {
	end := strings.IndexAny(m.src[m.at:], stop)
	if end < 0 {
		end = len(m.src) - m.at
	}
	word := m.src[m.at : m.at+end]
	m.at += end
	return word
}

func (m *mjmlSource) skipSpace() {
	for m.at < len(m.src) && strings.IndexByte(" \t\r\n", m.src[m.at]) >= 0 {
		m.at++
	}
}
