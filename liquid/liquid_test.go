package liquid_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// render renders a template that must work.
func render(t *testing.T, engine *liquid.Engine, source string, data map[string]any) string {
	t.Helper()
	template, err := engine.Parse(source)
	if err != nil {
		t.Fatalf("%q: %v", source, err)
	}
	out, err := template.Render(context.Background(), data)
	if err != nil {
		t.Fatalf("%q: %v", source, err)
	}
	return out
}

// check renders templates and compares what they write.
func check(t *testing.T, engine *liquid.Engine, data map[string]any, cases [][2]string) {
	t.Helper()
	for _, c := range cases {
		if got := render(t, engine, c[0], data); got != c[1] {
			t.Errorf("%q wrote %q, want %q", c[0], got, c[1])
		}
	}
}

type point struct {
	X     int `json:"x"`
	Label string
	Inner *point `liquid:"inner"`
}

type greeter struct{ name string }

func (g greeter) Get(property string) (any, bool) {
	if property == "greeting" {
		return "hello " + g.name, true
	}
	return nil, false
}

func (g greeter) String() string { return "greeter " + g.name }

func TestGoValues(t *testing.T) {
	ordered := &liquid.Map{}
	ordered.Set("z", 1)
	ordered.Set("a", 2)
	type text string
	data := map[string]any{
		"map": map[string]string{"b": "2", "a": "1"}, "typed": map[text]int{"k": 7}, "ints": []int{3, 1, 2},
		"point": point{X: 4, Label: "p", Inner: &point{X: 5}}, "nilpoint": (*point)(nil), "number": json.Number("12.50"),
		"large": json.Number("123456789012345678901234567890"), "uint": uint64(1) << 63, "drop": greeter{"ada"},
		"ordered": ordered, "time": time.Date(2024, 2, 29, 13, 5, 9, 0, time.UTC), "maps": []map[string]any{{"v": 1}, {"v": 2}},
		"text": text("t"), "raw": json.RawMessage(`{"b":1,"a":[2]}`), "f32": float32(0.5), "func": func() {},
	}
	check(t, liquid.New(), data, [][2]string{
		{"{{ map.a }}{{ map }}", `1{"a"=>"1", "b"=>"2"}`},
		{"{{ typed.k }}", "7"},
		{"{{ ints | sort | join }} {{ ints.first }} {{ ints[-1] }} {{ ints.size }}", "1 2 3 3 2 3"},
		{"{{ point.x }}{{ point.Label }}{{ point.inner.x }}{{ point.none }}{{ nilpoint }}", "4p5"},
		{"{% for pair in point %}{{ pair[0] }} {% endfor %}", "x Label inner "},
		{"{{ number }} {{ number | times: 2 }} {{ large | plus: 1 }} {{ uint }}", "12.5 25.0 123456789012345678901234567891 9223372036854775808"},
		{"{{ drop.greeting }}|{{ drop.none }}|{{ drop }}", "hello ada||greeter ada"},
		{"{% for pair in ordered %}{{ pair | join: '=' }} {% endfor %}", "z=1 a=2 "},
		{"{{ time }} {{ time | date: '%d.%m.%y' }}", "2024-02-29 13:05:09 UTC 29.02.24"},
		{"{{ maps | map: 'v' | sum }}{{ text }}{{ raw }}{{ f32 }}{{ func }}", `3t{"b"=>1, "a"=>[2]}0.5`},
	})
}

func TestWords(t *testing.T) {
	check(t, liquid.New(), map[string]any{"names": []string{"Ada", "Bob", "Eve"}, "one": []int{1}}, [][2]string{
		{"{{ 1 | pluralize: 'item', 'items' }} {{ 2 | pluralize: 'item' }} {{ 0 | pluralize: 'child', 'children' }} {{ 1.0 | pluralize: 'x' }}", "item items children x"},
		{"{{ names | to_sentence }}; {{ names | to_sentence: 'und', '; ' }}; {{ one | to_sentence }}{{ nil | to_sentence }}", "Ada, Bob and Eve; Ada; Bob und Eve; 1"},
	})
}

func TestErrorsHaveTheirPosition(t *testing.T) {
	engine := liquid.New(liquid.WithPartials(liquid.Sources{"bad": "line\n{{ | }}", "late": "\n {{ 1 | divided_by: 0 }}"}))
	for _, c := range []struct {
		source       string
		kind         liquid.Kind
		template     string
		line, column int
	}{
		{"a\n  {{ x | }}", liquid.SyntaxError, "", 2, 10},
		{"é {% if x %}", liquid.SyntaxError, "", 1, 13},
		{"{% if x %}\n{% endfor %}", liquid.SyntaxError, "", 2, 1},
		{"{% frob %}", liquid.SyntaxError, "", 1, 1},
		{"{{ x | frob }}", liquid.UndefinedFilterError, "", 1, 8},
		{"{{ x | append }}", liquid.ArgumentError, "", 1, 8},
		{"\n{{ 1 | divided_by: y }}", liquid.ZeroDivisionError, "", 2, 8},
		{"{% render 'bad' %}", liquid.SyntaxError, "bad", 2, 4},
		{"{% render 'late' %}", liquid.ZeroDivisionError, "late", 2, 9},
		{"x\n{% render 'none' %}", liquid.PartialError, "", 2, 11},
		{"{{ 'a", liquid.SyntaxError, "", 1, 1},
	} {
		template, err := engine.Parse(c.source)
		if err == nil {
			_, err = template.Render(context.Background(), nil)
		}
		var e *liquid.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v, want a *liquid.Error", c.source, err)
		} else if e.Kind != c.kind || e.Template != c.template || e.Line != c.line || e.Column != c.column {
			t.Errorf("%q: %v of kind %v in %q at %d:%d, want %v in %q at %d:%d", c.source, e, e.Kind, e.Template, e.Line, e.Column, c.kind, c.template, c.line, c.column)
		}
	}
}

func TestLaxModeWritesErrorsAndGoesOn(t *testing.T) {
	engine := liquid.New(liquid.WithLax(true))
	check(t, engine, map[string]any{"x": "y"}, [][2]string{
		{"a{{ 1 | divided_by: 0 }}b", "aLiquid error (line 1): divided by 0b"},
		{"a{% for i in (1..3) limit: 'x' %}{{ i }}{% else %}e{% endfor %}b", "aLiquid error (line 1): invalid integerb"},
		{"a{% if 1 < 'x' %}y{% else %}n{% endif %}b", "aLiquid error (line 1): comparison of Integer with String failedb"},
		{"{{ x junk }}{{ x | frob }}{{ x | upcase !! }}{{ 9 ~ }}{{ ~ }}", "yyY9"},
		{"{% if x foo %}a{% endif %}", "a"},
		{"{% for i in (1..2) foo limit: 1 reversed %}{{ i }}{% endfor %}", "1"},
	})
}

func TestStrictVariables(t *testing.T) {
	engine := liquid.New(liquid.WithStrictVariables(true))
	data := map[string]any{"a": map[string]any{"b": 1}}
	if got := render(t, engine, "{{ a.b }}", data); got != "1" {
		t.Errorf("wrote %q, want 1", got)
	}
	for source, name := range map[string]string{"{{ b }}": `"b"`, "{{ a.c.d }}": `"a.c.d"`, "{% if a.x %}{% endif %}": `"a.x"`} {
		template, err := engine.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = template.Render(context.Background(), data)
		var e *liquid.Error
		if !errors.As(err, &e) || e.Kind != liquid.UndefinedVariableError || !strings.Contains(e.Message, name) {
			t.Errorf("%q: error %v, want an undefined variable %s", source, err, name)
		}
	}
}

func TestObjectsAreLoadedOnlyWhenReached(t *testing.T) {
	var loads, lazies int
	engine := liquid.New(
		liquid.WithAutoEscape(true),
		liquid.WithObject("recommended", func(_ context.Context, data liquid.Value) (any, error) {
			loads++
			name, _ := data.Get("name")
			return []string{"for " + name.String(), "<b>"}, nil
		}),
		liquid.WithObject("broken", func(context.Context, liquid.Value) (any, error) { return nil, errors.New("no network") }),
	)
	data := func() map[string]any {
		return map[string]any{"name": "Ada", "deep": map[string]any{"lazy": liquid.LoadOnUse(func(context.Context) (any, error) {
			lazies++
			return map[string]any{"v": 1}, nil
		})}}
	}
	if got := render(t, engine, "{% if false %}{{ recommended }}{{ deep.lazy }}{{ broken }}{% endif %}", data()); got != "" || loads+lazies > 0 {
		t.Errorf("wrote %q and loaded %d objects, want none", got, loads+lazies)
	}
	source := "{{ recommended[0] }}{{ recommended.last }}{{ deep.lazy.v }}{{ deep.lazy.v }}{% for x in recommended %}.{% endfor %}"
	if got, want := render(t, engine, source, data()), "for Ada&lt;b&gt;11.."; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	if loads != 1 || lazies != 1 {
		t.Errorf("loaded %d and %d times, want once each", loads, lazies)
	}
	if kind := kindOf(t, engine, "{{ broken }}", data()); kind != liquid.ObjectError {
		t.Errorf("ended with %q, want %q", kind, liquid.ObjectError)
	}
}

func TestRegisteredFiltersAndTags(t *testing.T) {
	var kept liquid.Value
	engine := liquid.New(
		liquid.WithAutoEscape(true),
		liquid.WithFilter("repeat", liquid.Filter{MinArgs: 1, MaxArgs: 1, Named: true, Func: func(c *liquid.Call) (liquid.Value, error) {
			n, ok := c.Arg(0).Int()
			if !ok {
				return liquid.Nil, errors.New("repeat wants a number")
			}
			kept = c.Input()
			return liquid.String(strings.Repeat(c.Input().String()+c.Named("glue").String(), int(n))), nil
		}}),
		liquid.WithTag("twice", liquid.Tag{Block: true, Render: func(c *liquid.TagCall) error {
			c.Write("<p>")
			for range 2 {
				if !c.WriteBody() {
					break
				}
			}
			c.WriteValue(c.Arg(0))
			c.Set("seen", c.Named("as"))
			return nil
		}}),
		liquid.WithTag("shout", liquid.Tag{Raw: true, Render: func(c *liquid.TagCall) error {
			c.Write(strings.ToUpper(c.Markup()))
			return nil
		}}),
		liquid.WithTag("fails", liquid.Tag{Render: func(*liquid.TagCall) error { return errors.New("no") }}),
	)
	check(t, engine, map[string]any{"x": "<x>"}, [][2]string{
		{"{{ 'a' | repeat: 3, glue: '-' }}", "a-a-a-"},
		{"{% twice x, as: 'z' %}{{ x }}{% endtwice %}{{ seen }}", "<p>&lt;x&gt;&lt;x&gt;&lt;x&gt;z"},
		{"{% for i in (1..3) %}{% twice i %}{{ i }}{% if i == 2 %}{% break %}{% endif %}{% endtwice %}{% endfor %}", "<p>111<p>22"},
		{"{% shout hey, you %}", "HEY, YOU"},
	})
	if got := render(t, engine, "{{ 'ab' | append: 'cd' | repeat: 1 }}", nil); got != "abcd" {
		t.Errorf("wrote %q, want abcd", got)
	}
	before := kept.String()
	render(t, engine, "{{ 'zzzzzz' | append: 'zzzzz' }}", nil)
	if kept.String() != before {
		t.Errorf("a kept input changed from %q to %q", before, kept.String())
	}
	for source, kind := range map[string]liquid.Kind{"{{ 'a' | repeat: 'x' }}": liquid.ArgumentError, "{% fails %}": liquid.ArgumentError} {
		if got := kindOf(t, engine, source, nil); got != kind {
			t.Errorf("%q ended with %q, want %q", source, got, kind)
		}
	}
}

func TestAppendRenderKeepsWhatWasThere(t *testing.T) {
	template, err := liquid.New().Parse("b{{ x | divided_by: y }}")
	if err != nil {
		t.Fatal(err)
	}
	out, err := template.AppendRender(context.Background(), []byte("a"), map[string]any{"x": 4, "y": 2})
	if string(out) != "ab2" || err != nil {
		t.Errorf("wrote %q, %v, want ab2", out, err)
	}
	out, err = template.AppendRender(context.Background(), []byte("a"), map[string]any{"x": 4, "y": 0})
	if string(out) != "a" || err == nil {
		t.Errorf("wrote %q, %v, want a and an error", out, err)
	}
}

// TestNothingLeaksBetweenRenderings renders for many recipients at once. Each sets variables of every sort only if it
// is odd, and fails now and then; nobody may see anything of another.
func TestNothingLeaksBetweenRenderings(t *testing.T) {
	engine := liquid.New(liquid.WithPartials(liquid.Sources{
		"part": "{{ inner }}{% if odd %}{% assign inner = id | append: '!' %}{% increment n %}{% endif %}{{ inner }}",
	}))
	template, err := engine.Parse(`{{ name }}{{ seen }}{{ n }}{% cycle 'a', 'b' %}{% ifchanged %}{{ id }}{% endifchanged -%}
{% if odd %}{% assign seen = id | append: '-' | upcase %}{% capture name %}<{{ id }}>{% endcapture %}{% endif -%}
{% include 'part' %}{% render 'part', odd: odd, id: id %}{% for i in (1..4) limit: 2 %}{{ i }}{% endfor %}{% for i in (1..4) offset: continue %}{{ i }}{% endfor -%}
{% increment n %}{{ list | sort | join: ',' | append: id }}{{ missing.deep }}{{ 1 | divided_by: divisor }}|{{ name }}{{ seen }}`)
	if err != nil {
		t.Fatal(err)
	}
	want := func(id string, odd bool, quotient string) string {
		if odd {
			part := "0" + id + "!"
			return "a" + id + part + part + "1234" + "1" + "x,y" + id + quotient + "|<" + id + ">" + strings.ToUpper(id) + "-"
		}
		return "a" + id + "1234" + "0" + "x,y" + id + quotient + "|"
	}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				id, odd := fmt.Sprintf("w%di%d", worker, i), i%2 == 1
				data := map[string]any{"id": id, "odd": odd, "list": []string{"y", "x"}, "divisor": i % 5}
				got, err := template.Render(context.Background(), data)
				if i%5 == 0 {
					if err == nil {
						t.Errorf("%s: no error from a division by zero", id)
					}
					continue
				}
				quotient := "0"
				if i%5 == 1 {
					quotient = "1"
				}
				if err != nil || got != want(id, odd, quotient) {
					t.Errorf("%s: got %q, %v, want %q", id, got, err, want(id, odd, quotient))
				}
			}
		})
	}
	group.Wait()
}

func TestErrorsShowWholeCharacters(t *testing.T) {
	if _, err := liquid.New().Parse("{{ é }}"); err == nil || !strings.HasSuffix(err.Error(), `but found "é"`) {
		t.Errorf("error %v", err)
	}
}
