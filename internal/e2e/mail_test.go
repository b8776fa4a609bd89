package e2e

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
)

const template = `<mjml><mj-body><mj-section><mj-column>
<mj-text>Dear {{ first_name | default: 'customer' }}, your number is {{ user_number | default: 'unknown' }}.</mj-text>
<mj-button href="https://shop.example/new?ref=mail&amp;x=1">New this week</mj-button>
<mj-text><a href="https://shop.example/help">Help</a></mj-text>
</mj-column></mj-section></mj-body></mjml>`

// browser is the agent of a person.
const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// addressOf gives the customers of the data, which has none, addresses.
func addressOf(user string) string { return "customer-" + user + "@customers.example" }

// mailSegment gives the customers addresses, sends a campaign to a segment, and looks at every mail that comes out.
func mailSegment(t *testing.T, s *server, mailbox *sink, name string, users []string) {
	t.Helper()
	var identify []map[string]any
	for _, user := range users {
		identify = append(identify, map[string]any{
			"type": "identify", "messageId": "identify-" + user, "userId": user,
			"traits": map[string]any{"email": addressOf(user), "first_name": "Ada <b>", "user_number": user},
		})
	}
	track(t, s.Client, identify)
	call(t, s.Client, "PUT", "/api/v1/templates/news", map[string]string{
		"subject": "News for {{ user_number }}", "preheader": "Just in", "format": "mjml", "body": template,
	})
	call(t, s.Client, "PUT", "/api/v1/campaigns/december", map[string]any{
		"segment": name, "template": "news", "from": "Shop <news@shop.example>",
		"utm": map[string]string{"source": "newsletter", "medium": "email", "campaign": "december"},
	})
	call(t, s.Client, "POST", "/api/v1/campaigns/december/send", nil)
	call(t, s.Client, "POST", "/api/v1/campaigns/december/send", nil) // asking twice sends once
	finished(t, s, "december")

	records := dnsRecords(t, s)
	var got []string
	for _, m := range mailbox.received() {
		if len(m.to) != 1 {
			t.Fatalf("a mail to %v", m.to)
		}
		got = append(got, m.to[0])
	}
	var want []string
	for _, user := range users {
		want = append(want, addressOf(user))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%d mails to %v, want one to each of %v", len(got), got, want)
	}
	for _, m := range mailbox.received() {
		checkMail(t, s, m.raw, m.to[0], records)
	}
	r := get[report](t, s.Client, "/api/v1/campaigns/december/report")
	if n := len(users); r.Recipients != n || r.Sent != n || r.Opened != n || r.Clicked != n || r.Unsubscribed != n {
		t.Errorf("report %+v; want %d recipients, and as many opened, clicked and unsubscribed", r, n)
	}
	t.Logf("%d mails: signature, links and unsubscribe of each verified", len(got))
}

func finished(t *testing.T, s *server, name string) campaign {
	t.Helper()
	var c campaign
	eventually(t, "campaign "+name+" sent", func() bool {
		c = get[campaign](t, s.Client, "/api/v1/campaigns/"+name)
		return c.Status == "sent"
	})
	return c
}

// dnsRecords is what the product says should be published, as a resolver would answer.
func dnsRecords(t *testing.T, s *server) func(name string) ([]string, error) {
	t.Helper()
	records := map[string][]string{}
	type domain struct {
		DNS []struct{ Type, Name, Value string }
	}
	for _, d := range list[domain](t, s.Client, "/api/v1/sending-domains", nil) {
		for _, r := range d.DNS {
			records[strings.TrimSuffix(r.Name, ".")] = append(records[strings.TrimSuffix(r.Name, ".")], r.Value)
		}
	}
	return func(name string) ([]string, error) {
		if found := records[strings.TrimSuffix(name, ".")]; found != nil {
			return found, nil
		}
		return nil, fmt.Errorf("no record for %s", name)
	}
}

// checkMail verifies one mail as its recipient's provider and the recipient would.
func checkMail(t *testing.T, s *server, raw []byte, to string, lookup func(string) ([]string, error)) {
	t.Helper()
	verifications, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: lookup})
	if err != nil || len(verifications) != 1 || verifications[0].Err != nil || verifications[0].Domain != "shop.example" {
		t.Fatalf("DKIM of the mail to %s: %v %+v", to, err, verifications)
	}
	signed := map[string]bool{}
	for _, h := range verifications[0].HeaderKeys {
		signed[strings.ToLower(h)] = true
	}
	if !signed["from"] || !signed["list-unsubscribe"] || !signed["list-unsubscribe-post"] {
		t.Errorf("the signature covers %v", verifications[0].HeaderKeys)
	}
	for line := range bytes.Lines(raw) {
		if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 {
			t.Fatalf("a line of %d bytes, ending in %q", len(line), line[max(0, len(line)-2):])
		}
	}
	header, bodies := parts(t, raw)
	user := strings.TrimSuffix(strings.TrimPrefix(to, "customer-"), "@customers.example")
	if subject, _ := header.Subject(); subject != "News for "+user {
		t.Errorf("subject of the mail to %s: %q", to, subject)
	}
	if !strings.Contains(bodies["text/html"], "Ada &lt;b&gt;") || !strings.Contains(bodies["text/html"], user) {
		t.Errorf("the HTML of %s is not theirs, or not escaped:\n%s", to, bodies["text/html"])
	}
	if !strings.Contains(bodies["text/plain"], "Dear Ada <b>, your number is "+user) {
		t.Errorf("the text of %s:\n%s", to, bodies["text/plain"])
	}
	checkLinks(t, s, bodies["text/html"])
	checkUnsubscribe(t, s, header, to)
}

// parts takes a mail apart with an independent parser.
func parts(t *testing.T, raw []byte) (mail.Header, map[string]string) {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // documented to be plain
			return r.Header, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatal(err)
		}
		inline, is := part.Header.(*mail.InlineHeader)
		if !is {
			t.Fatalf("an attachment: %v", part.Header)
		}
		kind, _, _ := inline.ContentType()
		bodies[kind] = string(body)
	}
}

var (
	hrefs = regexp.MustCompile(`<a[^>]*\shref="([^"]+)"`)
	gifs  = regexp.MustCompile(`<img[^>]*\ssrc="([^"]+/o/[^"]+\.gif)"`)
)

// checkLinks follows every link and loads the pixel.
func checkLinks(t *testing.T, s *server, body string) {
	t.Helper()
	targets := map[string]bool{}
	for _, m := range hrefs.FindAllStringSubmatch(body, -1) {
		link := html.UnescapeString(m[1])
		if strings.HasPrefix(link, s.URL()+"/u/") {
			continue // checked by itself
		}
		if !strings.HasPrefix(link, s.URL()+"/c/") {
			t.Fatalf("a link that is not tracked: %s", link)
		}
		answer := visit(t, "GET", link, nil)
		target, err := url.Parse(answer.Header.Get("Location"))
		if answer.StatusCode != http.StatusFound || err != nil || target.Host != "shop.example" {
			t.Fatalf("%s: %s to %q", link, answer.Status, answer.Header.Get("Location"))
		}
		q := target.Query()
		if q.Get("utm_source") != "newsletter" || q.Get("utm_medium") != "email" || q.Get("utm_campaign") != "december" {
			t.Errorf("the link leads to %s", target)
		}
		targets[target.Path+"?ref="+q.Get("ref")+"&x="+q.Get("x")] = true

		forged := []byte(link)
		forged[len(forged)-5] ^= 1
		if answer := visit(t, "GET", string(forged), nil); answer.StatusCode < 400 || answer.Header.Get("Location") != "" {
			t.Errorf("a forged link is followed: %s to %q", answer.Status, answer.Header.Get("Location"))
		}
	}
	if !targets["/new?ref=mail&x=1"] || !targets["/help?ref=&x="] {
		t.Errorf("the links lead to %v", targets)
	}
	pixel := gifs.FindStringSubmatch(body)
	if pixel == nil {
		t.Fatal("no open pixel")
	}
	if answer := visit(t, "GET", html.UnescapeString(pixel[1]), nil); answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "image/gif" {
		t.Errorf("the pixel: %s, %s", answer.Status, answer.Header.Get("Content-Type"))
	}
}

// checkUnsubscribe does what RFC 8058 says that a mail program does, and what a scanner does, which must change nothing.
func checkUnsubscribe(t *testing.T, s *server, header mail.Header, to string) {
	t.Helper()
	link, ended := strings.CutPrefix(header.Get("List-Unsubscribe"), "<")
	link, _, closed := strings.Cut(link, ">")
	if !ended || !closed || header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.HasPrefix(link, s.URL()+"/u/") {
		t.Fatalf("List-Unsubscribe: %s, List-Unsubscribe-Post: %s", header.Get("List-Unsubscribe"), header.Get("List-Unsubscribe-Post"))
	}
	subscribed := func() bool {
		found := list[profile](t, s.Client, "/api/v1/profiles", url.Values{"identifier": {"email:" + to}})
		if len(found) != 1 {
			t.Fatalf("%d profiles with %s", len(found), to)
		}
		return found[0].Subscribed
	}
	if answer := visit(t, "GET", link, nil); answer.StatusCode != http.StatusOK || !subscribed() {
		t.Fatalf("GET of the unsubscribe link: %s, still subscribed: %v", answer.Status, subscribed())
	}
	for range 2 { // idempotent
		if answer := visit(t, "POST", link, url.Values{"List-Unsubscribe": {"One-Click"}}); answer.StatusCode != http.StatusOK || subscribed() {
			t.Fatalf("POST of the unsubscribe link: %s, still subscribed: %v", answer.Status, subscribed())
		}
	}
}

// visit makes a request as a person's browser does, without following redirects, without cookies.
func visit(t *testing.T, method, address string, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", browser)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	plain := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := plain.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer
}
