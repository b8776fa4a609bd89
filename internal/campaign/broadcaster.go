package campaign

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Broadcaster starts, pauses and carries out runs. It turns audiences into queued messages; sending those is not its
// business.
type Broadcaster struct {
	Audience Audience
	Ledger   Ledger
	Wake     func() // called when messages were queued
	Chunk    int    // members enqueued in one step; 0: 500
	Now      func() time.Time
	Log      *slog.Logger

	once sync.Once
	wake chan struct{}
}

const (
	defaultChunk   = 500
	ledgerPatience = time.Second     // between attempts when the ledger fails
	longestNap     = 2 * time.Second // after it, what other processes began or left unfinished is noticed
)

func (b *Broadcaster) prepare() {
	b.once.Do(func() {
		b.wake = make(chan struct{}, 1)
		if b.Chunk <= 0 {
			b.Chunk = defaultChunk
		}
	})
}

func (b *Broadcaster) poke() {
	b.prepare()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Send starts the run of a campaign. Asked again, at any time, it changes nothing and returns the run there is. The
// definition must be valid; what it leaves out takes its default. version and template are the versions that are sent.
func (b *Broadcaster) Send(ctx context.Context, name string, definition Definition, version, template int) (Run, error) {
	run, _, err := b.Ledger.Start(ctx, Run{
		Campaign: name, Version: version, Definition: definition.WithDefaults(name), Template: template, Status: Sending, StartedAt: b.Now(),
	})
	if err != nil {
		return Run{}, err
	}
	b.poke()
	return run, nil
}

// Pause stops a run: messages not yet handed to a mail server stay queued. It is Conflict for a campaign that was never
// sent; a finished or paused one stays as it is.
func (b *Broadcaster) Pause(ctx context.Context, name string) (Run, error) {
	run, found, err := b.Ledger.Pause(ctx, name)
	if err == nil && !found {
		err = fault.New(fault.Conflict, "campaign %s is not being sent", name)
	}
	return run, err
}

// Resume continues a paused run. It is Conflict for a campaign that was never sent.
func (b *Broadcaster) Resume(ctx context.Context, name string) (Run, error) {
	run, found, err := b.Ledger.Resume(ctx, name)
	if err == nil && !found {
		err = fault.New(fault.Conflict, "campaign %s is not being sent", name)
	}
	if err == nil {
		b.poke()
		b.Wake()
	}
	return run, err
}

// Run enqueues audiences until ctx ends, beginning with what an earlier process left unfinished. It is called once.
func (b *Broadcaster) Run(ctx context.Context) error {
	b.prepare()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		nap, wake := longestNap, b.wake
		if err := b.Advance(ctx); err != nil && ctx.Err() == nil {
			b.Log.Error("a campaign cannot go on now", "error", err)
			nap, wake = ledgerPatience, nil
		}
		timer.Reset(nap)
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-timer.C:
		}
	}
}

// Advance enqueues the audiences of all unfinished runs, by turns, a chunk at a time.
func (b *Broadcaster) Advance(ctx context.Context) error {
	b.prepare()
	for {
		runs, err := b.Ledger.Unfinished(ctx)
		if err != nil || len(runs) == 0 {
			return err
		}
		for _, run := range runs {
			if err := b.enqueue(ctx, run); err != nil {
				return err
			}
		}
	}
}

func (b *Broadcaster) enqueue(ctx context.Context, run Run) error {
	members, err := b.Audience.Members(ctx, run.Definition.Segment, run.Cursor, b.Chunk)
	if err != nil {
		return err
	}
	next := run.Cursor
	if len(members) > 0 {
		next = members[len(members)-1].ProfileID
	}
	if err := b.Ledger.Enqueue(ctx, run.ID, run.Cursor, next, Decide(members), len(members) < b.Chunk, b.Now()); err != nil {
		return err
	}
	b.Wake()
	return nil
}
