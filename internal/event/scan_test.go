package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// texts are JSON and what resembles it.
var texts = []string{
	``, ` `, `{}`, `[]`, ` { } `, "\t[\r\n]", `null`, `true`, `false`, `nul`, `trux`, `nullx`, `TRUE`, `0`, `-0`, `-`, `01`, `1.`, `.5`, `1.5e`, `1e+`, `1E-07`, `+1`, `1e999`,
	`-1.5e309`, `1e-999`, `1e308`, `0x1`, `NaN`, `--1`, `""`, `"`, `"\`, `"\"`, `"\u"`, `"\u00e9"`, `"\u12G4"`, `"\uD83D\uDE00"`, `"\ud800"`, `"\udc00x"`, `"\x"`, "\"\x00\"",
	"\"\x1f\"", "\"\x7f\"", "\"\n\"", `"é"`, "\"\u2028\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\ufeff{}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a" 1}`, `{1:2}`, `{a:1}`, `{'a':1}`,
	`[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `[[]`, `[]]`, `{}{}`, `{} x`, "{}\x00", `[1,2,{"a":[3,"]"]}]`, `{"a":{"a":{"a":null}},"a":[],"\u0061":"b\\"}`, `{"":"","A":1,"a":2}`, `// c`,
	strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 65) + strings.Repeat("]", 65), nested(64), nested(65), nested(130), nested(129) + "}",
	strings.Repeat(`[{"a":`, 70) + "1" + strings.Repeat("}]", 70), strings.Repeat(`[{"a":`, 70) + "1" + strings.Repeat("]}", 70),
	`{"a":1` + strings.Repeat("0", 400) + `}`, `[` + strings.Repeat("9", 250) + `]`, `[0.` + strings.Repeat("0", 400) + `1]`,
	`{"type":"track","userId":17,"event":"X","properties":{"a":[1,{"b":null}],"c":"\u00e9é"},"context":{"traits":{"x":-1.5e+3}},"sentAt":null}`,
}

// someJSON makes a text that is JSON, with white space, escapes, and members of one name.
func someJSON(r *rand.Rand, levels int) string {
	space := func() string { return []string{"", "", "", " ", "\t", "\n ", "\r"}[r.IntN(7)] }
	quoted := func() string {
		s := `"`
		for range r.IntN(12) {
			s += []string{"a", "b", "userId", "é", "語", "😀", `\"`, `\\`, `\/`, `\n`, `\u0000`, `\u00E9`, `\ud83d\ude00`, `\ud800`, "{", "]", ","}[r.IntN(17)]
		}
		return s + `"`
	}
	several := func(one func() string) string {
		list := make([]string, r.IntN(5))
		for i := range list {
			list[i] = one()
		}
		return strings.Join(list, ",") + space()
	}
	kind := r.IntN(8)
	if levels == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return space() + []string{"null", "true", "false"}[r.IntN(3)] + space()
	case 1:
		return space() + strconv.FormatFloat(r.NormFloat64()*1e3, "efg"[r.IntN(3)], r.IntN(5), 64) + space()
	case 2:
		return space() + []string{"0", "-0", "7", "1e5", "1E+400", "-2.5e-3", "1e308"}[r.IntN(7)] + space()
	case 3, 4:
		return space() + quoted() + space()
	case 5:
		return space() + "[" + several(func() string { return someJSON(r, levels-1) }) + "]" + space()
	}
	return space() + "{" + several(func() string { return space() + quoted() + space() + ":" + someJSON(r, levels-1) }) + "}" + space()
}

func TestTheScannerTakesWhatEncodingJSONTakes(t *testing.T) {
	for _, text := range texts {
		compareScan(t, []byte(text))
		for i := range text { // damaged at every byte
			compareScan(t, []byte(text[:i]))
			compareScan(t, []byte(text[:i]+text[i+1:]))
			if len(text) > 300 && i%97 != 0 {
				continue
			}
			damaged := []byte(text)
			for c := range 256 {
				damaged[i] = byte(c)
				compareScan(t, damaged)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		text := []byte(someJSON(r, 5))
		if !json.Valid(text) {
			t.Fatalf("%q should be JSON", text)
		}
		compareScan(t, text)
		for range 20 {
			at := r.IntN(len(text))
			damaged := slices.Clone(text)
			damaged[at] = "{}[]\",:\\0-.e tn\x00\xffu"[r.IntN(18)]
			compareScan(t, damaged)
			compareScan(t, slices.Delete(damaged, at, min(at+1+r.IntN(3), len(damaged))))
		}
	}
}

// compareScan holds the scanner against encoding/json: whether a text is JSON and where it goes wrong, what is in it, and what is too
// deep or out of range. encoding/json gives up at 10,000 levels, the scanner does not.
func compareScan(t *testing.T, text []byte) {
	t.Helper()
	s := scanner{text: text}
	s.value()
	s.end()
	var v any
	err := json.Unmarshal(text, &v)
	var wrong *json.SyntaxError
	if isWrong := errors.As(err, &wrong); isWrong != s.bad {
		t.Fatalf("%q: bad %v, want %v", text, s.bad, err)
	}
	if s.bad {
		if got := min(s.at+1, len(text)); int64(got) != wrong.Offset {
			t.Fatalf("%q goes wrong at %d, want %d: %v", text, got, wrong.Offset, err)
		}
		return
	}
	if s.depth != 0 || len(s.outer) != 0 {
		t.Fatalf("%q: %d levels are left open", text, s.depth)
	}
	if !s.wide && !utf8.Valid(text) {
		t.Fatalf("%q is more than ASCII", text)
	}
	if utf8.Valid(text) {
		if got, want := read(text), naive(t, text); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\n got %#v\nwant %#v", text, got, want)
		}
	}
	s = scanner{text: append([]byte{' '}, text...)} // so that a flaw has a place other than 0
	s.value()
	want := flawOf(t, text)
	if (s.flaw > 0) != (want != "") || s.flaw > 0 && !bytes.HasPrefix(s.text[s.flaw:], []byte(want)) {
		t.Fatalf("%q: a flaw at %d, want %q", text, s.flaw, want)
	}
}

// pair is a member of an object as it stands, the name decoded.
type pair struct {
	name  string
	value any
}

// read reads a text through the scanner alone: an object is its members in order, a list is its elements, a string is what it says,
// and anything else is as it stands.
func read(text []byte) any {
	s := scanner{text: text}
	switch s.peek() {
	case '{':
		list := []pair{}
		for more := s.enter(); more; more = s.next() {
			name := string(unquoted(s.name()))
			from := s.at
			s.value()
			list = append(list, pair{name, read(text[from:s.at])})
		}
		return list
	case '[':
		list := []any{}
		for more := s.enter(); more; more = s.next() {
			s.peek()
			from := s.at
			s.value()
			list = append(list, read(text[from:s.at]))
		}
		return list
	}
	from := s.at
	s.value()
	return string(unquoted(text[from:s.at]))
}

// naive is the same through encoding/json.
func naive(t *testing.T, text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value func() any
	token := func() json.Token {
		k, err := d.Token()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return k
	}
	value = func() any {
		switch k := token().(type) {
		case nil:
			return "null"
		case json.Delim:
			if k == '[' {
				list := []any{}
				for d.More() {
					list = append(list, value())
				}
				token()
				return list
			}
			list := []pair{}
			for d.More() {
				name := token().(string)
				list = append(list, pair{name, value()})
			}
			token()
			return list
		default:
			return fmt.Sprint(k)
		}
	}
	return value()
}

// flawOf finds the first bracket that is nested too deep, or the first number out of range, in a text that is JSON.
func flawOf(t *testing.T, text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ""
		} else if err != nil {
			t.Fatal(err)
		}
		switch k := token.(type) {
		case json.Delim:
			if k == '}' || k == ']' {
				depth--
			} else if depth++; depth > maxDepth {
				return k.String()
			}
		case json.Number:
			if _, err := k.Float64(); err != nil {
				return k.String()
			}
		}
	}
}

func TestDepthThatNoDecoderTakesIsPassedOver(t *testing.T) {
	s := scanner{text: []byte(nested(100_000))}
	s.value()
	if s.end(); s.bad || s.flaw == 0 || s.depth != 0 {
		t.Errorf("bad %v, flaw %d, depth %d", s.bad, s.flaw, s.depth)
	}
}
