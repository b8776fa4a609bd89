package content

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

const textWidth = 76 // columns, as RFC 2646 advises; a word longer than that, such as a URL, is not broken

// plainText is the document for readers without HTML: links as "text (url)", lists with bullets, images as their
// alternative text, hidden elements left out.
func plainText(doc string) string {
	w := textWriter{}
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.String()
		case html.TextToken:
			if w.skip == 0 {
				w.text(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		}
	}
}

// textWriter lays text out while the document goes by.
type textWriter struct {
	done    strings.Builder
	line    []byte // words of the line being filled, single spaces between
	width   int    // of line, in characters
	space   bool   // white space came since the last word
	gap     int    // line ends owed before the next word: 1 or 2
	indent  string // before each line of a block
	bullet  string // replaces the end of indent once
	lists   []int  // of open lists: -1 for bullets, else the last number
	tables  []bool // of open tables: whether it is data, not layout
	skip    int    // depth inside an element that is not shown
	skipped string // the element that began the skipping
	link    string // the open link's address
	linkAt  int    // how much had been written when it opened
	words   int
	pre     int
}

// hiddenElements hold no text for readers.
var hiddenElements = map[string]bool{"head": true, "style": true, "script": true, "title": true, "noscript": true, "template": true, "svg": true, "select": true}

var voidElements = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true,
	"input": true, "link": true, "meta": true, "source": true, "track": true, "wbr": true,
}

// blocks are the elements that begin and end lines: 2 with an empty line around, 1 without.
var blocks = map[string]int{
	"p": 2, "h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "ul": 2, "ol": 2, "table": 2, "blockquote": 2,
	"pre": 2, "div": 1, "section": 1, "article": 1, "header": 1, "footer": 1, "li": 1, "tr": 1, "dl": 2, "dt": 1, "dd": 1, "center": 1,
	"address": 1, "figure": 2, "figcaption": 1, "body": 1, "html": 1,
}

func (w *textWriter) start(t html.Token) {
	if w.skip > 0 {
		if t.Data == w.skipped && t.Type == html.StartTagToken && !voidElements[t.Data] {
			w.skip++
		}
		return
	}
	attr := func(name string) string {
		for _, a := range t.Attr {
			if a.Key == name {
				return a.Val
			}
		}
		return ""
	}
	if hiddenElements[t.Data] || isHidden(attr("style")) {
		if t.Type == html.StartTagToken && !voidElements[t.Data] {
			w.skip, w.skipped = 1, t.Data
		}
		return
	}
	w.breakLine(w.block(t.Data))
	switch t.Data {
	case "br":
		w.lineEnd()
	case "hr":
		w.breakLine(2)
		w.word(strings.Repeat("-", textWidth-utf8.RuneCountInString(w.indent)))
		w.breakLine(2)
	case "img":
		w.text(attr("alt"))
	case "a":
		w.closeLink()
		w.link, w.linkAt = strings.TrimSpace(attr("href")), w.words
	case "ul":
		w.openList(-1)
	case "ol":
		w.openList(0)
	case "li":
		w.item()
	case "blockquote":
		w.indent += "> "
	case "pre":
		w.pre++
	case "table":
		w.tables = append(w.tables, attr("role") != "presentation" && attr("role") != "none")
	case "td", "th":
		w.cell()
	}
}

func (w *textWriter) end(name string) {
	if w.skip > 0 {
		if name == w.skipped {
			w.skip--
		}
		return
	}
	if name == "a" {
		w.closeLink()
	}
	if list := name == "ul" || name == "ol"; list && len(w.lists) > 1 {
		w.breakLine(1)
	} else {
		w.breakLine(w.block(name))
	}
	switch name {
	case "ul", "ol":
		if n := len(w.lists); n > 0 {
			w.lists = w.lists[:n-1]
			w.indent = strings.TrimSuffix(w.indent, listIndent)
		}
	case "blockquote":
		w.indent = strings.TrimSuffix(w.indent, "> ")
	case "pre":
		w.pre = max(0, w.pre-1)
	case "table":
		if n := len(w.tables); n > 0 {
			w.tables = w.tables[:n-1]
		}
	}
}

// block tells how the element breaks lines here. Rows of layout tables are what paragraphs are elsewhere.
func (w *textWriter) block(name string) int {
	if n := len(w.tables); name == "tr" && n > 0 && !w.tables[n-1] {
		return 2
	}
	return blocks[name]
}

func isHidden(style string) bool {
	compact := strings.ToLower(strings.ReplaceAll(style, " ", ""))
	return strings.Contains(compact, "display:none") || strings.Contains(compact, "mso-hide:all") && strings.Contains(compact, "max-height:0")
}

const listIndent = "   "

func (w *textWriter) openList(first int) {
	w.lists = append(w.lists, first)
	w.indent += listIndent
	if len(w.lists) > 1 {
		w.gap = min(w.gap, 1)
	}
}

func (w *textWriter) item() {
	w.bullet = " - "
	if n := len(w.lists); n > 0 && w.lists[n-1] >= 0 {
		w.lists[n-1]++
		w.bullet = strconv.Itoa(w.lists[n-1]) + ". "
	}
}

// cell separates data from its left neighbour; a cell of a layout table is a block.
func (w *textWriter) cell() {
	if n := len(w.tables); n > 0 && w.tables[n-1] {
		if len(w.line) > 0 {
			w.space = true
			w.word("|")
		}
		w.space = true
		return
	}
	w.breakLine(1)
}

// closeLink writes the address after the link's text, unless the text is the address or there is no text.
func (w *textWriter) closeLink() {
	link := w.link
	w.link = ""
	address := strings.TrimPrefix(strings.TrimPrefix(link, "mailto:"), "tel:")
	if link == "" || strings.HasPrefix(link, "#") || w.words == w.linkAt || bytes.HasSuffix(w.line, []byte(address)) {
		return
	}
	w.space = true
	w.word("(" + address + ")")
}

// text adds running text, its white space collapsed.
func (w *textWriter) text(s string) {
	if w.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				w.lineEnd()
			}
			if line != "" {
				w.word(line)
			}
		}
		return
	}
	for s != "" {
		at := strings.IndexFunc(s, isSpace)
		switch {
		case at == 0:
			_, size := utf8.DecodeRuneInString(s)
			w.space = true
			s = s[size:]
		case at < 0:
			w.word(clean(s))
			return
		default:
			w.word(clean(s[:at]))
			s = s[at:]
		}
	}
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' || r == '\u00a0' || r == '\u2007' || r == '\u202f'
}

// clean drops the characters that mail authors use as invisible padding.
func clean(word string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u034f', '\u200b', '\u200c', '\u00ad', '\ufeff', '\u2060':
			return -1
		}
		return r
	}, word)
}

// word adds one word, on a new line where it does not fit.
func (w *textWriter) word(word string) {
	if word == "" {
		return
	}
	if w.gap == 2 && w.done.Len() > 0 {
		w.done.WriteByte('\n')
	}
	w.gap = 0
	size := utf8.RuneCountInString(word)
	if w.space && len(w.line) > 0 {
		if w.width+1+size > textWidth-utf8.RuneCountInString(w.indent) {
			w.flush()
		} else {
			w.line = append(w.line, ' ')
			w.width++
		}
	}
	w.line = append(w.line, word...)
	w.width += size
	w.space = false
	w.words++
}

// lineEnd ends the line, also an empty one.
func (w *textWriter) lineEnd() {
	if len(w.line) == 0 {
		w.gap = 2
		return
	}
	w.breakLine(1)
}

// breakLine ends the line and, for n = 2, asks for an empty one before the next word.
func (w *textWriter) breakLine(n int) {
	if n == 0 {
		return
	}
	w.flush()
	w.gap = max(w.gap, n)
	w.space = false
}

// flush writes the line out.
func (w *textWriter) flush() {
	if len(w.line) == 0 {
		return
	}
	indent := w.indent
	if w.bullet != "" {
		indent = strings.TrimSuffix(indent, listIndent) + w.bullet
		w.bullet = ""
	}
	w.done.WriteString(indent)
	w.done.Write(w.line)
	w.done.WriteByte('\n')
	w.line, w.width = w.line[:0], 0
}

func (w *textWriter) String() string {
	w.flush()
	return strings.TrimRight(w.done.String(), "\n ") + "\n"
}
