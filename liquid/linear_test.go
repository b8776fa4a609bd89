package liquid_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// best returns the least time that f takes in a few tries.
func best(f func()) time.Duration {
	least := time.Hour
	for range 7 {
		start := time.Now()
		f()
		least = min(least, time.Since(start))
	}
	return least
}

// TestCostIsLinear measures parsing and rendering at one size and at sixteen times that size. A quadratic step would
// take 256 times as long; noise is left room for.
func TestCostIsLinear(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector changes the costs")
	}
	const factor, most = 16, 3 * 16
	engine := liquid.New(liquid.WithAutoEscape(true), liquid.WithLimits(liquid.Limits{Steps: 1 << 30, Memory: 1 << 30, Output: 1 << 30, Source: 1 << 30, Time: time.Minute}))
	parse := func(source string) *liquid.Template {
		template, err := engine.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		return template
	}
	const piece = "<p title=\"{{ a }}\">{{ item.name | upcase | escape }}</p>{% if b %}{% assign c = a | append: b %}{% else %}{{ c }}{% endif %}{% for i in list %}{{ i }}{% endfor %}\n"
	small, large := strings.Repeat(piece, 100), strings.Repeat(piece, 100*factor)
	if s, l := best(func() { parse(small) }), best(func() { parse(large) }); l > most*s {
		t.Errorf("parsing %d bytes takes %v, and %d bytes %v", len(small), s, len(large), l)
	}
	data := func(n int) map[string]any {
		items := make([]any, n)
		for i := range items {
			items[i] = map[string]any{"k": strings.Repeat("x", i%7), "v": n - i}
		}
		return map[string]any{"items": items, "text": strings.Repeat("word, ", n)}
	}
	few, many := data(500), data(500*factor)
	for _, source := range []string{
		"{% for i in items %}{{ i.k }}{{ i.v }}{% endfor %}", "{% for i in items reversed %}{{ forloop.index }}{% endfor %}",
		"{{ items | map: 'v' | sort | join: ',' }}", "{{ items | where: 'k', 'xx' | size }}", "{{ items | map: 'k' | uniq | size }}",
		"{{ items | sort: 'v' | reverse | first }}", "{{ items | json | size }}", "{{ items }}", "{{ items | concat: items | compact | sum: 'v' }}",
		"{% assign w = text | split: ', ' %}{% for x in w %}{{ x }}{% endfor %}{{ w | join: '-' | size }}", "{% assign w = text | split: '' %}{% for x in w reversed %}{{ x }}{% endfor %}",
		"{{ text | replace: 'o', '00' | upcase | truncatewords: 100000 | strip_html | url_encode | escape | size }}", "{{ text | remove: ',' | capitalize | strip_newlines | slice: 5, 100000 | newline_to_br | base64_encode }}",
		"{% capture c %}{% for i in items %}{{ i.v }}{% endfor %}{% endcapture %}{{ c | size }}", "{% tablerow i in items cols: 3 %}{{ i.v }}{% endtablerow %}",
		"{% for i in items %}{% cycle 'a', 'b' %}{% increment n %}{% ifchanged %}{{ i.k }}{% endifchanged %}{% endfor %}",
		"{{ items | find_index: 'v', 1 }}{{ items | has: 'k', 'none' }}{{ items | map: 'v' | to_sentence }}",
	} {
		template := parse(source)
		run := func(data map[string]any) func() {
			return func() {
				if _, err := template.Render(context.Background(), data); err != nil {
					t.Fatal(err)
				}
			}
		}
		if s, l := best(run(few)), best(run(many)); l > most*max(s, 20*time.Microsecond) {
			t.Errorf("%s takes %v, and with %d times the data %v", source, s, factor, l)
		}
	}
}
