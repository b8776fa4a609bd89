package liquid

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// shape is a Go type as templates see it: how a value of it is read from where it lies, without boxing it. There is
// one shape for each type.
type shape struct {
	id     int64
	goType reflect.Type
	read   func(at recordPtr) Value
	elem   *shape       // of a slice or array
	fields []shapeField // of a struct, in order
	index  map[string]int32
}

// shapeField is a field of a struct.
type shapeField struct {
	name   string
	offset uintptr
	shape  *shape
}

// recordPtr points to a Go struct, or to the first item of a Go slice. The Value that holds it says of what shape.
type recordPtr unsafe.Pointer

// behind returns the place that is so many bytes behind another, in the same struct or slice.
func behind(at recordPtr, bytes uintptr) recordPtr {
	return recordPtr(unsafe.Add(unsafe.Pointer(at), bytes)) //nolint:gosec // offsets and sizes come from the type
}

// lengthBits is how many bits of a Value tell the length of a Go slice. The others tell its shape.
const lengthBits = 40

func recordOf(s *shape, at recordPtr) Value {
	return Value{kind: kindHash, n: s.id, ref: at}
}

func sliceOf(s *shape, first recordPtr, length int) Value {
	return Value{kind: kindList, n: s.id<<lengthBits | int64(length), ref: first}
}

func shapeOfRecord(v Value) *shape { return (*allShapes.Load())[v.n] }

func shapeOfSlice(v Value) *shape { return (*allShapes.Load())[v.n>>lengthBits] }

func sliceLen(v Value) int { return int(v.n & (1<<lengthBits - 1)) }

func sliceAt(v Value, i int) Value {
	elem := shapeOfSlice(v).elem
	return elem.read(behind(v.ref.(recordPtr), uintptr(i)*elem.goType.Size()))
}

func (s *shape) field(name string) *shapeField {
	if s.index != nil {
		if i, ok := s.index[name]; ok {
			return &s.fields[i]
		}
		return nil
	}
	for i := range s.fields {
		if s.fields[i].name == name {
			return &s.fields[i]
		}
	}
	return nil
}

// valueIn reads the field of the struct that lies at record.
func (f *shapeField) valueIn(record recordPtr) Value {
	return f.shape.read(behind(record, f.offset))
}

func recordGet(v Value, at recordPtr, name string) (Value, bool) {
	field := shapeOfRecord(v).field(name)
	if field == nil {
		return Nil, false
	}
	return field.valueIn(at), true
}

func recordKeys(v Value) []string {
	s := shapeOfRecord(v)
	keys := make([]string, len(s.fields))
	for i := range s.fields {
		keys[i] = s.fields[i].name
	}
	return keys
}

// Shapes are found by type, and by number from the Values that have one. New ones are made under the lock.
var (
	shapesByType sync.Map // reflect.Type -> *shape
	allShapes    atomic.Pointer[[]*shape]
	shapesLock   sync.Mutex
)

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapesByType.Load(t); ok {
		return s.(*shape)
	}
	shapesLock.Lock()
	defer shapesLock.Unlock()
	b := shapeBuilder{made: map[reflect.Type]*shape{}}
	if all := allShapes.Load(); all != nil {
		b.all = *all
	}
	s := b.of(t)
	allShapes.Store(&b.all)
	for t, made := range b.made {
		shapesByType.Store(t, made)
	}
	return s
}

// shapeBuilder makes the shape of a type and of the types in it, which may contain each other.
type shapeBuilder struct {
	made map[reflect.Type]*shape
	all  []*shape
}

func (b *shapeBuilder) of(t reflect.Type) *shape {
	if s, ok := shapesByType.Load(t); ok {
		return s.(*shape)
	}
	if s := b.made[t]; s != nil {
		return s
	}
	s := &shape{id: int64(len(b.all)), goType: t}
	b.made[t] = s
	b.all = append(b.all, s)
	s.read = b.reader(s, t)
	return s
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	valueType    = reflect.TypeFor[Value]()
	anyMapType   = reflect.TypeFor[map[string]any]()
	dropType     = reflect.TypeFor[Drop]()
	stringerType = reflect.TypeFor[fmt.Stringer]()
	// boxedTypes are read by ValueOf alone.
	boxedTypes = map[reflect.Type]bool{
		reflect.TypeFor[json.Number](): true, reflect.TypeFor[json.RawMessage](): true, reflect.TypeFor[[]byte](): true,
		reflect.TypeFor[*Map](): true, reflect.TypeFor[*Lazy](): true, reflect.TypeFor[*big.Int](): true,
	}
)

// reader returns the function that reads a value of type t, which s is the shape of.
func (b *shapeBuilder) reader(s *shape, t reflect.Type) func(recordPtr) Value {
	switch {
	case t == timeType:
		return func(at recordPtr) Value { return Value{kind: kindTime, ref: (*time.Time)(at)} }
	case t == valueType:
		return func(at recordPtr) Value { return *(*Value)(at) }
	case t == anyMapType:
		return func(at recordPtr) Value { return Value{kind: kindHash, ref: *(*map[string]any)(at)} }
	case boxedTypes[t] || t.Implements(dropType) || t.Implements(stringerType) && t.Kind() != reflect.String:
		return boxedReader(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(at recordPtr) Value { return Bool(*(*bool)(at)) }
	case reflect.Int:
		return func(at recordPtr) Value { return Int(int64(*(*int)(at))) }
	case reflect.Int64:
		return func(at recordPtr) Value { return Int(*(*int64)(at)) }
	case reflect.Float64:
		return func(at recordPtr) Value { return Float(*(*float64)(at)) }
	case reflect.String:
		return func(at recordPtr) Value { return String(*(*string)(at)) }
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return func(at recordPtr) Value { return ValueOf(*(*any)(at)) }
		}
	case reflect.Slice:
		s.elem = b.of(t.Elem())
		return func(at recordPtr) Value {
			items := *(*[]byte)(at)                                           // any slice has the same header
			return sliceOf(s, recordPtr(unsafe.SliceData(items)), len(items)) //nolint:gosec // pointer and length stay together in the Value
		}
	case reflect.Array:
		s.elem = b.of(t.Elem())
		return func(at recordPtr) Value { return sliceOf(s, at, t.Len()) }
	case reflect.Struct:
		b.setFields(s, t)
		return func(at recordPtr) Value { return recordOf(s, at) }
	case reflect.Pointer:
		if isWrapper(t.Elem()) {
			return boxedReader(t)
		}
		elem := b.of(t.Elem())
		return func(at recordPtr) Value {
			to := *(*recordPtr)(at)
			if to == nil {
				return Nil
			}
			return elem.read(to)
		}
	}
	return boxedReader(t)
}

func boxedReader(t reflect.Type) func(recordPtr) Value {
	return func(at recordPtr) Value { return ValueOf(pointerTo(t, at).Elem().Interface()) }
}

// pointerTo returns the Go pointer to the value of type t that lies there.
func pointerTo(t reflect.Type, at recordPtr) reflect.Value {
	return reflect.NewAt(t, unsafe.Pointer(at)) //nolint:gosec // the type is the one that the place was taken with
}

// fewFields is up to how many fields are searched one by one.
const fewFields = 8

// setFields collects the fields that templates see: exported ones, those of embedded structs among them, under the
// name of their `liquid` or `json` tag, else their Go name.
func (b *shapeBuilder) setFields(s *shape, t reflect.Type) {
	index := map[string]int32{}
	for _, field := range reflect.VisibleFields(t) {
		name, tagged := fieldName(field)
		offset, reachable := offsetIn(t, field.Index)
		isEmbedded := field.Anonymous && !tagged && field.Type.Kind() == reflect.Struct
		if _, taken := index[name]; taken || name == "-" || !field.IsExported() || !reachable || isEmbedded {
			continue
		}
		index[name] = int32(len(s.fields))
		s.fields = append(s.fields, shapeField{name, offset, b.of(field.Type)})
	}
	if len(s.fields) > fewFields {
		s.index = index
	}
}

func fieldName(field reflect.StructField) (name string, tagged bool) {
	for _, key := range []string{"liquid", "json"} {
		if name, _, _ := strings.Cut(field.Tag.Get(key), ","); name != "" {
			return name, true
		}
	}
	return field.Name, false
}

// offsetIn returns where the field at the end of a path lies in a struct, unless a pointer is on the way.
func offsetIn(t reflect.Type, path []int) (offset uintptr, ok bool) {
	for i, number := range path {
		if t.Kind() != reflect.Struct {
			return 0, false
		}
		field := t.Field(number)
		if _, tagged := fieldName(field); tagged && i < len(path)-1 {
			return 0, false
		}
		offset += field.Offset
		t = field.Type
	}
	return offset, true
}
