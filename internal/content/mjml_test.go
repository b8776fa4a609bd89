package content

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func mustMJML(t *testing.T, src string) string {
	t.Helper()
	html, _, err := compileMJML(src, false)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return html
}

func inBody(inside string) string {
	return "<mjml><mj-body>" + inside + "</mj-body></mjml>"
}

func inColumn(inside string) string {
	return inBody("<mj-section><mj-column>" + inside + "</mj-column></mj-section>")
}

func TestLiquidSurvivesMJML(t *testing.T) {
	for _, piece := range []string{
		`{{ name | default: "you & I" }}`,
		`{% if a > b and c < d %}yes{% else %}no{% endif %}`,
		`{% comment %}<mj-broken>{% endcomment %}`,
		`{% raw %}{{ kept }}{% endraw %}`,
		"{%- assign x = 'a\nb' -%}",
		`&lt;script&gt; &amp; &nbsp;&#8203; a & b`,
		`<p class="x">{{ a }}<br>{{ b }}</p>`,
		`<!-- {{ note }} -->`,
	} {
		if html := mustMJML(t, inColumn("<mj-text>"+piece+"</mj-text>")); !strings.Contains(html, ">"+piece+"<") {
			t.Errorf("%s was changed in mj-text:\n%s", piece, html)
		}
	}
	html := mustMJML(t, inColumn(`<mj-button href='{{ url | append: "?a=1&b=2" }}' background-color="{{ brand }}">{{ label }}</mj-button>`+
		`<mj-image src="https://cdn.example/{{ id }}.png?w=1&amp;h=2" alt="{{ name }} &quot;" href="{{ link }}" />`+
		`<mj-table>{% for p in items %}<tr {% if p.new %}class="n"{% endif %}><td>{{ p.name }}</td></tr>{% endfor %}</mj-table>`))
	for _, want := range []string{
		`href="{{ url | append: "?a=1&b=2" }}"`, `background:{{ brand }}`, `>{{ label }}</a>`,
		`src="https://cdn.example/{{ id }}.png?w=1&amp;h=2"`, `alt="{{ name }} &quot;"`, `href="{{ link }}"`,
		`{% for p in items %}<tr {% if p.new %}class="n"{% endif %}><td>{{ p.name }}</td></tr>{% endfor %}</table>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s in\n%s", want, html)
		}
	}
}

// outlookView is what Outlook sees: conditional comments for it opened, those for others removed.
func outlookView(html string) string {
	html = regexp.MustCompile(`(?s)<!--\[if !mso[^\]]*\]><!-->.*?<!--<!\[endif\]-->`).ReplaceAllString(html, "")
	html = regexp.MustCompile(`<!--\[if [^\]]*\]>`).ReplaceAllString(html, "")
	return strings.ReplaceAll(html, "<![endif]-->", "")
}

// modernView is what all others see: comments removed.
func modernView(html string) string {
	return regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(html, "")
}

// unbalanced names the first element that is not closed in order, or "".
func unbalanced(html string) string {
	var open []string
	for _, tag := range regexp.MustCompile(`<(/?)(table|tbody|tr|td|div|a|v:rect|v:textbox)\b[^>]*?(/?)>`).FindAllStringSubmatch(html, -1) {
		switch {
		case tag[3] == "/":
		case tag[1] == "":
			open = append(open, tag[2])
		case len(open) == 0 || open[len(open)-1] != tag[2]:
			return "</" + tag[2] + "> after " + strings.Join(open, " ")
		default:
			open = open[:len(open)-1]
		}
	}
	return strings.Join(open, " ")
}

// TestBranchesKeepOutlookBalanced puts a condition or loop around every kind of component, takes each branch, and
// checks the tables as Outlook and as the others see them.
func TestBranchesKeepOutlookBalanced(t *testing.T) {
	const text = `<mj-text>TEXT</mj-text>`
	const column = `<mj-column>` + text + `</mj-column>`
	const section = `<mj-section>` + column + `</mj-section>`
	const on, off = `{% if x %}`, `{% endif %}`
	cases := map[string]string{
		"only section":     inBody(on + section + off),
		"first section":    inBody(on + section + off + section),
		"last section":     inBody(section + on + section + off),
		"middle section":   inBody(section + on + section + off + section),
		"two sections":     inBody(section + on + section + section + off + section),
		"after wrapper":    inBody(`<mj-wrapper>` + section + `</mj-wrapper>` + on + section + off),
		"wrapper":          inBody(section + on + `<mj-wrapper>` + section + `</mj-wrapper>` + off + section),
		"in wrapper":       inBody(`<mj-wrapper>` + section + on + section + off + section + `</mj-wrapper>`),
		"first in wrapper": inBody(`<mj-wrapper>` + on + section + off + section + `</mj-wrapper>`),
		"last in wrapper":  inBody(`<mj-wrapper>` + section + on + section + off + `</mj-wrapper>` + section),
		"hero":             inBody(section + on + `<mj-hero>` + text + `</mj-hero>` + off + section),
		"in hero":          inBody(`<mj-hero>` + text + on + text + off + `</mj-hero>`),
		"picture section":  inBody(section + on + `<mj-section background-url="https://a.example/b.png">` + column + `</mj-section>` + off + section),
		"full width":       inBody(section + on + `<mj-section full-width="full-width" background-color="#eee">` + column + `</mj-section>` + off + section),
		"only column":      inBody(`<mj-section>` + on + column + off + `</mj-section>`),
		"first column":     inBody(`<mj-section>` + on + column + off + column + `</mj-section>`),
		"middle column":    inBody(`<mj-section>` + column + on + column + off + column + `</mj-section>`),
		"last column":      inBody(`<mj-section>` + column + column + on + column + off + `</mj-section>` + section),
		"all columns":      inBody(`<mj-section>` + on + column + column + off + `</mj-section>`),
		"column in group":  inBody(`<mj-section><mj-group>` + column + on + column + off + `</mj-group></mj-section>`),
		"first in group":   inBody(`<mj-section><mj-group>` + on + column + off + column + `</mj-group></mj-section>`),
		"group":            inBody(`<mj-section>` + on + `<mj-group>` + column + column + `</mj-group>` + off + `</mj-section>`),
		"first in column":  inColumn(on + text + off + text),
		"last in column":   inColumn(text + on + text + off),
		"padded column":    inBody(`<mj-section><mj-column padding="4px">` + text + on + text + off + `</mj-column></mj-section>`),
		"comments":         inBody(section + `<!-- one --><mj-raw><!-- two --></mj-raw>` + on + section + off),
	}
	branch := regexp.MustCompile(`(?s){% if x %}(.*?){% endif %}`)
	for name, src := range cases {
		html := mustMJML(t, src)
		for times, replacement := range []string{"", "$1", "$1$1$1"} {
			rendered := branch.ReplaceAllString(html, replacement)
			if strings.Contains(rendered, "{%") {
				t.Fatalf("%s: tags out of order in\n%s", name, html)
			}
			if bad := unbalanced(modernView(rendered)); bad != "" {
				t.Errorf("%s, %d times: %s", name, times, bad)
			}
			if bad := unbalanced(outlookView(rendered)); bad != "" {
				t.Errorf("%s, %d times, in Outlook: %s", name, times, bad)
			}
			want := strings.Count(branch.ReplaceAllString(src, replacement), "TEXT")
			if got := strings.Count(modernView(rendered), "TEXT"); got != want {
				t.Errorf("%s, %d times: %d texts, want %d", name, times, got, want)
			}
			if got := strings.Count(outlookView(rendered), "TEXT"); got != want {
				t.Errorf("%s, %d times, in Outlook: %d texts, want %d", name, times, got, want)
			}
		}
	}
}

func TestMJMLErrorsNameTheirPlace(t *testing.T) {
	cases := []struct {
		src          string
		line, column int
		about        string
	}{
		{"<mjml>\n <mj-body>\n  <mj-sektion/>\n </mj-body></mjml>", 3, 3, "mj-sektion"},
		{"<mjml>\n <mj-body>\n  <mj-section>\n </mj-body></mjml>", 4, 2, "mj-section"},
		{"<mjml><mj-body>\n<mj-section><mj-column><mj-text>x</mj-column>", 2, 24, "</mj-text>"},
		{"<mjml><mj-body>\n  é hello", 2, 3, "mj-text"},
		{"<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>", 1, 16, "mj-column"},
		{"<mjml><mj-body><mj-section {% if x %}></mj-section></mj-body></mjml>", 1, 28, "value"},
		{"<mjml><mj-body>\n<mj-section padding=3></mj-section></mj-body></mjml>", 2, 21, "quotes"},
		{"<mjml>{% if x %}<mj-body></mj-body>{% endif %}</mjml>", 1, 7, "mj-body"},
		{inColumn("\n<mj-social>{% for s in list %}<mj-social-element/>{% endfor %}</mj-social>"), 2, 12, "mj-social"},
		{inBody("\n<mj-section><mj-column width=\"{{ w }}\"></mj-column></mj-section>"), 2, 31, "lost"},
		{"<mjml><mj-include path=\"/etc/passwd\"/></mjml>", 1, 7, "mj-include"},
		{"hello", 1, 1, "mj-text"},
		{"", 1, 1, "mj-body"},
	}
	for _, c := range cases {
		_, _, err := compileMJML(c.src, false)
		if err == nil {
			t.Errorf("%q compiled", c.src)
			continue
		}
		f := fault.All(err)[0]
		if f.Code != fault.Invalid || f.Field != "body" || f.Line != c.line || f.Column != c.column || !strings.Contains(f.Message, c.about) {
			t.Errorf("%q: %v, want %d:%d about %s", c.src, err, c.line, c.column, c.about)
		}
	}
}

func TestMJMLWarningsNameTheTag(t *testing.T) {
	_, warnings, err := compileMJML("<mjml>\n<mj-body>\n  <mj-section\n  depth='1'\n>\n<mj-column>\n <mj-text colour=\"red\">x</mj-text></mj-column></mj-section></mj-body></mjml>", false)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 2 || warnings[0].Line != 3 || warnings[0].Column != 3 || warnings[1].Line != 7 || warnings[1].Column != 2 {
		t.Fatalf("warnings: %+v", warnings)
	}
}

func TestInlineStyleOfMJML(t *testing.T) {
	html := mustMJML(t, `<mjml><mj-head><mj-style inline="inline">.red b { color: red }</mj-style><mj-style>@media (max-width: 9px) { .x { color: {{ c }} } }</mj-style></mj-head>`+
		`<mj-body><mj-section><mj-column><mj-text css-class="red"><b>{{ x }}</b>{% if a %}<i>1</i>{% endif %}</mj-text></mj-column></mj-section></mj-body></mjml>`)
	for _, want := range []string{`<b style="color:red">{{ x }}</b>{% if a %}<i>1</i>{% endif %}`, `@media (max-width: 9px) { .x { color: {{ c }} } }`, `<!--[if mso | IE]>`} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s in\n%s", want, html)
		}
	}
	if bad := unbalanced(outlookView(html)); bad != "" {
		t.Errorf("in Outlook: %s", bad)
	}
}
