package expr

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// missing is the value of what is not there: a trait that nobody set, a property that the event lacks, JSON null, and
// the result of an operation that its operands do not allow. It has every field, each missing too. Null semantics are
// defined here and in rewrite.go, nowhere else:
//
//   - a comparison with a missing side is false, != included;
//   - a missing value where a boolean is wanted is false;
//   - has(x) and x == null ask.
type missing struct{}

var (
	missingValue ref.Val = missing{}
	missingType          = types.NewObjectType("missing", traits.IndexerType)
)

func (missing) ConvertToNative(reflect.Type) (any, error) { return nil, nil }
func (missing) ConvertToType(ref.Type) ref.Val            { return missingValue }
func (missing) Equal(ref.Val) ref.Val                     { return types.False }
func (missing) Type() ref.Type                            { return missingType }
func (missing) Value() any                                { return nil }
func (missing) Get(ref.Val) ref.Val                       { return missingValue }

// isMissing reports whether v stands for no value. Errors count: what cannot be computed is not there.
func isMissing(v ref.Val) bool {
	switch v := v.(type) {
	case nil, missing, types.Null, *types.Err, *types.Unknown:
		return true
	case types.Double:
		return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)
	}
	return false
}

// adapter turns Go values into CEL values in which a lookup of an absent key gives missing.
type adapter struct{}

func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case nil:
		return missingValue
	case ref.Val:
		return v
	case map[string]any:
		return object{types.NewStringInterfaceMap(a, v)}
	case []any:
		return types.NewDynamicList(a, v)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// object is a JSON object.
type object struct{ traits.Mapper }

func (o object) Find(key ref.Val) (ref.Val, bool) { return o.Get(key), true }

func (o object) Get(key ref.Val) ref.Val {
	if v, ok := o.Mapper.Find(key); ok {
		return v
	}
	return missingValue
}

func (o object) Equal(other ref.Val) ref.Val {
	if p, ok := other.(object); ok {
		return o.Mapper.Equal(p.Mapper)
	}
	return o.Mapper.Equal(other)
}

// record is a value whose fields are looked up by a function.
type record struct {
	name string
	find func(field string) (any, bool)
}

var recordType = types.NewObjectType("record", traits.IndexerType, traits.ContainerType)

func (r *record) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s is no %v", r.name, t)
}
func (r *record) ConvertToType(ref.Type) ref.Val { return missingValue }
func (r *record) Equal(other ref.Val) ref.Val    { return types.Bool(other == ref.Val(r)) }
func (r *record) Type() ref.Type                 { return recordType }
func (r *record) Value() any                     { return r }
func (r *record) Contains(field ref.Val) ref.Val { return types.Bool(!isMissing(r.Get(field))) }
func (r *record) Get(field ref.Val) ref.Val {
	name, ok := field.(types.String)
	if !ok {
		return missingValue
	}
	v, ok := r.find(string(name))
	if !ok {
		return missingValue
	}
	return adapter{}.NativeToValue(v)
}

// compare orders two values: numbers of any kind, strings, booleans, times (a string in RFC 3339 counts as a time
// beside a time) and durations. It reports false where they cannot be compared.
func compare(a, b ref.Val) (int, bool) {
	if isMissing(a) || isMissing(b) {
		return 0, false
	}
	a, b = align(a, b)
	c, ok := a.(traits.Comparer)
	if !ok {
		return 0, false
	}
	n, ok := c.Compare(b).(types.Int)
	return int(n), ok
}

// order is the total order of min and max over scalars: booleans, then numbers, then strings, then times.
func order(a, b any) int {
	if c := cmp.Compare(orderOfKind(a), orderOfKind(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case bool:
		if a == b.(bool) {
			return 0
		}
		if a {
			return 1
		}
		return -1
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return 0
}

// orderOfKind is 0 for what has no place in the order.
func orderOfKind(v any) int {
	switch v.(type) {
	case bool:
		return 1
	case float64:
		return 2
	case string:
		return 3
	case time.Time:
		return 4
	}
	return 0
}

// scalar is a value as entries hold it: export's, but times stay times.
func scalar(v ref.Val) any {
	if at, ok := v.(types.Timestamp); ok {
		return at.Time
	}
	return export(v)
}

func equal(a, b ref.Val) bool {
	if isMissing(a) || isMissing(b) {
		return false
	}
	a, b = align(a, b)
	return a.Equal(b) == types.True
}

// align reads a text beside a time as a time, and beside a version as a version.
func align(a, b ref.Val) (ref.Val, ref.Val) {
	if _, ok := b.(version); ok {
		return asVersion(a), b
	}
	if _, ok := b.(types.Timestamp); ok {
		return asTime(a), b
	}
	if _, ok := a.(types.Timestamp); ok {
		return a, asTime(b)
	}
	return a, b
}

// asTime reads a string as a time; any other value stays as it is, and an unreadable string becomes missing.
func asTime(v ref.Val) ref.Val {
	s, ok := v.(types.String)
	if !ok {
		return v
	}
	t, err := ParseTime(string(s))
	if err != nil {
		return missingValue
	}
	return types.Timestamp{Time: t}
}

// ParseTime reads a time as traits hold it: RFC 3339, or a date alone.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse(time.DateOnly, s)
	}
	return t.UTC(), err
}

// FormatTime writes a time as traits hold it: RFC 3339 in UTC with microseconds where there are any.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// export turns a result into a plain JSON value: nil, bool, float64, string, []any or map[string]any. Times become
// RFC 3339 strings and durations become seconds.
func export(v ref.Val) any {
	if isMissing(v) {
		return nil
	}
	switch v := v.(type) {
	case types.Bool:
		return bool(v)
	case types.Int:
		return float64(v)
	case types.Uint:
		return float64(v)
	case types.Double:
		return float64(v)
	case types.String:
		return strings.ToValidUTF8(string(v), "\uFFFD")
	case types.Timestamp:
		return FormatTime(v.Time)
	case types.Duration:
		return v.Seconds()
	case traits.Mapper:
		m := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			if name, ok := key.(types.String); ok {
				m[string(name)] = export(v.Get(key))
			}
		}
		return m
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			list = append(list, export(it.Next()))
		}
		return list
	}
	return nil
}
