package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// MappingKind is the kind of a MappingValue.
type MappingKind uint8

// The kinds of value that a mapping can put into an event.
const (
	MappingNull   MappingKind = iota // the field is left out
	MappingBool                      // Bits is 0 or 1
	MappingInt                       // Bits is an int64
	MappingDouble                    // Bits are those of a finite float64
	MappingText                      // Text
	MappingTime                      // Bits is an int64 of microseconds since 1970, UTC
	MappingJSON                      // Text is a JSON object or array
)

// MappingValue is the result of an expression, small enough to be kept by the million.
type MappingValue struct {
	Kind MappingKind
	Bits uint64
	Text string
}

// Eval computes the expression over one row and, if it reads them, the gathered items. An error is an Invalid
// *fault.Error that says what in the data is at odds with the expression.
func (e *MappingExpr) Eval(scope *MappingScope) (MappingValue, error) {
	switch e.fold {
	case foldConstant:
		return e.constant, nil
	case foldColumn:
		return MappingValue{Kind: MappingText, Text: scope.Row.Cells[e.column]}, nil
	case foldInt:
		cell := scope.Row.Cells[e.column]
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			return MappingValue{}, fault.New(fault.Invalid, "%s is not a whole number", mappingQuote(cell))
		}
		return MappingValue{Kind: MappingInt, Bits: uint64(n)}, nil
	case foldDouble:
		cell := scope.Row.Cells[e.column]
		f, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return MappingValue{}, fault.New(fault.Invalid, "%s is not a number", mappingQuote(cell))
		}
		return MappingValue{Kind: MappingDouble, Bits: math.Float64bits(f)}, nil
	}
	result, _, err := e.program.Eval(scope)
	if err != nil {
		return MappingValue{}, fault.New(fault.Invalid, "%s", err.Error())
	}
	return mappingValueOf(result)
}

// MappingScope is what an expression sees. It is not safe for concurrent use; each goroutine has its own.
type MappingScope struct {
	Row   *MappingRow
	items ref.Val
}

// SetItems makes the items of one event visible; they must not change until the next call.
func (s *MappingScope) SetItems(items []MappingItem) {
	values := make([]ref.Val, len(items))
	for i := range items {
		values[i] = &items[i]
	}
	s.items = types.NewRefValList(types.DefaultTypeAdapter, values)
}

// ResolveName implements cel.Activation.
func (s *MappingScope) ResolveName(name string) (any, bool) {
	switch name {
	case rowName:
		return s.Row, s.Row != nil
	case itemsName:
		return s.items, s.items != nil
	}
	return nil, false
}

// Parent implements cel.Activation.
func (s *MappingScope) Parent() cel.Activation { return nil }

// mappingQuote shortens what a message repeats of the data.
func mappingQuote(text string) string {
	const shown = 60
	if len(text) > shown {
		return strconv.Quote(text[:shown]) + "…"
	}
	return strconv.Quote(text)
}

func mappingValueOf(value ref.Val) (MappingValue, error) {
	switch v := value.(type) {
	case types.Null:
		return MappingValue{}, nil
	case types.String:
		return MappingValue{Kind: MappingText, Text: string(v)}, nil
	case types.Int:
		return MappingValue{Kind: MappingInt, Bits: uint64(v)}, nil
	case types.Uint:
		if uint64(v) > math.MaxInt64 {
			return MappingValue{}, fault.New(fault.Invalid, "%d is over the range of whole numbers", uint64(v))
		}
		return MappingValue{Kind: MappingInt, Bits: uint64(v)}, nil
	case types.Double:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return MappingValue{}, fault.New(fault.Invalid, "the result is not a finite number")
		}
		return MappingValue{Kind: MappingDouble, Bits: math.Float64bits(float64(v))}, nil
	case types.Bool:
		var bit uint64
		if v {
			bit = 1
		}
		return MappingValue{Kind: MappingBool, Bits: bit}, nil
	case types.Timestamp:
		return MappingValue{Kind: MappingTime, Bits: uint64(v.Time.UnixMicro())}, nil
	case *types.Optional:
		if !v.HasValue() {
			return MappingValue{}, nil
		}
		return mappingValueOf(v.GetValue())
	case traits.Mapper, traits.Lister:
		plain, err := mappingPlain(value, 0)
		if err != nil {
			return MappingValue{}, err
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(plain); err != nil {
			return MappingValue{}, fault.New(fault.Invalid, "the result has no JSON form: %v", err)
		}
		return MappingValue{Kind: MappingJSON, Text: string(bytes.TrimSpace(text.Bytes()))}, nil
	}
	return MappingValue{}, fault.New(fault.Invalid, "a %s cannot stand in an event: make it text, a number, a time, a list or an object",
		value.Type().TypeName())
}

const maxMappingDepth = 32 // of nested lists and objects

// mappingPlain turns a list or map into what encoding/json understands. Members that are null are left out of objects.
func mappingPlain(value ref.Val, depth int) (any, error) {
	if depth > maxMappingDepth {
		return nil, fault.New(fault.Invalid, "the result is nested more than %d levels deep", maxMappingDepth)
	}
	switch v := value.(type) {
	case traits.Mapper:
		object := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			member := v.Get(key)
			if member == types.NullValue {
				continue
			}
			plain, err := mappingPlain(member, depth+1)
			if err != nil {
				return nil, err
			}
			object[fmt.Sprint(key.Value())] = plain
		}
		return object, nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			plain, err := mappingPlain(it.Next(), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, plain)
		}
		return list, nil
	}
	scalar, err := mappingValueOf(value)
	if err != nil {
		return nil, err
	}
	if scalar.Kind == MappingJSON {
		return json.RawMessage(scalar.Text), nil
	}
	return json.RawMessage(scalar.AppendJSON(nil)), nil
}

// native is the value as CEL reads it.
func (v MappingValue) native() (any, error) {
	switch v.Kind {
	case MappingBool:
		return v.Bits != 0, nil
	case MappingInt:
		return int64(v.Bits), nil
	case MappingDouble:
		return math.Float64frombits(v.Bits), nil
	case MappingText:
		return v.Text, nil
	case MappingTime:
		return v.Time(), nil
	case MappingJSON:
		var plain any
		if err := json.Unmarshal([]byte(v.Text), &plain); err != nil {
			return nil, err
		}
		return plain, nil
	}
	return types.NullValue, nil
}

// Time is the instant of a MappingTime.
func (v MappingValue) Time() time.Time { return time.UnixMicro(int64(v.Bits)).UTC() }

// AppendJSON writes the value as JSON: times as RFC 3339 in UTC, null for MappingNull.
func (v MappingValue) AppendJSON(to []byte) []byte {
	switch v.Kind {
	case MappingBool:
		return strconv.AppendBool(to, v.Bits != 0)
	case MappingInt:
		return strconv.AppendInt(to, int64(v.Bits), 10)
	case MappingDouble:
		return appendMappingDouble(to, math.Float64frombits(v.Bits))
	case MappingText:
		return AppendJSONText(to, v.Text)
	case MappingTime:
		to = append(to, '"')
		to = v.Time().AppendFormat(to, time.RFC3339Nano)
		return append(to, '"')
	case MappingJSON:
		return append(to, v.Text...)
	}
	return append(to, "null"...)
}

// appendMappingDouble writes the shortest decimal that reads back the same, in the form of ECMAScript.
func appendMappingDouble(to []byte, f float64) []byte {
	if magnitude := math.Abs(f); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		return strconv.AppendFloat(to, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(to, f, 'f', -1, 64)
}

// AppendJSONText writes text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendJSONText(to []byte, text string) []byte {
	const hex = "0123456789abcdef"
	to = append(to, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				to = append(to, text[start:i]...)
				to = append(to, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		to = append(to, text[start:i]...)
		switch c {
		case '"', '\\':
			to = append(to, '\\', c)
		case '\n':
			to = append(to, '\\', 'n')
		case '\r':
			to = append(to, '\\', 'r')
		case '\t':
			to = append(to, '\\', 't')
		default:
			to = append(to, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	to = append(to, text[start:]...)
	return append(to, '"')
}
