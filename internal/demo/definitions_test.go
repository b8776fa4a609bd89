package demo

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
	"github.com/tailorbird/tailorbird/internal/expr"
)

// readable is a definition with its fields.
type readable struct {
	Name string
	Spec map[string]any
}

func definitions(t *testing.T) map[string][]readable {
	t.Helper()
	all, err := exampleDefinitions("http://localhost:8080/demo")
	if err != nil {
		t.Fatal(err)
	}
	byKind := map[string][]readable{}
	for _, d := range all {
		r := readable{Name: d.Name}
		if err := json.Unmarshal(d.Spec, &r.Spec); err != nil {
			t.Fatal(err)
		}
		byKind[string(d.Kind)] = append(byKind[string(d.Kind)], r)
	}
	return byKind
}

func TestEveryExpressionCompiles(t *testing.T) {
	byKind := definitions(t)
	for _, d := range byKind["segment"] {
		if _, err := expr.Condition(d.Spec["condition"].(string)); err != nil {
			t.Errorf("segment %s: %v", d.Name, err)
		}
	}
	for _, d := range byKind["trait"] {
		if _, err := expr.Value(d.Spec["expression"].(string)); err != nil {
			t.Errorf("trait %s: %v", d.Name, err)
		}
	}
	if len(byKind["segment"]) < 10 || len(byKind["trait"]) < 8 || len(byKind["template"]) != 3 || len(byKind["campaign"]) != 2 {
		t.Errorf("definitions: %d segments, %d traits, %d templates, %d campaigns",
			len(byKind["segment"]), len(byKind["trait"]), len(byKind["template"]), len(byKind["campaign"]))
	}
}

// Campaigns name segments and templates that are there, and templates name traits that are there.
func TestDefinitionsFitTogether(t *testing.T) {
	byKind := definitions(t)
	has := func(kind, name string) bool {
		return slices.ContainsFunc(byKind[kind], func(d readable) bool { return d.Name == name })
	}
	for _, c := range byKind["campaign"] {
		if !has("segment", c.Spec["segment"].(string)) || !has("template", c.Spec["template"].(string)) {
			t.Errorf("campaign %s: %v", c.Name, c.Spec)
		}
	}
	given := []string{"first_name", "unsubscribe_url", "category", "about"}
	variable := regexp.MustCompile(`\{\{-? *(\w+)`)
	for _, d := range byKind["template"] {
		text := d.Spec["subject"].(string) + d.Spec["preheader"].(string) + d.Spec["body"].(string)
		if strings.Contains(text, "shop.example") {
			t.Errorf("template %s keeps the example's address", d.Name)
		}
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			assigned := strings.TrimRight(m[1], "123")
			if !has("trait", m[1]) && !slices.Contains(given, m[1]) && !slices.Contains([]string{"pick", "name", "price"}, assigned) {
				t.Errorf("template %s uses %s, which nothing gives", d.Name, m[1])
			}
		}
	}
}

// The newsletter names products; they are the catalogue's.
func TestNewsletterPicksAreInTheCatalogue(t *testing.T) {
	s, err := shop.New(shop.Config{Start: start})
	if err != nil {
		t.Fatal(err)
	}
	byKind := definitions(t)
	i := slices.IndexFunc(byKind["template"], func(d readable) bool { return d.Name == "newsletter" })
	pick := regexp.MustCompile(`assign pick\d = '([^']+)' -%\}\{%- assign name\d = "([^"]+)" -%\}\{%- assign price\d = '(\d+)'`)
	picks := pick.FindAllStringSubmatch(byKind["template"][i].Spec["body"].(string), -1)
	if len(picks) != 3*len(s.Catalogue().Categories) {
		t.Fatalf("%d picks", len(picks))
	}
	for _, m := range picks {
		p, ok := s.Catalogue().Product(m[1])
		if !ok || p.Name != m[2] || strconv.FormatFloat(p.Price, 'f', 0, 64) != m[3] {
			t.Errorf("the newsletter says %v, the catalogue %+v", m[1:], p)
		}
	}
}
