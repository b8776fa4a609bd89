package liquid

import (
	"slices"
	"strings"
)

var listFilters = []*filter{
	{name: "compact", max: 1, value: compact},
	{name: "concat", min: 1, max: 1, value: concat},
	{name: "default", max: 2, named: true, fallback: true, value: defaultFilter},
	{name: "first", value: func(c *Call) Value { return firstOf(c.input) }},
	{name: "last", value: func(c *Call) Value { return lastOf(c.input) }},
	{name: "join", max: 1, text: join},
	{name: "map", min: 1, max: 1, value: mapFilter},
	{name: "reverse", value: reverse},
	{name: "size", value: func(c *Call) Value { return Int(sizeOf(c.input)) }},
	{name: "slice", min: 1, max: 2, value: slice},
	{name: "sum", max: 1, value: sum},
	{name: "uniq", max: 1, value: uniq},
}

// items returns the input as the list filters see it: lists flattened, a range as its integers, nil as none, anything
// else as a list of itself.
func (c *Call) items() []Value { return c.flatten(c.input) }

func (c *Call) flatten(v Value) []Value {
	switch v.kind {
	case kindNil:
		return nil
	case kindList:
		if l, ok := v.ref.(*list); ok && !slices.ContainsFunc(l.items, isNested) {
			c.st.step(len(l.items))
			return l.items
		}
		if n := listLen(v); !c.st.step(n) || !c.st.allocate(n*valueSize) {
			return nil
		}
		return c.flattenInto(make([]Value, 0, listLen(v)), v, 0)
	case kindRange:
		n := v.ref.(*span).len()
		if n > int64(c.st.engine.limits.Steps) {
			c.st.step(c.st.engine.limits.Steps)
			return nil
		}
		if !c.st.step(int(n)) || !c.st.allocate(int(n)*valueSize) {
			return nil
		}
		items := make([]Value, n)
		for i := range items {
			items[i] = listAt(v, i)
		}
		return items
	}
	return []Value{v}
}

// each visits the items one by one, without a list of them, until visit returns false or a limit is reached.
func (c *Call) each(visit func(item Value) bool) {
	switch c.input.kind {
	case kindNil:
	case kindList, kindRange:
		c.eachOf(c.input, 0, visit)
	default:
		visit(c.input)
	}
}

func (c *Call) eachOf(v Value, depth int, visit func(item Value) bool) bool {
	for i := range listLen(v) {
		item := c.st.load(listAt(v, i))
		if !c.st.step(2) || c.st.err != nil {
			return false
		}
		if item.kind == kindList && depth <= maxTextDepth {
			if !c.eachOf(item, depth+1, visit) {
				return false
			}
		} else if !visit(item) {
			return false
		}
	}
	return true
}

func isNested(v Value) bool { return v.kind == kindList || v.kind == kindOther }

func (c *Call) flattenInto(items []Value, v Value, depth int) []Value {
	for i := range listLen(v) {
		item := c.st.load(listAt(v, i))
		if item.kind != kindList || depth > maxTextDepth {
			items = append(items, item)
			continue
		}
		if n := listLen(item); !c.st.step(n) || !c.st.allocate(n*valueSize) {
			return items
		}
		items = c.flattenInto(items, item, depth+1)
	}
	return items
}

// made is a list of items that the filter made, counted as working memory.
func (c *Call) made(items []Value) Value {
	c.st.allocate(len(items) * valueSize)
	return listOf(items)
}

// hasIndex reports whether item[property] makes sense, as it does not for nil, booleans and floats.
func hasIndex(v Value) bool {
	switch v.kind {
	case kindHash, kindDrop, kindString, kindInt, kindBig:
		return true
	}
	return false
}

// property returns item[property] by the rules of the language of the reference: strings answer whether they contain
// the property, and integers and lists cannot be asked by name.
func (c *Call) property(item, key Value) Value {
	switch item.kind {
	case kindHash, kindDrop:
		v, _ := index(item, key)
		return c.st.load(v)
	case kindString:
		return stringIndex(c, item, key)
	case kindInt, kindBig:
		switch key.kind {
		case kindInt:
			return Int(item.n >> min(uint64(key.n), 63) & 1)
		case kindFloat:
			return Int(item.n >> min(uint64(key.float()), 63) & 1)
		case kindRange, kindBig:
			return Int(0)
		}
		c.fail(ArgumentError, "cannot select the property '"+key.String()+"'")
	}
	return Nil
}

func stringIndex(c *Call, item, key Value) Value {
	switch key.kind {
	case kindString:
		if strings.Contains(item.str(), key.str()) {
			return key
		}
	case kindInt:
		return characterAt(item, key.n)
	case kindFloat:
		return characterAt(item, int64(key.float()))
	case kindRange:
		r := key.ref.(*span)
		return sliceText(item, r.first, r.len())
	default:
		c.fail(ArgumentError, "cannot select the property '"+key.String()+"'")
	}
	return Nil
}

func characterAt(item Value, i int64) Value {
	if c := sliceText(item, i, 1); c.n > 0 {
		return c
	}
	return Nil
}

func compact(c *Call) Value {
	items := c.items()
	out := make([]Value, 0, len(items))
	for _, item := range items {
		v := item
		if len(c.args) > 0 && !c.args[0].IsNil() {
			if !hasIndex(item) {
				return Nil
			}
			v = c.property(item, c.args[0])
		}
		if !v.IsNil() {
			out = append(out, item)
		}
	}
	return c.made(out)
}

func concat(c *Call) Value {
	if c.args[0].kind != kindList {
		c.fail(ArgumentError, "concat filter requires an array argument")
		return Nil
	}
	items, more := c.items(), c.args[0]
	if n := listLen(more); !c.st.step(n) || !c.st.room((len(items)+n)*valueSize) {
		return Nil
	}
	out := make([]Value, 0, len(items)+listLen(more))
	out = append(out, items...)
	for i := range listLen(more) {
		out = append(out, listAt(more, i))
	}
	return c.made(out)
}

func defaultFilter(c *Call) Value {
	missing := !c.input.Truthy()
	if c.Named("allow_false").Truthy() {
		missing = c.input.IsNil()
	}
	if !missing && !isEmpty(c.input) {
		return c.input
	}
	if len(c.args) == 0 {
		return String("")
	}
	return c.args[0]
}

func join(c *Call, dst []byte) []byte {
	glue := " "
	if len(c.args) > 0 {
		glue = c.text(c.args[0])
	}
	start, isFirst := len(dst), true
	c.each(func(item Value) bool {
		if !isFirst {
			dst = append(dst, glue...)
		}
		isFirst = false
		if item.kind == kindString {
			dst = append(dst, item.str()...)
		} else {
			dst = c.st.appendText(dst, item)
		}
		return c.st.room(len(dst) - start)
	})
	return dst
}

func mapFilter(c *Call) Value {
	items := c.items()
	out := make([]Value, 0, len(items))
	for _, item := range items {
		if hasIndex(item) {
			item = c.property(item, c.args[0])
		} else {
			item = Nil
		}
		out = append(out, item)
	}
	return c.made(out)
}

func reverse(c *Call) Value {
	out := slices.Clone(c.items())
	slices.Reverse(out)
	return c.made(out)
}

func slice(c *Call) Value {
	offset, length := c.integer(0, 0), int64(1)
	if len(c.args) > 1 && c.args[1].Truthy() {
		length = c.integer(1, 1)
	}
	if c.input.kind != kindList {
		v := c.input
		if v.kind != kindString {
			v = String(c.text(v))
		}
		c.st.step(int(v.n >> 4))
		s := sliceText(v, offset, length)
		if s.IsNil() {
			return String("")
		}
		return s
	}
	n := int64(listLen(c.input))
	if offset < 0 {
		offset += n
	}
	if offset < 0 || offset > n || length <= 0 {
		return c.made(nil)
	}
	out := make([]Value, 0, min(length, n-offset))
	for i := offset; i < n && i-offset < length; i++ {
		out = append(out, listAt(c.input, int(i)))
	}
	return c.made(out)
}

// sliceText returns length characters of a string from offset on, or nil outside it.
func sliceText(v Value, offset, length int64) Value {
	s := v.str()
	if offset < 0 {
		offset += sizeOf(v)
	}
	if offset < 0 || length < 0 {
		return Nil
	}
	head := runePrefix(s, offset)
	if len(head) == len(s) && offset > sizeOf(v) {
		return Nil
	}
	part := String(runePrefix(s[len(head):], length))
	part.flags = v.flags & flagScratch
	return part
}

func sum(c *Call) Value {
	total := number{}
	if len(c.args) == 0 || c.args[0].IsNil() {
		c.each(func(item Value) bool { total = total.plus(toNumber(item)); return true })
		return c.checked(total)
	}
	items := c.items()
	picked := make([]Value, 0, len(items))
	for _, item := range items {
		if hasIndex(item) {
			picked = append(picked, c.property(item, c.args[0]))
		}
	}
	for _, item := range c.flatten(c.made(picked)) {
		total = total.plus(toNumber(item))
	}
	return c.checked(total)
}

func uniq(c *Call) Value {
	items := c.items()
	if len(items) < 2 {
		return c.made(items)
	}
	seen := make(map[string]bool, len(items))
	out := make([]Value, 0, len(items))
	var key []byte
	for _, item := range items {
		v := item
		if len(c.args) > 0 && !c.args[0].IsNil() {
			if !hasIndex(item) {
				return Nil
			}
			v = c.property(item, c.args[0])
		}
		key = c.st.appendInspect(append(key[:0], byte(v.kind)), v)
		if !c.st.step(costOfKey + len(key)>>6) {
			return Nil
		}
		if !seen[string(key)] {
			if !c.st.allocate(len(key)) {
				return Nil
			}
			seen[string(key)] = true
			out = append(out, item)
		}
	}
	return c.made(out)
}
