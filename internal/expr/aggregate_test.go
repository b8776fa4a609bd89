package expr

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// lowerBound lowers MaxEntries for a test.
func lowerBound(t *testing.T, n int) {
	was := maxEntries
	maxEntries = n
	t.Cleanup(func() { maxEntries = was })
}

var reducing = []string{
	`count()`, `exists()`, `first()`, `last()`, `sum(e, e.properties.n)`, `avg(e, e.properties.n)`, `min(e, e.properties.n)`,
	`max(e, e.properties.s)`, `first(e, e.properties.s)`, `last(e, e.properties.n)`, `distinct(e, e.properties.s)`,
	`most_common(e, e.properties.s)`, `most_common(e, e.properties.n)`,
}

// Long histories that arrive late, in bursts, in two profiles that merge, and beyond the bound of a window come to what the
// naive reading says of them; what is stored and read again goes on alike.
func TestLongWindows(t *testing.T) {
	lowerBound(t, 700)
	minute := int64(60_000_000)
	for _, end := range reducing {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", end, seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				p, err := Value(fmt.Sprintf(`events("A").within("%dm").%s`, []int{300, 5000}[seed%2], end))
				if err != nil {
					t.Fatal(err)
				}
				term, now := p.Terms[0], noon.UnixMicro()
				var all []*Event
				parts := [2]*Aggregate{{}, {}}
				check := func() {
					slices.SortFunc(all, func(a, b *Event) int {
						if (Entry{At: a.At, Tie: a.Tie}).before(Entry{At: b.At, Tie: b.Tie}) {
							return -1
						}
						return 1
					})
					s := scope(now, nil)
					due := 0
					for due < len(all) && all[due].At <= now {
						due++
					}
					s.Events = all[:due]
					s.Aggregate = func(*Term) *Aggregate { return parts[0] }
					if got, want := p.Result(s), p.NaiveResult(s); got != want {
						t.Fatalf("after %d events: got %v, want %v", len(all), got, want)
					}
				}
				for i := range 2400 {
					e := &Event{Name: "A", At: now, Tie: random.Uint64(), Properties: map[string]any{
						"n": []any{float64(random.IntN(50)) / 10, float64(i), float64(-i), 1e200, nil}[random.IntN(5)],
						"s": []any{"x", fmt.Sprint("s", random.IntN(40)), true, nil}[random.IntN(4)],
					}}
					switch random.IntN(5) {
					case 0:
						e.At -= random.Int64N(400) * minute // late
					case 1:
						e.At += random.Int64N(40) * minute // not yet due
					}
					all = append(all, e)
					if entry, ok := term.Observe(e); ok {
						part := 0
						if i < 1200 && i%3 == 0 {
							part = 1
						}
						parts[part].Add(term, entry, now)
					}
					if random.IntN(3) == 0 {
						now += random.Int64N(2) * minute
					}
					if i == 1200 {
						parts[0].Merge(term, parts[1], now)
					}
					if i > 1200 && i%397 == 0 {
						check()
						stored := parts[0].Append(nil)
						if parts[0], err = DecodeAggregate(stored); err != nil {
							t.Fatal(err)
						}
						if again := parts[0].Append(nil); !bytes.Equal(stored, again) {
							t.Fatal("what is read is stored otherwise")
						}
					}
				}
				for range 4 {
					now += 1250 * minute
					check()
				}
				if parts[0].Advance(term, now+6000*minute); term.sheds() && !parts[0].Empty() {
					t.Error("not empty after all have left")
				}
			})
		}
	}
}

// Of events that come newest first no more are asked for than can count.
func TestOlderEventsAreNotWantedForLong(t *testing.T) {
	const hour = int64(3_600_000_000)
	for text, want := range map[string]int{
		`events("A").within("10d").count() >= 3`:               4,   // the newest four
		`events("A").within("10h").sum(e, e.properties.n) > 1`: 10,  // what the window has
		`events("A").sum(e, e.properties.n) > 1`:               100, // all
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		term, now, wanted := p.Terms[0], noon.UnixMicro(), 0
		var a *Aggregate
		for i := range int64(100) {
			e := &Event{Name: "A", At: now - i*hour, Properties: map[string]any{"n": 1.0}}
			if !a.Wants(term, e.At, now) {
				continue
			}
			wanted++
			if a == nil {
				a = &Aggregate{}
			}
			entry, _ := term.Observe(e)
			a.Add(term, entry, now)
		}
		if wanted != want {
			t.Errorf("%s wanted %d events, not %d", text, wanted, want)
		}
	}
}

// Three parts merge in any order to the same stored state.
func TestMergingInAnyOrder(t *testing.T) {
	lowerBound(t, 40)
	for _, text := range append(slices.Clone(behaviours), `events("A").within("300d").sum(e, e.properties.n)`) {
		p, err := Value(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, term := range p.Terms {
			merged := map[string]bool{}
			for _, order := range [][3]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
				random := rand.New(rand.NewPCG(7, 7))
				parts := [3]*Aggregate{{}, {}, {}}
				for i := range 150 {
					e := &Event{
						Name: []string{"A", "B"}[random.IntN(2)], At: noon.UnixMicro() - random.Int64N(40)*day/10, Tie: random.Uint64(),
						Properties: map[string]any{"n": float64(random.IntN(9)) / 7, "s": fmt.Sprint(random.IntN(5))},
					}
					if entry, ok := term.Observe(e); ok {
						parts[i%3].Add(term, entry, noon.UnixMicro()-day)
					}
				}
				into := parts[order[0]]
				into.Merge(term, parts[order[1]], noon.UnixMicro())
				into.Merge(term, parts[order[2]], noon.UnixMicro())
				into.sum = exactSum{[]float64{into.sum.value()}} // the same sum may be held in other parts
				merged[string(into.Append(nil))] = true
			}
			if len(merged) != 1 {
				t.Errorf("%s: %d states", term.Key, len(merged))
			}
		}
	}
}

// A stored aggregate of a window is small, and no damage to it makes decoding panic.
func FuzzDecodeAggregate(f *testing.F) {
	for _, end := range reducing {
		for _, window := range []string{"", `.within("9d")`} {
			p, err := Value(`events("X")` + window + `.` + end)
			if err != nil {
				f.Fatal(err)
			}
			a := &Aggregate{}
			for _, e := range benchHistory(9) {
				e.Properties["n"], e.Properties["s"] = 1.25, "text"
				if entry, ok := p.Terms[0].Observe(e); ok {
					a.Add(p.Terms[0], entry, noon.UnixMicro()-300_000_000)
				}
			}
			f.Add(a.Append(nil))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := DecodeAggregate(data)
		if err != nil {
			return
		}
		if _, err := DecodeAggregate(a.Append(nil)); err != nil {
			t.Fatal("what was read cannot be stored")
		}
	})
}

// The sizes that docs and the comment of Append speak of.
func TestStoredSize(t *testing.T) {
	for end, most := range map[string]float64{`count()`: 5, `sum(e, e.properties.total)`: 16, `last(e, e.properties.category)`: 24} {
		p, err := Value(`events("X").within("900d").` + end)
		if err != nil {
			t.Fatal(err)
		}
		a, term := &Aggregate{}, p.Terms[0]
		for i, e := range benchHistory(1000) {
			e.At = noon.UnixMicro() - int64(i)*7_919_123_000 // whole milliseconds, about two hours apart
			entry, _ := term.Observe(e)
			a.Add(term, entry, noon.UnixMicro())
		}
		per := float64(len(a.Append(nil))) / 1000
		t.Logf("%s: %.1f bytes an entry", end, per)
		if per > most {
			t.Errorf("%s: %.1f bytes an entry, want at most %v", end, per, most)
		}
	}
}
