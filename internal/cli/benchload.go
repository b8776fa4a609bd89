package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// The definitions that are active while ingest is measured: attributes and behaviour, windows that close by themselves,
// filters, sums, and a segment upon a segment.
var (
	benchSegments = map[string]string{
		"german":         `profile.country == "DE"`,
		"frequent":       `events("Order Completed").within("90d").count() > 5`,
		"spender":        `events("Order Completed").within("30d").sum(e, e.properties.total) > 1000.0`,
		"browsing":       `events("Product Viewed").within("2d").count() >= 3 && !events("Order Completed").within("2d").exists()`,
		"outdoor":        `events("Product Viewed").where(e, e.properties.category == "outdoor").within("7d").count() >= 3`,
		"cart-abandoned": `events("Product Added").within("24h").exists() && !events("Order Completed").within("24h").exists()`,
		"new":            `events("Order Completed").count() == 1`,
		"loyal":          `profile.order_count > 10 && "german" in segments`,
		"big-basket":     `events("Order Completed").where(e, e.properties.total > 200.0).exists()`,
		"quiet":          `events("Order Completed").exists() && !events("Product Viewed").within("30d").exists()`,
	}
	benchTraits = map[string]string{
		"order_count":    `events("Order Completed").count()`,
		"lifetime_value": `events("Order Completed").sum(e, e.properties.total)`,
		"last_order_at":  `events("Order Completed").last(e, e.timestamp)`,
		"last_product":   `events("Product Viewed").last(e, e.properties.product_id)`,
		"views_7d":       `events("Product Viewed").within("7d").count()`,
	}
)

// defineForBench creates them all at once, so that one may stand upon another.
func defineForBench(ctx context.Context, server *client.Client) error {
	var request struct {
		Definitions []wireDefinition `json:"definitions"`
	}
	for _, kind := range []struct {
		kind        definition.Kind
		field       string
		definitions map[string]string
	}{{definition.Trait, "expression", benchTraits}, {definition.Segment, "condition", benchSegments}} {
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

// load makes the events of one connection: nine in ten are views, the rest carts, orders and customers who say who they are.
type load struct {
	random    *rand.Rand
	worker    int
	customers int
	made      int
}

var (
	benchCategories = []string{"outdoor", "kitchen", "garden", "clothing", "sport", "kids"}
	benchCountries  = []string{"DE", "FR", "GB", "US"}
)

func newLoad(seed uint64, worker, customers int) *load {
	return &load{random: rand.New(rand.NewPCG(seed, uint64(worker))), worker: worker, customers: customers}
}

func (l *load) batch(size int) []json.RawMessage {
	batch := make([]json.RawMessage, size)
	for i := range batch {
		batch[i] = l.event()
	}
	return batch
}

func (l *load) event() json.RawMessage {
	l.made++
	r := l.random
	customer := r.IntN(l.customers)
	head := fmt.Sprintf(`{"messageId":"bench-%d-%d","userId":"customer-%d",`, l.worker, l.made, customer)
	product := fmt.Sprintf(`"product_id":"p-%d","name":"Product %d","category":"%s","price":%.2f,"currency":"EUR"`,
		r.IntN(500), r.IntN(500), benchCategories[r.IntN(len(benchCategories))], 1+r.Float64()*100)
	const web = `"context":{"library":{"name":"bench","version":"1"},"locale":"de-DE","page":{"path":"/p","url":"https://shop.example/p"}}`
	switch kind := r.IntN(100); {
	case kind < 2:
		return json.RawMessage(head + fmt.Sprintf(`"type":"identify","traits":{"email":"customer-%d@shop.example","country":"%s","first_name":"Ada"},%s}`,
			customer, benchCountries[customer%len(benchCountries)], web))
	case kind < 5:
		return json.RawMessage(head + fmt.Sprintf(`"type":"track","event":"Order Completed","properties":{"order_id":"o-%d-%d","total":%.2f,"products":[{%s},{%s}]},%s}`,
			l.worker, l.made, 5+r.Float64()*300, product, product, web))
	case kind < 10:
		return json.RawMessage(head + `"type":"track","event":"Product Added","properties":{` + product + `},` + web + `}`)
	default:
		return json.RawMessage(head + `"type":"track","event":"Product Viewed","properties":{` + product + `},` + web + `}`)
	}
}

// machine is what a measurement depends on.
type machine struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	System    string `json:"system"`
	Go        string `json:"go"`
}

func thisMachine() machine {
	return machine{
		Processor: fact("/proc/cpuinfo", "model name"), CPUs: runtime.GOMAXPROCS(0),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d CPUs, %s, %s", m.Processor, m.CPUs, m.System, m.Go)
}

// fact reads a "name : value" line of a file of the system; "unknown" where there is none.
func fact(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(content)) {
		if key, value, is := strings.Cut(line, ":"); is && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
