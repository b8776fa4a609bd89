package connect

import (
	"context"
	"encoding/json"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// gathered reads the whole file, gathers the rows of each key, and sends the events.
func (im *importing) gathered(ctx context.Context) (err error) {
	g := newGatherer(im.config.MemoryBudget, im.config.TempDir, 0)
	defer func() {
		if closeErr := g.Close(); err == nil {
			err = closeErr
		}
	}()
	first := newReader(im.plan, im.config.Mapping.delimiter)
	if err := im.rows(ctx, im.source, func(m *mapped) error {
		if err := im.reject(m); err != nil {
			return err
		}
		return g.take(m, first)
	}); err != nil {
		return err
	}
	if g.parts == nil {
		im.tally.gathered(len(g.groups))
	}
	return im.events(ctx, g, func(e *gatheredEvent) error {
		if e.without {
			im.tally.partial()
		}
		if e.err != nil {
			im.tally.refused()
			im.send.mu.Lock()
			defer im.send.mu.Unlock()
			return im.refuseKey(e.key, reasonOf(e.err))
		}
		return im.send.add(e.json, origin{span: span{line: e.line}, key: e.key})
	})
}

// take adds the rows of a chunk.
func (g *gatherer) take(m *mapped, first *reader) error {
	var scratch []byte
	for i, row := range m.gathered {
		if row.without {
			if err := g.lose(row.key); err != nil {
				return err
			}
			continue
		}
		end := len(m.items)
		if i+1 < len(m.gathered) {
			end = m.gathered[i+1].item
		}
		if err := g.add(row.key, row.line, 1, m.items[row.item:end], func() string {
			scratch = first.head(m.chunk, row.span, scratch[:0])
			return string(scratch)
		}); err != nil {
			return err
		}
	}
	return nil
}

// gatheredEvent is an event made of the rows of one key, or why there is none.
type gatheredEvent struct {
	key     string
	line    int64
	json    json.RawMessage
	without bool
	err     error
}

// events makes the events of all groups on all workers and gives them in the order of each.
func (im *importing) events(ctx context.Context, from *gatherer, consume func(*gatheredEvent) error) error {
	type work struct {
		in     *gatherer
		groups []*group
	}
	const enough = 256 << 10 // bytes of items for one worker at a time
	var next work
	size := 0
	return inOrder(ctx, im.config.Workers, func(emit func(work) error) error {
		err := from.each(func(in *gatherer, g *group) error {
			if next.in != in || size > enough {
				if len(next.groups) > 0 {
					if err := emit(next); err != nil {
						return err
					}
				}
				next, size = work{in: in}, 0
			}
			next.groups = append(next.groups, g)
			size += groupCost + g.size
			return nil
		})
		if err != nil || len(next.groups) == 0 {
			return err
		}
		return emit(next)
	}, func() func(work) []gatheredEvent {
		maker := eventMaker{plan: im.plan, writer: eventWriter{plan: im.plan}}
		maker.scope.Row = &maker.row
		return func(w work) []gatheredEvent {
			made := make([]gatheredEvent, 0, len(w.groups))
			for _, g := range w.groups {
				made = append(made, maker.event(w.in, g))
			}
			return made
		}
	}, func(made []gatheredEvent) error {
		for i := range made {
			if err := consume(&made[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// eventMaker makes the events of groups. It is not safe for concurrent use; each goroutine has its own.
type eventMaker struct {
	plan   *plan
	row    expr.MappingRow
	scope  expr.MappingScope
	writer eventWriter
	items  []expr.MappingItem
}

func (m *eventMaker) event(in *gatherer, g *group) gatheredEvent {
	made := gatheredEvent{key: g.key, line: g.line, without: g.without}
	if g.oversize {
		made.err = fault.New(fault.TooLarge, "the %d rows of %q make an event of more than the %d bytes that one may have", g.rows, g.key, maxEvent)
		return made
	}
	if made.err = m.plan.setHead(&m.row, g.head); made.err != nil {
		return made
	}
	m.items = in.items(g, len(m.plan.item), m.items)
	m.scope.SetItems(m.items)
	made.json, made.err = m.writer.event(&m.scope, m.items, func() string { return keyMessageID(m.plan.source, g.key) })
	return made
}

// rejectRefused reads the file again and writes the rows of refused events to the rejects file.
func (im *importing) rejectRefused(ctx context.Context) error {
	again, err := openSource(im.config.Path, im.config.Mapping)
	if err != nil {
		return err
	}
	defer again.Close()
	return im.rows(ctx, again, func(m *mapped) error {
		rows := 0
		for _, row := range m.gathered {
			reason, refused := im.refused[row.key]
			if !refused || row.without {
				continue
			}
			if err := im.rejects.add(m.row(row.span), row.span, reason); err != nil {
				return err
			}
			rows++
		}
		im.tally.rejected(rows)
		return nil
	})
}
