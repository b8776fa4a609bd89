package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// crowd is who visits the shop and what they do. Everything is drawn from the seed: event n is the same whenever it is made, so
// that nobody has to keep a million of them.
type crowd struct {
	seed   uint64
	events int
	people int
	began  time.Time // of event 0; event n follows n milliseconds later
}

const (
	eventsEach = 40 // events of a person, on average
	kiosks     = 20 // browsers that everybody uses, but only signed in

	viewed, added, ordered, probed = "Product Viewed", "Product Added", "Order Completed", "Probe"
)

func newCrowd(seed uint64, events int, began time.Time) *crowd {
	return &crowd{seed: seed, events: events, people: max(20, events/eventsEach), began: began.Truncate(time.Millisecond)}
}

// identifier points to a customer.
type identifier struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (i identifier) String() string { return i.Type + ":" + i.Value }

// happening is an event as its sender keeps it: what it says, and what a reader who knows the rules makes of it.
type happening struct {
	id    string
	kind  string       // identify, track, page or alias
	name  string       // of a track event
	ids   []identifier // all of one person
	kiosk string       // a browser that says nothing about who it is; "" for none
	was   string       // the user id that an alias says is another of the same person; "" for none
	cents int          // an order's total
	last  int          // what an identify call says of the trait "last"; it is its number, so that the newest is the largest
	at    time.Time
	extra map[string]any // further traits
}

// person is one customer with all that they are known by. Which of it is ever seen together is another matter.
type person struct {
	number int
	users  []string // the second is said to be the first by an alias
	boxes  []string // e-mail addresses
	phone  string
	club   string // a number of type "club"; "" for none
	device []string
}

func (c *crowd) person(number int) person {
	r := rand.New(rand.NewPCG(c.seed, 1<<63|uint64(number)))
	p := person{number: number, users: []string{fmt.Sprintf("user-%d", number)}}
	if r.IntN(6) == 0 {
		p.users = append(p.users, fmt.Sprintf("user-%d-again", number))
	}
	for i := range r.IntN(3) {
		p.boxes = append(p.boxes, fmt.Sprintf("p%d.%d@customers.example", number, i))
	}
	if number < 10000 && r.IntN(3) == 0 { // there are no more numbers for drama
		p.phone = fmt.Sprintf("+1202555%04d", number)
	}
	if r.IntN(3) == 0 {
		p.club = fmt.Sprintf("c-%d", number)
	}
	for i := range 1 + r.IntN(3) {
		p.device = append(p.device, fmt.Sprintf("device-%d-%d", number, i))
	}
	return p
}

// event makes the n-th one. A few customers do most of what is done.
func (c *crowd) event(n int) happening {
	r := rand.New(rand.NewPCG(c.seed, uint64(n)))
	share := r.Float64()
	p := c.person(int(share * share * float64(c.people)))
	h := happening{id: fmt.Sprintf("m-%d", n), at: c.began.Add(time.Duration(n) * time.Millisecond)}
	switch kind := r.IntN(100); {
	case kind < 12:
		h.kind, h.last = "identify", n
	case kind < 15:
		h.kind = "alias"
		p.alias(r, &h)
		return h
	case kind < 25:
		h.kind = "page"
	case kind < 35:
		h.kind, h.name, h.cents = "track", ordered, 100+r.IntN(30000)
	case kind < 50:
		h.kind, h.name = "track", added
	default:
		h.kind, h.name = "track", viewed
	}
	p.sign(r, &h)
	return h
}

// sign says who it is, in one of the ways that senders know.
func (p person) sign(r *rand.Rand, h *happening) {
	user := identifier{"user_id", pick(r, p.users)}
	device := identifier{"anonymous_id", pick(r, p.device)}
	switch way := r.IntN(100); {
	case way < 40:
		h.ids = append(h.ids, device)
	case way < 60:
		h.ids = append(h.ids, user)
	case way < 75: // signs in
		h.ids = append(h.ids, user, device)
	case way < 85:
		h.ids, h.kiosk = append(h.ids, user), fmt.Sprintf("kiosk-%d", r.IntN(kiosks))
	case way < 90 && p.club != "":
		h.ids = append(h.ids, identifier{"club", p.club}, device)
	default:
		h.ids = append(h.ids, user)
	}
	if len(p.boxes) > 0 && (h.kind == "identify" || r.IntN(20) == 0) && r.IntN(3) > 0 {
		h.ids = append(h.ids, identifier{"email", pick(r, p.boxes)})
	}
	if p.phone != "" && h.kind == "identify" && r.IntN(3) == 0 {
		h.ids = append(h.ids, identifier{"phone", p.phone})
	}
}

// alias says that a browser is a user's, or that two users are one.
func (p person) alias(r *rand.Rand, h *happening) {
	if len(p.users) > 1 && r.IntN(2) == 0 {
		p.unite(h)
		return
	}
	h.ids = append(h.ids, identifier{"user_id", p.users[0]}, identifier{"anonymous_id", pick(r, p.device)})
}

// unite says that both users are this person. The previous id is one of either kind: nobody has it as a browser's so far, and so
// it becomes one of hers.
func (p person) unite(h *happening) {
	h.was = p.users[0]
	h.ids = append(h.ids, identifier{"user_id", p.users[1]}, identifier{"user_id", h.was}, identifier{"anonymous_id", h.was})
}

// union is the last word about a person with two user ids; false for one without. As long as it is not said, what stands beside
// both ids goes to whoever comes first.
func (c *crowd) union(number int) (h happening, needed bool) {
	p := c.person(number)
	if len(p.users) == 1 {
		return h, false
	}
	h = happening{id: "u-" + p.users[0], kind: "alias", at: c.began}
	p.unite(&h)
	return h, true
}

// introduction makes a user id known. It goes before an alias of two: of a previous id that nobody has, the program could not
// know the kind, and takes it for a browser's.
func (c *crowd) introduction(user string) happening {
	return happening{id: "i-" + user, kind: "page", ids: []identifier{{"user_id", user}}, at: c.began}
}

// reader is a customer who does nothing but get mail.
func (c *crowd) reader(number int) happening {
	user := fmt.Sprintf("reader-%d", number)
	return happening{
		id: "r-" + user, kind: "identify", ids: []identifier{{"user_id", user}, {"email", user + "@readers.example"}}, at: c.began,
		extra: map[string]any{"reader": true},
	}
}

// probe is something that a customer does who is otherwise not there, now.
func probe(round, number int, now time.Time) happening {
	user := fmt.Sprintf("probe-%d-%d", round, number)
	return happening{id: "p-" + user, kind: "track", name: probed, ids: []identifier{{"user_id", user}}, at: now}
}

// body is the event as Segment's specification has it.
func (h happening) body() json.RawMessage {
	body := map[string]any{"type": h.kind, "messageId": h.id, "timestamp": h.at.UTC().Format(time.RFC3339Nano)}
	traits := map[string]any{}
	if h.last > 0 {
		traits["last"] = h.last
	}
	for name, v := range h.extra {
		traits[name] = v
	}
	if h.kiosk != "" {
		body["anonymousId"] = h.kiosk
	}
	context := map[string]any{}
	ids := h.ids
	if h.kind == "alias" {
		ids, body["previousId"] = ids[:1], ids[1].Value
	}
	for _, id := range ids {
		switch id.Type {
		case "user_id":
			body["userId"] = id.Value
		case "anonymous_id":
			body["anonymousId"] = id.Value
		case "email":
			traits["email"] = strings.ToUpper(id.Value[:1]) + id.Value[1:]
		case "phone":
			traits["phone"] = id.Value
		default:
			context["externalIds"] = []any{map[string]string{"type": id.Type, "id": id.Value}}
		}
	}
	switch h.kind {
	case "identify":
		body["traits"] = traits
	case "track":
		body["event"] = h.name
		body["properties"] = map[string]any{"total": float64(h.cents) / 100}
		context["traits"] = traits
	default:
		context["traits"] = traits
	}
	body["context"] = context
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return raw
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }
