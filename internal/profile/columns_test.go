package profile_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// Columns write what encoding/json reads back as the same values.
func TestColumnsAreTheValuesAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		p.Computed["\"\\\x01\u2028é"] = "\x7f\\\"\n"
		p.Computed["large"], p.Computed["small"] = 1e300, -0.25
		for name, v := range p.Computed {
			if v == nil {
				delete(p.Computed, name)
			}
		}
		traits, computed, preferences, err := p.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]map[string]any{
			traits: profile.Values(p.Traits), computed: p.Computed, preferences: profile.Values(p.Preferences),
		} {
			got := map[string]any{}
			if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s is not %v (%v)", text, want, err)
			}
		}
	})
}
