package liquid

// condition is a chain of comparisons. It is read from the left, but `and` and `or` bind to the right, as in the
// reference: a and b or c is a and (b or c).
type condition struct{ terms []comparison }

type comparison struct {
	left, right *expression // right is nil for a bare value
	op          operator
	pos         int32
	link        link // to the next term
}

type operator uint8

const (
	opEqual operator = iota
	opNotEqual
	opLess
	opGreater
	opLessEqual
	opGreaterEqual
	opContains
)

var operators = map[string]operator{
	"==": opEqual, "!=": opNotEqual, "<>": opNotEqual, "<": opLess, ">": opGreater,
	"<=": opLessEqual, ">=": opGreaterEqual, "contains": opContains,
}

type link uint8

const (
	linkNone link = iota
	linkAnd
	linkOr
)

func (p *parser) condition() (condition, *Error) {
	var c condition
	for {
		term, err := p.comparison()
		if err != nil {
			return c, err
		}
		switch {
		case p.accept(lexName, "and"):
			term.link = linkAnd
		case p.accept(lexName, "or"):
			term.link = linkOr
		}
		c.terms = append(c.terms, term)
		if term.link == linkNone {
			return c, p.finish()
		}
	}
}

func (p *parser) comparison() (comparison, *Error) {
	term := comparison{pos: int32(p.word.pos)}
	var err *Error
	if term.left, err = p.operand(); err != nil || p.word.kind != lexComparison {
		return term, err
	}
	op, ok := operators[p.text(p.word)]
	if !ok {
		return term, p.unexpected("expected a comparison")
	}
	term.op = op
	p.advance()
	term.right, err = p.operand()
	return term, err
}

// holds evaluates a condition.
func (f *frame) holds(c *condition) bool {
	for i := range c.terms {
		term := &c.terms[i]
		f.st.step(1)
		result := f.compare(term)
		if f.st.err != nil {
			return false
		}
		switch {
		case term.link == linkNone, term.link == linkAnd && !result, term.link == linkOr && result:
			return result
		}
	}
	return false
}

func (f *frame) compare(c *comparison) bool {
	left := f.value(c.left)
	if c.right == nil {
		return left.Truthy()
	}
	right := f.value(c.right)
	f.st.chargeComparison(left, right)
	switch c.op {
	case opEqual:
		return f.st.equal(left, right)
	case opNotEqual:
		return !f.st.equal(left, right)
	case opContains:
		return f.st.contains(left, right)
	}
	return f.st.ordered(c.op, left, right)
}

// ordered evaluates < > <= >=. Values without an order are never less or greater, but a string and a number, or
// other types that do have an order, cannot be compared: an error.
func (st *state) ordered(op operator, left, right Value) bool {
	if !hasOrder(left) || !hasOrder(right) {
		return false
	}
	cmp, ok := st.order(left, right)
	if !ok {
		st.fail(newError(ArgumentError, "comparison of "+typeName(left)+" with "+describe(right)+" failed"))
		return false
	}
	switch op {
	case opLess:
		return cmp < 0
	case opGreater:
		return cmp > 0
	case opLessEqual:
		return cmp <= 0
	}
	return cmp >= 0
}

func hasOrder(v Value) bool {
	switch v.kind {
	case kindInt, kindFloat, kindBig, kindString, kindTime:
		return true
	}
	return false
}

func typeName(v Value) string {
	switch v.kind {
	case kindString:
		return "String"
	case kindInt, kindBig:
		return "Integer"
	case kindFloat:
		return "Float"
	case kindTime:
		return "Time"
	case kindList:
		return "Array"
	case kindHash:
		return "Hash"
	}
	return "value"
}

// describe names a value in an error message: numbers by themselves, the rest by type.
func describe(v Value) string {
	if isNumber(v) {
		return v.String()
	}
	return typeName(v)
}
