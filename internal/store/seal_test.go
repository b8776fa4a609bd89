package store

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAHalfWrittenKeyIsNoKey starts where a crash fell into the first start: before the key was whole.
func TestAHalfWrittenKeyIsNoKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, masterKeyFile)
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() != masterKeySize || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the half written key is left")
	}
}

// TestTheKeyAppearsWhole looks at the name while keys are written: there is never less than a whole one.
func TestTheKeyAppearsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), masterKeyFile)
	done := make(chan error)
	go func() {
		var err error
		for range 50 {
			if err = writeSynced(path, make([]byte, masterKeySize)); err != nil {
				break
			}
			if err = os.Remove(path); err != nil {
				break
			}
		}
		done <- err
	}()
	for {
		if key, err := os.ReadFile(path); err == nil && len(key) != masterKeySize {
			t.Errorf("%d bytes", len(key))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}
