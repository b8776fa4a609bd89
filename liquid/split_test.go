package liquid_test

import (
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/liquid"
)

// TestSplitIsNotMaterialised gives a rendering less working memory than the list of a split would take. What reads the
// list in order, or only counts, must do without the list; what needs it must fail.
func TestSplitIsNotMaterialised(t *testing.T) {
	const items = 10_000
	engine := liquid.New(liquid.WithLimits(liquid.Limits{Memory: 4 * items}))
	data := map[string]any{"text": "first" + strings.Repeat(",x", items-2) + ",last,,"}
	for source, want := range map[string]string{
		"{% assign a = text | split: ',' %}{% for x in a %}{% endfor %}{{ a.size }}":                         "10000",
		"{% assign a = text | split: ',' %}{% for x in a limit: 2 offset: 5000 %}{{ x }}{% endfor %}":        "xx",
		"{% assign a = text | split: ',' %}{{ a.first }} {{ a.last }} {{ a[0] }} {{ a[-1] }} {{ a[7000] }}":  "first last first last x",
		"{% assign a = text | split: ',' %}{{ a | join | size }} {{ a | size }} {{ a | last }}":              "20006 10000 last",
		"{% assign a = text | split: '' %}{{ a[-2] }}{{ a.size }}{% if a contains 'q' %}!{% endif %}":        ",20008",
		"{% assign a = text | split: 'x' %}{% assign b = text | split: 'x' %}{% if a == b %}same{% endif %}": "same",
		"{{ (1..5000) | join: '' | size }} {{ (1..20000) | sum }}":                                           "18893 200010000",
	} {
		if got := render(t, engine, source, data); got != want {
			t.Errorf("%s wrote %q, want %q", source, got, want)
		}
	}
	for _, source := range []string{
		"{% assign a = text | split: ',' %}{% for x in a reversed %}{% endfor %}",
		"{{ text | split: ',' | sort | first }}",
		"{{ text | split: ',' | reverse | first }}",
		"{% assign a = text | split: ',' %}{{ a[5] }}{{ a[4] }}",
	} {
		if kind := kindOf(t, engine, source, data); kind != liquid.MemoryLimit {
			t.Errorf("%s ended with %v, want %v", source, kind, liquid.MemoryLimit)
		}
	}
}

// The results in this table were recorded from Ruby 3.1.
func TestSplit(t *testing.T) {
	check(t, liquid.New(), nil, [][2]string{
		{"{{ 'aaa' | split: 'aa' | join: '|' }}", "|a"},
		{"{{ 'aaaa' | split: 'aa' | size }}", "0"},
		{"{{ 'aaaaa' | split: 'aa' | join: '|' }}", "||a"},
		{"{{ 'xaaa' | split: 'aa' | join: '|' }}", "x|a"},
		{"{{ ',,a,,' | split: ',' | join: '|' }}", "||a"},
		{"{{ ' a  b ' | split: ' ' | join: '|' }}", "a|b"},
		{"{{ ',' | split: ',' | size }}{{ '' | split: ',' | size }}{{ '' | split: '' | size }}", "000"},
		{"{% assign a = 'a,b,c,d' | split: ',' %}{% for x in a reversed %}{{ x }}{{ a[1] }}{% endfor %}{{ a[0] }}{{ a[3] }}{{ a[4] }}{{ a[2] }}", "dbcbbbabadc"},
		{"{% assign a = 'äöü' | split: '' %}{{ a.first }}{{ a[1] }}{{ a.last }}{{ a | reverse | join }}", "äöüü ö ä"},
		{"{% assign a = 'a b' | split: ' ' %}{% assign b = 'a,b' | split: ',' %}{% if a == b %}same{% endif %}{{ a | concat: b }}", "sameabab"},
	})
}
