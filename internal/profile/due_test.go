package profile_test

import (
	"testing"

	"github.com/tailorbird/tailorbird/internal/profile"
)

func TestAMomentIsMovedOnlyWhereItIsTooLateOrOver(t *testing.T) {
	for _, c := range []struct {
		name        string
		known       bool
		named, next int64 // 0: never
		want        int64
		moved       bool
	}{
		{name: "nothing is known of what the store has", next: 20, want: 20, moved: true},
		{name: "nor that it has nothing", next: 0, want: 0, moved: true},
		{name: "the store names nobody, rightly", known: true, want: 0},
		{name: "the store names nobody, and time changes her", known: true, next: 20, want: 20, moved: true},
		{name: "time changes her sooner", known: true, named: 30, next: 20, want: 20, moved: true},
		{name: "at that moment", known: true, named: 20, next: 20, want: 20},
		{name: "later", known: true, named: 15, next: 20, want: 15},
		{name: "later, and that moment has come", known: true, named: 10, next: 20, want: 20, moved: true},
		{name: "no more", known: true, named: 15, next: 0, want: 0, moved: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.New(1, 0)
			if c.known {
				p.NamedAt(c.named)
			}
			p.Timers.Set(7, c.next)
			const now = 10
			if at, moved := p.Schedule(now); at != c.want || moved != c.moved {
				t.Errorf("the store names her at %d, moved: %v; want %d, %v", at, moved, c.want, c.moved)
			}
			if at, moved := p.Schedule(now); at != c.want || moved {
				t.Errorf("when that is known, at %d, moved: %v; want %d, not moved", at, moved, c.want)
			}
		})
	}
}
