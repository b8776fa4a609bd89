package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// right is what a program would show that made no mistake with everything in the books. It works who is who out in its own
// way: profiles that share an identifier become one, until none do.
func right(b *books) *found {
	type group struct {
		ids    map[identifier]bool
		events []happening
	}
	var groups []*group
	b.each(func(h happening, _ bool) {
		g := &group{ids: map[identifier]bool{}, events: []happening{h}}
		for _, id := range h.ids {
			g.ids[id] = true
		}
		groups = slices.DeleteFunc(groups, func(other *group) bool {
			for id := range other.ids {
				if g.ids[id] {
					for id := range other.ids {
						g.ids[id] = true
					}
					g.events = append(g.events, other.events...)
					return true
				}
			}
			return false
		})
		groups = append(groups, g)
	})
	f := &found{owners: map[string][]int{}}
	kiosks := map[string]bool{}
	for i, g := range groups {
		p := profile{ID: fmt.Sprint(i), Traits: map[string]any{}, Computed: map[string]any{}}
		for id := range g.ids {
			p.Identifiers = append(p.Identifiers, id)
		}
		var e expected
		for _, h := range g.events {
			f.owners[h.id] = append(f.owners[h.id], i)
			e.take(h)
			if h.kiosk != "" && !kiosks[h.kiosk] {
				kiosks[h.kiosk] = true
				p.Identifiers = append(p.Identifiers, identifier{"anonymous_id", h.kiosk})
			}
		}
		p.Computed["order_count"], p.Computed["spent"], p.Traits["last"] = float64(e.orders), float64(e.cents)/100, float64(e.last)
		for segment, in := range e.segments() {
			if in {
				p.Segments = append(p.Segments, struct{ Name string }{segment})
			}
		}
		f.profiles = append(f.profiles, p)
	}
	return f
}

// TestAuditBites shows that each kind of mistake is found.
func TestAuditBites(t *testing.T) {
	prepare := func() (*books, *found) {
		b := newBooks(newCrowd(7, 2000, time.Unix(1e9, 0)))
		b.sent.Store(2000)
		for n := range 2000 {
			b.acknowledge(b.crowd.event(n))
		}
		for i := range 5 {
			b.send(b.crowd.reader(i))
			b.acknowledge(b.crowd.reader(i))
		}
		for i := range b.crowd.people {
			if h, needed := b.crowd.union(i); needed {
				b.send(h)
				b.acknowledge(h)
			}
		}
		return b, right(b)
	}
	busiest := func(f *found) int {
		count := map[int]int{}
		for _, at := range f.owners {
			count[at[0]]++
		}
		best := 0
		for i := range f.profiles {
			if count[i] > count[best] {
				best = i
			}
		}
		return best
	}
	for _, c := range []struct {
		want   string
		damage func(b *books, f *found)
	}{
		{"", func(*books, *found) {}},
		{"acknowledged, and not there: m-77", func(_ *books, f *found) { delete(f.owners, "m-77") }},
		{"never acknowledged", func(b *books, _ *found) { b.answered[77].Store(false) }},
		{"there more than once: m-77 (2 times)", func(_ *books, f *found) { f.owners["m-77"] = append(f.owners["m-77"], f.owners["m-77"]...) }},
		{"never sent: m-2000", func(_ *books, f *found) { f.owners["m-2000"] = []int{0} }},
		{"never sent: other", func(_ *books, f *found) { f.others = append(f.others, "other") }},
		{"under another customer than the rest of the same person: ", func(_ *books, f *found) {
			f.owners["m-77"] = []int{(f.owners["m-77"][0] + 1) % len(f.profiles)}
		}},
		{"profiles of two people", func(_ *books, f *found) {
			into, from := busiest(f), (busiest(f)+1)%len(f.profiles)
			for _, at := range f.owners {
				if at[0] == from {
					at[0] = into
				}
			}
		}},
		{"has no event of ours", func(_ *books, f *found) { f.profiles = append(f.profiles, profile{ID: "empty"}) }},
		{"that two profiles have", func(_ *books, f *found) {
			f.profiles[0].Identifiers = append(f.profiles[0].Identifiers, f.profiles[1].Identifiers[0])
		}},
		{"that nobody sent", func(_ *books, f *found) {
			f.profiles[0].Identifiers = append(f.profiles[0].Identifiers, identifier{"email", "nobody@customers.example"})
		}},
		{"identifiers that no profile has", func(_ *books, f *found) { f.profiles[0].Identifiers = nil }},
		{"identifiers under another customer", func(_ *books, f *found) {
			f.profiles[0].Identifiers, f.profiles[1].Identifiers = f.profiles[1].Identifiers, f.profiles[0].Identifiers
		}},
		{"that nobody sent, or that two profiles have: anonymous_id:kiosk-999", func(_ *books, f *found) {
			f.profiles[0].Identifiers = append(f.profiles[0].Identifiers, identifier{"anonymous_id", "kiosk-999"})
		}},
		{"order_count is 0", func(_ *books, f *found) { f.profiles[busiest(f)].Computed["order_count"] = 0.0 }},
		{"spent is", func(_ *books, f *found) { f.profiles[busiest(f)].Computed["spent"] = 0.01 }},
		{"the trait last", func(_ *books, f *found) { f.profiles[busiest(f)].Traits["last"] = 1.0 }},
		{"in buyers: false", func(_ *books, f *found) { f.profiles[busiest(f)].Segments = nil }},
		{"in fresh: true", func(_ *books, f *found) {
			f.profiles[0].Segments = append(f.profiles[0].Segments, struct{ Name string }{"fresh"})
		}},
	} {
		b, f := prepare()
		c.damage(b, f)
		got := strings.Join(audit(b, f), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("want %q, got %s", c.want, got)
		}
	}
}

func TestMailAuditBites(t *testing.T) {
	to := func(i int) string { return fmt.Sprintf("reader-%d@readers.example", i) }
	for _, c := range []struct {
		want   string
		damage func(messages *[]message, mails *[]mail)
	}{
		{"", func(*[]message, *[]mail) {}},
		{"", func(m *[]message, _ *[]mail) { (*m)[1].Status = "in_doubt" }},
		{"", func(m *[]message, mails *[]mail) { (*m)[0].Status, *mails = "in_doubt", (*mails)[1:] }},
		{"", func(_ *[]message, mails *[]mail) { *mails = append(*mails, mail{campaign: "other", to: to(0)}) }},
		{"went out twice: " + to(0), func(_ *[]message, mails *[]mail) { *mails = append(*mails, (*mails)[0]) }},
		{"went out twice: " + to(0), func(m *[]message, mails *[]mail) { (*m)[0].Status, *mails = "in_doubt", append(*mails, (*mails)[0]) }},
		{"sent to " + to(0) + ", which arrived 0 times", func(_ *[]message, mails *[]mail) { *mails = (*mails)[1:] }},
		{"queued to " + to(0), func(m *[]message, _ *[]mail) { (*m)[0].Status = "queued" }},
		{"none to " + to(0) + ", who got one", func(m *[]message, _ *[]mail) { *m = (*m)[1:] }},
		{"none to " + to(0), func(m *[]message, mails *[]mail) { *m, *mails = (*m)[1:], (*mails)[1:] }},
		{"a second message to " + to(0), func(m *[]message, _ *[]mail) { *m = append(*m, (*m)[0]) }},
	} {
		var messages []message
		var mails []mail
		for i := range 3 {
			messages, mails = append(messages, message{To: to(i), Status: "sent"}), append(mails, mail{campaign: "news", to: to(i)})
		}
		c.damage(&messages, &mails)
		failures, _ := auditMail("news", messages, mails, 3)
		got := strings.Join(failures, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("want %q, got %s", c.want, got)
		}
	}
}
