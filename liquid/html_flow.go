package liquid

// flow is what is known of the document when an instruction begins: its place, and the places that the captures around
// the instruction will return to.
type flow struct {
	html  htmlContext
	outer *flow
}

func (f flow) join(other flow) flow {
	f.html = f.html.join(other.html)
	if f.outer != nil && other.outer != nil {
		outer := f.outer.join(*other.outer)
		f.outer = &outer
	}
	return f
}

func (f flow) equal(other flow) bool {
	if f.html != other.html || (f.outer == nil) != (other.outer == nil) {
		return false
	}
	return f.outer == nil || f.outer.equal(*other.outer)
}

// placing follows the document along all ways through a program, to know where each output stands: round the loops,
// past the branches, and through the partials that are named in quotes.
type placing struct {
	template *Template
	program  *program
	active   map[partialKey]bool // partials that are being placed
	at       []*flow             // by instruction; nil where nothing leads to
	again    map[int32]int32     // from the end of a registered tag to its body, which may run again
	work     []int32
}

// place sets the escape mode of each output of a program whose document begins at start, and the place where it ends.
func (t *Template) place(p *program, start htmlContext, active map[partialKey]bool) *Error {
	w := placing{template: t, program: p, active: active, at: make([]*flow, len(p.code)+1), again: map[int32]int32{}}
	for i := range p.code {
		if in := &p.code[i]; in.op == opCustom && p.customs[in.a].tag.Block {
			w.again[in.b] = p.customs[in.a].body
		}
	}
	w.reach(0, flow{html: start})
	for len(w.work) > 0 {
		last := len(w.work) - 1
		pc := w.work[last]
		w.work = w.work[:last]
		if err := w.follow(pc); err != nil {
			return err
		}
	}
	for pc := range p.code {
		w.settle(int32(pc))
	}
	p.end = start
	if end := w.at[len(p.code)]; end != nil {
		p.end = end.html
	}
	return nil
}

// reach notes that the document may be there when the instruction begins.
func (w *placing) reach(pc int32, f flow) {
	if known := w.at[pc]; known != nil {
		if f = known.join(f); f.equal(*known) {
			return
		}
	}
	w.at[pc] = &f
	if int(pc) < len(w.program.code) {
		w.work = append(w.work, pc)
	}
	if body, ok := w.again[pc]; ok {
		w.reach(body, f)
	}
}

// follow moves through an instruction to the ones behind it.
func (w *placing) follow(pc int32) *Error {
	in := &w.program.code[pc]
	f := *w.at[pc]
	f.html.feed(w.program.source[in.text:in.textEnd])
	switch in.op {
	case opOutput, opCycle:
		f.html.mode()
	case opCapture:
		outer := f
		f = flow{outer: &outer}
		if in.a == changedCapture {
			f.html = outer.html // what is captured comes back
		}
	case opCaptured:
		f = *f.outer
	case opChanged:
		f = flow{html: f.html.join(f.outer.html), outer: f.outer.outer}
	case opInclude, opRender:
		_, end, err := w.partial(&w.program.partials[in.a], f.html)
		if err != nil && (!w.template.engine.lax || err.fatal()) {
			return err
		}
		f.html = end
	case opBreak, opContinue:
		w.reach(int32(len(w.program.code)), f)
		return nil
	}
	if in.op.jumps() {
		w.reach(in.b, f)
	}
	if in.op != opJump {
		w.reach(pc+1, f)
	}
	return nil
}

// partial returns where a partial begins and ends that is used at a place of the document. One that runs for the items
// of a list may begin where it ended. One that includes itself, is not known yet, or is wrong, is taken to end where it
// began.
func (w *placing) partial(spec *partialSpec, at htmlContext) (begin, end htmlContext, err *Error) {
	begin = at
	for !w.active[partialKey{spec.literal, begin}] && spec.literal != "" {
		p, err := w.template.loadPartial(spec.literal, begin, w.active)
		if err != nil {
			return begin, begin, err.at(w.program, spec.name.pos)
		}
		switch {
		case spec.bound == nil:
			return begin, p.end, nil
		case begin.join(p.end) == begin:
			return begin, begin, nil
		}
		begin = begin.join(p.end)
	}
	return begin, begin, nil
}

// settle writes what is known in the end into the instruction. What nothing leads to gets the strictest treatment.
func (w *placing) settle(pc int32) {
	in := &w.program.code[pc]
	place := htmlContext{place: placeUnknown}
	if w.at[pc] != nil {
		place = w.at[pc].html
	}
	place.feed(w.program.source[in.text:in.textEnd])
	switch in.op {
	case opOutput, opCycle, opCustom:
		in.escape = place.mode()
	case opInclude, opRender:
		spec := &w.program.partials[in.a]
		spec.context, _, _ = w.partial(spec, place) // what is wrong with it was found on the way here
	}
}
