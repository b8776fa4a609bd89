package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var shellBlocks = regexp.MustCompile("(?s)\n```sh\n(.*?)\n```\n")

// TestExamplesOfTheDocumentsWork runs the shell examples of the API's document, in their order, against a server.
func TestExamplesOfTheDocumentsWork(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository(t), "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlocks.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d examples found", len(blocks))
	}
	s := serve(t, filepath.Join(t.TempDir(), "data"), nil)
	for _, block := range blocks {
		run := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block[1])
		run.Env = environment("SERVER="+s.URL(), "API_KEY="+apiKey, "WRITE_KEY="+writeKey)
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, block[1], out)
		}
	}
	finished(t, s, "spring")
}
