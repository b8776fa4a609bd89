package expr

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of clause.
const (
	kindAll  = "all"
	kindAny  = "any"
	kindNot  = "not"
	kindLeaf = "leaf"
)

// clause is a part of a condition as it is written: parts joined by && or ||, one part negated, or a leaf.
type clause struct {
	kind       string
	start, end int // bytes of the text, without parentheses around
	parts      []clause
}

// clauses takes a condition apart where && , || and ! stand. The text must be one that CEL can read.
func clauses(text string) clause {
	o := outline{text: text, tokens: tokenize(text)}
	return o.clause(0, len(o.tokens))
}

// token is a word, a literal or a sign of a text.
type token struct{ start, end int }

// outline reads the joints of a text, and leaves all else to CEL.
type outline struct {
	text   string
	tokens []token
}

func (o outline) sign(i int) string { return o.text[o.tokens[i].start:o.tokens[i].end] }

func (o outline) clause(from, to int) clause {
	for to-from > 2 && o.sign(from) == "(" && o.closing(from) == to-1 {
		from, to = from+1, to-1
	}
	if from >= to {
		return clause{kind: kindLeaf}
	}
	c := clause{kind: kindLeaf, start: o.tokens[from].start, end: o.tokens[to-1].end}
	if len(o.find(from, to, "?")) > 0 {
		return c
	}
	for _, joint := range []struct{ sign, kind string }{{"||", kindAny}, {"&&", kindAll}} {
		at := o.find(from, to, joint.sign)
		if len(at) == 0 {
			continue
		}
		c.kind = joint.kind
		for _, i := range append(at, to) {
			c.parts = append(c.parts, o.clause(from, i))
			from = i + 1
		}
		return c
	}
	if o.sign(from) == "!" && len(o.find(from+1, to, "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%")) == 0 {
		c.kind = kindNot
		c.parts = []clause{o.clause(from+1, to)}
	}
	return c
}

// find lists where one of the signs stands outside of all brackets.
func (o outline) find(from, to int, signs ...string) []int {
	var found []int
	for i := from; i < to; i++ {
		switch sign := o.sign(i); {
		case slices.Contains(signs, sign):
			found = append(found, i)
		case sign == "(" || sign == "[" || sign == "{":
			i = min(o.closing(i), to)
		}
	}
	return found
}

// closing is where the bracket that opens at i closes.
func (o outline) closing(i int) int {
	depth := 0
	for ; i < len(o.tokens); i++ {
		switch o.sign(i) {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(o.tokens)
}

// arguments gives the texts between the bracket that opens at i and its end.
func (o outline) arguments(i int) []string {
	end := o.closing(i)
	var texts []string
	from := i + 1
	for _, at := range append(o.find(from, end, ","), end) {
		if at > from {
			texts = append(texts, o.text[o.tokens[from].start:o.tokens[at-1].end])
		}
		from = at + 1
	}
	return texts
}

// tokenize finds the words, literals and signs of a text; comments and space stand between them.
func tokenize(text string) []token {
	var tokens []token
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		end := i + size
		switch {
		case unicode.IsSpace(r):
			i = end
			continue
		case strings.HasPrefix(text[i:], "//"):
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(text)
			}
			continue
		case r == '"' || r == '\'' || r == '`':
			end = i + quoted(text[i:], false)
		case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			end = i + word(text[i:])
		case strings.Contains("&|=!<>", string(r)) && i+1 < len(text) && slices.Contains([]string{"&&", "||", "==", "!=", "<=", ">="}, text[i:i+2]):
			end = i + 2
		}
		tokens = append(tokens, token{i, end})
		i = end
	}
	return tokens
}

// word is the length of the name, the number, or the literal with a letter before its quotes, that a text begins with.
func word(text string) int {
	n := 0
	for n < len(text) {
		c := text[n]
		number := text[0] >= '0' && text[0] <= '9'
		switch {
		case c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf,
			number && c == '.',
			number && (c == '+' || c == '-') && !strings.HasPrefix(text, "0x") && (text[n-1] == 'e' || text[n-1] == 'E'):
			n++
			continue
		}
		break
	}
	if prefix := strings.ToLower(text[:n]); n < len(text) && (text[n] == '"' || text[n] == '\'') && (prefix == "r" || prefix == "b" || prefix == "rb" || prefix == "br") {
		return n + quoted(text[n:], strings.Contains(prefix, "r"))
	}
	return n
}

// quoted is the length of the literal in quotes that a text begins with.
func quoted(text string, raw bool) int {
	quote := text[:1]
	if triple := strings.Repeat(quote, 3); quote != "`" && strings.HasPrefix(text, triple) {
		quote = triple
	}
	for i := len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote)
		}
	}
	return len(text)
}
