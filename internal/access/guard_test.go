package access_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

var ctx = context.Background()

// door is a guard over a real store, with a clock that the test moves.
type door struct {
	*access.Guard
	store *store.Store
	now   time.Time
}

func open(t *testing.T) *door {
	t.Helper()
	db, err := store.Open(ctx, t.TempDir(), store.OnPostgres(storetest.Database(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	d := &door{store: db, now: time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC)}
	d.reopen(t)
	return d
}

// reopen is what a restart does.
func (d *door) reopen(t *testing.T) {
	t.Helper()
	guard, err := access.Open(ctx, d.store, func() time.Time { return d.now }, rand.Reader, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.Guard = guard
}

func TestTheFirstStartMakesTwoKeysOnce(t *testing.T) {
	d := open(t)
	made, err := d.FirstStart(ctx, "", "")
	if err != nil || len(made) != 2 {
		t.Fatalf("%v, %v", made, err)
	}
	if !strings.HasPrefix(made[0].Secret, "tb_") || !made[0].Key.Allows(access.Admin) {
		t.Errorf("management key %+v", made[0])
	}
	if !strings.HasPrefix(made[1].Secret, "tbw_") || made[1].Key.Allows(access.Read) || !made[1].Key.Allows(access.Track) {
		t.Errorf("write key %+v", made[1])
	}
	d.reopen(t)
	if again, err := d.FirstStart(ctx, "", ""); err != nil || len(again) != 0 {
		t.Fatalf("second start made %v, %v", again, err)
	}
	if k, err := d.Authenticate(ctx, made[1].Secret); err != nil || k.Name != "Tracking" {
		t.Errorf("after a restart: %+v, %v", k, err)
	}
	if k, err := d.Authenticate(ctx, made[1].Secret+"0"); fault.CodeOf(err) != fault.Unauthorized {
		t.Errorf("a wrong key opened: %+v", k)
	}
}

func TestChosenKeysAreTakenAtAnyStart(t *testing.T) {
	d := open(t)
	if _, err := d.FirstStart(ctx, "", ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d.reopen(t)
		if _, err := d.FirstStart(ctx, "chosen-management-key", "chosen-write-key"); err != nil {
			t.Fatal(err)
		}
		if k, err := d.Authenticate(ctx, "chosen-management-key"); err != nil || !k.Allows(access.Admin) {
			t.Errorf("%+v, %v", k, err)
		}
		if n := len(d.List()); n != 4 {
			t.Errorf("%d keys, want 4", n)
		}
	}
	for _, bad := range []string{"short", "fifteen-letters", "with a space in it", "with:colon:in:it"} {
		_, err := d.FirstStart(ctx, bad, "")
		if f := fault.All(err); len(f) == 0 || f[0].Field != "TAILORBIRD_API_KEY" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// slowStore holds deletions up until it is told.
type slowStore struct {
	*store.Store
	begun, release chan struct{}
}

func (s *slowStore) DeleteKey(ctx context.Context, id int64) (bool, error) {
	s.begun <- struct{}{}
	<-s.release
	return s.Store.DeleteKey(ctx, id)
}

// TestOthersComeInWhileAKeyIsDeleted lets the database take its time; two deletions at once leave one key that makes keys.
func TestOthersComeInWhileAKeyIsDeleted(t *testing.T) {
	slow := &slowStore{Store: open(t).store, begun: make(chan struct{}, 2), release: make(chan struct{})}
	guard, err := access.Open(ctx, slow, time.Now, rand.Reader, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	one, _, err := guard.Create(ctx, "one", []access.Scope{access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	two, secret, err := guard.Create(ctx, "two", []access.Scope{access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error, 2)
	go func() { deleted <- guard.Delete(ctx, one.ID) }()
	<-slow.begun
	if _, err := guard.Authenticate(ctx, secret); err != nil { // hangs where the lock is held
		t.Error(err)
	}
	go func() { deleted <- guard.Delete(ctx, two.ID) }()
	close(slow.release)
	if first, second := <-deleted, <-deleted; (first == nil) == (second == nil) || len(guard.List()) != 1 {
		t.Errorf("%v, %v, %d keys left", first, second, len(guard.List()))
	}
}

func TestKeysThatCannotBe(t *testing.T) {
	d := open(t)
	cases := []struct {
		name   string
		scopes []access.Scope
		field  string
	}{
		{"", []access.Scope{access.Read}, "name"},
		{strings.Repeat("n", 101), []access.Scope{access.Read}, "name"},
		{"x", nil, "scopes"},
		{"x", []access.Scope{"root"}, "scopes[0]"},
	}
	for _, c := range cases {
		_, _, err := d.Create(ctx, c.name, c.scopes)
		if f := fault.All(err); len(f) == 0 || f[0].Field != c.field || f[0].Code != fault.Invalid {
			t.Errorf("%q %v: %v, want field %q", c.name, c.scopes, err, c.field)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	d := open(t)
	key, secret, err := d.Create(ctx, "Ada", []access.Scope{access.Read, access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	other, otherSecret, err := d.Create(ctx, "Bob", access.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(secret string) string {
		_, token, expires, err := d.SignIn(ctx, secret)
		if err != nil || !expires.Equal(d.now.Add(access.SessionLength)) {
			t.Fatalf("%v, expires %v", err, expires)
		}
		return token
	}
	holds := func(token string) bool {
		k, err := d.Session(ctx, token)
		if err != nil && fault.CodeOf(err) != fault.Unauthorized {
			t.Fatal(err)
		}
		return err == nil && k.Name != ""
	}
	left, revoked, lasting := signIn(secret), signIn(otherSecret), signIn(secret)
	if err := d.SignOut(ctx, left); err != nil || holds(left) || !holds(lasting) {
		t.Errorf("after signing out: %v", err)
	}
	if err := d.Delete(ctx, other.ID); err != nil || holds(revoked) {
		t.Errorf("after revoking: %v", err)
	}
	if _, err := d.Authenticate(ctx, otherSecret); fault.CodeOf(err) != fault.Unauthorized {
		t.Errorf("a revoked key opened: %v", err)
	}
	if err := d.Delete(ctx, other.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("revoked twice: %v", err)
	}
	if err := d.Delete(ctx, key.ID); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the last admin key went: %v", err)
	}
	if d.now = d.now.Add(access.SessionLength); holds(lasting) {
		t.Error("an expired session held")
	}
}

func TestTheLastUseIsNotedToTheMinute(t *testing.T) {
	d := open(t)
	_, secret, err := d.Create(ctx, "Ada", []access.Scope{access.Read})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d.now = d.now.Add(40 * time.Second) // 00:01:10, 00:01:50, 00:02:30
		if _, err := d.Authenticate(ctx, secret); err != nil {
			t.Fatal(err)
		}
	}
	d.reopen(t)
	if want := time.Date(2026, 1, 1, 0, 2, 0, 0, time.UTC); !d.List()[0].LastUsedAt.Equal(want) {
		t.Errorf("last used %v, want %v", d.List()[0].LastUsedAt, want)
	}
}

func TestALentKeyIsOfThisProcessAlone(t *testing.T) {
	d := open(t)
	secret, err := d.Lend("this process", access.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	if k, err := d.Authenticate(ctx, secret); err != nil || !k.Allows(access.Send) {
		t.Errorf("%+v, %v", k, err)
	}
	if len(d.List()) != 0 {
		t.Errorf("listed: %v", d.List())
	}
	if _, err := d.Lend("another", []access.Scope{access.Track}); err != nil {
		t.Fatal(err)
	}
	signIn := func() string {
		_, token, _, err := d.SignIn(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	ended := func(token string) bool {
		k, err := d.Session(ctx, token)
		return fault.CodeOf(err) == fault.Unauthorized && k.Name == ""
	}
	left, lasting := signIn(), signIn()
	if k, err := d.Session(ctx, lasting); err != nil || k.Name != "this process" {
		t.Errorf("session: %+v, %v", k, err)
	}
	if _, err := d.Authenticate(ctx, lasting); fault.CodeOf(err) != fault.Unauthorized {
		t.Errorf("a session's token is no key: %v", err)
	}
	if err := d.SignOut(ctx, left); err != nil || !ended(left) || ended(lasting) {
		t.Errorf("signing out: %v", err)
	}
	d.now = d.now.Add(access.SessionLength)
	if !ended(lasting) {
		t.Error("an expired session held")
	}
	token := signIn()
	d.reopen(t)
	if _, err := d.Authenticate(ctx, secret); fault.CodeOf(err) != fault.Unauthorized || !ended(token) {
		t.Errorf("after a restart: %v", err)
	}
}
