package liquid

// ifTag parses if and unless. The condition of the first branch is tested with skip, which jumps over it.
func (p *parser) ifTag(name string, skip opcode) (bool, *Error) {
	c := p.control()
	var ends, tests []int32
	guarded := map[string]bool{}
	defer p.unguard(guarded)
	op := skip
	for {
		test := int32(-1)
		if op != opNop {
			i, err := p.test(op, guarded)
			if err != nil {
				return false, err
			}
			test = i
			tests = append(tests, i)
		}
		end, err := c.branch()
		if err != nil {
			return false, err
		}
		if end.name == "elsif" || end.name == "else" {
			ends = append(ends, p.emit(opJump, 0, 0))
		}
		if test >= 0 {
			p.land(test)
		}
		switch end.name {
		case "end" + name:
			for _, i := range ends {
				p.land(i)
			}
			for _, i := range tests {
				p.resumeHere(i)
			}
			return c.close(), nil
		case "elsif":
			op = opUnless
		case "else":
			op = opNop
		default:
			return false, p.unknownTag(end, name)
		}
		p.begin(end)
	}
}

// test parses a condition and emits the jump that depends on it. What it tests guards the branches that follow.
func (p *parser) test(op opcode, guarded map[string]bool) (int32, *Error) {
	first := len(p.program.uses)
	c, err := p.condition()
	if err != nil {
		return 0, err
	}
	p.guard(first, guarded)
	p.program.conditions = append(p.program.conditions, c)
	return p.emit(op, int32(len(p.program.conditions)-1), 0), nil
}

// guard makes the variables used since first count as having a fallback, there and in the block that follows, until
// unguard is called with the same set.
func (p *parser) guard(first int, guarded map[string]bool) {
	for u := first; u < len(p.program.uses); u++ {
		path := p.program.uses[u].path
		p.program.uses[u].fallback = true
		if !guarded[path] {
			guarded[path] = true
			p.guards[path]++
		}
	}
}

func (p *parser) unguard(guarded map[string]bool) {
	for path := range guarded {
		p.guards[path]--
	}
}

func (p *parser) caseTag() (bool, *Error) {
	first := len(p.program.uses)
	left, err := p.expression()
	if err == nil {
		err = p.finish()
	}
	if err != nil {
		return false, err
	}
	guarded := map[string]bool{}
	defer p.unguard(guarded)
	p.guard(first, guarded)
	matched := p.newCounter()
	begin := p.emit(opCase, matched, 0)
	c := p.control()
	end, blank, err := p.beforeFirstWhen()
	if err != nil {
		return false, err
	}
	c.blank = blank
	for {
		p.begin(end)
		switch end.name {
		case "when":
			end, err = p.whenBranch(c, left, matched)
		case "else":
			end, err = p.caseElse(c, matched)
		case "endcase":
			p.resumeHere(begin)
			return c.close(), nil
		default:
			return false, p.unknownTag(end, "case")
		}
		if err != nil {
			return false, err
		}
	}
}

// beforeFirstWhen parses what stands between a case tag and its first branch, which is never written.
func (p *parser) beforeFirstWhen() (end token, blank bool, err *Error) {
	code, mark := len(p.program.code), len(p.texts)
	exits := p.exits
	p.exits = []*exit{{root: true}}
	b, err := p.block()
	p.exits = exits
	p.program.code = p.program.code[:code]
	p.texts = p.texts[:mark]
	return b.end, b.blank, err
}

func (p *parser) whenBranch(c *control, left *expression, matched int32) (token, *Error) {
	spec := whenSpec{left: left, matched: matched, again: p.newCounter()}
	for {
		v, err := p.operand()
		if err != nil {
			return token{}, err
		}
		spec.values = append(spec.values, v)
		if !p.acceptPunctuation(",") && !p.accept(lexName, "or") {
			break
		}
		if p.word.kind == lexEnd {
			break
		}
	}
	if err := p.finish(); err != nil {
		return token{}, err
	}
	p.program.whens = append(p.program.whens, spec)
	number := int32(len(p.program.whens) - 1)
	test := p.emit(opWhen, number, 0)
	end, err := c.branch()
	p.emit(opWhenAgain, number, test+1)
	p.land(test)
	return end, err
}

func (p *parser) caseElse(c *control, matched int32) (token, *Error) {
	if err := p.finish(); err != nil {
		return token{}, err
	}
	test := p.emit(opCaseElse, matched, 0)
	end, err := c.branch()
	p.land(test)
	return end, err
}
