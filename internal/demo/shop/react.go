package shop

import (
	"strings"
	"time"
)

// Mail is a message as it lies in a customer's mailbox.
type Mail struct {
	ID       string // with the customer, decides the reaction: the same id gives the same reaction
	Campaign string
	Subject  string
	Links    []Link // in the order of the text, without the unsubscribe link
	At       time.Time
	Recent   int // other mails delivered to the customer in the seven days before
}

// Link is a link in a mail.
type Link struct {
	URL   string
	Topic string // the product or category that it leads to, where known: see Topic
}

// ActionKind is what a customer does about a mail.
type ActionKind string

// The actions.
const (
	Prefetch    ActionKind = "prefetch" // a privacy proxy loads the pictures: no person opened anything
	Open        ActionKind = "open"
	Click       ActionKind = "click"       // on Action.Link
	Visit       ActionKind = "visit"       // follows a click: of the page behind the link; with an order where Action.Buys
	Forgo       ActionKind = "forgo"       // will not place the next order of their own that they would have placed
	Unsubscribe ActionKind = "unsubscribe" // by the mail's own door
	Complain    ActionKind = "complain"    // marks the mail as spam
)

// Action is one thing that a customer does about a mail, never before the mail's time.
type Action struct {
	Kind ActionKind
	At   time.Time
	Mail *Mail
	Link Link // of click and visit
	Buys bool // of visit: an order that without the mail would not have been
}

// React decides what a customer does about a delivered mail, in order of time; nil for nothing. It is repeatable: the
// answer depends on the seed, the customer and the mail alone. Orders that the customer places anyway are not among the
// actions: they come from the baseline, in the history or in Live.
func (s *Shop) React(c *Customer, m Mail) []Action {
	h := &c.Habit
	d := roll(c.key, rollReaction, mixText(s.seed, m.ID))
	// One draw each, always, so that a change of one chance changes no other decision.
	opens, clicks, buys, leaves, complains, spoils := d.Float64(), d.Float64(), d.Float64(), d.Float64(), d.Float64(), d.Float64()
	fatigue := 1.0
	for range min(m.Recent, 10) {
		fatigue *= 0.85
	}
	relevance, vigour := s.relevance(c, &m), 1.0
	if !c.Dropped.IsZero() && m.At.After(c.Dropped) {
		vigour = 0.4
	}
	opened := c.awake(m.At.Add(readingDelay(d)))
	var actions []Action
	if h.Proxied {
		actions = []Action{{Kind: Prefetch, At: m.At.Add(time.Minute), Mail: &m}}
	}
	if complains < h.ComplaintHazard*(2-fatigue) {
		return append(actions, Action{Kind: Open, At: opened, Mail: &m}, Action{Kind: Complain, At: opened.Add(15 * time.Second), Mail: &m})
	}
	if opens >= h.OpenRate*fatigue*vigour {
		return actions
	}
	actions = append(actions, Action{Kind: Open, At: opened, Mail: &m})
	if leaves < h.UnsubscribeHazard*(2-fatigue) {
		return append(actions, Action{Kind: Unsubscribe, At: opened.Add(20 * time.Second), Mail: &m})
	}
	if spoils < -h.Uplift {
		actions = append(actions, Action{Kind: Forgo, At: opened, Mail: &m})
	}
	if len(m.Links) == 0 || clicks >= h.ClickRate*relevance {
		return actions
	}
	link := m.Links[d.pick(s.attraction(c, m.Links))]
	clicked := opened.Add(time.Duration(5+d.IntN(120)) * time.Second)
	return append(actions,
		Action{Kind: Click, At: clicked, Mail: &m, Link: link},
		Action{Kind: Visit, At: clicked.Add(2 * time.Second), Mail: &m, Link: link, Buys: buys < h.Uplift*relevance*vigour})
}

// readingDelay has a median of three hours and a long tail, two minutes to five days.
func readingDelay(d dice) time.Duration {
	return 2*time.Minute + min(time.Duration(d.logNormal(0, 1.2)*3*float64(time.Hour)), 5*day).Truncate(time.Second)
}

// awake moves a moment of the night to the morning after.
func (c *Customer) awake(t time.Time) time.Time {
	if hour := (t.Hour() + c.utcOffset + 24) % 24; hour < 6 {
		return t.Add(time.Duration(6-hour)*time.Hour + time.Duration(c.key%3600)*time.Second)
	}
	return t
}

// relevance is how well the mail meets the customer: 1 for a mail about nothing in particular, up to 1.6 for their
// favourite things, down to 0.5 for what they never look at; a tenth more where the subject has their name.
func (s *Shop) relevance(c *Customer, m *Mail) float64 {
	best, about := 0.0, false
	for _, l := range m.Links {
		if n := s.catalogue.categoryNumber(s.topicCategory(l.Topic)); n >= 0 {
			about, best = true, max(best, c.Habit.Tastes[n])
		}
	}
	relevance := 1.0
	if about {
		relevance = 0.5 + 1.1*min(1, best*2)
	}
	if strings.Contains(m.Subject, c.FirstName) {
		relevance *= 1.1
	}
	return relevance
}

// attraction weighs the links of a mail for a customer.
func (s *Shop) attraction(c *Customer, links []Link) []float64 {
	weights := make([]float64, len(links))
	for i, l := range links {
		weights[i] = 0.15
		if n := s.catalogue.categoryNumber(s.topicCategory(l.Topic)); n >= 0 {
			weights[i] = 0.1 + c.Habit.Tastes[n]
		}
	}
	return weights
}

// Topic finds the product or category that an address of the shop leads to or a picture shows; "" for none.
func (s *Shop) Topic(address string) string {
	address, _, _ = strings.Cut(address, "?")
	address = strings.TrimSuffix(address, ".svg")
	last := address[strings.LastIndexByte(address, '/')+1:]
	if s.topicCategory(last) == "" {
		return ""
	}
	return last
}
