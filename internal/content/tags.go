package content

import (
	"strings"
	"unicode/utf8"
)

// A tag is one piece of Liquid inside a template: an output, a tag, or a whole comment or raw block, which other
// languages must leave untouched.
type tag struct {
	start, end int    // byte offsets in the source
	name       string // the tag's name, such as "if"; empty for an output
}

// tags lists the Liquid in src in order. An unclosed one is left out: the Liquid parser reports it.
func tags(src string) []tag {
	var list []tag
	for at := 0; ; {
		t, ok := nextTag(src, at)
		if !ok {
			return list
		}
		list = append(list, t)
		at = t.end
	}
}

// nextTag finds the first piece of Liquid at or after the offset at.
func nextTag(src string, at int) (tag, bool) {
	for {
		open := strings.IndexByte(src[at:], '{')
		if open < 0 || at+open+1 >= len(src) {
			return tag{}, false
		}
		start := at + open
		switch src[start+1] {
		case '{':
			end := strings.Index(src[start+2:], "}}")
			if end < 0 {
				return tag{}, false
			}
			return tag{start: start, end: start + 2 + end + 2}, true
		case '%':
			end := strings.Index(src[start+2:], "%}")
			if end < 0 {
				return tag{}, false
			}
			t := tag{start: start, end: start + 2 + end + 2}
			t.name = tagName(src[start+2 : t.end-2])
			if t.name == "comment" || t.name == "raw" {
				t.end = blockEnd(src, t.end, "end"+t.name)
			}
			return t, true
		}
		at = start + 1
	}
}

func tagName(inside string) string {
	inside = strings.TrimLeft(strings.TrimPrefix(inside, "-"), " \t\r\n")
	if strings.HasPrefix(inside, "#") {
		return "#"
	}
	end := strings.IndexFunc(inside, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	if end < 0 {
		return inside
	}
	return inside[:end]
}

// blockEnd finds the end of the closing tag named name; an unclosed block ends where it began.
func blockEnd(src string, from int, name string) int {
	for at := from; ; {
		open := strings.Index(src[at:], "{%")
		if open < 0 {
			return from
		}
		at += open + 2
		end := strings.Index(src[at:], "%}")
		if end < 0 {
			return from
		}
		if tagName(src[at:at+end]) == name {
			return at + end + 2
		}
	}
}

// tagIn reports whether a piece of Liquid begins at exactly the offset at.
func tagIn(src string, at int) (tag, bool) {
	if src[at] != '{' || at+1 >= len(src) || (src[at+1] != '{' && src[at+1] != '%') {
		return tag{}, false
	}
	t, ok := nextTag(src, at)
	return t, ok && t.start == at
}

// position gives the 1-based line and column, in characters, of a byte offset.
func position(src string, offset int) (line, column int) {
	before := src[:min(offset, len(src))]
	last := strings.LastIndexByte(before, '\n')
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[last+1:]) + 1
}

// offsetOf is position's inverse; a place outside src gives its nearest end.
func offsetOf(src string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(src[at:], '\n')
		if next < 0 {
			return len(src)
		}
		at += next + 1
	}
	for ; column > 1 && at < len(src); column-- {
		_, size := utf8.DecodeRuneInString(src[at:])
		at += size
	}
	return at
}

// sourceOffset maps an offset in compiled text back to the author's source. Compiling moves Liquid but never changes
// it, so the piece at the offset is found again as the occurrence of the same text with the same ordinal.
func sourceOffset(compiled, source string, offset int) int {
	var piece string
	ordinal := -1
	seen := map[string]int{}
	for _, t := range tags(compiled) {
		if t.start > offset {
			break
		}
		piece = compiled[t.start:t.end]
		ordinal = seen[piece]
		seen[piece]++
	}
	if ordinal < 0 {
		return 0
	}
	found := 0
	for _, t := range tags(source) {
		if source[t.start:t.end] != piece {
			continue
		}
		found = t.start
		if ordinal--; ordinal < 0 {
			break
		}
	}
	return found
}

// onlyTags reports whether text is Liquid and white space and nothing else.
func onlyTags(text string) bool {
	at := 0
	for _, t := range tags(text) {
		if strings.TrimSpace(text[at:t.start]) != "" {
			return false
		}
		at = t.end
	}
	return strings.TrimSpace(text[at:]) == ""
}
