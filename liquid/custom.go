package liquid

import "context"

// Tag is a tag that an application registers with WithTag.
type Tag struct {
	// Render writes what the tag stands for. It must not keep the TagCall.
	Render func(c *TagCall) error
	// Block says that the tag has a body, up to "end" and its name.
	Block bool
	// Raw says that what follows the name is free text, not arguments separated by commas.
	Raw bool
}

// TagCall is one use of a registered tag.
type TagCall struct {
	frame *frame
	spec  *customSpec
	in    *instruction
}

// Context returns the context of the rendering.
func (c *TagCall) Context() context.Context { return c.frame.st.ctx }

// Markup returns what stands in the tag behind its name.
func (c *TagCall) Markup() string { return c.spec.markup }

// NumArgs returns the number of positional arguments.
func (c *TagCall) NumArgs() int { return len(c.spec.args) }

// Arg returns positional argument i, or nil if there are not so many.
func (c *TagCall) Arg(i int) Value {
	if i >= len(c.spec.args) {
		return Nil
	}
	return c.frame.value(c.spec.args[i]).detached()
}

// Named returns a named argument, or nil.
func (c *TagCall) Named(name string) Value {
	for _, arg := range c.spec.named {
		if arg.name == name {
			return c.frame.value(arg.expr).detached()
		}
	}
	return Nil
}

// Write writes markup as it is.
func (c *TagCall) Write(markup string) {
	c.frame.st.out = append(c.frame.st.out, markup...)
	c.frame.st.checkOutput()
}

// WriteValue writes a value, escaped for its place if the engine escapes.
func (c *TagCall) WriteValue(v Value) { c.frame.writeValue(v, c.in.escape) }

// Set gives a variable of the template a value.
func (c *TagCall) Set(name string, v Value) { c.frame.assignOut(name, v) }

// WriteBody writes the body of a block tag. It may be called any number of times; after the first call that reports
// false, a break, continue or error ends the tag.
func (c *TagCall) WriteBody() bool {
	st := c.frame.st
	if st.err == nil && st.pending == opNop && c.spec.tag.Block {
		st.pending = c.frame.run(c.spec.body, c.in.b)
	}
	return st.err == nil && st.pending == opNop
}

// Body returns what the body of a block tag writes.
func (c *TagCall) Body() string {
	st := c.frame.st
	begin := len(st.out)
	c.WriteBody()
	body := string(st.out[begin:])
	st.out = st.out[:begin]
	return body
}

// customTag parses a registered tag.
func (p *parser) customTag(name string, tag *Tag) (bool, *Error) {
	at := p.tag
	spec := customSpec{tag: tag, name: name, markup: trimSpace(p.program.source[at.body:at.bodyEnd])}
	if !tag.Raw && p.word.kind != lexEnd {
		if err := p.arguments(&spec.args, &spec.named, false); err != nil {
			return false, err
		}
		if err := p.finish(); err != nil {
			return false, err
		}
	}
	p.program.customs = append(p.program.customs, spec)
	i := p.emit(opCustom, int32(len(p.program.customs)-1), 0)
	p.program.customs[p.program.code[i].a].body = i + 1
	if tag.Block {
		exits := p.exits
		p.exits = []*exit{{root: true}}
		b, err := p.block()
		p.exits = exits
		if err == nil && b.end.name != "end"+name {
			err = p.unknownTag(b.end, name)
		}
		if err != nil {
			return false, err
		}
	}
	p.land(i)
	p.resumeHere(i)
	p.propagate()
	return false, nil
}

// runCustom runs a registered tag and returns where the program goes on.
func (f *frame) runCustom(spec *customSpec, in *instruction) int32 {
	f.st.watch()
	c := &TagCall{frame: f, spec: spec, in: in}
	if err := spec.tag.Render(c); err != nil {
		f.st.fail(asError(err, ArgumentError))
	}
	return in.b
}
