// Package definition keeps everything that a person defines. One definition is one file: it has a kind, a name and a
// spec, is versioned, and is kept with its whole history. The web interface, the API and files edit the same objects.
package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Kind says what is defined.
type Kind string

// The kinds, in the order in which one may refer to those before it.
const (
	Trait    Kind = "trait"
	Segment  Kind = "segment"
	Template Kind = "template"
	Campaign Kind = "campaign"
	Source   Kind = "source"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Trait, Segment, Template, Campaign, Source} }

// MaxSpecBytes bounds one spec, as JSON.
const MaxSpecBytes = 1 << 20

// Ref names a definition.
type Ref struct {
	Kind Kind
	Name string
}

func (r Ref) String() string { return fmt.Sprintf("%s %q", r.Kind, r.Name) }

// Definition is the latest version of one definition.
type Definition struct {
	Ref
	Version   int
	Spec      json.RawMessage // a JSON object in canonical form
	CreatedAt time.Time       // of the first version since it last did not exist
	UpdatedAt time.Time       // of this version
	UpdatedBy string          // who wrote this version
}

// Version is one entry of a definition's history.
type Version struct {
	Version int
	Spec    json.RawMessage // nil where this version deleted the definition
	At      time.Time
	By      string
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CheckName gives an Invalid fault with Field "name" for a name that no definition may have.
func CheckName(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	return fault.Field("name",
		"is %q; use 1 to 64 lower-case letters, digits, - and _, beginning with a letter or digit, such as \"loyal-customers\"", clip(name))
}

// CheckKind gives an Invalid fault with Field "kind" for a kind that does not exist.
func CheckKind(kind Kind) error {
	for _, k := range Kinds() {
		if k == kind {
			return nil
		}
	}
	return fault.Field("kind", "is %q; it must be trait, segment, template, campaign or source", clip(string(kind)))
}

// Decode reads a spec into a T strictly: a member that T does not have, or one of the wrong type, gives an Invalid fault
// whose Field is the member's name.
func Decode[T any](spec json.RawMessage) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(spec))
	d.DisallowUnknownFields()
	err := d.Decode(&v)
	if err == nil {
		if _, extra := d.Token(); extra != io.EOF {
			return v, fault.Field("", "has something after the end of its JSON object")
		}
		return v, nil
	}
	return v, decodeFault[T](spec, err)
}

func decodeFault[T any](spec json.RawMessage, err error) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return fault.Field(t.Field, "must be %s, not %s", wanted(t.Type), article(t.Value))
	}
	// The standard decoder tells the name of an unknown member only in words, so that the members are compared here.
	var members map[string]json.RawMessage
	if json.Unmarshal(spec, &members) != nil {
		return fault.Field("", "is not a JSON object: %v", err)
	}
	for name, value := range members {
		probe, _ := json.Marshal(map[string]json.RawMessage{name: value})
		d := json.NewDecoder(bytes.NewReader(probe))
		d.DisallowUnknownFields()
		if one := new(T); d.Decode(one) != nil {
			return unknown(name, reflect.TypeFor[T]())
		}
	}
	return fault.Field("", "cannot be read: %v", err)
}

// unknown says which member was perhaps meant.
func unknown(name string, t reflect.Type) error {
	var known []string
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "-" {
			known = append(known, tag)
		}
	}
	if slices.Contains(known, name) {
		return fault.Field(name, "holds a member that is unknown")
	}
	// A word of which more than half is wrong was hardly meant.
	if near := fault.Nearest(name, known, len(name)/2); near != "" {
		return fault.Field(name, "is unknown; did you mean %s?", near)
	}
	return fault.Field(name, "is unknown; there are %s", strings.Join(known, ", "))
}

// wanted names a type as JSON has it.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return wanted(t.Elem())
	}
	return "a number"
}

func article(noun string) string {
	switch noun[0] {
	case 'a', 'e', 'i', 'o', 'u':
		return "an " + noun
	}
	return "a " + noun
}

// canonical writes a JSON object in one form: members sorted, no white space, numbers as they were.
func canonical(spec json.RawMessage) (json.RawMessage, error) {
	if len(spec) > MaxSpecBytes {
		return nil, fault.Field("", "has %d bytes; a definition may have at most %d", len(spec), MaxSpecBytes)
	}
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(spec))
	d.UseNumber()
	if err := d.Decode(&members); err != nil || members == nil {
		return nil, fault.Field("", "must be a JSON object")
	}
	return marshal(members)
}

// marshal is json.Marshal without the escapes that make mail templates unreadable.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a definition cannot be written")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
