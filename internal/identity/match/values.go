package match

import (
	"slices"
	"strings"
)

// Values reads the values of a profile for Records.Add, in the order of the sources.
func Values(sources []Source, p Profile) [][]string {
	all := make([][]string, len(sources))
	house, road := -1, -1
	for i, s := range sources {
		switch s.Kind {
		case HouseNumber:
			house = i
		case Street:
			road = i
		}
		for _, path := range s.Traits {
			if len(all[i]) > 0 && !manyValued(s.Kind) {
				break
			}
			all[i] = append(all[i], s.read(path, p.Traits)...)
		}
		for _, kind := range s.Identifiers {
			all[i] = append(all[i], p.Identifiers[kind]...)
		}
	}
	if road >= 0 && house >= 0 && len(all[road]) > 0 {
		number, name := splitStreet(all[road][0])
		if len(all[house]) == 0 && number != "" {
			all[house] = []string{number}
		}
		all[road] = []string{name}
	}
	return all
}

// manyValued tells of which kinds all values of a profile count, not the first alone.
func manyValued(kind Kind) bool {
	return kind == Email || kind == Phone || kind == Device || kind == Identifier
}

func (s Source) read(path string, traits map[string]any) []string {
	path, whole := strings.CutPrefix(path, wholeName)
	value := any(nil)
	if outer, inner, nested := strings.Cut(path, "."); nested {
		if object, ok := traits[outer].(map[string]any); ok {
			value = object[inner]
		}
	} else {
		value = traits[path]
	}
	if value == nil && strings.Contains(path, ".") {
		value = traits[path] // a name with a dot in it
	}
	values := text(value)
	if whole && len(values) > 0 {
		given, surname := splitName(values[0])
		if s.Kind == Surname {
			given = surname
		}
		values = slices.DeleteFunc([]string{given}, func(s string) bool { return s == "" })
	}
	return values
}

// splitName takes a whole name apart: "Ada Lovelace", "Lovelace, Ada". The last word is the surname, with the small words
// before it: "Ludwig van Beethoven". One word alone is a given name.
func splitName(name string) (given, surname string) {
	if before, after, comma := strings.Cut(name, ","); comma {
		return strings.TrimSpace(after), strings.TrimSpace(before)
	}
	parts := strings.Fields(name)
	if len(parts) < 2 {
		return strings.TrimSpace(name), ""
	}
	from := len(parts) - 1
	for from > 1 && particles[strings.ToLower(parts[from-1])] {
		from--
	}
	return strings.Join(parts[:from], " "), strings.Join(parts[from:], " ")
}

var particles = map[string]bool{
	"van": true, "von": true, "der": true, "den": true, "de": true, "del": true, "da": true, "di": true, "la": true, "le": true,
	"bin": true, "al": true, "ter": true, "zu": true, "dos": true,
}

// splitStreet takes the house number from the beginning or the end of a street.
func splitStreet(line string) (number, name string) {
	line = strings.TrimSpace(strings.ReplaceAll(line, "\n", ", "))
	parts := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == ',' })
	n := len(parts)
	switch {
	case n < 2:
		return "", line
	case startsWithDigit(parts[0]) && !startsWithDigit(parts[1]):
		return parts[0], strings.Join(parts[1:], " ")
	case startsWithDigit(parts[n-1]):
		return parts[n-1], strings.Join(parts[:n-1], " ")
	}
	return "", line
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
