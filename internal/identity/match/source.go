package match

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Profile is what a profile tells about a person.
type Profile struct {
	Traits      map[string]any // plain JSON
	Identifiers map[string][]string
}

// Source is a field, and where in a profile its values are.
type Source struct {
	Field
	// Traits are dotted paths: "address.city". Of an e-mail address, a phone, an identifier and a device all values count,
	// of the rest the first that is there.
	Traits []string `json:"traits,omitempty"`
	// Identifiers are identifier types.
	Identifiers []string `json:"identifiers,omitempty"`
}

// Fields are the fields of some sources.
func Fields(sources []Source) []Field {
	fields := make([]Field, len(sources))
	for i, s := range sources {
		fields[i] = s.Field
	}
	return fields
}

// Ignored instead of a kind keeps a trait or an identifier type out of the comparison.
const Ignored Kind = "ignored"

// FullName is a whole name in one trait. It is no field: it fills the given name and the surname where they are missing.
const FullName Kind = "full_name"

// labels are what evidence calls the fields of which there is one.
var labels = map[Kind]string{
	GivenName: "given name", Surname: "surname", Email: "e-mail address", Phone: "phone number", HouseNumber: "house number",
	Street: "street", Postcode: "postcode", City: "town", Region: "state", Country: "country", Device: "device",
}

// called lists the names, without case, spaces, dashes and underscores, under which traits are known.
var called = byName(map[Kind]string{
	GivenName:   "firstname givenname forename fname first christianname vorname prenom",
	Surname:     "lastname surname familyname lname last secondname nachname",
	FullName:    "name fullname displayname customername contactname",
	Email:       "email emailaddress mail emails",
	Phone:       "phone phonenumber phones mobile mobilephone mobilenumber cell cellphone telephone tel msisdn",
	Date:        "birthday birthdate dateofbirth dob birth",
	HouseNumber: "streetnumber housenumber houseno streetno",
	Street:      "street street1 streetaddress streetname address address1 addressline1 line1",
	Text:        "address2 addressline2 line2 street2",
	Postcode:    "postalcode postcode zip zipcode plz",
	City:        "city town suburb locality municipality",
	Region:      "state province region county",
	Country:     "country countrycode",
	Category:    "gender sex",
	Device:      "anonymousid deviceid advertisingid idfa idfv gaid",
	Ignored:     "id userid externalid groupid companyid",
})

func byName(names map[Kind]string) map[string]Kind {
	all := map[string]Kind{}
	for kind, list := range names {
		for name := range strings.FieldsSeq(list) {
			all[name] = kind
		}
	}
	return all
}

// ends are the last words of traits that number a person.
var ends = map[string]bool{"id": true, "number": true, "no": true, "nr": true, "ssn": true, "passport": true, "vat": true}

// Bounds of a survey.
const (
	surveyedPaths    = 1_000
	surveyedValues   = 20_000
	commonEnough     = 0.02 // the share of profiles that must have a trait
	distinctEnough   = 0.2  // the share of its values that must differ, for an identifier that only its name suggests
	mostIdentifiers  = 4
	identifierPrefix = "identifier:"
)

// Survey looks at profiles to see which traits can be compared. The zero value is ready.
type Survey struct {
	profiles int
	paths    map[string]*usage
}

type usage struct {
	profiles int
	values   map[uint64]bool
	counted  int
}

// Add looks at one profile.
func (s *Survey) Add(p Profile) {
	if s.paths == nil {
		s.paths = map[string]*usage{}
	}
	s.profiles++
	for name, value := range p.Traits {
		if nested, ok := value.(map[string]any); ok {
			for inner, value := range nested {
				s.see(name+"."+inner, text(value))
			}
			continue
		}
		s.see(name, text(value))
	}
	for kind, values := range p.Identifiers {
		s.see(identifierPrefix+kind, values)
	}
}

func (s *Survey) see(path string, values []string) {
	if len(values) == 0 {
		return
	}
	u := s.paths[path]
	if u == nil {
		if len(s.paths) >= surveyedPaths {
			return
		}
		u = &usage{values: map[uint64]bool{}}
		s.paths[path] = u
	}
	u.profiles++
	if u.counted < surveyedValues {
		u.counted++
		u.values[hashString(values[0])] = true
	}
}

// Sources suggests what to compare. overrides give the kind of a trait's path or, with "identifier:" before it, of an
// identifier type: one that is not known by its name, or Ignored. It returns an Invalid fault for a kind that is none.
func (s *Survey) Sources(overrides map[string]Kind) ([]Source, error) {
	for path, kind := range overrides {
		if !kinds[kind] && kind != Ignored && kind != FullName {
			return nil, fault.Field("fields", "field %q: there is no kind %q; use one of %s", path, kind, kindList())
		}
	}
	paths := slices.SortedFunc(maps.Keys(s.paths), func(a, b string) int {
		return cmp.Or(s.paths[b].profiles-s.paths[a].profiles, cmp.Compare(a, b))
	})
	named := map[string]*Source{}
	var order []string
	numbers := 0
	for _, path := range paths {
		kind, chosen := overrides[path]
		if !chosen {
			if kind = s.kindOf(path); kind == Identifier {
				if numbers++; numbers > mostIdentifiers {
					continue
				}
			}
		}
		if kind == "" || kind == Ignored || !chosen && float64(s.paths[path].profiles) < commonEnough*float64(s.profiles) {
			continue
		}
		name := string(kind)
		if several[kind] {
			name = last(path)
		}
		source := named[name]
		if source == nil {
			source = &Source{Field: Field{Name: name, Label: cmp.Or(labels[kind], readable(name)), Kind: kind}}
			named[name] = source
			order = append(order, name)
		}
		if kind, ok := strings.CutPrefix(path, identifierPrefix); ok {
			source.Identifiers = append(source.Identifiers, kind)
		} else {
			source.Traits = append(source.Traits, path)
		}
	}
	return complete(named, order), nil
}

// complete turns a full name into a source of the given name and of the surname, and lets the house number, which most
// write into the street, be a field of its own.
func complete(named map[string]*Source, order []string) (sources []Source) {
	need := func(kind Kind) *Source {
		name := string(kind)
		if named[name] == nil {
			named[name] = &Source{Field: Field{Name: name, Label: labels[kind], Kind: kind}}
			order = append(order, name)
		}
		return named[name]
	}
	if whole := named[string(FullName)]; whole != nil {
		for _, kind := range [...]Kind{GivenName, Surname} {
			s := need(kind)
			for _, path := range whole.Traits {
				s.Traits = append(s.Traits, wholeName+path)
			}
		}
	}
	if named[string(Street)] != nil {
		need(HouseNumber)
	}
	for _, name := range order {
		if name != string(FullName) {
			sources = append(sources, *named[name])
		}
	}
	return sources[:min(len(sources), maxFields)]
}

// wholeName marks the path of a trait that has a given name and a surname.
const wholeName = "part of "

func (s *Survey) kindOf(path string) Kind {
	name := last(path)
	squashed := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
	kind := called[squashed]
	if strings.Contains(path, ".") && !strings.Contains(strings.ToLower(path), "address") {
		return "" // company.name is nobody's name
	}
	if kind != "" {
		return kind
	}
	u := s.paths[path]
	split := strings.Fields(readable(name))
	if len(split) > 0 && ends[split[len(split)-1]] && float64(len(u.values)) >= distinctEnough*float64(u.counted) {
		return Identifier
	}
	return ""
}

func last(path string) string {
	path = strings.TrimPrefix(path, identifierPrefix)
	return path[strings.LastIndexByte(path, '.')+1:]
}

// readable makes words of a trait's name: "loyaltyNumber" and "loyalty_number" are both "loyalty number".
func readable(name string) string {
	var b strings.Builder
	previous := ' '
	for _, c := range name {
		switch {
		case c == '_' || c == '-' || c == '.':
			c = ' '
		case unicode.IsUpper(c) && unicode.IsLower(previous):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(c))
		previous = c
	}
	return b.String()
}

func kindList() string {
	names := make([]string, 0, len(kinds)+1)
	for k := range kinds {
		names = append(names, string(k))
	}
	names = append(names, string(FullName), string(Ignored))
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// text gives the values of a trait that is a text, a number, or a list of them.
func text(value any) []string {
	switch v := value.(type) {
	case string:
		if strings.TrimSpace(v) != "" {
			return []string{v}
		}
	case float64, int64, int:
		return []string{strings.TrimSuffix(fmt.Sprintf("%.6f", toFloat(v)), ".000000")}
	case []any:
		var all []string
		for _, one := range v[:min(len(v), maxValues)] {
			if s, ok := one.(string); ok && s != "" {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

func toFloat(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	}
	return 0
}
