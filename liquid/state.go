package liquid

import (
	"context"
	"fmt"
	"time"
	"unsafe"
)

// state is what one rendering needs beyond the program. It is pooled, and emptied before it goes back.
type state struct {
	engine   *Engine
	template *Template
	ctx      context.Context
	input    input
	root     registers
	rootCell []cell
	frame    frame
	counters []int32

	out      []byte
	maxOut   int // largest length of out
	captures []int
	scratch  []byte // strings made while rendering
	buffer   []byte // for Render
	loops    []loop
	call     Call
	args     []Value
	lazy     map[*Lazy]Value
	objects  map[string]Value

	steps, nextCheck int
	memory           int // bytes of lists and of scratch text that was given up
	depth            int // of partials
	deadline         time.Time
	pending          opcode // a break or continue that came out of an include
	err              *Error
	running          *program     // where a panic would be
	now              *instruction // of it
	folding          bool         // this is Specialize: nothing may be loaded, and the time is not known
}

// registers hold what partials share with the template that includes them, but not with one that renders them.
type registers struct {
	cycles  map[string]int
	offsets map[string]int
	changed string
	extra   map[string]*cell // variables of includes that the including template does not name
}

// cell holds a variable: what the template assigned, else what the data says.
type cell struct {
	scope, env        Value
	hasScope, hasEnv  bool
	assigned, counted bool // by the program, so that an include hands it back
}

func newState() *state {
	return &state{root: registers{cycles: map[string]int{}, offsets: map[string]int{}}}
}

// checkEvery is how many steps pass between looks at the clock and the context.
const checkEvery = 1024

func (st *state) render(ctx context.Context, t *Template, buf []byte, in input) ([]byte, error) {
	st.prepare(ctx, t, buf, in)
	if ctx.Err() != nil {
		err := canceled(ctx)
		st.reset()
		return buf, err
	}
	return st.execute(t.program, 0, int32(len(t.program.code)))
}

// prepare sets the state up for a rendering that appends to buf.
func (st *state) prepare(ctx context.Context, t *Template, buf []byte, in input) {
	e := t.engine
	st.engine, st.template, st.ctx, st.input = e, t, ctx, in
	st.out, st.maxOut = buf, len(buf)+e.limits.Output
	st.nextCheck = min(checkEvery, e.limits.Steps)
}

// execute runs instructions of the template's own program, returns the output and leaves the state empty.
func (st *state) execute(p *program, from, to int32) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			failed := &Error{Kind: InternalError, Message: fmt.Sprint("panic: ", r)}
			if st.running != nil && st.now != nil {
				failed = failed.at(st.running, st.now.pos)
			}
			err = failed
		}
		out = st.out
		st.reset()
	}()
	st.rootCell = growCells(st.rootCell, len(p.names))
	st.counters = growCounters(st.counters, p.counts)
	f := &st.frame
	*f = frame{st: st, program: p, cells: st.rootCell, counters: st.counters, regs: &st.root, input: st.input}
	f.run(from, to)
	if st.err != nil {
		err = st.err
	}
	return nil, err
}

func growCells(cells []cell, n int) []cell {
	if cap(cells) < n {
		return make([]cell, n, n+8)
	}
	return cells[:n]
}

func growCounters(counters []int32, n int) []int32 {
	if cap(counters) < n {
		return make([]int32, n)
	}
	return counters[:n]
}

// reset drops everything that the rendering left, so that the next one starts from nothing.
func (st *state) reset() {
	clear(st.rootCell[:cap(st.rootCell)])
	clear(st.loops[:cap(st.loops)])
	clear(st.args[:cap(st.args)])
	clear(st.counters)
	clear(st.root.cycles)
	clear(st.root.offsets)
	st.root.changed, st.root.extra = "", nil
	*st = state{
		root: st.root, rootCell: st.rootCell, counters: st.counters, captures: st.captures[:0],
		scratch: keep(st.scratch), buffer: st.buffer, loops: st.loops[:0], args: st.args[:0],
	}
}

func canceled(ctx context.Context) *Error {
	return &Error{Kind: Canceled, Message: "the rendering was canceled", Err: context.Cause(ctx)}
}

// fail ends the current instruction with an error. The first one counts.
func (st *state) fail(err *Error) {
	if st.err == nil {
		st.err = err
	}
}

// watch starts the clock of the time limit, unless it runs already. Most renderings are over before the first look at
// the clock, so it starts there, or where code of the application is about to run.
func (st *state) watch() {
	if st.deadline.IsZero() {
		st.deadline = time.Now().Add(st.engine.limits.Time)
	}
}

// step counts n units of work and reports whether the rendering may go on.
func (st *state) step(n int) bool {
	st.steps += n
	if st.steps < st.nextCheck {
		return true
	}
	return st.check()
}

// check enforces the limits that are not checked at each step.
func (st *state) check() bool {
	limits := &st.engine.limits
	if st.steps >= limits.Steps {
		st.fail(newError(StepLimit, "the template takes more than "+itoa(limits.Steps)+" steps"))
		return false
	}
	st.nextCheck = min(st.steps+checkEvery, limits.Steps)
	if st.ctx.Err() != nil {
		st.fail(canceled(st.ctx))
		return false
	}
	st.watch()
	if time.Now().After(st.deadline) {
		st.fail(newError(TimeLimit, "the template takes longer than "+limits.Time.String()))
		return false
	}
	return st.err == nil
}

// allocate counts n bytes of working memory and reports whether there is room for them.
func (st *state) allocate(n int) bool {
	st.memory += n
	return st.room(0)
}

// room reports whether n more bytes of intermediate text fit.
func (st *state) room(n int) bool {
	if limit := st.engine.limits.Memory; st.memory+len(st.scratch)+n > limit || n < 0 {
		st.fail(newError(MemoryLimit, "the template needs more than "+itoa(limit)+" bytes of working memory"))
		return false
	}
	return true
}

// checkOutput enforces the limit on the output.
func (st *state) checkOutput() {
	if len(st.out) > st.maxOut {
		st.failOutput()
	}
}

func (st *state) failOutput() {
	st.fail(newError(OutputLimit, "the output is longer than "+itoa(st.engine.limits.Output)+" bytes"))
}

// chargeComparison counts the work of comparing long strings, of which looking for anything but blanks is the slowest.
// That of lists and hashes counts as it is done.
func (st *state) chargeComparison(a, b Value) {
	var work int64
	if a.kind == kindString {
		work = a.n
	}
	if b.kind == kindString {
		work += b.n
	}
	if a.kind == kindBlank || b.kind == kindBlank {
		work *= 8
	}
	st.step(int(work >> 6))
}

// weight is the work of looking through a value, in steps.
func weight(v Value) int {
	switch v.kind {
	case kindString:
		return int(v.n >> 6)
	case kindList:
		return listLen(v)
	case kindHash:
		return hashLen(v)
	}
	return weightOfNumber(v)
}

func weightOfNumber(v Value) int {
	if v.kind == kindBig {
		return bigOf(v).BitLen() >> 10
	}
	return 0
}

// scratchText makes the scratch bytes from start on a value.
func (st *state) scratchText(start int) Value {
	text := st.scratch[start:]
	if len(text) == 0 {
		return String("")
	}
	v := Value{kind: kindString, n: int64(len(text)), ref: stringPtr(unsafe.SliceData(text)), flags: flagScratch} //nolint:gosec // pointer and length stay together in the Value
	return v
}

const valueSize = int(unsafe.Sizeof(Value{}))

// load resolves a lazy value, once in a rendering.
func (st *state) load(v Value) Value {
	lazy, ok := v.ref.(*Lazy)
	if !ok {
		return v
	}
	if loaded, ok := st.lazy[lazy]; ok {
		return loaded
	}
	if st.folding {
		st.fail(errNotFoldable)
		return Nil
	}
	st.watch()
	x, err := lazy.load(st.ctx)
	if err != nil {
		st.failObject(err)
		return Nil
	}
	if st.lazy == nil {
		st.lazy = map[*Lazy]Value{}
	}
	loaded := ValueOf(x)
	st.lazy[lazy] = loaded
	return loaded
}

// failObject reports an object that could not be loaded.
func (st *state) failObject(err error) {
	if st.ctx.Err() != nil {
		st.fail(canceled(st.ctx))
		return
	}
	st.fail(&Error{Kind: ObjectError, Message: "object could not be loaded: " + err.Error(), Err: err})
}

// object returns a registered object, loading it once in a rendering.
func (st *state) object(name string) (Value, bool) {
	if v, ok := st.objects[name]; ok {
		return v, true
	}
	load, ok := st.engine.objects[name]
	if !ok {
		return Nil, false
	}
	if st.folding {
		st.fail(errNotFoldable)
		return Nil, true
	}
	st.watch()
	x, err := load(st.ctx, st.input.hash())
	if err != nil {
		st.failObject(err)
		return Nil, true
	}
	if st.objects == nil {
		st.objects = map[string]Value{}
	}
	v := ValueOf(x)
	st.objects[name] = v
	return v, true
}
