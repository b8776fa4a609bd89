package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/app"
)

// whole is the program with its real engine, asked through its handler.
func whole(t testing.TB) *site {
	t.Helper()
	ctx := context.Background()
	a, err := app.Open(ctx, app.Config{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", PublicURL: "https://news.shop.example", APIKey: adminKey, WriteKey: writeKey, Version: "test", Now: start,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{Handler: a.Handler()}
}

// step is one call of an API test and what must come back.
type step struct {
	name      string
	request   request
	status    int
	has       map[string]any // members of the answer, by dotted path
	locations []string       // what a problem blames
	code      string
}

func (s *site) run(t *testing.T, steps []step) {
	t.Helper()
	for _, st := range steps {
		w := s.do(t, st.request)
		if w.Code != st.status {
			t.Errorf("%s: status %d, want %d: %s", st.name, w.Code, st.status, w.Body)
			continue
		}
		if st.status >= 400 {
			p := problemIn(t, w)
			if p.Code != st.code || !reflect.DeepEqual(p.locations(), st.locations) {
				t.Errorf("%s: code %q at %q, want %q at %q (%s)", st.name, p.Code, p.locations(), st.code, st.locations, w.Body)
			}
			continue
		}
		var answer any
		if len(st.has) > 0 {
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Errorf("%s: %v: %s", st.name, err, w.Body)
			}
		}
		for path, want := range st.has {
			if got := at(answer, path); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s is %v, want %v (%s)", st.name, path, got, want, w.Body)
			}
		}
	}
}

// at finds the member of an answer under a dotted path, "items.0.name"; "#" is the length of a list.
func at(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			if part == "#" {
				return float64(len(x))
			}
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func track(body string) request {
	return request{method: "POST", path: "/v1/batch", body: body, header: basic(writeKey)}
}

const shop = `{"batch":[
	{"type":"identify","userId":"ada","messageId":"1","timestamp":"2026-02-01T10:00:00Z","traits":{"email":"Ada@Example.com","first_name":"Ada","last_name":"Lovelace","vip":true}},
	{"type":"track","userId":"ada","messageId":"2","timestamp":"2026-02-28T10:00:00Z","event":"Order Completed","properties":{"total":120.5}},
	{"type":"identify","userId":"bob","messageId":"3","timestamp":"2026-02-01T10:00:00Z","traits":{"email":"bob@example.com","name":"Bob_100%"}},
	{"type":"page","anonymousId":"cookie-7","messageId":"4","timestamp":"2026-02-20T10:00:00Z","properties":{"url":"/"}}]}`

func TestProfilesAreFoundEachWay(t *testing.T) {
	s := whole(t)
	get := func(path string) request { return request{method: "GET", path: "/api/v1" + path} }
	s.run(t, []step{
		{"track", track(shop), 200, nil, nil, ""},
		{"all", get("/profiles"), 200, map[string]any{"items.#": 3.0, "items.0.label": "Anonymous cookie-7", "next_cursor": nil}, nil, ""},
		{"by identifier", get("/profiles?identifier=email:ADA@example.com"), 200, map[string]any{
			"items.#": 1.0, "items.0.label": "Ada Lovelace", "items.0.traits.vip": true, "items.0.subscribed": true,
			"items.0.created_at": "2026-02-01T10:00:00Z", "items.0.last_seen_at": "2026-02-28T10:00:00Z", "items.0.merged.#": 0.0, "items.0.segments.#": 0.0,
		}, nil, ""},
		{"by an unknown one", get("/profiles?identifier=email:nobody@example.com"), 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"by no identifier", get("/profiles?identifier=ada"), 422, nil, []string{"query.identifier"}, "invalid"},
		{"by two ways", get("/profiles?identifier=user_id:ada&q=a"), 422, nil, []string{"query.identifier"}, "invalid"},
		{"by the beginning of an address", get("/profiles?q=BOB@ex"), 200, map[string]any{"items.#": 1.0, "items.0.label": "Bob_100%"}, nil, ""},
		{"by a cookie", get("/profiles?q=cook"), 200, map[string]any{"items.#": 1.0}, nil, ""},
		{"by a word of the name", get("/profiles?q=lovel"), 200, map[string]any{"items.#": 1.0, "items.0.label": "Ada Lovelace"}, nil, ""},
		{"signs stand for themselves", get("/profiles?q=%25"), 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"and are found", get("/profiles?q=bob_1"), 200, map[string]any{"items.#": 1.0}, nil, ""},
		{"the middle of a word is no beginning", get("/profiles?q=velace"), 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"quotes are text", get("/profiles?q=%27%20OR%201=1--"), 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"a page", get("/profiles?limit=2"), 200, map[string]any{"items.#": 2.0}, nil, ""},
		{"no page", get("/profiles?limit=0"), 422, nil, []string{"query.limit"}, "invalid"},
		{"a wrong cursor", get("/profiles?cursor=!"), 422, nil, []string{"query.cursor"}, "invalid"},
		{"a misspelt parameter", get("/profiles?segmnt=vip"), 422, nil, []string{"query.segmnt"}, "invalid"},
		{"an unknown segment", get("/profiles?segment=vip"), 404, nil, nil, "not_found"},
		{"an unknown profile", get("/profiles/nobody"), 404, nil, nil, "not_found"},
		{"events of an unknown profile", get("/profiles/nobody/events"), 404, nil, nil, "not_found"},
	})
	first := read[list](t, s.do(t, get("/profiles?limit=2")))
	second := read[list](t, s.do(t, get("/profiles?limit=2&cursor="+first.Next)))
	if len(second.Items) != 1 || second.Next != "" || second.Items[0].ID == first.Items[0].ID || second.Items[0].ID == first.Items[1].ID {
		t.Errorf("pages %+v, %+v", first, second)
	}
	ada := read[list](t, s.do(t, get("/profiles?identifier=user_id:ada"))).Items[0].ID
	s.run(t, []step{
		{"one", get("/profiles/" + ada), 200, map[string]any{"id": ada, "identifiers.#": 2.0}, nil, ""},
		{"its events", get("/profiles/" + ada + "/events"), 200, map[string]any{
			"items.#": 2.0, "items.0.message_id": "2", "items.0.type": "track", "items.0.name": "Order Completed", "items.0.properties.total": 120.5,
			"items.0.timestamp": "2026-02-28T10:00:00Z", "items.1.name": "Identified", "items.1.properties.first_name": "Ada",
		}, nil, ""},
		{"a page of them", get("/profiles/" + ada + "/events?limit=1"), 200, map[string]any{"items.#": 1.0}, nil, ""},
		{"two become one", track(`{"batch":[{"type":"identify","userId":"ada","anonymousId":"cookie-7","messageId":"5"}]}`), 200, nil, nil, ""},
		{"one is left of them", get("/profiles/" + ada), 200, map[string]any{
			"merged.#": 1.0, "merged.0.message_id": "5", "merged.0.identifiers.0.value": "cookie-7", "identifiers.#": 3.0,
		}, nil, ""},
	})
	old := read[struct {
		Merged []struct {
			ProfileID string `json:"profile_id"`
		}
	}](t, s.do(t, get("/profiles/"+ada))).Merged[0].ProfileID
	s.run(t, []step{
		{"the old id gives the survivor", get("/profiles/" + old), 200, map[string]any{"id": ada}, nil, ""},
		{"its event moved", get("/profiles/" + old + "/events"), 200, map[string]any{"items.#": 4.0}, nil, ""},
		{"the merged one is gone from the list", get("/profiles"), 200, map[string]any{"items.#": 2.0}, nil, ""},
		{"the counts agree", get("/overview?days=30"), 200, map[string]any{
			"profiles": 2.0, "events": 5.0, "days.#": 30.0, "days.29.date": "2026-03-01", "days.28.events": 1.0, "recent_events.#": 5.0,
			"recent_events.0.profile_id": ada, "recent_events.0.profile_label": "Ada Lovelace", "loop.status": "ok", "segments": 0.0,
		}, nil, ""},
	})
}

// list is a page as far as tests need it.
type list struct {
	Items []struct{ ID, Name string }
	Next  string `json:"next_cursor"`
}

func TestSegmentsAndTraits(t *testing.T) {
	s := whole(t)
	put := func(path, body string) request { return request{method: "PUT", path: "/api/v1" + path, body: body} }
	get := func(path string) request { return request{method: "GET", path: "/api/v1" + path} }
	buyers := `{"condition":"events(\"Order Completed\").within(\"90d\").count() >= 1","description":"People who bought"}`
	s.run(t, []step{
		{"track", track(shop), 200, nil, nil, ""},
		{
			"preview",
			request{method: "POST", path: "/api/v1/segments/preview", body: buyers[:strings.Index(buyers, ",")] + "}"},
			200,
			map[string]any{"count": 1.0, "total": 3.0, "sample.0.label": "Ada Lovelace", "warnings.#": 0.0},
			nil, "",
		},
		{"preview of nonsense", request{method: "POST", path: "/api/v1/segments/preview", body: `{"condition":"true &&\n nosuch"}`}, 422, nil, []string{"body.condition"}, "invalid"},
		{"create", put("/segments/buyers", buyers), 200, map[string]any{"name": "buyers", "version": 1.0, "description": "People who bought"}, nil, ""},
		{"again", put("/segments/buyers", buyers), 200, map[string]any{"version": 1.0}, nil, ""},
		{"a wrong condition", put("/segments/buyers", `{"condition":"nosuch > 1"}`), 422, nil, []string{"body.condition"}, "invalid"},
		{"a wrong name", put("/segments/Best%20Buyers", buyers), 422, nil, []string{"path.name"}, "invalid"},
		{"a misspelt member", put("/segments/buyers", `{"conditoin":"true"}`), 422, nil, []string{"body.conditoin"}, "invalid"},
		{"no JSON", put("/segments/buyers", `{"condition":`), 400, nil, []string{"body"}, "invalid"},
		{"one that uses it", put("/segments/loyal", `{"condition":"\"buyers\" in segments"}`), 200, map[string]any{"version": 1.0}, nil, ""},
		{"one that uses nothing", put("/segments/lost", `{"condition":"\"nobody\" in segments"}`), 422, nil, []string{"body.condition"}, "invalid"},
		{"in use", request{method: "DELETE", path: "/api/v1/segments/buyers"}, 409, nil, nil, "conflict"},
		{"list", get("/segments"), 200, map[string]any{"items.#": 2.0, "items.0.name": "buyers", "items.1.name": "loyal"}, nil, ""},
		{"a page", get("/segments?limit=1"), 200, map[string]any{"items.#": 1.0, "next_cursor": "buyers"}, nil, ""},
		{"the last page", get("/segments?limit=1&cursor=buyers"), 200, map[string]any{"items.0.name": "loyal", "next_cursor": nil}, nil, ""},
		{"history", get("/segments/buyers/versions"), 200, map[string]any{"items.#": 1.0, "items.0.created_by": "Management", "items.0.version": 1.0}, nil, ""},
		{"delete", request{method: "DELETE", path: "/api/v1/segments/loyal"}, 204, nil, nil, ""},
		{"gone", get("/segments/loyal"), 404, nil, nil, "not_found"},
		{"delete again", request{method: "DELETE", path: "/api/v1/segments/loyal"}, 404, nil, nil, "not_found"},
		{"its history stays", get("/segments/loyal/versions"), 200, map[string]any{"items.#": 2.0, "items.0.deleted": true}, nil, ""},
		{"no history", get("/segments/never/versions"), 404, nil, nil, "not_found"},
		{"a trait", put("/traits/spent", `{"expression":"events(\"Order Completed\").sum(e, e.properties.total)"}`), 200, map[string]any{"version": 1.0, "type": "double"}, nil, ""},
		{"a wrong one", put("/traits/spent", `{"expression":"events("}`), 422, nil, []string{"body.expression"}, "invalid"},
		{"words", get("/vocabulary"), 200, map[string]any{"segments.0": "buyers", "functions.0.name": "events"}, nil, ""},
	})
}

func TestAMissingMemberIsNamedInPlainWords(t *testing.T) {
	s := whole(t)
	for path, want := range map[string]string{"/segments/preview": "condition", "/suppressions": "email", "/keys": "name", "/campaigns/x/test": "to"} {
		p := problemIn(t, s.do(t, request{method: "POST", path: "/api/v1" + path, body: `{}`}))
		if p.Status != 422 || p.Errors[0].Location != "body."+want || p.Errors[0].Message != want+" is missing" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	nested := `{"definitions":[{"kind":"segment","spec":{}}]}`
	if p := problemIn(t, s.do(t, request{method: "POST", path: "/api/v1/definitions/apply", body: nested})); p.Errors[0].Location != "body.definitions[0].name" {
		t.Errorf("nested: %+v", p)
	}
}

func TestConditionsAsTrees(t *testing.T) {
	s := whole(t)
	post := func(body string) request {
		return request{method: "POST", path: "/api/v1/conditions/tree", body: body}
	}
	s.run(t, []step{
		{"track", track(shop), 200, nil, nil, ""},
		{"text", post(`{"text":"profile.contry == \"DE\" && events(\"Order Completed\").within(\"7d\").count() >= 2"}`), 200, map[string]any{
			"tree.kind": "all", "tree.nodes.0.name": "contry", "tree.nodes.1.behaviour.event": "Order Completed", "tree.nodes.1.value": 2.0,
			"warnings.#": 1.0, "warnings.0.line": 1.0, "warnings.0.column": 9.0,
		}, nil, ""},
		{
			"tree", post(`{"tree":{"kind":"not","nodes":[{"kind":"trait","name":"country","operator":"in","value":["DE","AT"]}]}}`), 200,
			map[string]any{"text": `!(profile.country in ["DE", "AT"])`, "tree.kind": "not"},
			nil, "",
		},
		{"neither", post(`{}`), 422, nil, []string{"body.text"}, "invalid"},
		{"wrong text", post(`{"text":"profile.x >"}`), 422, nil, []string{"body.text"}, "invalid"},
		{"wrong node", post(`{"tree":{"kind":"any","nodes":[{"kind":"trait","name":"x","operator":"~","value":1}]}}`), 422, nil, []string{"body.tree.nodes[0].operator"}, "invalid"},
		{"wrong type", post(`{"tree":{"kind":"behaviour","operator":">","value":"a","behaviour":{"event":"x","reducer":"count"}}}`), 422, nil, []string{"body.tree"}, "invalid"},
		{
			"wrong type of one leaf", post(`{"tree":{"kind":"any","nodes":[{"kind":"trait","name":"vip"},{"kind":"not","nodes":[{"kind":"behaviour","behaviour":{"event":"x","within":"soon","reducer":"exists"}}]}]}}`),
			422, nil,
			[]string{"body.tree.nodes[1].nodes[0]"},
			"invalid",
		},
		{"a value", post(`{"text":"events(\"Order Completed\").count()","as":"value"}`), 200, map[string]any{"tree.kind": "behaviour", "tree.operator": nil}, nil, ""},
		{"a value as a condition", post(`{"text":"events(\"Order Completed\").count()"}`), 422, nil, []string{"body.text"}, "invalid"},
	})
}

// TestMisspeltNamesAreWarnedOf holds that every way to a condition says which of its names nobody has, and none on an
// installation that knows no names.
func TestMisspeltNamesAreWarnedOf(t *testing.T) {
	s := whole(t)
	send := func(method, path, body string) request {
		return request{method: method, path: "/api/v1" + path, body: body}
	}
	const (
		misspelt = `"condition":"profile.emial == \"x\" && events(\"Ordr Completed\").exists() && events(\"Order Completed\").where(e, e.properties.totl > 1).exists()"`
		amount   = `{"expression":"events(\"Order Completed\").sum(e, e.properties.totl)"}`
		files    = `{"dry_run":true,"definitions":[
			{"kind":"segment","name":"wrong","spec":{"condition":"profile.spnt > 1 || profile.spent > 1 || \"right\" in segments"}},
			{"kind":"segment","name":"right","spec":{"condition":"profile.email != \"\""}},
			{"kind":"segment","name":"kept","spec":{"condition":"profile.nam == \"x\""}},
			{"kind":"trait","name":"spent","spec":{"expression":"events(\"Order Complete\").count()"}}]}`
	)
	three := func(at string) map[string]any {
		return map[string]any{
			at + "#": 3.0, at + "0.kind": "trait", at + "0.suggestion": "email", at + "0.message": `no customer has the trait "emial" so far; did you mean "email"?`,
			at + "1.suggestion": "Order Completed", at + "1.line": 1.0, at + "1.column": 32.0, at + "2.kind": "property", at + "2.suggestion": "total",
		}
	}
	one := map[string]any{"warnings.#": 1.0, "warnings.0.suggestion": "total"}
	s.run(t, []step{
		{"nothing is known", send("POST", "/segments/preview", "{"+misspelt+"}"), 200, map[string]any{"total": 0.0, "warnings.#": 0.0}, nil, ""},
		{"nor when it is made", send("PUT", "/segments/kept", `{"condition":"profile.nam == \"x\""}`), 200, map[string]any{"version": 1.0, "warnings": nil}, nil, ""},
		{"track", track(shop), 200, nil, nil, ""},
		{"preview", send("POST", "/segments/preview", "{"+misspelt+"}"), 200, three("warnings."), nil, ""},
		{"estimate", send("POST", "/segments/preview", "{"+misspelt+`,"estimate":true}`), 200, three("warnings."), nil, ""},
		{"put", send("PUT", "/segments/misspelt", "{"+misspelt+"}"), 200, three("warnings."), nil, ""},
		{"get", send("GET", "/segments/misspelt", ""), 200, three("warnings."), nil, ""},
		{"list", send("GET", "/segments", ""), 200, map[string]any{"items.1.name": "misspelt", "items.1.warnings": nil}, nil, ""},
		{"preview of a trait", send("POST", "/traits/preview", amount), 200, one, nil, ""},
		{"a trait", send("PUT", "/traits/amount", amount), 200, one, nil, ""},
		{"files", send("POST", "/definitions/apply", files), 200, map[string]any{
			"changes.#": 4.0, "changes.0.name": "spent", "changes.0.warnings.#": 1.0, "changes.0.warnings.0.suggestion": "Order Completed",
			"changes.1.name": "kept", "changes.1.action": "unchanged", "changes.1.warnings": nil, "changes.2.name": "right", "changes.2.warnings": nil,
			"changes.3.name": "wrong", "changes.3.warnings.#": 1.0, "changes.3.warnings.0.suggestion": "spent", "changes.3.warnings.0.column": 9.0,
		}, nil, ""},
	})
	ada := read[list](t, s.do(t, send("GET", "/profiles?q=ada", ""))).Items[0].ID
	s.run(t, []step{
		{"a trait that nobody told", send("POST", "/segments/preview", `{"condition":"profile.gold == true"}`), 200, map[string]any{"warnings.#": 1.0}, nil, ""},
		{"is said by hand", send("PUT", "/profiles/"+ada+"/overrides/trait/gold", `{"value":true}`), 200, nil, nil, ""},
		{"and known", send("POST", "/segments/preview", `{"condition":"profile.gold == true"}`), 200, map[string]any{"count": 1.0, "warnings.#": 0.0}, nil, ""},
	})
}

func TestEstimatesExamplesAndOverlaps(t *testing.T) {
	s := whole(t)
	post := func(path, body string) request { return request{method: "POST", path: "/api/v1" + path, body: body} }
	put := func(name, body string) request {
		return request{method: "PUT", path: "/api/v1/segments/" + name, body: body}
	}
	get := func(path string) request { return request{method: "GET", path: "/api/v1" + path} }
	s.run(t, []step{
		{"track", track(shop), 200, nil, nil, ""},
		{
			"estimate", post("/segments/preview", `{"condition":"events(\"Order Completed\").exists()","estimate":true}`), 200,
			map[string]any{"count": 1.0, "total": 3.0, "exact": true, "low": 1.0, "high": 1.0, "looked": 3.0, "sample.0.label": "Ada Lovelace"},
			nil, "",
		},
		{"a wrong one", post("/segments/preview", `{"condition":"nosuch","estimate":true}`), 422, nil, []string{"body.condition"}, "invalid"},
		{
			"examples", post("/traits/preview", `{"expression":"events(\"Order Completed\").last()"}`), 200,
			map[string]any{"count": 1.0, "total": 3.0, "exact": true, "low": 1.0, "high": 1.0, "looked": 3.0, "type": "dyn", "items.#": 3.0, "items.0.profile.label": "Ada Lovelace", "items.0.value": "2026-02-28T10:00:00Z", "items.1.value": nil},
			nil, "",
		},
		{"properties", get("/vocabulary/properties"), 200, map[string]any{"items.1.event": "Order Completed", "items.1.properties.0": "total"}, nil, ""},
		{"a wrong expression", post("/traits/preview", `{"expression":"nosuch"}`), 422, nil, []string{"body.expression"}, "invalid"},
		{"buyers", put("buyers", `{"condition":"events(\"Order Completed\").exists()","warn_below":50}`), 200, map[string]any{"warn_below": 50.0}, nil, ""},
		{"known", put("known", `{"condition":"has(profile.email)"}`), 200, map[string]any{"warn_below": 0.0}, nil, ""},
	})
	s.settle(t)
	s.run(t, []step{
		{"overlap", get("/segments/known/overlap"), 200, map[string]any{
			"count": 2.0, "looked": 2.0, "items.#": 1.0, "items.0.name": "buyers", "items.0.count": 1.0, "items.0.shared": 1.0,
		}, nil, ""},
		{"of nothing", get("/segments/none/overlap"), 404, nil, nil, "not_found"},
	})
}

func TestAWrongConditionSaysWhere(t *testing.T) {
	s := whole(t)
	for method, path := range map[string]string{"POST": "/api/v1/segments/preview", "PUT": "/api/v1/segments/x"} {
		p := problemIn(t, s.do(t, request{method: method, path: path, body: `{"condition":"true &&\n nosuch"}`}))
		if p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Line != 2 || p.Errors[0].Column != 2 {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

// settle waits until every segment has been filled from history.
func (s *site) settle(t *testing.T) {
	t.Helper()
	for t.Context().Err() == nil {
		overview := read[struct {
			Loop struct {
				Building []string `json:"building_segments"`
			}
		}](t, s.do(t, request{method: "GET", path: "/api/v1/overview"}))
		if len(overview.Loop.Building) == 0 {
			return
		}
	}
}

func TestDefinitionsAreAppliedTogether(t *testing.T) {
	s := whole(t)
	apply := func(body string) request {
		return request{method: "POST", path: "/api/v1/definitions/apply", body: body}
	}
	files := `"definitions":[
		{"kind":"campaign","name":"spring","spec":{"segment":"all","template":"hello","from":"Shop <news@shop.example>"}},
		{"kind":"segment","name":"all","spec":{"condition":"true"}},
		{"kind":"template","name":"hello","spec":{"subject":"Hello","body":"<p>Hi {{ first_name | default: 'there' }} <a href='{{ unsubscribe_url }}'>stop</a></p>","format":"html"}}]`
	s.run(t, []step{
		{"dry run", apply(`{` + files + `,"dry_run":true}`), 200, map[string]any{"changes.#": 3.0, "changes.0.action": "create", "changes.0.kind": "segment"}, nil, ""},
		{"nothing changed", request{method: "GET", path: "/api/v1/definitions"}, 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"apply", apply(`{` + files + `}`), 200, map[string]any{"changes.#": 3.0}, nil, ""},
		{"again", apply(`{` + files + `,"prune":true}`), 200, map[string]any{"changes.0.action": "unchanged", "changes.2.action": "unchanged"}, nil, ""},
		{"all", request{method: "GET", path: "/api/v1/definitions"}, 200, map[string]any{"items.#": 3.0, "items.0.spec.condition": "true"}, nil, ""},
		{
			"a bad one among good ones", apply(`{"definitions":[{"kind":"segment","name":"ok","spec":{"condition":"true"}},{"kind":"segment","name":"bad","spec":{"condition":"("}}]}`),
			422, nil,
			[]string{"segment[bad].condition"},
			"invalid",
		},
		{"was not half applied", request{method: "GET", path: "/api/v1/segments/ok"}, 404, nil, nil, "not_found"},
		{"a kind that is none", apply(`{"definitions":[{"kind":"journey","name":"x","spec":{}}]}`), 422, nil, []string{"body.definitions[0].kind"}, "invalid"},
		{"one difference", apply(`{"definitions":[{"kind":"segment","name":"all","spec":{"condition":"false"}}],"dry_run":true}`), 200, map[string]any{
			"changes.0.action": "update", "changes.0.fields.0.field": "condition", "changes.0.fields.0.old": "true", "changes.0.fields.0.new": "false",
		}, nil, ""},
		{"a used segment stays", request{method: "DELETE", path: "/api/v1/segments/all"}, 409, nil, nil, "conflict"},
	})
}

func TestTemplatesAndCampaigns(t *testing.T) {
	s := whole(t)
	put := func(path, body string) request { return request{method: "PUT", path: "/api/v1" + path, body: body} }
	get := func(path string) request { return request{method: "GET", path: "/api/v1" + path} }
	post := func(path, body string) request { return request{method: "POST", path: "/api/v1" + path, body: body} }
	hello := `{"subject":"Hello {{ first_name }}","body":"<p>Hi {{ first_name }} <a href=\"{{ unsubscribe_url }}\">stop</a></p>","format":"html"}`
	s.run(t, []step{
		{"track", track(shop), 200, nil, nil, ""},
		{"template", put("/templates/hello", hello), 200, map[string]any{"version": 1.0, "warnings.0.code": "no_fallback", "warnings.0.variable": "first_name"}, nil, ""},
		{"a wrong one", put("/templates/hello", `{"subject":"Hi","body":"<p>{% if %}</p>","format":"html"}`), 422, nil, []string{"body.body"}, "invalid"},
		{"a wrong format", put("/templates/hello", `{"subject":"Hi","body":"x","format":"pdf"}`), 422, nil, []string{"body.format"}, "invalid"},
		{"render", post("/templates/hello/render", `{"identifier":"user_id:ada"}`), 200, map[string]any{"subject": "Hello Ada"}, nil, ""},
		{"render for nobody", post("/templates/hello/render", `{"identifier":"user_id:nobody"}`), 404, nil, nil, "not_found"},
		{"render for no identifier", post("/templates/hello/render", `{"identifier":"ada"}`), 422, nil, []string{"body.identifier"}, "invalid"},
		{"preview", post("/templates/preview", hello[:len(hello)-1]+`,"identifier":"user_id:ada"}`), 200, map[string]any{"subject": "Hello Ada"}, nil, ""},
		{"preview for a made-up customer", post("/templates/preview", hello), 200, map[string]any{"warnings.0.location": "subject"}, nil, ""},
		{"preview of nonsense", post("/templates/preview", `{"subject":"{{","body":"x","format":"html"}`), 422, nil, []string{"body.subject"}, "invalid"},
		{"campaign without its parts", put("/campaigns/spring", `{"segment":"all","template":"hello","from":"news@shop.example"}`), 422, nil, []string{"body.segment"}, "invalid"},
		{"segment", put("/segments/all", `{"condition":"true"}`), 200, nil, nil, ""},
		{"campaign", put("/campaigns/spring", `{"segment":"all","template":"hello","from":"Shop <news@shop.example>"}`), 200, map[string]any{
			"status": "draft", "conversion_window": "5d", "progress.recipients": 0.0, "started_at": nil,
		}, nil, ""},
		{"a wrong sender", put("/campaigns/spring", `{"segment":"all","template":"hello","from":"nobody"}`), 422, nil, []string{"body.from"}, "invalid"},
		{"pause before sending", post("/campaigns/spring/pause", ""), 409, nil, nil, "conflict"},
		{"report before sending", get("/campaigns/spring/report"), 200, map[string]any{"campaign": "spring", "sent": 0.0, "links.#": 0.0, "days.#": 0.0}, nil, ""},
	})
	s.settle(t)
	s.run(t, []step{
		{"send", post("/campaigns/spring/send", ""), 202, map[string]any{"name": "spring"}, nil, ""},
		{"send again", post("/campaigns/spring/send", ""), 202, map[string]any{"name": "spring"}, nil, ""},
		{"send nothing", post("/campaigns/never/send", ""), 404, nil, nil, "not_found"},
		{"test to nobody", post("/campaigns/spring/test", `{"to":"nowhere"}`), 422, nil, []string{"body.to"}, "invalid"},
		{"report of nothing", get("/campaigns/never/report"), 404, nil, nil, "not_found"},
		{"messages", get("/messages?campaign=spring"), 200, nil, nil, ""},
		{"messages of nobody", get("/messages?profile=nobody"), 404, nil, nil, "not_found"},
		{"mailbox", get("/mailbox?campaign=spring"), 200, nil, nil, ""},
		{"no such mail", get("/mailbox/nothing"), 404, nil, nil, "not_found"},
		{"domains", get("/sending-domains"), 200, nil, nil, ""},
	})
}

func TestSuppressions(t *testing.T) {
	s := whole(t)
	post := func(body string) request {
		return request{method: "POST", path: "/api/v1/suppressions", body: body}
	}
	s.run(t, []step{
		{"add", post(`{"email":"Ada@Example.com"}`), 201, map[string]any{"email": "ada@example.com", "reason": "manual"}, nil, ""},
		{"stronger", post(`{"email":"ada@example.com","reason":"complained"}`), 201, map[string]any{"reason": "complained"}, nil, ""},
		{"weaker", post(`{"email":"ada@example.com","reason":"manual"}`), 201, map[string]any{"reason": "complained"}, nil, ""},
		{"no address", post(`{"email":"ada"}`), 422, nil, []string{"body.email"}, "invalid"},
		{"no reason", post(`{"email":"a@b.example","reason":"mood"}`), 422, nil, []string{"body.reason"}, "invalid"},
		{"list", request{method: "GET", path: "/api/v1/suppressions"}, 200, map[string]any{"items.#": 1.0}, nil, ""},
		{"lift", request{method: "DELETE", path: "/api/v1/suppressions/ADA%40example.com"}, 204, nil, nil, ""},
		{"lift again", request{method: "DELETE", path: "/api/v1/suppressions/ada@example.com"}, 404, nil, nil, "not_found"},
	})
}

func TestTheDocumentDescribesEveryCall(t *testing.T) {
	s := open(t)
	w := s.do(t, request{method: "GET", path: "/api/openapi.json", key: "none"})
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%v %s", err, doc.OpenAPI)
	}
	seen := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			if seen[op.OperationID] || op.OperationID == "" {
				t.Errorf("%s %s: operation id %q", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
			target := strings.NewReplacer("{id}", "x", "{name}", "x", "{email}", "x").Replace(path)
			if got := s.do(t, request{method: strings.ToUpper(method), path: target, key: "none"}).Code; got == http.StatusNotFound {
				t.Errorf("%s %s is described, and not there", method, path)
			}
		}
	}
	for _, name := range []string{
		"Problem", "ProblemError", "Session", "Overview", "Loop", "Profile", "Segment", "SegmentPreview", "Trait", "TraitPreview", "Vocabulary",
		"Template", "Warning", "Rendered", "Campaign", "Report", "Message", "Mail", "Key", "NewKey", "Suppression", "SendingDomain", "ProfileList", "EventList",
	} {
		if len(doc.Components.Schemas[name].Properties) == 0 {
			t.Errorf("no schema %s", name)
		}
	}
	page := s.do(t, request{method: "GET", path: "/api/docs", key: "none"})
	for id := range seen {
		if !strings.Contains(page.Body.String(), `id="`+id+`"`) {
			t.Errorf("the page lacks %s", id)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); strings.Contains(policy, "script") || strings.Contains(page.Body.String(), "<script") {
		t.Errorf("the page needs a script: %s", policy)
	}
}
