package liquid_test

import (
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/liquid"
)

// TestAutoEscapeFollowsTheDocument checks the outputs that stand in different places from one time to the next: round
// a loop, behind branches, and in and behind partials.
func TestAutoEscapeFollowsTheDocument(t *testing.T) {
	engine := liquid.New(liquid.WithAutoEscape(true), liquid.WithPartials(liquid.Sources{
		"open":    "<a title=\"{{ x }}",
		"close":   "\">{{ x }}",
		"link":    "<a href=\"",
		"text":    "{{ x }}",
		"self":    "{% if deep %}{% include 'self' %}{% endif %}{{ x }}",
		"piece":   "{{ piece }}\" href=\"",
		"comment": "<!-- ",
	}), liquid.WithTag("twice", liquid.Tag{Block: true, Render: func(c *liquid.TagCall) error {
		c.WriteBody()
		c.WriteBody()
		return nil
	}}))
	data := map[string]any{"x": "<x>", "js": "javascript:x", "list": []string{"javascript:y", "z z"}, "yes": true, "deep": false}
	check(t, engine, data, [][2]string{
		// The second round begins inside an attribute.
		{"<p {% for i in list %}{{ i }} title=\"{% endfor %}\">", "<p # title=\"z&#32;z title=\"\">"},
		{"<a href=\"{% for i in list %}{{ i }}{% endfor %}\">", "<a href=\"#z%20z\">"},
		{"{% for i in list %}{{ i }}<a href={% endfor %}", "#<a href=z&#32;z<a href="},
		{"<a href=\"{% tablerow i in list %}{{ i }}{% endtablerow %}\">", "<a href=\"<tr class=\"row1\">\n<td class=\"col1\">#</td><td class=\"col2\">z%20z</td></tr>\n\">"},
		// Loops that end where they began change nothing.
		{"{% for i in list %}<b title='{{ i }}'>{{ x }}</b>{% endfor %}{{ x }}", "<b title='javascript:y'>&lt;x&gt;</b><b title='z z'>&lt;x&gt;</b>&lt;x&gt;"},
		{"{% for i in list %}<b title='{% break %}{% endfor %}{{ js }}", "<b title='#"},
		// Partials end where they end.
		{"{% render 'open', x: x %}\">{{ x }}", "<a title=\"&lt;x&gt;\">&lt;x&gt;"},
		{"{% include 'link' %}{{ js }}\">", "<a href=\"#\">"},
		{"{% include 'link' %}{% render 'text', x: js %}\">", "<a href=\"#\">"},
		{"{% include 'open' %}{% include 'close' %}", "<a title=\"&lt;x&gt;\">&lt;x&gt;"},
		{"{% include 'comment' %}{{ x }}-->{{ x }}", "<!-- &lt;x&gt;-->&lt;x&gt;"},
		{"<a title=\"{% render 'piece' for list %}\">", "<a title=\"#\" href=\"z&#32;z\" href=\"\">"},
		{"<a href=\"{% include 'self', x: js %}\">", "<a href=\"#\">"},
		// Captures are text, wherever they stand; what ifchanged holds stands where it is.
		{"<a href=\"{% capture c %}{{ x }}<b title=\"{% endcapture %}{{ js }}\">{{ c }}", "<a href=\"#\">&lt;x&gt;<b title=\""},
		{"<a href=\"{% ifchanged %}{{ js }}{% endifchanged %}{{ x }}\">", "<a href=\"#%3Cx%3E\">"},
		{"<a href=\"{% twice %}{{ js }}{% endtwice %}\">{{ x }}", "<a href=\"##\">&lt;x&gt;"},
		{"{% twice %}{{ js }}<a href=\"{% endtwice %}", "#<a href=\"#<a href=\""},
		{"{% case yes %}{% when true %}<a href=\"{% else %}<a title=\"{% endcase %}{{ js }}\">", "<a href=\"#\">"},
		{"{% case yes %}{% when true, yes %}<b>{% endcase %}{{ x }}", "<b><b>&lt;x&gt;"},
	})
	if kind := kindOf(t, engine, "{% render 'none' %}", nil); kind != liquid.PartialError {
		t.Errorf("a missing partial ended with %v", kind)
	}
}

// TestAutoEscapeOfLongTemplates makes sure that following the document takes time in proportion to the template.
func TestAutoEscapeOfLongTemplates(t *testing.T) {
	engine := liquid.New(liquid.WithAutoEscape(true))
	source := strings.Repeat("{% for i in l %}{% if a %}<a href=\"{% else %}<b title='{% endif %}{{ i }}{% unless b %}'>{% endunless %}{% endfor %}", 9000)
	if _, err := engine.Parse(source); err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat("{% for i in l %}<a {{ i }}=\"", 90) + strings.Repeat("{{ i }}\">{% endfor %}", 90)
	if _, err := engine.Parse(deep); err != nil {
		t.Fatal(err)
	}
}
