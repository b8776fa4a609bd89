package match

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func surveyOf(profiles ...Profile) *Survey {
	var s Survey
	for _, p := range profiles {
		s.Add(p)
	}
	return &s
}

// The traits are those of Segment's specification of identify.
func TestSegmentTraitsAreFound(t *testing.T) {
	p := Profile{
		Traits: map[string]any{
			"firstName": "Ada", "lastName": "Lovelace", "email": "ada@mail.example", "phone": "+442079460958", "birthday": "1815-12-10",
			"address": map[string]any{"street": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4JH", "state": "", "country": "UK"},
			"company": map[string]any{"name": "Analytical Engines", "id": "c1"}, "title": "Countess", "orders": 3.0, "loyaltyNumber": "L-77",
		},
		Identifiers: map[string][]string{"email": {"ada@post.example"}, "anonymous_id": {"b1", "b2"}, "user_id": {"u1"}, "loyalty_id": {"L-77"}},
	}
	sources, err := surveyOf(p).Sources(map[string]Kind{"title": Category, "identifier:loyalty_id": Ignored})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	values := Values(sources, p)
	for i, s := range sources {
		got[s.Name] = fmt.Sprint(s.Kind, values[i])
	}
	for name, want := range map[string]string{
		"given_name": "given_name[Ada]", "surname": "surname[Lovelace]", "email": "email[ada@mail.example ada@post.example]",
		"phone": "phone[+442079460958]", "birthday": "date[1815-12-10]", "street": "street[St James's Square]", "house_number": "house_number[12]",
		"city": "city[London]", "postcode": "postcode[SW1Y 4JH]", "country": "country[UK]", "device": "device[b1 b2]",
		"title": "category[Countess]", "loyaltyNumber": "identifier[L-77]",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("compared besides: %v", got)
	}
}

func TestWholeNamesAreTakenApart(t *testing.T) {
	for name, want := range map[string][2]string{
		"Ada Lovelace": {"Ada", "Lovelace"}, "Lovelace, Ada King": {"Ada King", "Lovelace"}, "Cher": {"Cher", ""},
		"Ludwig van Beethoven": {"Ludwig", "van Beethoven"},
	} {
		p := Profile{Traits: map[string]any{"name": name}}
		sources, _ := surveyOf(p).Sources(nil)
		values := Values(sources, p)
		var got [2]string
		for i, s := range sources {
			if len(values[i]) > 0 {
				got[slices.Index([]Kind{GivenName, Surname}, s.Kind)] = values[i][0]
			}
		}
		if got != want {
			t.Errorf("%q: got %q", name, got)
		}
	}
}

func TestAnUnknownKindIsRefusedByName(t *testing.T) {
	if _, err := surveyOf().Sources(map[string]Kind{"shoe": "size"}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	for _, fields := range [][]Field{nil, {{Name: "a", Kind: "size"}}, {{Name: "a", Kind: Email}, {Name: "b", Kind: Email}}, {{Kind: Email}}} {
		if _, err := NewRecords(fields); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%v: got %v", fields, err)
		}
	}
}
