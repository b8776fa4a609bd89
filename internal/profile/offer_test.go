package profile_test

import (
	"sync"
	"testing"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// pack has a profile go on with its stored form.
func pack(p *profile.Profile) {
	p.Offer()
	p.PackOffered(func(*profile.Profile) {})
}

// Whoever claims a profile has it for himself, whether a packer had begun or comes too late, and each offer is taken once at most. The
// race detector looks on.
func TestAProfileIsHadByOneAtATime(t *testing.T) {
	const rounds = 2000
	p := profile.New(1, 0)
	worked, offers := 0, make(chan struct{}, rounds)
	var packer sync.WaitGroup
	packer.Go(func() {
		for range offers {
			p.PackOffered(func(*profile.Profile) { worked++ })
		}
	})
	for i := range rounds {
		if !p.Offer() {
			t.Fatal("a profile that was claimed cannot be offered")
		}
		offers <- struct{}{}
		p.Claim()
		worked++ // nobody else does now
		p.Timers.Set(int64(i%3), int64(i))
	}
	close(offers)
	packer.Wait()
	if worked < rounds || worked > 2*rounds {
		t.Errorf("worked %d times in %d rounds", worked, rounds)
	}
	if rule, at := p.Timers.First(); rule != (rounds-3)%3 || at != rounds-3 {
		t.Errorf("the first timer is %d at %d", rule, at)
	}
}
