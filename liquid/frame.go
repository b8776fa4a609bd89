package liquid

// frame is a program being run: a template or one of its partials.
type frame struct {
	st       *state
	program  *program
	cells    []cell
	counters []int32
	regs     *registers
	input    input          // nothing in a partial that was rendered
	caller   *frame         // of an include
	site     *partialSpec   // where it was included
	shadow   map[int32]bool // slots of arguments of the include, which assignments do not reach
}

// value evaluates an expression.
func (f *frame) value(e *expression) Value {
	var v Value
	switch e.kind {
	case exprConstant:
		return e.constant
	case exprVariable:
		c := &f.cells[e.slot]
		switch {
		case c.hasScope:
			v = c.scope
		case c.hasEnv:
			v = c.env
		default:
			v = f.environment(e.slot)
		}
	case exprLocal:
		v = f.cells[e.slot].scope
	case exprDynamic:
		name := f.value(e.low)
		if !name.IsString() {
			return Nil
		}
		v = f.lookup(name.detached().str())
	case exprRange:
		return f.rangeValue(e)
	}
	if v.kind == kindOther {
		v = f.st.load(v)
	}
	if len(e.path) == 0 {
		return v
	}
	return f.walk(v, e)
}

// environment finds the value of a variable that was not assigned: in the data, the globals or the objects.
func (f *frame) environment(slot int32) Value {
	c := &f.cells[slot]
	name := f.program.names[slot]
	if x, ok := f.input.values[name]; ok {
		c.env, c.hasEnv = ValueOf(x), true
		return c.env
	}
	if f.input.fields != nil {
		if c.env, c.hasEnv = f.input.at(slot); c.hasEnv {
			return c.env
		}
	}
	v, ok := f.external(name)
	if !ok && f.st.engine.strictVariables {
		f.st.fail(newError(UndefinedVariableError, "undefined variable "+quoteShort(name)))
		return Nil
	}
	c.env, c.hasEnv = v, true
	return v
}

func (f *frame) external(name string) (Value, bool) {
	if v, ok := f.input.get(name); ok {
		return v, true
	}
	if x, ok := f.st.template.shared[name]; ok && f.regs == &f.st.root {
		return ValueOf(x), true
	}
	if x, ok := f.st.engine.globals[name]; ok {
		return ValueOf(x), true
	}
	return f.st.object(name)
}

// lookup finds a variable by a name known only now.
func (f *frame) lookup(name string) Value {
	if v, ok := f.find(name, nil); ok {
		return v
	}
	v, _ := f.external(name)
	return v
}

// find looks a name up among the loop variables in sight and the assigned variables, outwards through includes.
func (f *frame) find(name string, locals []local) (Value, bool) {
	for i := len(locals) - 1; i >= 0; i-- {
		if locals[i].name == name {
			return f.cells[locals[i].slot].scope, true
		}
	}
	if slot, ok := f.program.symbols[name]; ok {
		if c := &f.cells[slot]; c.hasScope {
			return c.scope, true
		} else if c.hasEnv {
			return c.env, true
		}
	}
	if f.caller != nil {
		return f.caller.find(name, f.site.locals)
	}
	if c := f.regs.extra[name]; c != nil && c.hasScope {
		return c.scope, true
	} else if c != nil && c.hasEnv {
		return c.env, true
	}
	return Nil, false
}

// walk follows the path of an expression into v.
func (f *frame) walk(v Value, e *expression) Value {
	for i := range e.path {
		s := &e.path[i]
		if s.index == nil && v.kind == kindHash {
			if member, found := v.Get(s.name); found {
				if v = member; v.kind == kindOther {
					v = f.st.load(v)
				}
				continue
			}
		}
		var ok bool
		switch {
		case v.kind == kindLoop:
			v, ok = f.st.loopProperty(v, s.loop)
		case s.index == nil:
			if s.command == commandSize && v.kind == kindString {
				f.st.step(int(v.n >> 6)) // the characters are counted
			}
			v, ok = property(v, s.name, s.command)
		default:
			key := f.value(s.index)
			f.st.step(weight(key))
			v, ok = index(v, key)
		}
		if v.kind == kindOther {
			v = f.st.load(v)
		}
		if !ok {
			if f.st.engine.strictVariables {
				f.st.fail(newError(UndefinedVariableError, "undefined variable "+quoteShort(f.program.pathSource(e))))
			}
			return Nil
		}
	}
	return v
}

// pathSource is the source of a variable, for messages.
func (p *program) pathSource(e *expression) string {
	words := lexer{src: p.source, pos: int(e.pos), end: len(p.source)}
	end := words.pos
	for {
		x := words.next()
		isPath := x.kind == lexName || x.kind == lexString || x.kind == lexNumber || x.kind == lexPunctuation && words.src[x.pos] != '|' && words.src[x.pos] != ',' && words.src[x.pos] != ':' && words.src[x.pos] != '-'
		if !isPath || x.pos != end {
			return p.source[e.pos:end]
		}
		end = x.end
	}
}

func (f *frame) rangeValue(e *expression) Value {
	first, ok1 := f.rangeEnd(e.low)
	last, ok2 := f.rangeEnd(e.high)
	if !ok1 || !ok2 {
		f.st.fail(newError(ArgumentError, "invalid integer"))
		return Nil
	}
	if !f.st.allocate(valueSize) {
		return Nil
	}
	return Value{kind: kindRange, ref: &span{first, last}}
}

// rangeEnd evaluates one end of a range. Where one of the two is a variable, both must be integers, or text, or nil.
func (f *frame) rangeEnd(e *expression) (int64, bool) {
	v := f.value(e)
	if v.kind != kindInt && v.kind != kindString && v.kind != kindNil {
		return 0, false
	}
	return rangeEnd(v)
}

// pipe evaluates a pipeline.
func (f *frame) pipe(line *pipeline) Value {
	v := f.value(line.base)
	for i := range line.calls {
		v = f.apply(&line.calls[i], v)
		if f.st.err != nil {
			return Nil
		}
	}
	return v
}

// assign sets a variable of the template.
func (f *frame) assign(slot int32, v Value) {
	if f.shadow[slot] {
		f.caller.assignOut(f.program.names[slot], v)
		return
	}
	c := &f.cells[slot]
	c.scope, c.hasScope, c.assigned = v, true, true
}

// assignOut passes an assignment on to the nearest template around an include that names the variable.
func (f *frame) assignOut(name string, v Value) {
	if slot, ok := f.program.symbols[name]; ok {
		f.assign(slot, v)
		return
	}
	if f.caller != nil {
		f.caller.assignOut(name, v)
		return
	}
	c := f.extra(name)
	c.scope, c.hasScope = v, true
}

func (f *frame) extra(name string) *cell {
	if f.regs.extra == nil {
		f.regs.extra = map[string]*cell{}
	}
	c := f.regs.extra[name]
	if c == nil {
		c = &cell{}
		f.regs.extra[name] = c
	}
	return c
}
