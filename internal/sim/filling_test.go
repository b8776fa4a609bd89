package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// shop is a machine with customers u1, u2, … who are the profiles of these ids.
type shop struct {
	*machine
	t    *testing.T
	sent int
}

// inShop runs a test on a machine with so many customers, each of whom once visited.
func inShop(t *testing.T, customers int, run func(s *shop)) {
	dir := t.TempDir()
	disk := faultfs.Mount(dir)
	defer disk.Unmount()
	newFirstDisk(t).lay(t, disk, dir)
	synctest.Test(t, func(t *testing.T) {
		s := &shop{t: t, machine: &machine{
			dir: dir, disk: disk, clock: newClock(), policy: smallPolicy(), upkeep: store.Upkeep(7, 100, sortingPause), fill: 4, saveAt: 5, save: 2, pack: 3,
		}}
		s.start(nil)
		defer func() {
			if s.running { // the test failed
				disk.Crash()
				s.stop()
			}
		}()
		for i := range customers {
			s.track(i+1, "Visited")
		}
		run(s)
		s.stop()
	})
}

func (s *shop) start(defined []definition) {
	s.t.Helper()
	if err := s.boot(defined); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
}

// crash ends the program in the middle of everything.
func (s *shop) crash() {
	s.disk.Crash()
	synctest.Wait()
	s.stop()
	s.disk.Restart(faultfs.Lost, rand.New(rand.NewPCG(1, 2)))
}

func (s *shop) track(customer int, name string) {
	s.t.Helper()
	s.sent++
	m := message{id: fmt.Sprint("m", s.sent)}
	m.raw = fmt.Appendf(nil, `{"type":"track","event":%q,"userId":"u%d","messageId":%q}`, name, customer, m.id)
	if err := s.ingest([]*event.Event{m.decode(s.clock.now())}, patience); err != nil {
		s.t.Fatal(err)
	}
}

// readOn lets a filling read so many stretches more, and waits until it has filled what it read.
func (s *shop) readOn(times int) {
	s.t.Helper()
	for range times {
		if !s.gate.one() {
			s.t.Fatal("the filling does not read")
		}
		synctest.Wait()
	}
}

// members are the customers in a segment, once every segment holds; they are what their events say.
func (s *shop) members(segment string) (ids []int64) {
	s.t.Helper()
	differences, err := s.differences()
	if err != nil || len(differences) > 0 {
		s.t.Fatal(differences, err)
	}
	kept, err := s.contents(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range kept.living() {
		if _, in := kept.memberships[id][segment]; in {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestAFillingGoesOnAfterACrash(t *testing.T) {
	inShop(t, 40, func(s *shop) {
		rules := []definition{{name: "often", segment: true, text: `events("Visited").count() == 2`}}
		if err := s.define(rules); err != nil {
			s.t.Fatal(err)
		}
		synctest.Wait()
		s.readOn(3) // 12 profiles, of whom the last 4 may wait for the next reading
		for _, customer := range []int{2, 6, 30, 40} {
			s.track(customer, "Visited")
		}
		pass(time.Minute) // they are sorted into runs meanwhile
		before, err := s.store.Filling(context.Background())
		if err != nil || before.Done < 8 || before.Through != 40 {
			s.t.Fatalf("before the crash: %+v, %v", before, err)
		}
		s.crash()
		s.start(rules)
		if s.begun.ID != before.ID || s.begun.Done != before.Done || s.begun.Boundary != before.Boundary {
			s.t.Errorf("after the crash: %+v, want %+v", s.begun, before)
		}
		if st := s.engine.Status(); st.Progress != float64(before.Done)/40 || len(st.Building) != 1 {
			s.t.Errorf("status %+v", st)
		}
		s.track(35, "Visited")
		s.crash() // again, having read nothing
		s.start(rules)
		if got, want := fmt.Sprint(s.members("often")), "[2 6 30 35 40]"; got != want {
			s.t.Errorf("members %v, want %v", got, want)
		}
		if got, want := len(s.gate.read), (40-int(before.Done)+3)/4; got != want || s.gate.read[0] != before.Done+1 {
			s.t.Errorf("read %d stretches from %v on, want %d from %d", got, s.gate.read, want, before.Done+1)
		}
	})
}

func TestWhoeverDoesSomethingWhileWaitingIsFilled(t *testing.T) {
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprintf("crash=%v", crash), func(t *testing.T) {
			inShop(t, 10, func(s *shop) {
				rules := []definition{{name: "buyers", segment: true, text: `events("Bought").exists()`}}
				if err := s.define(rules); err != nil {
					s.t.Fatal(err)
				}
				s.track(9, "Bought") // of which history knows nothing
				if crash {
					s.crash()
					s.start(rules)
				}
				if got := fmt.Sprint(s.members("buyers")); got != "[9]" {
					s.t.Errorf("members %v", got)
				}
			})
		})
	}
}

func TestOtherRulesBeginAnotherFilling(t *testing.T) {
	inShop(t, 12, func(s *shop) {
		first := []definition{{name: "often", segment: true, text: `events("Visited").count() == 2`}}
		if err := s.define(first); err != nil {
			s.t.Fatal(err)
		}
		synctest.Wait()
		s.readOn(2)
		s.track(3, "Visited")
		second := append(first, definition{name: "all", segment: true, text: `events("Visited").exists()`})
		if err := s.define(second); err != nil {
			s.t.Fatal(err)
		}
		s.track(4, "Visited")
		if got := fmt.Sprint(s.members("often"), len(s.members("all"))); got != "[3 4] 12" {
			s.t.Errorf("members %v", got)
		}
		if f, err := s.store.Filling(context.Background()); err != nil || f.ID != (engine.Filling{}).ID {
			s.t.Errorf("filling %+v, %v", f, err)
		}
	})
}

// Whoever was in a segment that is gone is not in another one of its name, though nothing else is to be filled for her and
// the former had not been cleared away before the other came.
func TestASegmentOfTheNameOfAnotherBeginsAnew(t *testing.T) {
	inShop(t, 10, func(s *shop) {
		seen := definition{name: "seen", segment: true, text: `events("Visited").exists()`}
		if err := s.define([]definition{seen}); err != nil {
			s.t.Fatal(err)
		}
		if got := len(s.members("seen")); got != 10 {
			s.t.Fatalf("%d members", got)
		}
		bought := definition{name: "bought", segment: true, text: `events("Bought").exists()`}
		for _, defined := range [][]definition{{bought}, {bought, {name: "seen", segment: true, text: `events("Seen").exists()`}}} {
			if err := s.define(defined); err != nil { // which waits at the gate
				s.t.Fatal(err)
			}
		}
		if got := s.members("seen"); len(got) > 0 {
			s.t.Errorf("members %v", got)
		}
	})
}

// What a query lists is given whole or not at all, whichever write the power fails before, and outlives that and fillings;
// what other segments make of it follows.
func TestWhatQueriesListOutlivesCrashes(t *testing.T) {
	inShop(t, 10, func(s *shop) {
		rules := []definition{
			{name: "listed", segment: true, query: true, text: "SELECT id AS profile_id FROM profiles"},
			{name: "high", segment: true, text: `"listed" in segments && profile.sql.listed.n >= 5`},
		}
		give := func(rows ...engine.Row) error {
			ctx, cancel := within(patience)
			defer cancel()
			s.gate.open() // it waits for what is being filled
			_, err := s.engine.Give(ctx, "listed", rows)
			return err
		}
		row := func(id int64, n float64) engine.Row {
			return engine.Row{ProfileID: id, Columns: map[string]any{"n": n}}
		}
		members := func() string { return fmt.Sprint(s.members("listed"), s.members("high")) }
		expect := func(when, want string) {
			s.t.Helper()
			if got := members(); got != want {
				s.t.Fatalf("%s: %s, want %s", when, got, want)
			}
		}
		if err := s.define(rules); err != nil {
			s.t.Fatal(err)
		}
		if err := give(row(2, 1), row(3, 5), row(4, 9)); err != nil {
			s.t.Fatal(err)
		}
		s.crash()
		s.start(rules)
		expect("after a crash", "[2 3 4] [3 4]")

		rules = append(rules, definition{name: "often", segment: true, text: `events("Visited").count() == 1`})
		if err := s.define(rules); err != nil {
			s.t.Fatal(err)
		}
		synctest.Wait()
		s.readOn(1)
		s.crash()
		s.start(rules)
		expect("after a crash while another is filled", "[2 3 4] [3 4]")

		before, after := "[2 3 4] [3 4]", "[2 4 7] [2 7]"
		there := []engine.Row{row(2, 6), {ProfileID: 3, Gone: true}, row(4, 1), row(7, 7)}
		back := []engine.Row{row(2, 1), row(3, 5), row(4, 9), {ProfileID: 7, Gone: true}}
		whole, crashes := false, 0
		for at := 1; !whole; at++ { // until it is done before the power fails
			s.disk.Plan(faultfs.Plan{CrashAt: at})
			whole = give(there...) == nil && !s.disk.Down()
			if s.disk.Down() {
				crashes++
			}
			s.disk.Crash()
			synctest.Wait()
			s.stop()
			s.disk.Restart(faultfs.Torn, rand.New(rand.NewPCG(uint64(at), 3)))
			s.start(rules)
			got := members()
			if got != before && got != after || whole && got != after {
				s.t.Fatalf("the power fails before change %d: %s, want %s or %s", at, got, before, after)
			}
			if err := give(back...); err != nil {
				s.t.Fatal(err)
			}
			expect("taken back", before)
		}
		if s.t.Logf("the power failed before %d changes", crashes); crashes < 3 {
			s.t.Error("too few to tell")
		}
	})
}

// Timers that are due fire though a profile could not be read at first, and nothing else happens.
func TestTimersFireThoughAReadFailed(t *testing.T) {
	inShop(t, 60, func(s *shop) { // on several pages
		rules := []definition{{name: "quiet", segment: true, text: `!events().within("1h").exists()`}}
		if err := s.define(rules); err != nil {
			s.t.Fatal(err)
		}
		if got := s.members("quiet"); len(got) > 0 {
			s.t.Fatalf("members %v", got)
		}
		for at := 1; at <= 8; at++ {
			s.stop()
			s.start(rules) // nobody is in memory
			s.disk.Plan(faultfs.Plan{ReadFailAt: at, ReadsFail: 1})
			s.clock.jump(2 * time.Hour)
			pass(2 * time.Minute) // the clock is looked at once a minute
			s.disk.Plan(faultfs.Plan{})
			pass(2 * time.Second)
			if got := s.members("quiet"); len(got) != 60 {
				s.t.Fatalf("read %d failed: members %v", at, got)
			}
			for i := range 60 {
				s.track(i+1, "Visited")
			}
		}
	})
}
