package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// noticed is a segment that a customer enters by one event.
const (
	noticed          = "noticed"
	noticedCondition = `events("Noticed").within("1h").exists()`
)

// betweenNotices is how often somebody is made to enter it, so seldom that it is no load.
const betweenNotices = 20 * time.Millisecond

// untilVisible sends events one at a time until it is told to stop, and tells how long it took from when each should have been
// sent until the customer's profile, which is asked for by an identifier, said that she is in the segment.
func untilVisible(ctx context.Context, server *client.Client, run string) (took durations, err error) {
	for began, n := time.Now(), 0; ; n++ {
		start := began.Add(time.Duration(n) * betweenNotices)
		if !pause(ctx, time.Until(start)) {
			slices.Sort(took)
			return took, nil
		}
		user := fmt.Sprintf("%s-noticed-%d", run, n)
		event := fmt.Sprintf(`{"type":"track","event":"Noticed","userId":%q,"messageId":%q}`, user, user)
		begun := context.WithoutCancel(ctx) // what has been sent is counted
		if err := server.Track(begun, []json.RawMessage{json.RawMessage(event)}); err != nil {
			return nil, err
		}
		if err := enters(begun, server, user, noticed); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
}

// enters waits until a customer is in a segment.
func enters(ctx context.Context, server *client.Client, user, segment string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var found struct {
			Items []struct {
				Segments []struct{ Name string }
			}
		}
		if err := server.Get(ctx, "/api/v1/profiles?identifier="+url.QueryEscape("user_id:"+user), &found); err != nil {
			return err
		}
		for _, p := range found.Items {
			for _, s := range p.Segments {
				if s.Name == segment {
					return nil
				}
			}
		}
	}
	return fault.New(fault.Internal, "%s did not enter the segment %s within a minute", user, segment)
}
