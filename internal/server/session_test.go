package server_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func cookieOf(t testing.TB, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies: %s", len(cookies), w.Body)
	}
	return cookies[0]
}

func TestSigningInAndOut(t *testing.T) {
	s := open(t)
	in := s.do(t, request{method: "POST", path: "/api/v1/session", body: `{"key":" ` + adminKey + `\n"}`, key: "none"})
	cookie := cookieOf(t, in)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || !cookie.Secure || cookie.MaxAge != int((7*24*time.Hour).Seconds()) || cookie.Path != "/" {
		t.Errorf("cookie %+v", cookie)
	}
	session := read[map[string]any](t, in)
	want := map[string]any{
		"key_name": "Management", "scopes": []any{"admin", "metrics", "read", "send", "track", "write"}, "version": "test", "demo": false, "mail": "sink",
		"public_url": "https://news.shop.example",
	}
	if !reflect.DeepEqual(session, want) {
		t.Errorf("session %v, want %v", session, want)
	}
	signedIn := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
	if w := s.do(t, request{method: "GET", path: "/api/v1/session", key: "none", header: signedIn}); w.Code != 200 {
		t.Errorf("with the cookie: %d %s", w.Code, w.Body)
	}
	if w := s.do(t, request{method: "GET", path: "/api/v1/keys", key: "none", header: signedIn}); w.Code != 200 {
		t.Errorf("a call with the cookie: %d %s", w.Code, w.Body)
	}
	out := s.do(t, request{method: "DELETE", path: "/api/v1/session", key: "none", header: signedIn})
	if out.Code != 204 || cookieOf(t, out).MaxAge >= 0 {
		t.Errorf("signing out: %d %v", out.Code, out.Header())
	}
	if p := problemIn(t, s.do(t, request{method: "GET", path: "/api/v1/session", key: "none", header: signedIn})); p.Code != "unauthorized" {
		t.Errorf("after signing out: %+v", p)
	}
	if w := s.do(t, request{method: "DELETE", path: "/api/v1/session", key: "none"}); w.Code != 204 {
		t.Errorf("signing out without a session: %d", w.Code)
	}
}

func TestAnotherSiteCannotUseTheCookie(t *testing.T) {
	s := open(t)
	cookie := cookieOf(t, s.do(t, request{method: "POST", path: "/api/v1/session", body: `{"key":"` + adminKey + `"}`, key: "none"}))
	cases := []struct {
		name    string
		header  map[string]string
		allowed bool
	}{
		{"same origin", map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		{"no browser", nil, true},
		{"cross site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false},
		{"same site, other host", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://other.shop.example"}, false},
		{"old browser, other origin", map[string]string{"Origin": "https://evil.example"}, false},
		{"our public address behind a proxy", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://news.shop.example"}, true},
	}
	for _, c := range cases {
		header := map[string]string{"Cookie": cookie.Name + "=" + cookie.Value}
		for k, v := range c.header {
			header[k] = v
		}
		w := s.do(t, request{method: "POST", path: "/api/v1/keys", body: `{"name":"x","scopes":["read"]}`, key: "none", header: header})
		if allowed := w.Code == 201; allowed != c.allowed {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if !c.allowed {
			problemIn(t, w)
		}
	}
}

func TestTryingOutKeysIsSlow(t *testing.T) {
	s := open(t)
	try := func(key string) *httptest.ResponseRecorder {
		return s.do(t, request{method: "POST", path: "/api/v1/session", body: `{"key":"` + key + `"}`, key: "none"})
	}
	for range 10 {
		if p := problemIn(t, try("a-wrong-key")); p.Status != 401 || p.Errors[0].Location != "body.key" {
			t.Fatalf("%+v", p)
		}
	}
	w := try(adminKey)
	if p := problemIn(t, w); p.Code != "rate_limited" || w.Header().Get("Retry-After") != "2" {
		t.Errorf("after ten wrong keys: %+v, Retry-After %s", p, w.Header().Get("Retry-After"))
	}
	s.now = s.now.Add(2 * time.Second)
	if w := try(adminKey); w.Code != 200 {
		t.Errorf("after waiting: %d %s", w.Code, w.Body)
	}
}

func TestScopesAreKept(t *testing.T) {
	s := whole(t)
	key := func(scopes string) string {
		return read[struct{ Key string }](t, s.do(t, request{method: "POST", path: "/api/v1/keys", body: `{"name":"k","scopes":[` + scopes + `]}`})).Key
	}
	reader, writer, sender := key(`"read"`), key(`"write"`), key(`"send"`)
	cases := []struct {
		key, method, path, body string
		status                  int
		code                    string
	}{
		{"none", "GET", "/api/v1/segments", "", 401, "unauthorized"},
		{"wrong", "GET", "/api/v1/segments", "", 401, "unauthorized"},
		{writeKey, "GET", "/api/v1/definitions", "", 403, "forbidden"},
		{reader, "GET", "/api/v1/definitions", "", 200, ""},
		{reader, "GET", "/api/v1/session", "", 200, ""},
		{reader, "PUT", "/api/v1/segments/x", `{"condition":"true"}`, 403, "forbidden"},
		{writer, "GET", "/api/v1/definitions", "", 403, "forbidden"},
		{writer, "POST", "/api/v1/definitions/apply", `{"definitions":[]}`, 200, ""},
		{writer, "POST", "/api/v1/campaigns/x/send", "", 403, "forbidden"},
		{sender, "POST", "/api/v1/campaigns/x/send", "", 404, "not_found"},
		{sender, "GET", "/api/v1/keys", "", 403, "forbidden"},
		{writeKey, "POST", "/api/v1/keys", `{"name":"x","scopes":["admin"]}`, 403, "forbidden"},
	}
	for _, c := range cases {
		w := s.do(t, request{method: c.method, path: c.path, body: c.body, key: c.key})
		if w.Code != c.status {
			t.Errorf("%s %s with %s: %d %s", c.method, c.path, c.key, w.Code, w.Body)
			continue
		}
		if c.code != "" && problemIn(t, w).Code != c.code {
			t.Errorf("%s %s: %s", c.method, c.path, w.Body)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (c.status == 401) != strings.HasPrefix(challenge, "Bearer") {
			t.Errorf("%s %s: WWW-Authenticate %q", c.method, c.path, challenge)
		}
	}
}

func TestKeysAreShownOnce(t *testing.T) {
	s := open(t)
	made := read[struct{ ID, Key, Name string }](t, s.do(t, request{method: "POST", path: "/api/v1/keys", body: `{"name":"Site","scopes":["track"]}`}))
	if !strings.HasPrefix(made.Key, "tbw_") || made.Name != "Site" {
		t.Errorf("%+v", made)
	}
	listed := s.do(t, request{method: "GET", path: "/api/v1/keys"})
	if strings.Contains(listed.Body.String(), made.Key) {
		t.Error("the list shows a secret")
	}
	keys := read[list](t, listed).Items
	if len(keys) != 3 {
		t.Fatalf("%d keys", len(keys))
	}
	s.run(t, []step{
		{"no scopes", request{method: "POST", path: "/api/v1/keys", body: `{"name":"x","scopes":[]}`}, 422, nil, []string{"body.scopes"}, "invalid"},
		{"an unknown scope", request{method: "POST", path: "/api/v1/keys", body: `{"name":"x","scopes":["root"]}`}, 422, nil, []string{"body.scopes[0]"}, "invalid"},
		{"no name", request{method: "POST", path: "/api/v1/keys", body: `{"name":" ","scopes":["read"]}`}, 422, nil, []string{"body.name"}, "invalid"},
		{"revoke", request{method: "DELETE", path: "/api/v1/keys/" + made.ID}, 204, nil, nil, ""},
		{"revoke again", request{method: "DELETE", path: "/api/v1/keys/" + made.ID}, 404, nil, nil, "not_found"},
		{"no id", request{method: "DELETE", path: "/api/v1/keys/x"}, 404, nil, nil, "not_found"},
		{"the last one", request{method: "DELETE", path: "/api/v1/keys/" + keys[0].ID}, 409, nil, nil, "conflict"},
	})
	if _, err := strconv.Atoi(made.ID); err != nil {
		t.Errorf("id %q", made.ID)
	}
}
