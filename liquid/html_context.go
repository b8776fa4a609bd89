package liquid

import "strings"

// htmlContext follows an HTML document through the text of a template, to know where each output stands. Its zero
// value is the start of a document.
type htmlContext struct {
	place   htmlPlace
	quote   byte // around the attribute value
	kind    attributeKind
	query   bool   // a ? or # has been seen in the URL
	begun   bool   // something stands before the output in the attribute value
	element string // whose raw text this is: "script", "style", "title" or "textarea"
}

type htmlPlace uint8

const (
	placeText htmlPlace = iota
	placeTagName
	placeTag       // inside a tag, between attributes
	placeAttribute // in the name of an attribute
	placeAfterName // behind the name of an attribute
	placeBeforeValue
	placeValue
	placeComment
	placeRawText
	placeUnknown // behind branches that end in different places; read on as inside a tag
)

type attributeKind uint8

const (
	plainAttribute attributeKind = iota
	urlAttribute
	styleAttribute
	scriptAttribute
)

// mode returns how an output at this place is escaped, and moves on behind it.
func (h *htmlContext) mode() escapeMode {
	switch h.place {
	case placeText, placeComment:
		return escapeText
	case placeRawText:
		switch h.element {
		case "script":
			return escapeScript
		case "style":
			return escapeStyle
		}
		return escapeText
	case placeBeforeValue:
		*h = htmlContext{place: placeValue, kind: h.kind, quote: ' '}
	case placeValue:
	case placeUnknown:
		return escapeAnywhere
	default:
		return escapeUnquoted
	}
	mode := h.valueMode()
	h.begun = true
	return mode
}

func (h *htmlContext) valueMode() escapeMode {
	switch h.kind {
	case styleAttribute:
		return escapeStyle
	case scriptAttribute:
		return escapeScript
	case urlAttribute:
		switch {
		case h.query:
			return escapeURLQuery
		case h.begun:
			return escapeURLPart
		}
		return escapeURL
	}
	if h.quote == ' ' {
		return escapeUnquoted
	}
	return escapeText
}

// join returns the context behind a block whose branches end in h and other: one in which an output is safe after
// either.
func (h htmlContext) join(other htmlContext) htmlContext {
	if h == other {
		return h
	}
	if h.place == other.place && h.kind == other.kind && h.quote == other.quote && h.element == other.element {
		h.query = h.query && other.query
		h.begun = h.begun && other.begun
		return h
	}
	return htmlContext{place: placeUnknown}
}

// feed moves through text.
func (h *htmlContext) feed(s string) {
	for s != "" {
		n := h.step(s)
		s = s[n:]
	}
}

// step moves over a piece of s and returns its length, which is zero only where the place changes.
func (h *htmlContext) step(s string) int {
	switch h.place {
	case placeUnknown:
		h.place = placeTag
		return 0
	case placeText:
		return h.inText(s)
	case placeComment:
		if i := strings.Index(s, "-->"); i >= 0 {
			*h = htmlContext{}
			return i + 3
		}
		return len(s)
	case placeRawText:
		return h.inRawText(s)
	case placeTagName:
		n := spanOf(s, func(c byte) bool { return !isSpace(c) && c != '>' && c != '/' })
		h.place = placeTag
		h.element = elementOf(h.element + s[:n])
		return n
	case placeTag:
		return h.inTag(s)
	case placeAttribute:
		n := spanOf(s, func(c byte) bool { return !isSpace(c) && c != '>' && c != '=' && c != '/' })
		h.kind = attributeKindOf(s[:n])
		h.place = placeAfterName
		return n
	case placeAfterName:
		switch {
		case isSpace(s[0]):
			return 1
		case s[0] == '=':
			h.place = placeBeforeValue
			return 1
		}
		h.place, h.kind = placeTag, plainAttribute
		return 0
	case placeBeforeValue:
		switch c := s[0]; {
		case isSpace(c):
			return 1
		case c == '"' || c == '\'':
			h.place, h.quote, h.query, h.begun = placeValue, c, false, false
			return 1
		}
		h.place, h.quote, h.query, h.begun = placeValue, ' ', false, false
		return 0
	}
	return h.inValue(s)
}

func spanOf(s string, in func(c byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func (h *htmlContext) inText(s string) int {
	i := strings.IndexByte(s, '<')
	if i < 0 {
		return len(s)
	}
	rest := s[i:]
	switch {
	case strings.HasPrefix(rest, "<!--[if"), strings.HasPrefix(rest, "<!--<!["):
		// Conditional comments hold markup that some mail programs show.
		return i + len("<!--")
	case strings.HasPrefix(rest, "<!--"):
		h.place = placeComment
		return i + len("<!--")
	case len(rest) > 1 && isNameStart(rest[1]) && rest[1] != '_':
		h.place = placeTagName
		return i + 1
	case len(rest) > 1 && rest[1] == '/':
		h.place = placeTagName
		h.element = "/"
		return i + 2
	case len(rest) == 1:
		h.place = placeTagName
	}
	return i + 1
}

// elementOf keeps the name of an element only if its content is not markup.
func elementOf(name string) string {
	switch name = strings.ToLower(name); name {
	case "script", "style", "title", "textarea":
		return name
	case "mj-style":
		return "style"
	}
	return ""
}

func (h *htmlContext) inRawText(s string) int {
	for i := 0; ; {
		j := strings.Index(s[i:], "</")
		if j < 0 {
			return len(s)
		}
		i += j + 2
		name := s[i:]
		if len(name) > 3 && strings.EqualFold(name[:min(3, len(name))], "mj-") {
			name = name[3:]
		}
		if len(name) >= len(h.element) && strings.EqualFold(name[:len(h.element)], h.element) {
			*h = htmlContext{place: placeTagName, element: "/"}
			return i
		}
	}
}

func (h *htmlContext) inTag(s string) int {
	switch c := s[0]; {
	case c == '>':
		if h.element != "" {
			*h = htmlContext{place: placeRawText, element: h.element}
		} else {
			*h = htmlContext{}
		}
	case isSpace(c) || c == '/':
	default:
		h.place = placeAttribute
		if c == '=' {
			return 1
		}
		return 0
	}
	return 1
}

func (h *htmlContext) inValue(s string) int {
	end := spanOf(s, func(c byte) bool {
		if h.quote == ' ' {
			return !isSpace(c) && c != '>'
		}
		return c != h.quote
	})
	if strings.ContainsAny(s[:end], "?#") {
		h.query = true
	}
	if end > 0 {
		h.begun = true
	}
	if end == len(s) {
		return end
	}
	element := h.element
	quoted := h.quote != ' '
	*h = htmlContext{place: placeTag, element: element}
	if quoted {
		return end + 1
	}
	return end
}

// attributeKindOf says what the value of an attribute is. Attributes of MJML components are named like those of HTML.
func attributeKindOf(name string) attributeKind {
	name = strings.ToLower(name)
	switch name {
	case "href", "src", "action", "formaction", "poster", "background", "cite", "data", "longdesc", "usemap",
		"xlink:href", "background-url", "profile", "icon", "manifest":
		return urlAttribute
	case "style":
		return styleAttribute
	}
	if strings.HasPrefix(name, "on") {
		return scriptAttribute
	}
	return plainAttribute
}
