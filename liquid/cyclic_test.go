package liquid_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

type pointer *pointer

// TestValuesThatContainThemselves renders what leads to itself in each way that Go allows.
func TestValuesThatContainThemselves(t *testing.T) {
	list := []any{"<a>", nil}
	list[1] = list
	hash := map[string]any{}
	hash["self"] = hash
	opaque := map[int]any{}
	opaque[1] = opaque
	var onlyPointers pointer
	onlyPointers = &onlyPointers
	var boxed any
	boxed = &boxed
	record := struct{ Self any }{}
	record.Self = &record.Self
	for name, data := range map[string]struct {
		value any
		want  string
	}{
		"list": {list, "<a>"}, "hash": {hash, `{"self"=>{...}}`}, "opaque map": {opaque, ""}, "pointers": {onlyPointers, ""},
		"nil of a lazy value":               {(*liquid.Lazy)(nil), ""},
		"pointer to itself in an interface": {boxed, ""}, "field": {&record, `{"Self"=>nil}`},
	} {
		for _, escape := range []bool{false, true} {
			template, err := liquid.New(liquid.WithAutoEscape(escape)).Parse("{{ x }}{{ x.Self.Self }}")
			if err != nil {
				t.Fatal(err)
			}
			want := data.want
			if escape {
				want = strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(want)
			}
			got, err := template.Render(context.Background(), map[string]any{"x": data.value})
			if err != nil || strings.ReplaceAll(got, "&quot;", "&#34;") != want {
				t.Errorf("%s, escape %v: got %q, %v, want %q", name, escape, got, err, want)
			}
		}
	}
}

// TestDeepJSON decodes JSON that is nested far deeper than a stack could follow.
func TestDeepJSON(t *testing.T) {
	deep := []byte(strings.Repeat("[", 1_000_000))
	if err := new(liquid.Map).UnmarshalJSON(append([]byte(`{"a":`), deep...)); err == nil {
		t.Error("a Map took JSON of depth 1,000,000")
	}
	if !liquid.ValueOf(json.RawMessage(deep)).IsNil() {
		t.Error("a value took JSON of depth 1,000,000")
	}
}

// TestListsThatShareParts compares and sorts lists of 2^60 items that take the memory of a few: steps must bound it.
func TestListsThatShareParts(t *testing.T) {
	shared := func() any {
		list := []any{1}
		for range 60 {
			list = []any{list, list}
		}
		return list
	}
	data := map[string]any{"a": shared(), "b": shared(), "items": []any{map[string]any{"k": shared()}, map[string]any{"k": shared()}}}
	for _, source := range []string{"{{ items | sort: 'k' | size }}", "{% if a == b %}{% endif %}"} {
		if kind := kindOf(t, liquid.New(), source, data); kind != liquid.StepLimit {
			t.Errorf("%s: %v, want a StepLimit", source, kind)
		}
	}
}

// TestAnalyzeIsLinear analyses a condition that names very many variables, on several lines.
func TestAnalyzeIsLinear(t *testing.T) {
	const uses = 50_000
	template, err := liquid.New().Parse("é{% if a\n" + strings.Repeat(" and\n'é' == a", uses) + " %}{% endif %}")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	found := template.Analyze().Variables
	if took := time.Since(start); took > time.Second {
		t.Errorf("%d variables took %v", uses, took)
	}
	if last := found[len(found)-1]; len(found) != uses+1 || last.Line != 2+uses || last.Column != 8 {
		t.Errorf("%d variables, the last of them at line %d, column %d", len(found), last.Line, last.Column)
	}
}
