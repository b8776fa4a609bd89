package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// result is what a query lists: the further columns by profile.
type result map[int64]map[string]any

// queryForms each draw a query and what it lists of one profile that is, or became, a part of a customer.
var queryForms = []func(r *rand.Rand) definition{
	func(*rand.Rand) definition {
		return ask(`SELECT id AS profile_id, traits ->> 'city' AS city FROM profiles WHERE traits ->> 'vip' = 1 AND merged_into IS NULL`,
			func(id int64, c *customer, is *person, _ time.Time) (map[string]any, bool) {
				return column("city", is.traits["city"]), id == c.ID && is.traits["vip"] == true
			})
	},
	func(r *rand.Rand) definition {
		least := 1 + r.IntN(3)
		return ask(fmt.Sprintf(`SELECT id AS profile_id, computed ->> 'orders' AS n FROM profiles WHERE computed ->> 'orders' >= %d AND merged_into IS NULL`, least),
			func(id int64, c *customer, is *person, _ time.Time) (map[string]any, bool) {
				n, ok := is.computed["orders"].(float64)
				return column("n", n), id == c.ID && ok && n >= float64(least)
			})
	},
	func(r *rand.Rand) definition {
		window := pick(r, windows)
		return ask(fmt.Sprintf(`SELECT id AS profile_id FROM profiles WHERE last_seen_at < :now - %d AND merged_into IS NULL`, duration(window).Microseconds()),
			func(id int64, c *customer, _ *person, now time.Time) (map[string]any, bool) {
				_, _, last := c.seen()
				return nil, id == c.ID && last < now.Add(-duration(window)).UnixMicro()
			})
	},
	func(*rand.Rand) definition {
		return ask(`SELECT profile_id FROM memberships WHERE segment = 's0'`, func(id int64, c *customer, is *person, _ time.Time) (map[string]any, bool) {
			return nil, id == c.ID && is.segments["s0"]
		})
	},
	func(*rand.Rand) definition { // parts of customers among them
		return ask(`SELECT id AS profile_id, id % 5 AS n FROM profiles WHERE id % 2 = 0`, func(id int64, _ *customer, _ *person, _ time.Time) (map[string]any, bool) {
			return column("n", float64(id%5)), id%2 == 0
		})
	},
}

// askingForms ask for what the query of q0 says.
var askingForms = []func(r *rand.Rand) definition{
	func(r *rand.Rand) definition {
		least := r.IntN(4)
		return definition{text: fmt.Sprintf(`"q0" in segments && profile.sql.q0.n >= %d`, least), want: func(p *person, _ time.Time) any {
			n, ok := p.given["q0"]["n"].(float64)
			return p.segments["q0"] && ok && n >= float64(least)
		}}
	},
	func(r *rand.Rand) definition {
		name, window := pick(r, eventNames), pick(r, windows)
		return definition{
			text: fmt.Sprintf(`!("q0" in segments) && events(%q).within(%q).exists()`, name, window), window: duration(window),
			want: func(p *person, now time.Time) any {
				return !p.segments["q0"] && len(p.named(name, duration(window), now)) > 0
			},
		}
	},
}

func ask(text string, lists func(id int64, c *customer, is *person, now time.Time) (map[string]any, bool)) definition {
	return definition{text: text, query: true, lists: lists}
}

// column is a row with one further column, which is not there where the value is none.
func column(name string, value any) map[string]any {
	if value == nil {
		return map[string]any{}
	}
	return map[string]any{name: value}
}

// tellGiven lets all customers hear what queries say of them: what names herself counts before what names an older part.
func (p *population) tellGiven() {
	for _, c := range p.living {
		c.given = map[string]map[string]any{}
	}
	for name, rows := range p.given {
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			c := p.current(id)
			if _, heard := c.given[name]; !heard || id == c.ID {
				c.given[name] = rows[id]
			}
		}
	}
}

// plans are the queries among definitions.
func plans(defined []definition) (all []query.Plan) {
	for _, d := range defined {
		if d.query {
			all = append(all, query.Plan{Segment: d.name, SQL: d.text, Schedule: "on demand"})
		}
	}
	return all
}

// ask has the engine run a query, and those that wait to be run.
func (m *machine) ask(name string) error {
	ctx, cancel := within(patience)
	defer cancel()
	m.gate.open() // it waits for what is being filled
	if err := m.store.AskQuery(ctx, name, "", m.clock.now()); err != nil {
		return err
	}
	_, err := m.runner.RunDue(ctx)
	return err
}

// listed is the result of a query that holds.
func (m *machine) listed(name string) (result, error) {
	rows := result{}
	return rows, m.store.ResultRows(context.Background(), name, func(id int64, columns string) error {
		rows[id] = object(columns)
		return nil
	})
}

// ask has somebody ask for what a query says now.
func (w *world) ask(r *rand.Rand) {
	all := plans(w.defined)
	if len(all) == 0 {
		w.send(r)
		return
	}
	if r.IntN(3) == 0 {
		w.breakDisk(r)
	}
	p := pick(r, all)
	err := w.m.ask(p.Segment)
	w.say("ask %s: %v", p.Segment, err)
	if err != nil && !w.disk.Down() && !ofTheDisk(err) {
		w.fail("%s could not be asked for no reason of the disk: %v", p.Segment, err)
	}
}

// source is the store as queries see it. It holds what they say against the same question to the model.
type source struct{ w *world }

func (s source) CheckQuery(ctx context.Context, sql string) ([]string, error) {
	return s.w.m.store.CheckQuery(ctx, sql)
}

func (s source) ProfileNumber(public string) (int64, bool) { return s.w.m.store.ProfileNumber(public) }

func (s source) Query(
	ctx context.Context, sql string, now time.Time, limit time.Duration, begin func([]string) error, each func([]any) error,
) (err error) {
	s.w.disk.Calm(func() { // what it reads is what everybody has acknowledged
		s.w.quiesce()
		pass(2 * time.Second)
		if err = s.w.m.engine.WaitFilled(ctx); err != nil {
			return
		}
		if s.w.disk.Down() { // since it was asked: nothing can be read, nor compared, before the restart
			err = fault.New(fault.Unavailable, "the power is off")
			return
		}
		if s.w.refused {
			s.w.lookForVoid()
		}
		var names []string
		listed := result{}
		err = s.w.m.store.Query(ctx, sql, now, limit, func(columns []string) error {
			names = columns
			return begin(columns)
		}, func(row []any) error {
			columns := map[string]any{}
			for i, v := range row {
				if n, is := v.(int64); is {
					v = float64(n)
				}
				if v != nil {
					columns[names[i]] = v
				}
			}
			id := int64(columns["profile_id"].(float64))
			delete(columns, "profile_id")
			listed[id] = columns
			return each(row)
		})
		if err == nil {
			s.w.compareListed(sql, now, listed)
		}
	})
	return err
}

// compareListed compares what a query lists with what the model does.
func (w *world) compareListed(sql string, now time.Time, listed result) {
	kept := &contents{cuts: map[string][]float64{}, learned: map[string]time.Time{}}
	if err := w.m.readCuts(context.Background(), w.defined, kept); err != nil {
		w.fail("the cuts cannot be read: %v", err)
	}
	lists := w.defined[slices.IndexFunc(w.defined, func(d definition) bool { return d.text == sql })].lists
	want := result{}
	for _, c := range w.model.population().living {
		is := c.at(w.clock.lived(), w.defined, kept.cuts)
		for _, id := range c.parts() {
			if columns, ok := lists(id, c, is, now); ok {
				want[id] = column("", nil)
				maps.Copy(want[id], columns)
			}
		}
	}
	if w.tally.queries++; !reflect.DeepEqual(listed, want) {
		w.fail("%s lists %v, want %v", sql, listed, want)
	}
	w.listed = listed
}

// giver is the engine as queries see it.
type giver struct{ w *world }

func (g giver) Give(ctx context.Context, name string, rows []engine.Row) (unknown int, err error) {
	w := g.w
	d := &deed{what: list, name: name, rows: w.listed}
	w.m.byHand = 0
	unknown, err = w.m.engine.Give(ctx, name, rows)
	d.taken = w.m.byHand
	w.say("%v: %v", d, err)
	w.did(d, err)
	if holds := w.model.population().given[name]; holds != nil {
		w.lists[name] = holds
	}
	return unknown, err
}

// voidGone notes that nobody knows any more what queries said whose segments are not among other definitions. One that
// asks something else says what it said before until it has been asked.
func (w *world) voidGone(next []definition) {
	for _, p := range plans(w.defined) {
		if !slices.ContainsFunc(plans(next), func(q query.Plan) bool { return q.Segment == p.Segment }) {
			w.model.do(&deed{what: void, name: p.Segment})
		}
	}
}

// lookForVoid asks the disk whether what queries said was forgotten, as it is where segments begin anew: after the clock
// went back, and perhaps where definitions were refused. The disk works meanwhile.
func (w *world) lookForVoid() {
	for _, p := range plans(w.defined) {
		listed, err := w.m.listed(p.Segment)
		if err != nil {
			w.fail("the results of queries cannot be read: %v", err)
		}
		if before := w.lists[p.Segment]; len(listed) == 0 {
			w.model.do(&deed{what: void, name: p.Segment})
		} else if reflect.DeepEqual(listed, before) { // also where it seemed to be forgotten: a crash may bring it back
			w.model.do(&deed{what: void, name: p.Segment, rows: before})
		}
	}
}
