package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/preslavrachev/gomjml/mjml"
	"github.com/preslavrachev/gomjml/mjml/components"
	"github.com/preslavrachev/gomjml/mjml/globals"
	"github.com/preslavrachev/gomjml/mjml/options"
)

// compileMJML turns MJML with Liquid in it into HTML with the same Liquid in it. The MJML compiler sees the structure
// only; what is HTML or Liquid goes around it untouched.
func compileMJML(src string, hasPreheader bool) (html string, warnings []Warning, err error) {
	m := &mjmlSource{src: src, shield: *newShield(src), preheader: hasPreheader}
	if err := m.rewrite(); err != nil {
		return "", nil, err
	}
	html, err = runMJML(strings.TrimPrefix(m.out.String(), "\n"), m.invalidAttribute)
	if err != nil {
		return "", nil, m.fail(0, "the MJML cannot be compiled: %v", err)
	}
	html = m.restore(m.placeMarkers(html))
	if h := m.lost(); h != nil {
		return "", nil, m.fail(h.offset, "this would be lost: <%s> does not show it. Sizes and layout are fixed when the template is compiled; choose them with a CSS class, or write HTML in <mj-raw>", h.inside)
	}
	html = m.prologue + html + m.epilogue
	if len(m.inlineCSS) > 0 {
		if html, err = inlineCSS(html, strings.Join(m.inlineCSS, "\n")); err != nil {
			return "", nil, m.fail(0, "the inline styles cannot be applied: %v", err)
		}
	}
	return html, m.warnings, nil
}

// runMJML compiles and turns a panic of the compiler into an error: its input comes from people.
func runMJML(src string, invalid func(tag, attribute string, line int)) (html string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compiler failed: %v", p)
		}
	}()
	document, err := mjml.ParseMJML(src)
	if err != nil {
		return "", err
	}
	opts := &mjml.RenderOpts{FontTracker: options.NewFontTracker(), InvalidAttributeReporter: invalid, GlobalAttributes: globals.NewGlobalAttributes()}
	if head := document.FindFirstChild("mj-head"); head != nil {
		opts.GlobalAttributes.ProcessAttributesFromHead(head)
	}
	component, err := mjml.CreateComponent(document, opts)
	if err != nil {
		return "", err
	}
	root, ok := component.(*mjml.MJMLComponent)
	if !ok || root.Body == nil {
		return "", errors.New("there is no <mj-body>")
	}
	var apart []components.Component
	for _, child := range root.Body.Children {
		apart = append(apart, child, &separator{components.NewBaseComponent(&mjml.MJMLNode{}, opts)})
	}
	root.Body.Children = apart
	return mjml.RenderComponentString(root)
}

// separator stands between the components of a body. The compiler joins the conditional comments of neighbouring
// sections; what then stands between them lands inside a comment, comments nest, and a section after a hero loses the
// beginning of its own. The separator closes what is open.
type separator struct{ *components.BaseComponent }

func (s *separator) GetTagName() string                { return "separator" }
func (s *separator) GetDefaultAttribute(string) string { return "" }
func (s *separator) IsRawElement() bool                { return true }

func (s *separator) Render(w io.StringWriter) error {
	if !s.RenderOpts.PendingMSOSectionClose {
		return nil
	}
	s.RenderOpts.PendingMSOSectionClose = false
	_, err := w.WriteString(msoClose)
	return err
}

const (
	msoOpen  = "<!--[if mso | IE]>"
	msoClose = "<![endif]-->"
)

// placeMarkers moves what stands between columns exactly between the table cells that Outlook sees, so that a branch
// not taken or a loop leaves Outlook's tables balanced.
func (m *mjmlSource) placeMarkers(html string) string {
	const lastCell = msoOpen + "</td></tr></table>" + msoClose // a group ends before the markers behind its last column
	out := make([]byte, 0, len(html)+len(html)/8)
	at := 0
	for {
		h, start, end := m.next(html, at)
		if h == nil {
			return string(append(out, html[at:]...))
		}
		if !h.cell {
			out = append(out, html[at:end]...)
			at = end
			continue
		}
		out = append(out, html[at:start]...)
		for { // neighbours travel together
			n, s, e := m.next(html, end)
			if n == nil || s != end || !n.cell {
				break
			}
			end = e
		}
		at = end
		markers := html[start:end]
		if before, rest, ok := splitAtCell(html[end:]); ok {
			out = append(out, msoOpen+before+msoClose+markers+msoOpen...)
			at = len(html) - len(rest)
		} else if bytes.HasSuffix(out, []byte(lastCell)) {
			out = append(out[:len(out)-len(lastCell)], msoOpen+"</td>"+msoClose+markers+msoOpen+"</tr></table>"+msoClose...)
		} else {
			out = append(out, markers...)
		}
	}
}

// splitAtCell takes html that begins with a conditional comment and splits the comment's content where one column's
// cell ends and the next begins: after the row that it opens, or after the cell that it closes.
func splitAtCell(html string) (before, rest string, ok bool) {
	content, isMSO := strings.CutPrefix(html, msoOpen)
	end := strings.Index(content, msoClose)
	if !isMSO || end < 0 {
		return "", "", false
	}
	if strings.HasPrefix(content, "</td>") {
		return "</td>", content[len("</td>"):], true
	}
	row := strings.Index(content[:end], "<tr><td")
	if !strings.HasPrefix(content, "<table") || row < 0 {
		return "", "", false
	}
	cut := row + len("<tr>")
	return content[:cut], content[cut:], true
}
