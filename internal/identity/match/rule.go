package match

import (
	"bytes"
	"slices"
	"strings"
)

// rule is one way of saying which records are worth comparing: those that share a key.
type rule struct {
	name   string
	fields []int // that the keys are made of, or that the keys tell of: who shares them agrees there too
	keys   func(r *Records, record uint32, into []uint64) []uint64
}

// signal is a part of a key: something that two records of one person probably have in common. It appends what it finds
// in a record, nothing where the field is empty.
type signal struct {
	name  string
	field int
	read  func(value []byte) (uint64, bool)
}

func exact(value []byte) (uint64, bool) { return hash(value), true }

// signals of the fields, by what they are for.
type signals struct {
	given, surname, birth, month, day, code, city, street, number, mailbox []signal
	strong                                                                 []signal
}

func signalsOf(fields []Field) (s signals) {
	for f, field := range fields {
		whole := signal{field.label(), f, exact}
		sound := signal{field.label() + " sounds alike", f, func(v []byte) (uint64, bool) { return soundex(v), true }}
		switch field.Kind {
		case GivenName:
			s.given = append(s.given, sound)
		case Surname:
			s.surname = append(s.surname, sound)
		case Email:
			s.strong = append(s.strong, whole)
			s.mailbox = append(s.mailbox, signal{"mailbox name", f, func(v []byte) (uint64, bool) {
				l := local(v)
				return hash(l), len(l) >= 4
			}}, signal{"letters of the mailbox name", f, func(v []byte) (uint64, bool) { return consonants(local(v)) }})
		case Phone:
			s.strong = append(s.strong, signal{"last digits of " + field.label(), f, func(v []byte) (uint64, bool) {
				return hash(v[max(0, len(v)-7):]), len(v) >= 7
			}})
		case Date:
			s.strong = append(s.strong, whole)
			s.birth = append(s.birth, signal{"year of " + field.label(), f, func(v []byte) (uint64, bool) { return hash(v[:4]), true }})
			s.month = append(s.month, signal{"year and month of " + field.label(), f, func(v []byte) (uint64, bool) { return hash(v[:6]), true }})
			s.day = append(s.day, signal{"day and month of " + field.label(), f, func(v []byte) (uint64, bool) {
				day, month := hash(v[6:8]), hash(v[4:6])
				return both(min(day, month), max(day, month)), true
			}})
		case Identifier, Device:
			s.strong = append(s.strong, whole)
		case Postcode:
			s.code = append(s.code, whole)
		case City:
			s.city = append(s.city, sound)
		case Street:
			s.street = append(s.street, whole, signal{field.label() + " sounds alike", f, func(v []byte) (uint64, bool) { return soundex(v), true }})
		case HouseNumber:
			s.number = append(s.number, whole)
		case Text:
			if len(s.street) == 0 {
				s.street = append(s.street, whole)
			}
		}
	}
	return s
}

// consonants joins the sorted, distinct consonants of a mailbox name, which survive most slips of the finger.
func consonants(s []byte) (uint64, bool) {
	var kept []byte
	for _, c := range s {
		if c >= 'a' && c <= 'z' && !strings.ContainsRune("aeiouy", rune(c)) && !slices.Contains(kept, c) {
			kept = append(kept, c)
		}
	}
	slices.Sort(kept)
	return hash(kept), len(kept) >= 3
}

// rules gives the blocking rules for records with these fields. Each pair of true records should be found by several:
// any one may be defeated by a slip in its fields.
func rules(fields []Field) []rule {
	s := signalsOf(fields)
	var all []rule
	for _, one := range s.strong {
		all = append(all, single(one))
	}
	for _, one := range s.mailbox {
		r := single(one)
		for f, field := range fields {
			if field.Kind == GivenName || field.Kind == Surname {
				r.fields = append(r.fields, f) // people put their names into their addresses
			}
		}
		all = append(all, r)
	}
	all = append(all, exchangeable(s.given, s.surname)...)
	for _, with := range [][2][]signal{
		{s.surname, s.month},
		{s.given, s.month},
		{s.given, s.day},
		{s.surname, s.day},
		{s.surname, s.code},
		{s.given, s.code},
		{s.code, s.day},
		{s.code, s.birth},
		{s.street, s.code},
		{s.street, s.number},
		{s.street, s.surname},
		{s.street, s.given},
		{s.surname, s.city},
		{s.given, s.city},
		{s.code, s.number},
		{s.birth, s.city},
	} {
		all = append(all, crossings(with[0], with[1])...)
	}
	return all[:min(len(all), maxRules)]
}

// maxRules bounds the memory of the index: about eight bytes a rule and record.
const maxRules = 28

func single(s signal) rule {
	return rule{s.name, []int{s.field}, func(r *Records, record uint32, into []uint64) []uint64 {
		for _, v := range r.of(record, s.field) {
			if key, ok := s.read(r.columns[s.field].value(v)); ok {
				into = append(into, key)
			}
		}
		return into
	}}
}

func crossings(left, right []signal) (all []rule) {
	for _, a := range left {
		for _, b := range right {
			all = append(all, rule{a.name + ", " + b.name, []int{a.field, b.field}, func(r *Records, record uint32, into []uint64) []uint64 {
				x, y := r.first(record, a.field), r.first(record, b.field)
				if x == nil || y == nil {
					return into
				}
				first, ok := a.read(x)
				second, also := b.read(y)
				if ok && also {
					into = append(into, both(first, second))
				}
				return into
			}})
		}
	}
	return all
}

// exchangeable blocks on two names in either order.
func exchangeable(given, surname []signal) (all []rule) {
	for _, a := range given {
		for _, b := range surname {
			all = append(all, rule{a.name + ", " + b.name + ", in either order", []int{a.field, b.field}, func(r *Records, record uint32, into []uint64) []uint64 {
				x, y := r.first(record, a.field), r.first(record, b.field)
				if x == nil || y == nil {
					return into
				}
				one, other := soundex(x), soundex(y)
				return append(into, both(min(one, other), max(one, other)))
			}})
		}
	}
	return all
}

// order compares two records by their names and what else is written out, so that alike ones stand near each other.
func order(r *Records, a, b uint32) int {
	for f, field := range r.fields {
		if field.Kind == Device || field.Kind == Category {
			continue
		}
		if c := bytes.Compare(r.first(a, f), r.first(b, f)); c != 0 {
			return c
		}
	}
	return int(a) - int(b)
}
