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

// Text gives the definitions of a starter for an event and one of its properties; for "" it stays as it is written.
func Text(name, event, property string) (string, error) {
	raw, err := Files.ReadFile(name + ".yaml")
	if err != nil {
		return "", err
	}
	text := string(raw)
	of, its := `"Order Completed"`, "e.properties.total"
	if name == "interests" {
		of, its = `"Product Viewed"`, "e.properties.category"
	}
	if property != "" {
		access := "." + property
		if !plainName.MatchString(property) {
			access = "[" + strconv.Quote(property) + "]"
		}
		text = strings.ReplaceAll(text, its, "e.properties"+access)
	}
	if event != "" {
		text = strings.ReplaceAll(text, of, strconv.Quote(event))
	}
	return text, nil
}
