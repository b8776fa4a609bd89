package expr

import (
	"strings"
	"testing"
)

// shape writes a clause with its parts in brackets.
func (c clause) shape(text string) string {
	if c.kind == kindLeaf {
		return text[c.start:c.end]
	}
	parts := make([]string, len(c.parts))
	for i, p := range c.parts {
		parts[i] = p.shape(text)
	}
	return c.kind + "[" + strings.Join(parts, " | ") + "]"
}

func TestClauses(t *testing.T) {
	for text, want := range map[string]string{
		`a`: `a`, ` ( a ) `: `a`, `a && b`: `all[a | b]`, `a && b || c`: `any[all[a | b] | c]`, `a && (b || c)`: `all[a | any[b | c]]`,
		`(a && b) && c`: `all[all[a | b] | c]`, `!a`: `not[a]`, `!(a || b)`: `not[any[a | b]]`, `!!a`: `not[not[a]]`, `!a == b`: `!a == b`, `!(a == b)`: `not[a == b]`,
		`a ? b && c : d`: `a ? b && c : d`, `(a) && (b)`: `all[a | b]`, `(a) + (b) > 1`: `(a) + (b) > 1`,
		`f(a && b) && g`: `all[f(a && b) | g]`, `x.exists(e, e > 1 || e < 0)`: `x.exists(e, e > 1 || e < 0)`,
		`a == "x && y" || b == 'it\'s || ' `: `any[a == "x && y" | b == 'it\'s || ']`, `a == r"\" && b`: `all[a == r"\" | b]`,
		"a // && c\n && b": `all[a | b]`, `a == """x " && y""" && b`: `all[a == """x " && y""" | b]`, `[a && b] == c && d`: `all[[a && b] == c | d]`,
		`!x in y`: `!x in y`, `!inside`: `not[inside]`, `a == 1e-5 && b`: `all[a == 1e-5 | b]`, `!events("A").exists()`: `not[events("A").exists()]`,
	} {
		if got := clauses(text).shape(text); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}
