package liquid

import (
	"strings"
	"unicode/utf8"
)

// program is a compiled template: instructions that refer to tables by number. It does not change once parsed.
type program struct {
	name    string // of a partial; empty for a template
	source  string
	code    []instruction
	symbols map[string]int32 // names of variables, by slot
	names   []string         // slot to name; empty for loop variables
	resumes bool             // a loop may go on where another one ended, so that loops keep where they end
	counts  int              // counters that instructions need, see opWhen
	end     htmlContext      // where in the document it ends

	literals   []string // text that Specialize made
	pipelines  []pipeline
	conditions []condition
	loops      []loopSpec
	whens      []whenSpec
	cycles     []cycleSpec
	partials   []partialSpec
	customs    []customSpec
	uses       []use
	aliases    []alias // of the first variables assigned, for the analysis of includes
}

// instruction is one step of a program: it writes source[text:textEnd], the text before a tag, then does what op says.
// What a and b mean depends on op; pos is where it stands in the source, and resume where lax mode goes on when it
// fails.
type instruction struct {
	op            opcode
	escape        escapeMode
	a, b          int32
	text, textEnd int32
	pos           int32
	resume        int32
}

type opcode uint8

const (
	opNop       opcode = iota
	opLiteral          // write literal a
	opOutput           // write pipeline a
	opAssign           // slot b = pipeline a
	opJump             // to b
	opUnless           // jump to b unless condition a holds
	opIf               // jump to b if condition a holds
	opCapture          // start to capture output for slot a, or changedCapture
	opCaptured         // slot b = the captured output
	opFor              // start loop a, or jump to b if there is nothing to loop over
	opNext             // next round of the innermost loop, at b, or go on behind
	opLeave            // end the innermost loop
	opRow              // start tablerow a, or jump to b
	opCell             // end a cell; next one at b, or go on behind
	opRowEnd           // end the innermost tablerow
	opCase             // counter a = 1: no branch of the case has matched yet
	opWhen             // jump to b unless a value of when a matches
	opWhenAgain        // jump to b while more values of when a match
	opCaseElse         // jump to b if counter a says that a branch matched
	opCycle            // write the next value of cycle a
	opIncrement        // write and count up slot a
	opDecrement        // count down and write slot a
	opChanged          // write the captured output if it is not what it was last time
	opInclude          // run partial a in the same scope
	opRender           // run partial a in a scope of its own
	opCustom           // run custom tag a, whose body ends before b
	opPending          // jump to b unless a break or continue, as a says, came out of another program
	opBreak            // leave a loop outside this program
	opContinue         // next round of a loop outside this program
)

// pipeline is an expression and the filters that it goes through.
type pipeline struct {
	base  *expression
	calls []filterCall
}

type filterCall struct {
	filter *filter
	name   string
	args   []*expression
	named  []namedExpression
	pos    int32
}

type namedExpression struct {
	name string
	expr *expression
}

type loopSpec struct {
	name       string // "item-collection", the key of offset: continue
	variable   int32  // slot of the loop variable
	helper     int32  // slot of forloop or tablerowloop
	collection *expression
	limit      *expression
	offset     *expression
	cols       *expression
	resumes    bool // offset: continue
	reversed   bool
}

type whenSpec struct {
	left    *expression
	values  []*expression
	matched int32 // counter of the case
	again   int32 // counter of this branch
}

type cycleSpec struct {
	key    string // of an unnamed cycle
	name   *expression
	values []*expression
}

type partialSpec struct {
	name     *expression
	literal  string // name, where it is a literal
	bound    *expression
	alias    string
	loop     bool // for, not with
	args     []namedExpression
	locals   []local     // loop variables in sight
	isolated bool        // render, not include
	bindings bindings    // what it is given, for analysis
	aliases  int         // how many of the aliases of the program it can see
	context  htmlContext // where it begins
}

type customSpec struct {
	tag    *Tag
	name   string
	markup string
	args   []*expression
	named  []namedExpression
	body   int32 // first instruction of the body
}

// local is a loop variable in sight.
type local struct {
	name string
	slot int32
	path string // of its items in the data, or ""
}

// alias is a variable that a program assigned, with the path in the data that it stands for, or "".
type alias struct{ name, path string }

// position returns the line and column of an offset in the source, both from 1.
func (p *program) position(offset int) (line, column int) {
	at := cursor{source: p.source}
	return at.position(offset)
}

// cursor tells lines and columns. It goes on from where it was, so that offsets in order cost one pass over the source.
type cursor struct {
	source                string
	offset, lines, column int // what lies before offset: newlines, and characters since the last of them
}

// position returns the line and column of an offset, both from 1.
func (c *cursor) position(offset int) (line, column int) {
	offset = min(offset, len(c.source))
	if offset < c.offset {
		*c = cursor{source: c.source}
	}
	passed := c.source[c.offset:offset]
	if newline := strings.LastIndexByte(passed, '\n'); newline >= 0 {
		c.lines += strings.Count(passed, "\n")
		c.column, passed = 0, passed[newline+1:]
	}
	c.column += utf8.RuneCountInString(passed)
	c.offset = offset
	return c.lines + 1, c.column + 1
}
