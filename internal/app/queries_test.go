package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// waitForRun asks for a segment until its query has run and is not running.
func waitForRun(t *testing.T, ask func(method, path, body string, status int) string, name string) (segment struct {
	Status, Schedule string
	Count            int
	Query            struct {
		Running  bool
		Columns  []string
		LastRun  *struct{ Status, Error string } `json:"last_run"`
		ResultAt *time.Time                      `json:"result_at"`
	}
},
) {
	t.Helper()
	for {
		if err := json.Unmarshal([]byte(ask("GET", v1+"/segments/"+name, "", 200)), &segment); err != nil {
			t.Fatal(err)
		}
		if last := segment.Query.LastRun; last != nil && last.Status != "running" && !segment.Query.Running {
			return segment
		}
		if t.Context().Err() != nil {
			t.Fatal("the query does not run")
		}
	}
}

func TestSQLSegmentsThroughTheAPI(t *testing.T) {
	_, ask := ready(t)
	sqlSegments(t, ask)
}

func TestSQLSegmentsThroughTheAPIOnPostgres(t *testing.T) {
	a, err := Open(t.Context(), Config{
		DataDir: t.TempDir(), DatabaseURL: storetest.Postgres(t), APIKey: "a-management-key-for-tests", Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	sqlSegments(t, asking(t, a))
}

// sqlSegments tries what people do with SQL segments.
func sqlSegments(t *testing.T, ask func(method, path, body string, status int) string) {
	t.Helper()
	ask("PUT", v1+"/segments/none", `{"sql": "SELECT id AS profile_id, 1 AS one FROM profiles", "schedule": "every 1d at 6:00 Europe/Berlin"}`, 200)
	before := ask("GET", v1+"/segments/none", "", 200)
	for _, want := range []string{`"status":"building"`, `"schedule":"1d at 06:00 Europe/Berlin"`, `"result_at":null`, `"last_run":null`} {
		if !strings.Contains(before, want) {
			t.Errorf("%s lacks %s", before, want)
		}
	}
	ask("POST", v1+"/segments/none/run", "", 202)
	if s := waitForRun(t, ask, "none"); s.Status != "ready" || s.Query.ResultAt == nil || s.Query.LastRun.Status != "done" || strings.Join(s.Query.Columns, " ") != "one" {
		t.Errorf("%+v", s)
	}
	if runs := ask("GET", v1+"/segments/none/runs", "", 200); !strings.Contains(runs, `"cause":"demand"`) {
		t.Error(runs)
	}
	for body, says := range map[string]string{
		`{"sql": "SELECT id AS profile_id\nFORM profiles"}`:                  `"line":2`,
		`{"sql": "DELETE FROM profiles"}`:                                    "one SELECT",
		`{"sql": "SELECT value AS profile_id FROM secrets"}`:                 "secrets",
		`{"sql": "SELECT id FROM profiles"}`:                                 "profile_id",
		`{"sql": "SELECT id AS profile_id FROM profiles", "schedule": "1m"}`: "body.schedule",
		`{"sql": "SELECT 1 AS profile_id", "condition": "true"}`:             "has one of them",
		`{"condition": "true", "schedule": "1h"}`:                            "body.schedule",
		`{"description": "neither"}`:                                         "body.condition",
	} {
		if answer := ask("PUT", v1+"/segments/wrong", body, 422); !strings.Contains(answer, says) {
			t.Errorf("%s: %s", body, answer)
		}
	}
	ask("PUT", v1+"/segments/plain", `{"condition": "true"}`, 200)
	ask("POST", v1+"/segments/plain/run", "", 409)
	ask("POST", v1+"/segments/absent/run", "", 404)
	if answer := ask("POST", v1+"/segments/sql/preview", `{"sql": "SELECT id AS profile_id, :now AS at FROM profiles"}`, 200); !strings.Contains(answer, `"columns":["at"]`) {
		t.Error(answer)
	}
	if answer := ask("GET", v1+"/segments/sql/tables", "", 200); !strings.Contains(answer, `"name":"profiles"`) || strings.Contains(answer, "secrets") {
		t.Error(answer)
	}
	// A definition goes through files and back as it is.
	if changes := ask("POST", v1+"/definitions/apply", `{"definitions": [{"kind": "segment", "name": "none", "spec": {"sql": "SELECT id AS profile_id, 1 AS one FROM profiles", "schedule": "1d at 06:00 Europe/Berlin"}}]}`, 200); !strings.Contains(changes, `"unchanged"`) {
		t.Error(changes)
	}
	ask("DELETE", v1+"/segments/none", "", 204)
}

// A node that read the definitions before they changed takes no query away that another has just defined, nor its result.
func TestAQueryOutlivesANodeThatIsBehind(t *testing.T) {
	a, ask := ready(t)
	behind, err := a.registry.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask("PUT", v1+"/segments/all", `{"sql": "SELECT id AS profile_id FROM profiles", "schedule": "1h"}`, 200)
	ask("POST", v1+"/segments/all/run", "", 202)
	waitForRun(t, ask, "all")
	if err := a.noticeQueries(behind); err != nil {
		t.Fatal(err)
	}
	if s := waitForRun(t, ask, "all"); s.Query.ResultAt == nil || s.Status != "ready" {
		t.Errorf("%+v", s)
	}
}
