package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"golang.org/x/term"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// How commands show data: tables and YAML for people, JSON for programs.

func writeJSON(w io.Writer, object json.RawMessage) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, object, "", "  "); err != nil {
		return fault.Wrap(fault.Internal, err, "the answer is not JSON")
	}
	fmt.Fprintln(w, indented.String())
	return nil
}

func writeYAML(w io.Writer, object json.RawMessage) error {
	readable, err := yaml.JSONToYAML(object)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the answer is not JSON")
	}
	_, err = w.Write(readable)
	return err
}

// column of a table: its title, and the path of the member that it shows, such as "progress.sent".
type column struct{ title, path string }

// writeTable writes a row for each object. On a terminal a row is a line, cut where the terminal ends.
func writeTable(w io.Writer, objects iter.Seq2[json.RawMessage, error], columns []column) error {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	fmt.Fprintln(table, strings.Join(titles, "\t"))
	for object, err := range objects {
		if err != nil {
			return err
		}
		var members map[string]any
		if err := json.Unmarshal(object, &members); err != nil {
			return fault.Wrap(fault.Internal, err, "the answer cannot be read")
		}
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(at(members, c.path))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	width := widthOf(w)
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(w, cut(strings.TrimRight(line, " \n"), width))
	}
	return nil
}

// widthOf is the width of a terminal in characters; 0 for anything else.
func widthOf(w io.Writer) int {
	file, is := w.(*os.File)
	if !is {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// cut makes a text no longer than so many characters, 0 for any number.
func cut(s string, most int) string {
	if characters := []rune(s); most > 0 && len(characters) > most {
		return string(characters[:most-1]) + "…"
	}
	return s
}

// writeJSONList writes objects as they arrive.
func writeJSONList(w io.Writer, objects iter.Seq2[json.RawMessage, error]) error {
	separator := "[\n"
	for object, err := range objects {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s  %s", separator, object)
		separator = ",\n"
	}
	if separator == "[\n" {
		fmt.Fprintln(w, "[]")
		return nil
	}
	fmt.Fprintln(w, "\n]")
	return nil
}

func at(members map[string]any, path string) any {
	first, rest, below := strings.Cut(path, ".")
	if !below {
		return members[first]
	}
	inner, _ := members[first].(map[string]any)
	return at(inner, rest)
}

const maxCell = 60 // characters

// cell writes a value into a table: on one line, of bounded length, and without characters that would steer a terminal,
// since much of it was written by whoever sends events.
func cell(value any) string {
	var s string
	switch v := value.(type) {
	case nil:
	case bool:
		s = map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		s = v
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			s = t.UTC().Format("2006-01-02 15:04:05")
		}
	case []any:
		var parts []string
		for _, item := range slices.SortedStableFunc(slices.Values(v), byWeight) {
			parts = append(parts, cell(nameOf(item)))
		}
		s = strings.Join(parts, ", ")
	default:
		raw, _ := json.Marshal(v) // it came from JSON
		s = string(raw)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if s = strings.TrimSpace(s); s == "" {
		return "-"
	}
	return cut(s, maxCell)
}

// byWeight puts what people know a customer by before what only machines do; anything else stays as it is.
func byWeight(a, b any) int { return weight(a) - weight(b) }

func weight(item any) int {
	object, _ := item.(map[string]any)
	switch object["type"] {
	case "email":
		return -2
	case "user_id":
		return -1
	case "anonymous_id":
		return 1
	}
	return 0
}

// nameOf is what stands for an object in a list: its name, or "type:value" of an identifier.
func nameOf(item any) any {
	object, is := item.(map[string]any)
	switch {
	case !is:
		return item
	case object["name"] != nil:
		return object["name"]
	case object["label"] != nil:
		return object["label"]
	case object["type"] != nil:
		return fmt.Sprintf("%v:%v", object["type"], object["value"])
	}
	return item
}
