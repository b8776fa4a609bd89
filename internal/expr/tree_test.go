package expr

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// treeText is a condition and the tree that a form shows of it.
var trees = []struct{ text, tree string }{
	{`profile.country == "DE"`, `{"kind":"trait","name":"country","operator":"==","value":"DE"}`},
	{`5 < profile["order count"]`, `{"kind":"trait","name":"order count","operator":">","value":5}`},
	{`profile.address.city in ["Bonn", "Köln"]`, `{"kind":"trait","name":"address","path":["city"],"operator":"in","value":["Bonn","Köln"]}`},
	{`profile.vip && !consent.marketing`, `{"kind":"all","nodes":[{"kind":"trait","name":"vip"},{"kind":"not","nodes":[{"kind":"consent","name":"marketing"}]}]}`},
	{`has(profile.phone) || profile.email == null`, `{"kind":"any","nodes":[{"kind":"trait","name":"phone","operator":"has"},{"kind":"not","nodes":[{"kind":"trait","name":"email","operator":"has"}]}]}`},
	{`("vip" in segments && preferences.weekly) || scores.churn > 0.5`, `{"kind":"any","nodes":[{"kind":"all","nodes":[{"kind":"segment","name":"vip"},{"kind":"preference","name":"weekly"}]},{"kind":"score","name":"churn","operator":">","value":0.5}]}`},
	{`"sale" in profile.tags && profile.tags.containsAny(["a", "b"])`, `{"kind":"all","nodes":[{"kind":"trait","name":"tags","operator":"includes","value":"sale"},{"kind":"trait","name":"tags","operator":"includes_any","value":["a","b"]}]}`},
	{`age(profile.last_order_at) < duration("30d")`, `{"kind":"trait","name":"last_order_at","function":"age","operator":"<","value":"30d"}`},
	{`fold(profile.city).contains(fold("BONN"))`, `{"kind":"trait","name":"city","function":"fold","operator":"contains","value":"BONN"}`},
	{`version(profile.app) >= "1.10"`, `{"kind":"trait","name":"app","function":"version","operator":">=","value":"1.10"}`},
	{`anniversary(profile.birthday, "Europe/Berlin") <= 7`, `{"kind":"trait","name":"birthday","function":"anniversary","zone":"Europe/Berlin","operator":"<=","value":7}`},
	{`profile.ends > now && profile.begins < timestamp("2026-01-01")`, `{"kind":"all","nodes":[{"kind":"trait","name":"ends","function":"time","operator":">","value":"now"},{"kind":"trait","name":"begins","function":"time","operator":"<","value":"2026-01-01"}]}`},
	{
		`events("Product Viewed").where(e, e.properties.category == "outdoor" && e.properties.price.net > 5).within("7d").count() >= 3`,
		`{"kind":"behaviour","operator":">=","value":3,"behaviour":{"event":"Product Viewed","where":[{"kind":"property","name":"category","operator":"==","value":"outdoor"},{"kind":"property","name":"price","path":["net"],"operator":">","value":5}],"within":"7d","reducer":"count"}}`,
	},
	{
		`events().between("2026-01-01", "2026-02-01").where(x, x.properties.a == 1).where(y, y.properties.b == 2 || has(y.properties.c)).exists()`,
		`{"kind":"behaviour","behaviour":{"event":"","where":[{"kind":"property","name":"a","operator":"==","value":1},{"kind":"any","nodes":[{"kind":"property","name":"b","operator":"==","value":2},{"kind":"property","name":"c","operator":"has"}]}],"from":"2026-01-01","to":"2026-02-01","reducer":"exists"}}`,
	},
	{`events("Order Completed").sum(o, o.properties.total) > 500.0`, `{"kind":"behaviour","operator":">","value":500,"behaviour":{"event":"Order Completed","reducer":"sum","property":"total"}}`},
	{`age(events("Order Completed").last()) > duration("90d")`, `{"kind":"behaviour","function":"age","operator":">","value":"90d","behaviour":{"event":"Order Completed","reducer":"last"}}`},
	{`events("A").where(e, e.type == "track").exists()`, `{"kind":"behaviour","behaviour":{"event":"A","where":[{"kind":"text","text":"e.type == \"track\""}],"reducer":"exists"}}`},
	{
		`sequence("Product Viewed", events("Product Added").where(e, e.properties.n > 1)).within("1h").without("Order Completed").during("30d")`,
		`{"kind":"sequence","sequence":{"steps":[{"event":"Product Viewed"},{"event":"Product Added","where":[{"kind":"property","name":"n","operator":">","value":1}]}],"within":"1h","without":[{"event":"Order Completed"}],"during":"30d"}}`,
	},
	{`sequence(events(), "B").after("2026-01-01")`, `{"kind":"sequence","sequence":{"steps":[{"event":""},{"event":"B"}],"from":"2026-01-01"}}`},
	{`events("A").days("Europe/Berlin") >= 3 && events("A").frequency("30d") > 2`, `{"kind":"all","nodes":[{"kind":"behaviour","operator":">=","value":3,"behaviour":{"event":"A","reducer":"days","argument":"Europe/Berlin"}},{"kind":"behaviour","operator":">","value":2,"behaviour":{"event":"A","reducer":"frequency","argument":"30d"}}]}`},
	// What no form shows stays as it is written.
	{`events("A").where(o, o.type == "track").exists()`, `{"kind":"text","text":"events(\"A\").where(o, o.type == \"track\").exists()"}`},
	{`profile.a + 1 > 2 && profile.b`, `{"kind":"all","nodes":[{"kind":"text","text":"profile.a + 1 > 2"},{"kind":"trait","name":"b"}]}`},
	{`profile.x ? profile.a : profile.b`, `{"kind":"text","text":"profile.x ? profile.a : profile.b"}`},
	{`events("A").within("3d").within("5d").exists()`, `{"kind":"text","text":"events(\"A\").within(\"3d\").within(\"5d\").exists()"}`},
	{`events("A").count() > events("B").count()`, `{"kind":"text","text":"events(\"A\").count() > events(\"B\").count()"}`},
	{`sequence("A", events("B").before("2026-01-01"))`, `{"kind":"text","text":"sequence(\"A\", events(\"B\").before(\"2026-01-01\"))"}`},
	{`profile.x == 9007199254740993`, `{"kind":"text","text":"profile.x == 9007199254740993"}`},
}

func TestTrees(t *testing.T) {
	for _, c := range trees {
		n, err := Tree(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, _ := json.Marshal(n)
		var want, have any
		if json.Unmarshal([]byte(c.tree), &want) != nil || json.Unmarshal(got, &have) != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.tree)
		}
	}
}

// conditions are texts that are held against what Text makes of their trees.
func conditions() []string {
	texts := []string{
		`!profile.vip && (profile.age > 40 || "a" in profile.tags)`, `!(profile.age == 41) || profile["country"] in ["DE", "AT"]`,
		`profile.country != null && profile.absent == null`, `profile.age >= -5 && profile.age < 1.5e3`, `!(!profile.vip)`,
		"profile.vip // yes\n && profile.country.startsWith('D')", `(profile.age + 1 > 42 /* */) || false`, `events("A").count() + 1 > 2 // many`,
		`profile.country == "\u00fc\n\"" || profile.country.matches("^D.$")`, `profile.last_order_at < now && years(profile.born) > 30`,
	}
	for _, c := range trees {
		texts = append(texts, c.text)
	}
	for _, b := range behaviours {
		texts = append(texts, b+" == 1", "!("+b+" == \"x\")")
	}
	return slices.DeleteFunc(texts, func(text string) bool { _, err := Condition(text); return err != nil })
}

func TestTextOfATreeMeansTheSame(t *testing.T) {
	texts := conditions()
	if len(texts) < 40 {
		t.Fatalf("only %d conditions compile", len(texts))
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "condition")
		n, err := Tree(text)
		if err != nil {
			t.Fatal(err)
		}
		written, err := Text(n)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := Tree(written)
		if err != nil || !reflect.DeepEqual(again, n) {
			t.Fatalf("%s\nbecame %s\nwhich reads %+v\nnot       %+v", text, written, again, n)
		}
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Condition(written)
		if err != nil {
			t.Fatalf("%s became %s: %v", text, written, err)
		}
		var events []*Event
		for i := range rapid.IntRange(0, 8).Draw(t, "events") {
			events = append(events, randomEvent(t, i))
		}
		events = slices.DeleteFunc(events, func(e *Event) bool { return e.At > noon.UnixMicro() })
		slices.SortFunc(events, func(a, b *Event) int { return int(a.At - b.At) })
		s := scope(noon.UnixMicro(), events)
		if got, want := q.NaiveResult(s), p.NaiveResult(s); got != want {
			t.Fatalf("%s is %v, and %s is %v", text, want, written, got)
		}
	})
}

// A tree that a form can make is read again as it was.
func TestTreeOfATextIsTheSame(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "order count", "in", "ü\"\\", "x.y", "true"})
	scalars := rapid.OneOf(rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "") }),
		rapid.Map(rapid.IntRange(-9, 1<<40), func(n int) any { return float64(n) }), rapid.Map(rapid.Float64Range(-1e30, 1e30), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }))
	durations := rapid.SampledFrom([]string{"", "7d", "36h"})
	moments := rapid.SampledFrom([]string{"", "2026-01-01", time.Now().Format(time.RFC3339)})
	field := func(t *rapid.T, kind string) Node {
		n := Node{Kind: kind, Name: names.Draw(t, "name")}
		if kind != KindConsent {
			n.Path = rapid.SliceOfN(names, 0, 2).Draw(t, "path")
			if len(n.Path) == 0 {
				n.Path = nil
			}
		}
		return n
	}
	compared := func(t *rapid.T, n Node) Node {
		switch rapid.IntRange(0, 5).Draw(t, "how") {
		case 0:
		case 1:
			n.Operator, n.Value = rapid.SampledFrom(nodeSigns).Draw(t, "sign"), scalars.Draw(t, "value")
		case 2:
			n.Operator = rapid.SampledFrom([]string{"in", "includes_any", "includes_all"}).Draw(t, "list")
			n.Value = append([]any{}, rapid.SliceOfN(scalars, 0, 3).Draw(t, "values")...)
		case 3:
			n.Operator, n.Value = rapid.SampledFrom([]string{"includes", "contains", "starts_with", "ends_with", "matches"}).Draw(t, "method"), "a"
		case 4:
			n.Function = rapid.SampledFrom(append(nodeFunctions, "time")).Draw(t, "function")
			n.Operator, n.Value = rapid.SampledFrom(nodeSigns).Draw(t, "sign"), any("7d")
			if n.Function == "years" || n.Function == "anniversary" || n.Function == "size" {
				n.Value = 7.0
			}
			if n.Function == "years" {
				n.Zone = rapid.SampledFrom([]string{"", "Asia/Tokyo"}).Draw(t, "zone")
			}
		case 5:
			if n.Behaviour == nil {
				n.Operator = "has"
			}
		}
		return n
	}
	var nodes func(t *rapid.T, depth int, inside bool) Node
	where := func(t *rapid.T) (rows []Node) {
		for range rapid.IntRange(0, 2).Draw(t, "rows") {
			rows = append(rows, nodes(t, 1, true))
		}
		if len(rows) == 1 && rows[0].Kind == KindAll {
			return rows[0].Nodes
		}
		return rows
	}
	nodes = func(t *rapid.T, depth int, inside bool) Node {
		kind := rapid.SampledFrom([]string{KindAll, KindAny, KindNot, KindTrait, KindPreference, KindScore, KindConsent, KindSegment, KindBehaviour, KindSequence, KindText}).Draw(t, "kind")
		if depth == 0 && slices.Contains([]string{KindAll, KindAny, KindNot}, kind) || inside && slices.Contains([]string{KindTrait, KindPreference, KindScore, KindConsent, KindSegment, KindBehaviour, KindSequence}, kind) {
			kind = KindTrait
			if inside {
				kind = KindProperty
			}
		}
		switch kind {
		case KindAll, KindAny:
			n := Node{Kind: kind}
			for range rapid.IntRange(2, 3).Draw(t, "parts") {
				n.Nodes = append(n.Nodes, nodes(t, depth-1, inside))
			}
			return n
		case KindNot:
			return Node{Kind: kind, Nodes: []Node{nodes(t, depth-1, inside)}}
		case KindSegment:
			return Node{Kind: kind, Name: names.Draw(t, "segment")}
		case KindText:
			if inside {
				return Node{Kind: kind, Text: `e.type == "a"`}
			}
			return Node{Kind: kind, Text: rapid.SampledFrom([]string{`profile.a + 1 > 2`, `profile.a ? true : false`, "f(x) // ?\n > 1"}).Draw(t, "text")}
		case KindSequence:
			list := func(least, most int) (list []Step) {
				for range rapid.IntRange(least, most).Draw(t, "steps") {
					list = append(list, Step{rapid.SampledFrom([]string{"", "A", "Order \"x\""}).Draw(t, "event"), where(t)})
				}
				return list
			}
			return Node{Kind: kind, Sequence: &Sequence{
				Steps: list(2, 3), Without: list(0, 2), Within: durations.Draw(t, "within"), During: durations.Draw(t, "during"),
				From: moments.Draw(t, "from"), To: moments.Draw(t, "to"),
			}}
		case KindBehaviour:
			b := &Behaviour{
				Event: rapid.SampledFrom([]string{"", "A", "Order \"x\""}).Draw(t, "event"), Where: where(t), Within: durations.Draw(t, "within"),
				From: moments.Draw(t, "from"), To: moments.Draw(t, "to"), Reducer: rapid.SampledFrom([]string{"count", "exists", "sum", "first", "distinct", "days", "frequency"}).Draw(t, "reducer"),
			}
			if b.Reducer == "frequency" || b.Reducer == "days" && rapid.Bool().Draw(t, "in zone") {
				b.Argument = "7d"
			}
			if reducers[b.Reducer].valued && (b.Reducer != "first" || rapid.Bool().Draw(t, "valued")) {
				b.Property = names.Draw(t, "property")
			}
			return compared(t, Node{Kind: kind, Behaviour: b})
		}
		return compared(t, field(t, kind))
	}
	rapid.Check(t, func(t *rapid.T) {
		n := nodes(t, 3, false)
		text, err := Text(n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Tree(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(again, n) {
			t.Fatalf("%s\n got %+v\nwant %+v", text, again, n)
		}
	})
}

func TestTreesThatCannotBe(t *testing.T) {
	deep := Node{Kind: KindTrait, Name: "a"}
	for range maxNesting + 2 {
		deep = Node{Kind: KindNot, Nodes: []Node{deep}}
	}
	for field, n := range map[string]Node{
		"kind": {Kind: "what", Name: "x"}, "nodes": {Kind: KindAny}, "name": {Kind: KindTrait}, "behaviour": {Kind: KindBehaviour},
		"nodes[0].operator":       {Kind: KindNot, Nodes: []Node{{Kind: KindTrait, Name: "a", Operator: "~", Value: 1.0}}},
		"value":                   {Kind: KindTrait, Name: "a", Operator: "=="},
		"function":                {Kind: KindTrait, Name: "a", Function: "sqrt", Operator: "==", Value: 1.0},
		"text":                    {Kind: KindText, Text: `a) || (b`},
		"behaviour.reducer":       {Kind: KindBehaviour, Behaviour: &Behaviour{Reducer: "product"}},
		"behaviour.property":      {Kind: KindBehaviour, Behaviour: &Behaviour{Reducer: "sum"}},
		"behaviour.where[0].kind": {Kind: KindBehaviour, Behaviour: &Behaviour{Reducer: "count", Where: []Node{{Kind: KindTrait, Name: "a"}}}},
		"value[1]":                {Kind: KindTrait, Name: "a", Operator: "in", Value: []any{"a", nil}},
	} {
		_, err := Text(n)
		if all := fault.All(err); len(all) == 0 || all[0].Field != field || all[0].Code != fault.Invalid {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := Text(deep); err == nil {
		t.Error("a tree of any depth is taken")
	}
}
