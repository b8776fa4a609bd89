package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestExitStatusAndErrors: 0 fine, 1 failed, 2 bad usage; errors on standard error, naming what to mend.
func TestExitStatusAndErrors(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "data"), nil)
	remote := []string{"TAILORBIRD_SERVER=" + s.URL()}
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("lissten: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		env    []string
		status int
		stderr string
	}{
		{"", nil, 2, "Usage:"},
		{"--help", nil, 0, ""},
		{"segment put --help", nil, 0, ""},
		{"version", nil, 0, ""},
		{"fly", nil, 2, "unexpected argument fly"},
		{"segment list --colour", nil, 2, "unknown flag --colour"},
		{"segment list --data ./nowhere", nil, 2, "there is no data in ./nowhere"},
		{"segment list --server ftp://x", nil, 2, "is not an address"},
		{"segment put x", remote, 2, "--condition"},
		{"serve --config " + settings, nil, 2, "lissten"},
		{"serve --log-level loud", nil, 2, "--log-level"},
		{"serve --database-url mysql://db.example/shop", nil, 2, "--database-url"},
		{"serve", []string{"TAILORBIRD_DATABASE_URL=mysql://db.example/shop"}, 2, "--data"},
		{"demo", []string{"TAILORBIRD_DATABASE_URL=mysql://db.example/shop"}, 2, "--database-url"},
		{"serve --listen 127.0.0.1:0 --data " + filepath.Join(t.TempDir(), "x"), []string{"TAILORBIRD_API_KEY=fifteen-letters"}, 1, "16"},
		{"segment list", remote, 0, ""},
		{"segment get nobody", remote, 1, "nobody"},
		{"segment put x --condition nosuch()", remote, 1, "condition:1:"},
		{"profile get email:nobody@example.com", remote, 1, "no customer has the identifier"},
		{"plan ./nowhere", remote, 2, "there is no directory ./nowhere"},
		{"import ./nowhere.csv --mapping ./nowhere.yaml", nil, 1, "nowhere.yaml"},
		{"segment list --server http://127.0.0.1:1", nil, 1, "does not answer"},
		{"serve --data " + filepath.Join(t.TempDir(), "x") + " --listen 127.0.0.1:99999", nil, 1, "--listen"},
	} {
		o := tailorbird(t, c.env, strings.Fields(c.args)...)
		if o.status != c.status || !strings.Contains(o.stderr, c.stderr) || c.status == 0 && o.stderr != "" || c.status != 0 && o.stdout != "" {
			t.Errorf("tailorbird %s: exit status %d, want %d with %q\nstdout: %s\nstderr: %s", c.args, o.status, c.status, c.stderr, o.stdout, o.stderr)
		}
	}
}

// TestSettingsComeFromFlagsThenVariablesThenTheFile starts a server thrice, each time with one source less.
func TestSettingsComeFromFlagsThenVariablesThenTheFile(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("public_url: http://file.example\nlog_level: error\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := "TAILORBIRD_CONFIG=" + settings
	variable := "TAILORBIRD_PUBLIC_URL=http://variable.example"
	for _, c := range []struct {
		env, args []string
		want      string
	}{
		{[]string{file, variable}, []string{"--public-url", "http://flag.example"}, "http://flag.example"},
		{[]string{file, variable}, nil, "http://variable.example"},
		{[]string{file}, nil, "http://file.example"},
		{nil, []string{"--config", settings}, "http://file.example"},
	} {
		s := serve(t, filepath.Join(t.TempDir(), "data"), c.env, c.args...)
		answer := get[struct {
			PublicURL string `json:"public_url"`
		}](t, s.Client, "/api/v1/session")
		if answer.PublicURL != c.want {
			t.Errorf("%v %v: public URL %s, want %s", c.env, c.args, answer.PublicURL, c.want)
		}
		s.end(syscall.SIGTERM)
	}
}

// TestDefinitionsAsFiles plans, applies and exports the example, through a server and without one.
func TestDefinitionsAsFiles(t *testing.T) {
	examples := filepath.Join(repository(t), "examples", "shop")
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data, nil)
	remote := []string{"TAILORBIRD_SERVER=" + s.URL()}
	if out := must(t, remote, "plan", examples); !strings.Contains(out, "Plan: ") || strings.Contains(out, " 0 to create") {
		t.Errorf("plan: %s", out)
	}
	if out := must(t, remote, "segment", "list", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("plan has changed something: %s", out)
	}
	must(t, remote, "apply", examples)
	s.end(syscall.SIGTERM)

	local := []string{"TAILORBIRD_DATA=" + data}
	exported := filepath.Join(t.TempDir(), "exported")
	must(t, local, "export", exported)
	for _, dir := range []string{examples, exported} {
		if out := must(t, local, "plan", dir, "--prune"); !strings.HasPrefix(out, "Plan: 0 to create, 0 to change, 0 to delete, ") {
			t.Errorf("plan of %s after apply: %s", dir, out)
		}
	}
	broken := filepath.Join(exported, "segments", "frequent.yaml")
	if err := os.WriteFile(broken, []byte("kind: segment\nname: frequent\ncondition: |\n  true &&\n  nosuch()\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := tailorbird(t, local, "apply", exported); o.status != 1 || !strings.Contains(o.stderr, "segments/frequent.yaml: condition:2:") {
		t.Errorf("apply of a broken file: exit status %d, %s", o.status, o.stderr)
	}
	var segments []struct{ Name, Condition string }
	if err := json.Unmarshal([]byte(must(t, local, "segment", "list", "--json")), &segments); err != nil || len(segments) == 0 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for _, s := range segments {
		if strings.Contains(s.Condition, "nosuch") {
			t.Error("a broken definition was applied")
		}
	}
}

// TestOneProgramOnADirectory: the second one is refused, and says what to do.
func TestOneProgramOnADirectory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data, nil)
	if o := tailorbird(t, nil, "segment", "list", "--data", data); o.status != 1 || !strings.Contains(o.stderr, "--server") {
		t.Errorf("exit status %d: %s", o.status, o.stderr)
	}
	if status := s.end(syscall.SIGTERM); status != 0 {
		t.Errorf("SIGTERM: exit status %d: %s", status, s.stderr.String())
	}
	must(t, nil, "segment", "list", "--data", data)
}
