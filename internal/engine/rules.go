package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Conversion says what counts as a success of a campaign.
type Conversion struct {
	Event  string        // name of the event; "" is "Order Completed"
	Value  string        // its property that holds the revenue; "" is "total"
	Window time.Duration // how long after the open or click; 0 is five days
}

// Rules are everything that people defined and the engine follows, compiled. They are immutable.
type Rules struct {
	nodes       []*segment.Node
	nodeIDs     []int64               // of nodes, given by the store
	nodeOf      map[int64]int         // node by stored id
	conversions map[string]Conversion // by campaign
	defaults    Conversion

	terms     []*expr.Term // by Slot
	termIDs   []int64      // of terms, given by the store
	termIndex map[string]int
	termOf    map[int64]*expr.Term // by stored id

	byEvent   map[string][]int // terms by the event's name
	anyEvent  []int            // terms over all events
	byTerm    [][]int          // nodes by term
	watches   []*expr.Watch    // which of these an event can change, by term
	byField   map[string][]int // nodes by trait
	bySegment map[string][]int // nodes by segment
	byPrefs   []int            // nodes that read preferences
	unread    nodeSet          // traits that no node reads and that time does not change; nil where there are none
	segments  map[string]int   // node by segment name
	traits    map[string]int   // node by trait name

	quantiles map[string]asks         // by key
	cuts      map[string]segment.Cuts // by key of the quantile; what is not known is not there
}

// Compile makes rules. Errors are those of segment.Compile.
func Compile(segments []segment.Definition, traits []segment.Trait, conversions map[string]Conversion) (*Rules, error) {
	set, err := segment.Compile(segments, traits)
	if err != nil {
		return nil, err
	}
	r := &Rules{
		nodes: set.Nodes, conversions: conversions, defaults: Conversion{Event: event.NameOrderCompleted},
		termIndex: map[string]int{}, byEvent: map[string][]int{}, byField: map[string][]int{}, bySegment: map[string][]int{},
		segments: map[string]int{}, traits: map[string]int{}, quantiles: quantilesOf(set.Nodes),
	}
	programs := make([]*expr.Program, len(r.nodes))
	for i, n := range r.nodes {
		programs[i] = n.Program
	}
	r.terms = expr.Share(programs...)
	r.byTerm, r.watches = make([][]int, len(r.terms)), make([]*expr.Watch, len(r.terms))
	for i, t := range r.terms {
		r.termIndex[t.Key], r.watches[i] = i, expr.WatchOf(t, programs)
		names := t.Names()
		if len(names) == 0 {
			r.anyEvent = append(r.anyEvent, i)
		}
		for _, name := range names {
			if !slices.Contains(r.byEvent[name], i) {
				r.byEvent[name] = append(r.byEvent[name], i)
			}
		}
	}
	for i, n := range r.nodes {
		if n.Segment {
			r.segments[n.Name] = i
		} else {
			r.traits[n.Name] = i
		}
		for _, t := range n.Program.Terms {
			r.byTerm[t.Slot] = append(r.byTerm[t.Slot], i)
		}
		for _, f := range n.Program.Fields {
			r.byField[f] = append(r.byField[f], i)
		}
		for _, s := range n.Program.Segments {
			r.bySegment[s] = append(r.bySegment[s], i)
		}
		if n.Program.Preferences {
			r.byPrefs = append(r.byPrefs, i)
		}
	}
	for name, i := range r.traits {
		if len(r.byField[name]) > 0 || !r.nodes[i].Program.Lasting() {
			continue
		}
		if r.unread == nil {
			r.unread = newNodeSet(len(r.nodes))
		}
		r.unread.add(i)
	}
	return r, nil
}

// termsFor lists the terms that an event of a name may concern.
func (r *Rules) termsFor(name string) [2][]int { return [2][]int{r.byEvent[name], r.anyEvent} }

// segmentNames lists the segments by name.
func (r *Rules) segmentNames() []string { return slices.Sorted(maps.Keys(r.segments)) }

// sameNodes reports whether both ask the same of every profile.
func (r *Rules) sameNodes(other *Rules) bool {
	if other == nil || len(r.nodes) != len(other.nodes) {
		return false
	}
	for i, n := range r.nodes {
		if n.Key() != other.nodes[i].Key() || n.Program.Text != other.nodes[i].Program.Text {
			return false
		}
	}
	return r.sameCuts(other)
}

// identify takes the ids under which aggregates and timers are stored.
func (r *Rules) identify(ids Sync) {
	r.termIDs, r.termOf = make([]int64, len(r.terms)), map[int64]*expr.Term{}
	for i, t := range r.terms {
		r.termIDs[i] = ids.Terms[t.Key]
		r.termOf[ids.Terms[t.Key]] = t
	}
	r.nodeIDs, r.nodeOf = make([]int64, len(r.nodes)), map[int64]int{}
	for i, n := range r.nodes {
		r.nodeIDs[i] = ids.Nodes[n.Key()]
		r.nodeOf[r.nodeIDs[i]] = i
	}
}

// adopt takes over the ids of rules that ask the same.
func (r *Rules) adopt(other *Rules) {
	ids := Sync{Terms: map[string]int64{}, Nodes: map[string]int64{}}
	for i, t := range other.terms {
		ids.Terms[t.Key] = other.termIDs[i]
	}
	for i, n := range other.nodes {
		ids.Nodes[n.Key()] = other.nodeIDs[i]
	}
	r.identify(ids)
}

func (r *Rules) termKeys() []string {
	keys := make([]string, len(r.terms))
	for i, t := range r.terms {
		keys[i] = t.Key
	}
	return keys
}

// fingerprints tell versions of the nodes apart, by their keys.
func (r *Rules) fingerprints() map[string]string {
	prints := make(map[string]string, len(r.nodes))
	for _, n := range r.nodes {
		prints[n.Key()] = r.fingerprint(n)
	}
	return prints
}

// fingerprint tells versions of a node apart.
func (r *Rules) fingerprint(n *segment.Node) string {
	sum := sha256.Sum256([]byte(n.Program.Text + r.cutsPrint(n)))
	return hex.EncodeToString(sum[:8])
}

func (r *Rules) conversion(campaign string) Conversion {
	c, ok := r.conversions[campaign]
	if !ok {
		return r.defaults
	}
	if c.Event == "" {
		c.Event = r.defaults.Event
	}
	return c
}

// nodeSet is a set of nodes that gives them in their order of evaluation.
type nodeSet []uint64

func newNodeSet(nodes int) nodeSet { return make(nodeSet, (nodes+63)/64) }

func (s nodeSet) add(nodes ...int) {
	for _, n := range nodes {
		s[n/64] |= 1 << (n % 64)
	}
}

// next takes the first node out of the set; false when it is empty.
func (s nodeSet) next() (int, bool) {
	for i, word := range s {
		if word != 0 {
			s[i] = word & (word - 1)
			return i*64 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// filling is the part of the rules whose history is still being worked through, profile by profile in order of id.
type filling struct {
	Filling
	terms []int        // that lack their history
	nodes map[int]bool // nodes that are evaluated for a profile only once it has been filled
	fresh map[int]bool // of those, nodes that never held before: what a profile says of them is void

	// waiting, in a sparse filling, are profiles that something happened to before they were filled; nil for one that is
	// not. A sparse filling passes over the profiles that history has nothing for, other than these.
	waiting map[int64]bool

	touched map[int64]int64 // the last whole commit that wrote a profile which was still to be filled
}

// newFilling begins one, or goes on with it; nil where nothing is to be filled. alone says that no other node changes
// profiles: only then it may be sparse, for nobody else knows who is waiting.
func newFilling(rules *Rules, sync Sync, alone bool) *filling {
	if sync.Filling.ID == 0 {
		return nil
	}
	f := &filling{Filling: sync.Filling, nodes: map[int]bool{}, fresh: map[int]bool{}, touched: map[int64]int64{}}
	for _, key := range sync.Unfilled {
		i := rules.termIndex[key]
		f.terms = append(f.terms, i)
		for _, n := range rules.byTerm[i] {
			f.nodes[n] = true
		}
	}
	for i, n := range rules.nodes {
		if slices.Contains(sync.Unbuilt, n.Key()) {
			f.nodes[i] = true
		}
		if slices.Contains(sync.Fresh, n.Key()) {
			f.fresh[i] = true
		}
	}
	if alone && !sync.Sweep && f.sparse(rules) {
		f.waiting = map[int64]bool{}
	}
	f.goOn(sync.Filling)
	return f
}

// goOn takes what the store knows of a filling.
func (f *filling) goOn(kept Filling) {
	f.Done = kept.Done
	if f.waiting == nil {
		return
	}
	clear(f.waiting)
	for _, id := range kept.Waiting {
		f.waiting[id] = true
	}
}

// sparse reports whether profiles without any of the events that are asked about need not be looked at: when all that is
// new asks about behaviour alone, and says no to whoever did nothing.
func (f *filling) sparse(rules *Rules) bool {
	nothing := &expr.Scope{
		Trait: func(string) (any, bool) { return nil, false }, Preference: func(string) (any, bool) { return nil, false },
		InSegment: func(string) bool { return false }, Aggregate: func(*expr.Term) *expr.Aggregate { return nil }, Cuts: rules.cutsOf,
	}
	for i := range f.nodes {
		p := rules.nodes[i].Program
		result := p.Result(nothing)
		behaviour := len(p.Fields)+len(p.Segments) == 0 && !p.Preferences && !p.Clocked()
		filled := !slices.ContainsFunc(p.Terms, func(t *expr.Term) bool { return !slices.Contains(f.terms, t.Slot) })
		if !f.fresh[i] || !behaviour || !filled || result != nil && result != false {
			return false
		}
	}
	return true
}

// pending reports whether a node must wait for a profile's history.
func (f *filling) pending(node int, profileID int64) bool {
	return f != nil && f.nodes[node] && profileID > f.Done && profileID <= f.Through
}
