package liquid

import "slices"

var selectFilters = []*filter{
	{name: "where", min: 1, max: 2, value: func(c *Call) Value { return c.choose(true) }},
	{name: "reject", min: 1, max: 2, value: func(c *Call) Value { return c.choose(false) }},
	{name: "find", min: 1, max: 2, value: find},
	{name: "find_index", min: 1, max: 2, value: findIndex},
	{name: "has", min: 1, max: 2, value: hasFilter},
	{name: "sort", max: 1, value: sort},
	{name: "sort_natural", max: 1, value: sortNatural},
}

// matching calls visit for each item with whether it has the property, or the value of it, that the arguments ask
// for. visit returns false to stop. ok is false if an item has no properties at all, which makes the result nil.
func (c *Call) matching(items []Value, visit func(i int, item Value, matches bool) bool) (ok bool) {
	key := c.args[0]
	if key.kind != kindString && key.kind != kindInt {
		key = String(c.text(key))
	}
	target := c.Arg(1)
	for i, item := range items {
		if !hasIndex(item) {
			return false
		}
		v := c.property(item, key)
		if c.st.err != nil {
			return false
		}
		c.st.chargeComparison(v, target)
		matches := v.Truthy()
		if !target.IsNil() {
			matches = c.st.equal(v, target)
		}
		if !visit(i, item, matches) {
			return true
		}
	}
	return true
}

func (c *Call) choose(wanted bool) Value {
	items := c.items()
	out := make([]Value, 0, len(items))
	ok := c.matching(items, func(_ int, item Value, matches bool) bool {
		if matches == wanted {
			out = append(out, item)
		}
		return true
	})
	if !ok {
		return Nil
	}
	return c.made(out)
}

// seek returns the first item that matches and its number, or -1.
func (c *Call) seek() (found Value, at int, ok bool) {
	at = -1
	ok = c.matching(c.items(), func(i int, item Value, matches bool) bool {
		if matches {
			found, at = item, i
		}
		return !matches
	})
	return found, at, ok
}

func find(c *Call) Value {
	v, at, ok := c.seek()
	if !ok || at < 0 {
		return Nil
	}
	return v
}

func findIndex(c *Call) Value {
	_, at, ok := c.seek()
	if !ok || at < 0 {
		return Nil
	}
	return Int(int64(at))
}

func hasFilter(c *Call) Value {
	_, at, ok := c.seek()
	if !ok {
		return Nil
	}
	return Bool(at >= 0)
}

func sort(c *Call) Value {
	return c.sorted(func(a, b Value) (int, bool) {
		c.st.step(weight(a) + weight(b))
		return c.st.order(a, b)
	})
}

func sortNatural(c *Call) Value {
	return c.sorted(func(a, b Value) (int, bool) {
		c.st.step(weight(a) + weight(b))
		if a.IsNil() && b.IsNil() {
			return 0, true
		}
		if a.IsNil() || b.IsNil() {
			return 0, false
		}
		return compareFolded(c.text(a), c.text(b)), true
	})
}

// compareFolded compares as the reference does where case does not matter: it does for all letters but A to Z.
func compareFolded(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lowerASCII(a[i]), lowerASCII(b[i]); x != y {
			return sign(x < y, x > y)
		}
	}
	return sign(len(a) < len(b), len(a) > len(b))
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func hasIndexes(items []Value) bool {
	for _, item := range items {
		if !hasIndex(item) {
			return false
		}
	}
	return true
}

type sortItem struct{ item, key Value }

// sorted sorts the input by itself or by the property that the argument names. nil comes last.
func (c *Call) sorted(compare func(a, b Value) (int, bool)) Value {
	items := c.items()
	if len(items) == 0 {
		return c.made(nil)
	}
	keyed := make([]sortItem, len(items))
	if !c.st.allocate(2 * len(items) * valueSize) {
		return Nil
	}
	by := c.Arg(0)
	if !by.IsNil() && !hasIndexes(items) {
		return Nil
	}
	for i, item := range items {
		keyed[i] = sortItem{item, item}
		if !by.IsNil() && len(items) > 1 {
			keyed[i].key = c.property(item, by)
		}
	}
	slices.SortStableFunc(keyed, func(x, y sortItem) int {
		if c.st.err != nil || !c.st.step(1) {
			return 0
		}
		cmp, ok := compare(x.key, y.key)
		switch {
		case ok:
			return cmp
		case x.key.IsNil():
			return 1
		case y.key.IsNil():
			return -1
		}
		c.fail(ArgumentError, "cannot sort values of incompatible types")
		return 0
	})
	out := make([]Value, len(keyed))
	for i := range keyed {
		out[i] = keyed[i].item
	}
	return c.made(out)
}
