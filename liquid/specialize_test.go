package liquid_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// sameSpecialized renders a template as it is, and specialised to each part of its data that the mask picks. All must
// write the same.
func sameSpecialized(t *testing.T, engine *liquid.Engine, source string, keys []string, data map[string]any) {
	t.Helper()
	template, err := engine.Parse(source)
	if err != nil {
		return
	}
	want, wantErr := template.Render(context.Background(), data)
	for _, mask := range []int{0, 1, 2, 5, 10, -1} {
		shared, own := map[string]any{}, map[string]any{}
		for i, key := range keys {
			if mask>>(i%4)&1 == 1 {
				shared[key] = data[key]
			} else {
				own[key] = data[key]
			}
		}
		got, err := template.Specialize(shared).Render(context.Background(), own)
		if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%q specialised to %v wrote %q, %v, want %q, %v", source, shared, got, err, want, wantErr)
		}
	}
}

func TestSpecializedGoldenCases(t *testing.T) {
	for _, c := range goldenCases(t) {
		engine := liquid.New(liquid.WithPartials(liquid.Sources(c.Templates)))
		sameSpecialized(t, engine, c.Template, c.Data.Keys(), c.values())
	}
}

func TestSpecialize(t *testing.T) {
	loads := 0
	engine := liquid.New(
		liquid.WithAutoEscape(true),
		liquid.WithObject("object", func(context.Context, liquid.Value) (any, error) { loads++; return "<o>", nil }),
		liquid.WithFilter("own", liquid.Filter{Func: func(c *liquid.Call) (liquid.Value, error) { return c.Input(), nil }}),
		liquid.WithPartials(liquid.Sources{"p": "{{ x }}{{ a }}", "i": "{% assign a = 1 %}"}),
	)
	data := map[string]any{"a": "<a>", "b": "B", "list": []any{1, 2, 3}, "own": []any{"x", "y"}, "t": "march 1"}
	keys := []string{"a", "list", "b", "own", "t"}
	for _, source := range []string{
		"x{{ a }}y{{ b }}z{{ a | append: b }}", "{% for i in list %}{{ i }}{{ a }}{% if i == 2 %}{% break %}{% endif %}{% else %}e{% endfor %}",
		"{% for i in list %}{{ b }}{% for j in own %}{{ i }}{{ j }}{{ forloop.index }}{% continue %}{% endfor %}{% endfor %}",
		"{% if a == '<a>' %}1{% elsif b %}2{% else %}3{% endif %}{% if b == 'x' %}1{% elsif a %}2{{ b }}{% else %}3{% endif %}{% unless a %}4{{ b }}{% else %}5{% endunless %}",
		"{% case a %}{% when b %}1{% when '<a>', '<a>' %}2{{ b }}{% else %}3{% endcase %}{% case b %}{% when a %}{% else %}{% endcase %}",
		"{{ a }}{% assign a = b %}{{ a }}{% capture list %}{{ a }}{% endcapture %}{{ list }}{% increment b %}{{ b }}",
		"{% for i in list limit: 1 %}{{ i }}{% endfor %}{% for i in list offset: continue %}{{ i }}{% endfor %}",
		"{% tablerow i in list cols: 2 %}{{ a }}{{ i }}{% break %}{% endtablerow %}{% cycle a, b %}{% cycle a, b %}{% ifchanged %}{{ a }}{% endifchanged %}",
		"{% render 'p', x: a %}{{ a }}{{ object }}{{ a | own }}<a href=\"{{ a }}?{{ a }}{{ b }}\">", "{% include 'i' %}{{ a }}",
		"{{ 1 | divided_by: a }}", "{{ a | base64_decode }}", "{{ ['a'] }}{{ [b] }}{{ list[0] }}{{ list[b] }}", "{% if a %}{% endif %}{% for i in list %}{% endfor %}",
	} {
		sameSpecialized(t, engine, source, keys, data)
	}
	template, err := engine.Parse("{{ object }}{{ t | date: '%F' }}")
	if err != nil {
		t.Fatal(err)
	}
	loads = 0
	template.Specialize(data)
	if loads > 0 {
		t.Error("specialising loaded an object")
	}
}

func TestSpecializeKeepsTheClock(t *testing.T) {
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	engine := liquid.New(liquid.WithClock(func() time.Time { return now }))
	template, err := engine.Parse("{{ t | date: '%F' }}{{ day | date: ' %F' }}")
	if err != nil {
		t.Fatal(err)
	}
	special := template.Specialize(map[string]any{"t": "now", "day": "march 1"})
	now = now.AddDate(1, 0, 0)
	if got, err := special.Render(context.Background(), nil); got != "2025-01-01 2025-03-01" || err != nil {
		t.Errorf("wrote %q, %v, want the time of rendering", got, err)
	}
}
