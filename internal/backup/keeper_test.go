package backup

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// page is an installation that is one page of text, and can be out of order.
type page struct {
	broken  atomic.Bool
	copying chan struct{} // tells that it copies, and waits to go on; nil: it does not wait
}

func (p *page) Copy(_ context.Context, path string, progress func(done, total int64)) (Facts, error) {
	if p.copying != nil {
		progress(1, 4)
		p.copying <- struct{}{}
		<-p.copying
	}
	if p.broken.Load() {
		return Facts{}, fault.New(fault.Unavailable, "the disk is full")
	}
	return Facts{Schema: 1}, os.WriteFile(path, []byte("all that there is"), 0o600)
}

func (*page) MasterKey() ([]byte, error) { return []byte("key"), nil }

func keeper(t *testing.T) (*Keeper, *page) {
	t.Helper()
	p := &page{}
	return &Keeper{
		Maker: Maker{Source: p, Now: time.Now}, Dir: filepath.Join(t.TempDir(), "backups"), Every: 24 * time.Hour, Keep: 3,
		Log: slog.New(slog.DiscardHandler),
	}, p
}

// days are the days of the month of a keeper's backups, newest first, of those with a status.
func days(t *testing.T, k *Keeper, status string) (days []int) {
	t.Helper()
	list, err := k.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		if b.Status == status {
			days = append(days, b.CreatedAt.Day())
		}
	}
	return days
}

// TestBackupsAreMadeOnTimeAndTheOldestGo lives through some days; the clock of a test's bubble begins on 1 January 2000.
func TestBackupsAreMadeOnTimeAndTheOldestGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, p := keeper(t)
		mine := filepath.Join(k.Dir, "mine.tar.zst")
		if err := os.MkdirAll(filepath.Join(k.Dir, workPrefix+"backup-left"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mine, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() } //nolint:forbidigo // by the clock of the test's bubble
		pass(time.Hour)
		if got := days(t, k, Done); !slices.Equal(got, []int{1}) {
			t.Fatalf("after an hour: %v", got)
		}
		pass(4 * 24 * time.Hour) // 5 January, 1 in the morning
		if got := days(t, k, Done); !slices.Equal(got, []int{5, 4, 3}) {
			t.Fatalf("after four days: %v", got)
		}
		p.broken.Store(true)
		pass(24 * time.Hour)
		if got := days(t, k, Done); !slices.Equal(got, []int{5, 4, 3}) || len(days(t, k, Failed)) != 1 {
			t.Errorf("while the disk is full: %v, failed %v", got, days(t, k, Failed))
		}
		p.broken.Store(false)
		pass(3 * time.Hour) // a tenth of a day later
		if got := days(t, k, Done); !slices.Equal(got, []int{6, 5, 4}) || len(days(t, k, Failed)) != 0 {
			t.Errorf("after the disk was full: %v, failed %v", got, days(t, k, Failed))
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		k.Close()
		if _, err := k.Begin(t.Context()); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("after the end: %v", err)
		}
		if _, err := os.Stat(mine); err != nil {
			t.Errorf("somebody else's file: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(k.Dir, workPrefix+"*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// TestNamesAreTheKeepersOwn asks for files that are none of its backups.
func TestNamesAreTheKeepersOwn(t *testing.T) {
	k, _ := keeper(t)
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(k.Dir, "mine"), filepath.Join(k.Dir, "..", "tailorbird-20000101T000000Z.tar.zst")} {
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", ".", "mine", "../tailorbird-20000101T000000Z.tar.zst", "tailorbird-20000101T000000Z.tar.zst"} {
		if _, err := k.Open(name); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("opened %q: %v", name, err)
		}
		if err := k.Delete(name); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("deleted %q: %v", name, err)
		}
	}
}

// A backup tells how far it is, and when it was read back.
func TestABackupTellsHowFarItIs(t *testing.T) {
	k, p := keeper(t)
	p.copying = make(chan struct{})
	begun, done, err := k.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-p.copying
	if b, err := k.Get(begun.Name); err != nil || b.Status != Running || b.Progress != 0.25 || !b.VerifiedAt.IsZero() {
		t.Errorf("while it is made: %+v, %v", b, err)
	}
	p.copying <- struct{}{}
	<-done
	if b, err := k.Get(begun.Name); err != nil || b.Status != Done || b.VerifiedAt.Before(begun.CreatedAt) || b.VerifiedAt.After(time.Now()) {
		t.Errorf("afterwards: %+v, %v", b, err)
	}
}
