package liquid_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/liquid"
)

// describe writes a variable as "path@line:column" with o for output and f for fallback.
func describe(v liquid.Variable) string {
	s := fmt.Sprintf("%s@%d:%d", v.Path, v.Line, v.Column)
	if v.Template != "" {
		s = v.Template + "/" + s
	}
	if v.Output {
		s += " o"
	}
	if v.Fallback {
		s += " f"
	}
	return s
}

func TestAnalyze(t *testing.T) {
	engine := liquid.New(
		liquid.WithGlobals(map[string]any{"shop": "S"}),
		liquid.WithObject("recommended", func(context.Context, liquid.Value) (any, error) { return nil, nil }),
		liquid.WithPartials(liquid.Sources{
			"card":   "{{ p.name }}{{ price | default: 0 }}{{ outside }}{{ shop }}{{ recommended.x }}",
			"footer": "{{ city }}{% include 'deep' %}",
			"deep":   "{{ who.x }}{% include 'footer' %}",
			"loop":   "{% for i in list %}{{ i.a }}{% endfor %}",
		}),
	)
	for _, c := range []struct {
		source, variables, partials, objects string
	}{
		{"{{ a.b }}\n {{ c['d e'].f }}", `a.b@1:4 o, c["d e"].f@2:5 o`, "", ""},
		{"{{ a | default: b }}", "a@1:4 o f, b@1:17 o", "", ""},
		{"{{ a | default: b | default: 'c' }}", "a@1:4 o f, b@1:17 o f", "", ""},
		{"{{ a | upcase | default: 'x' }}{{ b | append: c | upcase }}", "a@1:4 o f, b@1:35 o, c@1:47 o", "", ""},
		{"{% if a and b.c == d %}{{ a }}{{ b.c }}{{ b.e }}{% endif %}{{ a }}", "a@1:7 f, b.c@1:13 f, d@1:20 f, a@1:27 o f, b.c@1:34 o f, b.e@1:43 o, a@1:63 o", "", ""},
		{"{% for p in products %}{{ p.name }}{{ forloop.index }}{% for v in p.variants %}{{ v.x }}{% endfor %}{% endfor %}", "products@1:13, products[].name@1:27 o, products[].variants@1:67, products[].variants[].x@1:83 o", "", ""},
		{"{% assign x = a.b %}{{ x.c }}{% assign y = a | upcase %}{{ y }}{% capture z %}{{ q }}{% endcapture %}{{ z }}", "a.b@1:15, a.b.c@1:24 o, a@1:44, q@1:82 o", "", ""},
		{"{{ a[0].x }}{{ a[i] }}{{ (1..n) | join }}{{ true }}{{ 'x' }}", "a[0].x@1:4 o, i@1:18 o, a[]@1:16 o, n@1:30 o", "", ""},
		{"{{ recommended.first }}{{ shop }}", "", "", "recommended"},
		{"{% for x in list %}{% render 'card', p: x, price: x.price %}{% endfor %}", "list@1:13, list[]@1:41, list[].price@1:51, card/list[].name@1:4 o, card/list[].price@1:16 o f", "card", "recommended"},
		{"{% render 'card' for items as p %}", "items@1:22, card/items[].name@1:4 o", "card", "recommended"},
		{"{% include 'footer', who: me %}", "me@1:27, footer/city@1:4 o, deep/me.x@1:4 o", "deep,footer", ""},
		{"{% assign list = orders %}{% include 'loop' %}", "orders@1:18, loop/orders@1:13, loop/orders[].a@1:23 o", "loop", ""},
		{"{% case a %}{% when b %}{{ a }}{% endcase %}", "a@1:9 f, b@1:21, a@1:28 o f", "", ""},
	} {
		template, err := engine.Parse(c.source)
		if err != nil {
			t.Fatalf("%q: %v", c.source, err)
		}
		a := template.Analyze()
		var got []string
		for _, v := range a.Variables {
			got = append(got, describe(v))
		}
		if strings.Join(got, ", ") != c.variables {
			t.Errorf("%q uses\n     %s\nwant %s", c.source, strings.Join(got, ", "), c.variables)
		}
		if strings.Join(a.Partials, ",") != c.partials || strings.Join(a.Objects, ",") != c.objects {
			t.Errorf("%q needs partials %v and objects %v, want %q and %q", c.source, a.Partials, a.Objects, c.partials, c.objects)
		}
	}
	template, err := engine.Parse("{% include name %}")
	if err != nil {
		t.Fatal(err)
	}
	if a := template.Analyze(); !a.Dynamic || !slices.Equal([]string{"name"}, []string{a.Variables[0].Path}) {
		t.Errorf("analysis %+v, want a dynamic partial chosen by name", a)
	}
}
