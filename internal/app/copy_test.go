package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// running opens the program and serves until stop is called.
func running(t *testing.T, config Config) (o office, stop func()) {
	t.Helper()
	config.APIKey, config.Listen = "a-management-key-for-tests", "127.0.0.1:0"
	listening := make(chan string, 1)
	config.Ready = func(url string) { listening <- url }
	a, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	<-listening
	o = office{t, a, asking(t, a)}
	return o, func() {
		cancel()
		if err := errors.Join(<-done, a.Close()); err != nil {
			t.Error(err)
		}
	}
}

const copiedBuyers = 60

// buy sends a batch of orders, the same for the same number, and joins a visitor with a buyer.
func (o office) buy(key string, number int) {
	var batch []string
	for i := range 100 {
		batch = append(batch, fmt.Sprintf(`{"type":"track","event":"Order Completed","messageId":"o-%d-%d","userId":"buyer-%d","properties":{"total":%d,"note":%q}}`,
			number, i, (number*7+i)%copiedBuyers, i, strings.Repeat("n", 2000)))
	}
	batch = append(batch, fmt.Sprintf(`{"type":"track","event":"Seen","messageId":"s-%d","anonymousId":"visitor-%d"}`, number, number),
		fmt.Sprintf(`{"type":"identify","messageId":"i-%d","anonymousId":"visitor-%d","userId":"buyer-%d","traits":{"email":"b%d@shop.example","score":1.50e3,"name":"\u00e9\u0000"}}`,
			number, number, number, number))
	o.track(key, `{"batch":[`+strings.Join(batch, ",")+`]}`)
}

// told is all that the API says of what must be the same on both sides.
func (o office) told() map[string]string {
	o.Helper()
	said := map[string]string{}
	for _, path := range []string{
		"/segments?limit=200", "/traits?limit=200", "/campaigns?limit=200", "/segments/frequent/history", "/profiles?segment=frequent&limit=200",
		"/profiles?segment=asked&limit=200", "/mailbox?limit=200",
	} {
		said[path] = o.ask("GET", v1+path, "", 200)
	}
	for i := range 12 {
		var found struct{ Items []struct{ ID string } }
		o.read(fmt.Sprintf("%s/profiles?identifier=user_id:buyer-%d", v1, i), &found)
		if len(found.Items) != 1 {
			o.Fatalf("%d profiles of buyer-%d", len(found.Items), i)
		}
		for _, of := range []string{"", "/events?limit=200", "/memberships?limit=200", "/overrides"} {
			path := "/profiles/" + found.Items[0].ID + of
			said[path] = o.ask("GET", v1+path, "", 200)
		}
	}
	return said
}

// busy fills a data directory with all that there can be, such as merges, undone ones too.
func busy(t *testing.T, dir string) {
	t.Helper()
	o, stop := running(t, Config{DataDir: dir})
	defer stop()
	keys, err := o.Keys()
	if err != nil {
		t.Fatal(err)
	}
	o.ask("POST", v1+"/definitions/apply", `{"definitions":[
		{"kind":"trait","name":"orders","spec":{"expression":"events(\"Order Completed\").count()"}},
		{"kind":"segment","name":"frequent","spec":{"condition":"events(\"Order Completed\").within(\"30d\").count() > 90"}},
		{"kind":"segment","name":"asked","spec":{"sql":"SELECT id AS profile_id FROM profiles"}},
		{"kind":"template","name":"hello","spec":{"subject":"Hello","format":"html","body":"<p><a href=\"{{ unsubscribe_url }}\">stop</a></p>"}},
		{"kind":"campaign","name":"spring","spec":{"segment":"frequent","template":"hello","from":"Shop <news@shop.example>"}}]}`, 200)
	const batches = 60
	for n := range batches {
		o.buy(keys.Write, n)
	}
	for _, n := range []int{3, 5, 8} {
		var found struct {
			Items []struct{ ID string }
		}
		o.read(fmt.Sprintf("%s/profiles?identifier=user_id:buyer-%d", v1, n), &found)
		one := found.Items[0].ID
		o.ask("PUT", v1+"/profiles/"+one+"/overrides/trait/plan", `{"value":"gold","note":"promised"}`, 200)
		o.ask("POST", v1+"/profiles/"+one+"/merge", fmt.Sprintf(`{"identifier":"user_id:buyer-%d","note":"the same"}`, n+20), 200)
		var p struct {
			Merged []struct {
				ProfileID string `json:"profile_id"`
			}
		}
		o.read(v1+"/profiles/"+one, &p)
		o.buy(keys.Write, batches+n)
		if n != 8 {
			o.ask("POST", v1+"/profiles/"+p.Merged[len(p.Merged)-1].ProfileID+"/unmerge", `{"note":"not so"}`, 200)
		}
	}
	o.ask("POST", v1+"/segments/asked/run", "", 202)
	waitForRun(t, o.ask, "asked")
	o.ask("POST", v1+"/campaigns/spring/send", "", 202)
	become(t, o.ask, v1+"/campaigns/spring", `"status":"sent"`)
}

// TestAnInstallationMovesToPostgreSQL breaks the copy off again and again, lets it end, and compares what the program says on
// both sides.
func TestAnInstallationMovesToPostgreSQL(t *testing.T) {
	address := storetest.Postgres(t)
	dir := t.TempDir()
	busy(t, dir)

	inUse, stop := running(t, Config{DataDir: dir})
	if _, err := Copy(t.Context(), dir, address, nil); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a directory in use: %v", err)
	}
	said := inUse.told() // after the last of the mail's events
	events := eventCount(t, inUse.App)
	stop()

	broken := 0
	for range 20 {
		ctx, kill := context.WithCancel(t.Context())
		began := false
		_, err := Copy(ctx, dir, address, func(p CopyProgress) {
			if p.Resumed && !began { // what was there before
				began = true
				return
			}
			kill()
		})
		if kill(); err != nil {
			broken++
		}
	}
	if broken < 15 {
		t.Errorf("only %d copies were broken off", broken)
	}
	key, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	moved := Config{DataDir: t.TempDir(), DatabaseURL: address, MasterKey: key}
	if _, err := Open(t.Context(), moved); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("an unfinished copy is opened: %v", err)
	}
	copied, err := Copy(t.Context(), dir, address, nil)
	if err != nil || !copied.Resumed {
		t.Fatalf("%+v, %v", copied, err)
	}
	rows := map[string]int64{}
	for _, one := range copied.Tables {
		if rows[one.Name] = one.From.Rows; one.From != one.To {
			t.Errorf("%+v", one)
		}
	}
	for _, table := range []string{"profiles", "identifiers", "merges", "overrides", "messages", "mailbox", "transitions", "segment_results", "memberships", "kept_apart"} {
		if rows[table] == 0 {
			t.Errorf("no rows of %s", table)
		}
	}
	if rows["events"] != events {
		t.Errorf("%d events were copied of %d", rows["events"], events)
	}
	if _, err := Copy(t.Context(), dir, address, nil); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a target that is in use: %v", err)
	}

	o, stop := running(t, moved)
	defer stop()
	for path, before := range said {
		if now := o.ask("GET", v1+path, "", 200); now != before {
			t.Errorf("%s was\n%.2000s\nand is\n%.2000s", path, before, now)
		}
	}
	verification, err := o.Verify(t.Context())
	if err != nil || len(verification.Differences) > 0 || verification.Checks == 0 || int64(verification.Events) != events {
		t.Errorf("verify: %+v, %v", verification, err)
	}
	keys, err := o.Keys()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		o.buy(keys.Write, n)
	}
	if again := eventCount(t, o.App); again != events {
		t.Errorf("%d events were taken twice", again-events)
	}
	o.buy(keys.Write, 1000)
	if more := eventCount(t, o.App); more != events+102 {
		t.Errorf("%d events came", more-events)
	}
	if verification, err := o.Verify(t.Context()); err != nil || len(verification.Differences) > 0 {
		t.Errorf("verify after new events: %+v, %v", verification, err)
	}
}

// TestACopyIsOfOneMoment refuses to go on with a copy of a directory that was used meanwhile.
func TestACopyIsOfOneMoment(t *testing.T) {
	address, dir := storetest.Postgres(t), t.TempDir()
	use := func() {
		a, err := Open(t.Context(), Config{DataDir: dir})
		if err = errors.Join(err, a.Close()); err != nil {
			t.Fatal(err)
		}
	}
	use()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	if _, err := Copy(ctx, dir, address, func(CopyProgress) { kill() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("the copy went on: %v", err)
	}
	use()
	if _, err := Copy(t.Context(), dir, address, nil); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a directory that was used meanwhile: %v", err)
	}
	if _, err := Copy(t.Context(), filepath.Join(dir, "absent"), address, nil); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("no directory: %v", err)
	}
}
