package liquid

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Get returns the property or key of a hash or Drop, and whether there is one.
func (v Value) Get(key string) (Value, bool) {
	switch v.kind {
	case kindHash:
		// The usual ones first, without a search for the type.
		if h, ok := v.ref.(map[string]any); ok {
			x, ok := h[key]
			return ValueOf(x), ok
		}
		if at, ok := v.ref.(recordPtr); ok {
			return recordGet(v, at, key)
		}
		switch h := v.ref.(type) {
		case *Map:
			x, ok := h.values[key]
			return ValueOf(x), ok
		case reflect.Value:
			return typedMapGet(h, key)
		}
	case kindDrop:
		if v.ref == nil {
			return Nil, false
		}
		x, ok := v.ref.(Drop).Get(key)
		return ValueOf(x), ok
	}
	return Nil, false
}

// typedMapGet returns what is under a key of a map that is no map[string]any.
func typedMapGet(h reflect.Value, key string) (Value, bool) {
	item := h.MapIndex(reflect.ValueOf(key).Convert(h.Type().Key()))
	if !item.IsValid() {
		return Nil, false
	}
	return ValueOf(item.Interface()), true
}

// keysOf returns the keys of a hash in their order: the one of a Map and of a struct's fields, else sorted.
func keysOf(v Value) []string {
	switch h := v.ref.(type) {
	case map[string]any:
		keys := make([]string, 0, len(h))
		for k := range h {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return keys
	case *Map:
		return h.keys
	case recordPtr:
		return recordKeys(v)
	case reflect.Value:
		keys := make([]string, 0, h.Len())
		for _, k := range h.MapKeys() {
			keys = append(keys, k.String())
		}
		slices.Sort(keys)
		return keys
	}
	return nil
}

func hashLen(v Value) int {
	switch h := v.ref.(type) {
	case map[string]any:
		return len(h)
	case *Map:
		return len(h.keys)
	case recordPtr:
		return len(shapeOfRecord(v).fields)
	case reflect.Value:
		return h.Len()
	}
	return 0
}

func pairOf(v Value, key string) Value {
	item, _ := v.Get(key)
	return listOf([]Value{String(key), item})
}

// listLen returns the number of items of a list or range.
func listLen(v Value) int {
	switch l := v.ref.(type) {
	case []any:
		return len(l)
	case *list:
		return len(l.items)
	case []string:
		return len(l)
	case *pieces:
		return l.count
	case []map[string]any:
		return len(l)
	case recordPtr:
		return sliceLen(v)
	case *span:
		return int(l.len())
	}
	return 0
}

// listAt returns item i of a list or range; i must be in it.
func listAt(v Value, i int) Value {
	switch l := v.ref.(type) {
	case []any:
		return ValueOf(l[i])
	case *list:
		return l.items[i]
	case []string:
		return String(l[i])
	case *pieces:
		return l.item(i)
	case []map[string]any:
		return Value{kind: kindHash, ref: l[i]}
	case recordPtr:
		return sliceAt(v, i)
	case *span:
		return Int(l.first + int64(i))
	}
	return Nil
}

// At returns item i of a list or range, counted from the end if negative, and nil outside it.
func (v Value) At(i int) Value {
	if !v.IsList() {
		return Nil
	}
	n := listLen(v)
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return Nil
	}
	return listAt(v, i)
}

// sizeOf is the `size` of a value as the reference has it: 8 for integers, 0 for what has no size.
func sizeOf(v Value) int64 {
	switch v.kind {
	case kindString:
		return int64(utf8.RuneCountInString(v.str()))
	case kindList, kindRange:
		return int64(listLen(v))
	case kindHash:
		return int64(hashLen(v))
	case kindInt:
		return 8
	case kindBig:
		return int64((bigOf(v).BitLen() + 63) / 64 * 8)
	}
	return 0
}

func hasSize(v Value) bool {
	switch v.kind {
	case kindString, kindList, kindRange, kindHash, kindInt, kindBig:
		return true
	}
	return false
}

func firstOf(v Value) Value {
	switch v.kind {
	case kindList:
		return v.At(0)
	case kindRange:
		return Int(v.ref.(*span).first) // even if it is empty
	case kindHash:
		if keys := keysOf(v); len(keys) > 0 {
			return pairOf(v, keys[0])
		}
	}
	return Nil
}

func lastOf(v Value) Value {
	if v.kind == kindRange {
		return Int(v.ref.(*span).last) // even if it is empty
	}
	return v.At(-1)
}

// index returns v[key] as bracket notation has it: hash keys by text, list items by integer.
func index(v, key Value) (Value, bool) {
	switch v.kind {
	case kindHash, kindDrop:
		if key.kind == kindString {
			return v.Get(key.detached().str())
		}
		if v.kind == kindDrop {
			return v.Get(key.String())
		}
	case kindList:
		if key.kind != kindInt {
			return Nil, false
		}
		i := key.n
		if i > math.MaxInt32 || i < -math.MaxInt32 {
			return Nil, true
		}
		return v.At(int(i)), true
	}
	return Nil, false
}

// command is a property that every list and hash has beyond its own keys.
type command uint8

const (
	noCommand command = iota
	commandSize
	commandFirst
	commandLast
)

func commandOf(name string) command {
	switch name {
	case "size":
		return commandSize
	case "first":
		return commandFirst
	case "last":
		return commandLast
	}
	return noCommand
}

// property returns v.name: a key of v, else what the command gives.
func property(v Value, name string, c command) (Value, bool) {
	if item, ok := v.Get(name); ok {
		return item, true
	}
	switch c {
	case commandSize:
		if hasSize(v) {
			return Int(sizeOf(v)), true
		}
	case commandFirst:
		return firstOf(v), v.IsList() || v.kind == kindHash
	case commandLast:
		return lastOf(v), v.IsList()
	}
	return Nil, false
}

func isEmpty(v Value) bool {
	switch v.kind {
	case kindString:
		return v.n == 0
	case kindList:
		return listLen(v) == 0
	case kindHash:
		return hashLen(v) == 0
	}
	return false
}

func isBlank(v Value) bool {
	switch v.kind {
	case kindNil:
		return true
	case kindBool:
		return v.n == 0
	case kindString:
		return strings.TrimFunc(v.str(), isBetweenWords) == ""
	}
	return isEmpty(v)
}
