package liquid_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tailorbird/tailorbird/liquid"
)

func TestAutoEscapeByPlace(t *testing.T) {
	engine := liquid.New(liquid.WithAutoEscape(true))
	data := map[string]any{
		"x": `<b>"it's" & more</b>`, "url": "https://shop.example/a b?q=1&r=ü", "js": "JavaScript:alert(1)", "q": "a&b=c d/é",
		"ent": "java&#115;cript:alert(1)", "tab": "java\tscript:alert(1)", "n": 5, "list": []string{"<", "b"}, "h": map[string]any{"k": "<"},
		"css": "red;background:url(x)", "mail": "mailto:a@b.example", "path": "/p/1", "data": "data:text/html,x", "e": "5 &lt; 6",
	}
	const text = "&lt;b&gt;&quot;it&#39;s&quot; &amp; more&lt;/b&gt;"
	check(t, engine, data, [][2]string{
		{"<p>{{ x }}</p>", "<p>" + text + "</p>"},
		{"<p title=\"{{ x }}\">", "<p title=\"" + text + "\">"},
		{"<p title='{{ x }}'>", "<p title='" + text + "'>"},
		{"<p title={{ x }}>", "<p title=&#60;b&#62;&#34;it&#39;s&#34;&#32;&#38;&#32;more&#60;&#47;b&#62;>"},
		{"<p {{ x }}>", "<p &#60;b&#62;&#34;it&#39;s&#34;&#32;&#38;&#32;more&#60;&#47;b&#62;>"},
		{"<a href=\"{{ url }}\">{{ n }}</a>", "<a href=\"https://shop.example/a%20b?q=1&amp;r=%C3%BC\">5</a>"},
		{"<a href=\"{{ js }}\">", "<a href=\"#\">"},
		{"<a href=\"{{ ent }}\">", "<a href=\"java&amp;#115;cript:alert%281%29\">"},
		{"<a href=\"{% capture c %}{{ ent | raw }}{% endcapture %}{{ c }}\">", "<a href=\"#\">"},
		{"<a href=\"{{ ent | raw }}\">", "<a href=\"java&#115;cript:alert(1)\">"},
		{"<a href='{{ tab }}'>", "<a href='#'>"},
		{"<a href={{ data }}>", "<a href=#>"},
		{"<a href=\"{{ js | escape }}\">", "<a href=\"#\">"},
		{"<a href=\"{{ mail }}\">", "<a href=\"mailto:a@b.example\">"},
		{"<a href=\"{{ path }}?q={{ q }}#{{ q }}\">", "<a href=\"/p/1?q=a%26b%3Dc%20d%2F%C3%A9#a%26b%3Dc%20d%2F%C3%A9\">"},
		{"<a href=\"/s?q={{ q | url_encode }}\">", "<a href=\"/s?q=a%26b%3Dc+d%2F%C3%A9\">"},
		{"<a href=\"/s/{{ q }}/x\">", "<a href=\"/s/a&amp;b=c%20d/%C3%A9/x\">"},
		{"<a href=\"{{ url | escape }}\">", "<a href=\"https://shop.example/a%20b?q=1&amp;r=%C3%BC\">"},
		{"<img src=\"{{ path }}\" alt=\"{{ x }}\">", "<img src=\"/p/1\" alt=\"" + text + "\">"},
		{"<mj-button href=\"{{ js }}\">{{ x }}</mj-button>", "<mj-button href=\"#\">" + text + "</mj-button>"},
		{"<div style=\"color:{{ css }}\">", "<div style=\"color:red\\3B background\\3A url\\28 x\\29 \">"},
		{"<style>a{color:{{ css }}}</style>{{ x }}", "<style>a{color:red\\3B background\\3A url\\28 x\\29 }</style>" + text},
		{"<script>var s = '{{ x }}';</script>{{ n }}", "<script>var s = '\\u003Cb\\u003E\\u0022it\\u0027s\\u0022 \\u0026 more\\u003C\\u002Fb\\u003E';</script>5"},
		{"<a onclick=\"f('{{ x }}')\">", "<a onclick=\"f('\\u003Cb\\u003E\\u0022it\\u0027s\\u0022 \\u0026 more\\u003C\\u002Fb\\u003E')\">"},
		{"<!-- {{ x }} -->{{ x }}", "<!-- " + text + " -->" + text},
		{"<!--[if mso]><a href=\"{{ js }}\"><![endif]-->{{ x }}", "<!--[if mso]><a href=\"#\"><![endif]-->" + text},
		{"<title>{{ x }}</title>", "<title>" + text + "</title>"},
		{"<p>{{ x | escape }}{{ x | h }}</p>", "<p>" + text + text + "</p>"},
		{"{{ x | escape | escape }}", text},
		{"{{ x | escape | strip | truncate: 100 }}", text},
		{"{{ x | escape | append: '<br>' }}{{ '<br>' | raw | prepend: x }}", text + "&lt;br&gt;" + text + "<br>"},
		{"{{ x | append: '<br>' }}", text + "&lt;br&gt;"},
		{"{{ x | escape_once }}{{ e | escape_once }}", text + "5 &lt; 6"},
		{"{{ x | raw }}{{ x | safe }}{{ x | upcase | raw }}", data["x"].(string) + data["x"].(string) + strings.ToUpper(data["x"].(string))},
		{"{{ x | raw | strip }}", data["x"].(string)},
		{"{% capture y %}<i>{{ x }}</i>{% endcapture %}{{ y }}", "<i>" + text + "</i>"},
		{"{% assign y = x %}{{ y }}{% assign y = x | escape %}{{ y }}", text + text},
		{"{{ list }}{{ list | join: '>' }}{{ h }}", "&lt;b&lt;&gt;b{&quot;k&quot;=&gt;&quot;&lt;&quot;}"},
		{"{{ 'a\nb<' | newline_to_br }}", "a<br />\nb&lt;"},
		{"{{ 'a\nb<' | escape | newline_to_br }}", "a<br />\nb&lt;"},
		{"{% cycle x, 'b' %}", text},
		{"{% if n %}<a href=\"{% else %}<a title=\"{% endif %}{{ js }}\">", "<a href=\"#\">"},
		{"<a href=\"{% if n %}{{ js }}{% endif %}\">{{ x }}", "<a href=\"#\">" + text},
		{"{% for i in list %}<a href=\"{{ path }}\" class=\"{{ i }}\">{% endfor %}{{ x }}", "<a href=\"/p/1\" class=\"&lt;\"><a href=\"/p/1\" class=\"b\">" + text},
		{"{{ '<' }}{{ missing | default: '<i>' }}", "&lt;&lt;i&gt;"},
		{"{{ x | json }}", "&quot;\\u003cb\\u003e\\&quot;it&#39;s\\&quot; \\u0026 more\\u003c/b\\u003e&quot;"},
	})
	plain := liquid.New()
	check(t, plain, data, [][2]string{{"<p>{{ x }}</p>", "<p>" + data["x"].(string) + "</p>"}, {"{{ x | raw }}{{ x | escape | escape_once }}", data["x"].(string) + text}})
}

// FuzzAutoEscapeKeepsStructure writes hostile text into every sort of place and reads the document with an HTML
// parser: there must be no element or attribute that the template did not write.
func FuzzAutoEscapeKeepsStructure(f *testing.F) {
	for _, seed := range []string{`"><script>alert(1)</script>`, `' onmouseover='x`, "javascript:alert(1)", "a b=c", "--><img src=x>", "</title><b>", "\x00`", "</style><script>"} {
		f.Add(seed)
	}
	engine := liquid.New(liquid.WithAutoEscape(true))
	template, err := engine.Parse(`<title>{{ x }}</title><style>a{b:{{ x }}}</style><p title="{{ x }}" lang='{{ x }}' id={{ x }}>{{ x }}<!-- {{ x }} -->` +
		`<a href="{{ x }}">{{ x }}</a><a href="/a/{{ x }}?b={{ x }}#{{ x }}" style="c:{{ x }}">{{ x | escape }}</a><script>"{{ x }}"</script></p>`)
	if err != nil {
		f.Fatal(err)
	}
	shape := func(x string) string {
		out, err := template.Render(context.Background(), map[string]any{"x": x})
		if err != nil {
			f.Fatal(err)
		}
		var b strings.Builder
		z := html.NewTokenizer(strings.NewReader(out))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			if token.Type == html.TextToken {
				continue
			}
			b.WriteString(token.Type.String() + " ")
			if token.Type != html.CommentToken {
				b.WriteString(token.Data)
			}
			for _, a := range token.Attr {
				b.WriteString(" " + a.Key)
				if a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					b.WriteString(" runs code")
				}
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	want := shape("plain")
	f.Fuzz(func(t *testing.T, x string) {
		if got := shape(x); got != want {
			t.Errorf("%q changed the document from\n%s to\n%s", x, want, got)
		}
	})
}
