package match

import (
	"bytes"
	"slices"
)

// A comparison looks at one or more fields of two records and grades what it sees.
type comparison struct {
	label string
	// shared says that people of one household agree here as often as a person does with themselves.
	shared bool
	// lasting says that it is of what a person keeps for life: in more than half of the pairs of one person it cannot
	// differ. It is what tells the class of one person from that of a household, whichever has more pairs.
	lasting bool
	// fields are those that it looks at; blocking on one of them, it learns nothing from that rule.
	fields []int
	// levels run from 0, different, upwards; the last is the best.
	levels []level
	// values tells for each level in which field both agree on one value there, which may be rare or common; -1 for none.
	values []int
	grade  func(r *Records, a, b uint32) grade
}

// agreeing makes the values of a comparison: of so many levels, the last agrees in the value of the field.
func agreeing(levels, field int) []int {
	values := make([]int, levels)
	for l := range values {
		values[l] = -1
	}
	values[levels-1] = field
	return values
}

// level is one outcome of a comparison.
type level struct {
	words string
	// expected is how often records of one person end here, before anything was learnt.
	expected float64
}

// grade is the outcome for one pair.
type grade struct {
	level int    // missing where one side has no value
	value uint32 // that both agree on: its number in the field that comparison.values tells; 0 for none
}

const missing = -1

var unknown = grade{level: missing}

// comparisons lists what can be compared in records with these fields.
func comparisons(r *Records) []*comparison {
	var all []*comparison
	at := func(kind Kind) int { return r.field(kind) }
	given, surname := at(GivenName), at(Surname)
	postal := place{at(Postcode), at(City), at(Region), at(Country)}
	line := address{at(HouseNumber), at(Street)}
	for f, field := range r.fields {
		c := &comparison{label: field.label(), fields: []int{f}}
		switch field.Kind {
		case GivenName:
			c.levels, c.grade = nameLevels, names{given, surname, true}.given
			c.lasting = true
			c.values = agreeing(len(nameLevels), f)
			if surname >= 0 {
				c.values = append(c.values, -1)
				c.levels = append(slices.Clone(nameLevels), level{"is exchanged with the surname", 0.02})
			}
		case Surname:
			c.levels, c.grade, c.shared = nameLevels, names{given, surname, given >= 0}.surname, true
		case Email:
			c.levels, c.grade = emailLevels, mail{f, given, surname}.grade
		case Phone:
			c.levels, c.grade, c.shared = phoneLevels, best(f, phoneScale), true
		case Date:
			c.levels, c.grade = dateLevels, best(f, dateScale)
			c.lasting = true
		case Identifier:
			c.levels, c.grade = identifierLevels, best(f, identifierScale)
		case Category:
			c.levels, c.grade = categoryLevels, best(f, categoryScale)
		case Text:
			c.levels, c.grade, c.shared = nameLevels, best(f, nameScale), true
		case Device:
			c.levels, c.grade, c.shared = deviceLevels, gradeDevice(f), true
		case Street, HouseNumber:
			if f != max(line.street, line.number) {
				continue // both are one comparison
			}
			c.label, c.levels, c.grade, c.shared = "street", streetLevels, line.grade, true
			c.values = line.values()
			c.fields = present(line.number, line.street)
		case Postcode, City, Region, Country:
			if f != max(postal.code, postal.city, postal.region, postal.country) {
				continue
			}
			c.label, c.levels, c.grade, c.shared = "place", placeLevels, postal.grade, true
			c.values = postal.values()
			c.fields = present(postal.code, postal.city, postal.region, postal.country)
		}
		if c.values == nil {
			c.values = agreeing(len(c.levels), f)
		}
		all = append(all, c)
	}
	return all
}

func present(fields ...int) []int {
	return slices.DeleteFunc(fields, func(f int) bool { return f < 0 })
}

// scale grades values: equal ones at once, different ones by looking at them.
type scale struct {
	equal  int
	differ func(a, b []byte) int
}

// best grades the values of one field: the best of all pairs where one side has several.
func best(field int, by scale) func(*Records, uint32, uint32) grade {
	return func(r *Records, a, b uint32) grade { return bestOf(r, field, a, b, by) }
}

func bestOf(r *Records, field int, a, b uint32, by scale) grade {
	left, right := r.of(a, field), r.of(b, field)
	if len(left) == 0 || len(right) == 0 {
		return unknown
	}
	column := r.columns[field]
	if len(left) == 1 && len(right) == 1 && left[0] != right[0] {
		return grade{level: by.differ(column.value(left[0]), column.value(right[0]))}
	}
	found := grade{level: missing}
	for _, x := range left {
		for _, y := range right {
			switch {
			case x == y && (found.value == 0 || column.counts[x] < column.counts[found.value]):
				found = grade{by.equal, x}
			case x != y && found.value == 0:
				found.level = max(found.level, by.differ(column.value(x), column.value(y)))
			}
		}
	}
	return found
}

var identifierLevels = []level{{"differs", 0.15}, {"differs in one character", 0.1}, {"is the same", 0.75}}

var identifierScale = scale{2, func(a, b []byte) int {
	switch {
	case len(a) >= 5 && within(a, b, 1):
		return 1
	}
	return 0
}}

var categoryLevels = []level{{"differs", 0.1}, {"is the same", 0.9}}

var categoryScale = scale{1, func(_, _ []byte) int { return 0 }}

var deviceLevels = []level{{"", 0.5}, {"was shared", 0.5}}

// gradeDevice finds a common device. Everybody has several, so to have none in common says nothing.
func gradeDevice(field int) func(*Records, uint32, uint32) grade {
	return func(r *Records, a, b uint32) grade {
		if g := bestOf(r, field, a, b, categoryScale); g.level == 1 {
			return g
		}
		return unknown
	}
}

var phoneLevels = []level{
	{"differs", 0.25}, {"differs in one digit", 0.08}, {"is the same, once without the area or country", 0.07}, {"is the same", 0.6},
}

var phoneScale = scale{3, func(a, b []byte) int {
	switch {
	case min(len(a), len(b)) >= 7 && (bytes.HasSuffix(a, b) || bytes.HasSuffix(b, a)):
		return 2
	case min(len(a), len(b)) >= 7 && within(a, b, 1):
		return 1
	}
	return 0
}}

var dateScale = scale{5, differentDates}

var dateLevels = []level{
	{"differs", 0.06},
	{"lies less than a year away", 0.03},
	{"agrees in two of day, month and year", 0.04},
	{"differs in one digit or by a year", 0.09},
	{"has day and month exchanged", 0.03},
	{"is the same", 0.75},
}

func differentDates(a, b []byte) int {
	sameYear, sameMonth, sameDay := bytes.Equal(a[:4], b[:4]), bytes.Equal(a[4:6], b[4:6]), bytes.Equal(a[6:], b[6:])
	switch years := number(a[:4]) - number(b[:4]); {
	case sameYear && bytes.Equal(a[4:6], b[6:]) && bytes.Equal(a[6:], b[4:6]):
		return 4
	case within(a, b, 1) && oneChange(a, b), sameMonth && sameDay && max(years, -years) == 1:
		return 3
	case sameYear && sameMonth, sameYear && sameDay, sameMonth && sameDay:
		return 2
	}
	if apart := days(a) - days(b); max(apart, -apart) < 365 {
		return 1
	}
	return 0
}

// days numbers days, months all counted as long ones.
func days(date []byte) int { return 372*number(date[:4]) + 31*number(date[4:6]) + number(date[6:]) }

func number(digits []byte) (n int) {
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n
}

// oneChange reports whether two texts of one length differ in one place or in two neighbours.
func oneChange(a, b []byte) bool {
	first, last := -1, -1
	for i := range a {
		if a[i] != b[i] {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return last-first <= 1
}
