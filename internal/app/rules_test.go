package app

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
)

// TestWhatARunNeedsStays deletes a segment and a template that the campaign uses no more, while its run, which began
// before, does.
func TestWhatARunNeedsStays(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, err := Open(ctx, Config{DataDir: t.TempDir(), APIKey: "a-management-key-for-tests", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	ask := func(method, path, body string, want int) string {
		t.Helper()
		r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer a-management-key-for-tests")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	define := func(name string) string {
		return `{"definitions":[{"kind":"segment","name":"` + name + `","spec":{"condition":"true"}},
			{"kind":"template","name":"` + name + `","spec":{"subject":"Hello","format":"html","body":"<p><a href=\"{{ unsubscribe_url }}\">stop</a></p>"}},
			{"kind":"campaign","name":"spring","spec":{"segment":"` + name + `","template":"` + name + `","from":"Shop <news@shop.example>"}}]}`
	}
	refused := func(kind, status string) {
		t.Helper()
		if answer := ask("DELETE", "/"+kind+"/old", "", 409); !strings.Contains(answer, "spring") || !strings.Contains(answer, status) {
			t.Errorf("%s: %s", kind, answer)
		}
	}
	ask("POST", "/definitions/apply", define("old"), 200)
	run, _, err := a.store.Start(ctx, campaign.Run{
		Campaign: "spring", Version: 1, Template: 1, Status: campaign.Sending, StartedAt: now,
		Definition: campaign.Definition{Segment: "old", Template: "old", From: "Shop <news@shop.example>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask("POST", "/definitions/apply", define("new"), 200)
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
	ask("DELETE", "/segments/old", "", 204)
	refused("templates", "sending")
	jobs, _, err := a.outbox.Claim(ctx, now, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v %v", jobs, err)
	}
	if err := a.outbox.Finish(ctx, deliver.Outcome{ID: jobs[0].ID, Status: deliver.StatusSkipped, Reason: deliver.Suppressed, At: now}); err != nil {
		t.Fatal(err)
	}
	ask("DELETE", "/templates/old", "", 204)
}
