package content

import (
	"html"
	"net/url"
	"strings"
)

// Links makes the addresses in one recipient's mail that lead back to us. Each call is for that recipient only.
type Links interface {
	Click(url string) string // a redirect to the absolute http or https URL
	Pixel() string           // the image whose loading means that the mail was opened
	Unsubscribe() string     // the page and RFC 8058 endpoint that end the mailings
}

// UTM are the campaign parameters added to every destination that does not have them. Empty ones are left out.
type UTM struct {
	Source   string
	Medium   string
	Campaign string
}

// Tag makes links add the parameters to each destination before it is tracked.
func (u UTM) Tag(links Links) Links { return taggedLinks{links, u} }

type taggedLinks struct {
	Links
	utm UTM
}

func (l taggedLinks) Click(url string) string { return l.Links.Click(l.utm.apply(url)) }

// apply adds the parameters to an absolute URL, before the fragment, keeping its other bytes as they are.
func (u UTM) apply(destination string) string {
	path, fragment, hasFragment := strings.Cut(destination, "#")
	base, query, hasQuery := strings.Cut(path, "?")
	given, err := url.ParseQuery(query)
	if err != nil {
		return destination // not ours to mend
	}
	var b strings.Builder
	b.WriteString(base)
	if hasQuery {
		b.WriteString("?" + query)
	}
	separator := "?"
	if hasQuery {
		separator = "&"
		if query == "" || strings.HasSuffix(query, "&") {
			separator = ""
		}
	}
	for _, p := range [...]struct{ name, value string }{{"utm_source", u.Source}, {"utm_medium", u.Medium}, {"utm_campaign", u.Campaign}} {
		if p.value == "" || given.Has(p.name) {
			continue
		}
		b.WriteString(separator + p.name + "=" + url.QueryEscape(p.value))
		separator = "&"
	}
	if hasFragment {
		b.WriteString("#" + fragment)
	}
	return b.String()
}

// finisher writes what depends on the whole document into rendered HTML: tracked links, the preheader and the pixel.
type finisher struct {
	links       Links // nil: a preview, nothing is tracked
	origins     origins
	unsubscribe string
	preheader   string
}

// finish makes one pass over the document.
func (f finisher) finish(doc string) string {
	var b strings.Builder
	b.Grow(len(doc) + len(doc)/4)
	pixelAt := -1
	if f.links != nil {
		if pixelAt = lastIndexFold(doc, "</body"); pixelAt < 0 {
			pixelAt = len(doc)
		}
	}
	bodySeen := f.preheader == ""
	if !bodySeen && indexFold(doc, "<body") < 0 {
		b.WriteString(hiddenPreheader(f.preheader))
		bodySeen = true
	}
	at := 0 // written so far
	for i := 0; i < len(doc); {
		open := strings.IndexByte(doc[i:], '<')
		if open < 0 {
			break
		}
		i += open
		if i == pixelAt {
			b.WriteString(doc[at:i])
			b.WriteString(f.pixel())
			at, pixelAt = i, -1
		}
		name := tagNameAt(doc, i+1)
		switch name {
		case "a", "area", "v:roundrect", "v:rect":
			i = f.tag(&b, doc, &at, i)
			continue
		case "body":
			i = tagEnd(doc, i)
			if !bodySeen {
				b.WriteString(doc[at:i])
				b.WriteString(hiddenPreheader(f.preheader))
				at, bodySeen = i, true
			}
			continue
		}
		i++
	}
	b.WriteString(doc[at:])
	if pixelAt >= 0 {
		b.WriteString(f.pixel())
	}
	return b.String()
}

// tag rewrites the href of the start tag at doc[start:] and returns where the tag ends.
func (f finisher) tag(b *strings.Builder, doc string, at *int, start int) int {
	end := tagEnd(doc, start)
	from, to, ok := attribute(doc[:end], start, "href")
	if !ok {
		return end
	}
	raw := doc[from:to]
	target := strings.TrimSpace(html.UnescapeString(strings.Trim(raw, `"'`)))
	rewritten := f.rewrite(target)
	if rewritten == target {
		return end
	}
	b.WriteString(doc[*at:from])
	b.WriteString(`"` + html.EscapeString(rewritten) + `"`)
	*at = to
	return end
}

// rewrite returns where a link really points: to the author's origins through the click redirect, all else as it is.
func (f finisher) rewrite(target string) string {
	if f.links == nil || target == f.unsubscribe || !isWeb(target) || !f.origins.has(target) {
		return target
	}
	return f.links.Click(target)
}

func isWeb(target string) bool {
	scheme, rest, ok := strings.Cut(target, "://")
	return ok && rest != "" && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

func (f finisher) pixel() string {
	return `<img src="` + html.EscapeString(f.links.Pixel()) + `" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px;">`
}

// hiddenPreheader shows in the inbox list beside the subject and nowhere else. The invisible characters after it
// keep clients from filling the rest of that line with the body's first words.
func hiddenPreheader(text string) string {
	return `<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all;">` +
		html.EscapeString(text) + strings.Repeat("&#847;&zwnj;&nbsp;", 60) + `</div>`
}

// tagNameAt is the lower-case name of the start tag whose name begins at doc[at:], if it is short.
func tagNameAt(doc string, at int) string {
	end := at
	for end < len(doc) && end-at < 12 && strings.IndexByte(" \t\r\n/>", doc[end]) < 0 {
		end++
	}
	return strings.ToLower(doc[at:end])
}

// tagEnd is the offset after the > that ends the tag at doc[start:], quotes respected.
func tagEnd(doc string, start int) int {
	quote := byte(0)
	for i := start; i < len(doc); i++ {
		switch c := doc[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(doc)
}

// attribute finds the value of an attribute, quotes included, inside the tag that begins at tag[start:] and ends with
// the string.
func attribute(tag string, start int, name string) (from, to int, ok bool) {
	i := start + 1
	for i < len(tag) && strings.IndexByte(" \t\r\n/>", tag[i]) < 0 {
		i++
	}
	for i < len(tag) {
		for i < len(tag) && strings.IndexByte(" \t\r\n/", tag[i]) >= 0 {
			i++
		}
		begin := i
		for i < len(tag) && strings.IndexByte(" \t\r\n/=>", tag[i]) < 0 {
			i++
		}
		key := tag[begin:i]
		for i < len(tag) && strings.IndexByte(" \t\r\n", tag[i]) >= 0 {
			i++
		}
		if i >= len(tag) || tag[i] != '=' {
			if i == begin {
				i++
			}
			continue
		}
		i++
		for i < len(tag) && strings.IndexByte(" \t\r\n", tag[i]) >= 0 {
			i++
		}
		from = i
		if i < len(tag) && (tag[i] == '"' || tag[i] == '\'') {
			end := strings.IndexByte(tag[i+1:], tag[i])
			if end < 0 {
				return 0, 0, false
			}
			i += end + 2
		} else {
			for i < len(tag) && strings.IndexByte(" \t\r\n>", tag[i]) < 0 {
				i++
			}
		}
		if strings.EqualFold(key, name) {
			return from, i, true
		}
	}
	return 0, 0, false
}

func indexFold(doc, lower string) int {
	for i := 0; i+len(lower) <= len(doc); i++ {
		next := strings.IndexByte(doc[i:], lower[0])
		if next < 0 || i+next+len(lower) > len(doc) {
			return -1
		}
		i += next
		if strings.EqualFold(doc[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

func lastIndexFold(doc, lower string) int {
	for i := len(doc) - len(lower); i >= 0; i-- {
		if doc[i] == lower[0] && strings.EqualFold(doc[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}
