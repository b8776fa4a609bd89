package liquid

import (
	"strconv"
)

// parser turns a source into a program in one pass.
type parser struct {
	engine  *Engine
	program *program
	scan    *scanner
	words   lexer
	word    lexeme
	tag     token // being parsed

	depth   int
	label   int32 // the last instruction that others jump to
	locals  []local
	exits   []*exit           // what break and continue leave, innermost last
	texts   []int32           // text instructions of the block being parsed
	aliases map[string]string // assigned names, with the path they stand for or ""
	guards  map[string]int    // paths that enclosing conditions test, with how many of them do
}

// exit collects the jumps of break and continue tags inside a loop, or outside all loops if root is set.
type exit struct {
	root      bool
	captures  []int32 // slots of the captures open inside the loop; changedCapture for ifchanged
	breaks    []int32
	continues []int32
}

const changedCapture = -1

// block says how a block of a template ended.
type block struct {
	end   token // the tag that ended it; no name at the end of the template
	blank bool  // it writes nothing but whitespace
}

func (e *Engine) compile(name, source string) (*program, *Error) {
	p := &parser{
		engine:  e,
		program: &program{name: name, source: source, symbols: map[string]int32{}, resumes: name != ""},
		scan:    &scanner{src: source, end: len(source)},
		aliases: map[string]string{},
		guards:  map[string]int{},
		exits:   []*exit{{root: true}},
	}
	if len(source) > e.limits.Source {
		return nil, &Error{Kind: SourceLimit, Template: name, Message: "source is longer than " + strconv.Itoa(e.limits.Source) + " bytes"}
	}
	end, err := p.block()
	if err == nil && end.end.name != "" {
		err = p.unknownTag(end.end, "")
	}
	if err != nil {
		return nil, err
	}
	return p.program, nil
}

func (p *parser) errorAt(offset int, message string) *Error {
	e := newError(SyntaxError, message)
	e.Template = p.program.name
	e.Line, e.Column = p.program.position(offset)
	return e
}

func (p *parser) descend() *Error {
	p.depth++
	if p.depth > p.engine.limits.Depth {
		e := p.errorAt(p.word.pos, "nesting is deeper than "+strconv.Itoa(p.engine.limits.Depth))
		e.Kind = DepthLimit
		return e
	}
	return nil
}

func (p *parser) ascend() { p.depth-- }

// emit appends an instruction, or makes the text before it one, and returns its number.
func (p *parser) emit(op opcode, a, b int32) int32 {
	i := int32(len(p.program.code))
	in := instruction{op: op, a: a, b: b, pos: int32(p.tag.pos), resume: i + 1}
	if last := i - 1; last >= 0 && p.program.code[last].op == opNop && p.label != i {
		in.text, in.textEnd, in.resume = p.program.code[last].text, p.program.code[last].textEnd, i
		p.program.code[last] = in
		return last
	}
	p.program.code = append(p.program.code, in)
	return i
}

// emitText appends an instruction that writes a part of the source, and returns its number.
func (p *parser) emitText(from, to int) int32 {
	i := int32(len(p.program.code))
	p.program.code = append(p.program.code, instruction{text: int32(from), textEnd: int32(to), pos: int32(p.tag.pos), resume: i + 1})
	return i
}

// here returns the number of the next instruction, for others to jump to.
func (p *parser) here() int32 {
	p.label = int32(len(p.program.code))
	return p.label
}

// land makes instruction i jump to the place reached now.
func (p *parser) land(i int32) { p.program.code[i].b = p.here() }

// resumeHere makes lax mode go on at the place reached now when instruction i fails.
func (p *parser) resumeHere(i int32) { p.program.code[i].resume = p.here() }

// slot returns the slot of a variable of the template.
func (p *parser) slot(name string) int32 {
	if s, ok := p.program.symbols[name]; ok {
		return s
	}
	s := p.newSlot(name)
	p.program.symbols[name] = s
	return s
}

func (p *parser) newSlot(name string) int32 {
	s := int32(len(p.program.names))
	p.program.names = append(p.program.names, name)
	return s
}

func (p *parser) newCounter() int32 {
	p.program.counts++
	return int32(p.program.counts - 1)
}

func (p *parser) addPipeline(line pipeline) int32 {
	p.program.pipelines = append(p.program.pipelines, line)
	return int32(len(p.program.pipelines) - 1)
}

// begin starts reading the words of a tag or output.
func (p *parser) begin(t token) {
	p.tag = t
	p.words = lexer{src: p.program.source, pos: t.body, end: t.bodyEnd}
	p.advance()
}

// block parses up to a tag that is not one of its own: the end of the enclosing block, or of the template.
func (p *parser) block() (block, *Error) {
	if err := p.descend(); err != nil {
		return block{}, err
	}
	defer p.ascend()
	blank := true
	for {
		t, ok, err := p.scan.next()
		if err != nil {
			e := p.errorAt(p.scan.pos, err.Message)
			return block{}, e
		}
		if !ok {
			return block{blank: blank}, nil
		}
		switch t.kind {
		case textToken:
			blank = p.textBlock(t) && blank
		case outputToken:
			blank = false
			if err := p.output(t); err != nil {
				return block{}, err
			}
		case tagToken:
			if t.name == "" {
				return block{}, p.errorAt(t.pos, "expected the name of a tag")
			}
			parse, known := tagParsers[t.name]
			if !known {
				custom, ok := p.engine.tags[t.name]
				if !ok {
					return block{end: t, blank: blank}, nil
				}
				parse = func(p *parser) (bool, *Error) { return p.customTag(t.name, custom) }
			}
			p.begin(t)
			tagBlank, err := parse(p)
			if err != nil {
				return block{}, err
			}
			blank = blank && tagBlank
		}
	}
}

// textBlock emits text and reports whether it is only whitespace.
func (p *parser) textBlock(t token) bool {
	src := p.program.source[t.pos:t.end]
	p.tag = t
	p.texts = append(p.texts, p.emitText(t.pos, t.end))
	return trimLeft(src) == ""
}

func (p *parser) output(t token) *Error {
	p.begin(t)
	return p.write()
}

// write emits the output of a pipeline that starts at the current word.
func (p *parser) write() *Error {
	first := len(p.program.uses)
	line, err := p.pipelineOf()
	if err != nil {
		return err
	}
	for u := first; u < len(p.program.uses); u++ {
		p.program.uses[u].output = true
	}
	p.emit(opOutput, p.addPipeline(line), 0)
	return nil
}

// control parses the body of a block with several branches. Where all of it is blank, its whitespace is dropped, as
// the reference does for if, case and for.
type control struct {
	p     *parser
	mark  int
	blank bool
}

func (p *parser) control() *control {
	return &control{p: p, mark: len(p.texts), blank: true}
}

// branch parses one branch.
func (c *control) branch() (token, *Error) {
	b, err := c.p.block()
	c.blank = c.blank && b.blank
	return b.end, err
}

// close ends the block and reports whether all of it is blank.
func (c *control) close() bool {
	p := c.p
	if c.blank {
		for _, i := range p.texts[c.mark:] {
			p.program.code[i].textEnd = p.program.code[i].text
		}
	}
	p.texts = p.texts[:c.mark]
	return c.blank
}

// unknownTag is the error for a tag that does not belong where it stands.
func (p *parser) unknownTag(t token, inside string) *Error {
	switch {
	case t.name == "" && inside != "" && t.end == 0:
		return p.errorAt(len(p.program.source), strconv.Quote(inside)+" tag is never closed")
	case inside != "" && len(t.name) > 3 && t.name[:3] == "end":
		return p.errorAt(t.pos, strconv.Quote(t.name)+" is no end for "+strconv.Quote(inside)+"; use \"end"+inside+"\"")
	case t.name == "else" || t.name == "elsif" || t.name == "when" || len(t.name) > 3 && t.name[:3] == "end":
		return p.errorAt(t.pos, "unexpected tag "+strconv.Quote(t.name))
	}
	return p.errorAt(t.pos, "unknown tag "+strconv.Quote(t.name))
}
