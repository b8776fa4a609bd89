package match

import "slices"

// Bounds of grouping.
const (
	largestGroup = 64   // records of one person
	doubt        = 20.0 // bits: no single pair says more than this for or against a group
)

// groups joins records into people.
type groups struct {
	weigh   func(a, b uint32) float64
	of      map[uint32]int // record → group
	members [][]uint32
}

// group joins pairs to groups, the most probable first, and marks the pairs that ended in one. Two groups become one where
// all the pairs between them together speak for it (correlation clustering, Bansal, Blum, Chawla 2004, done greedily): a
// chain of likely pairs does not join two records that contradict each other.
func group(m *Model, pairs []Pair) [][]int64 {
	g := &groups{weigh: m.weigh, of: map[uint32]int{}}
	g.joinAll(pairs)
	var all [][]int64
	for _, members := range g.members {
		if len(members) < 2 {
			continue
		}
		ids := make([]int64, len(members))
		for i, r := range members {
			ids[i] = m.records.ids[r]
		}
		slices.Sort(ids)
		all = append(all, ids)
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

func (g *groups) joinAll(pairs []Pair) {
	least := bitsOf(Same)
	for _, p := range pairs {
		if p.Bits < least {
			break
		}
		g.join(p.a, p.b)
	}
	for i := range pairs {
		a, known := g.of[pairs[i].a]
		b, also := g.of[pairs[i].b]
		pairs[i].Together = known && also && a == b
	}
}

func (g *groups) find(r uint32) int {
	at, ok := g.of[r]
	if !ok {
		at = len(g.members)
		g.of[r] = at
		g.members = append(g.members, []uint32{r})
	}
	return at
}

func (g *groups) join(a, b uint32) {
	x, y := g.find(a), g.find(b)
	if x == y || len(g.members[x])+len(g.members[y]) > largestGroup {
		return
	}
	var together float64
	for _, i := range g.members[x] {
		for _, j := range g.members[y] {
			together += min(max(g.weigh(i, j), -doubt), doubt)
		}
	}
	if together <= 0 {
		return
	}
	if len(g.members[x]) < len(g.members[y]) {
		x, y = y, x
	}
	for _, r := range g.members[y] {
		g.of[r] = x
	}
	g.members[x] = append(g.members[x], g.members[y]...)
	g.members[y] = nil
}
