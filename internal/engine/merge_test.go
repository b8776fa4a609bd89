package engine_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

func TestTwoProfilesAreMergedByHand(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"buyer": `events("Order").count() >= 2`}, nil))
	defer f.close()
	f.send(epoch, track("u", "Order", nil))
	f.send(epoch, track("v", "Order", nil))
	u, v := f.profile("user_id", "u").ID, f.profile("user_id", "v").ID
	ctx := context.Background()
	cause := engine.MergeCause{Kind: engine.MergedByHand, Actor: "ada", Note: "same invoice address"}
	if survivor, err := f.Merge(ctx, v, u, cause); err != nil || survivor != min(u, v) {
		t.Fatalf("survivor %d, %v", survivor, err)
	}
	p := f.profile("user_id", "v") // two user ids are over the limit for events, not for people
	if p.ID != u || !p.InSegment("buyer") {
		t.Errorf("got %+v", p)
	}
	f.send(epoch, track("v", "Order", nil))
	if got := f.profile("user_id", "v"); got.ID != u {
		t.Errorf("the next event went to %d", got.ID)
	}
	if _, err := f.Merge(ctx, u, v, cause); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("merged again: %v", err)
	}
	if _, err := f.Merge(ctx, u, 999, cause); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("merged with nobody: %v", err)
	}
	views, err := f.store.ProfileViews(ctx, []int64{u})
	if err != nil || len(views[0].Merged) != 1 || views[0].Merged[0].By != "ada" || views[0].Merged[0].Note != cause.Note {
		t.Errorf("shown as %+v, %v", views, err)
	}
	if view, err := f.store.ProfileBy(ctx, identity.Identifier{Type: "user_id", Value: "v"}); err != nil || !reflect.DeepEqual(view, views[0]) {
		t.Errorf("by an identifier of the one that is no more: %+v, %v", view, err)
	}
	if _, err := f.store.ProfileBy(ctx, identity.Identifier{Type: "user_id", Value: "nobody"}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("by what nobody has: %v", err)
	}
	f.verify()
}
