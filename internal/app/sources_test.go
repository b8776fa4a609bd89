package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
)

func TestMain(m *testing.M) { brokertest.Main(m) }

// serving is the program while it serves, until the test ends.
func serving(t *testing.T, config Config) (*App, func(method, path, body string, want int) string) {
	t.Helper()
	o, stop := running(t, config)
	t.Cleanup(stop)
	return o.App, o.ask
}

// become asks until the answer holds a text.
func become(t *testing.T, ask func(method, path, body string, want int) string, path, want string) string {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		answer := ask("GET", path, "", 200)
		if strings.Contains(answer, want) {
			return answer
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: no %s in %s", path, want, answer)
		}
	}
}

// A topic of a broker that wants TLS and a password, defined through the API: its messages show in profiles, one that is
// wrong waits until the mapping is mended, and each becomes one event.
func TestASourceFromDefinitionToProfile(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 2)
	broker.Produce(t,
		&kgo.Record{Topic: topic, Partition: 0, Key: []byte("k1"), Value: []byte(`{"customer":"ada","total":12.5}`)},
		&kgo.Record{Topic: topic, Partition: 1, Key: []byte("k2"), Value: []byte(`{"customer":"ada","total":"1.234,50"}`)},
	)
	_, ask := serving(t, Config{DataDir: t.TempDir(), AllowNetwork: []string{"127.0.0.0/8"}})
	define := func(total string) string {
		spec, err := json.Marshal(map[string]any{
			"brokers": []string{broker.Secured}, "topic": topic, "tls": map[string]string{"ca": broker.CA},
			"sasl":    map[string]string{"mechanism": "scram-sha-512", "username": "scram", "password_secret": "kafka"},
			"mapping": map[string]any{"event": `"Order Completed"`, "user_id": "row.customer", "properties": map[string]string{"total": total, "key": "message.key"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(spec)
	}
	const sourcePath = v1 + "/sources/orders"
	if answer := ask("PUT", sourcePath, define("double(row.total"), 422); !strings.Contains(answer, "body.mapping.properties.total") {
		t.Error(answer)
	}
	ask("PUT", sourcePath, define("double(row.total)"), 200)
	become(t, ask, sourcePath, `secret \"kafka\" is not set`)
	if answer := ask("PUT", v1+"/secrets/kafka", fmt.Sprintf(`{"value":%q}`, brokertest.Password), 200); strings.Contains(answer, brokertest.Password) {
		t.Errorf("the secret is shown: %s", answer)
	}
	ask("DELETE", v1+"/secrets/kafka", "", 409)
	become(t, ask, sourcePath, `"state":"running"`)
	list := become(t, ask, v1+"/quarantine?source=orders", `"reason":"properties.total`)
	become(t, ask, v1+"/overview", `"profiles":1`)
	if answer := ask("GET", sourcePath, "", 200); !strings.Contains(answer, `"quarantined":1`) {
		t.Error(answer)
	}
	var page struct {
		Items []struct{ ID, Key, Value string }
	}
	if err := json.Unmarshal([]byte(list), &page); err != nil || len(page.Items) != 1 || page.Items[0].Key != "k2" {
		t.Fatal(list, err)
	}
	if answer := ask("POST", v1+"/quarantine/retry", `{"source":"orders"}`, 200); !strings.Contains(answer, `"failed":1`) {
		t.Error(answer)
	}
	mended := `type(row.total) == string ? number(row.total, ",") : row.total`
	tried := ask("POST", v1+"/sources/try", fmt.Sprintf(`{"definition":%s,"message":{"value":%q,"key":"k9"}}`, define(mended), page.Items[0].Value), 200)
	if !strings.Contains(tried, `"total":1234.5`) || !strings.Contains(tried, `"key":"k9"`) {
		t.Error(tried)
	}
	ask("PUT", sourcePath, define(mended), 200)
	if answer := ask("POST", v1+"/quarantine/"+page.Items[0].ID+"/retry", "", 200); !strings.Contains(answer, `"taken":1`) {
		t.Error(answer)
	}
	ask("GET", v1+"/quarantine/"+page.Items[0].ID, "", 404)
	var found struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(ask("GET", v1+"/profiles?identifier=user_id:ada", "", 200)), &found); err != nil || len(found.Items) != 1 {
		t.Fatal(found, err)
	}
	events := become(t, ask, v1+"/profiles/"+found.Items[0].ID+"/events", `1234.5`)
	if strings.Count(events, `"Order Completed"`) != 2 || !strings.Contains(events, `12.5`) {
		t.Error(events)
	}
	become(t, ask, "/metrics", `tailorbird_source_lag_messages{partition="1",source="orders"} 0`)
	become(t, ask, "/metrics", `tailorbird_source_running{source="orders"} 1`)
	ask("POST", sourcePath+"/pause", "", 200)
	if answer := ask("GET", sourcePath, "", 200); !strings.Contains(answer, `"state":"paused"`) {
		t.Error(answer)
	}
	broker.Produce(t, &kgo.Record{Topic: topic, Value: []byte(`{"customer":"bob","total":1}`)}, &kgo.Record{Topic: topic, Value: []byte("junk")})
	ask("POST", sourcePath+"/resume", "", 200)
	become(t, ask, v1+"/overview", `"profiles":2`)
	become(t, ask, v1+"/quarantine", "junk")
	if answer := ask("POST", v1+"/quarantine/discard", `{"source":"orders"}`, 200); !strings.Contains(answer, `"discarded":1`) {
		t.Error(answer)
	}
	ask("DELETE", sourcePath, "", 204)
	ask("DELETE", v1+"/secrets/kafka", "", 204)
}

// Sources name servers and the passwords that they are sent: a key that may write may pause one, and not point it elsewhere.
func TestWhoMayChangeSources(t *testing.T) {
	a, ask := ready(t)
	spec := `{"brokers":["kafka.example.com"],"topic":"t","paused":true,"mapping":{"event":"\"x\"","user_id":"row.id"}}`
	if answer := ask("PUT", v1+"/sources/orders", spec, 200); !strings.Contains(answer, `"kafka.example.com:9092"`) || !strings.Contains(answer, `"group":"tailorbird-orders"`) {
		t.Error(answer)
	}
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(ask("POST", v1+"/keys", `{"name":"writer","scopes":["read","write"]}`, 201)), &made); err != nil {
		t.Fatal(err)
	}
	writer := func(method, path, body string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+made.Key)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	elsewhere := strings.Replace(spec, "kafka.example.com", "evil.example.com", 1)
	writer("GET", v1+"/sources/orders", "", 200)
	writer("POST", v1+"/sources/orders/pause", "", 200)
	writer("PUT", v1+"/sources/orders", elsewhere, 403)
	writer("DELETE", v1+"/sources/orders", "", 403)
	writer("POST", v1+"/definitions/apply", `{"definitions":[{"kind":"source","name":"orders","spec":`+elsewhere+`}]}`, 403)
	writer("POST", v1+"/definitions/apply", `{"definitions":[],"prune":true}`, 403)
	writer("POST", v1+"/definitions/apply", `{"definitions":[{"kind":"source","name":"orders","spec":`+spec+`}]}`, 200)
	writer("POST", v1+"/definitions/apply", `{"definitions":[{"kind":"source","name":"orders","spec":`+elsewhere+`}],"dry_run":true}`, 200)
	writer("PUT", v1+"/secrets/kafka", `{"value":"x"}`, 403)
	if answer := ask("GET", v1+"/sources/orders", "", 200); strings.Contains(answer, "evil") {
		t.Error(answer)
	}
}
