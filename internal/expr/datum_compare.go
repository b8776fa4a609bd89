package expr

import (
	"cmp"
	"strings"

	"cel.dev/cel-go/common/types"
)

// compareData orders two values as compare does.
func compareData(a, b datum) (int, bool) {
	switch {
	case a.kind == kindMissing || b.kind == kindMissing:
		return 0, false
	case a.kind == b.kind && a.kind != kindOther:
		return a.compareKind(b), true
	case a.isNumber() && b.isNumber() && a.exact() && b.exact():
		return cmp.Compare(a.float(), b.float()), true
	case a.kind == kindTime && b.kind == kindText:
		b = b.asTime()
		return a.compareKind(b), b.kind == kindTime
	case a.kind == kindText && b.kind == kindTime:
		a = a.asTime()
		return a.compareKind(b), a.kind == kindTime
	case a.kind == kindOther || b.kind == kindOther || a.isNumber() && b.isNumber():
		return compare(a.ref(), b.ref())
	}
	return 0, false
}

// equalData compares two values that are there as equal does.
func equalData(a, b datum) bool {
	if a.kind == kindTime && b.kind == kindText || a.kind == kindText && b.kind == kindTime {
		n, ok := compareData(a, b)
		return ok && n == 0
	}
	if a.kind == kindOther || b.kind == kindOther {
		return equal(a.ref(), b.ref())
	}
	return sameData(a, b)
}

// sameData compares two values as CEL does.
func sameData(a, b datum) bool {
	switch {
	case a.kind == kindMissing || b.kind == kindMissing:
		return a == nullDatum && b == nullDatum
	case a.kind == kindOther || b.kind == kindOther:
		return a.ref().Equal(b.ref()) == types.True
	case a.kind == b.kind:
		return a.compareKind(b) == 0
	case a.isNumber() && b.isNumber():
		if a.exact() && b.exact() {
			return a.float() == b.float()
		}
		return a.ref().Equal(b.ref()) == types.True
	}
	return false
}

// exact reports whether a number loses nothing as a double.
func (d datum) exact() bool {
	return d.kind == kindNumber || d.int() > -1<<53 && d.int() < 1<<53
}

// compareKind orders two values of the same kind.
func (k kept) compareKind(l datum) int {
	switch k.kind {
	case kindText:
		return strings.Compare(k.text, l.text)
	case kindInt, kindDuration:
		return cmp.Compare(k.int(), l.int())
	}
	return k.order(l.kept)
}

// asTime reads a text as a time; what is none is missing, and other values stay.
func (d datum) asTime() datum {
	if d.kind != kindText {
		return d
	}
	t, err := ParseTime(d.text)
	if err != nil {
		return missingDatum
	}
	return datum{kept: keptTime(t)}
}
