package liquid

import (
	"strings"
	"unicode/utf8"
)

// pieces is the list that split makes. It is not materialised: items are cut out of the text when they are asked for,
// which costs nothing in order. Any other order makes the list after all.
type pieces struct {
	st        *state
	text      string
	separator string // "" for each character, " " for words
	flags     valueFlags
	count     int
	lastAt    int // where the last item begins
	index     int // of the item that the cursor is at
	at        int // where it begins
	items     []Value
}

// sizeOfPieces is what a split counts for in working memory.
const sizeOfPieces = 128

// split cuts its input at each separator. Empty items at the end are dropped, as in the reference.
func split(c *Call) Value {
	p := &pieces{st: c.st, text: c.text(c.input), separator: c.text(c.args[0]), flags: c.input.flags & flagScratch}
	switch p.separator {
	case "":
		p.count = utf8.RuneCountInString(p.text)
		_, size := utf8.DecodeLastRuneInString(p.text)
		p.lastAt = len(p.text) - size
	case " ":
		c.st.step(len(p.text) >> 4)
		p.text = strings.TrimFunc(p.text, isBetweenWords)
		p.scan()
	default:
		p.scan()
	}
	if !c.st.allocate(sizeOfPieces) {
		return Nil
	}
	return Value{kind: kindList, ref: p}
}

// scan counts the items up to the last one that is not empty, and forgets what stands behind it.
func (p *pieces) scan() {
	last := 0
	for i, at := 0, 0; at < len(p.text); i++ {
		end := p.end(at)
		if end > at {
			p.count, p.lastAt, last = i+1, at, end
		}
		if end == len(p.text) || i%1024 == 1023 && !p.st.step(1024/2) {
			break
		}
		at = p.next(at)
	}
	p.text = p.text[:last]
}

// isBetweenWords reports whether split at " " takes a character for whitespace.
func isBetweenWords(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// end returns where the item that begins at an offset ends.
func (p *pieces) end(at int) int {
	switch p.separator {
	case "":
		_, size := utf8.DecodeRuneInString(p.text[at:])
		return at + size
	case " ":
		for at < len(p.text) && !isBetweenWords(rune(p.text[at])) {
			at++
		}
		return at
	}
	if i := strings.Index(p.text[at:], p.separator); i >= 0 {
		return at + i
	}
	return len(p.text)
}

// next returns where the item behind the one that begins at an offset begins.
func (p *pieces) next(at int) int {
	at = p.end(at)
	if p.separator == " " {
		return len(p.text) - len(strings.TrimLeftFunc(p.text[at:], isBetweenWords))
	}
	return at + len(p.separator)
}

func (p *pieces) cut(at int) Value {
	v := String(p.text[at:p.end(at)])
	v.flags = p.flags
	return v
}

// item returns item i, which must be in the list.
func (p *pieces) item(i int) Value {
	switch {
	case p.items != nil:
		return p.items[i]
	case i == p.count-1:
		return p.cut(p.lastAt)
	case i == 0:
		p.index, p.at = 0, 0
	case i < p.index:
		return p.materialised(i)
	}
	from, skipped := p.at, i-p.index
	for ; p.index < i; p.index++ {
		p.at = p.next(p.at)
	}
	p.st.step((p.at-from)>>6 + skipped>>1)
	return p.cut(p.at)
}

// materialised makes the list and returns item i of it.
func (p *pieces) materialised(i int) Value {
	if !p.st.step(p.count) || !p.st.allocate(p.count*valueSize) {
		return Nil
	}
	items := make([]Value, p.count)
	at := 0
	for n := range items {
		items[n] = p.cut(at)
		at = p.next(at)
	}
	p.items = items
	return items[i]
}

// detached returns the list with texts of its own.
func (p *pieces) detached() *pieces {
	return &pieces{
		st: p.st, text: strings.Clone(p.text), separator: strings.Clone(p.separator), count: p.count, lastAt: p.lastAt,
	}
}
