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

// TestDocumentsOfAFile reads every document of a file, and says what is wrong in words that name files.
func TestDocumentsOfAFile(t *testing.T) {
	read, err := definition.ReadFiles(fstest.MapFS{"all.yaml": {Data: []byte("---\nkind: segment\nname: a\ncondition: \"true\"\n---\n# two\nkind: trait\nname: b\nexpression: \"1\"\n---\n")}})
	if err != nil || len(read) != 2 || read[0].Name != "a" || read[1].Name != "b" || read[1].Kind != definition.Trait {
		t.Fatalf("read %v, %v", read, err)
	}
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  []string
	}{
		"twice": {fstest.MapFS{
			"one.yaml": {Data: []byte("kind: segment\nname: a\ncondition: \"true\"\n")},
			"two.yml":  {Data: []byte("kind: segment\nname: a\ncondition: \"false\"\n")},
		}, []string{"one.yaml", "two.yml"}},
		"outside": {fstest.MapFS{"t/x.yaml": {Data: []byte("kind: template\nname: x\nbody_file: ../../etc/x.mjml\n")}}, []string{"t/x.yaml: body_file", "inside the directory"}},
		"empty":   {fstest.MapFS{"e.yaml": {Data: []byte("# nothing\n")}}, []string{"e.yaml", "is empty"}},
	} {
		_, err := definition.ReadFiles(c.files)
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", name, err, part)
			}
		}
	}
}

func TestUnknownMembers(t *testing.T) {
	type spec struct {
		Condition   string                  `json:"condition"`
		Description string                  `json:"description,omitempty"`
		UTM         struct{ Source string } `json:"utm,omitzero"`
	}
	for given, want := range map[string]string{
		`{"conditio":"true"}`:    "did you mean condition?",
		`{"descriptio":"x"}`:     "did you mean description?",
		`{"zebra":1}`:            "there are condition, description, utm",
		`{"utm":{"colour":"x"}}`: "holds a member that is unknown",
	} {
		if _, err := definition.Decode[spec](json.RawMessage(given)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", given, err, want)
		}
	}
}
