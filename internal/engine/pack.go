package engine

import (
	"runtime/debug"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// What is not saved yet is most of what is in memory, and most customers do nothing more before it is: profiles that no event was
// about lately are packed, to their stored form, by a packer beside the loop. One that is wanted before its turn stays as it is.

const packBehind = 10_000 // events after which a profile that none of them was about is packed

// stepped are the profiles that a group was about, by event.
type stepped struct {
	at       int64 // µs; when the group was applied
	profiles []int64
}

// packing are profiles that are offered to the packer, and what works out what was put off of them.
type packing struct {
	state    *State
	profiles []*profile.Profile
}

// pack notes whom a group was about, and packs those of earlier ones whom nothing has happened to since.
func (e *Engine) pack(s *State, now int64) {
	u := &e.unsaved
	group := stepped{now, make([]int64, len(s.Changes.Events))}
	for i, a := range s.Changes.Events {
		group.profiles[i] = a.ProfileID
	}
	u.open, u.opened = append(u.open, group), u.opened+len(group.profiles)
	idle := packing{state: s}
	for u.opened > e.PackBehind {
		oldest := u.open[0]
		u.open, u.opened = u.open[1:], u.opened-len(oldest.profiles)
		for _, id := range oldest.profiles {
			if p := e.profiles[id]; p != nil && p.UpdatedAt == oldest.at && p.Offer() {
				idle.profiles = append(idle.profiles, p)
			}
		}
	}
	if len(idle.profiles) == 0 {
		return
	}
	if e.filling == nil { // else it is noted who waits to be filled, which is the loop's to do
		select {
		case e.packings <- idle:
			return
		default: // the packer does not keep up
		}
	}
	for i, p := range idle.profiles {
		e.memory.lendSometimes(i)
		p.PackOffered(s.workOut)
	}
}

// packer packs what is offered, until the loop has ended.
func (e *Engine) packer() {
	for b := range e.packings {
		for _, p := range b.profiles {
			e.packBeside(b.state, p)
		}
	}
}

// packBeside packs a profile beside the loop. Where that panics, which is our defect, she stays as she was, and the loop meets it.
func (e *Engine) packBeside(s *State, p *profile.Profile) {
	defer func() {
		if r := recover(); r != nil {
			e.Log.Error("packing a profile panicked", "profile", p.ID, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	p.PackOffered(s.workOut)
}

// profile is one that memory has, which nobody else looks at; nil for none.
func (e *Engine) profile(id int64) *profile.Profile {
	p := e.profiles[id]
	if p != nil {
		p.Claim()
	}
	return p
}
