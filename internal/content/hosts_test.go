package content

import (
	"slices"
	"strings"
	"testing"
)

// TestDataChooseNoRedirect renders links with what customers might have sent, and looks for redirects that we would sign.
func TestDataChooseNoRedirect(t *testing.T) {
	const known = `<a href="https://shop.example/all">all</a>`
	for _, c := range []struct {
		link, value string
		tracked     bool
		warned      bool
	}{
		{`{{ x }}`, "https://evil.example/", false, true},
		{`{{ x }}`, "https://shop.example/p/1", true, true}, // the author writes the host elsewhere
		{`{{ x }}`, "HTTPS://Shop.Example/p/1", true, true},
		{`{{ x }}`, "http://shop.example/p/1", false, true},
		{`{{ x }}`, "https://shop.example@evil.example/", false, true},
		{`{{ x }}`, "https://evil.example\\@shop.example/", false, true},
		{`{{ x }}`, "https://shop.example.evil.example/", false, true},
		{`{{ x | default: 'https://shop.example/shop' }}`, "https://evil.example/", false, false},
		{`{{ x | default: 'https://shop.example/shop' }}`, "", true, false},
		{`https://{{ x }}/p`, "evil.example", false, true},
		{`https://shop.example{{ x }}`, ".evil.example/", false, true},
		{`https://shop.example{{ x }}`, "@evil.example/", false, true},
		{`https://shop.example/{{ x }}`, "../p?a=https://evil.example", true, false},
		{`https://shop.example/p?id={{ x }}`, "7", true, false},
		{`https://shop.{{ x }}/`, "example", true, true}, // the same host after all
		{`https://shop.{{ x }}/`, "evil", false, true},
	} {
		template, err := Compile(Source{Subject: "s", Format: HTML, Body: known + `<a href="` + c.link + `">x</a><a href="{{ unsubscribe_url }}">stop</a>`}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		mail, err := template.Render(t.Context(), map[string]any{"x": c.value}, testLinks("ada"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(mail.HTML, "t.example/c/"); (n == 2) != c.tracked || n < 1 {
			t.Errorf("%s with %q: %s", c.link, c.value, mail.HTML)
		}
		warned := slices.ContainsFunc(template.Warnings(), func(w Warning) bool { return w.Code == DynamicLink })
		if warned != c.warned {
			t.Errorf("%s: warned %v", c.link, warned)
		}
	}
}
