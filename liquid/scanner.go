package liquid

import "strings"

type tokenKind uint8

const (
	textToken tokenKind = iota
	outputToken
	tagToken
)

// token is a piece of a template: text, {{ output }} or {% tag %}. Offsets are into the source. For outputs and tags,
// body is what stands between the delimiters and the whitespace marks.
type token struct {
	kind      tokenKind
	pos, end  int
	body      int // start of the body
	bodyEnd   int
	name      string // of a tag
	trimRight bool   // ends in -%} or -}}
}

// scanner cuts a template into tokens. It also serves the lines of a {% liquid %} tag, each of which is a tag.
type scanner struct {
	src     string
	pos     int
	end     int
	trim    bool // strip the whitespace at pos
	isLines bool
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0 }

// trimSpace strips what Liquid takes for whitespace: ASCII spaces and NUL.
func trimSpace(s string) string { return trimLeft(trimRight(s)) }

func trimLeft(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

func trimRight(s string) string {
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

// next returns the next token; ok is false at the end.
func (s *scanner) next() (t token, ok bool, err *Error) {
	if s.isLines {
		t, ok = s.nextLine()
		return t, ok, nil
	}
	for {
		t, ok, err = s.nextToken()
		if !ok || err != nil || t.kind != textToken || t.pos < t.end {
			return t, ok, err
		}
	}
}

func (s *scanner) nextToken() (t token, ok bool, err *Error) {
	if s.pos >= s.end {
		return token{}, false, nil
	}
	rest := s.src[s.pos:s.end]
	at := openIndex(rest)
	if at != 0 {
		return s.text(at), true, nil
	}
	if rest[1] == '%' {
		return s.tag()
	}
	return s.output()
}

// openIndex returns where the first {{ or {% stands, or -1.
func openIndex(s string) int {
	for i := 0; ; {
		j := strings.IndexByte(s[i:], '{')
		if j < 0 || i+j+1 >= len(s) {
			return -1
		}
		i += j
		if s[i+1] == '{' || s[i+1] == '%' {
			return i
		}
		i++
	}
}

// text returns the text up to at, an offset from pos, or to the end if it is -1.
func (s *scanner) text(at int) token {
	end := s.end
	trimEnd := false
	if at >= 0 {
		end = s.pos + at
		trimEnd = end+2 < s.end && s.src[end+2] == '-'
	}
	t := token{kind: textToken, pos: s.pos, end: end}
	s.pos = end
	if s.trim {
		for t.pos < t.end && isSpace(s.src[t.pos]) {
			t.pos++
		}
		s.trim = false
	}
	if trimEnd {
		for t.pos < t.end && isSpace(s.src[t.end-1]) {
			t.end--
		}
	}
	return t
}

func (s *scanner) tag() (token, bool, *Error) {
	length := strings.Index(s.src[s.pos+2:s.end], "%}")
	if length < 0 {
		return token{}, false, newError(SyntaxError, "tag {% is not closed by %}")
	}
	t := s.delimited(tagToken, s.pos+2+length)
	for t.body < t.bodyEnd && isSpace(s.src[t.body]) {
		t.body++
	}
	start := t.body
	if t.body < t.bodyEnd && s.src[t.body] == '#' {
		t.body++
	} else {
		for t.body < t.bodyEnd && isWord(s.src[t.body]) {
			t.body++
		}
	}
	t.name = s.src[start:t.body]
	return t, true, nil
}

func (s *scanner) output() (token, bool, *Error) {
	brace := strings.IndexByte(s.src[s.pos+2:s.end], '}')
	at := s.pos + 2 + brace
	if brace < 0 || at+1 >= s.end || s.src[at+1] != '}' || strings.Contains(s.src[s.pos+2:at], "{%") {
		return token{}, false, newError(SyntaxError, "output {{ is not closed by }}")
	}
	return s.delimited(outputToken, at), true, nil
}

// delimited makes the token that starts at pos and whose closing delimiter stands at closing.
func (s *scanner) delimited(kind tokenKind, closing int) token {
	t := token{kind: kind, pos: s.pos, end: closing + 2, body: s.pos + 2, bodyEnd: closing}
	if t.body < t.bodyEnd && s.src[t.body] == '-' {
		t.body++
	}
	if t.body < t.bodyEnd && s.src[t.bodyEnd-1] == '-' {
		t.bodyEnd--
		t.trimRight = true
	} else if closing > s.pos+2 && s.src[closing-1] == '-' {
		t.trimRight = true
	}
	s.pos = t.end
	s.trim = t.trimRight
	return t
}

func (s *scanner) nextLine() (token, bool) {
	for s.pos < s.end {
		end := s.end
		if i := strings.IndexByte(s.src[s.pos:s.end], '\n'); i >= 0 {
			end = s.pos + i
		}
		t := token{kind: tagToken, pos: s.pos, end: end, body: s.pos, bodyEnd: end}
		s.pos = min(end+1, s.end)
		for t.body < end && isSpace(s.src[t.body]) {
			t.body++
		}
		if t.body == end {
			continue
		}
		t.pos = t.body
		start := t.body
		if s.src[t.body] == '#' {
			t.body++
		} else {
			for t.body < end && isWord(s.src[t.body]) {
				t.body++
			}
		}
		t.name = s.src[start:t.body]
		return t, true
	}
	return token{}, false
}

// skipTo moves behind the tag {% name %} and returns where the text before it ends.
func (s *scanner) skipTo(name string) (textEnd int, ok bool) {
	for from := s.pos; ; {
		i := strings.Index(s.src[from:s.end], "{%")
		if i < 0 {
			return 0, false
		}
		open := from + i
		at := open + 2
		if at < s.end && s.src[at] == '-' {
			at++
		}
		for at < s.end && isSpace(s.src[at]) {
			at++
		}
		from = open + 2
		if !strings.HasPrefix(s.src[at:s.end], name) || at+len(name) < s.end && isWord(s.src[at+len(name)]) {
			continue
		}
		closing := strings.Index(s.src[at:s.end], "%}")
		if closing < 0 {
			return 0, false
		}
		closing += at
		s.pos = closing + 2
		s.trim = s.src[closing-1] == '-'
		return open, true
	}
}
