package content

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const welcome = `<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>Hello {{ first_name | default: "there" }},<br>{{ note }}</mj-text>
        {% for p in products %}
        <mj-button href="{{ p.url | default: 'https://shop.example/' }}">{{ p.name }}</mj-button>
        {% endfor %}
        {% if vip %}<mj-text>Thank you, VIP {{ secret | default: "" }}</mj-text>{% endif %}
        <mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a> <a href="mailto:help@shop.example">Help</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>`

func compile(t testing.TB, src Source) *Template {
	t.Helper()
	template, err := Compile(src, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func welcomeSource() Source {
	return Source{Subject: `{{ first_name | default: "You" }}, your {{ count }} offers`, Preheader: "Only for {{ first_name }}", Body: welcome, Format: MJML}
}

func TestTemplateRenders(t *testing.T) {
	template := compile(t, welcomeSource())
	mail, err := template.Render(t.Context(), map[string]any{
		"first_name": "Ada <b>", "note": "5 > 3", "count": 2, "vip": true, "secret": "s3cret",
		"products": []any{map[string]any{"name": "Tea & Co", "url": "https://shop.example/tea?a=1&b=2"}, map[string]any{"name": "Cup", "url": "https://shop.example/cup"}},
	}, UTM{Source: "tailorbird", Medium: "email", Campaign: "spring"}.Tag(testLinks("ada")))
	if err != nil {
		t.Fatal(err)
	}
	if mail.Subject != "Ada <b>, your 2 offers" || mail.Preheader != "Only for Ada <b>" {
		t.Errorf("subject %q, preheader %q", mail.Subject, mail.Preheader)
	}
	for _, want := range []string{
		"Hello Ada &lt;b&gt;,<br>5 &gt; 3", "Only for Ada &lt;b&gt;", "Tea &amp; Co</a>", "Thank you, VIP s3cret",
		`<a href="https://t.example/c/ada?https://shop.example/tea?a=1&amp;b=2&amp;utm_source=tailorbird&amp;utm_medium=email&amp;utm_campaign=spring"`,
		`<a href="https://t.example/u/ada">Unsubscribe</a>`, `<a href="mailto:help@shop.example">`, `<img src="https://t.example/o/ada"`,
	} {
		if !strings.Contains(mail.HTML, want) {
			t.Errorf("missing %s in\n%s", want, mail.HTML)
		}
	}
	wantText := "Hello Ada <b>,\n5 > 3\n\nTea & Co (https://shop.example/tea?a=1&b=2)\n\nCup (https://shop.example/cup)\n\nThank you, VIP s3cret\n\n" +
		"Unsubscribe (https://t.example/u/ada) Help (help@shop.example)\n"
	if mail.Text != wantText {
		t.Errorf("text %q\nwant %q", mail.Text, wantText)
	}
}

func TestPreviewTracksNothing(t *testing.T) {
	mail, err := compile(t, welcomeSource()).Render(t.Context(), map[string]any{"products": []any{map[string]any{"name": "Tea", "url": "https://shop.example/tea"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(mail.HTML, `href="https://shop.example/tea"`) || !strings.Contains(mail.HTML, `href="#unsubscribe"`) || strings.Contains(mail.HTML, `width="1"`) {
		t.Error(mail.HTML)
	}
}

func TestNoHeaderFromData(t *testing.T) {
	template := compile(t, Source{Subject: "Hi {{ name }}", Preheader: "{{ name }}", Body: "<p>x</p>", Format: HTML})
	for _, evil := range []string{"x\r\nBcc: v@x.example", "x\nBcc: y", "x\rz", "x\u2028y", "x\u0085y", "x\x00y"} {
		mail, err := template.Render(t.Context(), map[string]any{"name": evil}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(mail.Subject+mail.Preheader, "\r\n\x00\u2028\u0085") {
			t.Errorf("%q gave %q", evil, mail.Subject)
		}
	}
}

func TestErrorsNameFieldAndPlace(t *testing.T) {
	_, err := Compile(Source{
		Subject: "Hi {{ name | nosuchfilter }}", Preheader: "{% if x %}",
		Body: "<mjml>\n<mj-body>\n<mj-section><mj-column>\n<mj-text>{% for %}</mj-text></mj-column></mj-section></mj-body></mjml>", Format: MJML, Text: "a\n {{ 1 |",
	}, Options{})
	got := map[string]string{}
	for _, f := range fault.All(err) {
		got[f.Field] = fmt.Sprintf("%s %d", f.Code, f.Line)
	}
	for field, want := range map[string]string{"subject": "invalid 1", "preheader": "invalid 1", "body": "invalid 4", "text": "invalid 2"} {
		if got[field] != want {
			t.Errorf("%s: %q, want %q (%v)", field, got[field], want, err)
		}
	}
	for name, src := range map[string]Source{
		"format": {Body: "x"}, "body": {Format: HTML}, "subject": {Subject: strings.Repeat("x", 5000), Body: "x", Format: HTML},
	} {
		if _, err := Compile(src, Options{}); err == nil || fault.All(err)[0].Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderErrorsNameTheAuthorsPlace(t *testing.T) {
	template := compile(t, Source{Body: "<mjml><mj-body><mj-section><mj-column>\n<mj-text>fine {{ a }}</mj-text>\n  <mj-text>{{ a | divided_by: b }}</mj-text></mj-column></mj-section></mj-body></mjml>", Format: MJML})
	_, err := template.Render(t.Context(), map[string]any{"a": 1, "b": 0}, nil)
	if err == nil {
		t.Fatal("divided by zero")
	}
	if f := fault.All(err)[0]; f.Code != fault.Invalid || f.Field != "body" || f.Line != 3 || f.Column != 12 {
		t.Errorf("%v", err)
	}
}

func TestWarnings(t *testing.T) {
	src := welcomeSource()
	src.Body = strings.Replace(src.Body, `<a href="{{ unsubscribe_url }}">Unsubscribe</a>`, `<img src="x.png"><a href="#">x</a>`, 1)
	var got []string
	for _, w := range compile(t, src).Warnings() {
		got = append(got, fmt.Sprintf("%s %s %d:%d %s", w.Code, w.Location, w.Line, w.Column, w.Variable))
	}
	want := []string{
		"no_fallback subject 1:44 count", "no_fallback preheader 1:13 first_name", "no_fallback body 5:67 note",
		"missing_alt body 10:18 ", "empty_link body 10:35 ", "missing_unsubscribe body 0:0 ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if w := compile(t, welcomeSource()).Warnings(); len(w) != 3 {
		t.Errorf("%+v", w)
	}
}

// TestNothingLeaks renders for 1,000 recipients at once, each with a secret in every field, and looks for it in the
// mails of the others.
func TestNothingLeaks(t *testing.T) {
	template := compile(t, Source{
		Subject: "{{ secret }}", Preheader: "{% if odd %}{{ secret }}{% endif %}", Body: welcome, Format: MJML,
		Text: "{% assign copy = secret %}{% capture c %}{{ copy }}{% endcapture %}{{ c }} {% increment n %}",
	})
	const n = 1000
	mails := make([]Mail, n)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := worker; i < n; i += 8 {
				mail, err := template.Render(t.Context(), map[string]any{"secret": fmt.Sprintf("secret-%04d.", i), "first_name": fmt.Sprintf("secret-%04d.", i), "vip": i%3 == 0, "odd": i%2 == 1}, testLinks(fmt.Sprintf("secret-%04d.", i)))
				if err != nil {
					t.Error(err)
					return
				}
				mails[i] = mail
			}
		})
	}
	group.Wait()
	for i, mail := range mails {
		all := mail.Subject + mail.Preheader + mail.HTML + mail.Text
		own := fmt.Sprintf("secret-%04d.", i)
		if strings.Count(all, "secret-") != strings.Count(all, own) || !strings.Contains(mail.HTML, own) || !strings.Contains(mail.Text, own+" 0") {
			t.Fatalf("the mail of %d: %s", i, all)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	template := compile(b, welcomeSource())
	data := map[string]any{"first_name": "Ada", "count": 2, "vip": true, "products": []any{map[string]any{"name": "Tea", "url": "https://shop.example/tea"}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Render(b.Context(), data, testLinks("x")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, welcomeSource())
	}
}
