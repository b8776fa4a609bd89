package profile_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// Segments and computed traits are maps by name, whatever is put into them, and before and after they are stored.
func TestTablesAreMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profile.New(1, 0)
		segments, computed := map[string]int64{}, map[string]any{}
		names := rapid.SampledFrom([]string{"", "a", "ab", "b", "é", "a longer name than the others"})
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			name := names.Draw(t, "name")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				at := rapid.Int64().Draw(t, "since")
				p.Segments.Enter(name, at)
				segments[name] = at
			case 1:
				if _, in := segments[name]; p.Segments.Leave(name) != in {
					t.Fatalf("left %s, in: %v", name, in)
				}
				delete(segments, name)
			case 2:
				v := rapid.SampledFrom([]any{nil, true, 1.0, -0.5, "text", []any{"a", 2.0}, map[string]any{"k": nil}}).Draw(t, "value")
				if changed := p.Computed.Set(name, v); changed == reflect.DeepEqual(computed[name], v) {
					t.Fatalf("%s was %v and became %v: changed %v", name, computed[name], v, changed)
				}
				if computed[name] = v; v == nil {
					delete(computed, name)
				}
			case 3:
				state := p.State()
				p.Segments.Enter("later", 1) // what is stored stays as it is
				if rapid.Bool().Draw(t, "stored") {
					var err error
					if p, err = profile.FromState(1, state); err != nil {
						t.Fatal(err)
					}
				}
				p.Segments.Leave("later")
			case 4:
				known := map[string]int{"a": 1, "b": 1}
				drops := false
				for name := range computed {
					if _, ok := known[name]; !ok {
						drops = true
						delete(computed, name)
					}
				}
				if p.KeepComputed(known) != drops {
					t.Fatalf("dropped something: %v", !drops)
				}
			}
			if !reflect.DeepEqual(p.Segments.Map(), segments) || !reflect.DeepEqual(p.Computed.Map(), computed) {
				t.Fatalf("got %v and %v, want %v and %v", p.Segments.Map(), p.Computed.Map(), segments, computed)
			}
			since, in := p.Segments.Since(name)
			if want, ok := segments[name]; in != ok || since != want || p.Computed.Has(name) != (computed[name] != nil) || !reflect.DeepEqual(p.Computed.Get(name), computed[name]) {
				t.Fatalf("%s: %v %v, %v", name, since, in, p.Computed.Get(name))
			}
			if p.Segments.Len() != len(segments) || p.Computed.Len() != len(computed) {
				t.Fatalf("%d and %d, not %d and %d", p.Segments.Len(), p.Computed.Len(), len(segments), len(computed))
			}
		}
	})
}
