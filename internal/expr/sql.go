package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Dialect is a database that a condition can be written for.
type Dialect int

// The databases.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// SQL writes a condition as one over the rows of the table profiles, with its arguments in the order of their first use,
// for counts that would otherwise look at every profile in turn. It is never NULL and says exactly what Result says of the
// row's traits, computed traits, preferences, subscription and, where no segment is being filled, memberships. False where
// the condition asks for more: behaviour, times, and what a form does not show.
func (p *Program) SQL(d Dialect) (where string, args []any, ok bool) {
	if !p.condition || len(p.Terms) > 0 || len(p.clocks) > 0 {
		return "", nil, false
	}
	n, err := Tree(p.Text)
	if err != nil {
		return "", nil, false
	}
	w := &sqlWriter{dialect: d}
	where = w.node(n)
	return where, w.args, !w.unable
}

type sqlWriter struct {
	dialect Dialect
	args    []any
	unable  bool
}

func (w *sqlWriter) cannot() string {
	w.unable = true
	return "FALSE"
}

func (w *sqlWriter) arg(v any) string {
	w.args = append(w.args, v)
	place := "$" + strconv.Itoa(len(w.args))
	if w.dialect == SQLite {
		return place
	}
	switch v.(type) {
	case string:
		return place + "::text"
	case []string:
		return place + "::text[]"
	case bool:
		return place + "::boolean"
	}
	return place + "::double precision"
}

func (w *sqlWriter) node(n Node) string {
	switch n.Kind {
	case KindAll, KindAny:
		parts := make([]string, len(n.Nodes))
		for i, part := range n.Nodes {
			parts[i] = w.node(part)
		}
		return "(" + strings.Join(parts, map[string]string{KindAll: " AND ", KindAny: " OR "}[n.Kind]) + ")"
	case KindNot:
		return "NOT " + w.node(n.Nodes[0])
	case KindSegment:
		return "EXISTS (SELECT 1 FROM memberships WHERE memberships.segment = " + w.arg(n.Name) + " AND memberships.profile_id = profiles.id)"
	case KindText:
		if n.Text == "true" || n.Text == "false" {
			return strings.ToUpper(n.Text)
		}
		return w.cannot()
	case KindConsent:
		return w.consent(n)
	case KindTrait, KindPreference:
		return w.field(n)
	}
	return w.cannot()
}

// consent is a column that is always known.
func (w *sqlWriter) consent(n Node) string {
	switch n.Operator {
	case "":
		return w.subscribed()
	case "has":
		return "TRUE"
	}
	return w.cannot()
}

func (w *sqlWriter) subscribed() string {
	if w.dialect == SQLite {
		return "(profiles.subscribed = 1)"
	}
	return "profiles.subscribed"
}

// jsonField is a value inside the JSON columns of a row.
type jsonField struct {
	document string
	path     []string
}

func (w *sqlWriter) field(n Node) string {
	path := append([]string{n.Name}, n.Path...)
	if n.Function != "" || slices.ContainsFunc(path, func(s string) bool { return !plainName(s) }) {
		return w.cannot()
	}
	if list, ok := n.Value.([]any); ok && len(list) == 0 && n.Operator != "includes_all" {
		return "FALSE"
	}
	if n.Kind == KindPreference {
		return w.tested(n, jsonField{"profiles.preferences", path})
	}
	switch n.Name {
	case "created_at", "first_seen_at", "last_seen_at":
		return w.cannot() // they are not in the columns as conditions see them
	case consentTrait:
		return w.toldOrSubscribed(n)
	}
	return w.tested(n, w.trait(path))
}

// trait is a computed trait, else one that was told.
func (w *sqlWriter) trait(path []string) jsonField {
	return jsonField{"(CASE WHEN " + w.exists("profiles.computed", path[0]) + " THEN profiles.computed ELSE profiles.traits END)", path}
}

// toldOrSubscribed is the trait of that name, for which the subscription stands in where there is none.
func (w *sqlWriter) toldOrSubscribed(n Node) string {
	if n.Operator != "" || len(n.Path) > 0 {
		return w.cannot()
	}
	told := "(" + w.exists("profiles.computed", n.Name) + " OR " + w.exists("profiles.traits", n.Name) + ")"
	return "(CASE WHEN " + told + " THEN " + w.tested(n, w.trait([]string{n.Name})) + " ELSE " + w.subscribed() + " END)"
}

// plainName reports whether a name is found in a JSON document as it is written, and is no number, which would count.
func plainName(name string) bool {
	letters := false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_- .", r) {
			return false
		}
		letters = letters || unicode.IsLetter(r) || r == '_'
	}
	return letters
}

func (w *sqlWriter) exists(document, name string) string {
	if w.dialect == SQLite {
		return "json_type(" + document + ", " + w.arg(sqlitePath([]string{name})) + ") IS NOT NULL"
	}
	return document + "::jsonb -> " + w.arg(name) + " IS NOT NULL"
}

func sqlitePath(path []string) string {
	text := "$"
	for _, name := range path {
		text += `."` + name + `"`
	}
	return text
}

// kindOf is the JSON type of a field, and value the field as SQL has it.
func (w *sqlWriter) kindOf(f jsonField) string {
	if w.dialect == SQLite {
		return "json_type(" + f.document + ", " + w.arg(sqlitePath(f.path)) + ")"
	}
	return "jsonb_typeof(" + f.document + "::jsonb #> " + w.arg(f.path) + ")"
}

func (w *sqlWriter) value(f jsonField, kind string) string {
	if w.dialect == SQLite {
		return "json_extract(" + f.document + ", " + w.arg(sqlitePath(f.path)) + ")"
	}
	text := "(" + f.document + "::jsonb #>> " + w.arg(f.path) + ")"
	switch kind {
	case "number":
		return text + "::double precision"
	case "boolean":
		return text + "::boolean"
	}
	return `(` + text + ` COLLATE "C")`
}

// is asks for the kind of a field: text, number, boolean, array or object.
func (w *sqlWriter) is(f jsonField, kind string) string {
	names := map[string]string{"text": "('string')", "number": "('number')", "boolean": "('boolean')", "array": "('array')", "object": "('object')"}
	if w.dialect == SQLite {
		names = map[string]string{"text": "('text')", "number": "('integer', 'real')", "boolean": "('true', 'false')", "array": "('array')", "object": "('object')"}
	}
	return "coalesce(" + w.kindOf(f) + " IN " + names[kind] + ", FALSE)"
}

func (w *sqlWriter) known(f jsonField) string {
	return "coalesce(" + w.kindOf(f) + " <> 'null', FALSE)"
}

// guarded looks at a value only where it is of the kind.
func (w *sqlWriter) guarded(f jsonField, kind string, test func(value string) string) string {
	guard := w.is(f, kind)
	return "(CASE WHEN " + guard + " THEN " + test(w.value(f, kind)) + " ELSE FALSE END)"
}

// fixed is a literal with its kind.
func (w *sqlWriter) fixed(v any) (kind string, argument any) {
	switch v := v.(type) {
	case string:
		if strings.ContainsRune(v, 0) {
			w.unable = true // a text ends there for a database
		}
		return "text", v
	case float64:
		return "number", v
	case bool:
		if w.dialect == SQLite {
			if v {
				return "boolean", 1
			}
			return "boolean", 0
		}
		return "boolean", v
	}
	w.unable = true
	return "text", ""
}

// tested is what a leaf asks of a field.
func (w *sqlWriter) tested(n Node, f jsonField) string {
	list, _ := n.Value.([]any)
	switch n.Operator {
	case "":
		return w.equal(f, true)
	case "has":
		return w.known(f)
	case "==":
		return w.equal(f, n.Value)
	case "!=":
		return "(" + w.known(f) + " AND NOT " + w.equal(f, n.Value) + ")"
	case "<", "<=", ">", ">=":
		kind, argument := w.fixed(n.Value)
		return w.guarded(f, kind, func(value string) string { return value + " " + n.Operator + " " + w.arg(argument) })
	case "in":
		return w.each(list, " OR ", "FALSE", func(item any) string { return w.equal(f, item) })
	case "includes":
		return w.includes(f, n.Value)
	case "includes_any":
		return w.each(list, " OR ", "FALSE", func(item any) string { return w.holds(f, item) })
	case "includes_all":
		return "(" + w.is(f, "array") + " AND " + w.each(list, " AND ", "TRUE", func(item any) string { return w.holds(f, item) }) + ")"
	case "contains", "starts_with", "ends_with":
		return w.affix(n.Operator, f, n.Value)
	}
	return w.cannot()
}

func (w *sqlWriter) each(list []any, joint, empty string, test func(item any) string) string {
	if len(list) == 0 {
		return empty
	}
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = test(item)
	}
	return "(" + strings.Join(parts, joint) + ")"
}

func (w *sqlWriter) equal(f jsonField, v any) string {
	kind, argument := w.fixed(v)
	return w.guarded(f, kind, func(value string) string { return value + " = " + w.arg(argument) })
}

// holds asks whether a list has an item.
func (w *sqlWriter) holds(f jsonField, item any) string {
	kind, argument := w.fixed(item)
	guard := w.is(f, "array")
	if w.dialect == SQLite {
		types := map[string]string{"text": "('text')", "number": "('integer', 'real')", "boolean": "('true', 'false')"}[kind]
		return "(" + guard + " AND EXISTS (SELECT 1 FROM json_each(" + f.document + ", " + w.arg(sqlitePath(f.path)) + ") AS item WHERE item.type IN " + types +
			" AND item.atom = " + w.arg(argument) + "))"
	}
	return fmt.Sprintf("(CASE WHEN %s THEN (%s::jsonb #> %s) @> to_jsonb(%s) ELSE FALSE END)", guard, f.document, w.arg(f.path), w.arg(argument))
}

// includes asks whether a list has an item, or an object a member.
func (w *sqlWriter) includes(f jsonField, item any) string {
	test := w.holds(f, item)
	name, ok := item.(string)
	if !ok {
		return test
	}
	guard := w.is(f, "object")
	if w.dialect == SQLite {
		return "(" + test + " OR " + guard + " AND EXISTS (SELECT 1 FROM json_each(" + f.document + ", " + w.arg(sqlitePath(f.path)) + ") AS member WHERE member.key = " + w.arg(name) + "))"
	}
	return fmt.Sprintf("(%s OR %s AND (%s::jsonb #> %s) -> %s IS NOT NULL)", test, guard, f.document, w.arg(f.path), w.arg(name))
}

func (w *sqlWriter) affix(operator string, f jsonField, v any) string {
	text, ok := v.(string)
	if !ok {
		return w.cannot()
	}
	if w.fixed(text); text == "" {
		return w.is(f, "text")
	}
	length := strconv.Itoa(len([]rune(text)))
	return w.guarded(f, "text", func(value string) string {
		switch {
		case operator == "contains" && w.dialect == SQLite:
			return "instr(" + value + ", " + w.arg(text) + ") > 0"
		case operator == "contains":
			return "position(" + w.arg(text) + " IN " + value + ") > 0"
		case operator == "starts_with":
			return "substr(" + value + ", 1, " + length + ") = " + w.arg(text)
		case w.dialect == SQLite:
			return "substr(" + value + ", -" + length + ") = " + w.arg(text)
		}
		return "right(" + value + ", " + length + ") = " + w.arg(text)
	})
}
