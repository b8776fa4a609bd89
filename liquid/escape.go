package liquid

import (
	"strings"
	"unicode/utf8"
)

// escapeMode is what auto-escape does to an output, by the place where it stands.
type escapeMode uint8

const (
	escapeNone     escapeMode = iota
	escapeText                // between tags, or in a quoted attribute
	escapeUnquoted            // an attribute value without quotes, or inside a tag
	escapeURL                 // the start of a URL attribute
	escapeURLPart             // later in a URL attribute, before ? and #
	escapeURLQuery            // in the query or fragment of a URL attribute
	escapeScript              // inside <script> or an event attribute
	escapeStyle               // inside <style> or a style attribute
	escapeAnywhere            // in a place that is not known
)

// isMarkup reports whether HTML entities are all that the place needs.
func (m escapeMode) isMarkup() bool { return m == escapeText }

// entityOf returns the entity for a character that is special in HTML, or "".
func entityOf(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '\'':
		return "&#39;"
	}
	return ""
}

// isSpecial holds the characters that have an entity.
var isSpecial = [256]bool{'&': true, '<': true, '>': true, '"': true, '\'': true}

// appendEntities appends s with the characters special in HTML as entities.
func appendEntities(dst []byte, s string) []byte {
	start := 0
	for i := range len(s) {
		c := s[i]
		if !isSpecial[c] {
			continue
		}
		dst = append(append(dst, s[start:i]...), entityOf(c)...)
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// appendEscaped appends s made safe for its place.
func appendEscaped(dst []byte, s string, flags valueFlags, mode escapeMode) []byte {
	if flags&flagRaw != 0 {
		return append(dst, s...)
	}
	switch mode {
	case escapeText:
		if flags&flagEscaped != 0 {
			return append(dst, s...)
		}
		return appendEntities(dst, s)
	case escapeAnywhere:
		if !safeScheme(s, flags&flagEscaped != 0) {
			return append(dst, '#')
		}
		return appendUnquoted(dst, s)
	case escapeUnquoted:
		return appendUnquoted(dst, s)
	case escapeURL:
		if !safeScheme(s, flags&flagEscaped != 0) {
			return append(dst, "#"...)
		}
		return appendURL(dst, s, flags, false)
	case escapeURLPart:
		return appendURL(dst, s, flags, false)
	case escapeURLQuery:
		return appendURL(dst, s, flags, flags&flagURL == 0)
	case escapeScript:
		return appendScript(dst, s)
	case escapeStyle:
		return appendStyle(dst, s)
	}
	return append(dst, s...)
}

// appendUnquoted writes all but letters and digits as character references.
func appendUnquoted(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		c := s[i]
		switch {
		case size > 1 || isWord(c) || c == '-' || c == '.':
			dst = append(dst, s[i:i+size]...)
		case r == utf8.RuneError || c == 0:
			dst = append(dst, "\uFFFD"...)
		default:
			dst = append(dst, "&#"...)
			dst = append(dst, itoa(int(c))...)
			dst = append(dst, ';')
		}
		i += size
	}
	return dst
}

// safeScheme reports whether a URL may be followed: one without a scheme, or with one that runs no code. In text that is
// already escaped a character reference could hide anything, so that none may stand before the path.
func safeScheme(s string, escaped bool) bool {
	end := strings.IndexAny(s, ":/?#")
	if escaped {
		if i := strings.IndexByte(s, '&'); i >= 0 && (end < 0 || i < end) {
			return false
		}
	}
	if end < 0 || s[end] != ':' {
		return true
	}
	scheme := make([]byte, 0, 16)
	for i := range end {
		if s[i] > ' ' && s[i] != 0x7f && len(scheme) < cap(scheme) {
			scheme = append(scheme, s[i]|0x20)
		}
	}
	switch string(scheme) {
	case "http", "https", "mailto", "tel", "sms", "cid", "ftp", "geo", "maps", "webcal", "whatsapp":
		return true
	}
	return false
}

// urlClass says what may become of a byte in a URL.
var urlClass = func() (class [256]byte) {
	for c := range 256 {
		switch {
		case isWord(byte(c)) || strings.IndexByte("-.~", byte(c)) >= 0:
			class[c] = urlPlain
		case strings.IndexByte("!#$*+,/:;=?@[]%", byte(c)) >= 0:
			class[c] = urlReserved
		}
	}
	return class
}()

const (
	urlEncoded  byte = iota // always percent-encoded
	urlReserved             // has a meaning in URLs
	urlPlain                // stands for itself
)

// appendURL percent-encodes what may not stand in a URL, and with strict set what has a meaning there too, and writes
// the rest as HTML.
func appendURL(dst []byte, s string, flags valueFlags, strict bool) []byte {
	escaped := flags&flagEscaped != 0
	for i := range len(s) {
		c := s[i]
		switch {
		case urlClass[c] == urlPlain:
			dst = append(dst, c)
		case strict && !escaped:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		case c == '&' && escaped && entityLength(s[i:]) > 0:
			dst = append(dst, '&')
		case c == '&':
			dst = append(dst, "&amp;"...)
		case urlClass[c] == urlReserved:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// appendScript writes all but letters and digits as \u escapes, harmless in and outside of string literals.
func appendScript(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf && (isWord(byte(r)) || strings.IndexByte(" .,-", byte(r)) >= 0) {
			dst = append(dst, byte(r))
			continue
		}
		for _, u := range utf16Units(r) {
			dst = append(dst, '\\', 'u', upperHex[u>>12], upperHex[u>>8&15], upperHex[u>>4&15], upperHex[u&15])
		}
	}
	return dst
}

func utf16Units(r rune) []uint16 {
	if r < 0x10000 {
		return []uint16{uint16(r)}
	}
	r -= 0x10000
	return []uint16{uint16(0xd800 + r>>10), uint16(0xdc00 + r&0x3ff)}
}

// appendStyle writes what could end a CSS value or start a function as hexadecimal escapes.
func appendStyle(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if isWord(c) || c >= utf8.RuneSelf || strings.IndexByte("-. #%,", c) >= 0 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '\\', upperHex[c>>4], upperHex[c&15], ' ')
	}
	return dst
}
