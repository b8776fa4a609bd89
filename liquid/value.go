package liquid

import (
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// Value is a Liquid value: nil, a bool, an integer, a float, a string, a list, a hash, a range, a time or an object.
// It is a small tagged union that is passed by value; making one from a string or number does not allocate. The zero
// Value is nil.
type Value struct {
	kind  valueKind
	flags valueFlags
	n     int64 // bool, int, float bits, length of a string, index of a loop, shape of a Go struct or slice
	ref   any   // what is not a number; a stringPtr for strings
}

type valueKind uint8

const (
	kindNil valueKind = iota
	kindBool
	kindInt
	kindFloat
	kindBig // *big.Int, only outside int64
	kindString
	kindList
	kindHash
	kindRange // *span
	kindTime  // time.Time, or a pointer to one
	kindDrop  // Drop
	kindOther // any other Go value; printed by fmt
	kindEmpty // the literals empty and blank
	kindBlank
	kindLoop // forloop and tablerowloop; n is the index of the loop in state
)

type valueFlags uint8

const (
	// flagEscaped marks text whose HTML special characters are already entities.
	flagEscaped valueFlags = 1 << iota
	// flagRaw marks text that the template author vouches for: it is written as it is.
	flagRaw
	// flagURL marks text that is already percent-encoded.
	flagURL
	// flagScratch marks text that lies in the scratch buffer of a rendering and must not outlive it.
	flagScratch
)

// stringPtr points to the bytes of a string, so that a Value can hold one without boxing its header.
type stringPtr *byte

// span is a range of integers, both ends included. It is never materialised.
type span struct{ first, last int64 }

func (s *span) len() int64 {
	if s.last < s.first {
		return 0
	}
	if n := s.last - s.first + 1; n > 0 {
		return n
	}
	return math.MaxInt64
}

// list is a list made while rendering.
type list struct{ items []Value }

func isScratch(v Value) bool { return v.flags&flagScratch != 0 }

// detached returns v, which holds the list, with texts of its own.
func (l *list) detached(v Value) Value {
	if !slices.ContainsFunc(l.items, isScratch) {
		return v
	}
	items := make([]Value, len(l.items))
	for i := range items {
		items[i] = l.items[i].detached()
	}
	return listOf(items)
}

// Nil is the nil value.
var Nil Value

// Bool returns a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: kindBool, n: 1}
	}
	return Value{kind: kindBool}
}

// Int returns an integer value.
func Int(i int64) Value { return Value{kind: kindInt, n: i} }

// Float returns a floating-point value.
func Float(f float64) Value { return Value{kind: kindFloat, n: int64(math.Float64bits(f))} }

// String returns a string value.
func String(s string) Value {
	return Value{kind: kindString, n: int64(len(s)), ref: stringPtr(unsafe.StringData(s))} //nolint:gosec // pointer and length stay together in the Value
}

// HTML returns a string value that auto-escape writes as it is. The caller vouches for it.
func HTML(s string) Value {
	v := String(s)
	v.flags = flagRaw
	return v
}

// List returns a list value of the given items.
func List(items ...Value) Value { return listOf(items) }

// Time returns a time value. The date filter shows it in the engine's location.
func Time(t time.Time) Value { return Value{kind: kindTime, ref: t} }

func listOf(items []Value) Value { return Value{kind: kindList, ref: &list{items}} }

func bigInt(b *big.Int) Value {
	if b.IsInt64() {
		return Int(b.Int64())
	}
	return Value{kind: kindBig, ref: b}
}

func (v Value) str() string {
	if v.n == 0 {
		return ""
	}
	return unsafe.String((*byte)(v.ref.(stringPtr)), v.n) //nolint:gosec // pointer and length stay together in the Value
}

func (v Value) time() time.Time {
	if t, ok := v.ref.(*time.Time); ok {
		return *t
	}
	return v.ref.(time.Time)
}

func (v Value) float() float64 { return math.Float64frombits(uint64(v.n)) }

func (v Value) isEscaped() bool { return v.flags&(flagEscaped|flagRaw) != 0 }

// IsNil reports whether the value is nil.
func (v Value) IsNil() bool { return v.kind == kindNil }

// IsString reports whether the value is a string.
func (v Value) IsString() bool { return v.kind == kindString }

// IsList reports whether the value is a list or a range.
func (v Value) IsList() bool { return v.kind == kindList || v.kind == kindRange }

// Truthy reports whether the value counts as true in a condition: all but nil and false do.
func (v Value) Truthy() bool { return v.kind != kindNil && (v.kind != kindBool || v.n != 0) }

// Int returns the value as an integer: a whole number, or a string that is one.
func (v Value) Int() (int64, bool) {
	switch v.kind {
	case kindInt:
		return v.n, true
	case kindString:
		return parseInteger(v.str())
	}
	return 0, false
}

// Float returns the value as a number; strings count if they begin with one, as everywhere in Liquid.
func (v Value) Float() float64 { return toNumber(v).float() }

// Len returns the number of items of a list, range or hash, and of characters of a string.
func (v Value) Len() int { return int(sizeOf(v)) }

// detached returns the value with its text copied out of the rendering's scratch buffer, safe to keep.
func (v Value) detached() Value {
	switch l := v.ref.(type) {
	case *pieces:
		return Value{kind: kindList, ref: l.detached()}
	case *list:
		return l.detached(v)
	}
	if v.flags&flagScratch == 0 {
		return v
	}
	d := String(string([]byte(v.str())))
	d.flags = v.flags &^ flagScratch
	return d
}

// Interface returns the value as a plain Go value: nil, bool, int64, float64, string, *big.Int, []any, time.Time, or
// what the application put in; of a struct, a pointer to it.
func (v Value) Interface() any {
	switch v.kind {
	case kindNil, kindEmpty, kindBlank, kindLoop:
		return nil
	case kindBool:
		return v.n != 0
	case kindInt:
		return v.n
	case kindFloat:
		return v.float()
	case kindString:
		return v.detached().str()
	case kindTime:
		return v.time()
	case kindHash:
		if at, ok := v.ref.(recordPtr); ok {
			return pointerTo(shapeOfRecord(v).goType, at).Interface()
		}
		if typed, ok := v.ref.(reflect.Value); ok {
			return typed.Interface()
		}
	case kindList:
		if list, ok := v.ref.([]any); ok {
			return list
		}
		out := make([]any, listLen(v))
		for i := range out {
			out[i] = listAt(v, i).Interface()
		}
		return out
	case kindRange:
		s := v.ref.(*span)
		return [2]int64{s.first, s.last}
	}
	return v.ref
}
