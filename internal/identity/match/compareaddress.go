package match

import "bytes"

var streetLevels = []level{
	{"differs", 0.12},
	{"has the same house number", 0.05},
	{"is similar", 0.05},
	{"is the same with another or no house number", 0.1},
	{"is similar, the house number the same", 0.13},
	{"and house number are the same", 0.55},
}

// address compares house number and street. The fields are -1 where there is none.
type address struct{ number, street int }

func (l address) values() []int {
	if l.street < 0 {
		return []int{-1, l.number, -1, -1, -1, -1}
	}
	return []int{-1, -1, -1, l.street, -1, l.street}
}

func (l address) grade(r *Records, a, b uint32) grade {
	if l.street < 0 {
		g := bestOf(r, l.number, a, b, categoryScale)
		if g.level == 1 {
			return g
		}
		return grade{level: min(g.level, 0)}
	}
	numberA, numberB := r.first(a, l.number), r.first(b, l.number)
	sameNumber := numberA != nil && bytes.Equal(numberA, numberB)
	g := bestOf(r, l.street, a, b, streetScale)
	switch {
	case g.level == missing:
		return unknown
	case g.level == 2 && (sameNumber || numberA == nil && numberB == nil):
		g.level = 5
	case g.level == 2:
		g.level = 3
	case g.level == 1 && sameNumber:
		g.level = 4
	case g.level == 1:
		g.level = 2
	case sameNumber:
		g.level = 1
	}
	return g
}

// streetScale says 2 for the same street, 1 for a similar one.
var streetScale = scale{2, func(a, b []byte) int {
	if min(len(a), len(b)) >= 8 && within(a, b, 2) || similarity(a, b) >= 0.9 || sameWords(a, b) {
		return 1
	}
	return 0
}}

// sameWords reports whether at least two thirds of the words of both texts are in both; the words of one run together
// count too.
func sameWords(a, b []byte) bool {
	var common, all int
	for part := range bytes.FieldsSeq(a) {
		all++
		for other := range bytes.FieldsSeq(b) {
			if bytes.Equal(part, other) {
				common += 2
				break
			}
		}
	}
	for range bytes.FieldsSeq(b) {
		all++
	}
	return all > 0 && 3*common >= 2*all
}

var placeLevels = []level{
	{"differs", 0.08},
	{"is in the same state", 0.07},
	{"is the same town by name or nearly", 0.12},
	{"has nearly the same postcode and town", 0.08},
	{"has the same postcode", 0.1},
	{"has the same postcode and town", 0.55},
}

// place compares postcode, town, state and country together: who has the first has the others anyway. The fields are -1
// where there is none.
type place struct{ code, city, region, country int }

func (p place) values() []int { return []int{-1, p.region, p.city, -1, p.code, p.code} }

func (p place) grade(r *Records, a, b uint32) grade {
	code, city := bestOf(r, p.code, a, b, codeScale), bestOf(r, p.city, a, b, nameScale)
	switch sameCity := city.level >= 3; {
	case p.code >= 0 && code.level == 2 && (sameCity || p.city < 0):
		code.level = 5
		return code
	case code.level == 2:
		code.level = 4
		return code
	case code.level == 1 && sameCity:
		return grade{level: 3}
	case sameCity:
		city.level = 2
		return city
	}
	region := bestOf(r, p.region, a, b, categoryScale)
	country := bestOf(r, p.country, a, b, categoryScale)
	switch {
	case code.level == missing && city.level == missing && region.level == missing && country.level == missing:
		return unknown
	case region.level == 1 && country.level != 0:
		region.level = 1
		return region
	case region.level == missing && country.level == 1 && code.level == missing && city.level == missing:
		return unknown // a country alone says next to nothing
	}
	return grade{level: 0}
}

// codeScale says 2 for the same postcode, 1 for one that a slip of the finger makes.
var codeScale = scale{2, func(a, b []byte) int {
	if min(len(a), len(b)) >= 4 && within(a, b, 1) {
		return 1
	}
	return 0
}}
