package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// own ingests an event that our own link made, which names its profile.
func (f *fixture) own(profileID int64, name, payload string) {
	f.n++
	at := f.now().UTC()
	err := f.Ingest(context.Background(), []*event.Event{{
		MessageID: "own" + time.Duration(f.n).String(), Type: event.Track, Name: name, ProfileID: profileID, Timestamp: at, ReceivedAt: at, Payload: []byte(payload),
	}})
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestOnlyOurOwnDoorGivesBackWhatWasWithdrawnThere(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	subscribed := func() bool { return f.profile("user_id", "u").Subscribed() }
	f.send(epoch.Add(100*24*time.Hour), track("u", "Subscribed", nil)) // dated in the future by a wrong clock
	f.own(f.profile("user_id", "u").ID, event.NameUnsubscribed, `{}`)
	if subscribed() {
		t.Fatal("the withdrawal was overruled by an event dated after it")
	}
	f.send(epoch.Add(time.Hour), track("u", "Subscribed", map[string]any{"plan": "gold"}))
	if subscribed() {
		t.Fatal("an event of the shop gave back what she withdrew")
	}
	f.own(f.profile("user_id", "u").ID, event.NameSubscribed, `{}`)
	if !subscribed() {
		t.Fatal("she cannot subscribe again at our own door")
	}
}

func TestMachinesAreNobodysBehaviour(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"opener": `events("Email Opened").exists()`}, nil))
	defer f.close()
	f.send(epoch.Add(-time.Hour), track("u", "View", nil))
	id := f.profile("user_id", "u").ID
	f.own(id, event.NameEmailOpened, `{"machine":true}`)
	if p := f.profile("user_id", "u"); p.InSegment("opener") || p.LastSeenAt != epoch.Add(-time.Hour).UnixMicro() {
		t.Errorf("a machine's open counts: %v, seen %v", p.Segments.Map(), time.UnixMicro(p.LastSeenAt).UTC())
	}
	f.own(id, event.NameEmailOpened, `{"machine":false}`)
	if !f.profile("user_id", "u").InSegment("opener") {
		t.Error("a person's open does not count")
	}
	f.verify()
}

func TestNumbersOutOfRangeStopNothing(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, map[string]string{
		"spent": `events("Order").sum(e, e.properties.total)`, "odd": `double("NaN")`, "most": `events("Order").max(e, e.properties.total)`,
	}))
	defer f.close()
	for _, total := range []float64{1e308, 1e308, -1e308, 12.5} {
		f.send(epoch, track("u", "Order", map[string]any{"total": total}))
	}
	p := f.profile("user_id", "u")
	if p.Computed.Get("spent") != 12.5 || p.Computed.Get("odd") != nil || p.Computed.Get("most") != 1e308 {
		t.Errorf("got %v", p.Computed.Map())
	}
	f.verify()
}

func TestDeletedDefinitionsLeaveNothing(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"all": `true`}, map[string]string{"n": `events().count()`}))
	defer f.close()
	f.send(epoch, track("u", "View", nil))
	f.send(epoch, track("v", "View", nil))
	if err := f.SetRules(context.Background(), compile(t, nil, nil)); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, user := range []string{"u", "v"} {
		for p := f.profile("user_id", user); p.Segments.Len()+p.Computed.Len() > 0; p = f.profile("user_id", user) {
			if time.Now().After(deadline) {
				t.Fatalf("%s still has %v %v", user, p.Segments.Map(), p.Computed.Map())
			}
		}
	}
}

// A campaign must never take a segment that is being filled for an empty one.
func TestMembersAreGivenOnlyWhenTheyHold(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	const people = 600
	for i := range people {
		f.send(epoch, map[string]any{"type": "identify", "userId": time.Duration(i + 1).String(), "traits": map[string]any{"n": i}})
	}
	with := map[string]string{"all": `has(profile.n)`}
	ctx := context.Background()
	if err := f.SetRules(ctx, compile(t, with, nil)); err != nil {
		t.Fatal(err)
	}
	var members []campaign.Member
	for i := 0; ; i++ {
		// Other definitions change all the while.
		with["other"] = `profile.n > ` + time.Duration(i).String()[:1]
		if i < 5 {
			if err := f.SetRules(ctx, compile(t, with, nil)); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if members, err = f.store.Members(ctx, "all", 0, people+1); err == nil {
			break
		}
		if fault.CodeOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		if err := f.WaitFilled(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(members) != people {
		t.Errorf("%d of %d members", len(members), people)
	}
}
