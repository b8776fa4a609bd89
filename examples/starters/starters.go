// Package starters holds definitions to begin with: RFM, lifecycle, engagement and interests, one YAML file each. They are
// written for the events of Segment's e-commerce spec, and printed by `tailorbird trait new` for those of whoever asks.
package starters

import (
	"embed"
	"regexp"
	"strconv"
	"strings"
)

// Files are the definitions.
//
//go:embed *.yaml
var Files embed.FS

// Names are the files, without their ending.
var Names = []string{"rfm", "lifecycle", "engagement", "interests"}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Text gives the file of a starter, written for an event and one of its properties.
func Text(name, event, property string) (string, error) {
	raw, err := Files.ReadFile(name + ".yaml")
	if err != nil {
		return "", err
	}
	return Words(name, event, property).Replace(string(raw)), nil
}

// Words puts an event and a property in the place of those that a starter is written for; for "" these stay as they are.
func Words(name, event, property string) *strings.Replacer {
	of, its := `"Order Completed"`, "e.properties.total"
	if name == "interests" {
		of, its = `"Product Viewed"`, "e.properties.category"
	}
	var words []string
	if property != "" {
		access := "." + property
		if !plainName.MatchString(property) {
			access = "[" + strconv.Quote(property) + "]"
		}
		words = append(words, its, "e.properties"+access)
	}
	if event != "" {
		words = append(words, of, strconv.Quote(event))
	}
	return strings.NewReplacer(words...)
}
