package liquid

import "strings"

// tagParsers holds the tags of the language. Each parses its tag, with p at the first word behind the name, and
// reports whether the tag counts as blank: one that leaves the whitespace around it removable.
var tagParsers map[string]func(p *parser) (blank bool, err *Error)

func init() {
	tagParsers = map[string]func(p *parser) (bool, *Error){
		"assign":    (*parser).assignTag,
		"break":     func(p *parser) (bool, *Error) { return p.exitTag(opBreak) },
		"capture":   (*parser).captureTag,
		"case":      (*parser).caseTag,
		"comment":   (*parser).commentTag,
		"continue":  func(p *parser) (bool, *Error) { return p.exitTag(opContinue) },
		"cycle":     (*parser).cycleTag,
		"decrement": func(p *parser) (bool, *Error) { return p.counterTag(opDecrement) },
		"doc":       (*parser).docTag,
		"echo":      func(p *parser) (bool, *Error) { return false, p.write() },
		"for":       (*parser).forTag,
		"if":        func(p *parser) (bool, *Error) { return p.ifTag("if", opUnless) },
		"ifchanged": (*parser).ifChangedTag,
		"include":   (*parser).includeTag,
		"increment": func(p *parser) (bool, *Error) { return p.counterTag(opIncrement) },
		"liquid":    (*parser).liquidTag,
		"raw":       (*parser).rawTag,
		"render":    (*parser).renderTag,
		"tablerow":  (*parser).tableRowTag,
		"unless":    func(p *parser) (bool, *Error) { return p.ifTag("unless", opIf) },
		"#":         (*parser).inlineCommentTag,
	}
}

// isTarget reports whether c may stand in the name that assign and capture set.
func isTarget(c byte) bool { return isWord(c) || strings.IndexByte("-.[]()", c) >= 0 }

// target reads the name that assign or capture sets.
func (p *parser) target() (string, *Error) {
	start := p.word.pos
	src := p.program.source
	if start < p.tag.bodyEnd && (src[start] == '\'' || src[start] == '"') {
		start++
	}
	end := start
	for end < p.tag.bodyEnd && isTarget(src[end]) {
		end++
	}
	if end == start {
		return "", p.unexpected("expected a variable name")
	}
	p.words.pos = end
	p.words.afterDot = false
	p.advance()
	return src[start:end], nil
}

func (p *parser) assignTag() (bool, *Error) {
	name, err := p.target()
	if err != nil {
		return false, err
	}
	if err := p.expect("="); err != nil {
		return false, err
	}
	line, err := p.pipelineOf()
	if err != nil {
		return false, err
	}
	path := ""
	if len(line.calls) == 0 {
		path = p.pathText(line.base)
	}
	p.alias(name, path)
	p.emit(opAssign, p.addPipeline(line), p.slot(name))
	return true, nil
}

func (p *parser) captureTag() (bool, *Error) {
	name, err := p.target()
	if err != nil {
		return false, err
	}
	mark, slot := len(p.texts), p.slot(name)
	p.emit(opCapture, slot, 0)
	b, err := p.captured(slot, p.block)
	if err == nil && b.end.name != "endcapture" {
		err = p.unknownTag(b.end, "capture")
	}
	if err != nil {
		return false, err
	}
	p.texts = p.texts[:mark]
	p.alias(name, "")
	p.emit(opCaptured, 0, slot)
	return true, nil
}

// captured parses a block whose output is captured.
func (p *parser) captured(slot int32, parse func() (block, *Error)) (block, *Error) {
	e := p.exits[len(p.exits)-1]
	e.captures = append(e.captures, slot)
	b, err := parse()
	e.captures = e.captures[:len(e.captures)-1]
	return b, err
}

func (p *parser) exitTag(op opcode) (bool, *Error) {
	p.exit(op)
	return false, nil
}

// exit emits what break or continue does: it ends the captures inside the loop, and leaves it or this program.
func (p *parser) exit(op opcode) {
	e := p.exits[len(p.exits)-1]
	for i := len(e.captures) - 1; i >= 0; i-- {
		if e.captures[i] == changedCapture {
			p.emit(opChanged, 0, 0)
		} else {
			p.emit(opCaptured, 0, e.captures[i])
		}
	}
	if e.root {
		p.emit(op, 0, 0)
		return
	}
	i := p.emit(opJump, 0, 0)
	if op == opBreak {
		e.breaks = append(e.breaks, i)
	} else {
		e.continues = append(e.continues, i)
	}
}

// propagate emits what passes on a break or continue that came out of another program.
func (p *parser) propagate() {
	for _, op := range []opcode{opBreak, opContinue} {
		i := p.emit(opPending, int32(op), 0)
		p.exit(op)
		p.land(i)
	}
}

func (p *parser) counterTag(op opcode) (bool, *Error) {
	name := trimSpace(p.program.source[p.tag.body:p.tag.bodyEnd])
	slot := p.slot(name)
	p.alias(name, "")
	p.emit(op, slot, 0)
	return false, nil
}

func (p *parser) cycleTag() (bool, *Error) {
	spec := cycleSpec{}
	if p.word.kind == lexEnd {
		return false, p.unexpected("expected a value")
	}
	first, err := p.expression()
	if err != nil {
		return false, err
	}
	if p.acceptPunctuation(":") {
		spec.name = first
		if first, err = p.expression(); err != nil {
			return false, err
		}
	}
	spec.add(first)
	for p.acceptPunctuation(",") && p.word.kind != lexEnd {
		next, err := p.expression()
		if err != nil {
			return false, err
		}
		spec.add(next)
	}
	if spec.name == nil {
		spec.key = p.cycleKey(spec.values)
	}
	p.program.cycles = append(p.program.cycles, spec)
	p.emit(opCycle, int32(len(p.program.cycles)-1), 0)
	return false, p.finish()
}

// add adds a value, unless it is the literal nil, which the reference leaves out.
func (c *cycleSpec) add(e *expression) {
	if e.kind != exprConstant || !e.constant.IsNil() {
		c.values = append(c.values, e)
	}
}

// cycleKey is what tells an unnamed cycle from others: its values if they are literals, else its place.
func (p *parser) cycleKey(values []*expression) string {
	constants := make([]Value, len(values))
	for i, e := range values {
		if e.kind != exprConstant {
			return "\x01" + p.program.name + "\x00" + itoa(p.tag.pos)
		}
		constants[i] = e.constant
	}
	return "\x00" + string((*state)(nil).appendInspect(nil, listOf(constants)))
}

func (p *parser) ifChangedTag() (bool, *Error) {
	c := p.control()
	p.emit(opCapture, changedCapture, 0)
	b, err := p.captured(changedCapture, func() (block, *Error) {
		end, err := c.branch()
		return block{end: end}, err
	})
	if err == nil && b.end.name != "endifchanged" {
		err = p.unknownTag(b.end, "ifchanged")
	}
	if err != nil {
		return false, err
	}
	p.emit(opChanged, 0, 0)
	p.texts = p.texts[:c.mark]
	blank := c.blank
	c.blank = false
	c.close()
	return blank, nil
}

func (p *parser) inlineCommentTag() (bool, *Error) {
	for i, line := range strings.Split(p.program.source[p.tag.body:p.tag.bodyEnd], "\n") {
		if line = trimSpace(line); i > 0 && line != "" && line[0] != '#' {
			return false, p.errorAt(p.tag.pos, "each line of a comment tag must start with #")
		}
	}
	return true, nil
}

// liquidTag parses the lines inside {% liquid %}, each of them a tag.
func (p *parser) liquidTag() (bool, *Error) {
	if err := p.descend(); err != nil {
		return false, err
	}
	defer p.ascend()
	outer := p.scan
	p.scan = &scanner{src: outer.src, pos: p.tag.body, end: p.tag.bodyEnd, isLines: true}
	b, err := p.block()
	p.scan = outer
	if err == nil && b.end.name != "" {
		err = p.unknownTag(b.end, "")
	}
	return b.blank, err
}
