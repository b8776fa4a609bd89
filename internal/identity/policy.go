package identity

import (
	"slices"
	"strings"
)

// Rule says how far a type of identifier is trusted.
type Rule struct {
	Type string `json:"type"`
	// Limit is how many different values one profile may have; a merge or an event that would exceed it does not happen.
	Limit int `json:"limit"`
}

// Policy is the order of trust among identifier types, their limits, and the values that identify nobody.
type Policy struct {
	rules    map[string]int // type → rank
	limits   []int
	otherMax int
	blocked  map[string]bool
}

// DefaultPolicy trusts a user id most, then e-mail, phone, other types, and the anonymous id least. One person has one
// user id, a few addresses, and as many browsers as they like.
func DefaultPolicy() *Policy {
	return NewPolicy([]Rule{{UserID, 1}, {Email, 5}, {Phone, 5}, {AnonymousID, 1000}}, 5, []string{
		"-1", "null", "nil", "none", "undefined", "unknown", "n/a", "nan", "anonymous", "guest", "[object object]",
	})
}

// NewPolicy takes the types in order of trust, weakest last. A type without a rule stands before the last one, with the
// limit otherLimit. Blocked values are compared without case.
func NewPolicy(rules []Rule, otherLimit int, blocked []string) *Policy {
	p := &Policy{rules: map[string]int{}, otherMax: otherLimit, blocked: map[string]bool{}}
	for i, r := range rules {
		p.rules[r.Type] = i
		p.limits = append(p.limits, r.Limit)
	}
	for _, b := range blocked {
		p.blocked[strings.ToLower(b)] = true
	}
	return p
}

// Blocked reports whether an identifier's value stands for nobody in particular, such as "null".
// Runs of zeros and dashes, the empty UUID among them, are blocked always.
func (p *Policy) Blocked(id Identifier) bool {
	return strings.Trim(id.Value, "0-") == "" || p.blocked[strings.ToLower(id.Value)]
}

// rank orders types by trust: twice the rule's place, so that unlisted types fit before the last rule.
func (p *Policy) rank(kind string) int {
	if r, ok := p.rules[kind]; ok {
		return 2 * r
	}
	return 2*len(p.limits) - 3
}

func (p *Policy) limit(kind string) int {
	if r, ok := p.rules[kind]; ok {
		return p.limits[r]
	}
	return p.otherMax
}

func (p *Policy) sort(ids []Identifier) {
	slices.SortStableFunc(ids, func(a, b Identifier) int { return p.rank(a.Type) - p.rank(b.Type) })
}

// Fits reports whether one profile may hold all of these identifiers; duplicates count once. A set that is over a limit
// already, by an alias, may stay so, but not grow: so does every set alone.
func (p *Policy) Fits(sets ...[]Identifier) bool {
	counts, largest := map[string]int{}, map[string]int{}
	seen := map[Identifier]bool{}
	for _, set := range sets {
		own := map[string]int{}
		for _, id := range set {
			own[id.Type]++
			largest[id.Type] = max(largest[id.Type], own[id.Type])
			if !seen[id] {
				seen[id] = true
				counts[id.Type]++
			}
		}
	}
	for kind, n := range counts {
		if n > p.limit(kind) && n > largest[kind] {
			return false
		}
	}
	return true
}
