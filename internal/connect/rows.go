package connect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// refusal is a row that does not become (part of) an event, and why.
type refusal struct {
	span
	reason string
}

// mapped is a chunk after the mapping: of each row an event, an item, a refusal, or nothing where it was filtered out.
type mapped struct {
	*chunk
	filtered int
	refused  []refusal
	events   []rowEvent    // where each row is an event
	gathered []gatheredRow // where rows are gathered
	items    []byte        // of gathered, one after the other
}

type rowEvent struct {
	span
	json json.RawMessage
}

type gatheredRow struct {
	span
	key     string
	item    int  // where it begins in items; it ends where the next begins
	without bool // the row was refused: the event goes without it
}

// reader maps rows. It is not safe for concurrent use; each goroutine has its own.
type reader struct {
	plan      *plan
	delimiter byte
	cells     []string
	row       expr.MappingRow
	scope     expr.MappingScope
	writer    eventWriter
}

func newReader(p *plan, delimiter byte) *reader {
	r := &reader{plan: p, delimiter: delimiter}
	r.scope.Row = &r.row
	r.writer.plan = p
	return r
}

// chunk maps all rows of a chunk.
func (r *reader) chunk(c *chunk) *mapped {
	m := &mapped{chunk: c}
	if r.plan.key != nil {
		m.gathered = make([]gatheredRow, 0, len(c.rows))
		m.items = make([]byte, 0, len(c.text))
	}
	for _, span := range c.rows {
		wanted, err := r.read(c, span)
		switch {
		case err != nil:
			m.refused = append(m.refused, refusal{span, reasonOf(err)})
			continue
		case !wanted:
			m.filtered++
			continue
		case r.plan.key == nil:
			event, err := r.event(c, span)
			if err != nil {
				m.refused = append(m.refused, refusal{span, reasonOf(err)})
				continue
			}
			m.events = append(m.events, rowEvent{span, event})
		default:
			r.gather(m, span)
		}
	}
	return m
}

// read takes a row apart and tells whether the mapping wants it.
func (r *reader) read(c *chunk, s span) (bool, error) {
	if s.problem != sound {
		return false, fault.New(fault.Invalid, "%s", problems[s.problem])
	}
	text := c.row(s)
	if !utf8.ValidString(text) {
		return false, fault.New(fault.Invalid, "the row is not UTF-8%s", badByte(text))
	}
	if r.plan.columns == 0 {
		if err := decodeObject(text, &r.row); err != nil {
			return false, err
		}
	} else {
		r.cells = splitCells(text, r.delimiter, s.quoted, r.cells[:0])
		if len(r.cells) != r.plan.columns {
			return false, fault.New(fault.Invalid, "the row has %s, the header %d", count(len(r.cells), "column"), r.plan.columns)
		}
		r.row.Cells = r.cells
	}
	return r.wanted()
}

// wanted tells whether the mapping wants the row that was read.
func (r *reader) wanted() (bool, error) {
	if r.plan.where == nil {
		return true, nil
	}
	wanted, err := r.plan.where.Eval(&r.scope)
	if err != nil {
		return false, inField("where", err)
	}
	if wanted.Kind != expr.MappingBool && wanted.Kind != expr.MappingNull {
		return false, fault.Field("where", "the result is neither true nor false")
	}
	return wanted.Bits != 0, nil
}

// event makes the event of a row that stands for itself.
func (r *reader) event(c *chunk, s span) (json.RawMessage, error) {
	return r.writer.event(&r.scope, nil, func() string { return rowMessageID(r.plan.source, s.line, c.row(s)) })
}

// gather adds the row's item to m.
func (r *reader) gather(m *mapped, s span) {
	key, err := r.key()
	if err != nil {
		m.refused = append(m.refused, refusal{s, reasonOf(err)})
		return
	}
	start := len(m.items)
	for i := range r.plan.item {
		field := &r.plan.item[i]
		value, err := field.Expr.Eval(&r.scope)
		if err != nil {
			m.items = m.items[:start]
			m.refused = append(m.refused, refusal{s, reasonOf(inField("gather.item."+field.Name, err))})
			m.gathered = append(m.gathered, gatheredRow{span: s, key: key, item: start, without: true})
			return
		}
		m.items = appendValue(m.items, value)
	}
	m.gathered = append(m.gathered, gatheredRow{span: s, key: key, item: start})
}

// key is the text that the rows of one event share.
func (r *reader) key() (string, error) {
	value, err := r.plan.key.Eval(&r.scope)
	if err != nil {
		return "", inField("gather.key", err)
	}
	key, err := textOf(value)
	if err != nil {
		return "", inField("gather.key", err)
	}
	if key == "" {
		return "", fault.Field("gather.key", "the key is empty")
	}
	return key, nil
}

// head is what the event of a gathered row needs of it, if it is the event's first.
func (r *reader) head(c *chunk, s span, to []byte) []byte {
	if r.plan.columns > 0 {
		r.cells = splitCells(c.row(s), r.delimiter, s.quoted, r.cells[:0])
	}
	return r.plan.appendHead(to, c.row(s), r.cells)
}

// decodeObject reads a JSON object. Whole numbers within 64 bits become int64, others float64.
func decodeObject(text string, row *expr.MappingRow) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	row.Object = nil
	if err := decoder.Decode(&row.Object); err != nil {
		return fault.New(fault.Invalid, "the line is not a JSON object: %v", err)
	}
	if row.Object == nil || decoder.InputOffset() != int64(len(bytes.TrimRight([]byte(text), " \t"))) {
		return fault.New(fault.Invalid, "the line is not one JSON object")
	}
	_, err := numbers(row.Object)
	return err
}

func numbers(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case json.Number:
		if whole, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return whole, nil
		}
		fraction, err := v.Float64()
		if err != nil || math.IsInf(fraction, 0) {
			return nil, fault.New(fault.Invalid, "the number %s is out of range", v.String())
		}
		return fraction, nil
	case float64:
		return finite(v)
	case map[string]any:
		for name, member := range v {
			if v[name], err = numbers(member); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, element := range v {
			if v[i], err = numbers(element); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// textOf is the text that a value stands for as an identifier: whole numbers are their digits, null is "".
func textOf(v expr.MappingValue) (string, error) {
	switch v.Kind {
	case expr.MappingNull:
		return "", nil
	case expr.MappingText:
		return v.Text, nil
	case expr.MappingInt:
		return strconv.FormatInt(int64(v.Bits), 10), nil
	}
	return "", fault.New(fault.Invalid, "the result must be text, not %s: use string(…)", v.AppendJSON(nil))
}

// inField names the field of the mapping that a row is at odds with.
func inField(field string, err error) error {
	return fault.Field(field, "%s", reasonOf(err))
}

// reasonOf is an error in one line.
func reasonOf(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

func badByte(text string) string {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Sprintf(" (byte 0x%02x at column %d)", text[at], utf8.RuneCountInString(text[:at])+1)
		}
		at += size
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
