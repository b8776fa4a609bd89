// Package wire is the compact stored form of values: what is written often and read by nobody but us. Numbers are varints,
// texts and lists carry their length, and plain JSON values their kind.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"
)

// The kinds of a stored value. Append only.
const (
	kindNil = iota
	kindFalse
	kindTrue
	kindNumber
	kindText
	kindTime
	kindJSON
	kindWhole // a number without a fraction
)

// ErrDamaged says that stored bytes are not what was written.
var ErrDamaged = errors.New("wire: what is stored is damaged")

// AppendText adds a text with its length.
func AppendText(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// AppendBytes adds bytes with their length.
func AppendBytes(buf, b []byte) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(b))), b...)
}

// AppendMade adds the bytes that something appends, with their length, and tells it.
func AppendMade(buf []byte, made func(buf []byte) []byte) (more []byte, size int) {
	begin := len(buf) + 1 // most lengths take one byte
	buf = made(append(buf, 0))
	if size = len(buf) - begin; size < 0x80 {
		buf[begin-1] = byte(size)
		return buf, size
	}
	return AppendBytes(buf[:begin-1], slices.Clone(buf[begin:])), size
}

// AppendFixed adds eight bytes.
func AppendFixed(buf []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(buf, v) }

// AppendValue adds a plain JSON value (nil, bool, float64, string, []any, map[string]any) or a time.
func AppendValue(buf []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(buf, kindNil)
	case bool:
		if v {
			return append(buf, kindTrue)
		}
		return append(buf, kindFalse)
	case float64:
		if whole := int64(v); float64(whole) == v && whole > -1<<52 && whole < 1<<52 && (whole != 0 || !math.Signbit(v)) {
			return binary.AppendVarint(append(buf, kindWhole), whole)
		}
		return AppendFixed(append(buf, kindNumber), math.Float64bits(v))
	case string:
		return AppendText(append(buf, kindText), v)
	case time.Time:
		return binary.AppendVarint(append(buf, kindTime), v.UnixMicro())
	default:
		text, _ := json.Marshal(v) // plain JSON values always marshal
		return AppendBytes(append(buf, kindJSON), text)
	}
}

// Decoder reads a stored form from its beginning. After the first damage it gives zeros; Err tells at the end.
type Decoder struct {
	data []byte
	bad  bool
}

// NewDecoder begins to read. Texts and bytes that it gives may share data.
func NewDecoder(data []byte) *Decoder { return &Decoder{data: data} }

// Err is ErrDamaged where something could not be read, or something was left.
func (d *Decoder) Err() error {
	if d.bad || len(d.data) > 0 {
		return ErrDamaged
	}
	return nil
}

// Fail notes damage that only the reader can see.
func (d *Decoder) Fail() { d.bad, d.data = true, nil }

// Failed reports whether there has been any damage.
func (d *Decoder) Failed() bool { return d.bad }

// Left is how many bytes are left.
func (d *Decoder) Left() int { return len(d.data) }

// More reports whether something is left.
func (d *Decoder) More() bool { return !d.bad && len(d.data) > 0 }

// take gives the next n bytes.
func (d *Decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.data) {
		d.bad, d.data = true, nil
		return nil
	}
	taken := d.data[:n:n]
	d.data = d.data[n:]
	return taken
}

// Span gives all that read reads; it shares the data.
func (d *Decoder) Span(read func()) []byte {
	before := d.data
	if read(); d.bad {
		return nil
	}
	n := len(before) - len(d.data)
	return before[:n:n]
}

// Varint reads a signed number.
func (d *Decoder) Varint() int64 {
	v, n := binary.Varint(d.data)
	if n <= 0 || d.take(n) == nil {
		d.bad = true
		return 0
	}
	return v
}

// Uvarint reads an unsigned number.
func (d *Decoder) Uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 || d.take(n) == nil {
		d.bad = true
		return 0
	}
	return v
}

// Length reads the length of a list, which cannot exceed the bytes that are left.
func (d *Decoder) Length() int {
	v := d.Uvarint()
	if v > uint64(len(d.data)) {
		d.bad = true
	}
	if d.bad {
		return 0
	}
	return int(v)
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	b := d.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// Fixed reads eight bytes.
func (d *Decoder) Fixed() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// Bytes reads what AppendBytes wrote; it shares the data.
func (d *Decoder) Bytes() []byte { return d.take(d.Length()) }

// Text reads what AppendText wrote.
func (d *Decoder) Text() string { return string(d.Bytes()) }

// Pass reads what AppendValue wrote without making anything of it.
func (d *Decoder) Pass() {
	switch d.Byte() {
	case kindNil, kindFalse, kindTrue:
	case kindNumber:
		d.Fixed()
	case kindWhole, kindTime:
		d.Varint()
	case kindText, kindJSON:
		d.Bytes()
	default:
		d.Fail()
	}
}

// Skip gives what stands behind a value that Pass has read.
func Skip(data []byte) (rest []byte) {
	switch kind, data := data[0], data[1:]; kind {
	case kindNumber:
		return data[8:]
	case kindWhole, kindTime:
		_, n := binary.Varint(data)
		return data[n:]
	case kindText, kindJSON:
		size, n := binary.Uvarint(data)
		return data[n+int(size):]
	default:
		return data
	}
}

// IsNil reports whether a stored value is nil.
func IsNil(data []byte) bool { return data[0] == kindNil }

// Value reads what AppendValue wrote.
func (d *Decoder) Value() any {
	switch d.Byte() {
	case kindNil:
	case kindFalse:
		return false
	case kindTrue:
		return true
	case kindNumber:
		return math.Float64frombits(d.Fixed())
	case kindWhole:
		return float64(d.Varint())
	case kindText:
		return d.Text()
	case kindTime:
		return time.UnixMicro(d.Varint()).UTC()
	case kindJSON:
		var v any
		if json.Unmarshal(d.Bytes(), &v) != nil {
			d.bad = true
		}
		return v
	default:
		d.bad = true
	}
	return nil
}
