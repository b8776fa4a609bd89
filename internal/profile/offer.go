package profile

import (
	"runtime"
	"sync/atomic"
)

// Whose a profile is: its owner's, or about to be packed by another goroutine, which its owner may forestall.
const (
	claimed int32 = iota
	offered
	taken
)

// Offer leaves the profile to be packed by PackOffered in another goroutine. Its owner keeps from it what is not an id or a time until
// Claim has returned. It reports false where the profile is offered already.
func (p *Profile) Offer() bool { return atomic.CompareAndSwapInt32(&p.whose, claimed, offered) }

// PackOffered does work with the profile and has it take a third of the memory until it is looked at again: it goes on with its stored
// form. It does nothing where the profile has been claimed since it was offered.
func (p *Profile) PackOffered(work func(*Profile)) {
	if !atomic.CompareAndSwapInt32(&p.whose, offered, taken) {
		return
	}
	defer atomic.StoreInt32(&p.whose, claimed)
	work(p)
	p.pack()
}

// Claim takes the profile back. Where it is being packed, it waits until that is done.
func (p *Profile) Claim() {
	for atomic.LoadInt32(&p.whose) != claimed && !atomic.CompareAndSwapInt32(&p.whose, offered, claimed) {
		runtime.Gosched()
	}
}
