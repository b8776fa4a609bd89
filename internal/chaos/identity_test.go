package chaos

// people works out who is who from what was sent: whatever stands in one event is one person's. That is all that the rules of
// identity come to for this crowd, whose people stay within every limit; the browsers that several share are the exception,
// and they are left out.
type people struct {
	over map[identifier]identifier // each leads to another of the same person, in the end to itself
}

func newPeople() *people { return &people{over: map[identifier]identifier{}} }

// join says that all are one person's.
func (p *people) join(ids []identifier) {
	first := p.of(ids[0])
	for _, id := range ids[1:] {
		p.over[p.of(id)] = first
	}
}

// of is the identifier that stands for the person.
func (p *people) of(id identifier) identifier {
	next, known := p.over[id]
	if !known {
		p.over[id] = id
		return id
	}
	if next == id {
		return id
	}
	root := p.of(next)
	p.over[id] = root
	return root
}

// knows says whether any event carried the identifier.
func (p *people) knows(id identifier) bool {
	_, known := p.over[id]
	return known
}
