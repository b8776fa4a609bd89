package starters_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tailorbird/tailorbird/examples/starters"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Each starter compiles as it is written, and for events and properties with any name.
func TestStartersCompile(t *testing.T) {
	for _, name := range starters.Names {
		for _, words := range [][2]string{{"", ""}, {"Bought", "amount"}, {`Say "hi": # {}`, `it's "worth" €`}} {
			text, err := starters.Text(name, words[0], words[1])
			if err != nil {
				t.Fatal(err)
			}
			files, err := definition.ReadFiles(fstest.MapFS{"x.yaml": {Data: []byte(text)}})
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
			var segments []segment.Definition
			var traits []segment.Trait
			for _, f := range files {
				var s segment.Definition
				var c segment.Trait
				if err := errors.Join(json.Unmarshal(f.Spec, &s), json.Unmarshal(f.Spec, &c)); err != nil {
					t.Fatal(err)
				}
				if s.Name, c.Name = f.Name, f.Name; f.Kind == definition.Segment {
					segments = append(segments, s)
				} else {
					traits = append(traits, c)
				}
			}
			if len(traits) == 0 {
				t.Fatalf("%s has no traits", name)
			}
			if _, err := segment.Compile(segments, traits); err != nil {
				t.Errorf("%s for %q: %v", name, words, err)
			}
			if words[0] == "Bought" && name == "rfm" && (strings.Contains(text, "Order Completed") || !strings.Contains(text, "e.properties.amount")) {
				t.Error(text)
			}
		}
	}
}
