package liquid

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Filter is a filter that an application registers with WithFilter.
type Filter struct {
	// Func computes the result. It must not keep the Call.
	Func func(c *Call) (Value, error)
	// MinArgs and MaxArgs bound the positional arguments. MaxArgs below MinArgs means MinArgs.
	MinArgs, MaxArgs int
	// Named says that the filter takes named arguments.
	Named bool
	// Fallback tells analysis that the filter gives a missing value a substitute, as default does.
	Fallback bool
}

// filter is a filter as programs refer to it. Either text or value is set: text appends its result to a buffer.
type filter struct {
	name     string
	min, max int
	named    bool
	fallback bool
	text     func(c *Call, dst []byte) []byte
	value    func(c *Call) Value
	result   valueFlags // flags of the text that it makes
	keeps    bool       // the result is escaped if the input is
	skipsNil bool       // nil stays nil
	cost     int        // steps beyond the length of the input
	copies   bool       // it copies text without looking at it, which costs next to nothing
}

func (f Filter) compiled(name string) *filter {
	fn := f.Func
	return &filter{
		name: name, min: f.MinArgs, max: max(f.MinArgs, f.MaxArgs), named: f.Named, fallback: f.Fallback, cost: 1,
		value: func(c *Call) Value {
			c.input = c.input.detached()
			for i := range c.args {
				c.args[i] = c.args[i].detached()
			}
			c.st.watch()
			v, err := fn(c)
			if err != nil {
				c.st.fail(asError(err, ArgumentError))
			}
			return v
		},
	}
}

// checkArguments returns an error unless the filter takes so many arguments. Named ones that it does not take count
// as one more.
func (f *filter) checkArguments(n int, named []namedExpression) *Error {
	extra := 0
	if len(named) > 0 && !f.named {
		extra = 1
	}
	if n >= f.min && n+extra <= f.max {
		return nil
	}
	expected := itoa(f.min + 1)
	if f.max > f.min {
		expected += ".." + itoa(f.max+1)
	}
	return newError(ArgumentError, fmt.Sprintf("%s: wrong number of arguments (given %d, expected %s)", f.name, n+extra+1, expected))
}

// writesInto reports whether the text of the filter may go into the output of that escape mode as it is.
func (f *filter) writesInto(escape escapeMode) bool {
	return escape == escapeNone || escape.isMarkup() && f.result&(flagEscaped|flagRaw) != 0
}

// skips reports whether the filter leaves the value alone.
func (v Value) skips(f *filter) bool { return f.skipsNil && v.kind == kindNil }

// Call is one use of a filter: its input and arguments.
type Call struct {
	st     *state
	filter *filter
	input  Value
	args   []Value
	named  []namedValue
}

type namedValue struct {
	name  string
	value Value
}

// Input returns the value that the filter is applied to.
func (c *Call) Input() Value { return c.input }

// NumArgs returns the number of positional arguments.
func (c *Call) NumArgs() int { return len(c.args) }

// Arg returns positional argument i, or nil if there are not so many.
func (c *Call) Arg(i int) Value {
	if i < len(c.args) {
		return c.args[i]
	}
	return Nil
}

// Named returns a named argument, or nil.
func (c *Call) Named(name string) Value {
	for _, n := range c.named {
		if n.name == name {
			return n.value
		}
	}
	return Nil
}

// Context returns the context of the rendering.
func (c *Call) Context() context.Context { return c.st.ctx }

// Now returns the time by the engine's clock, in its location.
func (c *Call) Now() time.Time { return c.st.engine.clock().In(c.st.engine.zone()) }

func (c *Call) fail(kind Kind, message string) {
	c.st.fail(newError(kind, message))
}

// apply runs one filter of a pipeline.
func (f *frame) apply(call *filterCall, v Value) Value {
	st := f.st
	if v.skips(call.filter) {
		return v
	}
	if call.filter.text != nil {
		mark := len(st.scratch)
		st.scratch = f.applyText(call, v, st.scratch)
		result := st.scratchText(mark)
		result.flags |= call.filter.result
		if call.filter.keeps {
			result.flags |= v.flags & (flagEscaped | flagRaw)
		}
		st.room(0)
		return result
	}
	c := f.prepare(call, v)
	if st.err != nil {
		return Nil
	}
	result := call.filter.value(c)
	if st.err != nil {
		st.err = st.err.at(f.program, call.pos)
	}
	return result
}

// applyText runs a filter that appends to a buffer.
func (f *frame) applyText(call *filterCall, v Value, dst []byte) []byte {
	c := f.prepare(call, v)
	if f.st.err != nil {
		return dst
	}
	dst = call.filter.text(c, dst)
	if f.st.err != nil {
		f.st.err = f.st.err.at(f.program, call.pos)
	}
	return dst
}

// prepare evaluates the arguments of a filter.
func (f *frame) prepare(call *filterCall, v Value) *Call {
	st := f.st
	st.step(call.filter.work(v))
	if st.engine.lax {
		if err := call.filter.checkArguments(len(call.args), call.named); err != nil {
			st.fail(err)
		}
	}
	st.args = st.args[:0]
	for _, arg := range call.args {
		st.args = append(st.args, f.value(arg))
	}
	c := &st.call
	c.st, c.filter, c.input, c.args, c.named = st, call.filter, v, st.args, c.named[:0]
	for _, arg := range call.named {
		c.named = append(c.named, namedValue{arg.name, f.value(arg.expr)})
	}
	return c
}

// work is what a filter counts for, in steps: by the length of the text that it is applied to, more so if it looks at
// each character. The items of a list count when the filter looks at them.
func (f *filter) work(v Value) int {
	switch {
	case v.kind < kindBig:
		return 1 + f.cost
	case v.kind != kindString:
		return 1 + f.cost + weightOfNumber(v)
	case f.text == nil || f.copies:
		return 1 + f.cost + int(v.n>>6)
	}
	return 1 + f.cost + int(v.n>>4)
}

// text returns a value as filters see it in place of a string: unlike in an output, lists show their brackets.
func (c *Call) text(v Value) string {
	switch v.kind {
	case kindString:
		return v.str()
	case kindNil, kindEmpty, kindBlank:
		return ""
	}
	return string(c.st.plainText(v))
}

// integer returns argument i as an integer, or missing if it is not given.
func (c *Call) integer(i int, missing int64) int64 {
	if i >= len(c.args) {
		return missing
	}
	n, ok := integerArgument(c.args[i])
	if !ok {
		c.fail(ArgumentError, "invalid integer")
	}
	return n
}

// integerArgument reads a value as an integer where the reference is strict about it: no floats, no nil.
func integerArgument(v Value) (int64, bool) {
	switch v.kind {
	case kindInt:
		return v.n, true
	case kindBig:
		return int64(bigOf(v).Sign()) * (1<<63 - 1), true
	case kindString:
		n, err := strconv.ParseInt(strings.TrimSpace(v.str()), 0, 64)
		return n, err == nil
	}
	return 0, false
}

// standardFilters holds the filters of the language.
var standardFilters = func() map[string]*filter {
	all := map[string]*filter{}
	for _, group := range [][]*filter{
		stringFilters, htmlFilters, mathFilters, listFilters, selectFilters, dateFilters, moneyFilters, wordFilters,
	} {
		for _, f := range group {
			all[f.name] = f
		}
	}
	return all
}()
