package connect

import (
	"encoding/binary"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// What waits to be gathered is kept in a compact form that serves memory and disk alike: an item is its values one
// after the other, a head is the columns of an event's first row.

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// cutText reads what appendText wrote and returns the rest; both share text's memory.
func cutText(from string) (text, rest string) {
	size, n := uvarint(from)
	return from[n : n+int(size)], from[n+int(size):]
}

func uvarint(from string) (value uint64, n int) {
	for shift := uint(0); ; shift += 7 {
		b := from[n]
		n++
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value, n
		}
	}
}

func appendValue(to []byte, v expr.MappingValue) []byte {
	to = append(to, byte(v.Kind))
	switch v.Kind {
	case expr.MappingNull:
		return to
	case expr.MappingText, expr.MappingJSON:
		return appendText(to, v.Text)
	case expr.MappingInt, expr.MappingTime:
		return binary.AppendUvarint(to, v.Bits<<1^uint64(int64(v.Bits)>>63)) // zigzag
	}
	return binary.BigEndian.AppendUint64(to, v.Bits)
}

func cutValue(from string) (v expr.MappingValue, rest string) {
	v.Kind, rest = expr.MappingKind(from[0]), from[1:]
	switch v.Kind {
	case expr.MappingNull:
		return v, rest
	case expr.MappingText, expr.MappingJSON:
		v.Text, rest = cutText(rest)
		return v, rest
	case expr.MappingInt, expr.MappingTime:
		bits, n := uvarint(rest)
		v.Bits = bits>>1 ^ -(bits & 1)
		return v, rest[n:]
	}
	for i := range 8 {
		v.Bits = v.Bits<<8 | uint64(rest[i])
	}
	return v, rest[8:]
}

// appendHead keeps what the fields of an event read of its first row.
func (p *plan) appendHead(to []byte, row string, cells []string) []byte {
	if p.columns == 0 {
		return append(to, row...)
	}
	for _, column := range p.head {
		to = appendText(to, cells[column])
	}
	return to
}

// setHead makes row the row that appendHead kept. The columns that no field reads are empty.
func (p *plan) setHead(row *expr.MappingRow, head string) error {
	if p.columns == 0 {
		return decodeObject(head, row)
	}
	if row.Cells == nil {
		row.Cells = make([]string, p.columns)
	}
	for _, column := range p.head {
		row.Cells[column], head = cutText(head)
	}
	return nil
}
