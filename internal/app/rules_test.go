package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// ready opens the program, and asks its management API.
func ready(t *testing.T) (*App, func(method, path, body string, want int) string) {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, err := Open(t.Context(), Config{DataDir: t.TempDir(), APIKey: "a-management-key-for-tests", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a, asking(t, a)
}

// asking asks the management API of a program that was opened with the key of tests.
func asking(t *testing.T, a *App) func(method, path, body string, want int) string {
	return func(method, path, body string, want int) string {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer a-management-key-for-tests")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
}

const v1 = "/api/v1"

// TestWhatARunNeedsStays deletes a segment and a template that the campaign uses no more, while its run, which began
// with them, does.
func TestWhatARunNeedsStays(t *testing.T) {
	a, ask := ready(t)
	ctx, now := t.Context(), a.now()
	define := func(name string) string {
		return `{"definitions":[{"kind":"segment","name":"` + name + `","spec":{"condition":"true"}},
			{"kind":"template","name":"` + name + `","spec":{"subject":"Hello","format":"html","body":"<p><a href=\"{{ unsubscribe_url }}\">stop</a></p>"}},
			{"kind":"campaign","name":"spring","spec":{"segment":"` + name + `","template":"` + name + `","from":"Shop <news@shop.example>"}}]}`
	}
	refused := func(kind, status string) {
		t.Helper()
		if answer := ask("DELETE", v1+"/"+kind+"/old", "", 409); !strings.Contains(answer, "spring") || !strings.Contains(answer, status) {
			t.Errorf("%s: %s", kind, answer)
		}
	}
	// The campaign was changed while its run began.
	ask("POST", v1+"/definitions/apply", define("old"), 200)
	ask("POST", v1+"/definitions/apply", define("new"), 200)
	run, _, err := a.store.Start(ctx, campaign.Run{
		Campaign: "spring", Version: 1, Template: 1, Status: campaign.Sending, StartedAt: now,
		Definition: campaign.Definition{Segment: "old", Template: "old", From: "Shop <news@shop.example>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	refused("segments", "sending")
	refused("templates", "sending")
	if _, _, err := a.store.Pause(ctx, "spring"); err != nil {
		t.Fatal(err)
	}
	refused("segments", "paused")
	refused("templates", "paused")
	if _, _, err := a.store.Resume(ctx, "spring"); err != nil {
		t.Fatal(err)
	}
	// Once all are enqueued, the segment is not needed, but the template is: until the last message has gone.
	if err := a.store.Enqueue(ctx, run.ID, 0, 0, []campaign.Recipient{{ProfileID: 1, Email: "a@x.example"}}, true, now); err != nil {
		t.Fatal(err)
	}
	ask("DELETE", v1+"/segments/old", "", 204)
	refused("templates", "sending")
	jobs, _, err := a.outbox.Claim(ctx, now, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v %v", jobs, err)
	}
	if err := a.outbox.Finish(ctx, deliver.Outcome{ID: jobs[0].ID, Status: deliver.StatusSkipped, Reason: deliver.Suppressed, At: now}); err != nil {
		t.Fatal(err)
	}
	ask("DELETE", v1+"/templates/old", "", 204)
}

const drafts = `{"definitions":[
	{"kind":"segment","name":"germans","spec":{"condition":"profile.country == \"DE\""}},
	{"kind":"template","name":"hello","spec":{"subject":"Hello","format":"html","body":"<p><a href=\"{{ unsubscribe_url }}\">stop</a></p>"}},
	{"kind":"campaign","name":"spring","spec":{"segment":"germans","template":"hello","from":"%s"}}]}`

// TestACampaignIsSentAsItWas tries to change a campaign after its sending began, by each way there is.
func TestACampaignIsSentAsItWas(t *testing.T) {
	a, ask := ready(t)
	same, other := fmt.Sprintf(drafts, "Shop <news@shop.example>"), fmt.Sprintf(drafts, "Other <news@shop.example>")
	put := func(definitions string) string {
		return definitions[strings.LastIndex(definitions, `{"segment"`) : len(definitions)-3]
	}
	ask("POST", v1+"/definitions/apply", other, 200)
	ask("POST", v1+"/definitions/apply", same, 200) // a draft may change
	for _, wish := range []string{"pause", "resume"} {
		if answer := ask("POST", v1+"/campaigns/spring/"+wish, "", 409); !strings.Contains(answer, "draft") {
			t.Errorf("%s of a draft: %s", wish, answer)
		}
	}
	if err := a.engine.WaitFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answer := ask("POST", v1+"/campaigns/spring/send", "", 409); !strings.Contains(answer, "nobody is in germans") {
		t.Errorf("to nobody: %s", answer)
	}
	if answer := ask("GET", v1+"/campaigns/spring", "", 200); !strings.Contains(answer, `"status":"draft"`) {
		t.Errorf("after sending to nobody: %s", answer)
	}
	ask("POST", "/v1/identify", `{"userId":"u","traits":{"country":"DE","email":"u@example.com"}}`, 200)
	ask("POST", v1+"/campaigns/spring/send", "", 202)
	ask("POST", v1+"/campaigns/spring/send", "", 202)
	for _, body := range []string{put(other), put(same)} {
		want := 200
		if body == put(other) {
			want = 409
		}
		if answer := ask("PUT", v1+"/campaigns/spring", body, want); want == 409 && !strings.Contains(answer, "was sent; copy it under a new name") {
			t.Errorf("put: %s", answer)
		}
	}
	ask("POST", v1+"/definitions/apply", same, 200)
	ask("POST", v1+"/definitions/apply", other, 409)
	ask("POST", v1+"/campaigns/spring/pause", "", 200)
	ask("POST", v1+"/campaigns/spring/pause", "", 200)
	ask("POST", v1+"/campaigns/spring/resume", "", 200)
	ask("DELETE", v1+"/campaigns/spring", "", 409)
}

// TestACampaignThatReachedNobodyIsNotUsedUp sends to a segment that was still being filled, and was found empty then.
func TestACampaignThatReachedNobodyIsNotUsedUp(t *testing.T) {
	a, ask := ready(t)
	ctx := t.Context()
	same, other := fmt.Sprintf(drafts, "Shop <news@shop.example>"), fmt.Sprintf(drafts, "Other <news@shop.example>")
	ask("POST", v1+"/definitions/apply", same, 200)
	if err := a.engine.WaitFilled(ctx); err != nil {
		t.Fatal(err)
	}
	first, _, err := a.store.Start(ctx, campaign.Run{
		Campaign: "spring", Version: 1, Template: 1, Status: campaign.Sending, StartedAt: a.now(), Definition: campaign.Definition{Segment: "germans"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.store.Enqueue(ctx, first.ID, 0, 0, nil, true, a.now()); err != nil {
		t.Fatal(err)
	}
	for _, wish := range []string{"pause", "resume"} {
		if answer := ask("POST", v1+"/campaigns/spring/"+wish, "", 409); !strings.Contains(answer, "to the end") {
			t.Errorf("%s of a finished one: %s", wish, answer)
		}
	}
	ask("POST", v1+"/campaigns/spring/send", "", 409)
	ask("DELETE", v1+"/campaigns/spring", "", 204)
	ask("POST", v1+"/definitions/apply", other, 200)
	ask("POST", "/v1/identify", `{"userId":"u","traits":{"country":"DE","email":"u@example.com"}}`, 200)
	if answer := ask("POST", v1+"/campaigns/spring/send", "", 202); !strings.Contains(answer, `"status":"sending"`) {
		t.Errorf("sent again: %s", answer)
	}
	run, found, err := a.store.CampaignRun(ctx, "spring")
	if err != nil || !found || run.Definition.From != "Other <news@shop.example>" || run.Enqueued {
		t.Errorf("%+v %v %v", run, found, err)
	}
}

func TestDefinitionsThatCouldNotWorkAreRefused(t *testing.T) {
	_, ask := ready(t)
	for _, c := range []struct{ path, body, location, says string }{
		{"/templates/a", `{"subject":"Hello\nBcc: all@x.example","format":"html","body":"x"}`, `"body.subject"`, "line break"},
		{"/templates/a", `{"subject":"Hello\r","format":"html","body":"x"}`, `"body.subject"`, `"column":6`},
		{"/templates/a", `{"subject":"Hello","preheader":"a\r\nb","format":"html","body":"x"}`, `"body.preheader"`, "one line"},
		{"/traits/email", `{"expression":"events().count()"}`, "", "computed_email"},
		{"/traits/phone", `{"expression":"events().count()"}`, "", "computed_phone"},
		{"/segments/a", `{"condition":"true &&\n profile.x.matches(\"a(b\")"}`, `"body.condition"`, `"line":2`},
	} {
		if answer := ask("PUT", v1+c.path, c.body, 422); !strings.Contains(answer, c.location) || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: %s", c.path, c.body, answer)
		}
	}
}

func TestThePublicURLIsAnOrigin(t *testing.T) {
	for url, good := range map[string]bool{
		"": true, "https://mail.shop.example": true, "https://mail.shop.example/": true, "http://127.0.0.1:8080": true, "https://[::1]:8080": true,
		"foo": false, "mail.shop.example": false, "//mail.shop.example": false, "ftp://shop.example": false, "https://": false, "http://:80": false,
		"https://shop.example/mail": false, "https://shop.example?": false, "https://shop.example#a": false, "https://ada@shop.example": false, "/": false,
		"https://shop example": false, "https://shop.example//": false,
	} {
		a, err := Open(t.Context(), Config{DataDir: t.TempDir(), PublicURL: url})
		if good != (err == nil) || !good && (fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "--public-url") ||
			!strings.Contains(err.Error(), "must look like https://mail.shop.example")) {
			t.Errorf("%q: %v", url, err)
		}
		if err == nil {
			_ = a.Close()
		}
	}
}

// TestWhatOthersReadStays deletes segments and computed traits that other definitions read in any of the ways there are.
func TestWhatOthersReadStays(t *testing.T) {
	_, ask := ready(t)
	const query = `{"sql": "SELECT id AS profile_id, 1 AS one FROM profiles", "schedule": "on demand"}`
	ask("PUT", v1+"/segments/asked", query, 200)
	ask("PUT", v1+"/traits/orders", `{"expression": "events(\"Order Completed\").count()"}`, 200)
	for _, reads := range []struct{ of, path, body string }{
		{"/segments/asked", "/segments/one", `{"condition": "profile.sql.asked.one == 1"}`},
		{"/segments/asked", "/segments/indexed", `{"condition": "profile[\"sql\"][\"asked\"].one == 1"}`},
		{"/segments/asked", "/segments/has", `{"condition": "has(profile.sql.asked)"}`},
		{"/segments/asked", "/segments/listed", `{"condition": "\"asked\" in profile.sql"}`},
		{"/segments/asked", "/segments/in", `{"condition": "\"asked\" in segments"}`},
		{"/segments/asked", "/traits/doubled", `{"expression": "profile.sql.asked.one * 2.0"}`},
		{"/segments/asked", "/templates/told", `{"subject": "{{ sql.asked.one }}", "format": "html", "body": "<p>Hello</p>"}`},
		{"/segments/asked", "/templates/told", `{"subject": "Hello", "format": "html", "body": "<p>{% if profile.sql['asked'] %}Hello{% endif %}</p>"}`},
		{"/traits/orders", "/segments/buyers", `{"condition": "profile.orders > 1"}`},
		{"/traits/orders", "/traits/rounded", `{"expression": "profile[\"orders\"] + 1"}`},
		{"/traits/orders", "/templates/told", `{"subject": "Hello", "format": "html", "body": "<p>{{ profile.orders }}</p>"}`},
		{"/traits/orders", "/templates/told", `{"subject": "Hello", "format": "html", "body": "<p>Hello</p>", "text": "{{ orders | default: 0 }}"}`},
	} {
		ask("PUT", v1+reads.path, reads.body, 200)
		name := reads.path[strings.LastIndex(reads.path, "/")+1:]
		if answer := ask("DELETE", v1+reads.of, "", 409); !strings.Contains(answer, name) {
			t.Errorf("%s is not named: %s", name, answer)
		}
		ask("DELETE", v1+reads.path, "", 204)
	}
	// What a query says is asked for only where there is one.
	ask("PUT", v1+"/segments/one", `{"condition": "profile.sql.missing.one == 1"}`, 422)
	ask("PUT", v1+"/segments/one", `{"condition": "profile.sql.asked.one == 1"}`, 200)
	if answer := ask("PUT", v1+"/segments/asked", `{"condition": "true"}`, 422); !strings.Contains(answer, "one reads profile.sql.asked") {
		t.Error(answer)
	}
	ask("DELETE", v1+"/segments/one", "", 204)
	ask("DELETE", v1+"/segments/asked", "", 204)
	ask("DELETE", v1+"/traits/orders", "", 204)
}

func TestTheHistoryTellsThatASegmentWasDeleted(t *testing.T) {
	a, ask := ready(t)
	ask("PUT", v1+"/segments/buyers", `{"condition": "true"}`, 200)
	ask("POST", "/v1/identify", `{"userId":"u","traits":{"country":"DE"}}`, 200)
	before := a.now()
	ask("DELETE", v1+"/segments/buyers", "", 204)
	after := a.now()
	if err := a.engine.WaitFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	var found struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(ask("GET", v1+"/profiles", "", 200)), &found); err != nil || len(found.Items) != 1 {
		t.Fatal(found, err)
	}
	profile := v1 + "/profiles/" + found.Items[0].ID
	if history := ask("GET", profile+"/memberships", "", 200); !strings.Contains(history, `"entered":false`) || !strings.Contains(history, `"cause":"deletion"`) {
		t.Error(history)
	}
	why := ask("GET", profile+"/explain?segment=buyers", "", 404)
	_, told, _ := strings.Cut(why, "the segment buyers was deleted at ")
	told, _, _ = strings.Cut(told, ", by which everybody left it")
	if at, err := time.Parse(time.RFC3339, told); err != nil || at.Before(before.Truncate(time.Second)) || at.After(after) {
		t.Errorf("deleted between %s and %s: %s", before, after, why)
	}
	if why := ask("GET", profile+"/explain?segment=none", "", 404); !strings.Contains(why, "there is no segment none") {
		t.Error(why)
	}
}
