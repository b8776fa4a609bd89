package connect

import (
	"context"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func TestMappingErrorsNameFieldLineAndColumn(t *testing.T) {
	const valid = "user_id: row.id\nevent: row.id\n"
	path := writeFile(t, "a.csv", "id,n\n1,2\n")
	for _, c := range []struct {
		text, field  string
		line, column int
		contains     string
	}{
		{"user_id: [", "mapping.yaml", 1, 10, "not YAML"},
		{"- a", "mapping.yaml", 0, 0, "an object"},
		{"", "mapping.yaml", 0, 0, "one YAML document"},
		{"event: row.id", "", 1, 6, "must set user_id or anonymous_id"},
		{"user_id: row.id", "type", 1, 1, "must set event"},
		{valid + "type: group", "type", 3, 7, "must set group_id"},
		{valid + "colour: row.id", "colour", 3, 9, `no field "colour"`},
		{valid + "format: xml", "format", 3, 9, "csv or jsonl"},
		{valid + "delimiter: ';;'", "delimiter", 3, 13, "one character"},
		{valid + "timestamp: {a: b}", "timestamp", 3, 12, "must be an expression"},
		{valid + "gather: {key: row.id}", "gather", 3, 9, "both a key"},
		{valid + "gather: {key: row.id, item: {a: row.id}, items: products}", "gather.items", 3, 49, "a path such as"},
		{valid + "properties: row\ngather: {key: row.id, item: {a: row.id}}", "properties", 3, 13, "gathered items go into it"},
		{valid + "properties: {products: row.id}\ngather: {key: row.id, item: {a: row.id}}", "gather.key", 4, 15, "already has a value"},
		{valid + "user_id: row.n", "", 3, 1, "mapping key"},
		// Expressions: positions are those in the mapping file.
		{"event: row.id\nuser_id: row.id + row.missing", "user_id", 2, 22, `no column "missing"; it has id, n`},
		{"event: row.id\nuser_id:   'row.id + nonsense'", "user_id", 2, 22, "nonsense"},
		{"event: row.id\nuser_id: \"row.id + nonsense\"", "user_id", 2, 20, "nonsense"},
		{"event: row.id\nuser_id: |\n  row.id +\n    nonsense\n", "user_id", 4, 5, "nonsense"},
		{"event: row.id\nuser_id: 'row.id +'", "user_id", 2, 19, "syntax error"},
		{valid + "properties:\n  a:\n    - row.id\n    - {b: row.id + 1}\n", "properties.a[].b", 6, 18, "overload"},
		{valid + "gather:\n  key: row.id\n  item:\n    n: int(row.n)\nproperties:\n  t: sum(items, i, i.n * row.id)", "properties.t", 8, 24, "overload"},
	} {
		mapping, err := ParseMapping("mapping.yaml", []byte(c.text))
		if err == nil {
			_, err = Import(context.Background(), ImportConfig{Path: path, Mapping: mapping}, &collector{})
		}
		all := fault.All(err)
		if len(all) == 0 {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		f := all[0]
		if f.Code != fault.Invalid || !strings.Contains(f.Message, c.contains) ||
			c.contains != "mapping key" && (f.Field != c.field || f.Line != c.line || f.Column != c.column) {
			t.Errorf("%q: %q at %d:%d: %s, want %q at %d:%d: %s", c.text, f.Field, f.Line, f.Column, f.Message, c.field, c.line, c.column, c.contains)
		}
	}
}

func TestSeveralMappingErrorsAtOnce(t *testing.T) {
	path := writeFile(t, "a.csv", "id,n\n1,2\n")
	_, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, "user_id: row.x\nevent: row.y\ntimestamp: row.z")}, &collector{})
	if all := fault.All(err); len(all) != 3 {
		t.Errorf("%d errors, want all three: %v", len(all), err)
	}
}

func TestSourceNames(t *testing.T) {
	for path, want := range map[string]string{
		"/a/orders.csv": "orders", "orders.2011.csv.gz": "orders.2011", "x.jsonl": "x", "online-retail.csv.gz": "online-retail", "y.gz": "y",
	} {
		if got := (&Mapping{}).sourceName(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestFormulaGuard(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": `"'=1+1"`, "+x": `"'+x"`, "-x": `"'-x"`, "@x": `"'@x"`, "\tx": "\"'\tx\"", "\rx": "\"'\rx\"",
		"-12.50": "-12.50", "+1,000": `"+1,000"`, "plain": "plain", `a"b`: `"a""b"`, "": "", "-1+2": `"'-1+2"`,
	} {
		if got := string(appendCell(nil, cell)); got != want {
			t.Errorf("%q: %s, want %s", cell, got, want)
		}
	}
}
