package server_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// What people decide of customers, and why a customer is where they are, over the API.
func TestPeopleDecide(t *testing.T) {
	s := whole(t)
	post := func(path, body string) request { return request{method: "POST", path: path, body: body} }
	put := func(path, body string) request { return request{method: "PUT", path: path, body: body} }
	get := func(path string) request { return request{method: "GET", path: path} }
	track := func(body string) {
		t.Helper()
		if w := s.do(t, request{method: "POST", path: "/v1/track", body: body, key: writeKey}); w.Code != http.StatusOK {
			t.Fatalf("track: %d %s", w.Code, w.Body)
		}
	}
	id := func(identifier string) string {
		t.Helper()
		var list struct{ Items []struct{ ID string } }
		w := s.do(t, get("/api/v1/profiles?identifier="+identifier))
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Items) != 1 {
			t.Fatalf("%s: %s", identifier, w.Body)
		}
		return list.Items[0].ID
	}
	s.run(t, []step{
		{"segment", put("/api/v1/segments/buyers", `{"condition": "events(\"Order Completed\").count() >= 2"}`), 200, nil, nil, ""},
	})
	track(`{"userId": "u", "event": "Order Completed", "messageId": "o1"}`)
	track(`{"userId": "v", "event": "Order Completed", "messageId": "o2"}`)
	u, v := id("user_id:u"), id("user_id:v")
	s.run(t, []step{
		{
			"merge", post("/api/v1/profiles/"+u+"/merge", `{"identifier": "user_id:v", "note": "same person"}`), 200,
			map[string]any{"id": u, "merged.0.profile_id": v, "merged.0.cause": "manual", "merged.0.note": "same person", "segments.0.name": "buyers"},
			nil, "",
		},
		{"merge again", post("/api/v1/profiles/"+u+"/merge", `{"profile_id": "`+v+`"}`), 409, nil, nil, "conflict"},
		{"merge with nobody", post("/api/v1/profiles/"+u+"/merge", `{}`), 422, nil, []string{"body.profile_id"}, "invalid"},
		{
			"why", get("/api/v1/profiles/" + u + "/explain?segment=buyers"), 200,
			map[string]any{"value": true, "explanation.clause.evidence.0.events.#": 2.0, "definition": "then", "version": 1.0},
			nil, "",
		},
		{"why of nothing", get("/api/v1/profiles/" + u + "/explain?segment=none"), 404, nil, nil, "not_found"},
		{
			"memberships", get("/api/v1/profiles/" + u + "/memberships"), 200,
			map[string]any{"items.#": 1.0, "items.0.segment": "buyers", "items.0.entered": true, "items.0.cause": "merge"},
			nil, "",
		},
		{"unmerge", post("/api/v1/profiles/"+v+"/unmerge", `{"note": "two"}`), 200, map[string]any{
			"profiles.#": 2.0, "profiles.0.id": u, "profiles.1.id": v, "profiles.0.segments.#": 0.0, "profiles.0.apart.0.profile_id": v, "profiles.1.apart.0.note": "two",
		}, nil, ""},
		{"unmerge again", post("/api/v1/profiles/"+v+"/unmerge", `{}`), 404, nil, nil, "not_found"},
		{"history", get("/api/v1/segments/buyers/history"), 200, map[string]any{"items.0.entered": 1.0, "items.0.left": 1.0, "items.0.members": 0.0}, nil, ""},
		{"together", request{method: "DELETE", path: "/api/v1/profiles/" + v + "/apart/" + u}, 204, nil, nil, ""},
		{"together again", request{method: "DELETE", path: "/api/v1/profiles/" + v + "/apart/" + u}, 404, nil, nil, "not_found"},
		{"apart", put("/api/v1/profiles/"+u+"/apart/"+v, `{"note": "twins"}`), 200, map[string]any{"apart.0.note": "twins"}, nil, ""},
		{
			"override a segment", put("/api/v1/profiles/"+u+"/overrides/segment/buyers", `{"in": true, "note": "promised"}`), 200,
			map[string]any{"segments.0.name": "buyers", "overrides.0.name": "buyers", "overrides.0.value": true, "overrides.0.note": "promised"},
			nil, "",
		},
		{
			"override a trait", put("/api/v1/profiles/"+u+"/overrides/trait/tier", `{"value": "gold", "until": "2099-01-01T00:00:00Z"}`), 200,
			map[string]any{"traits.tier": "gold", "overrides.1.until": "2099-01-01T00:00:00Z"},
			nil, "",
		},
		{"override an address", put("/api/v1/profiles/"+u+"/overrides/trait/email", `{"value": "x@y.example"}`), 422, nil, nil, "invalid"},
		{"too late", put("/api/v1/profiles/"+u+"/overrides/trait/tier", `{"value": 1, "until": "2001-01-01T00:00:00Z"}`), 422, nil, []string{"body.until"}, "invalid"},
		{
			"why overridden", get("/api/v1/profiles/" + u + "/explain?segment=buyers"), 200,
			map[string]any{"value": true, "overridden.note": "promised", "explanation.holds": false},
			nil, "",
		},
		{"lift", request{method: "DELETE", path: "/api/v1/profiles/" + u + "/overrides/segment/buyers"}, 204, nil, nil, ""},
		{"lift again", request{method: "DELETE", path: "/api/v1/profiles/" + u + "/overrides/segment/buyers"}, 404, nil, nil, "not_found"},
		{"overrides", get("/api/v1/profiles/" + u + "/overrides"), 200, map[string]any{"items.#": 2.0, "items.1.lifted_by": "Management"}, nil, ""},
	})
}
