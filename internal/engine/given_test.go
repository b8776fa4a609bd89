package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// queried are rules with SQL segments, by name.
func queried(t fataler, queries, segments, traits map[string]string) *engine.Rules {
	var s []segment.Definition
	for name, text := range queries {
		s = append(s, segment.Definition{Name: name, SQL: text})
	}
	for name, condition := range segments {
		s = append(s, segment.Definition{Name: name, Condition: condition})
	}
	var c []segment.Trait
	for name, expression := range traits {
		c = append(c, segment.Trait{Name: name, Expression: expression})
	}
	r, err := engine.Compile(s, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inSQL chooses the text for the database that the tests run on.
func inSQL(sqlite, postgres string) string {
	if storetest.OnPostgres() {
		return postgres
	}
	return sqlite
}

// ask runs the queries of all SQL segments, and gives the last run of each.
func (f *fixture) ask(queries map[string]string) map[string]query.Run {
	ctx := context.Background()
	r := query.New(query.Config{Source: f.store, Ledger: f.store, Giver: f, Now: f.now, Log: slog.New(slog.DiscardHandler)})
	defer r.Close()
	var plans []query.Plan
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		plans = append(plans, query.Plan{Segment: name, SQL: queries[name], Schedule: "on demand"})
	}
	if err := r.Follow(ctx, plans); err != nil {
		f.t.Fatal(err)
	}
	for _, p := range plans {
		if err := f.store.AskQuery(ctx, p.Segment, "ada", f.now()); err != nil {
			f.t.Fatal(err)
		}
	}
	if _, err := r.RunDue(ctx); err != nil {
		f.t.Fatal(err)
	}
	states, err := f.store.QueryStates(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	runs := map[string]query.Run{}
	for name, s := range states {
		runs[name] = s.Last
	}
	return runs
}

func (f *fixture) done(queries map[string]string) {
	for name, run := range f.ask(queries) {
		if run.Status != query.Done {
			f.t.Fatalf("%s: %+v", name, run)
		}
	}
}

func TestAQueryMakesASegment(t *testing.T) {
	queries := map[string]string{"rich": `SELECT id AS profile_id, CAST(traits ->> 'n' AS INTEGER) AS score, traits ->> 'city' AS city FROM profiles
		WHERE CAST(traits ->> 'n' AS INTEGER) > 10 AND merged_into IS NULL`}
	rules := func() *engine.Rules {
		return queried(t, queries, map[string]string{"richest": `"rich" in segments && profile.sql.rich.score >= 30`, "not-rich": `!("rich" in segments)`}, nil)
	}
	f := start(t, t.TempDir(), epoch, rules())
	defer func() { f.close() }()
	ctx := context.Background()
	tell := func(user string, n int, city any) {
		f.send(f.now(), map[string]any{"type": "identify", "userId": user, "traits": map[string]any{"n": n, "city": city, "sql": map[string]any{"rich": map[string]any{}}}})
	}
	in := func(user string, want ...string) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(f.profile("user_id", user).Segments.Map())); !slices.Equal(got, want) {
			t.Errorf("%s is in %v, want %v", user, got, want)
		}
	}
	tell("a", 5, "Oslo")
	tell("b", 20, "Rome")
	tell("c", 40, nil)
	in("b", "not-rich") // nobody becomes a member by telling so
	if run := f.ask(queries)["rich"]; run.Listed != 2 || run.Added != 2 || run.Removed+run.Changed+run.Unknown+run.Twice != 0 || run.Cause != query.ByDemand || run.By != "ada" {
		t.Errorf("run %+v", run)
	}
	in("a", "not-rich")
	in("b", "rich")
	in("c", "rich", "richest")
	f.verify()
	b := f.profile("user_id", "b").ID
	history, _, err := f.store.Transitions(ctx, b, "rich", "", 10)
	if err != nil || len(history) != 1 || history[0].Cause.Kind != engine.BySQL || !history[0].Entered || history[0].At != f.now().UnixMicro() {
		t.Errorf("history %+v, %v", history, err)
	}

	// The result stands until the next one differs, through a restart as well.
	f.advance(time.Hour)
	tell("a", 50, "Quito")
	tell("b", 31, "Rome")
	tell("c", 1, nil)
	f.close()
	f.open(rules())
	in("a", "not-rich")
	in("c", "rich", "richest")
	f.verify()
	if run := f.ask(queries)["rich"]; run.Listed != 2 || run.Added != 1 || run.Removed != 1 || run.Changed != 1 {
		t.Errorf("run %+v", run)
	}
	in("a", "rich", "richest")
	in("b", "rich", "richest")
	in("c", "not-rich")
	if since, _ := f.profile("user_id", "b").Segments.Since("rich"); since != epoch.UnixMicro() {
		t.Errorf("b is a member since %v", time.UnixMicro(since).UTC())
	}
	f.verify()
	if run := f.ask(queries)["rich"]; run.Added+run.Removed+run.Changed != 0 {
		t.Errorf("nothing changed: %+v", run)
	}

	// What a person said wins.
	if err := f.Override(ctx, b, profile.Override{Kind: "segment", Name: "rich", Value: false}); err != nil {
		t.Fatal(err)
	}
	in("b", "not-rich")
	f.done(queries)
	in("b", "not-rich")
	f.verify()
	if err := f.LiftOverride(ctx, b, "segment", "rich", "ada"); err != nil {
		t.Fatal(err)
	}
	in("b", "rich", "richest")

	// The past is told from what was recorded.
	c := f.profile("user_id", "c").ID
	for at, want := range map[time.Time]bool{epoch.Add(time.Minute): true, f.now(): false} {
		reason, err := f.Explain(ctx, rules(), c, "rich", at.UnixMicro(), engine.Then)
		if err != nil || reason.Value != want || !strings.Contains(reason.Text, "SELECT") {
			t.Errorf("c at %v: %+v, %v", at, reason, err)
		}
	}
}

// A query that fails changes nothing, and says why.
func TestAFailedQueryLeavesTheResult(t *testing.T) {
	name := "listed"
	set := func(text string) map[string]string { return map[string]string{name: text} }
	f := start(t, t.TempDir(), epoch, queried(t, set("SELECT 1"), nil, nil))
	defer f.close()
	f.send(epoch, map[string]any{"type": "identify", "userId": "a"})
	f.done(set(`SELECT id AS profile_id FROM profiles`))
	bytes := inSQL(`SELECT id AS profile_id, CAST('x' AS BLOB) AS x FROM profiles`, `SELECT id AS profile_id, 'x'::bytea AS x FROM profiles`)
	infinite := inSQL(`SELECT id AS profile_id, 9e999 AS x FROM profiles`, `SELECT id AS profile_id, 'Infinity'::float8 AS x FROM profiles`)
	long, many := strings.Repeat("x", 501), ""
	for i := range 25 {
		many += fmt.Sprintf(", 1 AS c%d", i)
	}
	for text, says := range map[string]string{
		`SELECT id FROM profiles`:                               "no column profile_id",
		`SELECT id AS profile_id, id + 1 FROM profiles`:         "AS",
		`SELECT id AS profile_id, 1 AS x, 2 AS x FROM profiles`: "two columns",
		`SELECT 'a' AS profile_id`:                              "no customer's",
		`SELECT id + 0.5 AS profile_id FROM profiles`:           "no customer's",
		bytes:    "byte",
		infinite: "finite",
		`SELECT id AS profile_id, '` + long + `' AS x FROM profiles`: "substr",
		`SELECT id AS profile_id FROM profiles, secrets`:             "secrets",
		`SELECT id AS profile_id FROM profilse`:                      "did you mean profiles",
		`SELECT id AS profile_id` + many + ` FROM profiles`:          "selects 25 columns",
	} {
		run := f.ask(set(text))[name]
		if run.Status != query.Failed || !strings.Contains(run.Error, says) {
			t.Errorf("%s: %+v", text, run)
		}
		if !f.profile("user_id", "a").InSegment(name) {
			t.Fatalf("%s: the result is gone", text)
		}
	}
	// Ids that are none, rows without one and rows twice are counted and passed over; the outside's id is taken too.
	id := f.profile("user_id", "a").ID
	if run := f.ask(set(fmt.Sprintf(`SELECT '%s' AS profile_id`, f.store.PublicProfileID(id))))[name]; run.Status != query.Done || run.Listed != 1 || run.Added+run.Removed != 0 {
		t.Errorf("run %+v", run)
	}
	run := f.ask(set(fmt.Sprintf(`SELECT %d AS profile_id UNION ALL SELECT 999 UNION ALL SELECT NULL UNION ALL SELECT %d`, id, id)))[name]
	if run.Status != query.Done || run.Listed != 1 || run.Unknown != 2 || run.Twice != 1 || run.Added+run.Removed != 0 {
		t.Errorf("run %+v", run)
	}
	f.verify()
}

// A segment that is another afterwards does not keep what a query said of it before.
func TestAResultGoesWithItsSegment(t *testing.T) {
	all := map[string]string{"s": `SELECT id AS profile_id FROM profiles`}
	f := start(t, t.TempDir(), epoch, queried(t, all, nil, nil))
	defer f.close()
	ctx := context.Background()
	follow := func(rules *engine.Rules) {
		t.Helper()
		if err := f.SetRules(ctx, rules); err != nil {
			t.Fatal(err)
		}
		f.verify()
	}
	f.send(epoch, map[string]any{"type": "identify", "userId": "a"})
	member := func(want bool) {
		t.Helper()
		if f.profile("user_id", "a").InSegment("s") != want {
			t.Errorf("a member: %v", !want)
		}
	}
	f.done(all)
	member(true)
	follow(queried(t, map[string]string{"s": `SELECT 1 AS profile_id WHERE 1 = 0`}, nil, nil))
	member(true) // until the new query has run
	follow(queried(t, nil, map[string]string{"s": `profile.none == 1`}, nil))
	member(false)
	if _, err := f.Give(ctx, "s", []engine.Row{{ProfileID: 1}}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("given to a condition: %v", err)
	}
	follow(queried(t, all, nil, nil))
	member(false)
	f.done(all)
	member(true)
	follow(queried(t, nil, nil, nil))
	follow(queried(t, all, nil, nil))
	member(false)
	f.done(all)
	member(true)
	f.verify()
}

// Where definitions without a segment came as far as its query, and not to the engine, the result is still known: who is not
// listed any more leaves.
func TestAResultStaysForAsLongAsItsRule(t *testing.T) {
	all := map[string]string{"s": `SELECT id AS profile_id FROM profiles WHERE traits ->> 'gone' IS NULL`}
	f := start(t, t.TempDir(), epoch, queried(t, all, nil, nil))
	defer func() { f.close() }()
	tell := func(traits map[string]any) {
		f.send(f.now(), map[string]any{"type": "identify", "userId": "a", "traits": traits})
	}
	member := func(want bool) {
		t.Helper()
		if f.profile("user_id", "a").InSegment("s") != want {
			t.Errorf("a member: %v", !want)
		}
		f.verify()
	}
	tell(nil)
	f.done(all)
	if err := f.store.FollowQueries(context.Background(), nil, f.now()); err != nil {
		t.Fatal(err)
	}
	f.close()
	f.open(queried(t, all, nil, nil))
	member(true)
	tell(map[string]any{"gone": "yes"})
	f.done(all)
	member(false)
}

// An SQL segment equals a condition that says the same, whatever happened: events, merges, their undoing, overrides,
// restarts and new definitions.
func TestAQuerySaysWhatAConditionSays(t *testing.T) {
	t.Parallel()
	queries := map[string]string{
		"vip-sql": `SELECT id AS profile_id FROM profiles WHERE merged_into IS NULL AND traits -> 'vip' = 'true'`,
		"big-sql": `SELECT id AS profile_id, CAST(computed ->> 'spent' AS DOUBLE PRECISION) AS spent FROM profiles
			WHERE merged_into IS NULL AND CAST(computed ->> 'spent' AS DOUBLE PRECISION) > 5`,
	}
	segments := map[string]string{
		"vip": `profile.vip == true`, "big": `profile.spent > 5`,
		"both-sql": `"vip-sql" in segments && profile.sql["big-sql"].spent > 5`, "both": `"vip" in segments && profile.spent > 5`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		rules := func() *engine.Rules {
			return queried(rt, queries, segments, map[string]string{"spent": `events("Order").within("3d").sum(e, e.properties.n)`})
		}
		f := start(rt, t.TempDir(), epoch, rules())
		defer func() { f.close() }()
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			f.advance(time.Duration(rapid.IntRange(1, 20).Draw(rt, "hours")) * time.Hour)
			switch what := rapid.IntRange(0, 9).Draw(rt, "what"); what {
			case 0, 1, 2, 3, 4:
				e := track("", "Order", map[string]any{"n": rapid.IntRange(0, 6).Draw(rt, "n")})
				if rapid.Bool().Draw(rt, "identify") {
					e = map[string]any{"type": "identify", "traits": map[string]any{"vip": rapid.Bool().Draw(rt, "vip")}}
				}
				e["anonymousId"] = fmt.Sprint("a", rapid.IntRange(0, 3).Draw(rt, "anonymous"))
				delete(e, "userId")
				if rapid.Bool().Draw(rt, "known") {
					e["userId"] = fmt.Sprint("u", rapid.IntRange(0, 2).Draw(rt, "user"))
				}
				f.send(f.now(), e)
			case 5:
				if merges := f.merges(); len(merges) > 0 {
					f.unmerge(merges[rapid.IntRange(0, len(merges)-1).Draw(rt, "merge")].Loser)
				}
			case 6:
				f.close()
				f.open(rules())
			case 7:
				if err := f.SetRules(context.Background(), queried(rt, queries, nil, nil)); err != nil {
					rt.Fatal(err)
				}
				if err := f.SetRules(context.Background(), rules()); err != nil {
					rt.Fatal(err)
				}
			default:
				f.done(queries)
			}
			f.verify()
		}
		f.done(queries)
		f.verify()
		all, _, err := f.store.ProfileRange(context.Background(), 1, 1<<40, 1000)
		if err != nil {
			rt.Fatal(err)
		}
		for _, p := range all {
			for _, name := range []string{"vip", "big", "both"} {
				if p.InSegment(name) != p.InSegment(name+"-sql") {
					rt.Fatalf("profile %d is in %s by condition: %v, by query: %v", p.ID, name, p.InSegment(name), p.InSegment(name+"-sql"))
				}
			}
		}
	})
}

// Who stays listed by a query, under another part of herself than before, neither leaves nor enters.
func TestWhoStaysListedStaysAMember(t *testing.T) {
	f := start(t, t.TempDir(), epoch, queried(t, map[string]string{"listed": "SELECT id AS profile_id FROM profiles"}, nil, nil))
	defer f.close()
	f.send(f.now(), visit("a", "", "A"))
	f.send(f.now(), visit("", "u", "A"))
	a, u := f.profile("anonymous_id", "a").ID, f.profile("user_id", "u").ID
	give := func(rows ...engine.Row) int64 {
		t.Helper()
		f.advance(time.Hour)
		if _, err := f.Give(context.Background(), "listed", rows); err != nil {
			t.Fatal(err)
		}
		since, in := f.profile("user_id", "u").Segments.Since("listed")
		if !in {
			t.Error("is not listed")
		}
		return since
	}
	if _, err := f.Merge(context.Background(), a, u, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
		t.Fatal(err)
	}
	since := give(engine.Row{ProfileID: a})
	if again := give(engine.Row{ProfileID: a, Gone: true}, engine.Row{ProfileID: u}); again != since {
		t.Errorf("a member since %v, want %v", time.UnixMicro(again).UTC(), time.UnixMicro(since).UTC())
	}
}

// So it is where the rows of a result are so many that they are given in several commits.
func TestWhoStaysListedStaysAMemberThroughLongResults(t *testing.T) {
	f := start(t, t.TempDir(), epoch, queried(t, map[string]string{"listed": "SELECT id AS profile_id FROM profiles"}, nil, nil))
	defer f.close()
	ctx := context.Background()
	var events []*event.Event
	for i := range 1202 {
		events = append(events, f.decode(f.now(), visit("", fmt.Sprint("u", i), "A")))
	}
	if err := f.Ingest(ctx, events); err != nil {
		t.Fatal(err)
	}
	first, last := f.profile("user_id", "u0").ID, f.profile("user_id", "u1201").ID
	f.merged(first, last)
	entered := f.now().Add(time.Hour)
	for i, parts := range [][2]int64{{first, last}, {last, first}, {first, last}} {
		rows := []engine.Row{{ProfileID: parts[0]}}
		if i > 0 {
			rows = append(rows, engine.Row{ProfileID: parts[1], Gone: true})
		}
		for id := first + 1; id < last; id++ {
			rows = append(rows, engine.Row{ProfileID: id, Columns: map[string]any{"n": float64(i)}})
		}
		slices.SortFunc(rows, func(a, b engine.Row) int { return int(a.ProfileID - b.ProfileID) }) // as a query's come
		f.advance(time.Hour)
		if unknown, err := f.Give(ctx, "listed", rows); unknown > 0 || err != nil {
			t.Fatal(unknown, err)
		}
	}
	f.settle()
	for _, id := range []int64{first, first + 1, last - 1} {
		told, _, err := f.store.Transitions(ctx, id, "listed", "", 10)
		if err != nil || len(told) != 1 || !told[0].Entered || told[0].At != entered.UnixMicro() {
			t.Errorf("profile %d: %+v, %v; want that she entered at %v and stayed", id, told, err, entered)
		}
	}
	f.verify()
}
