package liquid

import (
	"context"
	"strconv"
	"sync"
)

// Template is a parsed template. It does not change and is safe for concurrent use.
type Template struct {
	engine   *Engine
	program  *program
	shared   map[string]any // data that Specialize was given
	mu       sync.Mutex
	partials map[partialKey]*program
}

type partialKey struct {
	name    string
	context htmlContext
}

// maxPartials bounds how many partials one template may use.
const maxPartials = 1000

// Parse compiles a template. The partials that it names in quotes are loaded and compiled too. The error is an *Error
// with the line and column of what is wrong.
func (e *Engine) Parse(source string) (*Template, error) {
	p, err := e.compile("", source)
	if err != nil {
		return nil, err
	}
	t := &Template{engine: e, program: p, partials: map[partialKey]*program{}}
	if err := t.complete(p, htmlContext{}, map[partialKey]bool{}); err != nil {
		return nil, err
	}
	return t, nil
}

// complete does what is left once a program is parsed: outputs learn how to escape, and the partials that it names are
// loaded. active are the partials being completed.
func (t *Template) complete(p *program, start htmlContext, active map[partialKey]bool) *Error {
	if t.engine.autoEscape {
		if err := t.place(p, start, active); err != nil {
			return err
		}
	}
	return t.loadPartials(p, active)
}

// loadPartials compiles the partials that p names. In lax mode what is wrong with them comes up when they are used.
func (t *Template) loadPartials(p *program, active map[partialKey]bool) *Error {
	for i := range p.partials {
		spec := &p.partials[i]
		if spec.literal == "" || active[partialKey{spec.literal, spec.context}] {
			continue
		}
		if _, err := t.loadPartial(spec.literal, spec.context, active); err != nil && !t.engine.lax {
			return err.at(p, spec.name.pos)
		}
	}
	return nil
}

// partial returns the program of a partial for the place in the document where it is used.
func (t *Template) partial(name string, context htmlContext) (*program, *Error) {
	return t.loadPartial(name, context, map[partialKey]bool{})
}

func (t *Template) loadPartial(name string, context htmlContext, active map[partialKey]bool) (*program, *Error) {
	key := partialKey{name, context}
	t.mu.Lock()
	p, ok := t.partials[key]
	count := len(t.partials) + len(active)
	t.mu.Unlock()
	if ok {
		return p, nil
	}
	if t.engine.partials == nil {
		return nil, newError(PartialError, "no partials: the engine has no loader for "+quoteShort(name))
	}
	if count >= maxPartials {
		return nil, newError(PartialError, "more than "+strconv.Itoa(maxPartials)+" partials")
	}
	source, cause := t.engine.partials.Load(name)
	if cause != nil {
		return nil, asError(cause, PartialError)
	}
	p, err := t.engine.compile(name, source)
	if err != nil {
		return nil, err
	}
	active[key] = true
	err = t.complete(p, context, active)
	delete(active, key)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.partials[key] = p
	t.mu.Unlock()
	return p, nil
}

// Render runs the template and returns its output. data may hold maps with string keys, slices, structs, strings,
// booleans, numbers, json.Number, time.Time, Map, Drop, Lazy and nil; it is only read. The error is an *Error.
func (t *Template) Render(ctx context.Context, data map[string]any) (string, error) {
	return t.render(ctx, input{values: data})
}

func (t *Template) render(ctx context.Context, in input) (string, error) {
	st := t.engine.states.Get().(*state)
	defer t.engine.states.Put(st)
	out, err := st.render(ctx, t, st.buffer[:0], in)
	st.buffer = keep(out)
	if err != nil {
		return "", err
	}
	return string(out), nil
}

// AppendRender is Render that appends to buf and returns it, extended. On error it returns buf as it was.
func (t *Template) AppendRender(ctx context.Context, buf []byte, data map[string]any) ([]byte, error) {
	return t.appendRender(ctx, buf, input{values: data})
}

func (t *Template) appendRender(ctx context.Context, buf []byte, in input) ([]byte, error) {
	st := t.engine.states.Get().(*state)
	defer t.engine.states.Put(st)
	out, err := st.render(ctx, t, buf, in)
	if err != nil {
		return buf, err
	}
	return out, nil
}

// maxKept is the largest buffer that is kept for the next rendering.
const maxKept = 1 << 20

func keep(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b[:0]
}

func quoteShort(s string) string {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strconv.Quote(s)
}
