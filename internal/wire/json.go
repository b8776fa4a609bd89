package wire

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
)

// AppendJSON adds a plain JSON value, or a time, as JSON. It writes by itself what most values are.
func AppendJSON(buf []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return AppendJSONText(buf, v), nil
	case bool:
		return strconv.AppendBool(buf, v), nil
	case float64:
		if whole := int64(v); float64(whole) == v && whole > -1<<52 && whole < 1<<52 {
			return strconv.AppendInt(buf, whole, 10), nil
		}
	}
	text, err := json.Marshal(v)
	return append(buf, text...), err
}

// AppendJSONText adds a text as JSON.
func AppendJSONText[T string | []byte](buf []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			text, _ := json.Marshal(string(s)) // a text always marshals
			return append(buf, text...)
		}
	}
	return append(append(append(buf, '"'), s...), '"')
}

// AppendStoredJSON adds as JSON what AppendValue stored, which Pass has read.
func AppendStoredJSON(buf, stored []byte) ([]byte, error) {
	switch kind, data := stored[0], stored[1:]; kind {
	case kindWhole:
		whole, _ := binary.Varint(data)
		return strconv.AppendInt(buf, whole, 10), nil
	case kindText, kindJSON:
		size, n := binary.Uvarint(data)
		if data = data[n : n+int(size)]; kind == kindJSON {
			return append(buf, data...), nil
		}
		return AppendJSONText(buf, data), nil
	default:
		return AppendJSON(buf, NewDecoder(stored).Value())
	}
}
