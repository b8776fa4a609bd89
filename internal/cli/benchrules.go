package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// benchRules are the definitions that are active while something is measured: as a shop would have them, with many more
// of each, half of the segments over windows that close by themselves.
type benchRules struct {
	segments map[string]string
	traits   map[string]string
}

// The load's words.
var (
	benchCategories = []string{"outdoor", "kitchen", "garden", "clothing", "sport", "kids"}
	benchCountries  = []string{"DE", "FR", "GB", "US"}
	benchPlans      = []string{"free", "plus", "gold", "staff", "trial"}
)

// newBenchRules makes the asked number of each, at most 100 segments and 20 traits.
func newBenchRules(segments, traits int) benchRules {
	r := benchRules{segments: map[string]string{}, traits: map[string]string{}}
	for _, d := range benchSegments()[:segments] {
		r.segments[d[0]] = d[1]
	}
	for _, d := range benchTraits()[:traits] {
		r.traits[d[0]] = d[1]
	}
	return r
}

// benchSegments lists name and condition of a hundred segments; any first n of them are half windowed and half not, and
// none stands on a trait or a segment that comes after it.
func benchSegments() [][2]string {
	var lasting, windowed [][2]string
	add := func(to *[][2]string, name, format string, args ...any) {
		*to = append(*to, [2]string{name, fmt.Sprintf(format, args...)})
	}
	for i := range 10 {
		country, plan := benchCountries[i%len(benchCountries)], benchPlans[i%len(benchPlans)]
		category := benchCategories[i%len(benchCategories)]
		add(&lasting, fmt.Sprintf("country-%d", i), `profile.country == %q && profile.plan != %q`, country, plan)
		add(&lasting, fmt.Sprintf("buyer-%d", i), `events("Order Completed").count() > %d`, i)
		add(&lasting, fmt.Sprintf("spent-%d", i), `events("Order Completed").sum(e, e.properties.total) > %d.0 && %q in segments`,
			100*(i+1), fmt.Sprintf("country-%d", i))
		add(&lasting, fmt.Sprintf("fan-%d", i), `events("Product Viewed").where(e, e.properties.category == %q).count() >= %d`, category, 5+i)
		add(&lasting, fmt.Sprintf("basket-%d", i), `events("Order Completed").where(e, e.properties.total > %d.0).exists() && profile.country == %q`,
			50+20*i, country)

		add(&windowed, fmt.Sprintf("frequent-%d", i), `events("Order Completed").within("%dd").count() > %d`, 30+10*i, i)
		add(&windowed, fmt.Sprintf("spender-%d", i), `events("Order Completed").within("%dd").sum(e, e.properties.total) > %d.0`, 30, 100*(i+1))
		add(&windowed, fmt.Sprintf("browsing-%d", i),
			`events("Product Viewed").within("%dd").count() >= 3 && !events("Order Completed").within("%dd").exists()`, i+1, i+1)
		add(&windowed, fmt.Sprintf("keen-%d", i), `events("Product Viewed").where(e, e.properties.category == %q).within("7d").count() >= %d`, category, 3+i)
		add(&windowed, fmt.Sprintf("abandoned-%d", i),
			`events("Product Added").within("%dh").exists() && !events("Order Completed").within("%dh").exists()`, 24*(i+1), 24*(i+1))
	}
	all := make([][2]string, 0, len(lasting)+len(windowed))
	for i := range lasting {
		all = append(all, lasting[i], windowed[i])
	}
	return all
}

// benchTraits lists name and expression of twenty computed traits.
func benchTraits() [][2]string {
	traits := [][2]string{
		{"order_count", `events("Order Completed").count()`},
		{"lifetime_value", `events("Order Completed").sum(e, e.properties.total)`},
		{"last_order_at", `events("Order Completed").last()`},
		{"last_product", `events("Product Viewed").last(e, e.properties.product_id)`},
		{"views_7d", `events("Product Viewed").within("7d").count()`},
		{"favourite", `events("Product Viewed").most_common(e, e.properties.category)`},
		{"mean_order", `events("Order Completed").avg(e, e.properties.total)`},
		{"dearest", `events("Order Completed").max(e, e.properties.total)`},
	}
	for _, category := range benchCategories {
		traits = append(traits,
			[2]string{"views_" + category, fmt.Sprintf(`events("Product Viewed").where(e, e.properties.category == %q).count()`, category)},
			[2]string{"added_" + category, fmt.Sprintf(`events("Product Added").where(e, e.properties.category == %q).within("30d").count()`, category)})
	}
	return traits
}

// define creates them all at once, so that one may stand upon another.
func (r benchRules) define(ctx context.Context, server *client.Client) error {
	var request struct {
		Definitions []wireDefinition `json:"definitions"`
	}
	for _, kind := range []struct {
		kind        definition.Kind
		field       string
		definitions map[string]string
	}{{definition.Trait, "expression", r.traits}, {definition.Segment, "condition", r.segments}} {
		for name, text := range kind.definitions {
			spec, err := json.Marshal(map[string]string{kind.field: text})
			if err != nil {
				return fault.Wrap(fault.Internal, err, "a definition cannot be written")
			}
			request.Definitions = append(request.Definitions, wireDefinition{kind.kind, name, spec})
		}
	}
	return server.Call(ctx, http.MethodPost, "/api/v1/definitions/apply", request, nil)
}
