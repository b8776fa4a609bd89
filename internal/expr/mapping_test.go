package expr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func mustMappingEnv(t testing.TB, columns []string, items []MappingField) *MappingEnv {
	t.Helper()
	env, err := NewMappingEnv(columns, items)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// evalMapping gives the JSON of the result, or the error's text after "error: ".
func evalMapping(t testing.TB, env *MappingEnv, source string, scope *MappingScope) string {
	t.Helper()
	compiled, err := env.Compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	value, err := compiled.Eval(scope)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(value.AppendJSON(nil))
}

func TestMappingOverCells(t *testing.T) {
	env := mustMappingEnv(t, []string{"No", "Qty", "Price", "Customer", "When", "Unit Price"}, nil)
	scope := &MappingScope{Row: &MappingRow{Cells: []string{"C1", "6", "2.55", "", "2011-07-01 08:26:00", "1.234,50 "}}}
	for source, want := range map[string]string{
		`row.No`:                                 `"C1"`,
		`int(row.Qty)`:                           `6`,
		`double(row.Price)`:                      `2.55`,
		`double(row.Price) * int(row.Qty)`:       `15.299999999999999`,
		`int(row.Qty) / 4`:                       `1`,
		`int(row.Qty) / 4.0`:                     `1.5`,
		`row.No * 2`:                             ``,
		`"GBP"`:                                  `"GBP"`,
		`row.No.startsWith("C") ? "x" : "y"`:     `"x"`,
		`row.Customer == "" ? null : row.No`:     `null`,
		`row.No == "" ? row.No : null`:           `null`,
		`coalesce(row.Customer, null, row.No)`:   `"C1"`,
		`coalesce(row.Customer)`:                 `null`,
		`has(row.Customer)`:                      `false`,
		`has(row.No)`:                            `true`,
		`number(row["Unit Price"], ",")`:         `1234.5`,
		`number("1,234.5")`:                      `1234.5`,
		`[row.No, null, 1, {"a": null, "b": 2}]`: `["C1",null,1,{"b":2}]`,
		`timestamp(row.When, "yyyy-MM-dd HH:mm:ss", "Europe/London")`:                `"2011-07-01T07:26:00Z"`,
		`timestamp(row.When, "yyyy-MM-dd HH:mm:ss")`:                                 `"2011-07-01T08:26:00Z"`,
		`timestamp("1.2.03 4:05 PM", "d.M.yy h:mm a", "UTC")`:                        `"2003-02-01T16:05:00Z"`,
		`timestamp("2020-01-02T03:04:05.678+02:00", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")`: `"2020-01-02T01:04:05.678Z"`,
		`timestamp("1700000000", "unix")`:                                            `"2023-11-14T22:13:20Z"`,
		`round(2.345, 2)`:                                                            `2.35`, // 2.345 is 2.34500000000000019984 in binary
		`round(1249.0, -2)`:                                                          `1200`,
		`sum([1, 2, null], i, i)`:                                                    `3`,
		`sum([0.1, 0.2, 0.3], i, i)`:                                                 `0.6`,
		`sum([0.1, 0.2, -0.3], i, i)`:                                                `0`,
		`sum([3.39 * 6.0, 2.55], i, i)`:                                              `22.89`,
		`sum([], i, i)`:                                                              `0`,
		`lower(trim("  AbC ")) + upper("x")`:                                         `"abcX"`,
		`int("x" + row.Qty)`:                                                         `error: `,
		`int(row.No)`:                                                                `error: "C1" is not a whole number`,
		`double(row.No)`:                                                             `error: "C1" is not a number`,
		`double("NaN" + row.Customer)`:                                               `error: the result is not a finite number`,
		`timestamp("x", "yyyy", "Mars/Base")`:                                        `error: `,
	} {
		if want == "" {
			if _, err := env.Compile(source); err == nil {
				t.Errorf("%s compiled", source)
			}
			continue
		}
		var got string
		if compiled, err := env.Compile(source); err != nil {
			got = "error: " + err.Error() // constant parts are computed at once
		} else if value, err := compiled.Eval(scope); err != nil {
			got = "error: " + err.Error()
		} else {
			got = string(value.AppendJSON(nil))
		}
		if got != want && (want != "error: " || !strings.HasPrefix(got, want)) {
			t.Errorf("%s = %s, want %s", source, got, want)
		}
	}
}

func TestMappingWholeRow(t *testing.T) {
	env := mustMappingEnv(t, []string{"a", "b"}, nil)
	compiled, err := env.Compile("row")
	if err != nil {
		t.Fatal(err)
	}
	if got := compiled.Columns(); len(got) != 2 {
		t.Errorf("row reads columns %v, want both", got)
	}
	scope := &MappingScope{Row: &MappingRow{Cells: []string{"1", "<x>"}}}
	if got := evalMapping(t, env, "row", scope); got != `{"a":"1","b":"<x>"}` {
		t.Errorf("row = %s", got)
	}
}

func TestMappingOverObjects(t *testing.T) {
	env := mustMappingEnv(t, nil, nil)
	scope := &MappingScope{Row: &MappingRow{Object: map[string]any{
		"id": int64(7), "price": 1.5, "customer": map[string]any{"email": "ada@example.com", "a b": true}, "none": nil,
		"lines": []any{map[string]any{"q": int64(2)}, map[string]any{"q": int64(3)}},
	}}}
	for source, want := range map[string]string{
		`row.id`:                           `7`,
		`string(row.id)`:                   `"7"`,
		`row.customer.email`:               `"ada@example.com"`,
		`row["customer"]["a b"]`:           `true`,
		`row.customer.phone`:               `null`,
		`row.shop.owner.name`:              `null`,
		`row.none`:                         `null`,
		`has(row.none) || has(row.shop.x)`: `false`,
		`has(row.customer.email)`:          `true`,
		`sum(row.lines, l, l.q)`:           `5`,
		`double(row.id) * row.price`:       `10.5`,
		`row.id * row.price`:               `10.5`,
		`row.price / row.id * 14`:          `3`,
		`row.id / 2 + 0.5 - row.price`:     `2`,
		`row.id / 100.0`:                   `0.07`,
		`row.lines.map(l, l.q * 1.5)`:      `[3,4.5]`,
		`row.lines + [row.id]`:             `[{"q":2},{"q":3},7]`,
		`round(row.id, -1)`:                `10`,
		`row.id / 0`:                       `error: division by zero`,
		`row.id / 0.0`:                     `error: the result is not a finite number`,
		`9223372036854775807 + row.id`:     `error: integer overflow`,
		`row.none * 2.0`:                   `error: null * double cannot be calculated: a value is missing; coalesce(row.X, 0) puts another in its place, and where leaves the row out`,
		`row.customer.email - row.id`:      `error: string - int cannot be calculated: double(row.X) makes a number of a text, string(row.X) a text of a number`,
		`row.id + row.customer`:            `error: int + map cannot be calculated`,
		`row.customer`:                     `{"a b":true,"email":"ada@example.com"}`,
	} {
		if got := evalMapping(t, env, source, scope); got != want {
			t.Errorf("%s = %s, want %s", source, got, want)
		}
	}
}

func TestMappingOverItems(t *testing.T) {
	rows := mustMappingEnv(t, []string{"Qty", "Price"}, nil)
	var fields []MappingField
	for _, f := range [][2]string{{"quantity", "int(row.Qty)"}, {"price", "double(row.Price)"}, {"note", `row.Qty == "1" ? null : "n"`}} {
		compiled, err := rows.Compile(f[1])
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, MappingField{Name: f[0], Expr: compiled})
	}
	var items []MappingItem
	for _, cells := range [][]string{{"6", "3.39"}, {"1", "2.55"}} {
		item := MappingItem{}
		for _, f := range fields {
			value, err := f.Expr.Eval(&MappingScope{Row: &MappingRow{Cells: cells}})
			if err != nil {
				t.Fatal(err)
			}
			item.Values = append(item.Values, value)
		}
		items = append(items, item)
	}
	env := mustMappingEnv(t, []string{"Qty", "Price"}, fields)
	scope := &MappingScope{Row: &MappingRow{Cells: []string{"6", "3.39"}}}
	scope.SetItems(items)
	for source, want := range map[string]string{
		`sum(items, i, i.price * double(i.quantity))`:     `22.89`,
		`sum(items, i, i.price * i.quantity)`:             `22.89`,
		`sum(items, i, i.quantity)`:                       `7`,
		`size(items)`:                                     `2`,
		`items[0].note`:                                   `"n"`,
		`items[1].note`:                                   `null`,
		`has(items[1].note)`:                              `false`,
		`items.filter(i, i.quantity > 1).map(i, i.price)`: `[3.39]`,
	} {
		if got := evalMapping(t, env, source, scope); got != want {
			t.Errorf("%s = %s, want %s", source, got, want)
		}
	}
	for source, want := range map[string]string{
		`sum(items, i, i.price * "2")`: "overload",
		`sum(items, i, i.cost)`:        "cost",
	} {
		if _, err := env.Compile(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %s", source, err, want)
		}
	}
}

func TestMappingErrorsHavePositions(t *testing.T) {
	env := mustMappingEnv(t, []string{"A", "Twice", "Twice"}, nil)
	for _, c := range []struct {
		source       string
		line, column int
		contains     string
	}{
		{`row.A + row.Missing`, 1, 12, `no column "Missing"; it has A`},
		{`row.Twice`, 1, 4, "more than one"},
		{"row.A +\n  nonsense", 2, 3, "nonsense"},
		{`row.A + 1`, 1, 7, "overload"},
		{`row.A +`, 1, 8, "syntax error"},
		{``, 1, 1, "empty"},
		{`[1].map(row, row)`, 1, 8, "loop variable"},
		{`row.A.b`, 1, 6, "no column"},
	} {
		_, err := env.Compile(c.source)
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%q: %v, want a fault", c.source, err)
			continue
		}
		if f.Line != c.line || f.Column != c.column || !strings.Contains(f.Message, c.contains) {
			t.Errorf("%q: %d:%d %s, want %d:%d %s", c.source, f.Line, f.Column, f.Message, c.line, c.column, c.contains)
		}
	}
}

func FuzzMapping(f *testing.F) {
	for _, seed := range []string{`row.a`, `sum([1], i, i)`, `has(row["a b"].c)`, `null ? row : items`, `row.a.map(x, null)`} {
		f.Add(seed, "1")
	}
	cells := mustMappingEnv(f, []string{"a", "b"}, nil)
	objects := mustMappingEnv(f, nil, nil)
	f.Fuzz(func(t *testing.T, source, cell string) {
		for _, env := range []*MappingEnv{cells, objects} {
			compiled, err := env.Compile(source)
			if err != nil {
				continue
			}
			row := &MappingRow{Cells: []string{cell, ""}, Object: map[string]any{"a": cell}}
			if value, err := compiled.Eval(&MappingScope{Row: row}); err == nil {
				value.AppendJSON(nil)
			}
		}
	})
}

func TestMappingOverMessages(t *testing.T) {
	env, err := NewMessageEnv()
	if err != nil {
		t.Fatal(err)
	}
	scope := &MappingScope{Row: &MappingRow{
		Object:  map[string]any{"message": "in the row", "n": int64(3), "list": []any{int64(1)}},
		Message: map[string]any{"key": "k1", "offset": int64(7), "headers": map[string]any{"x-tenant": "a"}, "timestamp": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	}}
	for source, want := range map[string]string{
		`message.key`: `"k1"`,
		`message.key + "-" + string(message.offset)`: `"k1-7"`,
		`message.headers["x-tenant"]`:                `"a"`,
		`message.headers["none"]`:                    `null`,
		`message.headers.none.deeper`:                `null`,
		`message.timestamp`:                          `"2026-01-02T03:04:05Z"`,
		`has(message.key)`:                           `true`,
		`has(message.headers.none)`:                  `false`,
		`row.message`:                                `"in the row"`,
		`row`:                                        `{"list":[1],"message":"in the row","n":3}`,
		`coalesce(message.none, row.n)`:              `3`,
		`row.list.map(m, m + message.offset)`:        `[8]`,
	} {
		if got := evalMapping(t, env, source, scope); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	if _, err := env.Compile(`row.list.map(message, 1)`); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a loop variable of that name: %v", err)
	}
	if _, err := mustMappingEnv(t, nil, nil).Compile(`message.key`); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("rows of a file have no message: %v", err)
	}
}
