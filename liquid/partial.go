package liquid

import "strings"

// partialOf returns the program that an include or render runs, and the name under which it finds its value.
func (f *frame) partialOf(spec *partialSpec) (p *program, variable string) {
	name := spec.literal
	if name == "" {
		v := f.value(spec.name)
		if !v.IsString() {
			f.st.fail(newError(ArgumentError, "the name of a partial must be a string"))
			return nil, ""
		}
		name = v.detached().str()
	}
	p, err := f.st.template.partial(name, spec.context)
	if err != nil {
		f.st.fail(err)
		return nil, ""
	}
	if spec.alias != "" {
		return p, spec.alias
	}
	return p, name[strings.LastIndexByte(name, '/')+1:]
}

// descend enters a partial and reports whether the depth allows it.
func (f *frame) descend() bool {
	f.st.depth++
	if limit := f.st.engine.limits.Depth; f.st.depth >= limit {
		f.st.fail(newError(DepthLimit, "partials are nested deeper than "+itoa(limit)))
		return false
	}
	return true
}

// costOfPartial is what a run of a partial counts for, in steps, however little the partial does.
const costOfPartial = 8

// frameFor makes the frame of a partial.
func (f *frame) frameFor(p *program) *frame {
	f.st.step(costOfPartial + len(p.names)/4)
	f.st.allocate(len(p.names) * 3 * valueSize)
	return &frame{st: f.st, program: p, cells: make([]cell, len(p.names)), counters: make([]int32, p.counts), regs: f.regs}
}

// renderPartial runs a partial in a scope of its own: it sees its arguments and the globals, nothing else.
func (f *frame) renderPartial(spec *partialSpec) {
	p, variable := f.partialOf(spec)
	defer func() { f.st.depth-- }()
	if !f.descend() || p == nil {
		return
	}
	args := make([]Value, len(spec.args))
	for i, arg := range spec.args {
		args[i] = f.value(arg.expr)
	}
	bound := Nil
	if spec.bound != nil {
		bound = f.value(spec.bound)
	}
	if spec.loop && (bound.IsList() || bound.kind == kindHash) {
		f.renderEach(p, spec, variable, bound, args)
		return
	}
	f.renderOnce(p, spec, variable, bound, args, Nil)
}

func (f *frame) renderEach(p *program, spec *partialSpec, variable string, items Value, args []Value) {
	st := f.st
	l := loop{name: p.name, parent: -1, row: 1, col: 1}
	l.length = l.over(items)
	number := len(st.loops)
	st.loops = append(st.loops, l)
	for i := range l.length {
		st.loops[number].round = i
		var item Value
		if l.keys != nil {
			item = pairOf(items, l.keys[i])
		} else {
			item = listAt(items, i)
		}
		f.renderOnce(p, spec, variable, item, args, Value{kind: kindLoop, n: int64(number)})
		if st.err != nil {
			return
		}
	}
	st.loops = st.loops[:number]
}

func (f *frame) renderOnce(p *program, spec *partialSpec, variable string, bound Value, args []Value, forloop Value) {
	inner := f.frameFor(p)
	inner.regs = &registers{cycles: map[string]int{}, offsets: map[string]int{}}
	inner.set("forloop", forloop)
	for i, arg := range spec.args {
		inner.set(arg.name, args[i])
	}
	inner.set(variable, bound)
	if f.st.err == nil {
		inner.run(0, int32(len(p.code)))
	}
	f.st.pending = opNop
}

// set gives a variable of the partial a value, if the partial names it.
func (f *frame) set(name string, v Value) {
	if slot, ok := f.program.symbols[name]; ok && !v.IsNil() {
		f.cells[slot].scope, f.cells[slot].hasScope = v, true
	}
}

// includePartial runs a partial in the scope of the template.
func (f *frame) includePartial(spec *partialSpec) {
	p, variable := f.partialOf(spec)
	defer func() { f.st.depth-- }()
	if !f.descend() || p == nil {
		return
	}
	if f.isolated() {
		f.st.fail(newError(ArgumentError, "include usage is not allowed in this context"))
		return
	}
	var bound Value
	if spec.bound != nil {
		bound = f.value(spec.bound)
	} else {
		bound = f.implicit(p.name, spec.locals)
	}
	args := make([]Value, len(spec.args))
	for i, arg := range spec.args {
		args[i] = f.value(arg.expr)
	}
	if f.st.err != nil {
		return
	}
	if bound.kind != kindList {
		f.includeOnce(p, spec, variable, bound, args)
		return
	}
	for i := range listLen(bound) {
		f.includeOnce(p, spec, variable, listAt(bound, i), args)
		if f.st.err != nil || f.st.pending != opNop {
			return
		}
	}
}

// implicit is the value of an include that names none: the variable that is called like the partial. Objects are not
// loaded for it.
func (f *frame) implicit(name string, locals []local) Value {
	if v, ok := f.find(name, locals); ok {
		return v
	}
	if v, ok := f.input.get(name); ok {
		return v
	}
	return ValueOf(f.st.template.shared[name])
}

// isolated reports whether this is, or is included by, a partial that was rendered.
func (f *frame) isolated() bool { return f.regs != &f.st.root }

func (f *frame) includeOnce(p *program, spec *partialSpec, variable string, bound Value, args []Value) {
	inner := f.frameFor(p)
	inner.input, inner.caller, inner.site = f.input, f, spec
	inner.input.fields = nil // they are by slot of the template
	for name, slot := range p.symbols {
		c := &inner.cells[slot]
		c.scope, c.hasScope = f.findScope(name, spec.locals)
		c.env, c.hasEnv = f.findEnv(name)
		if f.isLocal(name, spec.locals) {
			inner.shadowSlot(slot)
		}
	}
	for i, arg := range spec.args {
		inner.bind(arg.name, args[i])
	}
	if spec.bound != nil || !bound.IsNil() {
		inner.bind(variable, bound)
	}
	if f.st.err == nil {
		f.st.pending = inner.run(0, int32(len(p.code)))
	}
	inner.copyOut()
}

// bind gives an argument to the included partial. Assignments in it do not change the argument.
func (f *frame) bind(name string, v Value) {
	if slot, ok := f.program.symbols[name]; ok {
		f.cells[slot].scope, f.cells[slot].hasScope = v, true
		f.shadowSlot(slot)
	}
}

func (f *frame) shadowSlot(slot int32) {
	if f.shadow == nil {
		f.shadow = map[int32]bool{}
	}
	f.shadow[slot] = true
}

// isLocal reports whether a name is a loop variable, or an argument of an include, at the place of an include.
func (f *frame) isLocal(name string, locals []local) bool {
	for _, l := range locals {
		if l.name == name {
			return true
		}
	}
	if slot, ok := f.program.symbols[name]; ok {
		return f.shadow[slot]
	}
	return f.caller != nil && f.caller.isLocal(name, f.site.locals)
}

// findScope is find for assigned and loop variables only.
func (f *frame) findScope(name string, locals []local) (Value, bool) {
	for i := len(locals) - 1; i >= 0; i-- {
		if locals[i].name == name {
			return f.cells[locals[i].slot].scope, true
		}
	}
	if slot, ok := f.program.symbols[name]; ok {
		return f.cells[slot].scope, f.cells[slot].hasScope
	}
	if f.caller != nil {
		return f.caller.findScope(name, f.site.locals)
	}
	if c := f.regs.extra[name]; c != nil {
		return c.scope, c.hasScope
	}
	return Nil, false
}

// findEnv finds a counter or a value of the data that was already looked up.
func (f *frame) findEnv(name string) (Value, bool) {
	if slot, ok := f.program.symbols[name]; ok {
		return f.cells[slot].env, f.cells[slot].hasEnv
	}
	if f.caller != nil {
		return f.caller.findEnv(name)
	}
	if c := f.regs.extra[name]; c != nil {
		return c.env, c.hasEnv
	}
	return Nil, false
}

// copyOut hands what the partial assigned and counted back to the templates around it.
func (f *frame) copyOut() {
	for i := range f.cells {
		c := &f.cells[i]
		if c.assigned {
			f.caller.assignOut(f.program.names[i], c.scope)
		}
		if c.counted {
			f.caller.countOut(f.program.names[i], c.env)
		}
	}
}

// countOut passes a counter on to the nearest template around an include that names it.
func (f *frame) countOut(name string, v Value) {
	if slot, ok := f.program.symbols[name]; ok {
		c := &f.cells[slot]
		c.env, c.hasEnv, c.counted = v, true, true
		return
	}
	if f.caller != nil {
		f.caller.countOut(name, v)
		return
	}
	c := f.extra(name)
	c.env, c.hasEnv = v, true
}
