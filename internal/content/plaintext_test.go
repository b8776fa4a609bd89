package content

import (
	"strings"
	"testing"
)

func TestPlainText(t *testing.T) {
	cases := []struct{ html, want string }{
		{`<p>Hello   <b>Ada</b>,</p><p>welcome&nbsp;to &lt;Shop&gt; &amp; co.</p>`, "Hello Ada,\n\nwelcome to <Shop> & co.\n"},
		{`<a href="https://a.example/x?a=1&amp;b=2">Our shop</a>!`, "Our shop (https://a.example/x?a=1&b=2)!\n"},
		{
			`<a href="https://a.example">https://a.example</a> <a href="mailto:a@b.example">a@b.example</a> <a href="#x">top</a>`,
			"https://a.example a@b.example top\n",
		},
		{
			`<a href="https://a.example"><img src="x.png" alt="Spring sale"></a><a href="https://b.example"><img src="y.png"></a>`,
			"Spring sale (https://a.example)\n",
		},
		{`<div style="display: none">preheader</div><head><title>t</title><style>a{}</style></head><body>x<!-- c --><script>1<2</script></body>`, "x\n"},
		{`<div style="display:none"><div>deep</div>still</div>shown`, "shown\n"},
		{`a<br>b<br><br>c`, "a\nb\n\nc\n"},
		{
			`<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul><ol><li>first</li><li>second</li></ol>`,
			" - one\n - two\n    - inner\n\n1. first\n2. second\n",
		},
		{`<h1>Title</h1><blockquote>said<br>so</blockquote>end`, "Title\n\n> said\n> so\n\nend\n"},
		{`<table><tr><th>Item</th><th>Price</th></tr><tr><td>Shoe</td><td>10</td></tr></table>`, "Item | Price\nShoe | 10\n"},
		{`<table role="presentation"><tr><td><div>left</div></td><td><div>right</div></td></tr></table>`, "left\nright\n"},
		{strings.Repeat("word ", 30), strings.TrimSpace(strings.Repeat("word ", 15)) + "\n" + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n"},
		{"<pre>a  b\n  c</pre>", "a  b\n  c\n"},
		{"soft\u00adhyphen \u200bx", "softhyphen x\n"},
		{``, "\n"},
	}
	for _, c := range cases {
		if got := plainText(c.html); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.html, got, c.want)
		}
	}
}

func TestPlainTextOfMJML(t *testing.T) {
	html := mustMJML(t, inBody(`<mj-section><mj-column><mj-image src="x.png" alt="Logo" href="https://a.example"/><mj-text>Hello</mj-text>`+
		`<mj-button href="https://a.example/buy">Buy</mj-button></mj-column><mj-column><mj-text><p>Second</p></mj-text></mj-column></mj-section>`))
	want := "Logo (https://a.example)\n\nHello\n\nBuy (https://a.example/buy)\n\nSecond\n"
	if got := plainText(html); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add("<ul><li><ol></ul><blockquote></li><table><td><a href=x></table>")
	f.Fuzz(func(t *testing.T, doc string) {
		if text := plainText(doc); strings.Contains(text, "\r") && !strings.Contains(doc, "<pre") {
			t.Errorf("%q gave %q", doc, text)
		}
	})
}
