package connect

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Mapping says how the rows of a file become events. It is made by ParseMapping and does not change.
type Mapping struct {
	format    string // "csv", "jsonl" or "" for what the file's name says
	delimiter byte
	encoding  string
	columns   []string // given names of a file without a header
	source    string   // begins default message ids; "" for the file's name

	where   *node
	fields  map[string]*node // type, event, user_id, … as written
	key     *node            // of gather
	item    *node
	place   []string // where the list of items goes, such as properties, products
	digest  [sha256.Size]byte
	gathers bool
}

// eventFields are the fields of an event that a mapping may set, with the name that each has in the message.
var eventFields = []struct {
	field, message string
}{
	{"type", "type"},
	{"event", "event"},
	{"name", "name"},
	{"message_id", "messageId"},
	{"user_id", "userId"},
	{"anonymous_id", "anonymousId"},
	{"group_id", "groupId"},
	{"previous_id", "previousId"},
	{"timestamp", "timestamp"},
	{"properties", "properties"},
	{"traits", "traits"},
	{"context", "context"},
	{"external_ids", ""},
}

// eventTypes are the types of event, with the field that each cannot do without.
var eventTypes = map[string]string{
	"identify": "", "track": "event", "page": "", "screen": "", "group": "group_id", "alias": "previous_id",
}

// ParseMapping reads a mapping file; name stands for it in errors. Expressions are compiled when an import begins,
// because what they may read depends on the columns of the file. An error is one or several *fault.Error with Field
// the path of what is wrong, and Line and Column its place in the mapping file.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	if len(data) > maxMapping {
		return nil, fault.Field(name, "the mapping is over %d bytes", maxMapping)
	}
	top, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	m := &Mapping{delimiter: ',', encoding: "utf-8", fields: map[string]*node{}, digest: sha256.Sum256(data)}
	for _, entry := range top.object {
		if entry.value.isNull {
			continue
		}
		if err := m.set(entry.name, entry.value); err != nil {
			return nil, err
		}
	}
	return m, m.validate(top)
}

func (m *Mapping) set(name string, value *node) error {
	switch name {
	case "format":
		return choose(value, &m.format, "csv", "jsonl")
	case "encoding":
		return choose(value, &m.encoding, "utf-8", "windows-1252")
	case "source":
		m.source = value.text
		if !value.isText || m.source == "" || len(m.source) > 100 {
			return value.fail("the source must be a text of 1 to 100 bytes")
		}
		return nil
	case "delimiter":
		if !value.isText || len(value.text) != 1 || strings.ContainsAny(value.text, "\"\r\n") {
			return value.fail(`the delimiter must be one character, such as "," or ";" or "\t"`)
		}
		m.delimiter = value.text[0]
		return nil
	case "columns":
		if len(value.list) == 0 || len(value.list) > maxColumns {
			return value.fail("columns must list the names of 1 to %d columns, for a file without a header", maxColumns)
		}
		for _, column := range value.list {
			if !column.isText {
				return column.fail("the name of a column must be text")
			}
			m.columns = append(m.columns, column.text)
		}
		return nil
	case "where":
		m.where = value
		return wantText(value)
	case "gather":
		return m.setGather(value)
	}
	for _, known := range eventFields {
		if known.field == name {
			m.fields[name] = value
			switch name {
			case "properties", "traits", "context":
				return nil
			case "external_ids":
				if value.object == nil {
					return value.fail("external_ids must be an object of identifier types, such as loyalty_id, and expressions")
				}
				return nil
			}
			return wantText(value)
		}
	}
	return value.fail("a mapping has no field %q; it has format, delimiter, encoding, columns, source, where, gather and %s",
		name, strings.Join(fieldNames(), ", "))
}

func (m *Mapping) setGather(gather *node) error {
	if gather.object == nil {
		return gather.fail("gather must be an object with key, items and item")
	}
	m.gathers = true
	m.place = []string{"properties", "products"}
	for _, entry := range gather.object {
		switch entry.name {
		case "key":
			m.key = entry.value
			if err := wantText(entry.value); err != nil {
				return err
			}
		case "items":
			m.place = strings.Split(entry.value.text, ".")
			if len(m.place) < 2 || slices.Contains(m.place, "") || !slices.Contains([]string{"properties", "traits", "context"}, m.place[0]) {
				return entry.value.fail("items must be a path such as properties.products, under properties, traits or context")
			}
		case "item":
			m.item = entry.value
			if len(entry.value.object) == 0 {
				return entry.value.fail("item must be an object of names and expressions")
			}
			for _, field := range entry.value.object {
				if err := wantText(field.value); err != nil {
					return err
				}
			}
		default:
			return entry.value.fail("gather has no field %q; it has key, items and item", entry.name)
		}
	}
	if m.key == nil || m.item == nil {
		return gather.fail("gather needs both a key, which rows of one event share, and an item, what each row becomes")
	}
	return nil
}

func (m *Mapping) validate(top *node) error {
	if m.fields["user_id"] == nil && m.fields["anonymous_id"] == nil {
		return top.fail("the mapping must set user_id or anonymous_id: an event belongs to somebody")
	}
	kind := m.fields["type"]
	if kind == nil {
		kind = &node{field: "type", isText: true, text: "track", line: 1, column: 1}
		m.fields["type"] = kind
	}
	if needed, fixed := eventTypes[kind.text]; fixed && needed != "" && m.fields[needed] == nil {
		return kind.fail("a mapping to %s events must set %s", kind.text, needed)
	}
	if m.gathers {
		if top := m.fields[m.place[0]]; top != nil && top.object == nil {
			return top.fail("%s must be an object of names and expressions, because the gathered items go into it", m.place[0])
		}
	}
	if context := m.fields["context"]; m.fields["external_ids"] != nil && context != nil && context.object == nil {
		return context.fail("context must be an object of names and expressions, because external_ids go into it")
	}
	return nil
}

func choose(value *node, into *string, choices ...string) error {
	if !slices.Contains(choices, strings.ToLower(value.text)) {
		return value.fail("%s must be %s", value.field, strings.Join(choices, " or "))
	}
	*into = strings.ToLower(value.text)
	return nil
}

func wantText(value *node) error {
	if !value.isText {
		return value.fail("%s must be an expression", value.field)
	}
	return nil
}

func fieldNames() []string {
	var names []string
	for _, known := range eventFields {
		names = append(names, known.field)
	}
	return names
}
