package liquid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/liquid"
)

var (
	differentialSeed  = flag.Uint64("differential.seed", 1, "seed of the templates that are compared with the reference")
	differentialCount = flag.Int("differential.count", 3000, "number of templates that are compared with the reference")
)

// reference renders the cases on its input, one JSON object a line, with the Ruby implementation.
const reference = `require 'json'; require 'liquid'
STDOUT.puts Liquid::VERSION
STDIN.each_line do |line|
  c = JSON.parse(line)
  answer = begin
    { out: Liquid::Template.parse(c['template'], error_mode: :strict).render!(c['data'], strict_filters: true) }
  rescue StandardError => e
    { error: e.message }
  end
  STDOUT.puts((JSON.generate(answer) rescue '{"skip":true}'))
end`

const differentialData = `{"s":"Hello World","t":"a,b,,c,","n":5,"f":2.75,"neg":-3,"z":0,"big":12345678901234567890,"yes":true,"no":false,
	"e":"","sp":"  x y \n","a":["b","a","C","B"],"nums":[3,1,2.5,10],"mix":["x",1,null,"z",2.0,true],
	"objs":[{"k":"foo","v":1},{"k":"bar","v":2.5},{"k":null,"v":null},{"v":"3"}],"h":{"x":1,"y":[1,2],"size":9},
	"nest":[[1,2],[3,[4]]],"html":"<p class=\"a\">it's & ok</p>","u":"Ünï – straße","ea":[],"eh":{},"numstr":"12.50",
	"d":"2024-02-29 13:05:09","p":{"q":{"r":"deep","l":["m","n"]}}}`

// TestDifferential compares random templates with the Ruby implementation, where that is installed (Debian: ruby and
// ruby-liquid). The generator leaves out what DIFFERENCES.md lists and what changed after Liquid 5.4.
func TestDifferential(t *testing.T) {
	ruby, err := exec.LookPath("ruby")
	if err == nil {
		err = exec.Command(ruby, "-e", "require 'liquid'; exit Liquid::VERSION.to_i >= 5").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("continuous integration needs the reference implementation (Debian: apt install ruby-liquid): %v", err)
		}
		t.Skipf("no reference implementation (Debian: apt install ruby-liquid): %v", err)
	}
	var data liquid.Map
	if err := json.Unmarshal([]byte(differentialData), &data); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, key := range data.Keys() {
		values[key], _ = data.Get(key)
	}
	g := &generator{rand.New(rand.NewPCG(*differentialSeed, 0))}
	var input bytes.Buffer
	templates := make([]string, *differentialCount)
	for i := range templates {
		templates[i] = g.template()
		fmt.Fprintf(&input, "%s\n", mustJSON(t, map[string]any{"template": templates[i], "data": json.RawMessage(differentialData)}))
	}
	command := exec.Command(ruby, "-e", reference)
	command.Env = append(command.Environ(), "LANG=C.UTF-8", "TZ=UTC")
	command.Stdin = &input
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	version, lines, _ := strings.Cut(string(output), "\n")
	t.Logf("compared with Liquid %s", version)
	engine := liquid.New()
	for i, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
		var want struct {
			Out   *string
			Error string
			Skip  bool
		}
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		got, err := renderOnce(engine, templates[i], values)
		switch {
		case want.Skip || want.Out == nil && err != nil:
		case want.Out == nil:
			t.Errorf("%s\nwrote %q, the reference fails: %s", templates[i], got, want.Error)
		case err != nil:
			t.Errorf("%s\nfails: %v, the reference writes %q", templates[i], err, *want.Out)
		case got != *want.Out:
			t.Errorf("%s\nwrote %q, the reference writes %q", templates[i], got, *want.Out)
		}
	}
}

func renderOnce(engine *liquid.Engine, source string, values map[string]any) (string, error) {
	template, err := engine.Parse(source)
	if err != nil {
		return "", err
	}
	return template.Render(context.Background(), values)
}

func mustJSON(t *testing.T, x any) []byte {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generator makes random templates.
type generator struct{ *rand.Rand }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) repeat(low, high int, separator string, one func() string) string {
	parts := make([]string, low+g.IntN(high-low+1))
	for i := range parts {
		parts[i] = one()
	}
	return strings.Join(parts, separator)
}

func (g *generator) value() string {
	if g.chance(60) {
		return pick(g, "s", "t", "n", "f", "neg", "z", "yes", "no", "e", "sp", "a", "nums", "mix", "objs", "h", "nest", "html", "u",
			"ea", "eh", "numstr", "d", "p", "missing", "p.q.r", "p.q.l[0]", "p.q.l[-1]", "a[1]", "objs[0].k", "h.size", "a.size", "a.first",
			"nums.last", "s.size", "h.first", "nest[1][0]", "h['x']", "h[e]", "objs.first.v", "a[n]", "a[f]", "a[s]", "eh.size", "n.size", "p['q'].l.size")
	}
	return g.literal()
}

func (g *generator) literal() string {
	return pick(g, "1", "0", "-1", "2", "10", "3.5", "-0.5", "1.0", "100", "'a'", "''", "' '", "\"b\"", "'foo'", "'l'", "true", "false", "'12.5'", "'x'", "'1'", "'2'", "'-'")
}

// filters with the number of arguments that each is given: at least, at most.
var differentialFilters = map[string][2]int{
	"abs": {0, 0}, "append": {1, 1}, "at_least": {1, 1}, "at_most": {1, 1}, "capitalize": {0, 0}, "ceil": {0, 0}, "concat": {1, 1},
	"default": {0, 2}, "divided_by": {1, 1}, "downcase": {0, 0}, "escape": {0, 0}, "escape_once": {0, 0}, "first": {0, 0}, "floor": {0, 0},
	"join": {0, 1}, "last": {0, 0}, "lstrip": {0, 0}, "minus": {1, 1}, "modulo": {1, 1}, "newline_to_br": {0, 0}, "plus": {1, 1},
	"prepend": {1, 1}, "remove": {1, 1}, "remove_first": {1, 1}, "remove_last": {1, 1}, "replace": {1, 2}, "replace_first": {1, 2},
	"replace_last": {2, 2}, "reverse": {0, 0}, "round": {0, 1}, "rstrip": {0, 0}, "size": {0, 0}, "slice": {1, 2}, "sort": {0, 0},
	"split": {1, 1}, "strip": {0, 0}, "strip_html": {0, 0}, "strip_newlines": {0, 0}, "times": {1, 1}, "truncate": {0, 2},
	"truncatewords": {0, 2}, "uniq": {0, 0}, "upcase": {0, 0}, "url_decode": {0, 0}, "url_encode": {0, 0}, "base64_encode": {0, 0},
}

var differentialFilterNames = slices.Sorted(maps.Keys(differentialFilters))

func (g *generator) pipeline() string {
	return g.value() + g.repeat(0, 3, "", func() string {
		name := pick(g, differentialFilterNames...)
		bounds := differentialFilters[name]
		if args := g.repeat(bounds[0], bounds[1], ", ", g.value); args != "" {
			name += ": " + args
		}
		return " | " + name
	})
}

func (g *generator) condition() string {
	comparison := func() string {
		if g.chance(30) {
			return g.value()
		}
		return g.value() + " " + pick(g, "==", "!=", "<>", "<", ">", "<=", ">=", "contains") + " " + g.value()
	}
	return comparison() + g.repeat(0, 2, "", func() string { return pick(g, " and ", " or ") + comparison() })
}

func (g *generator) tag(body string) string {
	return pick(g, "{%", "{%", "{%", "{%-") + " " + body + " " + pick(g, "%}", "%}", "%}", "-%}")
}

func (g *generator) output() string {
	return pick(g, "{{", "{{", "{{", "{{-") + " " + g.pipeline() + " " + pick(g, "}}", "}}", "}}", "-}}")
}

func (g *generator) block(depth int) string {
	return g.repeat(0, 4, "", func() string {
		switch {
		case g.chance(50):
			return g.output()
		case g.chance(50) || depth == 0:
			return pick(g, " ", "\n", "x", " a ", "\n  ", "-")
		}
		return g.statement(depth - 1)
	})
}

func (g *generator) statement(depth int) string {
	body := func() string { return g.block(depth) }
	otherwise := func() string {
		if g.chance(40) {
			return g.tag("else") + body()
		}
		return ""
	}
	switch g.IntN(13) {
	case 0:
		return g.tag("if "+g.condition()) + body() + g.tag("elsif "+g.condition()) + body() + otherwise() + g.tag("endif")
	case 1:
		return g.tag("unless "+g.condition()) + body() + otherwise() + g.tag("endunless")
	case 2:
		when := func() string {
			return g.tag("when "+g.repeat(1, 3, pick(g, ", ", " or "), g.value)) + body()
		}
		return g.tag("case "+g.value()) + " " + g.repeat(1, 3, "", when) + otherwise() + g.tag("endcase")
	case 3, 4, 5:
		option := pick(g, "", "", " reversed") + pick(g, "", "", " limit: 2", " limit: n", " limit: -1") + pick(g, "", "", " offset: 1", " offset: continue", " offset: missing")
		inner := "{{ i }}{{ forloop." + pick(g, "index", "rindex0", "first", "last", "length", "name", "parentloop.index") + " }}"
		if g.chance(30) {
			inner += "{% if " + g.condition() + " %}{% " + pick(g, "break", "continue") + " %}{% endif %}"
		}
		return g.tag("for i in "+g.value()+option) + body() + inner + body() + otherwise() + g.tag("endfor")
	case 6:
		field := pick(g, "col", "col0", "row", "col_first", "index", "first", "last", "rindex")
		return g.tag("tablerow i in "+g.value()+" cols: 2") + "{{ i }}{{ tablerowloop." + field + " }}" + g.tag("endtablerow")
	case 7:
		return g.tag("assign " + pick(g, "y", "s", "n", "a") + " = " + g.pipeline())
	case 8:
		return g.tag("capture y") + body() + g.tag("endcapture") + "{{ y }}"
	case 9:
		return g.tag("cycle " + pick(g, "", "'g': ", "n: ") + "'o', 2, 'p'")
	case 10:
		return g.tag(pick(g, "increment ", "decrement ") + pick(g, "ctr", "n"))
	case 11:
		return g.tag("ifchanged") + body() + g.tag("endifchanged")
	}
	return "{% liquid\n assign y = " + g.pipeline() + "\n echo y\n if " + g.condition() + "\n echo 'T'\n endif\n%}"
}

func (g *generator) template() string {
	return g.repeat(1, 3, "", func() string { return g.statement(2) })
}
