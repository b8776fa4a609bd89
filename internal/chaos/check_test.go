package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// profile is a customer as the API shows them.
type profile struct {
	ID          string
	Traits      map[string]any
	Computed    map[string]any
	Identifiers []identifier
	Segments    []struct{ Name string }
}

func (p profile) in(segment string) bool {
	return slices.ContainsFunc(p.Segments, func(s struct{ Name string }) bool { return s.Name == segment })
}

// event is one as the API shows it.
type event struct {
	MessageID string `json:"message_id"`
	Name      string
}

// found is what the program has, in full.
type found struct {
	profiles []profile
	owners   map[string][]int // of the events of the test, by message id: positions in profiles, one for each time it is there
	others   []string         // message ids that are neither ours nor of the program's own making
}

// read reads everything through the API, from all nodes at once.
func read(ctx context.Context, nodes []*node) (*found, error) {
	f := &found{owners: map[string][]int{}}
	err := pages(ctx, nodes[0], "/api/v1/profiles?limit=200", func(p profile) { f.profiles = append(f.profiles, p) })
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var mu sync.Mutex
	var working sync.WaitGroup
	for worker := range 2 * len(nodes) {
		working.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(f.profiles) {
					return
				}
				e := pages(ctx, nodes[worker%len(nodes)], "/api/v1/profiles/"+f.profiles[i].ID+"/events?limit=200", func(e event) {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case ours(e.MessageID):
						f.owners[e.MessageID] = append(f.owners[e.MessageID], i)
					case !strings.HasPrefix(e.Name, "Email "):
						f.others = append(f.others, e.MessageID)
					}
				})
				if e != nil {
					mu.Lock()
					err = e
					mu.Unlock()
					return
				}
			}
		})
	}
	working.Wait()
	return f, err
}

// ours says whether a message id looks like one of the test's.
func ours(id string) bool {
	return len(id) > 2 && id[1] == '-' && strings.Contains("mirpu", id[:1])
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, n *node, path string, each func(T)) error {
	for cursor := ""; ; {
		var page struct {
			Items      []json.RawMessage
			NextCursor string `json:"next_cursor"`
		}
		if err := n.get(ctx, path+"&cursor="+cursor, &page); err != nil {
			return err
		}
		for _, raw := range page.Items {
			var item T
			if err := json.Unmarshal(raw, &item); err != nil {
				return fmt.Errorf("%s: %w in %s", path, err, raw)
			}
			each(item)
		}
		if cursor = page.NextCursor; cursor == "" {
			return nil
		}
	}
}

// expected is what must hold of one person in the end.
type expected struct {
	orders, cents     int
	views, added      int
	last              int
	reader, addressed bool
	profile           int // where they are in found.profiles
}

// audit compares what is there with what was sent. Each line of the result is a failure.
func audit(b *books, f *found) (failures []string) {
	who := newPeople()
	b.each(func(h happening, _ bool) { who.join(h.ids) })
	persons := map[identifier]*expected{}
	kioskUsers := map[string]map[*expected]bool{}
	lost, doubled, strayed, unanswered := tally{what: "acknowledged, and not there"}, tally{what: "there more than once"},
		tally{what: "under another customer than the rest of the same person"}, 0
	b.each(func(h happening, acknowledged bool) {
		at := f.owners[h.id]
		delete(f.owners, h.id)
		switch {
		case len(at) == 0 && acknowledged:
			lost.add(h.id)
		case len(at) > 1:
			doubled.add(fmt.Sprintf("%s (%d times)", h.id, len(at)))
		}
		if !acknowledged {
			unanswered++
		}
		if len(at) == 0 {
			return
		}
		root := who.of(h.ids[0])
		p := persons[root]
		if p == nil {
			p = &expected{profile: at[0]}
			persons[root] = p
		}
		if p.profile != at[0] {
			strayed.add(fmt.Sprintf("%s %v", h.id, h.ids))
		}
		if h.kiosk != "" {
			if kioskUsers[h.kiosk] == nil {
				kioskUsers[h.kiosk] = map[*expected]bool{}
			}
			kioskUsers[h.kiosk][p] = true
		}
		p.take(h)
	})
	unsent := tally{what: "there, and never sent"}
	for id := range f.owners {
		unsent.add(id)
	}
	for _, id := range f.others {
		unsent.add(id)
	}
	failures = said(lost, doubled, strayed, unsent)
	if unanswered > 0 {
		failures = append(failures, fmt.Sprintf("%d events were never acknowledged", unanswered))
	}
	return append(failures, auditProfiles(f, who, persons, kioskUsers)...)
}

func (p *expected) take(h happening) {
	switch h.name {
	case ordered:
		p.orders++
		p.cents += h.cents
	case viewed:
		p.views++
	case added:
		p.added++
	}
	p.last = max(p.last, h.last)
	p.reader = p.reader || h.extra["reader"] == true
	p.addressed = p.addressed || h.kind == "identify" && slices.ContainsFunc(h.ids, func(id identifier) bool { return id.Type == "email" })
}

// auditProfiles compares identifiers, traits and segments.
func auditProfiles(f *found, who *people, persons map[identifier]*expected, kioskUsers map[string]map[*expected]bool) (failures []string) {
	owner := map[int]identifier{} // the person of each profile
	shared, torn, foreign, wrong := tally{what: "profiles of two people"}, tally{what: "identifiers under another customer than the events of their person"},
		tally{what: "identifiers that nobody sent, or that two profiles have"}, tally{what: "profiles that are not what their events say"}
	for root, p := range persons {
		if other, taken := owner[p.profile]; taken {
			shared.add(fmt.Sprintf("%s and %s", other, root))
		}
		owner[p.profile] = root
	}
	seen := map[identifier]string{} // the profile
	for i, profile := range f.profiles {
		for _, id := range profile.Identifiers {
			user, is := strings.CutPrefix(id.Value, "kiosk-")
			switch {
			case seen[id] != "":
				foreign.add(fmt.Sprintf("%s (%s and %s)", id, seen[id], profile.ID))
			case is && id.Type == "anonymous_id":
				if !kioskUsers["kiosk-"+user][persons[owner[i]]] {
					foreign.add(fmt.Sprintf("%s under %s", id, owner[i]))
				}
			case !who.knows(id):
				foreign.add(id.String())
			case persons[who.of(id)] == nil || persons[who.of(id)].profile != i:
				torn.add(id.String())
			}
			seen[id] = profile.ID
		}
		p := persons[owner[i]]
		if p == nil {
			wrong.add(fmt.Sprintf("%s %v has no event of ours", profile.ID, profile.Identifiers))
			continue
		}
		for _, difference := range p.differences(profile) {
			wrong.add(fmt.Sprintf("%s: %s", owner[i], difference))
		}
	}
	missing := tally{what: "identifiers that no profile has"}
	for id := range who.over {
		if seen[id] == "" {
			missing.add(id.String())
		}
	}
	return said(shared, torn, foreign, missing, wrong)
}

// segments says which of them a person is in.
func (p *expected) segments() map[string]bool {
	return map[string]bool{
		"buyers": p.orders >= 3, "lookers": p.views >= 4, "late": p.added >= 2, "fresh": false, "probed": false, "readers": p.reader,
		"addressed": p.addressed,
	}
}

// differences are those between a person and their profile.
func (p *expected) differences(profile profile) (all []string) {
	number := func(v any) float64 { f, _ := v.(float64); return f }
	if got := number(profile.Computed["order_count"]); int(got) != p.orders {
		all = append(all, fmt.Sprintf("order_count is %v, of %d orders", got, p.orders))
	}
	if got := number(profile.Computed["spent"]); math.Abs(got-float64(p.cents)/100) > 1e-6 {
		all = append(all, fmt.Sprintf("spent is %v, of %.2f", got, float64(p.cents)/100))
	}
	if got := number(profile.Traits["last"]); int(got) != p.last {
		all = append(all, fmt.Sprintf("the trait last is %v, and the last identify call said %d", got, p.last))
	}
	for segment, should := range p.segments() {
		if is := profile.in(segment); is != should {
			all = append(all, fmt.Sprintf("in %s: %v, with %d orders, %d views and %d added", segment, is, p.orders, p.views, p.added))
		}
	}
	return all
}

// tally counts failures of a kind, and keeps a few to show.
type tally struct {
	what     string
	count    int
	examples []string
}

func (t *tally) add(example string) {
	if t.count++; len(t.examples) < 10 {
		t.examples = append(t.examples, example)
	}
}

func (t tally) String() string {
	return fmt.Sprintf("%d %s: %s", t.count, t.what, strings.Join(t.examples, "; "))
}

// said is what there is to say of tallies.
func said(of ...tally) (failures []string) {
	for _, t := range of {
		if t.count > 0 {
			failures = append(failures, t.String())
		}
	}
	return failures
}
