package liquid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tailorbird/tailorbird/liquid"
)

var (
	differentialSeed  = flag.Uint64("differential.seed", 1, "seed of the templates that are compared with the reference")
	differentialCount = flag.Int("differential.count", 4500, "number of templates that are compared with the reference")
)

// reference renders the cases on its input, one JSON object a line, with the Ruby implementation.
//
// What newer versions have beyond Liquid 5.4: blank? and the encoding of what base64_decode returns.
const reference = `require 'json'; require 'liquid'
class Object; def blank?; respond_to?(:empty?) ? !!empty? : !self; end; end
class String; def blank?; match?(/\A\s*\z/); end; end
class Numeric; def blank?; false; end; end
class TrueClass; def blank?; false; end; end
class Range; def blank?; false; end; end
module Liquid::StandardFilters
  alias decode64 base64_decode
  def base64_decode(input); s = decode64(input).force_encoding('UTF-8'); s.valid_encoding? ? s : s.b; end
end
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
	"d":"2024-02-29 13:05:09","mixed":"aÄ bß cé","words":["b","A",null,"C","a"],
	"rows":[{"k":"b","v":1},{"k":"A","v":true},{"k":"a","v":null},{"k":"b","v":false}],"p":{"q":{"r":"deep","l":["m","n"]}}}`

// differentialCase is a template with its data, a JSON object.
type differentialCase struct{ template, data string }

// TestDifferential compares random templates with the Ruby implementation, where that is installed (Debian: ruby and
// ruby-liquid). The generators leave out what DIFFERENCES.md lists and what changed after Liquid 5.4.
func TestDifferential(t *testing.T) {
	for area, generate := range differentialAreas {
		t.Run(area, func(t *testing.T) {
			g := &generator{rand.New(rand.NewPCG(*differentialSeed, 0))}
			cases := make([]differentialCase, *differentialCount/len(differentialAreas))
			for i := range cases {
				cases[i] = differentialCase{generate(g), differentialData}
			}
			compareWithReference(t, cases)
		})
	}
}

// unalike are letters that are younger than Ruby 3.1, and the Georgian capitals, which DIFFERENCES.md mentions.
var unalike = &unicode.RangeTable{
	R16: []unicode.Range16{{0x019B, 0x019B, 1}, {0x0264, 0x0264, 1}, {0x1C89, 0x1CBF, 1}, {0x2C2F, 0x2C5F, 0x30}, {0xA7C0, 0xA7DF, 1}},
	R32: []unicode.Range32{{0x10570, 0x105BF, 1}, {0x10D50, 0x10D8F, 1}, {0x16EA0, 0x16EDF, 1}},
}

// TestDifferentialLetters compares the cases of all letters that both sides know.
func TestDifferentialLetters(t *testing.T) {
	var cases []differentialCase
	var block strings.Builder
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.S) || unicode.In(r, unalike) {
			continue
		}
		block.WriteString(string(r) + "a ")
		if block.Len() > 4000 || r == unicode.MaxRune {
			const template = "{% assign words = s | split: ' ' %}{% for w in words %}{{ w | capitalize }}{{ w | upcase }}{{ w | downcase }} {% endfor %}"
			cases = append(cases, differentialCase{template, string(mustJSON(t, map[string]string{"s": block.String()}))})
			block.Reset()
		}
	}
	compareWithReference(t, cases)
}

// referenceRuby finds Ruby with the reference implementation, or skips the test.
func referenceRuby(t *testing.T) string {
	t.Helper()
	ruby, err := exec.LookPath("ruby")
	if err == nil {
		err = exec.Command(ruby, "-e", "require 'liquid'; exit Liquid::VERSION.to_i >= 5").Run()
	}
	switch {
	case err == nil:
		return ruby
	case os.Getenv("CI") == "true":
		t.Fatalf("continuous integration needs the reference implementation (Debian: apt install ruby-liquid): %v", err)
	default:
		t.Skipf("no reference implementation (Debian: apt install ruby-liquid): %v", err)
	}
	return ""
}

func compareWithReference(t *testing.T, cases []differentialCase) {
	t.Helper()
	ruby := referenceRuby(t)
	var input bytes.Buffer
	for _, c := range cases {
		fmt.Fprintf(&input, "%s\n", mustJSON(t, map[string]any{"template": c.template, "data": json.RawMessage(c.data)}))
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
	engine := liquid.New(liquid.WithClock(func() time.Time { return time.Now().UTC() }))
	for i, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
		var want struct {
			Out   *string
			Error string
			Skip  bool
		}
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		source := cases[i].template
		got, err := renderOnce(engine, source, valuesOf(t, cases[i].data))
		switch {
		case want.Skip || want.Out == nil && err != nil:
		case want.Out == nil:
			t.Errorf("%s\nwrote %q, the reference fails: %s", source, got, want.Error)
		case err != nil:
			t.Errorf("%s\nfails: %v, the reference writes %q", source, err, *want.Out)
		case got != *want.Out:
			t.Errorf("%s\nwrote %q, the reference writes %q", source, got, *want.Out)
		}
	}
}

func valuesOf(t *testing.T, object string) map[string]any {
	t.Helper()
	var data liquid.Map
	if err := json.Unmarshal([]byte(object), &data); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, key := range data.Keys() {
		values[key], _ = data.Get(key)
	}
	return values
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
