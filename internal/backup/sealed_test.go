package backup

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// shelf takes pages for databases.
type shelf struct{}

func (shelf) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (shelf) Inspect(context.Context, string) (Facts, error)          { return Facts{Schema: 1}, nil }
func (shelf) Unlocks(_ context.Context, _ string, key []byte) error   { return nil }
func (shelf) Hold(context.Context, string) (held []string, err error) { return nil, nil }

func sealed(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sealed")
	m := Maker{Source: &page{}, Passphrase: "correct horse", Now: time.Now, Effort: 10}
	if _, err := m.Make(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASealedBackupHoldsTheKeyAndShowsNothing(t *testing.T) {
	path, dir := sealed(t), t.TempDir()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte(MasterKeyFile)) || bytes.Contains(content, []byte("all that there is")) {
		t.Error("it can be read")
	}
	for _, wrong := range []string{"", "correct hors"} {
		r := Restorer{Target: shelf{}, Passphrase: wrong}
		if _, _, err := r.Restore(t.Context(), path, dir); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("passphrase %q: %v", wrong, err)
		}
	}
	r := Restorer{Target: shelf{}, Passphrase: "correct horse"}
	if _, _, err := r.Restore(t.Context(), path, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{MasterKeyFile: "key", DatabaseFile: "all that there is"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestDamagedSealedBackupsAreRefused(t *testing.T) {
	whole, err := os.ReadFile(sealed(t))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		broken, at := slices.Clone(whole), random.IntN(len(whole))
		if random.IntN(2) == 0 {
			broken = broken[:at]
		} else {
			broken[at] ^= 1 << random.IntN(8)
		}
		bad, dir := filepath.Join(t.TempDir(), "bad"), t.TempDir()
		if err := os.WriteFile(bad, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		r := Restorer{Target: shelf{}, Passphrase: "correct horse"}
		if _, _, err := r.Restore(t.Context(), bad, dir); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%d bytes, or a bit of byte %d of %d: %v", len(broken), at, len(whole), err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
}
