package match

import "bytes"

var nameLevels = []level{
	{"differs", 0.08}, {"is a little similar", 0.05}, {"is similar", 0.07}, {"differs by one letter", 0.1}, {"is the same", 0.7},
}

// nameScale is for names, and other short texts.
var nameScale = scale{4, differentNames}

func differentNames(a, b []byte) int {
	if min(len(a), len(b)) <= 1 {
		if a[0] == b[0] {
			return 1 // an initial
		}
		return 0
	}
	if min(len(a), len(b)) >= 3 && within(a, b, 1) {
		return 3
	}
	s := similarity(a, b)
	switch {
	case s >= 0.88, isPart(a, b):
		return 2
	case s >= 0.75:
		return 1
	}
	return 0
}

// isPart reports whether the words of one text all stand in the other: Mary and Mary Ann.
func isPart(a, b []byte) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || bytes.IndexByte(b, ' ') < 0 {
		return false
	}
	return bytes.HasPrefix(b, a) && b[len(a)] == ' ' || bytes.HasSuffix(b, a) && b[len(b)-len(a)-1] == ' '
}

// names compares given names and surnames, which forms and people exchange. The fields are -1 where there is none.
type names struct {
	givenField, surnameField int
	exchange                 bool
}

func (n names) given(r *Records, a, b uint32) grade {
	g := bestOf(r, n.givenField, a, b, nameScale)
	if g.level < 3 && n.exchanged(r, a, b) {
		return grade{level: 5}
	}
	return g
}

// surname says nothing where given already told that the two names are exchanged.
func (n names) surname(r *Records, a, b uint32) grade {
	g := bestOf(r, n.surnameField, a, b, nameScale)
	if g.level < 3 && n.exchange && n.exchanged(r, a, b) {
		return unknown
	}
	return g
}

// exchanged reports whether one record's given name is the other's surname and the other way round, a missing one
// being anything. Names that agree as they stand are not exchanged.
func (n names) exchanged(r *Records, a, b uint32) bool {
	if n.givenField < 0 || n.surnameField < 0 {
		return false
	}
	givenA, givenB := r.first(a, n.givenField), r.first(b, n.givenField)
	surnameA, surnameB := r.first(a, n.surnameField), r.first(b, n.surnameField)
	one, other := crossed(givenA, surnameB), crossed(givenB, surnameA)
	if !one && !other || !one && givenA != nil && surnameB != nil || !other && givenB != nil && surnameA != nil {
		return false
	}
	return !near(givenA, givenB) && !near(surnameA, surnameB)
}

// crossed reports whether a given name is a surname.
func crossed(given, surname []byte) bool {
	return min(len(given), len(surname)) >= 2 && near(given, surname)
}

func near(a, b []byte) bool {
	return a != nil && bytes.Equal(a, b) || min(len(a), len(b)) >= 4 && (within(a, b, 1) || similarity(a, b) >= 0.88)
}
