package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// What a query says of customers, no step can find out: it is given. A row of its result belongs to the profile as an
// override does, both readings see it, and the condition of an SQL segment asks for it. So nesting, overrides, merges and
// verification are those of any other segment.

// Row is what the result of a query newly says of the profile that it names.
type Row struct {
	ProfileID int64
	Columns   map[string]any // see profile.Given
	Gone      bool           // the result does not name the profile any more
}

// GivenRow is a row that changed, to be recorded.
type GivenRow struct {
	Segment string
	Row
}

// giveChunk is how many rows are given in one commit, so that events are not kept waiting.
const giveChunk = 500

// Give applies how the result of an SQL segment differs from the one before. What depends on it follows at once. Rows
// that name no profile are passed over; their number is the answer. It waits while definitions are being filled. When it
// fails, some of the rows may hold, each whole. It fails with Conflict where there is no such SQL segment any more.
func (e *Engine) Give(ctx context.Context, name string, rows []Row) (unknown int, err error) {
	for chunk := range slices.Chunk(goneLast(rows), giveChunk) {
		passed := 0
		for again := true; again; {
			if err := e.WaitFilled(ctx); err != nil {
				return unknown, err
			}
			failed := e.do(ctx, func() {
				if again = e.filling != nil; !again {
					passed, err = e.give(context.WithoutCancel(ctx), name, chunk)
				}
			})
			if failed != nil {
				return unknown, failed
			}
		}
		if unknown += passed; err != nil {
			return unknown, err
		}
	}
	return unknown, nil
}

// goneLast orders rows so that a customer who is listed as another part of herself than before is listed all the time.
func goneLast(rows []Row) []Row {
	listed, gone := make([]Row, 0, len(rows)), []Row(nil)
	for _, r := range rows {
		if r.Gone {
			gone = append(gone, r)
		} else {
			listed = append(listed, r)
		}
	}
	return append(listed, gone...)
}

// give runs in the loop.
func (e *Engine) give(ctx context.Context, name string, rows []Row) (unknown int, err error) {
	if n, ok := e.rules.segments[name]; !ok || e.rules.nodes[n].SQL == "" {
		return 0, fault.New(fault.Conflict, "%s is no SQL segment any more", name)
	}
	wanted := make(map[int64]bool, len(rows))
	for _, r := range rows {
		wanted[r.ProfileID] = true
	}
	if err := e.load(ctx, wanted); err != nil {
		return 0, err
	}
	s := e.newState()
	b := &Batch{Now: e.now()}
	var changed []*profile.Profile
	for _, r := range rows {
		p := s.current(r.ProfileID)
		if p == nil && !r.Gone {
			unknown++
			continue
		}
		b.Given = append(b.Given, GivenRow{name, r})
		if p != nil && s.give(p, name, r, b.Now) && !slices.Contains(changed, p) {
			changed = append(changed, p)
		}
	}
	for _, p := range changed { // by all of its rows: who stays listed, by another part of herself, does not leave
		s.givenChanged(p, b.Now)
	}
	return unknown, e.commit(ctx, s, b)
}

// give gives a profile one row, or takes it away, and reports whether anything differs. What follows is the caller's to work out.
func (s *State) give(p *profile.Profile, name string, r Row, at int64) bool {
	s.catchUp(p, at)
	if r.Gone {
		return p.Ungive(func(g profile.Given) bool { return g.Segment == name && g.Row == r.ProfileID })
	}
	return p.Give(profile.Given{Segment: name, Row: r.ProfileID, Columns: r.Columns, At: at})
}

// givenChanged works out anew what asks for what queries say.
func (s *State) givenChanged(p *profile.Profile, at int64) {
	dirty := newNodeSet(len(s.Rules.nodes))
	dirty.add(s.Rules.byField[profile.GivenTrait]...)
	s.evaluate(p, dirty, at, Cause{Kind: BySQL})
	s.touch(p, at)
}

// given reports whether there is an SQL segment among the rules.
func (r *Rules) given() bool {
	return slices.ContainsFunc(r.nodes, func(n *segment.Node) bool { return n.SQL != "" })
}

// voidGiven forgets the rows of segments that are being built, which are of queries before, and reports whether there were
// any.
func (s *State) voidGiven(p *profile.Profile, f *filling) bool {
	return p.Ungive(func(g profile.Given) bool { n, ok := s.Rules.segments[g.Segment]; return ok && f.nodes[n] })
}

// givenAgain lets the rows of a family be given once more, each at its time to the profile that it names.
func (r *reliving) givenAgain(f *family) (all []moment) {
	for _, g := range f.root.Given {
		all = append(all, moment{g.At, 0, func(at int64) { r.giveAgain(g, at) }})
	}
	return all
}

// giveAgain gives a row that is on record.
func (r *reliving) giveAgain(g profile.Given, at int64) {
	p := r.current(g.Row)
	r.catchUp(p, at)
	p.Give(g)
	r.givenChanged(p, at)
}

// givenThen lets the results of queries be what they were: in such a segment was who entered and did not leave. Where a
// row had further columns, they are those of today.
func (r *reliving) givenThen(today []profile.Given, transitions []Transition, until int64) (all []moment) {
	for _, t := range transitions {
		n, ok := r.Rules.segments[t.Segment]
		if !ok || r.Rules.nodes[n].SQL == "" || t.Cause.Kind == ByMerge && !t.Entered {
			continue
		}
		at := t.At
		if t.Entered {
			at = t.Since
		}
		if at > until {
			continue
		}
		all = append(all, moment{at, 2, func(at int64) {
			p := r.current(t.ProfileID)
			r.catchUp(p, at)
			if !t.Entered {
				p.Ungive(func(g profile.Given) bool { return g.Segment == t.Segment })
			} else {
				p.Give(profile.Given{Segment: t.Segment, Row: t.ProfileID, Columns: columnsOf(today, t.Segment), At: at})
			}
			r.givenChanged(p, at)
		}})
	}
	return all
}

// columnsOf are the columns of the row of a segment.
func columnsOf(given []profile.Given, name string) map[string]any {
	for _, g := range given {
		if g.Segment == name {
			return g.Columns
		}
	}
	return nil
}
