package expr

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// kind says what a kept value or a datum is.
type kind uint8

const (
	kindMissing kind = iota
	kindBool
	kindNumber
	kindText
	kindTime
	kindJSON // kept only: a list or an object, as JSON text
	kindInt
	kindDuration
	kindOther // datum only: what has no kind of its own
)

// kept is a value as entries hold it: what export gives, but times stay times.
type kept struct {
	kind  kind
	nanos uint32 // of a time
	bits  uint64 // of a number; 1 for true; the seconds of a time
	text  string
}

func keptNumber(f float64) kept { return kept{kind: kindNumber, bits: math.Float64bits(f)} }
func keptText(s string) kept    { return kept{kind: kindText, text: s} }
func keptBool(b bool) kept {
	if b {
		return kept{kind: kindBool, bits: 1}
	}
	return kept{kind: kindBool}
}

func keptTime(t time.Time) kept {
	return kept{kind: kindTime, bits: uint64(t.Unix()), nanos: uint32(t.Nanosecond())}
}

func (k kept) bool() bool      { return k.bits != 0 }
func (k kept) number() float64 { return math.Float64frombits(k.bits) }
func (k kept) int() int64      { return int64(k.bits) }
func (k kept) time() time.Time { return time.Unix(int64(k.bits), int64(k.nanos)).UTC() }

// datum is the value as programs calculate with it.
func (k kept) datum() datum {
	if k.kind != kindJSON {
		return datum{kept: k}
	}
	var v any
	_ = json.Unmarshal([]byte(k.text), &v) // written by datum.keep
	return other(adapter{}.NativeToValue(v))
}

// order is the total order of min and max over scalars: booleans, then numbers, then strings, then times.
func (k kept) order(l kept) int {
	if c := cmp.Compare(k.kind, l.kind); c != 0 {
		return c
	}
	switch k.kind {
	case kindBool:
		return cmp.Compare(k.bits, l.bits)
	case kindNumber:
		return cmp.Compare(k.number(), l.number())
	case kindText:
		return strings.Compare(k.text, l.text)
	case kindTime:
		if c := cmp.Compare(k.int(), l.int()); c != 0 {
			return c
		}
		return cmp.Compare(k.nanos, l.nanos)
	}
	return 0
}

// ordered reports whether the value has a place in the order of min and max.
func (k kept) ordered() bool { return k.kind >= kindBool && k.kind <= kindTime }

// datum is a value while an expression is evaluated: small, and without an allocation for what has a kind of its own.
type datum struct {
	kept
	box ref.Val // of kindOther
}

// What is missing: most of it is alike.
var (
	missingDatum datum
	nullDatum    = datum{kept: kept{bits: 1}} // the literal null, which is in [null]
)

func other(v ref.Val) datum { return datum{kept{kind: kindOther}, v} }

// datumOf takes a CEL value; errors and numbers that are none are missing.
func datumOf(v ref.Val) datum {
	if v == types.NullValue {
		return nullDatum
	}
	if isMissing(v) {
		return missingDatum
	}
	switch v := v.(type) {
	case types.Bool:
		return datum{kept: keptBool(bool(v))}
	case types.Int:
		return datumInt(int64(v))
	case types.Double:
		return datum{kept: keptNumber(float64(v))}
	case types.String:
		return datum{kept: keptText(string(v))}
	case types.Timestamp:
		return datum{kept: keptTime(v.Time)}
	case types.Duration:
		return datum{kept: kept{kind: kindDuration, bits: uint64(v.Duration)}}
	}
	return other(v)
}

func datumInt(n int64) datum { return datum{kept: kept{kind: kindInt, bits: uint64(n)}} }

// datumNumber takes a number; one that is none, or infinite, is missing.
func datumNumber(f float64) datum {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return missingDatum
	}
	return datum{kept: keptNumber(f)}
}

// keep is the form of d that entries hold.
func (d datum) keep() kept {
	switch d.kind {
	case kindMissing:
		return kept{}
	case kindBool, kindNumber, kindTime:
		return d.kept
	case kindInt:
		return keptNumber(float64(d.int()))
	case kindText:
		return keptText(validText(d.text))
	}
	if v := datumOfAny(d.plain()); v.kind < kindJSON {
		return v.kept
	}
	text, _ := json.Marshal(d.plain()) // plain JSON values always marshal
	return kept{kind: kindJSON, text: string(text)}
}

// countable is countable of what export gives.
func (d datum) countable() (key string, ok bool) {
	if d.kind == kindText {
		return "a" + validText(d.text), true
	}
	return countable(d.plain())
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// ref is the value as CEL has it.
func (d datum) ref() ref.Val {
	switch d.kind {
	case kindBool:
		return types.Bool(d.bool())
	case kindInt:
		return types.Int(d.int())
	case kindNumber:
		return types.Double(d.number())
	case kindText:
		return types.String(d.text)
	case kindTime:
		return types.Timestamp{Time: d.time()}
	case kindDuration:
		return types.Duration{Duration: time.Duration(d.int())}
	case kindOther:
		return d.box
	}
	if d == nullDatum {
		return types.NullValue
	}
	return missingValue
}
