package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

// The formats of values on the wire.
const (
	textFormat   = 0
	binaryFormat = 1
)

var allBinary = []int16{binaryFormat}

// encoded is an argument in its binary form.
type encoded []byte

// formatOf is the format in which a column is asked for: binary where decodeColumn reads that.
func formatOf(oid uint32) int16 {
	if oid == pgtype.NumericOID {
		return textFormat
	}
	return binaryFormat
}

// typeName is how SQL calls a type.
func typeName(oid uint32) string {
	if t, ok := types.TypeForOID(oid); ok {
		return t.Name
	}
	return "text"
}

var types = pgtype.NewMap()

// decodeColumn reads a value of an answer. Texts and bytes are valid as long as data is.
func decodeColumn(oid uint32, data []byte) (any, error) {
	if data == nil {
		return nil, nil
	}
	switch oid {
	case pgtype.Int8OID:
		return int64(binary.BigEndian.Uint64(data)), nil
	case pgtype.Int4OID, pgtype.OIDOID:
		return int64(int32(binary.BigEndian.Uint32(data))), nil
	case pgtype.Int2OID:
		return int64(int16(binary.BigEndian.Uint16(data))), nil
	case pgtype.BoolOID:
		return data[0] != 0, nil
	case pgtype.Float8OID:
		return math.Float64frombits(binary.BigEndian.Uint64(data)), nil
	case pgtype.Float4OID:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(data))), nil
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.ByteaOID, pgtype.JSONOID, pgtype.UUIDOID, pgtype.NameOID, pgtype.UnknownOID:
		return borrowed(data), nil
	case pgtype.JSONBOID:
		return borrowed(data[1:]), nil // behind the number of the format
	case pgtype.NumericOID: // a sum of integers
		if n, err := strconv.ParseInt(string(data), 10, 64); err == nil {
			return n, nil
		}
		return strconv.ParseFloat(string(data), 64)
	}
	return nil, fmt.Errorf("store: a column of PostgreSQL's type %s cannot be read", typeName(oid))
}

// encodeArguments writes the arguments of a statement.
func encodeArguments(types []uint32, args []any) ([][]byte, error) {
	if len(types) != len(args) {
		return nil, fmt.Errorf("%d arguments instead of %d", len(args), len(types))
	}
	values := make([][]byte, len(args))
	for i, arg := range args {
		value, err := encodeArgument(types[i], arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		values[i] = value
	}
	return values, nil
}

func encodeArgument(oid uint32, arg any) ([]byte, error) {
	switch arg := arg.(type) {
	case nil:
		return nil, nil
	case encoded:
		return arg, nil
	case []string:
		return encodeArray(pgtype.TextOID, arg)
	case []int64:
		return encodeArray(pgtype.Int8OID, arg)
	case [][idSize]byte:
		return encodeArray(pgtype.UUIDOID, arg)
	}
	return appendValue([]byte{}, oid, arg)
}

// encodeColumns writes many rows of arguments as one array for each column.
func encodeColumns(types []uint32, rows [][]any) ([][]byte, error) {
	columns := make([][]byte, len(types))
	for i, oid := range types {
		buf := arrayHead(oid, len(rows))
		for n, row := range rows {
			if len(row) != len(types) {
				return nil, fmt.Errorf("%d arguments instead of %d", len(row), len(types))
			}
			var err error
			if buf, err = appendItem(buf, oid, row[i]); err != nil {
				return nil, fmt.Errorf("argument %d of row %d: %w", i+1, n+1, err)
			}
		}
		columns[i] = buf
	}
	return columns, nil
}

func encodeArray[V any](oid uint32, items []V) (buf []byte, err error) {
	buf = arrayHead(oid, len(items))
	for _, item := range items {
		if buf, err = appendItem(buf, oid, item); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// arrayHead begins an array of one dimension.
func arrayHead(oid uint32, n int) []byte {
	if n == 0 {
		buf := binary.BigEndian.AppendUint32(make([]byte, 0, 12), 0)
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(buf, 0), oid)
	}
	buf := binary.BigEndian.AppendUint32(make([]byte, 0, 20+16*n), 1)
	buf = binary.BigEndian.AppendUint32(buf, 1) // some may be NULL
	buf = binary.BigEndian.AppendUint32(buf, oid)
	buf = binary.BigEndian.AppendUint32(buf, uint32(n))
	return binary.BigEndian.AppendUint32(buf, 1)
}

// appendItem writes an item of an array behind its length.
func appendItem(buf []byte, oid uint32, item any) ([]byte, error) {
	at := len(buf)
	buf = append(buf, 0, 0, 0, 0)
	if item == nil {
		binary.BigEndian.PutUint32(buf[at:], math.MaxUint32)
		return buf, nil
	}
	buf, err := appendValue(buf, oid, item)
	if err == nil {
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	}
	return buf, err
}

// appendValue writes a value as PostgreSQL's type. Numbers and truth values stand for one another, as they do in SQLite.
func appendValue(buf []byte, oid uint32, value any) ([]byte, error) {
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID, pgtype.BoolOID:
		n, ok := integer(value)
		switch {
		case !ok:
		case oid == pgtype.Int8OID:
			return binary.BigEndian.AppendUint64(buf, uint64(n)), nil
		case oid == pgtype.Int4OID && n == int64(int32(n)):
			return binary.BigEndian.AppendUint32(buf, uint32(n)), nil
		case oid == pgtype.Int2OID && n == int64(int16(n)):
			return binary.BigEndian.AppendUint16(buf, uint16(n)), nil
		case oid == pgtype.BoolOID && n != 0:
			return append(buf, 1), nil
		case oid == pgtype.BoolOID:
			return append(buf, 0), nil
		}
	case pgtype.Float8OID:
		switch v := value.(type) {
		case float64:
			return binary.BigEndian.AppendUint64(buf, math.Float64bits(v)), nil
		default:
			if n, ok := integer(value); ok {
				return binary.BigEndian.AppendUint64(buf, math.Float64bits(float64(n))), nil
			}
		}
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.UnknownOID:
		if s, ok := textual(value); ok {
			return append(buf, storable(s)...), nil
		}
	case pgtype.JSONBOID:
		if s, ok := textual(value); ok {
			return append(append(buf, 1), storableJSON(s)...), nil
		}
	case pgtype.ByteaOID:
		if s, ok := textual(value); ok {
			return append(buf, s...), nil
		}
	case pgtype.UUIDOID:
		switch v := value.(type) {
		case [idSize]byte:
			return append(buf, v[:]...), nil
		case []byte:
			if len(v) == idSize {
				return append(buf, v...), nil
			}
		}
	}
	return nil, fmt.Errorf("a %T is no %s", value, typeName(oid))
}

func integer(value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func textual(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

const replacement = "\uFFFD"

// storable is a text without what PostgreSQL cannot keep in one: NUL, and what is not UTF-8.
func storable(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", replacement)
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, replacement)
	}
	return s
}

// storableJSON is JSON without what jsonb cannot keep: the escape of NUL.
func storableJSON(s string) string {
	s = storable(s)
	if !strings.Contains(s, `\u0000`) {
		return s
	}
	var out bytes.Buffer
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			out.WriteByte(s[i])
		case strings.HasPrefix(s[i:], `\u0000`):
			out.WriteString(replacement)
			i += len(`\u0000`) - 1
		default: // an escape of another kind, of which only the first two bytes matter
			out.WriteString(s[i : i+2])
			i++
		}
	}
	return out.String()
}
