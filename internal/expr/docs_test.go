package expr

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The examples of the document, and what it says of every function, are true of the language.
func TestTheDocumentSpeaksOfThisLanguage(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "conditions.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	examples := 0
	for _, block := range regexp.MustCompile("(?s)\n```\n(.*?)\n```\n").FindAllStringSubmatch(text, -1) {
		for example := range strings.SplitSeq(block[1], "\n") {
			examples++
			if _, err := Condition(example); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	if examples < 9 {
		t.Errorf("%d examples found", examples)
	}
	for _, f := range Functions() {
		if !strings.Contains(text, f.Name+"(") {
			t.Errorf("the document does not speak of %s", f.Name)
		}
	}
	for _, example := range []string{
		`fold("Straße") == fold("STRASSE")`, `fold(profile.city).contains(fold("Köln"))`, `version("1.10.2") > version("1.9")`,
		`sequence("A", "A", "B").without("B")`, `!(profile.country == "DE")`, `profile.country != "DE"`, `profile.trial_ends_at > now`,
	} {
		if !strings.Contains(text, "`"+example+"`") {
			t.Errorf("the document has no %s", example)
		}
		if _, err := Condition(example); err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
}
