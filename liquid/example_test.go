package liquid_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

func Example() {
	engine := liquid.New(liquid.WithAutoEscape(true))
	template, err := engine.Parse("<p>Hello {{ name | default: 'there' }}!{% for p in products %} {{ p.name }}: {{ p.price | money }}.{% endfor %}</p>")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"Ada & Bob", ""} {
		out, err := template.Render(context.Background(), map[string]any{
			"name":     name,
			"products": []map[string]any{{"name": "Mug", "price": 12.5}},
		})
		fmt.Println(out, err)
	}
	// Output:
	// <p>Hello Ada &amp; Bob! Mug: $12.50.</p> <nil>
	// <p>Hello there! Mug: $12.50.</p> <nil>
}

func ExampleError() {
	_, err := liquid.New().Parse("Dear {{ name }},\n{% if vip }} thanks")
	var e *liquid.Error
	if errors.As(err, &e) {
		fmt.Println(e.Kind, e.Line, e.Column)
	}
	// Output: syntax 2 1
}

func ExampleTemplate_Analyze() {
	template, err := liquid.New().Parse("Hello {{ first_name | default: 'you' }}, {% for p in cart.items %}{{ p.name }}{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range template.Analyze().Variables {
		fmt.Println(v.Path, v.Line, v.Column, v.Output, v.Fallback)
	}
	// Output:
	// first_name 1 10 true true
	// cart.items 1 54 false false
	// cart.items[].name 1 70 true false
}

func ExampleWithFilter() {
	engine := liquid.New(liquid.WithFilter("initials", liquid.Filter{
		Func: func(c *liquid.Call) (liquid.Value, error) {
			var b strings.Builder
			for _, word := range strings.Fields(c.Input().String()) {
				b.WriteByte(word[0])
			}
			return liquid.String(b.String()), nil
		},
	}))
	template, err := engine.Parse("{{ 'Ada King Lovelace' | initials | downcase }}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Render(context.Background(), nil))
	// Output: akl <nil>
}

func ExampleBind() {
	type product struct {
		Name  string  `json:"name"`
		Price float64 `json:"price"`
	}
	type mail struct {
		FirstName string    `json:"first_name"`
		Products  []product `json:"products"`
	}
	template, err := liquid.New().Parse("Hello {{ first_name }}: {% for p in products %}{{ p.name }} at {{ p.price | money }}. {% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	bound, err := liquid.Bind[mail](template)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bound.Render(context.Background(), &mail{FirstName: "Ada", Products: []product{{"Mug", 12.5}, {"Bowl", 20}}}))
	// Output: Hello Ada: Mug at $12.50. Bowl at $20.00.  <nil>
}

func ExampleWithObject() {
	engine := liquid.New(liquid.WithObject("recommended", func(_ context.Context, data liquid.Value) (any, error) {
		id, _ := data.Get("id")
		fmt.Println("asking the recommender for", id)
		return []string{"Mug", "Bowl"}, nil
	}))
	template, err := engine.Parse("{% if subscribed %}{{ recommended | join: ', ' }}{% endif %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Render(context.Background(), map[string]any{"id": 1, "subscribed": false}))
	fmt.Println(template.Render(context.Background(), map[string]any{"id": 2, "subscribed": true}))
	// Output:
	// <nil>
	// asking the recommender for 2
	// Mug, Bowl <nil>
}

func ExampleWithTag() {
	engine := liquid.New(liquid.WithAutoEscape(true), liquid.WithTag("button", liquid.Tag{
		Block: true,
		Render: func(c *liquid.TagCall) error {
			c.Write("<a class=\"button\" href=\"/go/")
			c.WriteValue(c.Named("to"))
			c.Write("\">")
			c.WriteBody()
			c.Write("</a>")
			return nil
		},
	}))
	template, err := engine.Parse("{% button to: page %}Visit {{ page }}{% endbutton %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Render(context.Background(), map[string]any{"page": "a<b"}))
	// Output: <a class="button" href="/go/a&lt;b">Visit a&lt;b</a> <nil>
}

func ExampleWithLimits() {
	engine := liquid.New(liquid.WithLimits(liquid.Limits{Steps: 10_000}))
	template, err := engine.Parse("{% for i in (1..1000000000) %}{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = template.Render(context.Background(), nil)
	fmt.Println(err)
	// Output: liquid: line 1, column 1: the template takes more than 10000 steps
}

func ExampleWithLocation() {
	berlin := time.FixedZone("CET", 3600)
	engine := liquid.New(liquid.WithLocation(berlin), liquid.WithMoney("EUR", "en"))
	template, err := engine.Parse("{{ total | money }} at {{ at | date: '%d.%m.%Y %H:%M' }}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Render(context.Background(), map[string]any{
		"total": 1299.5, "at": time.Date(2024, 12, 31, 23, 30, 0, 0, time.UTC),
	}))
	// Output: €1,299.50 at 01.01.2025 00:30 <nil>
}

func ExampleTemplate_Specialize() {
	template, err := liquid.New().Parse("{% if sale %}{% for p in products %}{{ p }} {% endfor %}{% endif %}for {{ name }}")
	if err != nil {
		fmt.Println(err)
		return
	}
	campaign := template.Specialize(map[string]any{"sale": true, "products": []string{"Mug", "Bowl"}})
	for _, name := range []string{"Ada", "Bob"} {
		fmt.Println(campaign.Render(context.Background(), map[string]any{"name": name}))
	}
	// Output:
	// Mug Bowl for Ada <nil>
	// Mug Bowl for Bob <nil>
}
