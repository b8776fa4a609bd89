package liquid

// loopHead parses "variable in collection" and returns the loop with its name.
func (p *parser) loopHead() (loopSpec, string, *Error) {
	var spec loopSpec
	variable, err := p.name()
	if err != nil {
		return spec, "", err
	}
	if !p.accept(lexName, "in") {
		return spec, "", p.unexpected("expected \"in\"")
	}
	start := p.word.pos
	if spec.collection, err = p.expression(); err != nil {
		return spec, "", err
	}
	spec.name = variable + "-" + canonical(p.program.source[start:p.word.pos])
	return spec, variable, nil
}

// loopOption parses one "name: value" of a loop.
func (p *parser) loopOption(spec *loopSpec, names string) *Error {
	if p.engine.lax && !p.isKey() {
		p.advance()
		return nil
	}
	word := p.word
	name, err := p.name()
	if err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	if name == "offset" && names == "for" && p.accept(lexName, "continue") {
		spec.resumes, p.program.resumes = true, true
		return nil
	}
	value, err := p.expression()
	if err != nil {
		return err
	}
	switch {
	case name == "limit":
		spec.limit = value
	case name == "offset":
		spec.offset = value
	case name == "cols" && names == "tablerow":
		spec.cols = value
	case name == "range" && names == "tablerow":
	default:
		if !p.engine.lax {
			return p.errorAt(word.pos, "invalid attribute "+name+" for "+names)
		}
	}
	return nil
}

// enter puts the loop variable and its helper in sight; the function that it returns takes them out.
func (p *parser) enter(spec *loopSpec, variable, helper string) func() {
	spec.variable, spec.helper = p.newSlot(""), p.newSlot("")
	path := p.pathText(spec.collection)
	if path != "" {
		path += "[]"
	}
	outer := p.locals
	// The slice is copied, because partials keep the one of their place.
	p.locals = append(outer[:len(outer):len(outer)], local{helper, spec.helper, ""}, local{variable, spec.variable, path})
	return func() { p.locals = outer }
}

func (p *parser) forTag() (bool, *Error) {
	spec, variable, err := p.loopHead()
	if err != nil {
		return false, err
	}
	spec.reversed = p.accept(lexName, "reversed")
	for p.acceptPunctuation(",") || p.word.kind == lexName {
		if p.word.kind == lexEnd {
			break
		}
		if err := p.loopOption(&spec, "for"); err != nil {
			return false, err
		}
	}
	if err := p.finish(); err != nil {
		return false, err
	}
	leave := p.enter(&spec, variable, "forloop")
	number := p.addLoop(spec)
	begin := p.emit(opFor, number, 0)
	c := p.control()
	end, err := p.loopBody(c, opNext, opLeave)
	leave()
	if err != nil {
		return false, err
	}
	if end.name == "else" {
		done := p.emit(opJump, 0, 0)
		p.land(begin)
		if end, err = c.branch(); err != nil {
			return false, err
		}
		p.land(done)
	} else {
		p.land(begin)
	}
	p.resumeHere(begin)
	if end.name != "endfor" {
		return false, p.unknownTag(end, "for")
	}
	return c.close(), nil
}

func (p *parser) addLoop(spec loopSpec) int32 {
	p.program.loops = append(p.program.loops, spec)
	return int32(len(p.program.loops) - 1)
}

// loopBody parses the body of a loop and emits what ends a round and what break leads to.
func (p *parser) loopBody(c *control, next, leave opcode) (token, *Error) {
	e := &exit{}
	p.exits = append(p.exits, e)
	body := p.here()
	end, err := c.branch()
	p.exits = p.exits[:len(p.exits)-1]
	if err != nil {
		return end, err
	}
	for _, i := range e.continues {
		p.land(i)
	}
	p.emit(next, 0, body)
	if len(e.breaks) > 0 {
		done := p.emit(opJump, 0, 0)
		for _, i := range e.breaks {
			p.land(i)
		}
		p.emit(leave, 0, 0)
		p.land(done)
	}
	return end, nil
}

func (p *parser) tableRowTag() (bool, *Error) {
	spec, variable, err := p.loopHead()
	if err != nil {
		return false, err
	}
	for p.acceptPunctuation(",") || p.word.kind == lexName {
		if p.word.kind == lexEnd {
			break
		}
		if err := p.loopOption(&spec, "tablerow"); err != nil {
			return false, err
		}
	}
	if err := p.finish(); err != nil {
		return false, err
	}
	leave := p.enter(&spec, variable, "tablerowloop")
	begin := p.emit(opRow, p.addLoop(spec), 0)
	c := p.control()
	end, err := p.loopBody(c, opCell, opRowEnd)
	leave()
	if err != nil {
		return false, err
	}
	p.land(begin)
	p.resumeHere(begin)
	if end.name != "endtablerow" {
		return false, p.unknownTag(end, "tablerow")
	}
	blank := c.blank
	c.blank = false
	c.close()
	return blank, nil
}
