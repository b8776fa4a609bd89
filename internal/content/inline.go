package content

import (
	"fmt"
	"strings"

	"github.com/vanng822/go-premailer/premailer"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// compileHTML moves the rules of the document's style sheets into style attributes, which every mail client
// understands. Media queries, Outlook's conditional comments and Liquid stay as they are.
func compileHTML(src string) (string, error) {
	s := newShield(src)
	out, err := inlineStyles(shieldHTML(src, s))
	if err != nil {
		e := fault.Field("body", "the styles cannot be inlined: %v", err)
		e.Line, e.Column = 1, 1
		return "", e
	}
	if !strings.Contains(strings.ToLower(src), "<tbody") {
		// The parser adds what it thinks is missing; around a loop's rows that would close more than it opens.
		out = strings.NewReplacer("<tbody>", "", "</tbody>", "").Replace(out)
	}
	out = s.restore(out)
	if h := s.lost(); h != nil {
		e := fault.Field("body", "this would be lost when the styles are inlined; move it out of the style attribute or the table")
		e.Line, e.Column = position(src, h.offset)
		return "", e
	}
	return out, nil
}

// inlineCSS applies one more style sheet to a compiled document and leaves its own style sheets alone.
func inlineCSS(html, css string) (string, error) {
	s := newShield(html + css)
	guarded := strings.ReplaceAll(shieldHTML(html, s), "<style", "<style "+ignoreAttribute)
	sheet := "<style>" + css + "</style></head>"
	out, err := inlineStyles(strings.Replace(guarded, "</head>", sheet, 1))
	if err != nil {
		return "", err
	}
	out = s.restore(strings.ReplaceAll(out, "<style "+ignoreAttribute, "<style"))
	if h := s.lost(); h != nil {
		return "", fmt.Errorf("%s would be lost", h.text)
	}
	return out, nil
}

const ignoreAttribute = `data-premailer="ignore"`

// maxStyling bounds the inliner's work: it tries every rule on every element.
const maxStyling = 2_000_000

// inlineStyles runs the inliner and turns its panic into an error: its input comes from people.
func inlineStyles(html string) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inliner failed: %v", p)
		}
	}()
	if rules, elements := strings.Count(html, "{"), strings.Count(html, "<"); rules*elements > maxStyling {
		return "", fmt.Errorf("%d rules for %d elements are too many", rules, elements)
	}
	inliner, err := premailer.NewPremailerFromString(html, premailer.NewOptions())
	if err != nil {
		return "", err
	}
	return inliner.Transform()
}

// shieldHTML hides the Liquid of an HTML document. Between elements it becomes a comment, which may stand anywhere
// (text between table rows would be moved out of the table); elsewhere a plain word; between attributes an attribute.
func shieldHTML(src string, s *shield) string {
	var b strings.Builder
	b.Grow(len(src))
	var place htmlPlace
	for at := 0; at < len(src); {
		if t, ok := tagIn(src, at); ok {
			word := s.hide(hidden{text: src[t.start:t.end], offset: t.start, must: true})
			switch {
			case place.isText():
				b.WriteString("<!--" + word + "-->")
			case place.betweenAttributes():
				b.WriteString(word + `="" `)
			default:
				b.WriteString(word)
				place.valueBegun()
			}
			at = t.end
			continue
		}
		n := place.advance(src, at)
		b.WriteString(src[at : at+n])
		at += n
	}
	return b.String()
}

// htmlPlace follows where in an HTML document a byte stands, as far as hiding needs it.
type htmlPlace struct {
	state   int
	quote   byte
	element string // the raw-text element inside which the place is
	name    string // the element whose tag is open
}

const (
	inText int = iota
	inComment
	inRawText
	inTag       // after white space inside a tag: an attribute may begin
	inAttribute // inside the name of an element or attribute
	beforeValue // after =
	inValue
)

func (p *htmlPlace) isText() bool            { return p.state == inText }
func (p *htmlPlace) betweenAttributes() bool { return p.state == inTag }

// valueBegun notes that something hidden began an unquoted value.
func (p *htmlPlace) valueBegun() {
	if p.state == beforeValue {
		p.state, p.quote = inValue, ' '
	}
}

// advance consumes one or more bytes at src[at:] and returns how many.
func (p *htmlPlace) advance(src string, at int) int {
	rest := src[at:]
	c := rest[0]
	space := c == ' ' || c == '\t' || c == '\n' || c == '\r'
	switch p.state {
	case inText:
		switch {
		case strings.HasPrefix(rest, "<!--"):
			p.state = inComment
			return len("<!--")
		case c == '<' && len(rest) > 1 && (isLetter(rest[1]) || rest[1] == '/'):
			n := 1
			for n < len(rest) && strings.IndexByte(" \t\r\n>{", rest[n]) < 0 {
				n++
			}
			p.state, p.name = inAttribute, strings.ToLower(rest[1:n])
			return n
		}
	case inComment:
		if strings.HasPrefix(rest, "-->") {
			p.state = inText
			return len("-->")
		}
	case inRawText:
		if end := "</" + p.element; c == '<' && len(rest) >= len(end) && strings.EqualFold(rest[:len(end)], end) {
			p.state, p.name = inAttribute, end[1:]
			return len(end)
		}
	case inTag, inAttribute, beforeValue:
		switch {
		case c == '>':
			p.endTag()
		case c == '=':
			p.state = beforeValue
		case p.state == beforeValue && (c == '"' || c == '\''):
			p.state, p.quote = inValue, c
		case p.state == beforeValue && !space:
			p.state, p.quote = inValue, ' '
		case space && p.state != beforeValue:
			p.state = inTag
		case !space:
			p.state = inAttribute
		}
	case inValue:
		switch {
		case p.quote != ' ' && c == p.quote:
			p.state = inAttribute
		case p.quote == ' ' && c == '>':
			p.endTag()
		case p.quote == ' ' && space:
			p.state = inTag
		}
	}
	return 1
}

func (p *htmlPlace) endTag() {
	p.state = inText
	switch p.name {
	case "style", "script", "title", "textarea", "noscript", "xmp":
		p.state, p.element = inRawText, p.name
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
