// Package content turns what an author wrote into what a recipient reads. A template is compiled once per version:
// MJML or HTML becomes mail-proof HTML with the Liquid in it untouched, and the Liquid is parsed; for each recipient it
// is then only rendered.
package content

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"
	"unicode"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/liquid"
)

// Format is the language of a template's body.
type Format string

// The formats.
const (
	MJML Format = "mjml"
	HTML Format = "html"
)

// Source is a template as its author wrote it. All but Format may contain Liquid.
type Source struct {
	Subject   string
	Preheader string // shown beside the subject in the inbox; may be empty
	Body      string
	Format    Format
	Text      string // the plain-text part; empty: made from the rendered body
}

// Options are what templates depend on besides their source. The zero value is useful.
type Options struct {
	Now      func() time.Time // behind "now" in Liquid; nil: time.Now
	Location *time.Location   // in which dates are shown; nil: UTC
	Currency string           // of the money filter, ISO 4217; empty: USD
	Locale   string           // of the money filter; empty: en
}

// UnsubscribeURL is the Liquid variable that holds the recipient's unsubscribe link.
const UnsubscribeURL = "unsubscribe_url"

const (
	maxBody = 512 << 10
	maxLine = 2 << 10 // of subject and preheader, as source
	maxTags = 5000    // in one part
	preview = "#unsubscribe"
)

// Template is a compiled template. It does not change and is safe for concurrent use; nothing of one rendering is
// visible to another.
type Template struct {
	subject, preheader, body, text *liquid.Template

	source   Source
	html     string // compiled, with Liquid
	origins  origins
	warnings []Warning
}

// Mail is a template rendered for one recipient.
type Mail struct {
	Subject   string // one line
	Preheader string // one line
	HTML      string
	Text      string
}

// Compile checks and compiles a template. The error holds one fault.Error, of code Invalid or TooLarge, for every part
// that is wrong, with Field subject, preheader, body or text and the place in the author's source.
func Compile(src Source, opts Options) (*Template, error) {
	if err := src.check(); err != nil {
		return nil, err
	}
	plain, markup := opts.engine(false), opts.engine(true)
	t := &Template{source: src, origins: originsOf(src.Body)}
	var wrong []error
	parse := func(field, text string) (*liquid.Template, []liquid.Variable) {
		parsed, err := plain.Parse(text)
		if err != nil {
			wrong = append(wrong, located(field, err))
			return nil, nil
		}
		variables := parsed.Analyze().Variables
		t.warnings = append(t.warnings, unguarded(field, variables)...)
		return parsed, variables
	}
	t.subject, _ = parse("subject", src.Subject)
	t.preheader, _ = parse("preheader", src.Preheader)
	if written, variables := parse("body", src.Body); written != nil { // the author's own text gives the true positions
		if err := t.compileBody(markup); err != nil {
			wrong = append(wrong, err)
		}
		t.lint(variables)
	}
	if src.Text != "" {
		t.text, _ = parse("text", src.Text)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return t, nil
}

func (s Source) check() error {
	for _, part := range []struct {
		field, text string
		limit       int
	}{{"subject", s.Subject, maxLine}, {"preheader", s.Preheader, maxLine}, {"body", s.Body, maxBody}, {"text", s.Text, maxBody}} {
		if len(part.text) > part.limit {
			e := fault.Field(part.field, "is %d bytes long; at most %d are allowed", len(part.text), part.limit)
			e.Code = fault.TooLarge
			return e
		}
		if n := len(tags(part.text)); n > maxTags {
			e := fault.Field(part.field, "has %d pieces of Liquid; at most %d are allowed", n, maxTags)
			e.Code = fault.TooLarge
			return e
		}
	}
	if s.Format != MJML && s.Format != HTML {
		return fault.Field("format", "%q is neither mjml nor html", s.Format)
	}
	if strings.TrimSpace(s.Body) == "" {
		return fault.Field("body", "is empty")
	}
	return nil
}

// Variables lists the variables that the template reads, each as the names of its path; what is not Liquid is passed over.
func (s Source) Variables() (paths [][]string) {
	engine := Options{}.engine(false)
	for _, text := range []string{s.Subject, s.Preheader, s.Body, s.Text} {
		parsed, err := engine.Parse(text)
		if err != nil {
			continue
		}
		for _, v := range parsed.Analyze().Variables {
			paths = append(paths, strings.FieldsFunc(v.Path, func(r rune) bool { return strings.ContainsRune(`.[]"`, r) }))
		}
	}
	return paths
}

func (o Options) engine(escape bool) *liquid.Engine {
	options := []liquid.Option{liquid.WithAutoEscape(escape)}
	if o.Now != nil {
		options = append(options, liquid.WithClock(o.Now))
	}
	if o.Location != nil {
		options = append(options, liquid.WithLocation(o.Location))
	}
	if o.Currency != "" || o.Locale != "" {
		options = append(options, liquid.WithMoney(orElse(o.Currency, "USD"), orElse(o.Locale, "en")))
	}
	return liquid.New(options...)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (t *Template) compileBody(engine *liquid.Engine) (err error) {
	if t.source.Format == MJML {
		var warnings []Warning
		t.html, warnings, err = compileMJML(t.source.Body, t.source.Preheader != "")
		t.warnings = append(t.warnings, warnings...)
	} else {
		t.html, err = compileHTML(t.source.Body)
	}
	if err != nil {
		return err
	}
	if t.body, err = engine.Parse(t.html); err != nil {
		return t.inBody(err)
	}
	return nil
}

// located turns an error of Liquid into one about a field of the template.
func located(field string, err error) *fault.Error {
	var l *liquid.Error
	if !errors.As(err, &l) {
		return &fault.Error{Code: fault.Internal, Field: field, Message: "cannot be rendered", Cause: err}
	}
	code := fault.Invalid
	if l.Kind == liquid.Canceled {
		code = fault.Unavailable
	}
	return &fault.Error{Code: code, Field: field, Message: l.Message, Line: l.Line, Column: l.Column, Cause: l.Err}
}

// inBody is located for the compiled body, whose positions are not the author's.
func (t *Template) inBody(err error) *fault.Error {
	e := located("body", err)
	if e.Line > 0 {
		e.Line, e.Column = position(t.source.Body, sourceOffset(t.html, t.source.Body, offsetOf(t.html, e.Line, e.Column)))
	}
	return e
}

// Warnings lists likely mistakes, in the order subject, preheader, body, text.
func (t *Template) Warnings() []Warning { return t.warnings }

// Render writes the mail of one recipient, of whom data tells. data is only read. Without links it is a preview:
// nothing is tracked, and the unsubscribe link leads nowhere. An error has the code Invalid when the template fails for
// this data, and Unavailable when ctx ended.
func (t *Template) Render(ctx context.Context, data map[string]any, links Links) (Mail, error) {
	f := finisher{links: links, origins: t.origins, unsubscribe: preview}
	if links != nil {
		f.unsubscribe = links.Unsubscribe()
	}
	scope := make(map[string]any, len(data)+1)
	maps.Copy(scope, data)
	scope[UnsubscribeURL] = f.unsubscribe

	var mail Mail
	subject, err := t.subject.Render(ctx, scope)
	if err != nil {
		return Mail{}, located("subject", err)
	}
	mail.Subject = oneLine(subject)
	preheader, err := t.preheader.Render(ctx, scope)
	if err != nil {
		return Mail{}, located("preheader", err)
	}
	mail.Preheader = oneLine(preheader)
	body, err := t.body.Render(ctx, scope)
	if err != nil {
		return Mail{}, t.inBody(err)
	}
	f.preheader = mail.Preheader
	mail.HTML = f.finish(body)
	if t.text == nil {
		mail.Text = plainText(body)
		return mail, nil
	}
	if mail.Text, err = t.text.Render(ctx, scope); err != nil {
		return Mail{}, located("text", err)
	}
	return mail, nil
}

// oneLine keeps what data brings from ending a header line and beginning another.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
