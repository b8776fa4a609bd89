package liquid

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxTextDepth bounds how deep lists within lists are compared and written; what lies deeper is left out.
const maxTextDepth = 1000

// String returns the text that a template would write for the value, without escaping. It ends after the default limit
// of working memory.
func (v Value) String() string {
	if v.kind == kindString {
		return v.detached().str()
	}
	return string(appendText(nil, v))
}

// appendText appends what the value is written as.
func appendText(dst []byte, v Value) []byte { return (*state)(nil).appendText(dst, v) }

// appendText appends what the value is written as, within the limits of the rendering.
func (st *state) appendText(dst []byte, v Value) []byte {
	if v.kind != kindList && v.kind != kindHash {
		return appendPlain(dst, v)
	}
	w := textWriter{dst: dst, start: len(dst), st: st}
	w.text(v)
	return w.dst
}

// appendInspect is appendText as a hash or nested list shows the value: lists in brackets, strings in quotes, nil as
// "nil".
func (st *state) appendInspect(dst []byte, v Value) []byte {
	w := textWriter{dst: dst, start: len(dst), st: st}
	w.inspect(v)
	return w.dst
}

// appendPlain is appendText of what is no list or hash.
func appendPlain(dst []byte, v Value) []byte {
	switch v.kind {
	case kindString:
		return append(dst, v.str()...)
	case kindInt:
		return strconv.AppendInt(dst, v.n, 10)
	case kindFloat:
		return appendFloat(dst, v.float())
	case kindBool:
		return strconv.AppendBool(dst, v.n != 0)
	case kindBig:
		return bigOf(v).Append(dst, 10)
	case kindRange:
		s := v.ref.(*span)
		dst = strconv.AppendInt(dst, s.first, 10)
		dst = append(dst, ".."...)
		return strconv.AppendInt(dst, s.last, 10)
	case kindTime:
		return appendTime(dst, v.time())
	case kindDrop, kindOther:
		return appendOther(dst, v.ref)
	case kindLoop:
		return append(dst, "Liquid::ForloopDrop"...)
	}
	return dst
}

func bigOf(v Value) *big.Int { return v.ref.(*big.Int) }

func appendTime(dst []byte, t time.Time) []byte {
	if t.Location() == time.UTC {
		return t.AppendFormat(dst, "2006-01-02 15:04:05 UTC")
	}
	return t.AppendFormat(dst, "2006-01-02 15:04:05 -0700")
}

func appendOther(dst []byte, x any) []byte {
	switch x := x.(type) {
	case fmt.Stringer:
		return append(dst, x.String()...)
	case *Lazy, Drop:
		return dst
	}
	if !isFlat(reflect.TypeOf(x)) {
		return dst
	}
	return fmt.Append(dst, x)
}

// isFlat reports whether fmt can write values of a type: they have a text, and cannot contain themselves.
func isFlat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Slice, reflect.Interface, reflect.Pointer, reflect.Struct:
		return false
	case reflect.Map:
		return isFlat(t.Key()) && isFlat(t.Elem())
	case reflect.Array:
		return isFlat(t.Elem())
	}
	return true
}

// appendQuoted quotes a string as Ruby's String#inspect does.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '#' && i+1 < len(s) && strings.IndexByte("{$@", s[i+1]) >= 0:
			dst = append(dst, '\\', '#')
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, "\\x%02X", s[i])
		case r < ' ' || r == 0x7f:
			dst = appendControl(dst, byte(r))
		case !unicode.IsGraphic(r) && !unicode.In(r, unicode.Cf, unicode.Co):
			dst = fmt.Appendf(dst, "\\u%04X", r)
		default:
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return append(dst, '"')
}

func appendControl(dst []byte, c byte) []byte {
	const named = "abtnvfr"
	switch {
	case c >= 7 && c <= 13:
		return append(dst, '\\', named[c-7])
	case c == 27:
		return append(dst, '\\', 'e')
	}
	return fmt.Appendf(dst, "\\x%02X", c)
}

// appendFloat writes a float as Ruby's Float#to_s does: at least one decimal, an exponent below 1e-4, from 1e16 up, and
// for whole numbers from 1e15 up.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	start := len(dst)
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16 || a >= 1e15 && a == math.Trunc(a)) {
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		for i := start; i < len(dst); i++ {
			if dst[i] == '.' {
				return dst
			}
			if dst[i] == 'e' {
				dst = append(dst, "  "...)
				copy(dst[i+2:], dst[i:])
				dst[i], dst[i+1] = '.', '0'
				return dst
			}
		}
		return dst
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}
