package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/cli"
)

// TestMain takes out of the environment what tells tests where their servers are, and would be a setting misspelt to a
// command.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TAILORBIRD_") {
			_ = os.Unsetenv(name) // of a name that the environment itself gave
		}
	}
	m.Run()
}

// run runs a command and gives its exit status and what it wrote.
func run(ctx context.Context, args ...string) (status int, out, err string) {
	var stdout, stderr bytes.Buffer
	status = cli.Run(ctx, args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	return status, stdout.String(), stderr.String()
}

// filled is a data directory with one customer.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rows.csv"), "id\n42\n")
	write(t, filepath.Join(dir, "rows.yaml"), "user_id: row.id\nevent: '\"Seen\"'\ntimestamp: timestamp(\"2020-01-01T00:00:00Z\")\n")
	data := filepath.Join(dir, "data")
	status, out, wrong := run(t.Context(), "import", filepath.Join(dir, "rows.csv"), "-m", filepath.Join(dir, "rows.yaml"), "--data", data)
	if status != 0 || out != "1 row read, 1 event sent\n" {
		t.Fatalf("%d: %s%s", status, out, wrong)
	}
	return data
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDataBeatsVariable holds the directory of the command line above the server of a variable, in every command about data.
func TestDataBeatsVariable(t *testing.T) {
	t.Setenv("TAILORBIRD_SERVER", "http://127.0.0.1:1") // where nobody answers
	t.Setenv("TAILORBIRD_API_KEY", "a key of that server")
	data := filled(t) // itself an import with --data
	if status, out, wrong := run(t.Context(), "profile", "find", "42", "--data", data); status != 0 || !strings.Contains(out, "user_id:42") {
		t.Errorf("find: %d: %s%s", status, out, wrong)
	}
	for _, command := range []string{"plan", "apply"} {
		if status, out, wrong := run(t.Context(), command, "../../examples/shop", "--data", data); status != 0 || !strings.Contains(out, "+ segment vip") {
			t.Errorf("%s: %d: %s%s", command, status, out, wrong)
		}
	}
	if status, out, wrong := run(t.Context(), "segment", "verify", "--data", data); status != 0 || !strings.Contains(out, ": 0 differences") {
		t.Errorf("verify: %d: %s%s", status, out, wrong)
	}
	for name, args := range map[string][]string{
		"see tailorbird segment verify --help": {"segment", "verify"},
		"not both":                             {"segment", "list", "--data", data, "--server", "http://127.0.0.1:1"},
		"is not a time such as":                {"segment", "list", "--now", "yesterday"},
		"--backup-every is for data":           {"serve", "--database-url", "postgres://u@127.0.0.1:1/d", "--backup-every", "24h"},
	} {
		if status, _, wrong := run(t.Context(), args...); status != 2 || !strings.Contains(wrong, name) {
			t.Errorf("%v: %d: %s does not say %q", args, status, wrong, name)
		}
	}
}

// TestMisspeltNamesAreTold plans, applies and tries conditions that name what nobody has.
func TestMisspeltNamesAreTold(t *testing.T) {
	data, dir := filled(t), t.TempDir()
	write(t, filepath.Join(dir, "all.yaml"), "kind: segment\nname: seen\ncondition: |-\n  events(\"Sen\").exists() ||\n    profile.visits > 1\n---\n"+
		"kind: trait\nname: visits\nexpression: events(\"Seem\").count()\n")
	for _, command := range []string{"plan", "apply"} {
		status, _, wrong := run(t.Context(), command, dir, "--data", data)
		want := "warning: all.yaml: condition:1:8: no event \"Sen\" has come so far; did you mean \"Seen\"?\n" +
			"warning: all.yaml: expression:1:8: no event \"Seem\" has come so far; did you mean \"Seen\"?\n"
		if status != 0 || wrong != want {
			t.Errorf("%s: %d: %s, want %s", command, status, wrong, want)
		}
	}
	if status, _, wrong := run(t.Context(), "apply", dir, "--data", data); status != 0 || wrong != "" {
		t.Errorf("nothing changes: %d: %s", status, wrong)
	}
	status, out, wrong := run(t.Context(), "segment", "preview", `events("Sen").exists()`, "--data", data)
	if status != 0 || !strings.HasPrefix(out, "0 of 1 customers\n") || !strings.HasPrefix(wrong, `warning: condition:1:8: no event "Sen"`) {
		t.Errorf("preview: %d: %s%s", status, out, wrong)
	}
	status, out, wrong = run(t.Context(), "trait", "preview", `events("Seen").count() + events("Sen").count()`, "--data", data)
	if status != 0 || !strings.HasPrefix(out, "1 of 1 customers have a value\n") || !regexp.MustCompile(`(?m)^42 +1 +\w{26}$`).MatchString(out) ||
		!strings.HasPrefix(wrong, `warning: expression:1:33: no event "Sen"`) {
		t.Errorf("preview of a trait: %d: %s%s", status, out, wrong)
	}
	if status, out, _ := run(t.Context(), "segment", "get", "seen", "--data", data); status != 0 || !strings.Contains(out, "suggestion: Seen") {
		t.Errorf("get: %d: %s", status, out)
	}
}

// TestPostgresIsBackedUpByItsOwnTools asks for what is not made here, and for what would copy an empty directory instead.
func TestPostgresIsBackedUpByItsOwnTools(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backup")
	status, _, wrong := run(t.Context(), "backup", file, "--database-url", "postgres://u@127.0.0.1:1/d", "--data", filled(t))
	if status != 1 || !strings.Contains(wrong, "pg_dump") {
		t.Errorf("%d: %s", status, wrong)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
}

// signal is closed when something containing its text was written.
type signal struct {
	bytes.Buffer
	text string
	seen chan struct{}
}

func (s *signal) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if s.seen != nil && strings.Contains(s.String(), s.text) {
		close(s.seen)
		s.seen = nil
	}
	return n, err
}

// TestDemoStaysTheSame starts the demo twice on a directory: the key to sign in with stays, loading is told, and the truth
// behind every customer can be had.
func TestDemoStaysTheSame(t *testing.T) {
	t.Setenv("TAILORBIRD_API_KEY", "")
	data := filepath.Join(t.TempDir(), "demo")
	start := func() (stdout, stderr string) {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		out, opened := &signal{text: "The shop is open.", seen: make(chan struct{})}, make(chan struct{})
		go func(seen <-chan struct{}) {
			select {
			case <-seen:
				close(opened)
			case <-ctx.Done():
			}
			stop()
		}(out.seen)
		var wrong bytes.Buffer
		if status := cli.Run(ctx, []string{"demo", "--data", data, "--listen", "127.0.0.1:0", "--customers", "20", "--days", "30"},
			cli.Streams{Out: out, Err: &wrong}); status != 0 {
			t.Fatalf("%d: %s", status, wrong.String())
		}
		select {
		case <-opened:
		default:
			t.Fatalf("the shop did not open: %s", wrong.String())
		}
		return out.String(), wrong.String()
	}
	keyOf := func(out string) string {
		_, after, _ := strings.Cut(out, "sign in")
		return strings.Fields(after)[0]
	}
	first, loading := start()
	// How many steps there are depends on how much happened by the hour at which the test runs; each tenth is told once.
	var tenths []int
	for _, told := range regexp.MustCompile(`history: (\d+) %`).FindAllStringSubmatch(loading, -1) {
		percent, _ := strconv.Atoi(told[1])
		tenths = append(tenths, percent/10)
	}
	if len(tenths) < 2 || tenths[0] != 0 || tenths[len(tenths)-1] > 9 || len(slices.Compact(slices.Clone(tenths))) != len(tenths) || !slices.IsSorted(tenths) {
		t.Errorf("loading was told as %q", loading)
	}
	second, _ := start()
	kept, err := os.ReadFile(filepath.Join(data, "demo.key"))
	if key := keyOf(first); err != nil || keyOf(second) != key || strings.TrimSpace(string(kept)) != key {
		t.Errorf("the keys are %q, %q and %q, %v", key, keyOf(second), kept, err)
	}
	if info, err := os.Stat(filepath.Join(data, "demo.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	status, out, wrong := run(t.Context(), "demo", "--data", data, "--truth", "-")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var customer struct {
		UserID string `json:"user_id"`
		Stage  string
	}
	if status != 0 || len(lines) != 20 || json.Unmarshal([]byte(lines[0]), &customer) != nil || customer.UserID == "" || customer.Stage == "" {
		t.Errorf("%d: %d customers, the first %q: %s", status, len(lines), lines[0], wrong)
	}
}

// TestSettingsAreRefusedByName starts servers with settings that no server can have: bad usage, which names the setting as
// people give it, and no secret.
func TestSettingsAreRefusedByName(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	write(t, empty, "")
	for setting, args := range map[string][]string{
		"--database-url (TAILORBIRD_DATABASE_URL): ":       {"--database-url", "postgres://u:hunter2@127.0.0.1:1/d?sslmode=bogus"},
		"--stream-url (TAILORBIRD_STREAM_URL): ":           {"--stream-url", "hunter2"},
		"--api-limit (TAILORBIRD_API_LIMIT): ":             {"--api-limit", "lots"},
		"--tracking-limit (TAILORBIRD_TRACKING_LIMIT): ":   {"--tracking-limit", "5/x"},
		"--smtp-url (TAILORBIRD_SMTP_URL): ":               {"--smtp-url", "localhost:25"},
		"--redis-url (TAILORBIRD_REDIS_URL): ":             {"--redis-url", "hunter2"},
		"--public-url (TAILORBIRD_PUBLIC_URL): ":           {"--public-url", "shop"},
		"--master-key-file (TAILORBIRD_MASTER_KEY_FILE): ": {"--master-key-file", empty},
	} {
		status, _, wrong := run(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}, args...)...)
		if status != 2 || !strings.HasPrefix(wrong, "tailorbird: "+setting) || strings.Contains(wrong, "hunter2") {
			t.Errorf("%v: %d: %s", args, status, wrong)
		}
	}
	status, _, wrong := run(t.Context(), "migrate", "status", "--data", filepath.Join(dir, "nosuch"))
	if status != 1 || !strings.Contains(wrong, "--data") || !strings.Contains(wrong, "--database-url") {
		t.Errorf("no directory: %d: %s", status, wrong)
	}
	t.Setenv("TAILORBIRD_MASTER_KEY", "hunter2")
	status, _, wrong = run(t.Context(), "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	if status != 2 || !strings.Contains(wrong, "TAILORBIRD_MASTER_KEY must") || strings.Contains(wrong, "hunter2") {
		t.Errorf("no key: %d: %s", status, wrong)
	}
}
