package content

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStylesAreInlinedAroundLiquid(t *testing.T) {
	html, err := compileHTML(`<html><head><style>
.row td { color: {{ brand | default: "red" }}; padding: 3px }
@media (max-width: 600px) { .row td { padding: 1px } }
a:hover { color: blue }
</style></head><body>
<!--[if mso]><b>{{ only_outlook }}</b><![endif]-->
<table class="row">{% for p in items %}<tr {% if p.new %}class="new"{% endif %} data-{{ p.id }}="1"><td>{{ p.name }}</td></tr>{% else %}<tr><td>&nbsp;none &lt; 1</td></tr>{% endfor %}</table>
<a href="{{ url | append: "?x=1" }}" title='{{ a }}'>x</a><a href={{ bare }}>y</a>
<p style="color: {{ c }}">{% comment %}<p>{% endcomment %}</p>
</body></html>`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{% for p in items %}<tr {% if p.new %} class="new" {% endif %}`,
		`{{ p.name }}</td></tr>{% else %}<tr><td`,
		`</td></tr>{% endfor %}</table>`,
		`color:{{ brand | default: "red" }}`,
		`padding:3px`,
		`@media (max-width: 600px)`,
		`a:hover`,
		`<!--[if mso]><b>{{ only_outlook }}</b><![endif]-->`,
		`href="{{ url | append: "?x=1" }}" title="{{ a }}"`,
		`href="{{ bare }}"`,
		`color: {{ c }}`,
		`none &lt; 1`,
		`{% comment %}<p>{% endcomment %}`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s in\n%s", want, html)
		}
	}
}

// TestRealTemplates inlines well-known templates and checks that text, media queries and conditional comments stay.
func TestRealTemplates(t *testing.T) {
	for name, src := range realTemplates(t) {
		html, err := compileHTML(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before, after := strings.Fields(plainText(src)), strings.Fields(plainText(html))
		for len(after) > 0 && len(before) > 0 { // a style may hide the preheader, nothing else
			if before[0] == after[0] {
				after = after[1:]
			}
			before = before[1:]
		}
		if len(after) > 0 {
			t.Errorf("%s: the text changed at %q", name, after)
		}
		if strings.Count(src, "<!--[if") != strings.Count(html, "<!--[if") {
			t.Errorf("%s: %d conditional comments became %d", name, strings.Count(src, "<!--[if"), strings.Count(html, "<!--[if"))
		}
		if strings.Contains(src, "@media") && !strings.Contains(html, "@media") {
			t.Errorf("%s: media queries are gone", name)
		}
		if strings.Contains(html, newShield(src).word) {
			t.Errorf("%s: stand-ins left", name)
		}
	}
}

// realTemplates reads the public HTML templates of the test data.
func realTemplates(t *testing.T) map[string]string {
	t.Helper()
	dir := os.Getenv("TAILORBIRD_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	f, err := os.Open(filepath.Join(dir, "email-templates", "html-templates.tar.gz"))
	if err != nil {
		t.Skip("the test data is absent; set TAILORBIRD_TEST_DATA to its folder")
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	templates := map[string]string{}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return templates
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(h.Name, ".html") {
			b, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			templates[h.Name] = string(b)
		}
	}
}
