package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// definition is a segment or a computed trait: the text that the engine follows, and what it means, in Go.
type definition struct {
	name    string
	segment bool
	query   bool // a segment whose text is a query, of which what it lists is given
	lists   func(id int64, c *customer, is *person, now time.Time) (columns map[string]any, listed bool)
	text    string
	window  time.Duration // after which an event may change it; 0: never
	want    func(p *person, now time.Time) any
	fifthOf func(p *person) any // the value whose quintile it is; nil: it is none
}

// person is a customer as the model knows her at a moment.
type person struct {
	events      []*event.Event // that have happened, oldest first
	traits      map[string]any
	preferences map[string]any
	subscribed  bool
	segments    map[string]bool
	computed    map[string]any
	given       map[string]map[string]any // the columns of SQL segments that list her
	cuts        map[string][]float64      // where the parts of quantiles begin, by their text
}

// fifth is the part of all customers in which a value lies, as far as anybody's is known.
func (p *person) fifth(text string, value any) any {
	cuts := p.cuts[text]
	x, ok := place(value)
	if len(cuts) == 0 || !ok {
		return nil
	}
	part := 1.0
	for _, cut := range cuts {
		if cut < x {
			part++
		}
	}
	return part
}

// place is a value as a number.
func place(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case time.Time:
		return float64(v.UnixMicro()), true
	}
	return 0, false
}

// named are her events of a name that happened less than a window ago; 0: ever.
func (p *person) named(name string, window time.Duration, now time.Time) (events []*event.Event) {
	for _, e := range p.events {
		if (name == "" || e.Name == name) && (window == 0 || e.Timestamp.Add(window).After(now)) {
			events = append(events, e)
		}
	}
	return events
}

// number is a property that is a number.
func number(e *event.Event, name string) (float64, bool) {
	n, ok := e.Properties()[name].(float64)
	return n, ok
}

var (
	eventNames = []string{"A", "B", "Order Completed"}
	cities     = []string{"Oslo", "Rome", "Quito"}
	windows    = []string{"90s", "30m", "5h", "24h", "3d", "7d", "30d", "8w"}
)

func duration(text string) time.Duration {
	var n int
	var unit string
	if _, err := fmt.Sscanf(text, "%d%s", &n, &unit); err != nil {
		panic(err)
	}
	return time.Duration(n) * map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[unit]
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// traitForms and segmentForms each draw a definition of one kind.
var traitForms = []func(r *rand.Rand) definition{
	func(r *rand.Rand) definition {
		name := pick(r, eventNames)
		return definition{text: fmt.Sprintf("events(%q).count()", name), want: func(p *person, now time.Time) any {
			return float64(len(p.named(name, 0, now)))
		}}
	},
	func(r *rand.Rand) definition {
		name, window := pick(r, eventNames), pick(r, windows)
		return definition{
			text: fmt.Sprintf("events(%q).within(%q).sum(e, e.properties.n)", name, window), window: duration(window),
			want: func(p *person, now time.Time) any {
				sum := 0.0
				for _, e := range p.named(name, duration(window), now) {
					n, _ := number(e, "n")
					sum += n
				}
				return sum
			},
		}
	},
	func(r *rand.Rand) definition {
		name, last := pick(r, eventNames), r.IntN(2) == 0
		text := fmt.Sprintf("events(%q).first()", name)
		if last {
			text = fmt.Sprintf("events(%q).last()", name)
		}
		return definition{text: text, want: func(p *person, now time.Time) any {
			events := p.named(name, 0, now)
			switch {
			case len(events) == 0:
				return nil
			case last:
				return events[len(events)-1].Timestamp
			}
			return events[0].Timestamp
		}}
	},
	func(r *rand.Rand) definition {
		window := pick(r, windows)
		return definition{
			text: fmt.Sprintf("events().within(%q).distinct(e, e.properties.city)", window), window: duration(window),
			want: func(p *person, now time.Time) any {
				seen := map[any]bool{}
				for _, e := range p.named("", duration(window), now) {
					if city, ok := e.Properties()["city"].(string); ok {
						seen[city] = true
					}
				}
				return float64(len(seen))
			},
		}
	},
	func(r *rand.Rand) definition {
		name := pick(r, eventNames)
		return definition{text: fmt.Sprintf("events(%q).last(e, e.properties.city)", name), want: func(p *person, now time.Time) (city any) {
			for _, e := range p.named(name, 0, now) {
				if c, ok := e.Properties()["city"].(string); ok {
					city = c
				}
			}
			return city
		}}
	},
	func(r *rand.Rand) definition {
		window := pick(r, windows)
		return definition{
			text: fmt.Sprintf("events().within(%q).max(e, e.properties.n)", window), window: duration(window),
			want: func(p *person, now time.Time) (most any) {
				for _, e := range p.named("", duration(window), now) {
					if n, ok := number(e, "n"); ok && (most == nil || n > most.(float64)) {
						most = n
					}
				}
				return most
			},
		}
	},
	func(r *rand.Rand) definition {
		return definition{text: "events().most_common(e, e.properties.city)", want: func(p *person, _ time.Time) (most any) {
			counts := map[string]int{}
			for _, e := range p.events {
				if c, ok := e.Properties()["city"].(string); ok {
					counts[c]++
				}
			}
			for city, n := range counts {
				if most == nil || n > counts[most.(string)] || n == counts[most.(string)] && city < most.(string) {
					most = city
				}
			}
			return most
		}}
	},
	func(r *rand.Rand) definition {
		name, hours := pick(r, eventNames), 1+r.IntN(100)
		return definition{
			text: fmt.Sprintf("events(%q).lifecycle(\"%dh\", \"%dh\", \"%dh\")", name, hours, 2*hours, 5*hours), window: time.Duration(hours) * time.Hour,
			want: func(p *person, now time.Time) any {
				days, last := map[string]bool{}, time.Time{}
				for _, e := range p.named(name, 0, now) {
					days[e.Timestamp.UTC().Format(time.DateOnly)], last = true, e.Timestamp
				}
				switch silent := now.Sub(last); {
				case len(days) == 0:
					return nil
				case silent >= time.Duration(5*hours)*time.Hour:
					return "lost"
				case silent >= time.Duration(2*hours)*time.Hour:
					return "lapsed"
				case silent >= time.Duration(hours)*time.Hour:
					return "at_risk"
				case len(days) == 1:
					return "new"
				}
				return "active"
			},
		}
	},
	func(r *rand.Rand) definition {
		name := pick(r, eventNames)
		return definition{text: fmt.Sprintf("events(%q).decayed(\"1d\")", name), want: func(p *person, now time.Time) any {
			sum := 0.0
			for _, e := range p.named(name, 0, now) {
				if age := int(now.Truncate(24*time.Hour).Sub(e.Timestamp.Truncate(24*time.Hour)) / (24 * time.Hour)); age < 10 {
					sum += 1 / float64(int(1)<<age)
				}
			}
			return sum
		}}
	},
	func(r *rand.Rand) definition {
		return definition{text: `events().top_interest(e, e.properties.city, "1d")`, want: func(p *person, now time.Time) (most any) {
			weights := map[string]float64{}
			for _, e := range p.events {
				age := int(now.Truncate(24*time.Hour).Sub(e.Timestamp.Truncate(24*time.Hour)) / (24 * time.Hour))
				if city, ok := e.Properties()["city"].(string); ok && age < 10 {
					weights[city] += 1 / float64(int(1)<<age)
				}
			}
			for city, w := range weights {
				if most == nil || w > weights[most.(string)] || w == weights[most.(string)] && city < most.(string) {
					most = city
				}
			}
			return most
		}}
	},
}

var segmentForms = []func(r *rand.Rand) definition{
	func(r *rand.Rand) definition {
		name, window, least := pick(r, eventNames), pick(r, windows), 1+r.IntN(3)
		return definition{
			text: fmt.Sprintf("events(%q).within(%q).count() >= %d", name, window, least), window: duration(window),
			want: func(p *person, now time.Time) any { return len(p.named(name, duration(window), now)) >= least },
		}
	},
	func(r *rand.Rand) definition {
		window := pick(r, windows)
		return definition{
			text: fmt.Sprintf("!events().within(%q).exists()", window), window: duration(window),
			want: func(p *person, now time.Time) any { return len(p.named("", duration(window), now)) == 0 },
		}
	},
	func(r *rand.Rand) definition {
		name, other, window := pick(r, eventNames), pick(r, eventNames), pick(r, windows)
		return definition{
			text: fmt.Sprintf("events(%q).exists() && !events(%q).within(%q).exists()", name, other, window), window: duration(window),
			want: func(p *person, now time.Time) any {
				return len(p.named(name, 0, now)) > 0 && len(p.named(other, duration(window), now)) == 0
			},
		}
	},
	func(r *rand.Rand) definition {
		name, window, above := pick(r, eventNames), pick(r, windows), float64(r.IntN(4))
		return definition{
			text: fmt.Sprintf("events(%q).where(e, e.properties.n > %g).within(%q).exists()", name, above, window), window: duration(window),
			want: func(p *person, now time.Time) any {
				for _, e := range p.named(name, duration(window), now) {
					if n, ok := number(e, "n"); ok && n > above {
						return true
					}
				}
				return false
			},
		}
	},
	func(r *rand.Rand) definition {
		city := pick(r, cities)
		return definition{text: fmt.Sprintf("profile.vip == true && profile.city != %q", city), want: func(p *person, _ time.Time) any {
			return p.traits["vip"] == true && p.traits["city"] != nil && p.traits["city"] != city
		}}
	},
	func(r *rand.Rand) definition {
		return definition{text: `preferences.mail == "weekly" || !profile.subscribed`, want: func(p *person, _ time.Time) any {
			return p.preferences["mail"] == "weekly" || !p.subscribed
		}}
	},
	func(r *rand.Rand) definition {
		window := pick(r, windows)
		return definition{
			text: fmt.Sprintf("age(profile.last_a) < duration(%q)", window), window: duration(window),
			want: func(p *person, now time.Time) any {
				last, ok := p.computed["last_a"].(time.Time)
				return ok && now.Sub(last) < duration(window)
			},
		}
	},
}

// nestedForms build on what is there always: the segment s0 and the traits last_a and orders.
var nestedForms = []func(r *rand.Rand) definition{
	func(r *rand.Rand) definition {
		return definition{text: `"s0" in segments && !("s1" in segments)`, want: func(p *person, _ time.Time) any {
			return p.segments["s0"] && !p.segments["s1"]
		}}
	},
	func(r *rand.Rand) definition {
		least := 1 + r.IntN(3)
		return definition{text: fmt.Sprintf(`profile.orders >= %d || "s0" in segments`, least), want: func(p *person, _ time.Time) any {
			orders, ok := p.computed["orders"].(float64)
			return ok && orders >= float64(least) || p.segments["s0"]
		}}
	},
}

// base are the definitions that others name.
func base() []definition {
	last := definition{name: "last_a", text: `events("A").last()`, want: func(p *person, now time.Time) any {
		events := p.named("A", 0, now)
		if len(events) == 0 {
			return nil
		}
		return events[len(events)-1].Timestamp
	}}
	orders := definition{name: "orders", text: `events("Order Completed").count()`, want: func(p *person, now time.Time) any {
		return float64(len(p.named("Order Completed", 0, now)))
	}}
	return []definition{last, orders}
}

// quintile defines in which fifth of all customers a value lies.
func quintile(name, value string, of func(p *person) any) definition {
	text := "quintile(" + value + ")"
	return definition{name: name, text: text, want: func(p *person, _ time.Time) any { return p.fifth(text, of(p)) }, fifthOf: of}
}

// draw makes a set of definitions in order of use. Of an older set some stay as they are, some change, some go.
func draw(r *rand.Rand, old []definition, quintiles, queries bool) []definition {
	kept := map[string]definition{}
	for _, d := range old {
		if r.IntN(2) == 0 {
			kept[d.name] = d
		}
	}
	set := base()
	if quintiles {
		set = append(set, quintile("q_orders", "profile.orders", func(p *person) any { return p.computed["orders"] }),
			quintile("q_last", "profile.last_a", func(p *person) any { return p.computed["last_a"] }),
			definition{name: "best", segment: true, text: "profile.q_orders >= 4", want: func(p *person, _ time.Time) any {
				fifth, ok := p.computed["q_orders"].(float64)
				return ok && fifth >= 4
			}})
	}
	add := func(prefix string, n int, segment bool, forms []func(*rand.Rand) definition) {
		for i := range n {
			name := fmt.Sprint(prefix, i)
			d, ok := kept[name]
			if !ok {
				d = pick(r, forms)(r)
				if d.name, d.segment = name, segment; d.query {
					d.want = func(p *person, _ time.Time) any { return p.given[name] != nil }
				}
			}
			set = append(set, d)
		}
	}
	add("t", r.IntN(5), false, traitForms)
	add("s", 2+r.IntN(6), true, segmentForms)
	if queries {
		add("q", 1+r.IntN(2), true, queryForms)
		add("asking", 1, true, askingForms)
	}
	add("nested", r.IntN(3), true, nestedForms)
	return set
}
