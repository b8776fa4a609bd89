package liquid

import "unicode/utf8"

type lexKind uint8

const (
	lexEnd lexKind = iota
	lexName
	lexNumber
	lexString
	lexComparison // == != <> < > <= >= contains
	lexDotDot
	lexPunctuation // one of | . : , [ ] ( ) ? - =
	lexBad
)

var lexNames = [...]string{
	lexEnd: "the end", lexName: "a name", lexNumber: "a number", lexString: "a string",
	lexComparison: "a comparison", lexDotDot: "..", lexPunctuation: "punctuation", lexBad: "an unexpected character",
}

// lexeme is one word of the language inside a tag or output. Offsets are into the source.
type lexeme struct {
	kind     lexKind
	pos, end int
}

// lexer reads the words of one tag or output.
type lexer struct {
	src      string
	pos, end int
	afterDot bool
}

func isNameStart(c byte) bool { return isWord(c) && !isDigit(c) }

func (l *lexer) next() lexeme {
	for l.pos < l.end && isSpace(l.src[l.pos]) {
		l.pos++
	}
	if l.pos >= l.end {
		return lexeme{lexEnd, l.end, l.end}
	}
	start := l.pos
	kind := l.scan()
	x := lexeme{kind, start, l.pos}
	if kind == lexName && !l.afterDot && l.src[start:l.pos] == "contains" {
		x.kind = lexComparison
	}
	l.afterDot = kind == lexPunctuation && l.src[start] == '.'
	return x
}

func (l *lexer) peekByte(ahead int) byte {
	if l.pos+ahead < l.end {
		return l.src[l.pos+ahead]
	}
	return 0
}

// scan moves pos behind the word that starts there.
func (l *lexer) scan() lexKind {
	c := l.src[l.pos]
	switch {
	case isNameStart(c):
		for l.pos < l.end && (isWord(l.src[l.pos]) || l.src[l.pos] == '-') {
			l.pos++
		}
		if l.peekByte(0) == '?' {
			l.pos++
		}
		return lexName
	case isDigit(c) || c == '-' && isDigit(l.peekByte(1)):
		l.pos++
		l.digits()
		if l.peekByte(0) == '.' && isDigit(l.peekByte(1)) {
			l.pos++
			l.digits()
		}
		return lexNumber
	case c == '"' || c == '\'':
		for i := l.pos + 1; i < l.end; i++ {
			if l.src[i] == c {
				l.pos = i + 1
				return lexString
			}
		}
		l.pos++
		return lexBad
	}
	l.pos++
	switch c {
	case '.':
		if l.peekByte(0) == '.' {
			l.pos++
			return lexDotDot
		}
		return lexPunctuation
	case '|', ':', ',', '[', ']', '(', ')', '?', '-':
		return lexPunctuation
	case '=', '!':
		if l.peekByte(0) == '=' {
			l.pos++
			return lexComparison
		}
		if c == '=' {
			return lexPunctuation
		}
	case '<', '>':
		if d := l.peekByte(0); d == '=' || c == '<' && d == '>' {
			l.pos++
		}
		return lexComparison
	}
	for l.pos < l.end && !utf8.RuneStart(l.src[l.pos]) {
		l.pos++ // to the end of the character, which messages show
	}
	return lexBad
}

func (l *lexer) digits() {
	for l.pos < l.end && isDigit(l.src[l.pos]) {
		l.pos++
	}
}
