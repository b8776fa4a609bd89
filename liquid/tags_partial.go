package liquid

func (p *parser) includeTag() (bool, *Error) {
	p.program.resumes = true
	return p.partialTag(opInclude)
}

func (p *parser) renderTag() (bool, *Error) {
	if p.word.kind != lexString {
		return false, p.unexpected("render expects the name of a partial in quotes")
	}
	return p.partialTag(opRender)
}

// partialTag parses 'name' [with|for value] [as alias] [, name: value]... of include and render.
func (p *parser) partialTag(op opcode) (bool, *Error) {
	spec := partialSpec{isolated: op == opRender}
	var err *Error
	if spec.name, err = p.expression(); err != nil {
		return false, err
	}
	if spec.name.kind == exprConstant && spec.name.constant.IsString() {
		spec.literal = spec.name.constant.str()
	}
	for _, word := range []string{"with", "for"} {
		if spec.bound == nil && p.at(lexName, word) && !p.isKey() {
			p.advance()
			spec.loop = word == "for"
			if spec.bound, err = p.expression(); err != nil {
				return false, err
			}
		}
	}
	if p.at(lexName, "as") && !p.isKey() {
		p.advance()
		if spec.alias, err = p.name(); err != nil {
			return false, err
		}
	}
	p.acceptPunctuation(",")
	var args []*expression
	if err := p.arguments(&args, &spec.args, true); err != nil {
		return false, err
	}
	if len(args) > 0 && !p.engine.lax {
		return false, p.errorAt(int(args[0].pos), "arguments of a partial need names")
	}
	p.bind(&spec)
	spec.locals, spec.aliases = p.locals, len(p.program.aliases)
	p.program.partials = append(p.program.partials, spec)
	p.emit(op, int32(len(p.program.partials)-1), 0)
	if op == opInclude {
		p.propagate()
	}
	return false, p.finish()
}

// isKey reports whether the current word is the key of a named argument.
func (p *parser) isKey() bool {
	next := p.words
	return next.next().isColon(p.program.source)
}
