package liquid

var mathFilters = []*filter{
	{name: "abs", value: func(c *Call) Value { return toNumber(c.input).abs().value() }},
	{name: "plus", min: 1, max: 1, value: func(c *Call) Value { return c.operands(number.plus) }},
	{name: "minus", min: 1, max: 1, value: func(c *Call) Value {
		return c.operands(func(a, b number) number { return a.plus(b.negated()) })
	}},
	{name: "times", min: 1, max: 1, value: times},
	{name: "divided_by", min: 1, max: 1, value: dividedBy},
	{name: "modulo", min: 1, max: 1, value: modulo},
	{name: "round", max: 1, value: round},
	{name: "ceil", value: func(c *Call) Value { return c.whole(roundUp) }},
	{name: "floor", value: func(c *Call) Value { return c.whole(roundDown) }},
	{name: "at_least", min: 1, max: 1, value: func(c *Call) Value { return c.bound(-1) }},
	{name: "at_most", min: 1, max: 1, value: func(c *Call) Value { return c.bound(1) }},
}

func (c *Call) operands(op func(a, b number) number) Value {
	return c.checked(op(toNumber(c.input), toNumber(c.args[0])))
}

// checked refuses numbers that have grown beyond reason.
func (c *Call) checked(n number) Value {
	if n.digits() > maxDigits || n.scale > maxDigits {
		c.fail(MemoryLimit, "a number has more than "+itoa(maxDigits)+" digits")
		return Nil
	}
	return n.value()
}

func times(c *Call) Value {
	a, b := toNumber(c.input), toNumber(c.args[0])
	if a.digits()+b.digits() > 2*maxDigits {
		return c.checked(a)
	}
	return c.checked(a.times(b))
}

func dividedBy(c *Call) Value {
	a, b := toNumber(c.input), toNumber(c.args[0])
	if b.isZero() && !a.decimal && !b.decimal {
		c.fail(ZeroDivisionError, "divided by 0")
		return Nil
	}
	return a.divide(b)
}

func modulo(c *Call) Value {
	b := toNumber(c.args[0])
	if b.isZero() {
		c.fail(ZeroDivisionError, "divided by 0")
		return Nil
	}
	return toNumber(c.input).modulo(b).value()
}

func round(c *Call) Value {
	places := number{}
	if len(c.args) > 0 {
		places = toNumber(c.args[0]).truncated()
	}
	n := toNumber(c.input)
	if n.odd != 0 && places.sign() <= 0 {
		c.fail(ArgumentError, "not a finite number")
		return Nil
	}
	if places.big != nil || places.small > maxDigits || places.small < -maxDigits {
		return n.value()
	}
	n = n.rounded(int32(places.small), roundHalfAway)
	if places.small <= 0 {
		n = n.integral()
	}
	return n.value()
}

func (c *Call) whole(how rounding) Value {
	n := toNumber(c.input)
	if n.odd != 0 {
		c.fail(ArgumentError, "not a finite number")
		return Nil
	}
	return n.rounded(0, how).integral().value()
}

// bound is the larger of input and argument, or with order 1 the smaller.
func (c *Call) bound(order int) Value {
	a, b := toNumber(c.input), toNumber(c.args[0])
	if a.compare(b) == order {
		a = b
	}
	return a.value()
}
