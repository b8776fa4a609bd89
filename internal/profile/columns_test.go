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
		p.Computed.Set("\"\\\x01\u2028é", "\x7f\\\"\n")
		p.Computed.Set("large", 1e300)
		p.Computed.Set("small", -0.25)
		wanted := [...]map[string]any{p.Traits.Values(), p.Computed.Map(), p.Preferences.Values()}
		form := p.Form()
		p.Traits.Set("a", profile.Trait{Value: "later", At: 1 << 60}) // what is stored stays as it is
		p.Preferences.Set("a", profile.Trait{Value: "later", At: 1 << 60})
		p.Computed.Set("small", nil)
		traits, computed, preferences, err := form.Columns(new([]byte))
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range [...]string{traits, computed, preferences} {
			want, got := wanted[i], map[string]any{}
			if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s is not %v (%v)", text, want, err)
			}
		}
	})
}
