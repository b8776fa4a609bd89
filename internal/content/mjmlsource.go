package content

import (
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// children lists which components may stand directly in which, after the MJML 4 documentation. The keys are the
// components that hold components; all others hold HTML or nothing.
var children = map[string][]string{
	"":                     {"mjml"},
	"mjml":                 {"mj-head", "mj-body"},
	"mj-head":              {"mj-attributes", "mj-breakpoint", "mj-font", "mj-html-attributes", "mj-preview", "mj-raw", "mj-style", "mj-title"},
	"mj-body":              {"mj-hero", "mj-raw", "mj-section", "mj-wrapper"},
	"mj-wrapper":           {"mj-hero", "mj-raw", "mj-section"},
	"mj-section":           {"mj-column", "mj-group", "mj-raw"},
	"mj-group":             {"mj-column", "mj-raw"},
	"mj-column":            {"mj-accordion", "mj-button", "mj-carousel", "mj-divider", "mj-image", "mj-navbar", "mj-raw", "mj-social", "mj-spacer", "mj-table", "mj-text"},
	"mj-hero":              {"mj-button", "mj-divider", "mj-image", "mj-navbar", "mj-raw", "mj-social", "mj-spacer", "mj-table", "mj-text"},
	"mj-accordion":         {"mj-accordion-element"},
	"mj-accordion-element": {"mj-accordion-title", "mj-accordion-text"},
	"mj-carousel":          {"mj-carousel-image"},
	"mj-navbar":            {"mj-navbar-link"},
	"mj-social":            {"mj-social-element"},
}

// htmlInside are the components whose content is HTML or text, opaque to MJML.
var htmlInside = []string{
	"mj-accordion-text", "mj-accordion-title", "mj-button", "mj-html-attributes", "mj-navbar-link",
	"mj-preview", "mj-raw", "mj-social-element", "mj-style", "mj-table", "mj-text", "mj-title",
}

const maxNesting = 32

// mjmlSource is an MJML document as the author wrote it, being rewritten so that the MJML compiler sees components
// and plain attributes only: Liquid, HTML content and character references are hidden behind the shield. Each start
// tag begins a line of its own, so that the compiler's line numbers name tags.
type mjmlSource struct {
	src  string
	at   int
	out  strings.Builder
	open []element
	shield
	lines     []int    // source offset of the start tag on each line of out
	prologue  string   // assignments outside the body, which run before it
	epilogue  string   // and after it
	inlineCSS []string // the content of mj-style inline="inline"
	seenBody  bool
	preheader bool // a preheader is given: drop mj-preview
	warnings  []Warning
}

type element struct {
	name   string
	offset int
	groups bool  // a section with an mj-group, whose cells the compiler does not join
	cells  []int // what is hidden between its columns
}

func (m *mjmlSource) parent() string {
	if len(m.open) == 0 {
		return ""
	}
	return m.open[len(m.open)-1].name
}

func (m *mjmlSource) fail(offset int, format string, args ...any) error {
	e := fault.Field("body", format, args...)
	e.Line, e.Column = position(m.src, offset)
	return e
}

// rewrite consumes the whole source.
func (m *mjmlSource) rewrite() error {
	for m.at < len(m.src) {
		if err := m.step(); err != nil {
			return err
		}
	}
	if len(m.open) > 0 {
		last := m.open[len(m.open)-1]
		return m.fail(last.offset, "<%s> is never closed; add </%s>", last.name, last.name)
	}
	if !m.seenBody {
		return m.fail(0, "an MJML template needs <mjml><mj-body>…</mj-body></mjml>")
	}
	return nil
}

func (m *mjmlSource) step() error {
	rest := m.src[m.at:]
	if t, ok := tagIn(m.src, m.at); ok {
		return m.liquid(t)
	}
	switch {
	case rest[0] != '<':
		return m.text()
	case strings.HasPrefix(rest, "<!--"):
		end := strings.Index(rest, "-->")
		if end < 0 {
			return m.fail(m.at, "this comment is never closed; add -->")
		}
		m.at += end + len("-->") // a comment among components would break Outlook's conditional comments
		return nil
	case strings.HasPrefix(rest, "<?") || strings.HasPrefix(rest, "<!"):
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return m.fail(m.at, "this declaration is never closed; add >")
		}
		m.at += end + 1
		return nil
	case strings.HasPrefix(rest, "</"):
		return m.closeTag()
	}
	return m.startTag()
}

// liquid handles a piece of Liquid that stands among components.
func (m *mjmlSource) liquid(t tag) error {
	text := m.src[t.start:t.end]
	m.at = t.end
	switch parent := m.parent(); parent {
	case "", "mjml", "mj-head":
		switch t.name {
		case "assign", "comment", "#":
		default:
			return m.fail(t.start, "only assign and comment may stand outside <mj-body>; move this inside it")
		}
		if m.seenBody {
			m.epilogue += text
		} else {
			m.prologue += text
		}
	default:
		if !slices.Contains(children[parent], "mj-raw") {
			return m.fail(t.start, "Liquid cannot stand directly inside <%s>; put it around <%s>, or inside its elements", parent, parent)
		}
		m.lines = append(m.lines, t.start)
		m.out.WriteString("\n<mj-raw>" + m.between(hidden{text: text, offset: t.start, inside: parent, must: true}) + "</mj-raw>")
	}
	return nil
}

// between hides what stands among components and notes where it stands between columns.
func (m *mjmlSource) between(h hidden) string {
	parent := &m.open[len(m.open)-1]
	if (parent.name == "mj-section" || parent.name == "mj-group") && onlyTags(h.text) {
		parent.cells = append(parent.cells, len(m.hidden))
	}
	return m.hide(h)
}

func (m *mjmlSource) text() error {
	start := m.at
	for m.at < len(m.src) && m.src[m.at] != '<' {
		if _, ok := tagIn(m.src, m.at); ok {
			break
		}
		m.at++
	}
	if text := strings.TrimSpace(strings.TrimPrefix(m.src[start:m.at], "\ufeff")); text != "" {
		lead := strings.Index(m.src[start:m.at], text)
		return m.fail(start+lead, "text cannot stand directly inside <%s>; put it in <mj-text>", orDocument(m.parent()))
	}
	return nil
}

func orDocument(name string) string {
	if name == "" {
		return "the document"
	}
	return name
}

func (m *mjmlSource) closeTag() error {
	end := strings.IndexByte(m.src[m.at:], '>')
	if end < 0 {
		return m.fail(m.at, "this tag is never closed; add >")
	}
	name := strings.ToLower(strings.TrimSpace(m.src[m.at+2 : m.at+end]))
	if len(m.open) == 0 {
		return m.fail(m.at, "</%s> closes nothing", name)
	}
	if m.parent() != name {
		last := m.open[len(m.open)-1]
		line, _ := position(m.src, last.offset)
		return m.fail(m.at, "</%s> comes before </%s>, which line %d needs", name, last.name, line)
	}
	closed := m.open[len(m.open)-1]
	for _, i := range closed.cells {
		m.hidden[i].cell = !closed.groups
	}
	m.open = m.open[:len(m.open)-1]
	m.out.WriteString("</" + name + ">")
	m.at += end + 1
	return nil
}

func (m *mjmlSource) startTag() error {
	start := m.at
	t, err := m.parseTag()
	if err != nil {
		return err
	}
	parent := m.parent()
	if err := m.allowed(parent, t.name, start); err != nil {
		return err
	}
	if t.name == "mj-breakpoint" || t.name == "mj-html-attributes" {
		m.warn(start, Unsupported, "", "<%s> is not supported and has no effect", t.name)
	}
	if len(m.open) >= maxNesting {
		return m.fail(start, "components are nested more than %d deep", maxNesting)
	}
	m.seenBody = m.seenBody || t.name == "mj-body"
	if t.name == "mj-group" {
		m.open[len(m.open)-1].groups = true
	}

	if !t.closed && parent != "mj-attributes" && slices.Contains(htmlInside, t.name) {
		from := m.at
		content, err := m.content(t.name, start)
		if err != nil {
			return err
		}
		if m.dropped(t, content) {
			return nil
		}
		trimmed := strings.TrimSpace(content)
		if trimmed != "" {
			lead := strings.Index(content, trimmed)
			h := hidden{text: trimmed, offset: from + lead, inside: t.name, must: true}
			if t.name == "mj-raw" {
				content = m.between(h)
			} else {
				content = m.hide(h)
			}
		} else {
			content = ""
		}
		t.tail = ">" + content + "</" + t.name + ">"
	} else if t.closed {
		t.tail = "/>"
	} else {
		t.tail = ">"
		m.open = append(m.open, element{name: t.name, offset: start})
	}
	m.lines = append(m.lines, start)
	m.out.WriteString("\n<" + t.name + t.attributes + t.tail)
	return nil
}

// dropped reports whether the element is not for the MJML compiler.
func (m *mjmlSource) dropped(t startTag, content string) bool {
	switch {
	case t.name == "mj-style" && strings.Contains(t.attributes, ` inline="inline"`):
		m.inlineCSS = append(m.inlineCSS, content)
		return true
	case t.name == "mj-preview":
		return m.preheader
	case t.name == "mj-html-attributes":
		return true
	}
	return false
}

func (m *mjmlSource) allowed(parent, name string, offset int) error {
	switch {
	case name == "mj-include":
		return m.fail(offset, "<mj-include> is not supported; put the content itself here")
	case parent == "mj-attributes":
		return nil
	case slices.Contains(children[parent], name):
		return nil
	}
	var homes []string
	for home, names := range children {
		if slices.Contains(names, name) && home != "" {
			homes = append(homes, "<"+home+">")
		}
	}
	slices.Sort(homes)
	switch {
	case len(homes) > 0:
		return m.fail(offset, "<%s> cannot stand inside %s; it goes into %s", name, orTag(parent), strings.Join(homes, " or "))
	case strings.HasPrefix(name, "mj-"):
		return m.fail(offset, "<%s> is not a known component", name)
	}
	return m.fail(offset, "<%s> cannot stand among components; put HTML into <mj-text> or <mj-raw>", name)
}

func orTag(name string) string {
	if name == "" {
		return "the document itself"
	}
	return "<" + name + ">"
}

// content consumes up to and including the end tag of name, and returns what is before it.
func (m *mjmlSource) content(name string, start int) (string, error) {
	from := m.at
	for m.at < len(m.src) {
		if t, ok := tagIn(m.src, m.at); ok {
			m.at = t.end
			continue
		}
		rest := m.src[m.at:]
		if strings.HasPrefix(rest, "</") && len(rest) >= len(name)+2 && strings.EqualFold(rest[2:2+len(name)], name) {
			if gap := strings.TrimLeft(rest[2+len(name):], " \t\r\n"); strings.HasPrefix(gap, ">") {
				content := m.src[from:m.at]
				m.at += len(rest) - len(gap) + 1
				content = strings.TrimSpace(content)
				if inner, ok := strings.CutPrefix(content, "<![CDATA["); ok {
					content = strings.TrimSuffix(inner, "]]>")
				}
				return content, nil
			}
		}
		m.at++
	}
	return "", m.fail(start, "<%s> is never closed; add </%s>", name, name)
}

// invalidAttribute is told by the compiler on which of its lines a component has an attribute that it does not know.
func (m *mjmlSource) invalidAttribute(tag, attribute string, line int) {
	offset := 0
	if line >= 1 && line <= len(m.lines) {
		offset = m.lines[line-1]
	}
	m.warn(offset, InvalidAttribute, "", "<%s> has no attribute %s", tag, attribute)
}

func (m *mjmlSource) warn(offset int, code, variable, format string, args ...any) {
	if len(m.warnings) >= maxWarnings {
		return
	}
	m.warnings = append(m.warnings, warning(m.src, offset, code, variable, format, args...))
}
