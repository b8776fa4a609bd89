package liquid

import (
	"strconv"
	"strings"
)

type expressionKind uint8

const (
	exprConstant expressionKind = iota
	exprVariable                // slot, then path
	exprLocal                   // slot of a loop variable, then path
	exprDynamic                 // the variable named by low, then path
	exprRange                   // low..high
)

// expression is a literal, a variable with a path into it, or a range.
type expression struct {
	kind      expressionKind
	slot      int32
	pos       int32
	constant  Value
	path      []segment
	low, high *expression
}

// segment is one step of a path: .name, ["name"], [number] or [expression].
type segment struct {
	name    string
	command command
	loop    loopField
	index   *expression // if not a name
}

var literals = map[string]Value{
	"nil": Nil, "null": Nil, "true": Bool(true), "false": Bool(false),
	"empty": {kind: kindEmpty}, "blank": {kind: kindBlank},
}

// advance reads the next word of the current tag or output.
func (p *parser) advance() { p.word = p.words.next() }

func (p *parser) text(x lexeme) string { return p.program.source[x.pos:x.end] }

func (p *parser) at(kind lexKind, text string) bool {
	return p.word.kind == kind && p.text(p.word) == text
}

func (p *parser) accept(kind lexKind, text string) bool {
	if p.at(kind, text) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) acceptPunctuation(c string) bool { return p.accept(lexPunctuation, c) }

func (p *parser) expect(c string) *Error {
	if p.acceptPunctuation(c) {
		return nil
	}
	return p.unexpected("expected " + strconv.Quote(c))
}

func (p *parser) name() (string, *Error) {
	if p.word.kind != lexName {
		return "", p.unexpected("expected a name")
	}
	s := p.text(p.word)
	p.advance()
	return s, nil
}

// unexpected is the error for the current word.
func (p *parser) unexpected(want string) *Error {
	found := lexNames[p.word.kind]
	if p.word.kind != lexEnd {
		found = strconv.Quote(p.text(p.word))
	}
	return p.errorAt(p.word.pos, want+" but found "+found)
}

// finish demands that the tag or output ends here. Lax mode ignores the rest.
func (p *parser) finish() *Error {
	if p.word.kind == lexEnd || p.engine.lax {
		return nil
	}
	return p.unexpected("expected the end of the tag")
}

// expression parses one literal, variable or range. The literals empty and blank are the empty string here: they ask
// their question only as operands of a comparison.
func (p *parser) expression() (*expression, *Error) {
	e, err := p.operand()
	if err == nil && (e.constant.kind == kindEmpty || e.constant.kind == kindBlank) {
		e.constant = String("")
	}
	return e, err
}

// operand parses one side of a comparison.
func (p *parser) operand() (*expression, *Error) {
	if err := p.descend(); err != nil {
		return nil, err
	}
	defer p.ascend()
	word := p.word
	e := &expression{pos: int32(word.pos)}
	switch {
	case word.kind == lexString:
		e.constant = String(p.program.source[word.pos+1 : word.end-1])
		p.advance()
		return e, nil
	case word.kind == lexNumber:
		e.constant = numberOf(p.text(word))
		p.advance()
		return e, nil
	case word.kind == lexName:
		return p.variable(e)
	case p.at(lexPunctuation, "["):
		p.advance()
		return p.bracketed(e)
	case p.at(lexPunctuation, "("):
		p.advance()
		return p.rangeExpression(e)
	}
	return nil, p.unexpected("expected a value")
}

func (p *parser) variable(e *expression) (*expression, *Error) {
	name := p.text(p.word)
	p.advance()
	if !p.at(lexPunctuation, ".") && !p.at(lexPunctuation, "[") {
		if v, ok := literals[name]; ok {
			e.constant = v
			return e, nil
		}
	}
	p.resolve(e, name)
	return p.pathOf(e)
}

// resolve makes e the variable of that name: the innermost loop variable, else the slot of the template.
func (p *parser) resolve(e *expression, name string) {
	for i := len(p.locals) - 1; i >= 0; i-- {
		if p.locals[i].name == name {
			e.kind, e.slot = exprLocal, p.locals[i].slot
			return
		}
	}
	e.kind, e.slot = exprVariable, p.slot(name)
}

// bracketed parses the rest of ["name"] at the start of an expression.
func (p *parser) bracketed(e *expression) (*expression, *Error) {
	inner, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect("]"); err != nil {
		return nil, err
	}
	if inner.kind == exprConstant && inner.constant.IsString() {
		p.resolve(e, inner.constant.str())
	} else {
		e.kind, e.low = exprDynamic, inner
	}
	return p.pathOf(e)
}

func (p *parser) pathOf(e *expression) (*expression, *Error) {
	for {
		switch {
		case p.acceptPunctuation("."):
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			e.path = append(e.path, segment{name: name, command: commandOf(name), loop: loopFieldOf(name)})
		case p.acceptPunctuation("["):
			inner, err := p.expression()
			if err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			s := segment{index: inner}
			if inner.kind == exprConstant && inner.constant.IsString() {
				s = segment{name: inner.constant.str(), loop: loopFieldOf(inner.constant.str())}
			}
			e.path = append(e.path, s)
		default:
			p.use(e)
			return e, nil
		}
	}
}

func (p *parser) rangeExpression(e *expression) (*expression, *Error) {
	low, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.word.kind != lexDotDot {
		return nil, p.unexpected("expected ..")
	}
	p.advance()
	high, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	e.kind, e.low, e.high = exprRange, low, high
	if low.kind == exprConstant && high.kind == exprConstant {
		if low.constant.kind == kindBool || high.constant.kind == kindBool {
			return nil, p.errorAt(int(e.pos), "a range goes from one integer to another")
		}
		first, ok1 := rangeEnd(low.constant)
		last, ok2 := rangeEnd(high.constant)
		if ok1 && ok2 {
			return &expression{pos: e.pos, constant: Value{kind: kindRange, ref: &span{first, last}}}, nil
		}
	}
	return e, nil
}

// rangeEnd reads one end of a range: the integer that the value is or begins with.
func rangeEnd(v Value) (int64, bool) {
	n := toNumber(v).truncated()
	return n.small, n.big == nil && n.odd == 0
}

// pipelineOf parses an expression and its filters up to the end of the tag.
func (p *parser) pipelineOf() (pipeline, *Error) {
	var line pipeline
	if p.word.kind == lexEnd {
		line.base = &expression{}
		return line, nil
	}
	first := len(p.program.uses)
	base, err := p.expression()
	if err != nil {
		if !p.engine.lax || err.fatal() {
			return line, err
		}
		base = &expression{}
	}
	line.base = base
	marks := []int{first, len(p.program.uses)}
	for p.acceptPunctuation("|") {
		call, err := p.filterCall()
		if err != nil {
			if p.engine.lax && !err.fatal() {
				break
			}
			return line, err
		}
		if call.filter != nil {
			line.calls = append(line.calls, call)
			marks = append(marks, len(p.program.uses))
		}
	}
	p.markFallbacks(line, marks)
	return line, p.finish()
}

// markFallbacks notes for analysis which variables of a pipeline have a fallback: those before a filter such as
// default, and the ones that are themselves its argument if another such filter follows.
func (p *parser) markFallbacks(line pipeline, marks []int) {
	fallback := false
	for i := len(line.calls) - 1; i >= 0; i-- {
		if line.calls[i].filter.fallback {
			for u := marks[i+1]; u < marks[i+2]; u++ {
				p.program.uses[u].fallback = p.program.uses[u].fallback || fallback
			}
			fallback = true
		}
	}
	if fallback {
		for u := marks[0]; u < marks[1]; u++ {
			p.program.uses[u].fallback = true
		}
	}
}

func (p *parser) filterCall() (filterCall, *Error) {
	call := filterCall{pos: int32(p.word.pos)}
	name, err := p.name()
	if err != nil {
		return call, err
	}
	call.name, call.filter = name, p.engine.filters[name]
	if call.filter == nil && !p.engine.lax {
		e := p.errorAt(int(call.pos), "undefined filter "+strconv.Quote(name))
		e.Kind = UndefinedFilterError
		return call, e
	}
	if p.acceptPunctuation(":") {
		if err := p.arguments(&call.args, &call.named, false); err != nil {
			return call, err
		}
	}
	if call.filter == nil || p.engine.lax {
		return call, nil
	}
	if e := call.filter.checkArguments(len(call.args), call.named); e != nil {
		return call, e.at(p.program, call.pos)
	}
	return call, nil
}

// arguments parses positional and named arguments separated by commas. With loose set, commas may be left out and a
// trailing one is allowed, as the tags of the reference do.
func (p *parser) arguments(args *[]*expression, named *[]namedExpression, loose bool) *Error {
	for {
		if p.word.kind == lexEnd && loose {
			return nil
		}
		key := ""
		if p.word.kind == lexName {
			if next := p.words; next.next().isColon(p.program.source) {
				key = p.text(p.word)
				p.advance()
				p.advance()
			}
		}
		e, err := p.expression()
		if err != nil {
			return err
		}
		if key != "" {
			*named = append(*named, namedExpression{key, e})
		} else {
			*args = append(*args, e)
		}
		if !p.acceptPunctuation(",") && !loose {
			return nil
		}
	}
}

func (x lexeme) isColon(src string) bool { return x.kind == lexPunctuation && src[x.pos] == ':' }

// canonical is the source of an expression without the whitespace between its words.
func canonical(src string) string {
	var b strings.Builder
	words := lexer{src: src, end: len(src)}
	for x := words.next(); x.kind != lexEnd; x = words.next() {
		b.WriteString(src[x.pos:x.end])
	}
	return b.String()
}
