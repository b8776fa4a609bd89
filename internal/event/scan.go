package event

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// scanner goes over a JSON text once, from the front, and holds it to RFC 8259 byte by byte. It copies and decodes nothing:
// whoever wants a part of the text remembers where it began and ended. An object is gone through so:
//
//	for more := s.enter(); more; more = s.next() {
//		name := s.name()
//		s.value()
//	}
//
// and a list in the same way without names. Strings are not held to UTF-8.
type scanner struct {
	text []byte // ends where it goes wrong, so that nothing is read beyond
	at   int    // the next byte
	bad  bool   // it is no JSON, and goes wrong at that byte
	wide bool   // a string holds more than ASCII

	depth   int      // how many objects and lists are open
	objects uint64   // which of them are objects: a bit for each, the innermost last, of as many as are open beyond a multiple of 64
	outer   []uint64 // the same of those around them, 64 at a time

	floor int // the depth around the value whose own depth counts
	flaw  int // where that value is first nested too deep or has a number out of range; 0: nowhere
}

// fail ends the text where it goes wrong.
func (s *scanner) fail() { s.bad, s.text = true, s.text[:s.at] }

// found notes the first flaw of a value, which is no fault of syntax.
func (s *scanner) found(at int) {
	if s.flaw == 0 {
		s.flaw = at
	}
}

// peek gives the next byte that is not white space; 0 at the end of the text.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		if c := s.text[s.at]; c > ' ' {
			return c
		}
	}
	return s.peekBeyondSpace()
}

func (s *scanner) peekBeyondSpace() byte {
	for ; s.at < len(s.text); s.at++ {
		if c := s.text[s.at]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// end is where nothing but white space may follow.
func (s *scanner) end() {
	if s.peek(); s.at < len(s.text) {
		s.fail()
	}
}

// enter goes into the object or list that begins at the next byte, and reports whether there is anything in it.
func (s *scanner) enter() bool {
	if s.depth%64 == 0 && s.depth > 0 {
		s.outer, s.objects = append(s.outer, s.objects), 0
	}
	s.objects <<= 1
	if s.text[s.at] == '{' {
		s.objects |= 1
	}
	if s.depth++; s.depth > s.floor+maxDepth {
		s.found(s.at)
	}
	s.at++
	if s.peek() != s.closing() {
		return true
	}
	s.leave()
	return false
}

// closing is the bracket that closes what is innermost.
func (s *scanner) closing() byte {
	if s.objects&1 != 0 {
		return '}'
	}
	return ']'
}

func (s *scanner) leave() {
	s.at++
	s.objects >>= 1
	if s.depth--; s.depth%64 == 0 && s.depth > 0 {
		last := len(s.outer) - 1
		s.outer, s.objects = s.outer[:last], s.outer[last]
	}
}

// next goes on in an object or list, and leaves it where it ends.
func (s *scanner) next() bool {
	switch s.peek() {
	case ',':
		s.at++
		return true
	case s.closing():
		s.leave()
	default:
		s.fail()
	}
	return false
}

// name passes over the name of a member and gives it as it stands, in quotes; s.value follows.
func (s *scanner) name() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	from := s.at
	s.string()
	quoted := s.text[from:s.at]
	if s.peek() != ':' {
		s.fail()
		return nil
	}
	s.at++
	s.peek()
	return quoted
}

// value passes over a value and all that is in it.
func (s *scanner) value() {
	outside := s.depth
values:
	for {
		switch s.peek() {
		case '{':
			if s.enter() {
				s.name()
				continue
			}
		case '[':
			if s.enter() {
				continue
			}
		case '"':
			s.string()
		case 't':
			s.word("true")
		case 'f':
			s.word("false")
		case 'n':
			s.word("null")
		default:
			s.number()
		}
		for s.depth > outside && !s.bad {
			if s.next() {
				if s.closing() == '}' {
					s.name()
				}
				continue values
			}
		}
		return
	}
}

func (s *scanner) word(word string) {
	for i := range len(word) {
		if s.at == len(s.text) || s.text[s.at] != word[i] {
			s.fail()
			return
		}
		s.at++
	}
}

// ordinary are the bytes that stand for themselves in a string, those of ASCII.
var ordinary = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

func (s *scanner) string() {
	for i := s.at + 1; i < len(s.text); i++ {
		c := s.text[i]
		if ordinary[c] {
			continue
		}
		s.at = i
		switch {
		case c == '"':
			s.at++
			return
		case c >= utf8.RuneSelf:
			s.wide = true
		case c != '\\' || !s.escape():
			s.fail()
			return
		}
		i = s.at
	}
	s.at = len(s.text)
	s.fail()
}

// escape goes to the last byte of an escape sequence, or to the one that is wrong.
func (s *scanner) escape() bool {
	if s.at++; s.at == len(s.text) {
		return false
	}
	switch s.text[s.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if s.at++; s.at == len(s.text) || !isHex(s.text[s.at]) {
				return false
			}
		}
		return true
	}
	return false
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) number() {
	from, exponent := s.at, 0
	s.pass('-', '-')
	if !s.pass('0', '0') {
		s.digits()
	}
	if s.pass('.', '.') {
		s.digits()
	}
	if s.pass('e', 'E') {
		s.pass('+', '-')
		exponent = s.digits()
	}
	// The largest number has 309 digits, or an exponent of three.
	if s.at-from > 200 || exponent > 2 {
		if _, err := strconv.ParseFloat(string(s.text[from:s.at]), 64); errors.Is(err, strconv.ErrRange) {
			s.found(from)
		}
	}
}

// pass goes past one of two bytes where it is next.
func (s *scanner) pass(one, other byte) bool {
	is := s.at < len(s.text) && (s.text[s.at] == one || s.text[s.at] == other)
	if is {
		s.at++
	}
	return is
}

// digits passes over one or more, and says how many.
func (s *scanner) digits() int {
	from := s.at
	for s.at < len(s.text) && isDigit(s.text[s.at]) {
		s.at++
	}
	if s.at == from {
		s.fail()
	}
	return s.at - from
}
