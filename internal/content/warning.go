package content

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/liquid"
)

// Warning is a likely mistake that does not keep a template from being sent.
type Warning struct {
	Code     string // for programs: see the constants below
	Message  string // for people
	Location string // subject, preheader, body or text
	Line     int    // 1-based, in the author's source
	Column   int    // 1-based, in characters
	Variable string // the variable's path, where one is meant
}

// The codes of warnings.
const (
	NoFallback         = "no_fallback"         // a variable without a default, empty for whoever lacks the trait
	MissingUnsubscribe = "missing_unsubscribe" // no link to {{ unsubscribe_url }}
	MissingAlt         = "missing_alt"         // an image without alternative text
	EmptyLink          = "empty_link"          // a link that leads nowhere
	DynamicLink        = "dynamic_link"        // a link whose host comes from data alone: clicks on it may not be counted
	TooLarge           = "too_large"           // Gmail cuts messages off at 102 KB
	InvalidAttribute   = "invalid_attribute"   // an attribute that the MJML component does not have
	Unsupported        = "unsupported"         // a component without effect
	EmptySubject       = "empty_subject"       // no subject
)

func warning(src string, offset int, code, variable, format string, args ...any) Warning {
	line, column := position(src, offset)
	return Warning{Code: code, Message: fmt.Sprintf(format, args...), Location: "body", Line: line, Column: column, Variable: variable}
}

// maxWarnings of one kind are listed; whoever has more knows.
const maxWarnings = 100

// clipSize is where Gmail cuts a message off and hides the rest behind a link.
const clipSize = 102 << 10

// lintBody looks through the author's source for images without alternative text and links that lead nowhere.
func lintBody(src string) []Warning {
	var list []Warning
	masked := maskTags(src)
	for at := 0; ; {
		open := strings.IndexByte(masked[at:], '<')
		if open < 0 || len(list) >= maxWarnings {
			return list
		}
		start := at + open
		if strings.HasPrefix(masked[start:], "<!--") && !strings.HasPrefix(masked[start:], "<!--[") {
			end := strings.Index(masked[start:], "-->")
			if end < 0 {
				return list
			}
			at = start + end
			continue
		}
		at = start + 1
		name := tagNameAt(masked, at)
		switch name {
		case "img", "mj-image", "mj-carousel-image":
			at = tagEnd(masked, start)
			list = append(list, lintHost(src, masked, start, at)...)
			if _, _, ok := attribute(masked[:at], start, "alt"); !ok {
				list = append(list, warning(src, start, MissingAlt, "", "this image has no alt text; describe it, or write alt=\"\" if it is decoration"))
			}
		case "a", "mj-button", "mj-navbar-link":
			at = tagEnd(masked, start)
			list = append(list, lintHost(src, masked, start, at)...)
			from, to, ok := attribute(masked[:at], start, "href")
			target := strings.TrimSpace(strings.Trim(masked[from:to], `"'`))
			if _, _, anchor := attribute(masked[:at], start, "name"); (!ok && !anchor) || (ok && (target == "" || target == "#")) {
				list = append(list, warning(src, start, EmptyLink, "", "this <%s> leads nowhere; give it an href", name))
			}
		}
	}
}

// lintHost looks at where the tag at src[start:end] links to.
func lintHost(src, masked string, start, end int) []Warning {
	from, to, ok := attribute(masked[:end], start, "href")
	if !ok || !dynamic(strings.TrimSpace(strings.Trim(strings.TrimSpace(src[from:to]), `"'`))) {
		return nil
	}
	return []Warning{warning(src, start, DynamicLink, "",
		"where this link leads comes from data: clicks are counted only for addresses that the template begins itself, as in https://shop.example/{{ path }}")}
}

// maskTags replaces Liquid by letters of the same length, so that its quotes and brackets do not look like markup.
func maskTags(src string) string {
	b := []byte(src)
	for _, t := range tags(src) {
		for i := t.start; i < t.end; i++ {
			if b[i] != '\n' {
				b[i] = 'x'
			}
		}
	}
	return string(b)
}

// unguarded lists the variables that are written without a fallback. Fields of list items are left out: whoever fills a
// list fills its items.
func unguarded(field string, variables []liquid.Variable) []Warning {
	var list []Warning
	for _, v := range variables {
		if len(list) == maxWarnings {
			break
		}
		if !v.Output || v.Fallback || v.Path == UnsubscribeURL || strings.Contains(v.Path, "[]") {
			continue
		}
		list = append(list, Warning{
			Code: NoFallback, Location: field, Line: v.Line, Column: v.Column, Variable: v.Path,
			Message: fmt.Sprintf("%s may be missing for some customers; write {{ %s | default: \"…\" }}", v.Path, v.Path),
		})
	}
	return list
}

// lint adds the warnings about the body as a whole, and about a missing subject.
func (t *Template) lint(variables []liquid.Variable) {
	t.warnings = append(t.warnings, lintBody(t.source.Body)...)
	if !slices.ContainsFunc(variables, func(v liquid.Variable) bool { return v.Path == UnsubscribeURL }) {
		t.warnings = append(t.warnings, Warning{
			Code: MissingUnsubscribe, Location: "body",
			Message: "there is no visible way to unsubscribe; link to {{ " + UnsubscribeURL + " }}",
		})
	}
	if len(t.html) > clipSize {
		t.warnings = append(t.warnings, Warning{
			Code: TooLarge, Location: "body",
			Message: fmt.Sprintf("the HTML is %d KB; Gmail cuts messages off at 102 KB", len(t.html)>>10),
		})
	}
	if strings.TrimSpace(t.source.Subject) == "" {
		t.warnings = append(t.warnings, Warning{Code: EmptySubject, Location: "subject", Message: "there is no subject"})
	}
}
