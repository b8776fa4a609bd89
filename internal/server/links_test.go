package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

func (s *site) follow(t *testing.T, method, path, agent, form string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(form))
	req.Header.Set("User-Agent", agent)
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

func TestOpensAndClicksComeBackAsEvents(t *testing.T) {
	s := open(t)
	const target = "https://shop.example/p?a=1&utm_source=x#top"
	open, click := "/o/"+s.tokens.Seal(deliver.OpenLink, 7, "")+".gif", "/c/"+s.tokens.Seal(deliver.ClickLink, 7, target)
	// The second field is what Apple's proxy sends; it is documented by everyone who counts opens.
	agents := map[string]bool{
		firefox: false, "Mozilla/5.0": true, "": true, "curl/8.5.0": true,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                         true,
		"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)":                                        false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1": false,
	}
	for agent, machine := range agents {
		w := s.follow(t, "GET", open, agent, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != "image/gif" || !strings.HasPrefix(w.Body.String(), "GIF89a") || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Errorf("open: %d %v", w.Code, w.Header())
		}
		check(t, s, event.NameEmailOpened, map[string]any{"message_id": "public-7", "campaign": "spring", "machine": machine})
		w = s.follow(t, "GET", click, agent, "")
		if w.Code != 302 || w.Header().Get("Location") != target {
			t.Errorf("click: %d %v", w.Code, w.Header())
		}
		check(t, s, event.NameEmailClicked, map[string]any{"message_id": "public-7", "campaign": "spring", "machine": machine, "link": target})
	}
	s.follow(t, "HEAD", click, firefox, "")
	check(t, s, event.NameEmailClicked, map[string]any{"message_id": "public-7", "campaign": "spring", "machine": true, "link": target})
}

// check takes the one event that came in.
func check(t *testing.T, s *site, name string, properties map[string]any) {
	t.Helper()
	got := s.inbox.take()
	if len(got) != 1 || got[0].Name != name || fmt.Sprint(got[0].Properties()) != fmt.Sprint(properties) ||
		got[0].ProfileID != 3 || got[0].MessageID == "" || got[0].Timestamp != start {
		t.Errorf("got %+v, want %s %v", got, name, properties)
	}
}

func TestForeignLinksLeadNowhere(t *testing.T) {
	s := open(t)
	good := s.tokens.Seal(deliver.ClickLink, 7, "https://shop.example/")
	for _, path := range []string{
		"/c/" + good[:len(good)-2], "/c/" + flip(good), "/c/https%3A%2F%2Fevil.example%2F", "/c/x", "/o/" + good + ".gif", "/u/" + good,
		"/o/" + s.tokens.Seal(deliver.OpenLink, 7, ""),        // without .gif
		"/c/" + s.tokens.Seal(deliver.OpenLink, 7, ""),        // another kind
		"/c/" + s.tokens.Seal(deliver.ClickLink, 8, good),     // no such message
		"/c/" + s.tokens.Seal(deliver.ClickLink, 7, "//evil"), // no web address
		"/c/" + s.tokens.Seal(deliver.ClickLink, 7, "javascript:alert(1)"),
	} {
		w := s.follow(t, "GET", path, firefox, "")
		if w.Code != 404 || w.Header().Get("Location") != "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") ||
			!strings.Contains(w.Body.String(), "<h1>This link does not work</h1>") || strings.Contains(w.Body.String(), "<form") {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	if got := s.inbox.take(); len(got) != 0 {
		t.Errorf("%d events", len(got))
	}
}

// flip changes one bit of what a token stands for.
func flip(token string) string {
	b, _ := base64.RawURLEncoding.DecodeString(token)
	b[len(b)/2] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}

func TestAReaderGoesOnWhenTheEngineCannotTakeNote(t *testing.T) {
	s := open(t)
	s.inbox.fail = fmt.Errorf("full")
	if w := s.follow(t, "GET", "/c/"+s.tokens.Seal(deliver.ClickLink, 7, "https://shop.example/"), firefox, ""); w.Code != 302 {
		t.Errorf("click: %d", w.Code)
	}
	if w := s.follow(t, "GET", "/o/"+s.tokens.Seal(deliver.OpenLink, 7, "")+".gif", firefox, ""); w.Code != 200 {
		t.Errorf("open: %d", w.Code)
	}
	if w := s.follow(t, "POST", "/u/"+s.tokens.Seal(deliver.UnsubscribeLink, 7, ""), firefox, "List-Unsubscribe=One-Click"); w.Code != 500 || !strings.Contains(w.Body.String(), "<h1>Something went wrong</h1>") {
		t.Errorf("an unsubscribe that was not noted says so: %d", w.Code)
	}
}

func TestUnsubscribing(t *testing.T) {
	s := open(t)
	path := "/u/" + s.tokens.Seal(deliver.UnsubscribeLink, 7, "")
	for _, method := range []string{"GET", "HEAD"} {
		w := s.follow(t, method, path, firefox, "")
		if w.Code != 200 || len(s.inbox.take()) != 0 || len(w.Result().Cookies()) != 0 {
			t.Errorf("%s: %d changed something", method, w.Code)
		}
	}
	cases := []struct{ form, name, page string }{
		{"List-Unsubscribe=One-Click", event.NameUnsubscribed, "You are unsubscribed"}, // RFC 8058, section 3.1
		{"", event.NameUnsubscribed, "You are unsubscribed"},
		{"action=unsubscribe", event.NameUnsubscribed, "You are unsubscribed"},
		{"action=subscribe", event.NameSubscribed, "Welcome back"},
	}
	for _, c := range cases {
		w := s.follow(t, "POST", path, "", c.form)
		if w.Code != 200 || !strings.Contains(w.Body.String(), c.page) || len(w.Result().Cookies()) != 0 {
			t.Errorf("%q: %d %s", c.form, w.Code, w.Body)
		}
		got := s.inbox.take()
		if len(got) != 1 || got[0].Name != c.name || got[0].Properties()["message_id"] != "public-7" {
			t.Errorf("%q: %+v", c.form, got)
		}
		barred, _, err := s.store.Suppressions(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		left := len(barred) == 1 && barred[0].Email == "ada@example.com" && barred[0].Reason == deliver.Unsubscribed
		if back := c.name == event.NameSubscribed; back != (len(barred) == 0) || back == left {
			t.Errorf("%q: suppressed %+v", c.form, barred)
		}
	}
	multipart := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(multipart))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	req.Header.Set("Origin", "https://mail.example") // a mail program's web page may send it
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	if got := s.inbox.take(); w.Code != 200 || len(got) != 1 || got[0].Properties()["one_click"] != true {
		t.Errorf("multipart: %d %+v", w.Code, got)
	}
}

// TestComingBackLiftsNoComplaint sees that a person can take back only what the same page did.
func TestComingBackLiftsNoComplaint(t *testing.T) {
	s := open(t)
	for _, reason := range []deliver.Reason{deliver.Manual, deliver.Complained} {
		if _, err := s.store.Suppress(t.Context(), deliver.Suppression{Email: "ada@example.com", Reason: reason, Since: start}); err != nil {
			t.Fatal(err)
		}
		if w := s.follow(t, "POST", "/u/"+s.tokens.Seal(deliver.UnsubscribeLink, 7, ""), firefox, "action=subscribe"); w.Code != 200 {
			t.Errorf("%d", w.Code)
		}
		barred, _, err := s.store.Suppressions(t.Context(), "", 10)
		if err != nil || len(barred) != 1 || barred[0].Reason != reason {
			t.Errorf("%+v %v, want %s", barred, err, reason)
		}
	}
}

// TestAnUnsubscribeThatWasNotKeptSaysSo closes the store under the page.
func TestAnUnsubscribeThatWasNotKeptSaysSo(t *testing.T) {
	s := open(t)
	path := "/u/" + s.tokens.Seal(deliver.UnsubscribeLink, 7, "")
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if w := s.follow(t, "POST", path, firefox, ""); w.Code < 500 || len(s.inbox.take()) != 0 {
		t.Errorf("%d", w.Code)
	}
}

func TestTheHostedPageIsPlainAndSafe(t *testing.T) {
	s := open(t)
	w := s.follow(t, "GET", "/u/"+s.tokens.Seal(deliver.UnsubscribeLink, 7, ""), firefox, "")
	page, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	if strings.Contains(page, "ada@example.com") || !strings.Contains(page, "a…@example.com") {
		t.Error("the address is not masked")
	}
	if strings.Contains(page, "<script") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %s", policy)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the style's hash is not in the policy %s", policy)
	}
	for _, need := range []string{`<html lang="en">`, `<title>Unsubscribe</title>`, `name="viewport"`, `<main>`, `<h1>`, `method="post"`, `<button`} {
		if !strings.Contains(page, need) {
			t.Errorf("the page lacks %s", need)
		}
	}
	if w.Header().Get("X-Robots-Tag") == "" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", w.Header())
	}
}
