package connect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	sources "github.com/tailorbird/tailorbird/internal/source"
)

// MessageMapping says how the messages of a topic become events: the mapping of an import, of which each message is a
// row, without what is about files. Beside row, the value, its expressions see message, with key (text, or null), topic,
// partition, offset, timestamp and headers. It does not change.
type MessageMapping struct{ plan *plan }

// ofFiles are the fields of a mapping that have no meaning for messages.
var ofFiles = []string{"format", "delimiter", "encoding", "columns", "source", "gather"}

// NewMessageMapping reads the mapping of a source, a JSON object. An error is one or several *fault.Error, whose Field
// begins with mapping and whose Line and Column are places in the expression.
func NewMessageMapping(spec json.RawMessage) (*MessageMapping, error) {
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(spec))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil || members == nil {
		return nil, fault.Field("mapping", "must be an object with fields such as event, user_id and properties")
	}
	for _, name := range ofFiles {
		if members[name] != nil {
			return nil, fault.Field("mapping."+name, "is for files; leave it out")
		}
	}
	top := nodeOfJSON("", members)
	m := &Mapping{fields: map[string]*node{}}
	for _, entry := range top.object {
		if entry.value.isNull {
			continue
		}
		if err := m.set(entry.name, entry.value); err != nil {
			return nil, belowMapping(err)
		}
	}
	if err := m.validate(top); err != nil {
		return nil, belowMapping(err)
	}
	if m.fields["timestamp"] == nil {
		m.fields["timestamp"] = &node{field: "timestamp", isText: true, text: "message.timestamp", line: 1, column: 1}
	}
	env, err := expr.NewMessageEnv()
	if err != nil {
		return nil, err
	}
	p, err := m.bindTo(env, nil, "")
	if err != nil {
		return nil, belowMapping(err)
	}
	return &MessageMapping{p}, nil
}

// nodeOfJSON makes the tree of a mapping that is JSON. Places are those inside an expression.
func nodeOfJSON(field string, value any) *node {
	n := &node{field: field, line: 1, column: 1, exact: true, isBlock: true}
	switch v := value.(type) {
	case nil:
		n.isNull = true
	case map[string]any:
		n.object = []member{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			path := name
			if field != "" {
				path = field + "." + name
			}
			n.object = append(n.object, member{name, nodeOfJSON(path, v[name])})
		}
	case []any:
		n.list = []*node{}
		for _, element := range v {
			n.list = append(n.list, nodeOfJSON(field+"[]", element))
		}
	case string:
		n.isText, n.text = true, v
	case json.Number:
		n.isText, n.text = true, v.String()
	case bool:
		n.isText, n.text = true, map[bool]string{true: "true", false: "false"}[v]
	}
	return n
}

func belowMapping(err error) error {
	var moved []error
	for _, f := range fault.All(err) {
		below := *f
		below.Field = strings.TrimSuffix("mapping."+f.Field, ".")
		moved = append(moved, &below)
	}
	return errors.Join(moved...)
}

// Event makes the event of a message whose value was decoded to row, made of nil, bool, numbers of any type, string, []any
// and map[string]any; it may be changed. nil: the mapping does not want the message. messageID is the event's id where
// the mapping does not tell. An error is an Invalid fault: the message is at odds with the mapping.
func (m *MessageMapping) Event(row map[string]any, around sources.Message, messageID string) (json.RawMessage, error) {
	if _, err := numbers(row); err != nil {
		return nil, err
	}
	headers := make(map[string]any, len(around.Headers))
	for name, value := range around.Headers {
		headers[name] = value
	}
	read := newReader(m.plan, 0)
	read.row.Object = row
	read.row.Message = map[string]any{
		"topic": around.Topic, "partition": int64(around.Partition), "offset": around.Offset, "timestamp": around.Timestamp, "headers": headers,
	}
	if around.Key != nil {
		read.row.Message["key"] = keyText(around.Key)
	}
	wanted, err := read.wanted()
	if err != nil || !wanted {
		return nil, err
	}
	return read.writer.event(&read.scope, nil, func() string { return messageID })
}

// keyText is a key as text; one that is not text is base64.
func keyText(key []byte) string {
	if utf8.Valid(key) {
		return string(key)
	}
	return base64.StdEncoding.EncodeToString(key)
}

// DecodeMessage reads a value that is JSON.
func DecodeMessage(value []byte) (map[string]any, error) {
	text := string(value)
	if problem := badByte(text); problem != "" {
		return nil, fault.New(fault.Invalid, "the value is not UTF-8%s", problem)
	}
	var row map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&row)
	if err != nil || row == nil || strings.TrimSpace(text[decoder.InputOffset():]) != "" {
		return nil, fault.New(fault.Invalid, "the value is not a JSON object")
	}
	return row, nil
}

// finite refuses what no JSON number can say.
func finite(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fault.New(fault.Invalid, "the value holds a number that is not finite")
	}
	return f, nil
}
