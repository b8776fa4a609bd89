package liquid_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/tailorbird/tailorbird/liquid"
)

var goldenFile = flag.String("golden", "", "file of cases in the format of the golden-liquid suite")

type goldenCase struct {
	Name      string            `json:"name"`
	Template  string            `json:"template"`
	Data      liquid.Map        `json:"data"`
	Result    string            `json:"result"`
	Results   []string          `json:"results"`
	Templates map[string]string `json:"templates"`
	Invalid   bool              `json:"invalid"`
}

func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	path := *goldenFile
	if path == "" {
		data := os.Getenv("TAILORBIRD_TEST_DATA")
		if data == "" {
			data = filepath.Join("..", "..", "shared", "data")
		}
		path = filepath.Join(data, "golden-liquid", "golden_liquid.json")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		if *goldenFile == "" {
			t.Skipf("no golden-liquid suite: %v (set TAILORBIRD_TEST_DATA or -golden)", err)
		}
		t.Fatal(err)
	}
	var suite struct {
		Tests []goldenCase `json:"tests"`
	}
	if err := json.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	return suite.Tests
}

func (c *goldenCase) render() (string, error) {
	engine := liquid.New(liquid.WithPartials(liquid.Sources(c.Templates)))
	template, err := engine.Parse(c.Template)
	if err != nil {
		return "", err
	}
	return template.Render(context.Background(), c.values())
}

func (c *goldenCase) values() map[string]any {
	data := map[string]any{}
	for _, key := range c.Data.Keys() {
		data[key], _ = c.Data.Get(key)
	}
	return data
}

// TestGolden runs the conformance suite of the reference implementation.
func TestGolden(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			want := c.Results
			if want == nil {
				want = []string{c.Result}
			}
			got, err := c.render()
			switch {
			case c.Invalid && err == nil:
				t.Errorf("%q rendered %q, want an error", c.Template, got)
			case !c.Invalid && err != nil:
				t.Errorf("%q: %v", c.Template, err)
			case !c.Invalid && !slices.Contains(want, got):
				t.Errorf("%q rendered %q, want %q", c.Template, got, want)
			}
		})
	}
}

// TestGoldenParallel renders each case from several goroutines at once: the results are those of a single one.
func TestGoldenParallel(t *testing.T) {
	for _, c := range goldenCases(t) {
		engine := liquid.New(liquid.WithPartials(liquid.Sources(c.Templates)))
		template, err := engine.Parse(c.Template)
		if err != nil {
			continue
		}
		want, wantErr := template.Render(context.Background(), c.values())
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 2 {
					got, err := template.Render(context.Background(), c.values())
					if got != want || (err == nil) != (wantErr == nil) {
						t.Errorf("%s: rendered %q, %v in parallel, %q, %v alone", c.Name, got, err, want, wantErr)
					}
				}
			})
		}
		group.Wait()
	}
}
