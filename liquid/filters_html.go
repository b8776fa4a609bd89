package liquid

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

var htmlFilters = []*filter{
	{name: "escape", text: escapeFilter, result: flagEscaped, skipsNil: true},
	{name: "h", text: escapeFilter, result: flagEscaped, skipsNil: true},
	{name: "escape_once", text: escapeOnce, result: flagEscaped},
	{name: "newline_to_br", text: newlineToBR, result: flagEscaped},
	{name: "strip_html", text: stripHTML},
	{name: "url_encode", text: urlEncode, result: flagURL | flagEscaped, skipsNil: true},
	{name: "url_decode", text: urlDecode, skipsNil: true},
	{name: "raw", value: rawFilter},
	{name: "safe", value: rawFilter},
	{name: "json", text: jsonFilter},
}

func escapeFilter(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	if len(s) > 1024 && !c.st.room(len(s)*6) {
		return dst
	}
	if c.st.engine.autoEscape && c.input.flags&flagEscaped != 0 {
		return append(dst, s...)
	}
	return appendEntities(dst, s)
}

func escapeOnce(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	if len(s) > 1024 && !c.st.room(len(s)*6) {
		return dst
	}
	start := 0
	for i := range len(s) {
		entity := entityOf(s[i])
		if entity == "" || s[i] == '&' && entityLength(s[i:]) > 0 {
			continue
		}
		dst = append(append(dst, s[start:i]...), entity...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// entityLength returns the length of the entity that s begins with, or 0. s begins with &.
func entityLength(s string) int {
	i := 1
	isDecimal := i < len(s) && s[i] == '#'
	if isDecimal {
		i++
	}
	start := i
	for i < len(s) && (isDecimal && isDigit(s[i]) || !isDecimal && isNameStart(s[i]) && s[i] != '_') {
		i++
	}
	if i == start || i >= len(s) || s[i] != ';' {
		return 0
	}
	return i + 1
}

// newlineToBR puts a line break before each newline. Under auto-escape the text around them is escaped.
func newlineToBR(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	if len(s) > 1024 && !c.st.room(len(s)*7) {
		return dst
	}
	for {
		line, rest, found := strings.Cut(s, "\n")
		if found {
			line = strings.TrimSuffix(line, "\r")
		}
		if c.st.engine.autoEscape && !c.input.isEscaped() {
			dst = appendEntities(dst, line)
		} else {
			dst = append(dst, line...)
		}
		if !found {
			return dst
		}
		dst = append(dst, "<br />\n"...)
		s = rest
	}
}

// stripHTML drops scripts, comments, styles and tags.
func stripHTML(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	c.st.step(len(s) >> 2)
	start := len(dst)
	var missing [len(htmlBlocks)]bool // ends of blocks known not to follow
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			dst = append(dst, s...)
			break
		}
		dst = append(dst, s[:i]...)
		s = s[i:]
		if n := htmlBlock(s, &missing); n > 0 {
			s = s[n:]
			continue
		}
		dst = append(dst, '<')
		s = s[1:]
	}
	return dropTags(dst, start)
}

// htmlBlocks are the starts and ends of what is dropped with its content.
var htmlBlocks = [...][2]string{{"<script", "</script>"}, {"<!--", "-->"}, {"<style", "</style>"}}

// htmlBlock returns the length of the script, comment or style that s begins with, or 0.
func htmlBlock(s string, missing *[len(htmlBlocks)]bool) int {
	for i, block := range htmlBlocks {
		if missing[i] || !strings.HasPrefix(s, block[0]) {
			continue
		}
		if end := strings.Index(s[len(block[0]):], block[1]); end >= 0 {
			return len(block[0]) + end + len(block[1])
		}
		missing[i] = true
	}
	return 0
}

// dropTags removes what stands between < and > in dst from start on, in place.
func dropTags(dst []byte, start int) []byte {
	out := start
	for i := start; i < len(dst); {
		if dst[i] == '<' {
			end := bytes.IndexByte(dst[i:], '>')
			if end < 0 {
				out += copy(dst[out:], dst[i:])
				return dst[:out]
			}
			i += end + 1
			continue
		}
		dst[out] = dst[i]
		out++
		i++
	}
	return dst[:out]
}

const upperHex = "0123456789ABCDEF"

// urlEncode encodes as a form does: a space becomes +.
func urlEncode(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	if len(s) > 1024 && !c.st.room(len(s)*3) {
		return dst
	}
	for i := range len(s) {
		switch b := s[i]; {
		case isWord(b) || b == '-' || b == '.' || b == '*' || b == '~':
			dst = append(dst, b)
		case b == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[b>>4], upperHex[b&15])
		}
	}
	return dst
}

func urlDecode(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	start := len(dst)
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			dst = append(dst, ' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			dst = append(dst, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			dst = append(dst, s[i])
		}
	}
	if !utf8.Valid(dst[start:]) {
		c.fail(ArgumentError, "invalid byte sequence in UTF-8")
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// rawFilter marks text as vouched for by the author: auto-escape leaves it alone.
func rawFilter(c *Call) Value {
	v := c.input
	if v.kind != kindString {
		v = String(c.text(v))
	}
	v.flags |= flagRaw
	return v
}
