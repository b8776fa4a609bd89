package fault

import "testing"

// The distances of the pairs kitten/sitting (3) and saturday/sunday (3) are the textbook's examples.
func TestNearest(t *testing.T) {
	if edits("kitten", "sitting") != 3 || edits("saturday", "sunday") != 3 || edits("", "abc") != 3 || edits("abc", "abc") != 0 {
		t.Error("the distances are not Levenshtein's")
	}
	known := []string{"condition", "description"}
	if got := Nearest("Conditio", known, 2); got != "condition" {
		t.Errorf("got %q", got)
	}
	if got := Nearest("colour", known, 2); got != "" {
		t.Errorf("got %q for a word that is none of them", got)
	}
}
