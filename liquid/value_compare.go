package liquid

import (
	"reflect"
	"strings"
)

// equal reports whether two values are the same to `==`. Values of different types differ, except numbers among
// themselves; the literals empty and blank ask a question of the other side.
func (st *state) equal(a, b Value) bool { return st.equalDepth(a, b, 0) }

func (st *state) equalDepth(a, b Value, depth int) bool {
	switch {
	case a.kind == kindEmpty || a.kind == kindBlank:
		return matches(a.kind, b)
	case b.kind == kindEmpty || b.kind == kindBlank:
		return matches(b.kind, a)
	}
	if a.kind != b.kind {
		if isNumber(a) && isNumber(b) {
			return compareNumbers(a, b) == 0
		}
		return false
	}
	switch a.kind {
	case kindNil:
		return true
	case kindBool, kindInt, kindLoop:
		return a.n == b.n
	case kindFloat:
		return a.float() == b.float()
	case kindString:
		return a.str() == b.str()
	case kindBig:
		return bigOf(a).Cmp(bigOf(b)) == 0
	case kindRange:
		return *a.ref.(*span) == *b.ref.(*span)
	case kindTime:
		return a.time().Equal(b.time())
	case kindList:
		return st.equalLists(a, b, depth)
	case kindHash:
		return st.equalHashes(a, b, depth)
	}
	return isComparable(a.ref) && isComparable(b.ref) && a.ref == b.ref
}

func isComparable(x any) bool { return x != nil && reflect.TypeOf(x).Comparable() }

// matches answers `value == empty` and `value == blank`. The literals never equal each other.
func matches(literal valueKind, v Value) bool {
	if literal == kindEmpty {
		return isEmpty(v)
	}
	return isBlank(v)
}

// costOfComparing is what a pair of items counts for, in steps.
const costOfComparing = 4

// isSame reports whether two lists or hashes are one and the same.
func isSame(a, b Value) bool {
	id := identityOf(a)
	return id.at != 0 && id == identityOf(b)
}

func (st *state) equalLists(a, b Value, depth int) bool {
	n := listLen(a)
	if isSame(a, b) {
		return true
	}
	if n != listLen(b) || depth > maxTextDepth {
		return false
	}
	for i := range n {
		if !st.step(costOfComparing) || !st.equalDepth(listAt(a, i), listAt(b, i), depth+1) {
			return false
		}
	}
	return true
}

func (st *state) equalHashes(a, b Value, depth int) bool {
	if isSame(a, b) {
		return true
	}
	if hashLen(a) != hashLen(b) || depth > maxTextDepth {
		return false
	}
	for _, key := range keysOf(a) {
		x, _ := a.Get(key)
		y, ok := b.Get(key)
		if !ok || !st.step(costOfComparing) || !st.equalDepth(x, y, depth+1) {
			return false
		}
	}
	return true
}

func isNumber(v Value) bool { return v.kind == kindInt || v.kind == kindFloat || v.kind == kindBig }

func compareNumbers(a, b Value) int {
	if a.kind == kindInt && b.kind == kindInt {
		return sign(a.n < b.n, a.n > b.n)
	}
	if a.kind == kindFloat && b.kind == kindFloat {
		return sign(a.float() < b.float(), a.float() > b.float())
	}
	x, y := toNumber(a), toNumber(b)
	return x.compare(y)
}

func sign(less, greater bool) int {
	switch {
	case less:
		return -1
	case greater:
		return 1
	}
	return 0
}

// order compares two values for `<` and for sorting. ok is false where they have no order.
func (st *state) order(a, b Value) (cmp int, ok bool) { return st.orderDepth(a, b, 0) }

func (st *state) orderDepth(a, b Value, depth int) (cmp int, ok bool) {
	switch {
	case isNumber(a) && isNumber(b):
		if a.kind == kindFloat && a.float() != a.float() || b.kind == kindFloat && b.float() != b.float() {
			return 0, false
		}
		return compareNumbers(a, b), true
	case a.kind != b.kind:
		return 0, false
	}
	switch a.kind {
	case kindString:
		return strings.Compare(a.str(), b.str()), true
	case kindTime:
		return a.time().Compare(b.time()), true
	case kindNil:
		return 0, true
	case kindBool:
		return 0, a.n == b.n
	case kindList:
		return st.orderLists(a, b, depth)
	}
	return 0, false
}

func (st *state) orderLists(a, b Value, depth int) (int, bool) {
	if isSame(a, b) {
		return 0, true
	}
	if depth > maxTextDepth {
		return 0, false
	}
	n, m := listLen(a), listLen(b)
	for i := range min(n, m) {
		if !st.step(costOfComparing) {
			return 0, false
		}
		if c, ok := st.orderDepth(listAt(a, i), listAt(b, i), depth+1); c != 0 || !ok {
			return c, ok
		}
	}
	return sign(n < m, n > m), true
}

// contains answers `a contains b`: a substring, an item, or a key.
func (st *state) contains(a, b Value) bool {
	if !a.Truthy() || !b.Truthy() {
		return false
	}
	switch a.kind {
	case kindString:
		if b.kind == kindString {
			return strings.Contains(a.str(), b.str())
		}
		return strings.Contains(a.str(), string(st.plainText(b)))
	case kindList:
		if b.kind == kindEmpty || b.kind == kindBlank {
			return false // the literals are no items
		}
		for i := range listLen(a) {
			if !st.step(1) {
				return false
			}
			if st.equal(listAt(a, i), b) {
				return true
			}
		}
	case kindRange:
		s := a.ref.(*span)
		switch b.kind {
		case kindInt:
			return b.n >= s.first && b.n <= s.last
		case kindFloat:
			return b.float() >= float64(s.first) && b.float() <= float64(s.last)
		}
	case kindHash, kindDrop:
		if b.kind == kindString {
			_, ok := a.Get(b.detached().str())
			return ok
		}
	}
	return false
}

// plainText is the text of a value that is not a string where the reference converts it with to_s.
func (st *state) plainText(v Value) []byte {
	if v.kind == kindList {
		return st.appendInspect(nil, v)
	}
	return st.appendText(nil, v)
}
