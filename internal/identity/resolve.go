package identity

import "slices"

// Holder is a profile as far as identity is concerned.
type Holder struct {
	ID          int64
	Identifiers []Identifier
	Absorbed    []int64 // the profiles that merged into it
	Apart       []int64 // profiles that it must not be joined with
}

// KeptApart reports whether somebody decided that the two are not one person: either of them, or a profile that merged
// into it, stands in the other's list.
func (h Holder) KeptApart(other Holder) bool { return h.keeps(other) || other.keeps(h) }

func (h Holder) keeps(other Holder) bool {
	return slices.ContainsFunc(h.Apart, func(id int64) bool { return id == other.ID || slices.Contains(other.Absorbed, id) })
}

// Resolution is what one event does to identity.
type Resolution struct {
	// Owner is the profile that the event belongs to; 0 asks for a new one.
	Owner int64
	// Absorb lists the profiles that merge into Owner, in the order in which the event's identifiers linked them.
	Absorb []Link
	// Add lists the identifiers that Owner gains and nobody had.
	Add []Identifier
	// Refused lists the identifiers that stay where they are, or nowhere, because of a limit, or because the profiles that
	// they would join are kept apart.
	Refused []Identifier
}

// Link says that an identifier of the event pointed to another profile.
type Link struct {
	ProfileID  int64
	Identifier Identifier
}

// Resolve decides whose an event is. ids are the event's identifiers, strongest first (Policy.Of); find gives the
// profile that holds an identifier, false where none does.
//
// The strongest identifier that some profile holds names the owner. Each further one joins its profile to the owner,
// unless a limit forbids it: then the weaker identifier stays where it is, so that two people who share a browser stay
// two people. Where the strongest is new but a weaker one is known (a visitor who logs in), the known profile takes it
// if the limits allow, and otherwise the event begins a new profile. The oldest of the merged profiles survives.
//
// An explicit link is somebody's word that all ids are one person (Segment's alias): no limit forbids it. Profiles that
// are kept apart are never joined by an event, not even by such a one.
func (p *Policy) Resolve(ids []Identifier, explicit bool, find func(Identifier) (Holder, bool)) Resolution {
	var r Resolution
	var room [2]Holder
	owners := room[:0] // the group so far
	var linkedBy []Identifier
	var fresh []Identifier
	fits := func(more []Identifier) bool {
		if explicit || len(owners)+len(fresh) == 0 {
			return true
		}
		sets := [][]Identifier{fresh, more}
		for i := range owners {
			sets = append(sets, owners[i].Identifiers)
		}
		return p.Fits(sets...)
	}
	for _, id := range ids {
		h, known := find(id)
		switch {
		case !known && explicit && id.Type == UserID && slices.Contains(ids, Identifier{AnonymousID, id.Value}):
			// The previous id of an alias, of which only its sender knows the kind: a new one counts as a browser's.
		case !known:
			if fits([]Identifier{id}) {
				fresh = append(fresh, id)
			} else {
				r.Refused = append(r.Refused, id)
			}
		case contains(owners, h.ID):
		case slices.ContainsFunc(owners, h.KeptApart):
			r.Refused = append(r.Refused, id)
		case fits(h.Identifiers):
			owners = append(owners, h)
			linkedBy = append(linkedBy, id)
		default:
			r.Refused = append(r.Refused, id)
		}
	}
	r.Add = fresh
	if len(owners) == 0 {
		return r
	}
	r.Owner = owners[0].ID
	for _, h := range owners[1:] {
		r.Owner = min(r.Owner, h.ID)
	}
	for i, h := range owners {
		if h.ID != r.Owner {
			r.Absorb = append(r.Absorb, Link{ProfileID: h.ID, Identifier: linkedBy[i]})
		}
	}
	return r
}

func contains(owners []Holder, id int64) bool {
	return slices.ContainsFunc(owners, func(h Holder) bool { return h.ID == id })
}
