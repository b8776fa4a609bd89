package definition_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// TestFilesComeBack writes the example's definitions and awkward ones, and reads them again.
func TestFilesComeBack(t *testing.T) {
	examples, err := definition.ReadFiles(os.DirFS("../../examples/shop"))
	if err != nil || len(examples) < 10 {
		t.Fatalf("%d definitions, %v", len(examples), err)
	}
	awkward := []string{
		`{"condition":"profile.country == \"DE\" && \"vip\" in segments\n  || false","description":"yes"}`,
		`{"condition":"true","description":": - # ' \" {{ }} %\n\ttab\n\n"}`,
		`{"condition":"no","description":"2011-12-10","nested":{"z":1,"a":0.5,"list":[1,"2",null,true]}}`,
		`{"condition":" leading and trailing \n","description":""}`,
		`{"condition":"a\n\n  b\n","description":"tab\there\nthere","c":"two\n\n","d":"cr\r\nlf","e":"\n","f":"null","g":"1e3","h":"~"}`,
	}
	entries := []definition.Entry{}
	for _, e := range examples {
		entries = append(entries, e.Entry)
	}
	for i, spec := range awkward {
		entries = append(entries, definition.Entry{Ref: definition.Ref{Kind: definition.Segment, Name: "awkward-" + string(rune('a'+i))}, Spec: []byte(spec)})
	}
	written := fstest.MapFS{}
	for _, e := range entries {
		files, err := e.Files()
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			written[name] = &fstest.MapFile{Data: text}
		}
	}
	read, err := definition.ReadFiles(written)
	if err != nil || len(read) != len(entries) {
		t.Fatalf("%d definitions of %d came back: %v", len(read), len(entries), err)
	}
	back := map[definition.Ref]json.RawMessage{}
	for _, e := range read {
		back[e.Ref] = e.Spec
	}
	for _, e := range entries {
		var want, got any
		if json.Unmarshal(e.Spec, &want) != nil || json.Unmarshal(back[e.Ref], &got) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %s, was %s", e.Ref, back[e.Ref], e.Spec)
		}
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	_, err := definition.ReadFiles(fstest.MapFS{
		"a.yaml":        {Data: []byte("kind: sement\nname: x")},
		"b.yaml":        {Data: []byte("kind: segment\nname: Not Good")},
		"c.yaml":        {Data: []byte("kind: [")},
		"d/d.yaml":      {Data: []byte("kind: template\nname: d\nbody_file: ../../etc/passwd")},
		"e.yaml":        {Data: []byte("kind: template\nname: e\nbody_file: e.html\nbody: twice")},
		"e.html":        {Data: []byte("<p>")},
		"f.txt":         {Data: []byte("not ours")},
		".git/conf.yml": {Data: []byte("not ours")},
	})
	var fields []string
	for _, f := range fault.All(err) {
		fields = append(fields, f.Field)
	}
	want := "a.yaml: kind|b.yaml: name|c.yaml|d/d.yaml: body_file|e.yaml: body_file"
	if got := strings.Join(fields, "|"); got != want {
		t.Errorf("faults %s, want %s", got, want)
	}
}
