package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// counted counts what is read from memory.
type counted struct {
	*engine.Engine
	unsaved, owners *atomic.Int64
}

func (c counted) Unsaved(ctx context.Context, id int64) ([]byte, error) {
	state, err := c.Engine.Unsaved(ctx, id)
	if state != nil {
		c.unsaved.Add(1)
	}
	return state, err
}

func (c counted) UnsavedOwner(ctx context.Context, identifier identity.Identifier) (int64, error) {
	id, err := c.Engine.UnsavedOwner(ctx, identifier)
	if id != 0 {
		c.owners.Add(1)
	}
	return id, err
}

// While others keep the engine busy, a customer reads back by each of her identifiers all that has been acknowledged, written
// or not, and what made her one.
func TestWhatIsAcknowledgedIsReadByAnIdentifier(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"busy": `events("Seen").count() >= 10`}, map[string]string{"seen": `events("Seen").count()`}))
	defer f.close()
	var unsaved, owners atomic.Int64
	f.store.SetSettler(counted{f.Engine, &unsaved, &owners})
	const customers, events = 24, 40
	var all [customers][]*event.Event
	for c := range all {
		for i := range events {
			body := track(fmt.Sprint("u", c), "Seen", nil)
			switch {
			case i%2 == 1 && i < events/2:
				delete(body, "userId")
				fallthrough
			case i == events/2:
				body["anonymousId"] = fmt.Sprint("a", c)
			}
			all[c] = append(all[c], f.decode(epoch, body))
		}
	}
	known := func(kind, value string) (float64, string, bool) {
		view, err := f.store.ProfileBy(t.Context(), identity.Identifier{Type: kind, Value: value})
		if fault.CodeOf(err) == fault.NotFound {
			return 0, "", false
		}
		if err != nil {
			t.Error(err)
		}
		seen, _ := view.Computed["seen"].(float64)
		if in := len(view.Segments) == 1; in != (seen >= 10) {
			t.Errorf("%s was seen %v times, and in the segment: %v", value, seen, in)
		}
		return seen, view.ID, true
	}
	var group sync.WaitGroup
	for c := range all {
		group.Go(func() {
			user, anonymous := fmt.Sprint("u", c), fmt.Sprint("a", c)
			for i, e := range all[c] {
				if err := f.Ingest(t.Context(), []*event.Event{e}); err != nil {
					t.Error(err)
					return
				}
				seen, id, _ := known(identity.UserID, user)
				other, otherID, there := known(identity.AnonymousID, anonymous)
				want := float64(i/2 + 1) // half of them hers, half the stranger's
				if i >= events/2 {
					want = float64(i + 1)
				}
				switch merged := i >= events/2; {
				case seen != want, merged && (other != want || id != otherID), !merged && (there != (i > 0) || other != float64((i+1)/2)):
					t.Errorf("%d events of %s: seen %v of %v; as a stranger %v, %v", i+1, user, seen, want, other, there)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d profiles and %d owners were read from memory", unsaved.Load(), owners.Load())
	f.store.SetSettler(f.Engine)
	f.verify()
}
