package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// office is the program with customers in it, some of them twice.
type office struct {
	*testing.T
	*App
	ask func(method, path, body string, want int) string
}

type matched struct {
	ID, Status, Reason string
	Probability        float64
	Profiles           []struct {
		ID     string
		Traits struct{ Person int }
	}
}

// same reports whether a match is one person in truth.
func (m matched) same() bool {
	return len(m.Profiles) == 1 || m.Profiles[0].Traits.Person == m.Profiles[1].Traits.Person
}

func openOffice(t *testing.T) office {
	a, ask := ready(t)
	return office{t, a, ask}
}

func (o office) read(path string, into any) {
	o.Helper()
	if err := json.Unmarshal([]byte(o.ask("GET", path, "", 200)), into); err != nil {
		o.Fatal(err)
	}
}

// people registers customers; every fifth comes a second time with a slip in the surname and another address, and the
// trait person says who is who.
func (o office) people(n int) {
	o.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(syllables int) string {
		var b strings.Builder
		for range syllables {
			b.WriteByte("bdfgklmnprstvz"[random.IntN(14)])
			b.WriteByte("aeiou"[random.IntN(5)])
		}
		return b.String()
	}
	var batch []string
	add := func(person int, given, surname, birthday, street string) {
		batch = append(batch, fmt.Sprintf(`{"type":"identify","messageId":"m%d","anonymousId":"browser-%d","traits":{"person":%d,"firstName":%q,`+
			`"lastName":%q,"birthday":%q,"address":{"street":%q}}}`, len(batch), len(batch), person, given, surname, birthday, street))
	}
	for person := range n {
		given, surname := word(2), word(3)+"son"
		birthday := fmt.Sprintf("%d-%02d-%02d", 1950+random.IntN(50), 1+random.IntN(12), 1+random.IntN(28))
		street := fmt.Sprintf("%d %s street", 1+random.IntN(90), word(3))
		add(person, given, surname, birthday, street)
		if person%5 == 0 {
			add(person, given, surname[:3]+surname[4:], birthday, fmt.Sprintf("%d %s street", 1+random.IntN(90), word(3)))
		}
	}
	keys, err := o.Keys()
	if err != nil {
		o.Fatal(err)
	}
	o.track(keys.Write, `{"batch":[`+strings.Join(batch, ",")+`]}`)
}

// run looks for matches and waits for the end.
func (o office) run() {
	o.Helper()
	o.ask("POST", "/api/v1/matches/run", "", 202)
	o.matcher.Wait()
	var run struct{ Status string }
	if o.read("/api/v1/matches/run", &run); run.Status != "done" {
		o.Fatalf("the run is %s", run.Status)
	}
}

func (o office) list(status string) []matched {
	o.Helper()
	var page struct{ Items []matched }
	o.read("/api/v1/matches?limit=200&status="+status, &page)
	return page.Items
}

func TestMatchesAreFoundDecidedAndRemembered(t *testing.T) {
	o := openOffice(t)
	o.people(200)
	o.run()
	found := o.list("pending")
	right := 0
	for _, m := range found {
		if m.same() {
			right++
		}
	}
	if right < 38 || len(found) > 44 {
		t.Fatalf("%d of 40 pairs found among %d", right, len(found))
	}
	if reason := found[0].Reason; !strings.Contains(reason, "surname differs by one letter") || !strings.Contains(reason, "birthday is the same") {
		t.Errorf("the reason does not tell: %s", reason)
	}

	accepted, rejected := found[0], found[1]
	var survivor struct {
		ID string `json:"profile_id"`
	}
	if err := json.Unmarshal([]byte(o.ask("POST", "/api/v1/matches/"+accepted.ID+"/accept", "", 200)), &survivor); err != nil {
		t.Fatal(err)
	}
	if survivor.ID != accepted.Profiles[0].ID {
		t.Errorf("%s survived, not the older %s", survivor.ID, accepted.Profiles[0].ID)
	}
	o.ask("POST", "/api/v1/matches/"+rejected.ID+"/reject", "", 200)
	o.ask("POST", "/api/v1/matches/"+rejected.ID+"/accept", "", 409)
	if n := len(o.list("pending")); n != len(found)-2 {
		t.Errorf("%d wait, of %d", n, len(found))
	}

	o.run()
	for _, m := range o.list("pending") {
		if m.Profiles[0].ID == rejected.Profiles[0].ID && m.Profiles[1].ID == rejected.Profiles[1].ID {
			t.Error("what was rejected is suggested again")
		}
	}
	if all := o.list("rejected"); len(all) != 1 || len(all[0].Profiles) != 2 {
		t.Errorf("rejected: %+v", all)
	}
	if all := o.list("accepted"); len(all) != 1 || len(all[0].Profiles) != 1 || all[0].Profiles[0].ID != survivor.ID {
		t.Errorf("accepted: %+v", all)
	}

	for _, id := range []string{rejected.ID, accepted.ID} {
		o.ask("POST", "/api/v1/matches/"+id+"/undo", "", 200)
		if !slices.ContainsFunc(o.list("pending"), func(m matched) bool { return m.ID == id && len(m.Profiles) == 2 }) {
			t.Error("a decision taken back does not wait again")
		}
		o.ask("POST", "/api/v1/matches/"+id+"/undo", "", 409)
	}
}

func TestWhatIsSureIsMergedOnlyWhereThatIsAllowed(t *testing.T) {
	o := openOffice(t)
	o.people(200)
	o.run()
	if merged := o.list("merged"); len(merged) > 0 {
		t.Fatalf("merged without leave: %+v", merged)
	}
	sure := 0
	for _, m := range o.list("pending") {
		if m.Probability >= 0.95 {
			sure++
		}
	}
	o.ask("PUT", "/api/v1/matches/settings", `{"automatic":true,"merge":0.95}`, 200)
	o.run()
	if merged := o.list("merged"); sure == 0 || len(merged) != sure || !merged[0].same() {
		t.Errorf("%d of %d sure pairs are merged", len(merged), sure)
	}
	for _, m := range o.list("pending") {
		if m.Probability >= 0.95 {
			t.Errorf("waits though it is sure: %+v", m)
		}
	}
}

func TestMatchSettingsAreChecked(t *testing.T) {
	o := openOffice(t)
	for body, field := range map[string]string{
		`{"review":0}`: "body.review", `{"merge":0.3}`: "body.merge", `{"review":0.999,"merge":0.9}`: "body.merge",
		`{"every_hours":-1}`: "body.every_hours", `{"fields":{"shoe":"size"}}`: "body.fields",
	} {
		if got := o.ask("PUT", "/api/v1/matches/settings", body, 422); !strings.Contains(got, field) {
			t.Errorf("%s: the answer does not name %s: %s", body, field, got)
		}
	}
	o.ask("POST", "/api/v1/matches/nonsense/accept", "", 404)
	o.run() // nobody there: nothing found, and no failure
}

func TestMatchesRunOnSchedule(t *testing.T) {
	o := openOffice(t)
	o.people(20)
	o.ask("PUT", "/api/v1/matches/settings", `{"every_hours":24}`, 200)
	if due := o.matcher.UntilDue(t.Context()); due > 0 {
		t.Errorf("the first run waits %s", due)
	}
	o.run()
	if due := o.matcher.UntilDue(t.Context()); due < 50*time.Minute {
		t.Errorf("the second run waits only %s", due)
	}
}

// track sends a batch and fails where it is not taken.
func (o office) track(key, body string) {
	o.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/batch", strings.NewReader(body))
	r.SetBasicAuth(key, "")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		o.Fatalf("the batch was not taken: %d %s", w.Code, w.Body)
	}
}
