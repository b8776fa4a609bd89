package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// File is a definition as it stands in a directory of YAML files: kind and name, then the fields of the spec at the top
// level. A file holds one, or several between lines of ---. A template may keep its body apart, in the file that body_file names beside it.
type File struct {
	Entry
	Path string // of the YAML file, slash-separated, below the directory
}

// ReadFiles reads every .yaml and .yml file below a directory. All that is wrong is reported together; a Field begins
// with the path of its file.
func ReadFiles(dir fs.FS) ([]File, error) {
	var files []File
	var faults []error
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fault.Wrap(fault.Invalid, err, "the directory cannot be read")
		case entry.IsDir() && name != "." && path.Base(name)[0] == '.':
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)):
			return nil
		}
		read, err := readFile(dir, name)
		files, faults = append(files, read...), append(faults, err)
		return nil
	})
	return files, errors.Join(append(faults, twice(files), err)...)
}

// twice finds the definitions that stand in two places.
func twice(files []File) error {
	var faults []error
	first := map[Ref]string{}
	for _, f := range files {
		if earlier, is := first[f.Ref]; is {
			faults = append(faults, fault.Field(f.Path+": name", "%s is defined twice: in %s too", f.Ref, earlier))
			continue
		}
		first[f.Ref] = f.Path
	}
	return errors.Join(faults...)
}

// readFile reads the definitions of one file.
func readFile(dir fs.FS, name string) (files []File, err error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fault.Field(name, "cannot be read: %v", err)
	}
	var faults []error
	documents := yaml.NewDecoder(bytes.NewReader(text))
	for {
		members := map[string]any{}
		if err := documents.Decode(&members); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fault.Field(name, "is not a YAML object: %v", err)
		}
		if len(members) == 0 { // before the first --- or after the last
			continue
		}
		file, err := definitionOf(dir, name, members)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		files = append(files, file)
	}
	if len(files)+len(faults) == 0 {
		return nil, fault.Field(name, "is empty; give a kind, a name and the fields of a definition")
	}
	return files, errors.Join(faults...)
}

// definitionOf makes the definition that one document of a file says.
func definitionOf(dir fs.FS, name string, members map[string]any) (File, error) {
	kind, _ := members["kind"].(string)
	named, _ := members["name"].(string)
	if err := errors.Join(CheckKind(Kind(kind)), CheckName(named)); err != nil {
		f := *fault.All(err)[0]
		f.Field = name + ": " + f.Field
		return File{}, &f
	}
	delete(members, "kind")
	delete(members, "name")
	if value, is := members["body_file"]; is {
		beside, _ := value.(string)
		apart := path.Join(path.Dir(name), beside)
		if beside == "" || path.IsAbs(beside) || !fs.ValidPath(apart) {
			return File{}, fault.Field(name+": body_file", "must name a file inside the directory of definitions, as seen from this file; it is %q", fmt.Sprint(value))
		}
		body, err := fs.ReadFile(dir, apart)
		if err != nil {
			return File{}, fault.Field(name+": body_file", "%q cannot be read: %v", beside, err)
		}
		if members["body"] != nil {
			return File{}, fault.Field(name+": body_file", "stands beside a body; only one of them can be the body")
		}
		delete(members, "body_file")
		members["body"] = string(body)
	}
	spec, err := marshal(members)
	if err != nil {
		return File{}, fault.Field(name, "cannot be written as JSON: %v", err)
	}
	return File{Entry: Entry{Ref: Ref{Kind(kind), named}, Spec: spec}, Path: name}, nil
}

// Files writes a definition as ReadFiles reads it: the content of one or two files by slash-separated path, in a folder
// of its kind.
func (e Entry) Files() (map[string][]byte, error) {
	if err := errors.Join(CheckKind(e.Kind), CheckName(e.Name)); err != nil {
		return nil, err
	}
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(e.Spec))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the spec of %s is not a JSON object", e.Ref)
	}
	folder := path.Join(string(e.Kind)+"s", e.Name)
	files := map[string][]byte{}
	if body, is := members["body"].(string); is && e.Kind == Template {
		extension, _ := members["format"].(string)
		if extension != "html" {
			extension = "mjml"
		}
		delete(members, "body")
		members["body_file"] = e.Name + "." + extension
		files[folder+"."+extension] = []byte(body)
	}
	head := yaml.MapSlice{{Key: "kind", Value: string(e.Kind)}, {Key: "name", Value: e.Name}}
	text, err := yaml.MarshalWithOptions(append(head, sorted(members)...), yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "%s cannot be written as YAML", e.Ref)
	}
	files[folder+".yaml"] = text
	return files, nil
}

// sorted is an object with its members by name, so that the same definition always gives the same file.
func sorted(members map[string]any) yaml.MapSlice {
	items := yaml.MapSlice{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		items = append(items, yaml.MapItem{Key: name, Value: plainYAML(members[name])})
	}
	return items
}

// plainYAML makes of a JSON value what the YAML writer puts down so that it reads back the same.
func plainYAML(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return sorted(v)
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = plainYAML(v[i])
		}
		return items
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
	case string:
		if strings.Contains(v, "\n") && !asBlock.MatchString(v) {
			return quoted(v)
		}
	}
	return value
}

// asBlock matches the texts of several lines that a YAML block holds without doubt: no white space that could be taken for
// indentation or fall off the end.
var asBlock = regexp.MustCompile(`^[^\s\x00-\x1f](?:[^\x00-\x09\x0b-\x1f\x7f-\x{9f}\x{2028}\x{2029}\x{feff}]*[^\s\x00-\x1f])?\n?$`)

// quoted is a text that is written in double quotes, as in JSON, which YAML reads too.
type quoted string

// MarshalYAML gives the text as JSON.
func (q quoted) MarshalYAML() ([]byte, error) { return marshal(string(q)) }
