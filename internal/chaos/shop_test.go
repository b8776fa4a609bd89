package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// What is defined. The check works each of these out anew.
const (
	buyersCondition  = `events("Order Completed").count() >= 3`
	lookersCondition = `events("Product Viewed").within("24h").count() >= 4`
	freshCondition   = `events("Product Viewed").within("1h").exists()` // nobody in the end: the events are an hour old
	readersCondition = `profile.reader == true`
	probedCondition  = `events("Probe").within("3s").exists()`
	lateCondition    = `events("Product Added").count() >= 2` // defined in the midst of everything
	window           = time.Hour
	probeWindow      = 3 * time.Second
)

// shop is what a marketer does, through whichever node answers.
type shop struct {
	random *rand.Rand
	nodes  []*node
}

func (s *shop) put(ctx context.Context, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return manage(ctx, s.random, s.nodes, http.MethodPut, path, raw)
}

// open defines everything that there is from the beginning, and drafts campaigns, each with its segment.
func (s *shop) open(ctx context.Context, campaigns map[string]string) error {
	for name, expression := range map[string]string{
		"order_count": `events("Order Completed").count()`, "spent": `events("Order Completed").sum(e, e.properties.total)`,
	} {
		if err := s.put(ctx, "/api/v1/traits/"+name, map[string]string{"expression": expression}); err != nil {
			return err
		}
	}
	for name, condition := range map[string]string{
		"buyers": buyersCondition, "lookers": lookersCondition, "fresh": freshCondition, "readers": readersCondition, "probed": probedCondition,
		"addressed": `profile.email != ""`,
	} {
		if err := s.put(ctx, "/api/v1/segments/"+name, map[string]string{"condition": condition}); err != nil {
			return err
		}
	}
	for name, segment := range campaigns {
		if err := s.draft(ctx, name, segment); err != nil {
			return err
		}
	}
	return nil
}

// draft writes a campaign, whose name is the subject of its mails.
func (s *shop) draft(ctx context.Context, name, segment string) error {
	err := s.put(ctx, "/api/v1/templates/"+name, map[string]string{"subject": name, "preheader": "", "format": "html", "body": "<p>Hello</p>"})
	if err != nil {
		return err
	}
	return s.put(ctx, "/api/v1/campaigns/"+name, map[string]any{"segment": segment, "template": name, "from": "Shop <news@shop.example>"})
}

func (s *shop) launch(ctx context.Context, campaign string) error {
	return manage(ctx, s.random, s.nodes, http.MethodPost, "/api/v1/campaigns/"+campaign+"/send", nil)
}

// campaign is how far it is, by the word of any node that answers.
type campaign struct {
	Status   string
	Progress struct {
		Recipients, Queued, Sent, Failed, Skipped int
		InDoubt                                   int `json:"in_doubt"`
	}
}

// wait asks some node after another until what it says holds.
func wait[T any](ctx context.Context, s *shop, path string, holds func(T) bool) error {
	var last T
	var err error
	for ctx.Err() == nil {
		var now T
		if err = pick(s.random, s.nodes).get(ctx, path, &now); err == nil {
			if last = now; holds(now) {
				return nil
			}
		}
		nap(ctx, 50*time.Millisecond)
	}
	return errors.Join(ctx.Err(), err, fmt.Errorf("%s is still %+v", path, last))
}

// sent waits until nothing of a campaign is left to do.
func (s *shop) sent(ctx context.Context, name string) error {
	return wait(ctx, s, "/api/v1/campaigns/"+name, func(c campaign) bool { return c.Status == "sent" && c.Progress.Queued == 0 })
}

type segmentState struct {
	Status string
	Count  int
}

// filled waits until a segment holds for everybody, with so many members; any number for -1.
func (s *shop) filled(ctx context.Context, name string, members int) error {
	return wait(ctx, s, "/api/v1/segments/"+name, func(is segmentState) bool {
		return is.Status == "ready" && (members < 0 || is.Count == members)
	})
}
