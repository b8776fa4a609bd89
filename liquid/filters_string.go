package liquid

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

var stringFilters = []*filter{
	{name: "append", min: 1, max: 1, text: appendFilter, copies: true, keeps: true},
	{name: "prepend", min: 1, max: 1, text: prependFilter, copies: true, keeps: true},
	{name: "capitalize", text: capitalize, keeps: true},
	{name: "downcase", text: mapped(appendLower), keeps: true},
	{name: "upcase", text: mapped(appendUpper), keeps: true},
	{name: "strip", text: trimmed(trimSpace), keeps: true},
	{name: "lstrip", text: trimmed(trimLeft), keeps: true},
	{name: "rstrip", text: trimmed(trimRight), keeps: true},
	{name: "strip_newlines", text: stripNewlines, keeps: true},
	{name: "truncate", max: 2, text: truncate, skipsNil: true, keeps: true},
	{name: "truncatewords", max: 2, text: truncateWords, skipsNil: true, keeps: true},
	{name: "replace", min: 1, max: 2, text: replaceAll},
	{name: "replace_first", min: 1, max: 2, text: replaceFirst},
	{name: "replace_last", min: 2, max: 2, text: replaceLast},
	{name: "remove", min: 1, max: 1, text: replaceAll},
	{name: "remove_first", min: 1, max: 1, text: replaceFirst},
	{name: "remove_last", min: 1, max: 1, text: replaceLast},
	{name: "split", min: 1, max: 1, value: split},
	{name: "base64_encode", text: base64Encode(base64.StdEncoding)},
	{name: "base64_url_safe_encode", text: base64Encode(base64.URLEncoding)},
	{name: "base64_decode", text: base64Decode(base64.StdEncoding.Strict(), false)},
	{name: "base64_url_safe_decode", text: base64Decode(base64.URLEncoding.Strict(), true)},
}

// put appends text within the limit on working memory.
func (c *Call) put(dst []byte, s string) []byte {
	if len(s) > 1024 && !c.st.room(len(s)) {
		return dst
	}
	return append(dst, s...)
}

// putBeside appends text that comes to stand beside the input: escaped, if under auto-escape the input is and it is not.
func (c *Call) putBeside(dst []byte, v Value) []byte {
	s := c.text(v)
	if c.st.engine.autoEscape && c.input.isEscaped() && !v.isEscaped() && c.st.room(len(s)*6) {
		return appendEntities(dst, s)
	}
	return c.put(dst, s)
}

func appendFilter(c *Call, dst []byte) []byte {
	return c.putBeside(c.put(dst, c.text(c.input)), c.args[0])
}

func prependFilter(c *Call, dst []byte) []byte {
	return c.put(c.putBeside(dst, c.args[0]), c.text(c.input))
}

func capitalize(c *Call, dst []byte) []byte {
	s, first := c.text(c.input), true
	c.st.step(len(s) >> 3)
	for _, r := range s {
		if first {
			dst = appendTitle(dst, r)
			first = false
		} else {
			dst = appendLower(dst, r)
		}
	}
	return dst
}

// mapped is a filter that changes letters one by one.
func mapped(convert func(dst []byte, r rune) []byte) func(c *Call, dst []byte) []byte {
	return func(c *Call, dst []byte) []byte {
		s := c.text(c.input)
		c.st.step(len(s) >> 3)
		for _, r := range s {
			dst = convert(dst, r)
		}
		return dst
	}
}

func trimmed(trim func(string) string) func(c *Call, dst []byte) []byte {
	return func(c *Call, dst []byte) []byte { return append(dst, trim(c.text(c.input))...) }
}

func stripNewlines(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			continue
		}
		dst = append(dst, s[i])
	}
	return dst
}

// runePrefix returns the first n characters of s.
func runePrefix(s string, n int64) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func truncate(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	length := c.integer(0, 50)
	ellipsis := String("...")
	if len(c.args) > 1 {
		ellipsis = c.args[1]
	}
	if int64(utf8.RuneCountInString(s)) <= length {
		return append(dst, s...)
	}
	kept := max(length-int64(utf8.RuneCountInString(c.text(ellipsis))), 0)
	return c.putBeside(append(dst, runePrefix(s, kept)...), ellipsis)
}

func truncateWords(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	words := max(c.integer(0, 15), 1)
	ellipsis := String("...")
	if len(c.args) > 1 {
		ellipsis = c.args[1]
	}
	start := len(dst)
	rest := strings.TrimLeftFunc(s, isBetweenWords)
	for n := int64(0); rest != ""; n++ {
		end := 0
		for end < len(rest) && !isBetweenWords(rune(rest[end])) {
			end++
		}
		if n > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, rest[:end]...)
		rest = rest[end:]
		if rest != "" && n+1 == words { // if only by whitespace, the text is longer
			return c.putBeside(dst, ellipsis)
		}
		rest = strings.TrimLeftFunc(rest, isBetweenWords)
	}
	return append(dst[:start], s...)
}

// replacement returns what the replace and remove filters look for and put in its place.
func (c *Call) replacement() (old, replacement string) {
	if len(c.args) > 1 {
		replacement = c.text(c.args[1])
	}
	return c.text(c.args[0]), replacement
}

// expandReplacement resolves the backslashes of a replacement as the reference does: \\ is one, \0 and \& are what
// was found, and \1 to \9 are nothing.
func (c *Call) expandReplacement(replacement, found string) string {
	if strings.IndexByte(replacement, '\\') < 0 {
		return replacement
	}
	if !c.st.room(len(replacement) + len(found)*(strings.Count(replacement, "\\0")+strings.Count(replacement, "\\&"))) {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(replacement); i++ {
		if replacement[i] != '\\' || i+1 == len(replacement) {
			b.WriteByte(replacement[i])
			continue
		}
		i++
		switch escaped := replacement[i]; {
		case escaped == '\\':
			b.WriteByte(escaped)
		case escaped == '0' || escaped == '&':
			b.WriteString(found)
		case !isDigit(escaped):
			b.WriteByte('\\')
			b.WriteByte(escaped)
		}
	}
	return b.String()
}

func replaceAll(c *Call, dst []byte) []byte {
	s := c.text(c.input)
	old, replacement := c.replacement()
	if old == "" {
		return c.interleave(dst, s, c.expandReplacement(replacement, ""))
	}
	start := len(dst)
	replacement = c.expandReplacement(replacement, old)
	for {
		i := strings.Index(s, old)
		if i < 0 || !c.st.step(1) || !c.st.room(len(dst)-start+i+len(replacement)) {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i]...), replacement...)
		s = s[i+len(old):]
	}
}

// interleave puts text before, between and behind the characters of s.
func (c *Call) interleave(dst []byte, s, between string) []byte {
	n := utf8.RuneCountInString(s) + 1
	if !c.st.step(n) || !c.st.room(n*len(between)+len(s)) {
		return dst
	}
	dst = append(dst, between...)
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		dst = append(append(dst, s[i:i+size]...), between...)
		i += size
	}
	return dst
}

func replaceFirst(c *Call, dst []byte) []byte {
	old, replacement := c.replacement()
	s := c.text(c.input)
	return c.replaceAt(dst, s, strings.Index(s, old), old, c.expandReplacement(replacement, old))
}

func replaceLast(c *Call, dst []byte) []byte {
	old, replacement := c.replacement()
	s := c.text(c.input)
	return c.replaceAt(dst, s, strings.LastIndex(s, old), old, replacement)
}

func (c *Call) replaceAt(dst []byte, s string, i int, old, replacement string) []byte {
	if i < 0 {
		return append(dst, s...)
	}
	return append(c.put(append(dst, s[:i]...), replacement), s[i+len(old):]...)
}

func base64Encode(encoding *base64.Encoding) func(c *Call, dst []byte) []byte {
	return func(c *Call, dst []byte) []byte {
		return encoding.AppendEncode(dst, []byte(c.text(c.input)))
	}
}

// base64Decode is a filter that decodes; padding may be left out if lenient is set.
func base64Decode(encoding *base64.Encoding, lenient bool) func(c *Call, dst []byte) []byte {
	return func(c *Call, dst []byte) []byte {
		s := c.text(c.input)
		if lenient && len(s)%4 != 0 && !strings.HasSuffix(s, "=") {
			s += strings.Repeat("=", 4-len(s)%4)
		}
		out, err := encoding.AppendDecode(dst, []byte(s))
		if err != nil || strings.ContainsAny(s, "\r\n") {
			c.fail(ArgumentError, "invalid base64 provided to "+c.filter.name)
			return dst
		}
		return out
	}
}
