package match

import "bytes"

var emailLevels = []level{
	{"differs", 0.3},
	{"is similar", 0.05},
	{"has the same name at another provider", 0.07},
	{"differs by a letter or two", 0.08},
	{"is the same", 0.5},
}

var emailScale = scale{4, differentEmails}

func differentEmails(a, b []byte) int {
	x, y := local(a), local(b)
	switch {
	case len(x) >= 4 && bytes.Equal(x, y):
		return 2
	case min(len(a), len(b)) >= 8 && within(a, b, 2):
		return 3
	case min(len(x), len(y)) >= 4 && similarity(x, y) >= 0.88:
		return 1
	}
	return 0
}

// local is the part of an address before the @.
func local(address []byte) []byte { return address[:max(0, bytes.LastIndexByte(address, '@'))] }

// mail compares addresses. Most people put their name into them: where two records agree in a name and both addresses
// are made of it, that the addresses are alike says nothing new. The fields of names are -1 where there is none.
type mail struct{ email, given, surname int }

func (m mail) grade(r *Records, a, b uint32) grade {
	g := bestOf(r, m.email, a, b, emailScale)
	if g.level <= 0 || g.level == 4 {
		return g
	}
	restA, madeA := m.rest(r, a)
	restB, madeB := m.rest(r, b)
	if !madeA || !madeB || len(restA) >= 3 && bytes.Equal(restA, restB) {
		return g
	}
	if bestOf(r, m.given, a, b, nameScale).level >= 2 || bestOf(r, m.surname, a, b, nameScale).level >= 2 {
		return unknown
	}
	return g
}

// rest is what a record's first address has before the @ besides its names, and whether it has any of them.
func (m mail) rest(r *Records, record uint32) (rest []byte, made bool) {
	rest = local(r.first(record, m.email))
	for _, field := range [...]int{m.surname, m.given} {
		if name := r.first(record, field); len(name) >= 3 {
			if before, after, found := bytes.Cut(rest, name); found {
				rest, made = append(bytes.Clone(before), after...), true
			}
		}
	}
	return bytes.Trim(rest, ".-_"), made
}
