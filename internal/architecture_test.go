// Package internal_test keeps the import rules of ARCHITECTURE.md.
package internal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tailorbird/tailorbird"

// The parts of the house. A new package takes its place here.
var (
	subjects = []string{
		"access", "backup", "campaign", "catalog", "content", "decide", "definition", "deliver", "engine", "event", "experiment",
		"expr", "identity", "journey", "limit", "predict", "privacy", "profile", "recommend", "report", "segment", "source",
	}
	adapters = []string{"connect", "redis", "server", "store", "stream"}
	// What adapters share: how to reach a Kafka cluster, and which addresses may be called.
	wiring = []string{"broker", "reach"}
	// Those who put the program together or drive it from outside: app sees everything; cli sees app, not what is below.
	outside = map[string][]string{
		"cmd": {"cli"},
		"app": append([]string{"store", "server", "stream", "connect", "redis", "broker", "reach", "ui"}, subjects...),
		"cli": {"access", "app", "backup", "client", "connect", "definition", "demo", "engine"},
		// client and demo speak to the program as anyone outside would.
		"client": nil,
		"demo":   {"client", "definition"},
		"chaos":  nil,
		"e2e":    nil,
		"sim":    nil,
		"ui":     nil,
	}
	foreignToSubjects = []string{
		"database/sql", "net/http",
		"github.com/mattn/go-sqlite3", "github.com/jackc/pgx", "github.com/redis/go-redis", "github.com/twmb/franz-go",
	}
	emptyNames = []string{"base", "common", "helper", "helpers", "manager", "misc", "models", "services", "handlers", "util", "utils"}
)

// imports is what the packages of the project import, by import path; test files do not count.
type imports map[string][]string

// violations names every import that breaks a rule, and every package without a place.
func violations(graph imports) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	for from, all := range graph {
		if slices.Contains(emptyNames, path.Base(from)) {
			say("%s: the name says nothing about the subject", from)
		}
		part := partOf(from)
		if part == "" {
			say("%s has no place in the house: add it to internal/architecture_test.go", from)
		}
		for _, to := range all {
			if part != "" && !allowed(part, to) {
				say("%s must not import %s", from, to)
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// partOf is the part of the house that a package of the project belongs to: the name under internal, or cmd, liquid, ui;
// "" for none.
func partOf(pkg string) string {
	names := strings.Split(strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/"), "/")
	top := []string{"cmd", "examples", "liquid", "ui"}
	if names[0] != "internal" {
		if slices.Contains(top, names[0]) {
			return names[0]
		}
		return ""
	}
	if len(names) == 1 || slices.Contains(top, names[1]) {
		return ""
	}
	part := names[1]
	_, isOutside := outside[part]
	if part == "fault" || part == "wire" || isOutside ||
		slices.Contains(subjects, part) || slices.Contains(adapters, part) || slices.Contains(wiring, part) {
		return part
	}
	return ""
}

func allowed(part, to string) bool {
	if to != module && !strings.HasPrefix(to, module+"/") {
		return !slices.Contains(subjects, part) || !slices.ContainsFunc(foreignToSubjects, func(banned string) bool {
			return to == banned || strings.HasPrefix(to, banned+"/")
		})
	}
	target := partOf(to)
	if target == part || target == "examples" {
		return part != "liquid" || target == "liquid"
	}
	switch {
	case part == "liquid", part == "fault", part == "wire", part == "examples":
		return false
	case target == "fault", target == "wire", target == "liquid":
		return true
	case slices.Contains(subjects, part):
		return slices.Contains(subjects, target)
	case slices.Contains(wiring, part):
		return slices.Contains(wiring, target)
	case slices.Contains(adapters, part):
		return slices.Contains(subjects, target) || slices.Contains(wiring, target)
	default:
		return slices.Contains(outside[part], target)
	}
}

func TestImportRules(t *testing.T) {
	for _, v := range violations(projectImports(t)) {
		t.Error(v)
	}
}

func projectImports(t *testing.T) imports {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", module+"/...")
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	graph := imports{}
	for d := json.NewDecoder(out); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(pkg.Imports) > 0 {
			graph[pkg.ImportPath] = pkg.Imports
		}
	}
	if err := list.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(graph) < 5 {
		t.Fatalf("go list found %d packages: the rules would hold of anything", len(graph))
	}
	return graph
}

// TestRulesBite shows that each rule finds its breach: the graph is made up.
func TestRulesBite(t *testing.T) {
	in := func(name string) string { return module + "/internal/" + name }
	for _, c := range []struct{ from, to, want string }{
		{in("event"), "encoding/json", ""},
		{in("engine"), in("segment"), ""},
		{in("segment"), in("fault"), ""},
		{in("content"), module + "/liquid", ""},
		{in("server"), in("engine"), ""},
		{in("server"), "net/http", ""},
		{in("store"), "database/sql", ""},
		{in("app"), in("store"), ""},
		{in("stream"), in("broker"), ""},
		{in("broker/brokertest"), in("broker"), ""},
		{in("cli"), in("app"), ""},
		{module + "/cmd/tailorbird", in("cli"), ""},
		{in("demo"), in("demo/shop"), ""},
		{in("demo"), module + "/examples/shop", ""},

		{in("segment"), in("store"), "must not import"},
		{in("deliver/smtp"), in("server"), "must not import"},
		{in("report"), "database/sql", "must not import"},
		{in("profile"), "net/http", "must not import"},
		{in("profile"), "net/http/httptest", "must not import"},
		{in("engine"), "github.com/jackc/pgx/v5", "must not import"},
		{in("event"), in("app"), "must not import"},
		{in("broker"), in("event"), "must not import"},
		{in("source"), in("broker"), "must not import"},
		{in("store"), in("server"), "must not import"},
		{in("server"), in("store"), "must not import"},
		{in("connect"), in("stream"), "must not import"},
		{in("server"), in("app"), "must not import"},
		{in("cli"), in("store"), "must not import"},
		{module + "/cmd/tailorbird", in("app"), "must not import"},
		{in("demo"), in("app"), "must not import"},
		{in("fault"), in("event"), "must not import"},
		{module + "/liquid", in("fault"), "must not import"},
		{module + "/liquid/filters", in("event"), "must not import"},
		{module + "/examples/shop", in("event"), "must not import"},

		{in("weather"), "fmt", "no place in the house"},
		{module + "/pkg", "fmt", "no place in the house"},
		{in("event/util"), "fmt", "says nothing"},
		{in("server/helpers"), "fmt", "says nothing"},
	} {
		got := strings.Join(violations(imports{c.from: {c.to}}), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s importing %s: got %q, want %q", c.from, c.to, got, c.want)
		}
	}
}
