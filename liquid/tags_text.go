package liquid

import (
	"strconv"
	"strings"
)

func itoa(i int) string { return strconv.Itoa(i) }

func (p *parser) neverClosed(name string) *Error {
	return p.errorAt(p.tag.pos, strconv.Quote(name)+" tag is never closed")
}

func (p *parser) rawTag() (bool, *Error) {
	if p.word.kind != lexEnd {
		return false, p.unexpected("raw takes no arguments:")
	}
	if p.scan.isLines {
		return p.linesTag("raw", true)
	}
	start := p.scan.pos
	end, ok := p.scan.skipTo("endraw")
	if !ok {
		return false, p.neverClosed("raw")
	}
	if start < end {
		p.emitText(start, end)
	}
	return start == end, nil
}

func (p *parser) docTag() (bool, *Error) {
	if p.word.kind != lexEnd {
		return false, p.unexpected("doc takes no arguments:")
	}
	if p.scan.isLines {
		return p.linesTag("doc", false)
	}
	start := p.scan.pos
	end, ok := p.scan.skipTo("enddoc")
	if !ok {
		return false, p.neverClosed("doc")
	}
	inner := scanner{src: p.program.source, pos: start, end: end}
	if _, nested := inner.skipTo("doc"); nested {
		return false, p.errorAt(p.tag.pos, "doc tags cannot be nested")
	}
	return true, nil
}

// linesTag skips to the line that ends a tag inside {% liquid %}, writing the lines between if asked to.
func (p *parser) linesTag(name string, write bool) (bool, *Error) {
	depth := 1
	start := p.scan.pos
	for {
		t, ok := p.scan.nextLine()
		switch {
		case !ok:
			return false, p.neverClosed(name)
		case t.name == name && name == "comment":
			depth++
		case t.name == "end"+name:
			depth--
		}
		if depth == 0 {
			if write && start < t.pos {
				p.emitText(start, t.pos)
			}
			return true, nil
		}
	}
}

// commentTag skips a comment. What stands in it need not be valid, but comments and raw blocks nest.
func (p *parser) commentTag() (bool, *Error) {
	if p.scan.isLines {
		return p.linesTag("comment", false)
	}
	s := p.scan
	for depth := 1; depth > 0; {
		open := openIndex(s.src[s.pos:s.end])
		if open < 0 {
			return false, p.neverClosed("comment")
		}
		s.pos += open
		if s.src[s.pos+1] == '{' {
			p.skipOutput()
			continue
		}
		t, _, err := s.tag()
		if err != nil {
			return false, p.neverClosed("comment")
		}
		switch t.name {
		case "comment":
			depth++
		case "endcomment":
			depth--
		case "raw":
			if _, ok := s.skipTo("endraw"); !ok {
				return false, p.neverClosed("raw")
			}
		}
	}
	return true, nil
}

// skipOutput moves behind an output inside a comment. One that is not closed before the next tag swallows that tag.
func (p *parser) skipOutput() {
	s := p.scan
	rest := s.src[s.pos:s.end]
	brace := strings.IndexByte(rest, '}')
	if brace < 0 {
		s.pos = s.end
		return
	}
	end := brace + 1
	if strings.Contains(rest[:brace], "{%") {
		if i := strings.Index(rest[brace-1:], "%}"); i >= 0 {
			end = brace + 1 + i
		} else {
			end = len(rest)
		}
	}
	s.pos += end
	s.trim = false
}
