package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// Time goes on for customers of whom nothing can be written: their timers fire in memory, where they are read by an identifier.
func TestTimersFireWhileNothingCanBeWritten(t *testing.T) {
	const (
		stored = 10
		each   = 700 // more than fire at once
		window = 48 * time.Hour
		left   = 150 * time.Second // of the window, which is further than is looked ahead twice
	)
	for name, pass := range map[string]func(f *fixture){
		"the clock is set ahead": func(f *fixture) {
			f.advance(window)
			f.send(f.now(), track("other", "Viewed", nil))
		},
		"the disk is slow": func(f *fixture) {
			for range left / time.Second {
				f.advance(time.Second)
				<-time.After(time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var disk troubled
				f := orderedOnce(t, &disk, stored)
				defer f.close()
				held := make(chan struct{})
				disk.held.Store(&held)
				defer func() { disk.held.Store(nil); close(held) }()
				f.advance(window - left)
				if err := f.SetRules(context.Background(), ordersOf(t)); err != nil {
					t.Fatal(err)
				}
				for began := range 2 { // some are in the save that is held, and some are not
					var events []*event.Event
					for i := range each {
						events = append(events, f.decode(epoch, track(fmt.Sprint("u", stored+began*each+i), "Order", nil)))
					}
					if err := f.Ingest(context.Background(), events); err != nil {
						t.Fatal(err)
					}
					<-time.After(time.Second)
				}
				for _, want := range []string{"[buyers]", "[]"} {
					for i := range stored + 2*each {
						if in := f.segmentsOf(fmt.Sprint("u", i)); fmt.Sprint(in) != want {
							t.Fatalf("customer %d is in %v, want %s", i, in, want)
						}
					}
					pass(f)
					synctest.Wait()
				}
			})
		})
	}
}
