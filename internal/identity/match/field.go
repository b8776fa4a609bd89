package match

import (
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Kind is how the values of a field are normalised and compared.
type Kind string

// The kinds. Of those marked (one), a set of records has at most one field.
const (
	GivenName   Kind = "given_name"   // (one) also finds names that were exchanged with the surname
	Surname     Kind = "surname"      // (one)
	Email       Kind = "email"        // (one)
	Phone       Kind = "phone"        // (one)
	Date        Kind = "date"         // of birth, as a rule
	HouseNumber Kind = "house_number" // (one) where it stands apart from the street
	Street      Kind = "street"       // (one)
	Postcode    Kind = "postcode"     // (one)
	City        Kind = "city"         // (one)
	Region      Kind = "region"       // (one) state or province
	Country     Kind = "country"      // (one)
	Device      Kind = "device"       // (one) identifiers of browsers and devices: sharing one speaks for, sharing none says nothing
	Identifier  Kind = "identifier"   // a number that one person has: loyalty card, tax number
	Text        Kind = "text"         // a few words
	Category    Kind = "category"     // one of a few values, compared exactly
)

// several lists the kinds of which there may be more than one field.
var several = map[Kind]bool{Date: true, Identifier: true, Text: true, Category: true}

var kinds = map[Kind]bool{
	GivenName: true, Surname: true, Email: true, Phone: true, Date: true, HouseNumber: true, Street: true, Postcode: true,
	City: true, Region: true, Country: true, Device: true, Identifier: true, Text: true, Category: true,
}

// Field is one column of the records.
type Field struct {
	// Name is the trait, or the identifier type, as the reader knows it; evidence speaks of Label, or of Name without one.
	Name  string `json:"name"`
	Label string `json:"label,omitempty"`
	Kind  Kind   `json:"kind"`
}

func (f Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Name
}

// maxFields keeps the levels of a pair within one machine word.
const maxFields = 16

// checkFields reports the first field that cannot be.
func checkFields(fields []Field) error {
	if len(fields) == 0 || len(fields) > maxFields {
		return fault.Field("fields", "give 1 to %d fields to compare, not %d", maxFields, len(fields))
	}
	seen, names := map[Kind]bool{}, map[string]bool{}
	for _, f := range fields {
		switch {
		case f.Name == "":
			return fault.Field("fields", "a field needs a name")
		case !kinds[f.Kind]:
			return fault.Field("fields", "field %q: there is no kind %q", f.Name, f.Kind)
		case names[f.Name]:
			return fault.Field("fields", "field %q is there twice", f.Name)
		case seen[f.Kind] && !several[f.Kind]:
			return fault.Field("fields", "field %q: one field of kind %q is enough", f.Name, f.Kind)
		}
		seen[f.Kind], names[f.Name] = true, true
	}
	return nil
}
