package content

import (
	"strings"
	"testing"
)

type testLinks string

func (l testLinks) Click(url string) string { return "https://t.example/c/" + string(l) + "?" + url }
func (l testLinks) Pixel() string           { return "https://t.example/o/" + string(l) }
func (l testLinks) Unsubscribe() string     { return "https://t.example/u/" + string(l) }

func TestLinksAreRewritten(t *testing.T) {
	f := finisher{links: UTM{Source: "news", Medium: "email", Campaign: "spring & co"}.Tag(testLinks("ada")), origins: originsOf("https://shop.example http://shop.example"), unsubscribe: "https://t.example/u/ada"}
	const utm = "utm_source=news&amp;utm_medium=email&amp;utm_campaign=spring+%26+co"
	const click = `"https://t.example/c/ada?`
	for in, want := range map[string]string{
		`<a href="https://shop.example/p?a=1&amp;b=2#top">`:          `<a href=` + click + `https://shop.example/p?a=1&amp;b=2&amp;` + utm + `#top">`,
		`<A class=x HREF='HTTP://shop.example'>`:                     `<A class=x HREF=` + click + `HTTP://shop.example?` + utm + `">`,
		`<a href=https://shop.example/x>`:                            `<a href=` + click + `https://shop.example/x?` + utm + `">`,
		"<a\n  title=\"a>b\"\n  href=\" https://shop.example \">":    "<a\n  title=\"a>b\"\n  href=" + click + `https://shop.example?` + utm + `">`,
		`<a href="https://shop.example?utm_source=x">`:               `<a href=` + click + `https://shop.example?utm_source=x&amp;utm_medium=email&amp;utm_campaign=spring+%26+co">`,
		`<area href="https://shop.example">`:                         `<area href=` + click + `https://shop.example?` + utm + `">`,
		`<!--[if mso]><v:roundrect href="https://shop.example"/>`:    `<!--[if mso]><v:roundrect href=` + click + `https://shop.example?` + utm + `"/>`,
		`<a href="https://t.example/u/ada">`:                         `<a href="https://t.example/u/ada">`,
		`<a href="mailto:a@shop.example">`:                           `<a href="mailto:a@shop.example">`,
		`<a href="tel:+49301234"><a href="#top"><a name="here">`:     `<a href="tel:+49301234"><a href="#top"><a name="here">`,
		`<a data-href="https://x.example" href="/relative"><a href>`: `<a data-href="https://x.example" href="/relative"><a href>`,
		`<abbr href="https://x.example"><p>1 < 2 <a`:                 `<abbr href="https://x.example"><p>1 < 2 <a`,
		`<a href="javascript://x.example/%0aalert(1)">`:              `<a href="javascript://x.example/%0aalert(1)">`,
	} {
		got := strings.TrimSuffix(f.finish(in), f.pixel())
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestPixelAndPreheaderStandWhereTheyBelong(t *testing.T) {
	f := finisher{links: testLinks("ada"), preheader: `Hi & <b>`}
	got := f.finish(`<html><body style="a>b">text</body></html>`)
	if !strings.HasPrefix(got, `<html><body style="a>b"><div style="display:none;`) || !strings.Contains(got, "Hi &amp; &lt;b&gt;") {
		t.Errorf("preheader: %s", got)
	}
	if !strings.HasSuffix(got, f.pixel()+`</body></html>`) {
		t.Errorf("pixel: %s", got)
	}
	if got := f.finish("text"); !strings.HasPrefix(got, "<div") || !strings.HasSuffix(got, f.pixel()) {
		t.Errorf("without a body element: %s", got)
	}
	if got := (finisher{}).finish("<body>x</body>"); got != "<body>x</body>" {
		t.Errorf("a preview changed: %s", got)
	}
}

func FuzzFinish(f *testing.F) {
	f.Add(`<a href="https://a.example">x</a><body>`)
	f.Add("<a href='")
	f.Fuzz(func(t *testing.T, doc string) {
		out := finisher{links: testLinks("x"), preheader: "p"}.finish(doc)
		if strings.Count(out, "https://t.example/o/x") < 1 {
			t.Errorf("no pixel in %q", out)
		}
	})
}
