package app

import (
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/examples/starters"
)

// What a starter gives can be applied as it is, also for events and properties with other names.
func TestStartersCanBeApplied(t *testing.T) {
	_, ask := ready(t)
	for _, name := range starters.Names {
		for _, words := range []string{"", "?event=Invoice+%22Paid%22&property=amount+due"} {
			answer := ask("GET", v1+"/starters/"+name+words, "", 200)
			if words != "" && (strings.Contains(answer, "Order Completed") || strings.Contains(answer, "e.properties.total")) {
				t.Errorf("%s is not written for the event: %s", name, answer)
			}
			if changes := ask("POST", v1+"/definitions/apply", answer, 200); words == "" && !strings.Contains(changes, `"create"`) {
				t.Errorf("%s: %s", name, changes)
			}
		}
	}
	ask("GET", v1+"/starters/absent", "", 422)
}
