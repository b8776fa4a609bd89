package liquid

import "strconv"

// run executes the instructions from pc to end. It returns the break or continue that leaves the program, or opNop.
func (f *frame) run(pc, end int32) opcode {
	outer := f.st.running
	f.st.running = f.program // a panic leaves it there, to tell where it was
	left := f.instructions(pc, end)
	f.st.running = outer
	return left
}

func (f *frame) instructions(pc, end int32) opcode {
	st := f.st
	code := f.program.code
	for pc < end {
		if !st.step(1) {
			f.locate(&code[pc])
			return opNop
		}
		in := &code[pc]
		st.now = in
		pc++
		if in.text < in.textEnd {
			st.out = append(st.out, f.program.source[in.text:in.textEnd]...)
			st.checkOutput()
		}
		switch in.op {
		case opNop:
		case opLiteral:
			st.out = append(st.out, f.program.literals[in.a]...)
			st.checkOutput()
		case opOutput:
			f.write(&f.program.pipelines[in.a], in.escape)
		case opUnless:
			if !f.holds(&f.program.conditions[in.a]) {
				pc = in.b
			}
		case opIf:
			if f.holds(&f.program.conditions[in.a]) {
				pc = in.b
			}
		case opJump:
			pc = in.b
		case opAssign:
			f.assign(in.b, f.pipe(&f.program.pipelines[in.a]))
		case opFor, opRow:
			if !f.startLoop(&f.program.loops[in.a], in.op == opRow) {
				pc = in.b
			}
		case opNext:
			if f.nextRound() {
				pc = in.b
			}
		case opCell:
			if f.endCell() {
				pc = in.b
			}
		case opBreak, opContinue:
			return in.op
		default:
			if to := f.runRare(in); to >= 0 {
				pc = to
			}
		}
		if st.err != nil {
			if !f.recover(in) {
				return opNop
			}
			st.err = nil
			pc = in.resume
		}
	}
	return opNop
}

// runRare executes the instructions that templates use less often. It returns where to go on, or -1.
func (f *frame) runRare(in *instruction) int32 {
	st := f.st
	switch in.op {
	case opCapture:
		st.captures = append(st.captures, len(st.out))
	case opCaptured:
		f.assign(in.b, f.endCapture())
	case opChanged:
		f.writeChanged()
	case opLeave:
		f.endLoop()
	case opRowEnd:
		st.out = append(st.out, "</td></tr>\n"...)
		f.endLoop()
	case opCase:
		f.counters[in.a] = 1
	case opWhen:
		if !f.startWhen(&f.program.whens[in.a]) {
			return in.b
		}
	case opWhenAgain:
		again := f.program.whens[in.a].again
		f.counters[again]--
		if f.counters[again] > 0 {
			return in.b
		}
	case opCaseElse:
		if f.counters[in.a] == 0 {
			return in.b
		}
	case opCycle:
		f.writeCycle(&f.program.cycles[in.a], in.escape)
	case opIncrement, opDecrement:
		f.count(in.a, in.op)
	case opInclude:
		f.includePartial(&f.program.partials[in.a])
	case opRender:
		f.renderPartial(&f.program.partials[in.a])
	case opCustom:
		return f.runCustom(&f.program.customs[in.a], in)
	case opPending:
		if st.pending != opcode(in.a) {
			return in.b
		}
		st.pending = opNop
	}
	return -1
}

// locate fills in where the current error happened.
func (f *frame) locate(in *instruction) { f.st.err = f.st.err.at(f.program, in.pos) }

// recover handles an error: in lax mode, unless a limit was reached, its text is written and the rendering goes on.
func (f *frame) recover(in *instruction) bool {
	f.locate(in)
	st := f.st
	if !st.engine.lax || st.err.fatal() {
		return false
	}
	if st.err.Kind != UndefinedVariableError && in.op != opAssign {
		st.out = append(st.out, st.err.inline()...)
		st.checkOutput()
	}
	return !st.err.fatal()
}

// write evaluates a pipeline and writes it, escaped for its place. A last filter that makes text puts it straight
// into the output where nothing is left to escape.
func (f *frame) write(line *pipeline, escape escapeMode) {
	st := f.st
	mark, memory := len(st.scratch), st.memory
	last := len(line.calls) - 1
	v := f.value(line.base)
	for i := 0; i < last && st.err == nil; i++ {
		v = f.apply(&line.calls[i], v)
	}
	if st.err != nil {
		return
	}
	if last >= 0 {
		call := &line.calls[last]
		if call.filter.text != nil && call.filter.writesInto(escape) && !v.skips(call.filter) {
			st.out = f.applyText(call, v, st.out)
			st.scratch, st.memory = st.scratch[:mark], memory
			st.checkOutput()
			return
		}
		v = f.apply(call, v)
		if st.err != nil {
			return
		}
	}
	f.writeValue(v, escape)
	st.scratch, st.memory = st.scratch[:mark], memory
}

// writeValue writes a value, escaped for its place.
func (f *frame) writeValue(v Value, escape escapeMode) {
	st := f.st
	switch {
	case v.kind == kindString && (escape == escapeNone || v.flags&flagRaw != 0 || escape.isMarkup() && v.flags&flagEscaped != 0):
		st.out = append(st.out, v.str()...)
	case v.kind == kindString:
		st.out = appendEscaped(st.out, v.str(), v.flags, escape)
	case v.kind == kindInt || v.kind == kindNil || v.kind == kindBool:
		st.out = appendPlain(st.out, v)
	case escape == escapeNone:
		st.out = st.appendText(st.out, v)
	case v.kind == kindList:
		f.writeList(&textWriter{}, v, escape)
		return
	default:
		mark := len(st.scratch)
		st.scratch = st.appendText(st.scratch, v)
		st.out = appendEscaped(st.out, string(st.scratch[mark:]), 0, escape)
		st.scratch = st.scratch[:mark]
	}
	st.checkOutput()
}

// writeList writes the items of a list, each escaped for its place. around knows the lists around it.
func (f *frame) writeList(around *textWriter, v Value, escape escapeMode) {
	if !around.enter(v) {
		return
	}
	for i := 0; i < listLen(v) && f.st.step(costOfWriting); i++ {
		if item := listAt(v, i); item.kind == kindList {
			f.writeList(around, item, escape)
		} else {
			f.writeValue(item, escape)
		}
	}
	around.leave()
}

// endCapture takes what was written since the capture began out of the output.
func (f *frame) endCapture() Value {
	st := f.st
	last := len(st.captures) - 1
	begin := st.captures[last]
	st.captures = st.captures[:last]
	mark := len(st.scratch)
	if st.room(len(st.out) - begin) {
		st.scratch = append(st.scratch, st.out[begin:]...)
	}
	st.out = st.out[:begin]
	v := st.scratchText(mark)
	if st.engine.autoEscape {
		v.flags |= flagEscaped
	}
	return v
}

func (f *frame) writeChanged() {
	st := f.st
	last := len(st.captures) - 1
	begin := st.captures[last]
	st.captures = st.captures[:last]
	if string(st.out[begin:]) == f.regs.changed {
		st.out = st.out[:begin]
		return
	}
	if st.allocate(len(st.out) - begin) {
		f.regs.changed = string(st.out[begin:])
	}
}

// startWhen counts the values of a when branch that the case equals.
func (f *frame) startWhen(w *whenSpec) bool {
	left := f.value(w.left)
	matches := int32(0)
	for _, value := range w.values {
		right := f.value(value)
		f.st.step(1)
		f.st.chargeComparison(left, right)
		if f.st.equal(left, right) {
			matches++
		}
	}
	if matches == 0 || f.st.err != nil {
		return false
	}
	f.counters[w.matched], f.counters[w.again] = 0, matches
	return true
}

// costOfKey is what looking up a key made while rendering counts for, in steps.
const costOfKey = 20

func (f *frame) writeCycle(c *cycleSpec, escape escapeMode) {
	key := c.key
	if c.name != nil {
		name := f.value(c.name)
		key = string(f.st.appendText([]byte{byte(name.kind) + 2}, name))
		f.st.step(costOfKey + len(key)>>6)
		f.st.allocate(len(key))
	}
	i := f.regs.cycles[key]
	if i < len(c.values) {
		f.writeValue(f.value(c.values[i]), escape)
	}
	i++
	if i >= len(c.values) {
		i = 0
	}
	f.regs.cycles[key] = i
}

// count runs increment and decrement, whose counters live beside the data, under assigned variables of that name.
func (f *frame) count(slot int32, op opcode) {
	c := &f.cells[slot]
	if !c.hasEnv {
		c.env, _ = f.external(f.program.names[slot])
		c.hasEnv = true
	}
	n, _ := c.env.Int()
	shown := n
	if op == opIncrement {
		n++
	} else {
		n--
		shown = n
	}
	c.env, c.counted = Int(n), true
	f.st.out = strconv.AppendInt(f.st.out, shown, 10)
	f.st.checkOutput()
}
