package profile_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// Columns write what encoding/json reads back as the same values.
func TestColumnsAreTheValuesAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		p.Computed.Set("\"\\\x01\u2028é", "\x7f\\\"\n")
		p.Computed.Set("large", 1e300)
		p.Computed.Set("small", -0.25)
		traits, computed, preferences, err := p.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]map[string]any{
			traits: p.Traits.Values(), computed: p.Computed.Map(), preferences: p.Preferences.Values(),
		} {
			got := map[string]any{}
			if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s is not %v (%v)", text, want, err)
			}
		}
	})
}
