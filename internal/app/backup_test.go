package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// shop is the program under a load of orders.
type shop struct {
	office
	key  string
	mu   sync.Mutex
	acks []int // numbers of the batches that were acknowledged
}

const ordersInABatch = 20

// order sends a batch, the same for the same number, always.
func (s *shop) order(number int) {
	var batch []string
	for i := range ordersInABatch {
		buyer := (number*31 + i*i) % 97
		batch = append(batch, fmt.Sprintf(`{"type":"track","event":"Order Completed","messageId":"o-%d-%d","userId":"buyer-%d","properties":{"total":%d}}`,
			number, i, buyer, i))
	}
	s.track(s.key, `{"batch":[`+strings.Join(batch, ",")+`]}`)
}

// load orders until stop is closed, from several places at once.
func (s *shop) load(stop <-chan struct{}) (ended func()) {
	var working sync.WaitGroup
	for from := range 3 {
		working.Go(func() {
			for n := from; ; n += 3 {
				select {
				case <-stop:
					return
				default:
				}
				s.order(n)
				s.mu.Lock()
				s.acks = append(s.acks, n)
				s.mu.Unlock()
			}
		})
	}
	return working.Wait
}

func (s *shop) acknowledged() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acks)
}

func (s *shop) until(batches int) {
	for len(s.acknowledged()) < batches && !s.Failed() {
		s.ask("GET", "/healthz", "", 200)
	}
}

// restored opens what was restored, compares it with its own events, and sends what had been acknowledged before the
// backup again: if it is all there, no event is new.
func restored(t *testing.T, dir string, before []int) {
	t.Helper()
	a, err := Open(t.Context(), Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	keys, err := a.Keys()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{office: office{T: t, App: a}, key: keys.Write}
	count := eventCount(t, a)
	if count < int64(len(before)*ordersInABatch) {
		t.Errorf("%d events, and %d batches had been acknowledged", count, len(before))
	}
	for _, n := range before {
		s.order(n)
	}
	if again := eventCount(t, a); again != count {
		t.Errorf("%d events were missing", again-count)
	}
	verification, err := a.Verify(t.Context())
	if err != nil || len(verification.Differences) > 0 || verification.Checks == 0 {
		t.Errorf("verify: %+v, %v", verification, err)
	}
}

// TestABackupUnderLoadHoldsWhatWasAcknowledged makes one backup through the API and one as another process would, while
// orders come in.
func TestABackupUnderLoadHoldsWhatWasAcknowledged(t *testing.T) {
	a, ask := ready(t)
	keys, err := a.Keys()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{office: office{t, a, ask}, key: keys.Write}
	ask("PUT", v1+"/traits/orders", `{"expression":"events(\"Order Completed\").count()"}`, 200)
	ask("PUT", v1+"/segments/frequent", `{"condition":"events(\"Order Completed\").within(\"7d\").count() > 3"}`, 200)
	stop := make(chan struct{})
	ended := s.load(stop)
	s.until(40)

	before := s.acknowledged()
	var b struct{ Name, Status, Problem string }
	if err := json.Unmarshal([]byte(ask("POST", v1+"/backups", "", 202)), &b); err != nil {
		t.Fatal(err)
	}
	for b.Status == backup.Running {
		s.read(v1+"/backups/"+b.Name, &b)
	}
	if b.Status != backup.Done {
		t.Fatalf("the backup is %s: %s", b.Status, b.Problem)
	}
	s.until(len(before) + 20)

	beforeOther := s.acknowledged()
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if _, err := Backup(t.Context(), a.config.DataDir, other, "", "test", nil); err != nil {
		t.Fatal(err)
	}
	s.until(len(beforeOther) + 3)
	close(stop)
	ended()

	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte(ask("GET", v1+"/backups/"+b.Name+"/file", "", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, acknowledged := range map[string][]int{open: before, other: beforeOther} {
		if _, _, err := Restore(t.Context(), path, path+".data", "", filepath.Join(a.config.DataDir, "master.key")); err != nil {
			t.Fatal(err)
		}
		restored(t, path+".data", acknowledged)
	}
}

// TestASealedBackupIsEnough restores where there is nothing but the file and its passphrase.
func TestASealedBackupIsEnough(t *testing.T) {
	from, _ := small(t)
	dir := t.TempDir()
	path, data := filepath.Join(dir, "sealed"), filepath.Join(dir, "data")
	source, err := store.OpenDirectory(from)
	if err != nil {
		t.Fatal(err)
	}
	maker := backup.Maker{Source: source, Passphrase: "correct horse", Now: time.Now, Effort: 10}
	if _, err := maker.Make(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Restore(t.Context(), path, data, "correct horse", ""); err != nil {
		t.Fatal(err)
	}
	restored(t, data, nil)
}

// small is a program with a campaign that is being sent: its directory, and a backup of it.
func small(t *testing.T) (dir, path string) {
	t.Helper()
	a, ask := ready(t)
	dir, out := a.config.DataDir, t.TempDir()
	keys, err := a.Keys()
	if err != nil {
		t.Fatal(err)
	}
	office{t, a, ask}.track(keys.Write, `{"batch":[{"type":"identify","userId":"ada","traits":{"email":"ada@shop.example"}}]}`)
	ask("POST", v1+"/definitions/apply", `{"definitions":[{"kind":"segment","name":"all","spec":{"condition":"true"}},
		{"kind":"template","name":"hello","spec":{"subject":"Hello","format":"html","body":"<p><a href=\"{{ unsubscribe_url }}\">stop</a></p>"}},
		{"kind":"campaign","name":"spring","spec":{"segment":"all","template":"hello","from":"Shop <news@shop.example>"}}]}`, 200)
	ask("POST", v1+"/campaigns/spring/send", "", 202)
	path = filepath.Join(out, "backup")
	if _, err := Backup(t.Context(), dir, path, "", "test", nil); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

func TestWhatIsRefused(t *testing.T) {
	dir, open := small(t)
	key := filepath.Join(dir, "master.key")
	other := filepath.Join(t.TempDir(), "other.key")
	full, keyed := t.TempDir(), t.TempDir()
	for path, content := range map[string][]byte{
		other: bytes.Repeat([]byte{7}, 32), filepath.Join(full, "note.txt"): []byte("mine"), filepath.Join(keyed, "master.key"): bytes.Repeat([]byte{7}, 32),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name, path, dir, passphrase, key string
		code                             fault.Code
	}{
		{"no such backup", open + "x", "", "", key, fault.NotFound},
		{"no backup at all", key, "", "", key, fault.Invalid},
		{"somebody's directory", open, full, "", key, fault.Conflict},
		{"a directory that is in use", open, dir, "", key, fault.Conflict},
		{"no key", open, "", "", "", fault.Invalid},
		{"a wrong key", open, "", "", other, fault.Invalid},
		{"a passphrase for an open one", open, "", "correct horse", key, fault.Invalid},
		{"another key in the directory", open, keyed, "", key, fault.Conflict},
	}
	for _, c := range cases {
		if c.dir == "" {
			c.dir = filepath.Join(t.TempDir(), "new")
		}
		before := listing(t, c.dir)
		if _, _, err := Restore(t.Context(), c.path, c.dir, c.passphrase, c.key); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
		if after := listing(t, c.dir); !maps.Equal(before, after) {
			t.Errorf("%s: the directory had %v, and has %v", c.name, before, after)
		}
	}
	if _, err := Backup(t.Context(), dir, open, "", "test", nil); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a backup was written over another: %v", err)
	}
	if _, err := Backup(t.Context(), full, open+"2", "", "test", nil); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a backup of nothing: %v", err)
	}
}

// listing gives the size of every file in a directory but its lock.
func listing(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != "lock" && !strings.HasPrefix(e.Name(), "tailorbird.db-") {
			sizes[e.Name()] = info.Size()
		}
	}
	return sizes
}

// TestWhatWasBeingSentIsPaused restores into a directory that holds the key, twice interrupted before, and looks at the
// campaign: its message may have left since.
func TestWhatWasBeingSentIsPaused(t *testing.T) {
	from, open := small(t)
	if m, err := CheckBackup(t.Context(), open, "", ""); err != nil || m.Rows["profiles"] != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	dir := t.TempDir()
	key, err := os.ReadFile(filepath.Join(from, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{".tailorbird-restore-1", ".tailorbird-restore-2"} {
		if err := os.Mkdir(filepath.Join(dir, left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "master.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	_, held, err := Restore(t.Context(), open, dir, "", "")
	if err != nil || !slices.Equal(held, []string{"spring"}) {
		t.Fatalf("%v, %v", held, err)
	}
	a, err := Open(t.Context(), Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	run, found, err := a.store.CampaignRun(t.Context(), "spring")
	if err != nil || !found || run.Status != "paused" {
		t.Errorf("%+v, %v, %v", run, found, err)
	}
}

// TestDamagedBackupsAreRefused cuts a backup off and changes single bits of it, at places drawn at random.
func TestDamagedBackupsAreRefused(t *testing.T) {
	from, open := small(t)
	key := filepath.Join(from, "master.key")
	random := rand.New(rand.NewPCG(5, 6))
	whole, err := os.ReadFile(open)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		broken := slices.Clone(whole)
		what := ""
		if i%2 == 0 {
			broken = broken[:len(broken)-1]
			if i > 0 {
				broken = broken[:random.IntN(len(broken))]
			}
			what = fmt.Sprintf("cut to %d of %d bytes", len(broken), len(whole))
		} else {
			at := random.IntN(len(broken))
			broken[at] ^= 1 << random.IntN(8)
			what = fmt.Sprintf("a bit of byte %d of %d changed", at, len(whole))
		}
		place := t.TempDir()
		bad, dir := filepath.Join(place, "bad"), filepath.Join(place, "data")
		if err := os.WriteFile(bad, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Restore(t.Context(), bad, dir, "", key); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
		if left := listing(t, dir); len(left) > 0 {
			t.Errorf("%s: left %v", what, left)
		}
	}
}

// TestADownloadThatBreaksOffLeavesNothing is the way of a backup from a server.
func TestADownloadThatBreaksOffLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "monday")
	lost := fault.New(fault.Unavailable, "the line was cut")
	err := backup.Receive(path, func(w io.Writer) error { _, _ = w.Write([]byte("half")); return lost })
	if left := listing(t, dir); fault.CodeOf(err) != fault.Unavailable || len(left) > 0 {
		t.Errorf("%v, left %v", err, left)
	}
	whole := func(w io.Writer) error { _, err := w.Write([]byte("whole")); return err }
	if err := backup.Receive(path, whole); err != nil {
		t.Fatal(err)
	}
	if err := backup.Receive(path, whole); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("written over: %v", err)
	}
}

func eventCount(t *testing.T, a *App) int64 {
	t.Helper()
	n, err := a.store.EventCount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What PostgreSQL keeps is backed up with its own tools, and whoever asks is told so at once.
func TestBackupsOfPostgresAreItsOwn(t *testing.T) {
	a, err := Open(t.Context(), Config{
		DataDir: t.TempDir(), DatabaseURL: storetest.Postgres(t), APIKey: "a-management-key-for-tests", Backups: Backups{Every: time.Nanosecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	ask := asking(t, a)
	for _, method := range []string{"GET", "POST"} {
		if answer := ask(method, v1+"/backups", "", 409); !strings.Contains(answer, "pg_dump") {
			t.Errorf("%s: %s", method, answer)
		}
	}
}
