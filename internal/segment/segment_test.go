package segment

import (
	"fmt"
	"strings"
	"testing"
)

func TestCompileOrdersByUse(t *testing.T) {
	set, err := Compile([]Definition{
		{Name: "a", Condition: `"z" in segments && profile.spent > 10`}, {Name: "z", Condition: `profile.spent > 5`},
	}, []Trait{{Name: "spent", Expression: `profile.raw * 2`}, {Name: "raw", Expression: `events("X").count()`}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range set.Nodes {
		names = append(names, n.Name)
	}
	if got := fmt.Sprint(names); got != "[raw spent z a]" {
		t.Errorf("got %s", got)
	}
}

func TestCompileRefusesCirclesAndUnknownSegments(t *testing.T) {
	cases := []struct {
		segments []Definition
		traits   []Trait
		says     string
	}{
		{[]Definition{{Name: "a", Condition: `"b" in segments`}, {Name: "b", Condition: `!("a" in segments)`}}, nil, "a → b → a"},
		{[]Definition{{Name: "a", Condition: `"a" in segments`}}, nil, "a → a"},
		{nil, []Trait{{Name: "t", Expression: `profile.t + 1`}}, "t → t"},
		{[]Definition{{Name: "a", Condition: `"gone" in segments`}}, nil, `"gone"`},
		{[]Definition{{Name: "a", Condition: `profile.x >`}}, nil, "condition:1:"},
	}
	for _, c := range cases {
		if _, err := Compile(c.segments, c.traits); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want …%s…", err, c.says)
		}
	}
}
