package connect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	sources "github.com/tailorbird/tailorbird/internal/source"
)

// blocksOf are the blocks of a language in a document, in their order.
func blocksOf(t *testing.T, document, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}

// sameEvent compares what an event says; want leaves out message ids.
func sameEvent(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var a, b map[string]any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if delete(a, "messageId"); !reflect.DeepEqual(a, b) {
		t.Errorf("the event is\n%s\nwant\n%s", got, want)
	}
}

// TestTheSourceOfTheDocumentMakesItsEvent takes the definition, the message and the event of docs/sources.md.
func TestTheSourceOfTheDocumentMakesItsEvent(t *testing.T) {
	var definition struct {
		Mapping map[string]any `yaml:"mapping"`
	}
	if err := yaml.Unmarshal([]byte(blocksOf(t, "sources.md", "yaml")[0]), &definition); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(definition.Mapping)
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := NewMessageMapping(spec)
	if err != nil {
		t.Fatal(err)
	}
	examples := blocksOf(t, "sources.md", "json")
	row, err := DecodeMessage([]byte(examples[0]))
	if err != nil {
		t.Fatal(err)
	}
	made, err := mapping.Event(row, sources.Message{Topic: "shop.orders", Timestamp: time.Unix(0, 0)}, "id")
	if err != nil {
		t.Fatal(err)
	}
	sameEvent(t, made, examples[1])
}

// TestMappingsOfTheDocumentMakeEvents gives each mapping of docs/import.md rows such as it is made for.
func TestMappingsOfTheDocumentMakeEvents(t *testing.T) {
	mappings := blocksOf(t, "import.md", "yaml")
	for i, c := range []struct{ rows, event string }{
		{
			"CustomerID,Joined,Mail,Name,City,Card,Deleted\n7,31.01.2020, Ada@Example.COM,,Bonn,L1,\n8,31.01.2020,b@example.com,B,Bonn,,yes\n",
			`{"type":"identify","userId":"7","timestamp":"2020-01-30T23:00:00Z","traits":{"email":"ada@example.com","address":{"city":"Bonn","country":"DE"}},
				"context":{"externalIds":[{"type":"loyalty_id","id":"L1"}]}}`,
		},
		{
			"OrderNo,CustomerID,Date,Sku,Quantity,Price\nA-1,7,2020-07-01 10:00:00,lamp,2,19.99\nA-1,7,2020-07-01 10:00:00,desk,1,120\n",
			`{"type":"track","event":"Order Completed","userId":"7","timestamp":"2020-07-01T09:00:00Z","properties":{"order_id":"A-1","total":159.98,
				"products":[{"product_id":"lamp","quantity":2,"price":19.99},{"product_id":"desk","quantity":1,"price":120}]}}`,
		},
	} {
		if i >= len(mappings) {
			t.Fatalf("%d mappings found", len(mappings))
		}
		preview, err := PreviewImport(t.Context(), ImportConfig{Path: writeFile(t, "rows.csv", c.rows), Mapping: mustMapping(t, mappings[i])}, 10)
		if err != nil || len(preview.Events) != 1 || len(preview.Rejected) > 0 {
			t.Errorf("%s\nmakes %d events, rejects %v: %v", strings.TrimSpace(mappings[i]), len(preview.Events), preview.Rejected, err)
			continue
		}
		sameEvent(t, preview.Events[0], c.event)
	}
}
