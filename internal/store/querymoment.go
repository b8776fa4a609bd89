package store

import "strings"

// withMoment puts a moment in the place of every :now of a query that is no part of a text, a quoted name or a comment, and
// tells where in the new text. PostgreSQL has no parameters with names.
func withMoment(text, moment string) (with string, put []int) {
	var out strings.Builder
	for i := 0; i < len(text); {
		if n := quotation(text[i:], i > 0 && isWordByte(text[i-1])); n > 0 {
			out.WriteString(text[i : i+n])
			i += n
			continue
		}
		if rest, is := strings.CutPrefix(text[i:], ":"+nowParameter); is && (rest == "" || !isWordByte(rest[0])) && (i == 0 || text[i-1] != ':') {
			put = append(put, out.Len())
			out.WriteString(moment)
			i += 1 + len(nowParameter)
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String(), put
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// quotation is how many bytes a text, quoted name or comment has that stands at the beginning, by PostgreSQL's rules; 0: none.
func quotation(text string, inWord bool) int {
	switch {
	case strings.HasPrefix(text, "--"):
		return through(text, "\n", 2)
	case strings.HasPrefix(text, "/*"):
		return nestedComment(text)
	case text[0] == '"':
		return through(text, `"`, 1)
	case text[0] == '\'':
		return through(text, "'", 1)
	case !inWord && len(text) > 1 && (text[0] == 'e' || text[0] == 'E') && text[1] == '\'':
		return escapedText(text)
	case !inWord && text[0] == '$':
		return dollarText(text)
	}
	return 0
}

// through is how many bytes there are until the end of what ends with a mark. A mark that is written twice ends one text and begins another, which is as good.
func through(text, mark string, from int) int {
	if n := strings.Index(text[from:], mark); n >= 0 {
		return from + n + len(mark)
	}
	return len(text)
}

func nestedComment(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// escapedText is E'…', in which a backslash keeps what follows from ending it.
func escapedText(text string) int {
	for i := 2; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(text)
}

// dollarText is $tag$…$tag$.
func dollarText(text string) int {
	end := strings.IndexByte(text[1:], '$') + 2
	if end < 2 || end > 2 && text[1] >= '0' && text[1] <= '9' || strings.ContainsFunc(text[1:end-1], func(r rune) bool { return r < 0x80 && !isWordByte(byte(r)) }) {
		return 0
	}
	return through(text, text[:end], end)
}
