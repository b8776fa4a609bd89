package liquid_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

// kindOf parses and renders a template and returns the kind of its error, or zero.
func kindOf(t *testing.T, engine *liquid.Engine, source string, data map[string]any) liquid.Kind {
	t.Helper()
	template, err := engine.Parse(source)
	if err == nil {
		_, err = template.Render(context.Background(), data)
	}
	var e *liquid.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("error %T is no *liquid.Error", err)
	}
	if e == nil {
		return 0
	}
	return e.Kind
}

// hostile templates, each with the kind of error that ends it; nil stands for any limit.
var hostile = []struct {
	name, source string
	kinds        []liquid.Kind
}{
	{"long range", "{% for i in (1..1000000000) %}{{ i }}{% endfor %}", steps},
	{"empty long range", "{% for i in (1..1000000000) %}{% endfor %}", steps},
	{"widest range", "{% for i in (-9223372036854775808..9223372036854775807) %}{% endfor %}", steps},
	{"range joined", "{{ (1..1000000000) | join: ',' }}", nil},
	{"range reversed", "{{ (1..1000000000) | reverse | first }}", nil},
	{"range sorted", "{{ (1..900000) | sort | first }}", nil},
	{"range mapped", "{{ (1..1000000000) | map: 'x' }}", steps},
	{"nested loops", "{% for i in (1..10000) %}{% for j in (1..10000) %}{% for k in (1..10000) %}{% endfor %}{% endfor %}{% endfor %}", steps},
	{"string doubling", "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}", memory},
	{"list doubling", "{% assign a = '1,2' | split: ',' %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}{{ a | size }}", nil},
	{"capture doubling", "{% assign s = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..60) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}", nil},
	{"number squaring", "{% assign n = 99 %}{% for i in (1..60) %}{% assign n = n | times: n %}{% endfor %}{{ n }}", memory},
	{"nested brackets", "{{ a" + strings.Repeat("[a", 50_000) + strings.Repeat("]", 50_000) + " }}", depth},
	{"nested ranges", "{{ " + strings.Repeat("(", 50_000) + "1 }}", depth},
	{"nested blocks", strings.Repeat("{% if true %}", 50_000), depth},
	{"nested liquid tags", "{% " + strings.Repeat("liquid ", 50_000) + "%}", depth},
	{"self include", "{% include 'self' %}", depth},
	{"self render", "{% render 'again' %}", depth},
	{"self include twice", "{% include 'twice' %}", nil},
	{"include by variable", "{% assign name = 'named' %}{% include name %}", depth},
	{"loop over itself", "{% assign a = 'x,x' | split: ',' %}{% for i in (1..100) %}{% for x in a %}{% assign a = a | concat: a %}{% endfor %}{% endfor %}", nil},
	{"split", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..100000) %}{% assign a = s | split: 'x' %}{% endfor %}", nil},
	{"items of a split", "{% assign s = 'ax axaxaxaxaxaxaxaxaxaxaxaxaxaxax' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% assign a = s | split: 'x' %}{% for i in (1..1000000) %}{{ a[i] }}{{ a[0] }}{% endfor %}", steps},
	{"size of long text", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{{ s.size }}{{ s | size }}{% endfor %}", steps},
	{"slice", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{{ s | slice: -1 }}{{ s | slice: 1, s.size | size }}{% endfor %}", steps},
	{"upcase", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{{ s | upcase | size }}{{ s | capitalize | size }}{% endfor %}", steps},
	{"replace", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{{ s | replace: 'x', s | size }}", memory},
	{"replace nothing", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{{ s | replace: '', s | size }}", memory},
	{"join", "{% assign s = 'x,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{{ s | split: ',' | join: s | size }}", memory},
	{"truncate", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{{ s | truncate: 3, s | size }}{% endfor %}", nil},
	{"comparing", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% assign t = s | append: 'y' %}{% for i in (1..1000000) %}{% if s contains t %}{% endif %}{% if t == s %}{% endif %}{% endfor %}", steps},
	{"blank", "{% assign s = '                                ' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{% if s == blank %}{% endif %}{% endfor %}", steps},
	{"containing a number", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{% if s contains 1 %}{% endif %}{% endfor %}", steps},
	{"strip_html", "{% assign s = '<script<style<!--<script<style<!--' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000) %}{% assign x = s | strip_html %}{% endfor %}", nil},
	{"wide date", "{% for i in (1..1000000) %}{{ 'now' | date: '%999999999d%999999999Y%999999999N' }}{% endfor %}", nil},
	{"dates", "{% for i in (1..1000000) %}{{ 'thursday the 14th of march 2016 around 5:15 pm' | date: '%c' }}{% endfor %}", nil},
	{"long output", "{% assign s = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}{% for i in (1..1000000) %}{{ s }}{% endfor %}", output},
	{"indent", "{% tablerow i in (1..100000000) cols:1 %}{% endtablerow %}", nil},
	{"cycles", "{% for i in (1..1000000000) %}{% cycle i: 'a' %}{% endfor %}", nil},
	{"uniq", "{% assign a = (1..100000) | uniq %}{% for i in (1..100) %}{% assign a = a | concat: a | uniq %}{% endfor %}", nil},
	{"json", "{% assign a = (1..1000000000) | json %}", nil},
	{"render of nothing, many times", "{% render 'nothing' for (1..1000000000) %}", steps},
	{"long source", strings.Repeat("x", 2<<20), []liquid.Kind{liquid.SourceLimit}},
	{"many conditions", "{% for i in (1..1000000) %}{% if " + strings.Repeat("i == 0 or ", 10_000) + "true %}{% endif %}{% endfor %}", steps},
	{"unclosed comments", strings.Repeat("{% comment %}{% raw %}", 40_000), []liquid.Kind{liquid.SyntaxError}},
	{"unclosed raws", strings.Repeat("{% raw %}{{", 40_000), []liquid.Kind{liquid.SyntaxError}},
	{"unclosed outputs", strings.Repeat("{{ '", 200_000), []liquid.Kind{liquid.SyntaxError}},
	{"braces in a comment", "{% comment %}" + strings.Repeat("{{", 400_000), []liquid.Kind{liquid.SyntaxError}},
	{"outputs in a comment", "{% comment %}" + strings.Repeat("{{}", 300_000), []liquid.Kind{liquid.SyntaxError}},
	{"growing path", strings.Repeat("{%assign a=a.b%}", 15_000) + "{% foo %}", []liquid.Kind{liquid.SyntaxError}},
	{"assigned and included", numbered("{%assign a#=b%}{%include 'x'%}", 6_000) + "{% foo %}", []liquid.Kind{liquid.SyntaxError}},
	{"guards", "{% if " + numbered("a# or ", 10_000) + "x %}" + strings.Repeat("{{b}}", 10_000) + "{% foo %}", []liquid.Kind{liquid.SyntaxError}},
	{"unclosed quotes", "{{ " + strings.Repeat("' \" ", 200_000), []liquid.Kind{liquid.SyntaxError}},
}

var (
	steps  = []liquid.Kind{liquid.StepLimit}
	memory = []liquid.Kind{liquid.MemoryLimit}
	depth  = []liquid.Kind{liquid.DepthLimit}
	output = []liquid.Kind{liquid.OutputLimit}
)

// numbered repeats a text, with # as the number of the repetition.
func numbered(text string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", strconv.Itoa(i)))
	}
	return b.String()
}

// hostileTime is the processor time that each hostile template may take at most.
const hostileTime = 50 * time.Millisecond

func TestHostileTemplatesEndWithinTheirLimit(t *testing.T) {
	for _, lax := range []bool{false, true} {
		engine := liquid.New(liquid.WithLax(lax), liquid.WithAutoEscape(lax), liquid.WithPartials(liquid.Sources{
			"self":  "{% include 'self' %}",
			"again": "{% render 'again' %}{% render 'again' %}",
			"twice": "{% include 'twice' %}{% include 'twice' %}",
			"named": "{% include name %}", "nothing": "",
		}))
		for _, h := range hostile {
			t.Run(h.name, func(t *testing.T) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				best := time.Hour
				for range 3 {
					start := threadTime()
					kind := kindOf(t, engine, h.source, nil)
					best = min(best, threadTime()-start)
					if h.kinds == nil && !(&liquid.Error{Kind: kind}).Limit() || h.kinds != nil && !slices.Contains(h.kinds, kind) {
						t.Fatalf("ended with %q, want one of %v", kind, h.kinds)
					}
					if best < hostileTime {
						break
					}
				}
				if best > hostileTime && !raceDetector {
					t.Errorf("took %v, want at most %v", best, hostileTime)
				}
			})
		}
	}
}

func TestCanceledContextEndsRendering(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	engine := liquid.New(
		liquid.WithLimits(liquid.Limits{Steps: 1 << 40}),
		liquid.WithFilter("cancel", liquid.Filter{Func: func(c *liquid.Call) (liquid.Value, error) {
			cancel()
			return liquid.Nil, nil
		}}),
	)
	template, err := engine.Parse("{{ 1 | cancel }}{% for i in (1..1000000000) %}{% endfor %}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = template.Render(ctx, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that wraps context.Canceled", err)
	}
}

func TestTimeLimitEndsRendering(t *testing.T) {
	engine := liquid.New(liquid.WithLimits(liquid.Limits{Steps: 1 << 40, Time: time.Millisecond}))
	if kind := kindOf(t, engine, "{% for i in (1..1000000000) %}{% endfor %}", nil); kind != liquid.TimeLimit {
		t.Errorf("ended with %q, want %q", kind, liquid.TimeLimit)
	}
}

func TestPanicOfTheApplicationIsAnErrorWithItsPlace(t *testing.T) {
	engine := liquid.New(
		liquid.WithFilter("boom", liquid.Filter{Func: func(*liquid.Call) (liquid.Value, error) { panic("boom") }}),
		liquid.WithPartials(liquid.Sources{"part": "fine\n {{ x | boom }}", "quiet": "{{ x }}"}))
	for source, want := range map[string]struct {
		template     string
		line, column int
	}{
		"{{ 1 | boom }}": {"", 1, 1}, "a\n{% render 'quiet' %}\n  {{ 1 | boom }}": {"", 3, 3}, "{% render 'part' %}": {"part", 2, 2},
	} {
		template, err := engine.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = template.Render(context.Background(), nil)
		var e *liquid.Error
		if !errors.As(err, &e) || e.Kind != liquid.InternalError || e.Template != want.template || e.Line != want.line || e.Column != want.column {
			t.Errorf("%q ended with %#v, want %v", source, e, want)
		}
	}
}
