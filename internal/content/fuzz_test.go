package content

import (
	"strings"
	"testing"
)

// FuzzCompile looks for panics, for stand-ins that were left in place, and for Liquid that changed on its way.
func FuzzCompile(f *testing.F) {
	f.Add(welcome, true)
	f.Add(`<style>p{color:{{c}}}</style><table>{% for a in b %}<tr><td style="{{x}}">{{ a }}</td></tr>{% endfor %}</table>`, false)
	f.Add(`<mjml><mj-head><mj-style inline="inline">b{x:y}</mj-style></mj-head><mj-body><mj-hero>{% if a %}<mj-text><![CDATA[{{"<"}}]]></mj-text>{% endif %}</mj-hero></mj-body></mjml>`, true)
	f.Add("</>", true)
	f.Fuzz(func(t *testing.T, body string, isMJML bool) {
		src := Source{Body: body, Format: HTML}
		if isMJML {
			src.Format = MJML
		}
		template, err := Compile(src, Options{})
		if err != nil {
			return
		}
		if strings.Contains(template.html, newShield(body).word) {
			t.Errorf("stand-ins are left in %q", template.html)
		}
		known := map[string]bool{}
		for _, tag := range tags(body) {
			known[body[tag.start:tag.end]] = true
		}
		for _, tag := range tags(template.html) {
			if piece := template.html[tag.start:tag.end]; !known[piece] {
				t.Errorf("%q is not the author's", piece)
			}
		}
		if _, err := template.Render(t.Context(), map[string]any{}, testLinks("x")); err != nil {
			return
		}
	})
}
