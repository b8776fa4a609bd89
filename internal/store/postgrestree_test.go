package store

import (
	"reflect"
	"testing"
)

func TestATreeIsReadAsPostgresWroteIt(t *testing.T) {
	// A name that looks like a part of the tree stays a name: PostgreSQL writes \ before what would end it.
	tree, err := parseTree(`({QUERY :commandType 1 :rowMarks <> :names ("a" "\{FUNCEXPR\ :funcid\ 7\}") :alias :relid :relid 12 :targetList (
		{TARGETENTRY :expr {OPEXPR :opno 96 :args ({CONST :consttype 25 :constvalue 5 [ 20 0 0 0 123 ]})} :resname a\)} {X}) :cols (b 8 9) :opnos (o 418 97)})`)
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	ids := map[string]any{}
	_ = tree.each(func(n *treeNode) error {
		tags = append(tags, n.tag)
		for _, field := range []string{"funcid", "opno", "consttype", "relid"} {
			if id := n.number(field); id != 0 {
				ids[field] = id
			}
		}
		if found := n.numbers["opnos"]; found != nil {
			ids["opnos"] = found
		}
		return nil
	})
	if want := []string{"QUERY", "TARGETENTRY", "OPEXPR", "CONST", "X"}; !reflect.DeepEqual(tags, want) {
		t.Errorf("nodes %v, want %v", tags, want)
	}
	if want := map[string]any{"opno": int64(96), "consttype": int64(25), "relid": int64(12), "opnos": []int64{418, 97}}; !reflect.DeepEqual(ids, want) {
		t.Errorf("ids %v, want %v", ids, want)
	}
}

func TestWhatIsNoTreeIsRefused(t *testing.T) {
	for _, text := range []string{
		``, `x`, `()`, `(o 1)`, `(`, `{QUERY`, `{QUERY :a}`, `{QUERY :a 1`, `{QUERY a 1}`, `{QUERY :a 1 :a 2}`, `{QUERY :a 1 2}`, `{:a 1}`, `{QUERY : 1}`, `{QUERY :a (1}`,
		`{QUERY :a (o x)}`, `{QUERY :a (o 1}`, `{QUERY :a 1 [ 2}`, `{QUERY} }`, `({QUERY}))`, `{QUERY\ X :a 1}`,
	} {
		if tree, err := parseTree(text); err == nil {
			t.Errorf("%s: %+v", text, tree)
		}
	}
}

func FuzzTree(f *testing.F) {
	f.Add(`({QUERY :commandType 1 :a {X :b (o 1 2)} :c ({Y} {Z :d 4 [ 1 2 ]}) :e "x\)"})`)
	f.Add(`(o 1)`)
	f.Fuzz(func(t *testing.T, text string) {
		if tree, err := parseTree(text); err == nil {
			_, _ = usesOf(tree)
		}
	})
}

func TestTheMomentStandsWhereItIsAskedFor(t *testing.T) {
	for text, want := range map[string]string{
		`:now`: `<>`, `a:now`: `a<>`, `::now`: `::now`, `x::now`: `x::now`, `:nowhere :now`: `:nowhere <>`, `:now:now`: `<><>`,
		`':now' :now`: `':now' <>`, `'it''s :now' :now`: `'it''s :now' <>`, `":now" :now`: `":now" <>`,
		`E'\':now' :now`: `E'\':now' <>`, `me'\' :now`: `me'\' <>`, `$$:now$$ :now`: `$$:now$$ <>`, `$a$ $b$ :now $a$ :now`: `$a$ $b$ :now $a$ <>`,
		`$1 :now`: `$1 <>`, `a$b :now $b`: `a$b <> $b`, "-- :now\n:now": "-- :now\n<>", `/* /* :now */ :now */ :now`: `/* /* :now */ :now */ <>`,
		`':now`: `':now`, `$a$ :now`: `$a$ :now`, `/* :now`: `/* :now`, ``: ``,
	} {
		got, put := withMoment(text, "<>")
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		for _, place := range put {
			if got[place:place+2] != "<>" {
				t.Errorf("%s: not at %d of %s", text, place, got)
			}
		}
	}
}
