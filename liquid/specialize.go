package liquid

import (
	"context"
	"maps"
)

var errNotFoldable = newError(InternalError, "known only when rendering")

// Specialize returns a template in which all that depends on shared alone is already written: what all recipients of
// one send have in common, such as the campaign and its products. It renders what t would for shared and its own data
// together, in less time. The data of its renderings must not set the names in shared, nor may shared change.
//
// What depends on the time, on objects loaded on use, or on registered filters and tags is left for each rendering. So
// is everything in a template that has an include or a registered tag, because these can set any variable.
func (t *Template) Specialize(shared map[string]any) *Template {
	all := maps.Clone(t.shared)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, shared)
	t.mu.Lock()
	partials := maps.Clone(t.partials)
	t.mu.Unlock()
	special := &Template{engine: t.engine, program: t.program, shared: all, partials: partials}
	f := &folder{template: special, old: t.program}
	if f.survey() {
		special.program = f.fold()
	}
	return special
}

// folder rewrites a program with what it can compute.
type folder struct {
	template *Template
	old      *program
	made     map[int32]bool // slots that the program sets itself
	targets  map[int32]bool // instructions that are jumped to
	code     []instruction
	literals []string
	budget   int     // instructions that may still be looked at
	moved    []int32 // from old instructions to new ones
}

// maxFolding bounds how many instructions are looked at, some of them several times.
const maxFolding = 1_000_000

// jumps reports whether b of an instruction is a place in the program.
func (op opcode) jumps() bool {
	switch op {
	case opJump, opUnless, opIf, opFor, opNext, opRow, opCell, opWhen, opWhenAgain, opCaseElse, opPending, opCustom:
		return true
	}
	return false
}

// survey collects what folding needs to know, and reports whether the program can be folded at all.
func (f *folder) survey() bool {
	f.budget = maxFolding
	f.made, f.targets = map[int32]bool{}, map[int32]bool{}
	for i := range f.old.code {
		in := &f.old.code[i]
		switch in.op {
		case opInclude, opCustom:
			return false
		case opAssign, opCaptured:
			f.made[in.b] = true
		case opIncrement, opDecrement:
			f.made[in.a] = true
		}
		if in.op.jumps() {
			f.targets[in.b] = true
		}
		f.targets[in.resume] = f.targets[in.resume] || in.resume != int32(i+1)
	}
	return true
}

func (f *folder) fold() *program {
	n := int32(len(f.old.code))
	f.moved = make([]int32, n+1)
	for pc := int32(0); pc < n; {
		f.moved[pc] = int32(len(f.code))
		next := f.foldAt(pc)
		for skipped := pc + 1; skipped < next; skipped++ {
			f.moved[skipped] = int32(len(f.code))
		}
		pc = next
	}
	f.moved[n] = int32(len(f.code))
	for i := range f.code {
		in := &f.code[i]
		if in.op.jumps() {
			in.b = f.moved[in.b]
		}
		in.resume = f.moved[in.resume]
	}
	p := *f.old
	p.code, p.literals, p.uses = f.code, f.literals, nil
	for _, u := range f.old.uses {
		if _, ok := f.template.shared[u.root]; !ok {
			p.uses = append(p.uses, u)
		}
	}
	return &p
}

// foldAt folds or copies what begins at pc, and returns where to go on.
func (f *folder) foldAt(pc int32) int32 {
	in := f.old.code[pc]
	end := pc + 1
	switch in.op {
	case opFor, opRow, opUnless, opIf, opCase:
		end = in.resume
	}
	if f.isStatic(pc, end) {
		if text, ok := f.compute(pc, end); ok {
			f.write(pc, in, text)
			return end
		}
	}
	if (in.op == opUnless || in.op == opIf) && f.staticCondition(&f.old.conditions[in.a], nil) {
		if holds, ok := f.test(in.a); ok {
			f.write(pc, in, f.old.source[in.text:in.textEnd])
			if holds == (in.op == opIf) {
				return in.b
			}
			return pc + 1
		}
	}
	f.code = append(f.code, in)
	return pc + 1
}

// write emits text, as part of the text before it unless something jumps between the two.
func (f *folder) write(pc int32, in instruction, text string) {
	if text == "" {
		return
	}
	if last := len(f.code) - 1; last >= 0 && f.code[last].op == opLiteral && !f.isTarget(pc) {
		f.literals[f.code[last].a] += text
		return
	}
	f.literals = append(f.literals, text)
	f.code = append(f.code, instruction{op: opLiteral, a: int32(len(f.literals) - 1), pos: in.pos, resume: in.resume})
}

// isTarget reports whether anything jumps to pc or to what was folded away right before it.
func (f *folder) isTarget(pc int32) bool {
	for ; pc > 0; pc-- {
		if f.targets[pc] {
			return true
		}
		if f.moved[pc-1] < int32(len(f.code)) {
			return false
		}
	}
	return false
}

// compute runs a part of the program on the shared data.
func (f *folder) compute(from, to int32) (string, bool) {
	st := newState()
	e := f.template.engine
	st.prepare(context.Background(), f.template, nil, input{})
	st.folding = true
	out, err := st.execute(f.old, from, to)
	return string(out), err == nil && len(out) <= e.limits.Output
}

// test evaluates a condition on the shared data.
func (f *folder) test(number int32) (holds, ok bool) {
	p := *f.old
	p.code = []instruction{{op: opUnless, a: number, b: 2, resume: 2}, {op: opLiteral, resume: 2}}
	p.literals = []string{"holds"}
	inner := &folder{template: f.template, old: &p}
	text, ok := inner.compute(0, 2)
	return text != "", ok
}

// isStatic reports whether the instructions depend on shared data alone, change nothing, and do not jump elsewhere.
func (f *folder) isStatic(from, to int32) bool {
	locals := map[int32]bool{}
	for pc := from; pc < to; pc++ {
		in := &f.old.code[pc]
		if f.budget--; f.budget < 0 {
			return false
		}
		if in.op.jumps() && (in.b <= from || in.b > to) { // a jump back to from is the end of a block that began before
			return false
		}
		switch in.op {
		case opNop, opLiteral, opJump, opNext, opLeave, opCell, opRowEnd, opCase, opWhenAgain, opCaseElse:
		case opOutput:
			if !f.staticPipeline(&f.old.pipelines[in.a], locals) {
				return false
			}
		case opUnless, opIf:
			if !f.staticCondition(&f.old.conditions[in.a], locals) {
				return false
			}
		case opFor, opRow:
			loop := &f.old.loops[in.a]
			if f.old.resumes || !f.static(locals, loop.collection, loop.limit, loop.offset, loop.cols) {
				return false
			}
			locals[loop.variable], locals[loop.helper] = true, true
		case opWhen:
			when := &f.old.whens[in.a]
			if !f.static(locals, when.left) || !f.static(locals, when.values...) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (f *folder) staticPipeline(line *pipeline, locals map[int32]bool) bool {
	if !f.static(locals, line.base) {
		return false
	}
	for i := range line.calls {
		call := &line.calls[i]
		if standardFilters[call.name] != call.filter || !f.static(locals, call.args...) {
			return false
		}
		for _, arg := range call.named {
			if !f.static(locals, arg.expr) {
				return false
			}
		}
	}
	return true
}

func (f *folder) staticCondition(c *condition, locals map[int32]bool) bool {
	for i := range c.terms {
		if !f.static(locals, c.terms[i].left, c.terms[i].right) {
			return false
		}
	}
	return true
}

// static reports whether expressions depend on constants, shared data and the given loop variables alone.
func (f *folder) static(locals map[int32]bool, expressions ...*expression) bool {
	for _, e := range expressions {
		if e == nil {
			continue
		}
		switch e.kind {
		case exprVariable:
			if _, ok := f.template.shared[f.old.names[e.slot]]; !ok || f.made[e.slot] {
				return false
			}
		case exprLocal:
			if !locals[e.slot] {
				return false
			}
		case exprDynamic:
			return false
		case exprRange:
			if !f.static(locals, e.low, e.high) {
				return false
			}
		}
		for i := range e.path {
			if !f.static(locals, e.path[i].index) {
				return false
			}
		}
	}
	return true
}
