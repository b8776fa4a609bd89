package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The table of settings in docs/operations.md has every setting of serve, and no other.
func TestTheDocumentHasEverySettingOfServe(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Settings\n")
	table, _, _ = strings.Cut(table, "\n## ")
	flags, variables := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for i, word := range strings.Split(cells[1]+"`"+cells[2], "`") {
			if name, is := strings.CutPrefix(word, "--"); is {
				name, _, _ = strings.Cut(name, " ")
				flags[name] = true
			} else if i > 0 && strings.HasPrefix(word, "TAILORBIRD_") {
				variables[word] = true
			}
		}
	}
	parser, err := kong.New(&commands{}, helpTexts)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		if command.Name != "serve" {
			continue
		}
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				if len(flag.Envs) == 0 {
					continue
				}
				if !flag.Hidden && !flags[flag.Name] {
					t.Errorf("the document has no --%s", flag.Name)
				}
				delete(flags, flag.Name)
				for _, variable := range flag.Envs {
					if !variables[variable] {
						t.Errorf("the document has no %s", variable)
					}
					delete(variables, variable)
				}
			}
		}
	}
	for name := range flags {
		t.Errorf("serve has no --%s", name)
	}
	for name := range variables {
		t.Errorf("serve has no %s", name)
	}
}
