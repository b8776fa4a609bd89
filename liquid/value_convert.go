package liquid

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Drop is an object of the application that a template may look into. Get returns the value of a property and whether
// there is one. A Drop that is also a fmt.Stringer is written by its String method. Get is called while rendering, by
// one goroutine per rendering.
type Drop interface {
	Get(property string) (any, bool)
}

// ValueOf returns the Liquid value of a Go value. Maps with string keys, slices, structs, pointers to them, strings,
// booleans, numbers, json.Number, time.Time, Map, Drop and Value are understood; anything else is opaque, and
// written as fmt would if it can hold nothing but numbers, booleans and strings. Maps and slices are not copied: they
// must not change while a rendering uses them.
func ValueOf(boxed any) Value {
	// What is kept as a reference keeps its box, so that nothing is allocated.
	switch x := boxed.(type) {
	case nil:
		return Nil
	case string:
		return String(x)
	case map[string]any:
		return Value{kind: kindHash, ref: boxed}
	case []any:
		return Value{kind: kindList, ref: boxed}
	case int:
		return Int(int64(x))
	case float64:
		return Float(x)
	case bool:
		return Bool(x)
	case int64:
		return Int(x)
	case json.Number:
		return numberOf(string(x))
	case time.Time:
		return Value{kind: kindTime, ref: boxed}
	case *time.Time:
		if x == nil {
			return Nil
		}
		return Value{kind: kindTime, ref: boxed}
	case Value:
		return x
	case []string, []map[string]any:
		return Value{kind: kindList, ref: boxed}
	case *Map:
		if x == nil {
			return Nil
		}
		return Value{kind: kindHash, ref: boxed}
	case *Lazy:
		if x == nil {
			return Nil
		}
		return Value{kind: kindOther, ref: boxed}
	case Drop:
		return Value{kind: kindDrop, ref: boxed}
	case *big.Int:
		return bigInt(x)
	case json.RawMessage:
		return jsonValue(x)
	case []byte:
		return String(string(x))
	}
	return reflectValue(reflect.ValueOf(boxed), boxed)
}

// numberOf reads a JSON or Liquid number literal: an integer of any size, or a float.
func numberOf(s string) Value {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Int(i)
	}
	if !strings.ContainsAny(s, ".eE") && len(s) <= maxDigits {
		if b, ok := new(big.Int).SetString(s, 10); ok {
			return bigInt(b)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && f == 0 {
		return String(s)
	}
	return Float(f)
}

func jsonValue(raw json.RawMessage) Value {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	x, err := decodeOrdered(d, 0)
	if err != nil {
		return Nil
	}
	return ValueOf(x)
}

func reflectValue(r reflect.Value, x any) Value {
	switch r.Kind() {
	case reflect.Bool:
		return Bool(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if s, ok := x.(fmt.Stringer); ok {
			return String(s.String())
		}
		return Int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return bigInt(new(big.Int).SetUint64(r.Uint()))
	case reflect.Float32, reflect.Float64:
		return Float(r.Float())
	case reflect.String:
		return String(r.String())
	case reflect.Slice:
		return sliceOf(shapeOf(r.Type()), recordPtr(r.UnsafePointer()), r.Len())
	case reflect.Array:
		return readCopy(r)
	case reflect.Map:
		if r.Type().Key().Kind() == reflect.String {
			return Value{kind: kindHash, ref: r}
		}
	case reflect.Struct:
		if _, ok := x.(fmt.Stringer); !ok {
			return readCopy(r)
		}
	case reflect.Pointer, reflect.Interface:
		if r.IsNil() {
			return Nil
		}
		if isWrapper(r.Elem().Type()) {
			return unwrapped(r.Elem())
		}
		if r.Elem().Kind() == reflect.Struct {
			if _, ok := x.(fmt.Stringer); ok {
				break
			}
			return shapeOf(r.Type().Elem()).read(recordPtr(r.UnsafePointer()))
		}
		return ValueOf(r.Elem().Interface())
	}
	return Value{kind: kindOther, ref: x}
}

// isWrapper reports whether values of a type are only a way to another value.
func isWrapper(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface
}

// maxWrappers bounds the pointers to pointers that lead to a value. They may go in a circle.
const maxWrappers = 100

// unwrapped reads what a pointer to a pointer, or to an interface, leads to: nil where that takes too many of them.
func unwrapped(r reflect.Value) Value {
	for range maxWrappers {
		if !r.IsValid() || isWrapper(r.Type()) && r.IsNil() {
			return Nil
		}
		if !isWrapper(r.Type()) || r.Kind() == reflect.Pointer && !isWrapper(r.Type().Elem()) {
			return ValueOf(r.Interface())
		}
		r = r.Elem()
	}
	return Nil
}

// readCopy reads a copy of what is in an interface, from where it cannot be read in place.
func readCopy(r reflect.Value) Value {
	at := reflect.New(r.Type())
	at.Elem().Set(r)
	return shapeOf(r.Type()).read(recordPtr(at.UnsafePointer()))
}
