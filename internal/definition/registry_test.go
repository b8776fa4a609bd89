package definition_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

type segmentSpec struct {
	Condition   string `json:"condition"`
	Description string `json:"description"`
}

type campaignSpec struct {
	Segment  string `json:"segment"`
	Template string `json:"template"`
	Window   string `json:"window"`
}

// shop is a registry over a real store, with rules like those of the program.
type shop struct {
	*definition.Registry
	reloads []int // definitions at each call of OnChange
	now     time.Time
}

func open(t *testing.T) *shop {
	t.Helper()
	db, err := store.Open(context.Background(), t.TempDir(), store.OnPostgres(storetest.Database(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &shop{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.Registry = definition.New(definition.Config{
		Store: db,
		Now:   func() time.Time { s.now = s.now.Add(time.Hour); return s.now },
		OnChange: func(_ context.Context, all definition.Set) error {
			s.reloads = append(s.reloads, all.Len())
			return nil
		},
		Rules: map[definition.Kind]definition.Rules{
			definition.Segment: {
				Normalise: func(_ string, spec json.RawMessage) (json.RawMessage, error) {
					v, err := definition.Decode[segmentSpec](spec)
					if err == nil && v.Condition == "" {
						err = fault.Field("condition", "is empty")
					}
					out, _ := json.Marshal(v)
					return out, err
				},
				Check: func(_ context.Context, _ string, spec json.RawMessage, _ definition.Set) error {
					if strings.Contains(string(spec), "(((") {
						return &fault.Error{Code: fault.Invalid, Field: "condition", Line: 1, Column: 3, Message: "unbalanced"}
					}
					return nil
				},
			},
			definition.Campaign: {
				Normalise: func(_ string, spec json.RawMessage) (json.RawMessage, error) {
					v, err := definition.Decode[campaignSpec](spec)
					if v.Window == "" {
						v.Window = "5d"
					}
					out, _ := json.Marshal(v)
					return out, err
				},
				Uses: func(spec json.RawMessage) []definition.Use {
					v, _ := definition.Decode[campaignSpec](spec)
					return []definition.Use{
						{Ref: definition.Ref{Kind: definition.Segment, Name: v.Segment}, Field: "segment"},
						{Ref: definition.Ref{Kind: definition.Template, Name: v.Template}, Field: "template"},
					}
				},
				Allow: func(_ context.Context, _ definition.Action, name string) error {
					if name == "running" {
						return fault.New(fault.Conflict, "campaign %q is being sent", name)
					}
					return nil
				},
			},
		},
	})
	return s
}

func entry(kind definition.Kind, name, spec string) definition.Entry {
	return definition.Entry{Ref: definition.Ref{Kind: kind, Name: name}, Spec: json.RawMessage(spec)}
}

func (s *shop) put(t *testing.T, e definition.Entry) definition.Definition {
	t.Helper()
	d, err := s.Put(context.Background(), e.Kind, e.Name, e.Spec, "ada")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheSameSpecIsTheSameVersion(t *testing.T) {
	s, ctx := open(t), context.Background()
	first := s.put(t, entry(definition.Segment, "vip", `{"condition":"a > 1"}`))
	same := s.put(t, entry(definition.Segment, "vip", `{ "description":"", "condition" : "a > 1" }`))
	if first.Version != 1 || same.Version != 1 || len(s.reloads) != 1 {
		t.Fatalf("versions %d, %d; reloads %v", first.Version, same.Version, s.reloads)
	}
	second := s.put(t, entry(definition.Segment, "vip", `{"condition":"a > 2 && b < 3"}`))
	if second.Version != 2 || !second.CreatedAt.Equal(first.CreatedAt) || !second.UpdatedAt.After(first.UpdatedAt) || second.UpdatedBy != "ada" {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	if !strings.Contains(string(second.Spec), "a > 2 && b < 3") {
		t.Errorf("the spec is not kept readable: %s", second.Spec)
	}
	if err := s.Delete(ctx, definition.Segment, "vip", "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, definition.Segment, "vip"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("after deletion: %v", err)
	}
	again := s.put(t, entry(definition.Segment, "vip", `{"condition":"a > 1"}`))
	versions, err := s.Versions(ctx, definition.Segment, "vip")
	if err != nil || len(versions) != 4 || again.Version != 4 {
		t.Fatalf("history %v, %v", versions, err)
	}
	if versions[1].Spec != nil || versions[1].By != "bob" || versions[0].Version != 4 || !again.CreatedAt.Equal(again.UpdatedAt) {
		t.Errorf("history %+v of %+v", versions, again)
	}
	if !reflect.DeepEqual(s.reloads, []int{1, 1, 0, 1}) {
		t.Errorf("reloads %v", s.reloads)
	}
}

func TestBadInputNamesItsField(t *testing.T) {
	s, ctx := open(t), context.Background()
	cases := []struct {
		entry definition.Entry
		field string
	}{
		{entry(definition.Segment, "Big Spenders", `{"condition":"x"}`), "name"},
		{entry(definition.Segment, "", `{"condition":"x"}`), "name"},
		{entry(definition.Segment, strings.Repeat("x", 65), `{"condition":"x"}`), "name"},
		{entry("journey", "x", `{}`), "kind"},
		{entry(definition.Segment, "x", `[]`), ""},
		{entry(definition.Segment, "x", `{`), ""},
		{entry(definition.Segment, "x", `{}`), "condition"},
		{entry(definition.Segment, "x", `{"condition":1}`), "condition"},
		{entry(definition.Segment, "x", `{"condition":"x","colour":"red"}`), "colour"},
		{entry(definition.Segment, "x", `{"condition":"((("}`), "condition"},
		{entry(definition.Campaign, "x", `{"segment":"nobody","template":"none"}`), "segment"},
	}
	for _, c := range cases {
		_, err := s.Put(ctx, c.entry.Kind, c.entry.Name, c.entry.Spec, "ada")
		all := fault.All(err)
		if len(all) == 0 || all[0].Code != fault.Invalid || all[0].Field != c.field {
			t.Errorf("%s %s: %v, want field %q", c.entry.Ref, c.entry.Spec, err, c.field)
		}
	}
	if len(s.reloads) != 0 {
		t.Error("something changed")
	}
}

func TestWhatIsUsedStays(t *testing.T) {
	s, ctx := open(t), context.Background()
	s.put(t, entry(definition.Segment, "vip", `{"condition":"x"}`))
	s.put(t, entry(definition.Template, "hello", `{}`))
	s.put(t, entry(definition.Campaign, "spring", `{"segment":"vip","template":"hello"}`))
	s.put(t, entry(definition.Campaign, "running", `{"segment":"vip","template":"hello"}`))
	err := s.Delete(ctx, definition.Segment, "vip", "ada")
	if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), `"spring"`) || !strings.Contains(err.Error(), `"running"`) {
		t.Errorf("deleting a used segment: %v", err)
	}
	same, other := entry(definition.Campaign, "running", `{"template":"hello", "segment":"vip"}`), entry(definition.Campaign, "running", `{"segment":"vip","template":"hello","window":"9d"}`)
	if s.put(t, same).Version != 1 {
		t.Error("the same running campaign is another version")
	}
	if _, err := s.Put(ctx, other.Kind, other.Name, other.Spec, "ada"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("changing a running campaign: %v", err)
	}
	if changes, err := s.Apply(ctx, []definition.Entry{same}, definition.Options{}); err != nil || changes[0].Action != definition.Unchanged {
		t.Errorf("applying the same running campaign: %v %v", changes, err)
	}
	if _, err := s.Apply(ctx, []definition.Entry{other}, definition.Options{DryRun: true}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("applying another running campaign: %v", err)
	}
	if err := s.Delete(ctx, definition.Campaign, "running", "ada"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("deleting a running campaign: %v", err)
	}
	if err := s.Delete(ctx, definition.Segment, "nobody", "ada"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("deleting nothing: %v", err)
	}
	if _, err := s.Versions(ctx, definition.Segment, "nobody"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("history of nothing: %v", err)
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	s, ctx := open(t), context.Background()
	s.put(t, entry(definition.Segment, "old", `{"condition":"o"}`))
	s.put(t, entry(definition.Segment, "vip", `{"condition":"a"}`))
	files := []definition.Entry{
		entry(definition.Campaign, "spring", `{"segment":"vip","template":"hello"}`), // before what it uses
		entry(definition.Template, "hello", `{}`),
		entry(definition.Segment, "vip", `{"condition":"b"}`),
	}
	broken := append([]definition.Entry{
		entry(definition.Segment, "vip2", `{"condition":""}`), entry(definition.Segment, "vip2", `{"condition":"x"}`),
		entry(definition.Segment, "vip2", `{"condition":"x"}`),
	}, files...)
	_, err := s.Apply(ctx, broken, definition.Options{By: "ada"})
	var fields []string
	for _, f := range fault.All(err) {
		fields = append(fields, f.Field)
	}
	if want := []string{"segment[vip2].condition", "segment[vip2].name"}; !reflect.DeepEqual(fields, want) {
		t.Fatalf("faults of %v: %v, want %v", err, fields, want)
	}
	before := len(s.reloads)
	for _, dry := range []bool{true, false} {
		changes, err := s.Apply(ctx, files, definition.Options{By: "ada", DryRun: dry, Prune: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range changes {
			line := fmt.Sprintf("%s %s", c.Action, c.Ref)
			for _, f := range c.Fields {
				line += fmt.Sprintf(" %s:%s→%s", f.Name, f.Old, f.New)
			}
			got = append(got, line)
		}
		want := []string{
			`delete segment "old" condition:"o"→ description:""→`,
			`update segment "vip" condition:"a"→"b"`,
			`create template "hello"`,
			`create campaign "spring" segment:→"vip" template:→"hello" window:→"5d"`,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("dry run %v:\n got %q\nwant %q", dry, got, want)
		}
		if changed := len(s.reloads) != before; changed == dry {
			t.Errorf("dry run %v: changed %v", dry, changed)
		}
	}
	again, err := s.Apply(ctx, files, definition.Options{By: "ada", Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range again {
		if c.Action != definition.Unchanged {
			t.Errorf("applied twice: %+v", c)
		}
	}
	// Pruning what a kept campaign uses fails, and names it.
	_, err = s.Apply(ctx, files[:2], definition.Options{Prune: true})
	if fault.CodeOf(fault.All(err)[0]) != fault.Conflict || !strings.Contains(err.Error(), "spring") {
		t.Errorf("pruned what is used: %v", err)
	}
}

func TestNestedFieldsAreComparedOneByOne(t *testing.T) {
	s, ctx := open(t), context.Background()
	s.put(t, entry(definition.Template, "t", `{"utm":{"source":"a","medium":"email"},"n":1.50}`))
	changes, err := s.Apply(ctx, []definition.Entry{entry(definition.Template, "t", `{"n":1.50,"utm":{"medium":"email","source":"b"}}`)},
		definition.Options{DryRun: true})
	if err != nil || len(changes) != 1 || len(changes[0].Fields) != 1 || changes[0].Fields[0].Name != "utm.source" {
		t.Fatalf("%+v, %v", changes, err)
	}
}

func TestAFailingReloadIsReportedAndTheChangeStands(t *testing.T) {
	db, err := store.Open(context.Background(), t.TempDir(), store.OnPostgres(storetest.Database(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	boom := errors.New("boom")
	r := definition.New(definition.Config{
		Store: db, Now: time.Now, OnChange: func(context.Context, definition.Set) error { return boom },
	})
	if _, err := r.Put(context.Background(), definition.Trait, "x", json.RawMessage(`{}`), "ada"); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Get(context.Background(), definition.Trait, "x"); err != nil {
		t.Error(err)
	}
}
