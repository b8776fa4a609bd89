package liquid_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// fuzzSeeds touch each tag and most filters.
var fuzzSeeds = []string{
	"{% if a and b or c contains 'x' %}{{ a.b['c'][0] | upcase | split: ',' }}{% elsif x <> 1 %}{% else %}{% endif %}",
	"{% for i in (1..5) reversed limit: 2 offset: continue %}{{ forloop.index }}{% break %}{% else %}{% endfor %}",
	"{% tablerow i in list cols: 2 %}{% continue %}{{ tablerowloop.col }}{% endtablerow %}",
	"{% case x %}{% when 1, 'a' or nil %}{% else %}{% endcase %}{% unless x %}{% endunless %}",
	"{% capture a %}{% cycle 'g': 1, 2 %}{% endcapture %}{% increment n %}{% decrement n %}{% ifchanged %}{% endifchanged %}",
	"{% liquid\n assign x = 'a' | append: b\n echo x | date: '%Y %10N'\n if x\n endif %}",
	"{% include 'p', a: 1 %}{% include 'p' for list as b %}{% render 'p' with h as c %}",
	"{%- raw -%}{{ x }}{%- endraw -%}{% comment %}{% endcomment %}{% doc %}{% enddoc %}{% # c %}",
	"<a href='{{ u }}' style=\"{{ s }}\"><!-- {{ c }} --><script>{{ j }}</script>{{ list | where: 'a', 1 | map: 'b' | sort | uniq | join: ', ' | truncate: 5 }}",
	"{{ 1.5 | times: 3 | divided_by: 0.1 | round: 2 | modulo: 7 | at_least: 3 }}{{ 99999999999999999999 | plus: -1 | money: 'EUR', 'de' }}",
	"{{ 'x' | replace: '', '\\\\0' | slice: -2, 2 | base64_encode | url_encode | escape_once | strip_html | json }}{{ 'march 1 2020 5pm' | date: '%c', 'Europe/Berlin' }}",
}

// FuzzRender looks for panics, hangs and results that differ from one rendering to the next.
func FuzzRender(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add(seed)
	}
	now := time.Date(2024, 2, 29, 13, 5, 9, 0, time.UTC)
	limits := liquid.Limits{Steps: 100_000, Output: 1 << 20, Memory: 1 << 20, Source: 1 << 16}
	var engines []*liquid.Engine
	for _, lax := range []bool{false, true} {
		engines = append(engines, liquid.New(
			liquid.WithLax(lax), liquid.WithAutoEscape(lax), liquid.WithLimits(limits),
			liquid.WithClock(func() time.Time { return now }),
			liquid.WithPartials(liquid.Sources{"p": "{{ a }}{% assign b = a %}{% break %}", "self": "{% include 'self' %}"}),
		))
	}
	data := map[string]any{
		"a": map[string]any{"b": map[string]any{"c": []any{"x,y", nil}}}, "list": []any{map[string]any{"a": 1, "b": "<b>"}, 2, nil, []any{"z"}},
		"h": map[string]any{"k": "v"}, "x": 1, "b": "bb", "s": "color:red", "u": "https://a.example/?q=1", "f": 2.5, "t": now,
	}
	f.Fuzz(func(t *testing.T, source string) {
		for _, engine := range engines {
			template, err := engine.Parse(source)
			if err != nil {
				mustBeTyped(t, err)
				continue
			}
			template.Analyze()
			first, err := template.Render(context.Background(), data)
			mustBeTyped(t, err)
			second, err2 := template.Render(context.Background(), data)
			if first != second || (err == nil) != (err2 == nil) {
				t.Errorf("%q rendered %q, %v, then %q, %v", source, first, err, second, err2)
			}
		}
	})
}

func mustBeTyped(t *testing.T, err error) {
	t.Helper()
	var e *liquid.Error
	if err != nil && (!errors.As(err, &e) || e.Kind == liquid.InternalError || e.Kind == liquid.TimeLimit) {
		t.Errorf("error %v (%T)", err, err)
	}
}
